"""From scores to the document that `hazwatch evaluate --json` prints, and to its rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import Any

from domain.instant import moment, rfc3339
from hazwatch.evaluate import families
from hazwatch.evaluate.families import UNDETECTABLE, Family, Run
from hazwatch.evaluate.score import (
    Interval,
    Outcome,
    Score,
    binomial,
    median_interval,
    poisson,
    quantile,
    score,
)

G5_DELAY_MIN, G5_FALSE = 51.0, 0.14
G6_DELAY_MIN, G6_FALSE = 7.0, 2.5
G7_WARNED, G7_LEAD_MIN, G7_FALSE = 0.7, 8.0, 0.3
"""Targets of shared/early-warning.md, "Goals"."""


@dataclass(slots=True)
class Report:
    """One set. rows, events: as in the document. notes: for people, what to know when reading."""

    name: str
    fault_free_days: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    false: int = 0
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        measure: str,
        value: float | None,
        *,
        goal: str | None = None,
        interval: Interval | None = None,
        target: str | None = None,
    ) -> None:
        """A row. target: such as "<= 7"; with it, whether it is met."""
        sign, _, bound = (target or "").partition(" ")
        better = {"<=": "lower", ">=": "higher"}.get(sign)
        met = None if target is None else _met(value, target)
        within = None if interval is None else [_plain(interval[0]), _plain(interval[1])]
        self.rows.append(
            {
                "goal": goal,
                "measure": measure,
                "value": _plain(value),
                "interval": within,
                "target": float(bound) if bound else None,
                "better": better,
                "met": met,
            }
        )

    def document(self) -> dict[str, Any]:
        """As shared/file-formats.md gives it, with notes."""
        days = self.fault_free_days
        low, high = (bound / days if days else None for bound in poisson(self.false))
        return {
            "set": self.name,
            "fault_free_days": _plain(days),
            "rows": self.rows,
            "events": self.events,
            "false_alarms": {
                "episodes": self.false,
                "per_tag_day": _plain(self.false / days) if days else None,
                "interval": [_plain(low), _plain(high)],
            },
            "notes": self.notes,
        }


def _plain(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else round(float(value), 6)


def _met(value: float | None, target: str) -> bool:
    sign, _, bound = target.partition(" ")
    if value is None or isnan(value):
        return False
    return value <= float(bound) if sign == "<=" else value >= float(bound)


def add_runs(report: Report, runs: Sequence[Run], foreseen: dict[str, bool] | None = None) -> None:
    """Score every family of events in these runs. foreseen: by name of a crossing, whether it could
    be foreseen."""
    names = {families.family_of(event) for run in runs for event in run.events}
    for name in ("release", "crossing", "fault"):
        if name in names:
            _add_family(report, families.family(name, runs), runs, foreseen or {})
    if UNDETECTABLE in names:
        _add_undetectable(report, runs)


def _add_family(
    report: Report, which: Family, runs: Sequence[Run], foreseen: dict[str, bool]
) -> None:
    own = _score(runs, which, which.kinds)
    report.events += [_event(outcome) for outcome in own.outcomes]
    report.fault_free_days += own.days
    report.false += len(own.false)
    if which.name == "crossing":
        _add_crossings(report, own, runs, foreseen)
    else:
        _add_found(report, own, which)
    chatter = own.raises / own.episodes if own.episodes else None
    report.add("chattering: raises per episode", chatter)
    for kind in sorted(which.beside):
        _add_beside(report, which, runs, kind)


def _score(runs: Sequence[Run], which: Family, kinds: frozenset[str]) -> Score:
    subjects = families.subjects(runs, which.name)
    units = [families.unit(run, which.name, subject, kinds) for run in runs for subject in subjects]
    return score(units, which.manner)


def _add_found(report: Report, own: Score, which: Family) -> None:
    """Releases and faults."""
    n = len(own.outcomes)
    delays = [outcome.seconds / 60 for outcome in own.outcomes]
    goal = which.goal
    target = {"G5": G5_DELAY_MIN, "G6": G6_DELAY_MIN}.get(goal or "")
    false = {"G5": G5_FALSE, "G6": G6_FALSE}.get(goal or "")
    report.add(
        f"share of {n} {which.name}s found",
        own.found / n,
        goal=goal,
        interval=binomial(own.found, n),
        target=">= 1" if goal else None,
    )
    report.add(
        "median delay, min",
        quantile(delays, 0.5),
        goal=goal,
        interval=median_interval(delays),
        target=f"<= {target:g}" if target else None,
    )
    report.add("p90 delay, min", quantile(delays, 0.9))
    report.add(
        "false alarm episodes per day" if which.name == "release" else "false per plant-day",
        own.per_day,
        goal=goal,
        interval=own.per_day_interval,
        target=f"<= {false:g}" if false else None,
    )


def _add_crossings(
    report: Report, own: Score, runs: Sequence[Run], foreseen: dict[str, bool]
) -> None:
    n = len(own.outcomes)
    leads = [outcome.seconds / 60 for outcome in own.outcomes if outcome.by is not None]
    report.add(
        f"share of {n} crossings warned",
        own.found / n,
        goal="G7",
        interval=binomial(own.found, n),
        target=f">= {G7_WARNED:g}",
    )
    report.add(
        "median lead of the warned, min",
        quantile(leads, 0.5),
        goal="G7",
        interval=median_interval(leads),
        target=f">= {G7_LEAD_MIN:g}",
    )
    report.add("p10 lead of the warned, min", quantile(leads, 0.1))
    in_time = sum(outcome.seconds >= _action_s(outcome, runs) for outcome in own.outcomes)
    report.add(
        "share warned at least the action time ahead", in_time / n, interval=binomial(in_time, n)
    )
    could = [o for o in own.outcomes if foreseen.get(o.event.name, True)]
    report.add("crossings that nothing could foresee (rise shorter than tau*)", n - len(could))
    if could and len(could) < n:
        warned = sum(o.by is not None for o in could)
        report.add(
            f"share warned of the {len(could)} that could be foreseen",
            warned / len(could),
            interval=binomial(warned, len(could)),
        )
    told = [o for o in own.outcomes if o.by is not None and o.by.due is not None]
    if told:
        kept = sum(o.by.due[0] <= o.event.start <= o.by.due[1] for o in told if o.by and o.by.due)
        report.add(
            f"share of {len(told)} told intervals that held the crossing",
            kept / len(told),
            interval=binomial(kept, len(told)),
        )
    report.add(
        "false warnings per tag-day",
        own.per_day,
        goal="G7",
        interval=own.per_day_interval,
        target=f"<= {G7_FALSE:g}",
    )


def _action_s(outcome: Outcome, runs: Sequence[Run]) -> float:
    for run in runs:
        for tag in run.plan.tags.values():
            if tag.name == outcome.event.tag and tag.action_min is not None:
                return 60 * tag.action_min
    return 300.0


def _add_beside(report: Report, which: Family, runs: Sequence[Run], kind: str) -> None:
    """What another rule alone would have done, without a goal."""
    if not any(w.kind == kind for run in runs for w in run.warnings):
        return
    other = _score(runs, which, frozenset({kind}))
    n = len(other.outcomes)
    times = [o.seconds / 60 for o in other.outcomes if o.by is not None]
    what = "lead" if which.name == "crossing" else "delay"
    report.add(f"{kind} alone: share found", other.found / n, interval=binomial(other.found, n))
    report.add(f"{kind} alone: median {what} of the found, min", quantile(times, 0.5))
    report.add(f"{kind} alone: false per day", other.per_day, interval=other.per_day_interval)


def _add_undetectable(report: Report, runs: Sequence[Run]) -> None:
    which = families.family(UNDETECTABLE, runs)
    own = _score(runs, which, which.kinds)
    n = len(own.outcomes)
    report.add(
        f"{n} faults that are practically undetectable: share with a warning",
        own.found / n,
        interval=binomial(own.found, n),
    )


def _event(outcome: Outcome) -> dict[str, Any]:
    by = outcome.by
    name = "lead_s" if outcome.event.crossing else "delay_s"
    return {
        "event": outcome.event.name,
        "warned_at": None if by is None else rfc3339(moment(by.begin)),
        name: _plain(outcome.seconds),
        "by": None if by is None else f"{by.subject} {by.kind}",
    }
