"""Scoring of warnings against known events. Pure; every time is in microseconds since 1970 UTC.

False alarms are counted in episodes: warnings of one unit with less than `merge` between them are
one. An episode is false if it begins outside of every event and its afterglow, and is not on when a
crossing comes. A release or fault is found by the first warning that begins between its start and
end; a crossing is warned of by the first warning that is still on at its start, so that what comes
late, or cleared before the crossing, is a miss (shared/early-warning.md, "Honest evaluation").
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isinf, log

import numpy as np
from scipy import stats

from domain.instant import SECOND

DAY = 86_400 * SECOND
MINUTE = 60 * SECOND
REARM = 10 * MINUTE
"""A warning of the same subject and kind sooner after the last one is the same again."""
Span = tuple[int, int]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Event:
    """What really happened. tag: name of a tag or group, * = anything. kind: such as release,
    fault, crossing:H."""

    name: str
    start: int
    end: int
    tag: str
    kind: str

    @property
    def crossing(self) -> bool:
        """Whether a limit was reached, so that a warning has to come before."""
        return self.kind.startswith("crossing")


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning: of which tag or group, of what kind, from when it was known until it returned.

    due: between which instants a forecast expected its limit to be reached, 95 %; None = not said.
    """

    subject: str
    kind: str
    begin: int
    end: int
    due: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What is watched as one: a tag, a group or a site, through the `observed` spans of time.

    others: events that this unit is not asked to find, but during which it is not free of faults.
    """

    name: str
    observed: tuple[Span, ...]
    events: tuple[Event, ...]
    warnings: tuple[Warned, ...]
    others: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """merge: gap between warnings up to which they are one episode. afterglow: time after an event
    in which a warning is no false one; both in microseconds."""

    merge: int = REARM
    afterglow: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """An event and the warning that counts for it, None = missed."""

    event: Event
    by: Warned | None

    @property
    def seconds(self) -> float:
        """Lead of a crossing, delay of anything else; inf late or -inf ahead where missed."""
        if self.by is None:
            return -inf if self.event.crossing else inf
        lead = (self.event.start - self.by.begin) / SECOND
        return lead if self.event.crossing else -lead


@dataclass(frozen=True, slots=True)
class Score:
    """outcomes: one for each event. false: episodes. days: fault-free time, all units together.
    raises: warnings; episodes: what they come to where those of one subject and kind with less than
    the re-arm time between them are one."""

    outcomes: tuple[Outcome, ...]
    false: tuple[Span, ...]
    days: float
    raises: int
    episodes: int

    @property
    def found(self) -> int:
        """Events that were warned of."""
        return sum(outcome.by is not None for outcome in self.outcomes)

    @property
    def per_day(self) -> float:
        """False episodes a day, inf where there was no fault-free time."""
        return len(self.false) / self.days if self.days else inf

    @property
    def per_day_interval(self) -> Interval:
        """95 %, see `poisson`."""
        low, high = poisson(len(self.false))
        return (low / self.days, high / self.days) if self.days else (0.0, inf)


def score(units: Sequence[Unit], manner: Manner) -> Score:
    """All units together."""
    outcomes: list[Outcome] = []
    false: list[Span] = []
    days, raises, merged = 0.0, 0, 0
    for unit in units:
        outcomes += [Outcome(event, warning_of(event, unit.warnings)) for event in unit.events]
        spans = episodes([(w.begin, w.end) for w in unit.warnings], manner.merge)
        raises, merged = raises + len(unit.warnings), merged + _rearmed(unit.warnings)
        false += [span for span in spans if is_false(span, unit, manner)]
        days += length(quiet(unit, manner)) / DAY
    return Score(tuple(outcomes), tuple(false), days, raises, merged)


def _rearmed(warnings: Iterable[Warned]) -> int:
    own: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
    for one in warnings:
        own[one.subject, one.kind].append((one.begin, one.end))
    return sum(len(episodes(spans, REARM)) for spans in own.values())


def warning_of(event: Event, warnings: Iterable[Warned]) -> Warned | None:
    """The warning that counts for an event."""
    if event.crossing:
        ones = [w for w in warnings if w.begin < event.start < w.end]
    else:
        ones = [w for w in warnings if event.start <= w.begin <= event.end]
    return min(ones, key=lambda w: w.begin, default=None)


def episodes(spans: Iterable[Span], merge: int) -> list[Span]:
    """Spans merged where the gap between them is below `merge`."""
    out: list[Span] = []
    for begin, end in sorted(spans):
        if out and begin - out[-1][1] < merge:
            out[-1] = out[-1][0], max(out[-1][1], end)
        else:
            out.append((begin, end))
    return out


def is_false(span: Span, unit: Unit, manner: Manner) -> bool:
    """Whether an episode of the unit counts as a false alarm."""
    begin, end = span
    if not any(first <= begin <= last for first, last in unit.observed):
        return False
    for event in (*unit.events, *unit.others):
        if event.start <= begin <= event.end + manner.afterglow:
            return False
        if event.crossing and begin < event.start <= end:
            return False
    return True


def quiet(unit: Unit, manner: Manner) -> list[Span]:
    """The observed time without the unit's events and their afterglow."""
    out = [(first, last) for first, last in unit.observed if last > first]
    for event in (*unit.events, *unit.others):
        start, end = event.start, event.end + manner.afterglow
        cut = [((a, min(b, start)), (max(a, end), b)) for a, b in out]
        out = [(a, b) for both in cut for a, b in both if b > a]
    return out


def length(spans: Iterable[Span]) -> int:
    """Sum of the lengths of spans that do not overlap."""
    return sum(last - first for first, last in spans)


def observed(at: np.ndarray, longest: int) -> tuple[Span, ...]:
    """Spans in which samples came with no more than `longest` between them. at: int64[n]."""
    if not len(at):
        return ()
    cuts = np.flatnonzero(np.diff(at) > longest) + 1
    edges = [0, *cuts.tolist(), len(at)]
    return tuple((int(at[a]), int(at[b - 1])) for a, b in pairwise(edges))


def poisson(n: int) -> Interval:
    """95 % interval of the mean of which n were seen; none seen: below 3 (one-sided)."""
    if n == 0:
        return 0.0, -log(0.05)
    return float(stats.chi2.ppf(0.025, 2 * n) / 2), float(stats.chi2.ppf(0.975, 2 * n + 2) / 2)


def binomial(k: int, n: int) -> Interval:
    """Exact 95 % interval (Clopper and Pearson 1934) of a share of which k of n were seen."""
    if n == 0:
        return 0.0, 1.0
    low = 0.0 if k == 0 else float(stats.beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(stats.beta.ppf(0.975, k + 1, n - k))
    return low, high


def quantile(values: Sequence[float], share: float) -> float:
    """Linear between order statistics, as far as they are finite; NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below, above = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    if isinf(below) or isinf(above):
        return below if place == int(place) or below == above else above if above > 0 else below
    return below + (place - int(place)) * (above - below)


def median_interval(values: Sequence[float]) -> Interval:
    """95 % interval of the median by order statistics; the extremes where there are too few."""
    if not values:
        return float("nan"), float("nan")
    ordered, n = sorted(values), len(values)
    k = int(stats.binom.ppf(0.025, n, 0.5))
    return ordered[max(k - 1, 0)], ordered[min(n - k, n - 1)]
