"""The alarm KPIs of one operator position (domain.md 5.5), from its alarms' transitions. Pure.

What is counted, and from where each target comes, is said in docs/kpi.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from domain.alarm_noise import KpiTargets, NoiseRules, graded
from domain.frame import Floats, Ints
from domain.instant import SECOND
from domain.kpi_advice import Advice, advised
from domain.kpi_journal import Journal, Mask, Period, What, next_of, per_step
from domain.kpi_noise import ChatterTable, chatter, fleeting, floods, stale_per_day

TEN_MIN = 600 * SECOND
HOUR = 3600 * SECOND
DAY = 86_400 * SECOND
TOP = 10
PRIORITIES = ("P1", "P2", "P3", "P4")


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took. number: how often it was done; open: not yet; p50, p90: seconds,
    NaN where it was never done."""

    number: int
    open: int
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Annunciated alarms per day, hour and 10 min: mean over the period (NaN: it has no length),
    most in a local day, an hour and 10 min of the grid. busy_…: share of hours with more than 30,
    of 10 min with more than 10."""

    per_day: float
    per_hour: float
    per_10_min: float
    max_day: int
    max_hour: int
    max_10_min: int
    busy_hours: float
    busy_10_min: float


@dataclass(frozen=True, slots=True)
class FloodKpi:
    """Floods that touch the period. share: of its time, NaN where it has none; worst_upset: most
    alarms in the first ten minutes of one, 0 without one."""

    number: int
    share: float
    seconds: float
    longest_s: float
    worst_upset: int
    upset: str | None


@dataclass(frozen=True, slots=True)
class Actor:
    """A bad actor 频发报警: an alarm with its count and its share of all."""

    subject: int
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Chatterer:
    """An alarm that chattered: how many spells, how many activations in them."""

    subject: int
    spells: int
    repeats: int


@dataclass(frozen=True, slots=True)
class AlarmKpi:
    """All of it. enough: the period has as many days of data as a judgement needs.

    muted: activations that no desk heard. priorities: annunciated P1 to P4; shares: the same as
    shares, NaN without alarms. eemua: class of the mean rate, None without a period.
    acknowledge, close: by priority, "all" first. advice: by subject, of those in `top` and
    `chattering` that were noisy.
    """

    days: float
    enough: bool
    annunciated: int
    muted: int
    rates: Rates
    floods: FloodKpi
    top: tuple[Actor, ...]
    top_share: float
    chattering: tuple[Chatterer, ...]
    advice: Mapping[int, Advice]
    fleeting: int
    stale_on_a_day: int
    stale_at_end: int
    priorities: tuple[int, int, int, int]
    shares: tuple[float, float, float, float]
    unauthorised: int
    eemua: str | None
    acknowledge: dict[str, Times]
    close: dict[str, Times]
    heard: Ints
    """int64[k]: when each annunciation of the period was, in microseconds."""


def alarm_kpi(
    journal: Journal,
    standing: tuple[Ints, Ints],
    period: Period,
    rules: NoiseRules,
    targets: KpiTargets,
) -> AlarmKpi:
    """The KPIs of a period. journal: also what lies somewhat before it and after it, so that floods
    and chattering at its edges are whole and late acknowledgements count. standing: begin and end
    (int64[k], FAR = still) of what was in alarm for long."""
    heard = journal.is_(What.ANNUNCIATED)
    inside = heard & period.covers(journal.at)
    at = journal.at[inside]
    chosen = period.covers(journal.at)
    total = int(inside.sum())
    rates = _rates(at, period, targets)
    stale, at_end = _stale(standing, period, rules)
    spells, flashed = chatter(journal, rules), fleeting(journal, rules) & chosen
    begun = period.covers(spells.since)
    chattering, top = _chattering(spells, begun), _top(journal.subject[inside], total)
    listed = {one.subject for one in top} | {one.subject for one in chattering}
    return AlarmKpi(
        period.seconds / 86_400,
        period.seconds >= targets.days * 86_400,
        total,
        int((chosen & journal.is_(What.ACTIVATED) & journal.is_(What.MUTED)).sum()),
        rates,
        _floods(journal.at[heard], period, rules, targets),
        top,
        sum(actor.count for actor in top) / total if total else nan,
        chattering,
        advised(journal, spells, begun, flashed, sorted(listed), rules),
        int(flashed.sum()),
        stale,
        at_end,
        (split := _by_priority(journal.priority[inside])),
        _shares(split, total),
        int((chosen & journal.is_(What.UNAUTHORISED)).sum()),
        None if period.seconds <= 0 else graded(targets.eemua, rates.per_10_min),
        _times(journal, inside, What.ACKNOWLEDGED),
        _times(journal, inside, What.CLOSED),
        at,
    )


def quantiles(seconds: Floats, open_: int) -> Times:
    """`Times` of durations, float64[k]."""
    if len(seconds) == 0:
        return Times(0, open_, nan, nan)
    rising = np.sort(seconds)
    return Times(len(seconds), open_, _quantile(rising, 0.5), _quantile(rising, 0.9))


def _quantile(rising: Floats, share: float) -> float:
    """As `np.quantile` has it, which takes longer to look at its arguments than to count."""
    place = (len(rising) - 1) * share
    below = int(place)
    part = place - below
    low, high = float(rising[below]), float(rising[min(below + 1, len(rising) - 1)])
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def _rates(at: Ints, period: Period, targets: KpiTargets) -> Rates:
    if period.seconds <= 0:
        return Rates(nan, nan, nan, 0, 0, 0, nan, nan)
    _, midnights = period.midnights()
    hours, tens = (per_step(at, period.grid(width)) for width in (HOUR, TEN_MIN))
    mean = len(at) / period.seconds
    return Rates(
        mean * 86_400,
        mean * 3600,
        mean * 600,
        int(per_step(at, midnights).max()),
        int(hours.max()),
        int(tens.max()),
        float((hours > targets.busy_hour).mean()),
        float((tens > targets.busy_10_min).mean()),
    )


def _floods(at: Ints, period: Period, rules: NoiseRules, targets: KpiTargets) -> FloodKpi:
    table = floods(at, rules.flood)
    begin, end = np.maximum(table.begin, period.begin), np.minimum(table.end, period.end)
    touches = end > begin
    seconds = (end - begin)[touches] / SECOND
    share = float(seconds.sum() / period.seconds) if period.seconds > 0 else nan
    if not touches.any():
        return FloodKpi(0, share, 0.0, 0.0, 0, None)
    worst = int(table.upset[touches].max())
    return FloodKpi(
        int(touches.sum()),
        share,
        float(seconds.sum()),
        float(seconds.max()),
        worst,
        graded(targets.upset, worst),
    )


def _top(subject: NDArray[np.int32], total: int) -> tuple[Actor, ...]:
    who, count = np.unique(subject, return_counts=True)
    order = np.lexsort((who, -count))[:TOP]
    return tuple(
        Actor(int(who[row]), int(count[row]), int(count[row]) / total) for row in order.tolist()
    )


def _chattering(table: ChatterTable, chosen: Mask) -> tuple[Chatterer, ...]:
    found: dict[int, Chatterer] = {}
    for row in np.flatnonzero(chosen).tolist():
        subject, repeats = int(table.subject[row]), int(table.repeats[row])
        before = found.get(subject, Chatterer(subject, 0, 0))
        found[subject] = Chatterer(subject, before.spells + 1, before.repeats + repeats)
    return tuple(sorted(found.values(), key=lambda one: (-one.repeats, one.subject)))


def _stale(standing: tuple[Ints, Ints], period: Period, rules: NoiseRules) -> tuple[int, int]:
    """(most on a local day of the period, at its end)."""
    if period.seconds <= 0:
        return 0, 0
    begin, end = standing
    _, edges = period.midnights()
    edges[0], edges[-1] = period.begin, period.end
    last = (begin + int(rules.stale_s * SECOND) < period.end) & (end >= period.end)
    return int(stale_per_day(begin, end, edges, rules).max()), int(last.sum())


def _by_priority(priority: NDArray[np.int8]) -> tuple[int, int, int, int]:
    count = np.bincount(priority, minlength=5)
    return int(count[1]), int(count[2]), int(count[3]), int(count[4])


def _shares(split: Sequence[int], total: int) -> tuple[float, float, float, float]:
    p1, p2, p3, p4 = (number / total if total else nan for number in split)
    return p1, p2, p3, p4


def _times(journal: Journal, inside: Mask, until: What) -> dict[str, Times]:
    """From the first annunciation since the last `until` of an occurrence to the next one."""
    done = journal.is_(until)
    after = next_of(journal.alarm, inside, done)
    rows = np.flatnonzero(inside)
    end = after[rows]
    key = journal.alarm[rows].astype(np.int64) * (len(journal) + 1) + end + 1
    _, first = np.unique(key, return_index=True)
    rows, end = rows[first], end[first]
    seconds = (journal.at[end] - journal.at[rows]) / SECOND
    found: dict[str, Times] = {}
    for number, name in enumerate(("all", *PRIORITIES)):
        mine = np.ones(len(rows), np.bool_) if number == 0 else journal.priority[rows] == number
        is_done = mine & (end >= 0)
        found[name] = quantiles(seconds[is_done], int((mine & (end < 0)).sum()))
    return found
