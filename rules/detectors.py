"""DETECTOR_FAULT: a gas or fire detector that gives its fault signal, or is lost in alarm.

A number below the range by 2.5 % of the span or more, 3.6 mA of 4 to 20 mA, is a fault signal and
raises at once, of whatever quality (NAMUR NE 43; domain research 2.2, 7.1 #12), and so is one that
means "no value", such as -9999. One above the range is none: it counts as gas.

A detector counts as alarmed up to 60 s after a number at or beyond its innermost limit, whatever
its quality, or after a steep rise: by half the limit within 60 s. A sample that then is not good,
or has no value, raises at once, unless it is itself beyond the limit, such as one over the range;
no sample at all raises when the tag has kept silent for longer than a healthy one may. The limit
machine holds the alarm itself; this says that nobody watches any more. It returns with 30 s of good
samples. Event times throughout; a tick goes on from the tag's last sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain import policy
from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.health import Detector, health_model
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry, Tag, TagKind
from domain.policy import LIMITS
from rules import loops
from rules.compiled import compiled, part
from rules.findings import Collector
from rules.loops import RAISED, RETURNED, Edges, Reading, Records, add, form
from rules.plan import Plan
from rules.rows import Layer, Rows, Seen
from rules.samples import Samples

_WATCHED = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN, TagKind.FIRE})
LOST, SIGNAL, DENIED = 0, 1, 2
KINDS = (Kind.DETECTOR_FAULT, Kind.DETECTOR_FAULT, Kind.DETECTOR_FAULT)
DETAIL = (("alarmed",), ("signal",), ("denied",))
EACH = 2
"""Edges of one sample at most."""
SORT = form(("rise", np.float64), ("signal", np.float64), ("silence", np.int64))
"""What many share. rise: how much within a minute is steep, NaN = nothing is. signal: below it a
number is a fault signal. silence: how long a healthy one may keep silent, microseconds."""

DETECTOR = form(
    ("alarmed", np.int64),
    ("lowest", np.float64),
    ("since", np.int64),
    ("lasts", np.int64),
    ("good", np.int64),
)
"""Instants in microseconds, NEVER = none. alarmed: event time of the last sign of an alarm. lowest,
since: what a rise is measured from, NaN = nothing. lasts: until when it may keep silent
unsuspected, event time, FAR = as long as it likes. good: first of the good samples in a row."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectorTable:
    """Detectors with a limit or a range, by rising slot. keys: int32[r]. marks: int16[r]. row: see
    `loops.Map`. sort: int32[r], the row of each in `sorts`: SORT[s]. model: one record."""

    keys: NDArray[np.int32]
    marks: NDArray[np.int16]
    row: loops.Map
    sort: NDArray[np.int32]
    sorts: Records
    model: Records


@dataclass(slots=True, eq=False)
class DetectorMemory:
    """detector: DETECTOR[r]. due: int64[r], when `lasts` is over on the wall clock. onset."""

    detector: Records
    due: Ints
    onset: Ints


def compile_detectors(_: Registry, tags: Sequence[Tag]) -> DetectorTable:
    """A row for each gas or fire detector that has a limit or a range."""
    rule = health_model().detector
    slots = [n for n, tag in enumerate(tags) if tag.kind in _WATCHED and (tag.limits or tag.range)]
    told = [_told(tags[slot]) for slot in slots]
    sorts = [_sort(tags[slot], rule) for slot in slots]
    place = {one: n for n, one in enumerate(dict.fromkeys(sorts))}
    return DetectorTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        np.array([crc32(repr(one).encode()) & 0x7FFF for one in told], np.int16),
        loops.row_map(len(tags), slots),
        np.array([place[one] for one in sorts], np.int32),
        np.array(list(place), SORT),
        loops.record(rule),
    )


def _told(tag: Tag) -> tuple[object, ...]:
    limits = (tag.limits.get(kind) for kind in LIMITS)
    return (*limits, policy.silence_after(tag), tag.range)


def _sort(tag: Tag, rule: Detector) -> tuple[float, float, int]:
    """SORT of a tag."""
    first = tag.limits.get(Kind.H, tag.limits.get(Kind.HH))
    low, high = tag.range or (-inf, inf)
    signal = low - rule.signal * (high - low) if tag.range else -inf
    rise = nan if first is None else rule.rise * first
    return rise, signal, round(policy.silence_after(tag) * SECOND)


def fresh(table: DetectorTable) -> DetectorMemory:
    """Nobody was ever in alarm."""
    r = len(table.keys)
    detector = np.array([(NEVER, nan, NEVER, FAR, NEVER)] * r, DETECTOR)
    return DetectorMemory(detector, np.full(r, FAR, np.int64), np.full((r, 1), NEVER, np.int64))


def judge(
    plan: Plan, table: DetectorTable, memory: DetectorMemory, samples: Samples, received: int,
    _: Seen, found: Collector,
) -> None:  # fmt: skip
    """Take in samples, of each detector in the order of their times."""
    if not len(table.keys):
        return
    begin, edges, rows = 0, loops.room(), table.row
    denied = np.zeros(len(samples), np.bool_) if samples.denied is None else samples.denied
    while begin < len(samples):
        begin = watch(
            begin, samples.slot, samples.at, samples.before, samples.value, samples.starting,
            samples.good, denied, rows, table.sort, table.sorts, table.model, plan.limits.low,
            plan.limits.high, received, memory.detector, memory.due, memory.onset, edges,
        )  # fmt: skip
        loops.tell(edges, table.keys, KINDS, DETAIL, found)


