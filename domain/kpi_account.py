"""The KPIs of a position as plain members, for the wire, the screen and other programs. NaN becomes
None; times are RFC 3339 in UTC. Pure."""

from collections.abc import Callable, Mapping
from math import isnan
from typing import Any

import numpy as np

from domain.alarm_noise import KpiTargets, Target
from domain.frame import Ints
from domain.instant import moment, rfc3339
from domain.kpi import DAY, HOUR, PRIORITIES, TEN_MIN, AlarmKpi, Times
from domain.kpi_cases import CasesKpi, LoopKpi, Share
from domain.kpi_journal import Period, per_step

STEPS = ((2, TEN_MIN), (31, HOUR), (3660, DAY))
"""A chart of so many days has such steps, in microseconds."""
HEAT_DAYS = 31
"""The newest local days of the heat strip."""
QUARTER = HOUR // 4
"""No clock on a wall differs from UTC by other than quarters of an hour (since 1972)."""

Members = dict[str, Any]
Name = Callable[[int], Members]


def account(
    alarms: AlarmKpi,
    cases: CasesKpi,
    period: Period,
    targets: KpiTargets,
    name: Name,
    *,
    whole: bool = True,
) -> Members:
    """Everything that is said of a position; name: the members of a numbered alarm. whole: with
    chart and heat strip, which are None otherwise."""
    return {
        "from": rfc3339(moment(period.begin)),
        "to": rfc3339(moment(period.end)),
        "days": round(alarms.days, 3),
        "enough_data": alarms.enough,
        "annunciated": alarms.annunciated,
        "muted": alarms.muted,
        "eemua_191": alarms.eemua,
        "rates": {
            member: _number(getattr(alarms.rates, member)) for member in alarms.rates.__slots__
        },
        "floods": {
            "number": alarms.floods.number,
            "share": _number(alarms.floods.share),
            "seconds": round(alarms.floods.seconds, 3),
            "longest_s": round(alarms.floods.longest_s, 3),
            "worst_upset": alarms.floods.worst_upset,
            "upset": alarms.floods.upset,
        },
        "top": [
            name(actor.subject)
            | {"count": actor.count, "share": _number(actor.share)}
            | _advice(alarms, actor.subject)
            for actor in alarms.top
        ],
        "top_share": _number(alarms.top_share),
        "chattering": [
            name(one.subject)
            | {"spells": one.spells, "activations": one.repeats}
            | _advice(alarms, one.subject)
            for one in alarms.chattering
        ],
        "fleeting": alarms.fleeting,
        "stale_on_a_day": alarms.stale_on_a_day,
        "stale_at_end": alarms.stale_at_end,
        "priorities": dict(zip(PRIORITIES, alarms.priorities, strict=True)),
        "shares": dict(zip(PRIORITIES, map(_number, alarms.shares), strict=True)),
        "unauthorised": alarms.unauthorised,
        "acknowledge": {who: _times(times) for who, times in alarms.acknowledge.items()},
        "close": {who: _times(times) for who, times in alarms.close.items()},
        "targets": verdicts(alarms, targets),
        "warnings": _cases(cases),
        "chart": chart(alarms.heard, period) if whole else None,
        "heat": heat(alarms.heard, period) if whole else None,
    }


def verdicts(alarms: AlarmKpi, targets: KpiTargets) -> list[Members]:
    """Each KPI beside its target. met: None where there is nothing to judge."""
    p1, p2, p3, p4 = alarms.shares
    values: Mapping[str, float] = {
        "per_day": alarms.rates.per_day,
        "per_hour": alarms.rates.per_hour,
        "per_10_min": alarms.rates.per_10_min,
        "busy_hours": alarms.rates.busy_hours,
        "busy_10_mins": alarms.rates.busy_10_min,
        "max_10_min": alarms.rates.max_10_min,
        "in_flood": alarms.floods.share,
        "top_ten": alarms.top_share,
        "chattering": len(alarms.chattering),
        "fleeting": alarms.fleeting,
        "stale_on_a_day": alarms.stale_on_a_day,
        "unauthorised": alarms.unauthorised,
        "low": p4,
        "medium": p3,
        "high": p2,
        "highest": p1,
    }
    return [
        {
            "kpi": kpi,
            "value": _number(value),
            "target": targets.by_name[kpi].target,
            "limit": targets.by_name[kpi].limit,
            "unit": targets.by_name[kpi].unit,
            "met": None if alarms.days <= 0 else _met(kpi, value, targets.by_name[kpi]),
        }
        for kpi, value in values.items()
    ]


def chart(heard: Ints, period: Period) -> Members:
    """Annunciated alarms in equal steps: ten minutes up to two days, hours up to a month, else
    days; the first and last step may reach beyond the period."""
    days = period.seconds / 86_400
    step = next((step for most, step in STEPS if days <= most), DAY)
    if step == DAY:
        _, edges = period.midnights() if period.seconds > 0 else ([], np.empty(0, np.int64))
    else:
        edges = period.grid(step)
    times = edges[:-1].tolist()
    return {
        "step_s": step // 1_000_000,
        "times": [rfc3339(moment(edge)) for edge in times],
        "counts": per_step(heard, edges).tolist() if times else [],
    }


def heat(heard: Ints, period: Period) -> list[Members]:
    """The newest local days, each with its 24 hours by the clock on the wall; None: outside the
    period. Where a clock is put back, the hour that comes twice has both."""
    if period.seconds <= 0:
        return []
    days, midnights = period.midnights()
    edges = midnights[-HEAT_DAYS - 1 :].tolist()
    found: list[Members] = []
    for day, begin, end in zip(days[-HEAT_DAYS:], edges[:-1], edges[1:], strict=True):
        hours: list[int | None] = [None] * 24
        for at in range(max(begin, period.begin), min(end, period.end), HOUR // 2):
            hours[moment(at).astimezone(period.zone).hour] = 0
        quarters, counts = np.unique(heard[(heard >= begin) & (heard < end)] // QUARTER,
                                     return_counts=True)  # fmt: skip
        for quarter, count in zip(quarters.tolist(), counts.tolist(), strict=True):
            hour = moment(quarter * QUARTER).astimezone(period.zone).hour
            hours[hour] = (hours[hour] or 0) + count
        found.append({"day": day.isoformat(), "hours": hours})
    return found


def _advice(alarms: AlarmKpi, subject: int) -> Members:
    said = alarms.advice.get(subject)
    if said is None:
        return {"advice": None}
    off, on = said.off, said.on
    return {
        "advice": {
            "noisy": said.noisy,
            "off_delay": None if off is None else {"longer_s": off.longer_s, "joined": off.calmed},
            "on_delay": None if on is None else {"longer_s": on.longer_s, "dropped": on.calmed},
        }
    }


def _met(kpi: str, value: float, target: Target) -> bool | None:
    if isnan(value):
        return None
    if kpi == "low":
        return value >= target.target
    # "0 chattering", "at most 10" include the number, "< 1 %" and "fewer than 5" do not
    whole = kpi in ("chattering", "fleeting", "unauthorised", "max_10_min")
    return value <= target.target if whole or kpi.startswith("per_") else value < target.target


def _cases(cases: CasesKpi) -> Members:
    return {
        "cases": cases.cases,
        "all": _loop(cases.all),
        "by_colour": {c.name.lower(): _loop(loop) for c, loop in cases.by_colour.items()},
        "by_level": {level.name.lower(): _loop(loop) for level, loop in cases.by_level.items()},
    }


def _loop(loop: LoopKpi) -> Members:
    return {
        "rises": loop.rises,
        "signed": _share(loop.signed),
        "signed_in_time": _share(loop.signed_in_time),
        "disposed": _share(loop.disposed),
        "disposed_in_time": _share(loop.disposed_in_time),
        "receive": _times(loop.receive),
        "feedback": _times(loop.feedback),
        "close": _times(loop.close),
        "too_fast": loop.too_fast,
    }


def _share(share: Share) -> Members:
    return {"of": share.of, "done": share.done, "share": _number(share.share)}


def _times(times: Times) -> Members:
    return {
        "number": times.number,
        "open": times.open,
        "p50_s": _number(times.p50),
        "p90_s": _number(times.p90),
    }


def _number(value: float) -> float | None:
    return None if isnan(value) else round(value, 6)