@compiled
def watch(
    begin: int, slot: Rows, at: Ints, before: Ints, value: Floats, starting: Floats,
    good: NDArray[np.bool_], denied: NDArray[np.bool_], rows: NDArray[np.int32],
    sort_of: NDArray[np.int32], sorts: Records, models: Records, low: Floats, high: Floats,
    received: int, detectors: Records, due: Ints, onset: Ints, edges: Edges,
) -> int:  # fmt: skip
    """Take in the samples from `begin` on, until there may be no room for edges; where to go on.

    Arrays of samples by position, low and high by slot, the rest by row.
    """
    rule = models[0]
    for k in range(begin, len(slot)):
        if edges.used[0] + EACH > len(edges.rows):
            return k
        row = loops.row_at(rows, slot[k])
        if row < 0:
            continue
        own, sort, start = detectors[row], sorts[sort_of[row]], starting[k]
        reading = Reading(row, at[k], value[k])
        lowest, highest = low[slot[k]], high[slot[k]]
        beyond = (start >= highest and highest < np.inf) or (start <= lowest and lowest > -np.inf)
        signal = value[k] < sort.signal or denied[k]
        healthy = good[k] and not signal
        steep = healthy and _is_steep(own, sort, rule, reading)
        alarm = beyond or steep
        if alarm or signal or own.lasts != FAR or onset[row, 0] != NEVER:
            if own.lasts < at[k]:
                _raise(own, onset[row], Reading(row, own.lasts, np.nan), LOST, edges)
            if alarm:
                own.alarmed = at[k]
            _judge(own, onset[row], rule, reading, healthy, beyond, signal, edges)
            gap = at[k] - before[k] > sort.silence
            if healthy:
                _recover(own, onset[row], rule, reading, gap, edges)
            waits = at[k] - own.alarmed <= rule.within and onset[row, 0] == NEVER
            own.lasts = at[k] + sort.silence if waits else FAR
            due[row] = received + sort.silence + 1 if waits else FAR
    return len(slot)


@part
def _is_steep(own: Any, sort: Any, rule: Any, reading: Reading) -> bool:
    """Whether a healthy reading lies far above the lowest of the minute before."""
    old = reading.at - own.since > rule.within
    if old or not reading.value > own.lowest:
        own.lowest, own.since = reading.value, reading.at
        return False
    return bool(reading.value - own.lowest >= sort.rise)


@part
def _judge(
    own: Any, onset: Ints, rule: Any, reading: Reading, healthy: bool, beyond: bool, signal: bool,
    edges: Edges,
) -> None:  # fmt: skip
    """A fault signal, or a bad sample of one that has just been in alarm."""
    if healthy or (beyond and not signal):
        return
    own.good = NEVER
    if signal:
        _raise(own, onset, reading, DENIED if np.isnan(reading.value) else SIGNAL, edges)
    elif reading.at - own.alarmed <= rule.within:
        _raise(own, onset, reading, LOST, edges)


@part
def _raise(own: Any, onset: Ints, reading: Reading, column: int, edges: Edges) -> None:
    """Raise, unless it is active; it has to be good anew."""
    own.lasts = FAR
    if onset[0] == NEVER:
        onset[0], own.good = reading.at, NEVER
        row = add(edges, reading, column, RAISED, onset[0])
        row.first = own.alarmed if column == LOST else reading.value


@part
def _recover(own: Any, onset: Ints, rule: Any, reading: Reading, gap: bool, edges: Edges) -> None:
    """Return after good samples for long enough, without a gap."""
    if gap or own.good == NEVER:
        own.good = reading.at
    if onset[0] != NEVER and reading.at - own.good >= rule.back:
        add(edges, reading, LOST, RETURNED, onset[0])
        onset[0] = NEVER


def pass_time(
    _: Plan, table: DetectorTable, memory: DetectorMemory, at: int, __: Seen, found: Collector
) -> None:
    """Raise those that have been silent for too long at wall time `at`."""
    edges, more = loops.room(), True
    while more:
        more = lose(at, memory.detector, memory.due, memory.onset, edges)
        loops.tell(edges, table.keys, KINDS, DETAIL, found)


@compiled
def lose(at: int, detectors: Records, due: Ints, onset: Ints, edges: Edges) -> bool:
    """Raise those whose silence is over at wall time `at`, until there is no room; whether so."""
    for row in range(len(due)):
        if due[row] <= at:
            if edges.used[0] == len(edges.rows):
                return True
            own = detectors[row]
            _raise(own, onset[row], Reading(row, own.lasts, np.nan), LOST, edges)
            due[row] = FAR
    return False


def next_due(_: DetectorTable, memory: DetectorMemory) -> int:
    """When the next one has been silent for too long."""
    return int(memory.due.min(initial=FAR))


DETECTORS = Layer(
    "detectors", (Kind.DETECTOR_FAULT,), compile_detectors, fresh, judge, pass_time, next_due
)
