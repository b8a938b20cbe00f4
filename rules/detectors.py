"""DETECTOR_FAULT: a gas or fire detector that fell silent, or bad, while or just after it alarmed.

It counts as alarmed up to 60 s after a number at or beyond its innermost limit, whatever its
quality, or after a steep rise: by half the limit within 60 s. A sample that then is not good, or
has no value, raises at once, unless it is itself beyond the limit, such as one over the range; no
sample at all raises when the tag has kept silent for longer than a healthy one may. The limit
machine holds the alarm itself; this says that nobody watches any more. It returns with 30 s of good
samples. Event times throughout; a tick goes on from the tag's last sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain import policy
from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.health import Detector, health_model
from domain.instant import FAR, NEVER
from domain.plant import Registry, Tag, TagKind
from domain.policy import LIMITS
from rules.findings import Collector
from rules.picking import Map, rounds, row_map
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
_WATCHED = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN, TagKind.FIRE})


@dataclass(frozen=True, slots=True, eq=False)
class DetectorTable:
    """Detectors with a limit, by rising slot. keys: int32[r]. marks: int16[r]. row: see
    `picking.Map`. rise: float64[r], how much within a minute is steep, NaN = nothing is."""

    keys: NDArray[np.int32]
    marks: NDArray[np.int16]
    row: Map
    rise: Floats
    rule: Detector


@dataclass(slots=True, eq=False)
class DetectorMemory:
    """One row for each detector; instants in microseconds, NEVER = none.

    alarmed: event time of the last sign of an alarm. lowest, since: what a rise is measured from,
    NaN = nothing. lasts: until when it may keep silent unsuspected, event time, FAR = as long as it
    likes. due: the same on the wall clock. good: first of the good samples in a row. onset.
    """

    alarmed: Ints
    lowest: Floats
    since: Ints
    lasts: Ints
    due: Ints
    good: Ints
    onset: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Samples of different rows; beyond: at or beyond a limit, with whatever quality."""

    row: Rows
    slot: Rows
    at: Ints
    before: Ints
    value: Floats
    starting: Floats
    good: Mask
    beyond: Mask

    def take(self, which: Mask) -> "_Part":
        return _Part(
            self.row[which],
            self.slot[which],
            self.at[which],
            self.before[which],
            self.value[which],
            self.starting[which],
            self.good[which],
            self.beyond[which],
        )


def compile_detectors(_: Registry, tags: Sequence[Tag]) -> DetectorTable:
    """A row for each gas or fire detector that has a limit."""
    rule = health_model().detector
    slots = [n for n, tag in enumerate(tags) if tag.kind in _WATCHED and tag.limits]
    told = [_told(tags[slot]) for slot in slots]
    first = [tags[slot].limits.get(Kind.H, tags[slot].limits.get(Kind.HH)) for slot in slots]
    limit = np.array([np.nan if one is None else one for one in first], np.float64)
    return DetectorTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        np.array([crc32(repr(one).encode()) & 0x7FFF for one in told], np.int16),
        row_map(len(tags), slots),
        rule.rise * limit,
        rule,
    )


def _told(tag: Tag) -> tuple[object, ...]:
    return (*(tag.limits.get(kind) for kind in LIMITS), policy.silence_after(tag))


def fresh(table: DetectorTable) -> DetectorMemory:
    """Nobody was ever in alarm."""
    r = len(table.keys)
    never, far = np.full(r, NEVER, np.int64), np.full(r, FAR, np.int64)
    lowest, onset = np.full(r, np.nan), np.full((r, 1), NEVER, np.int64)
    return DetectorMemory(never, lowest, never.copy(), far, far.copy(), never.copy(), onset)


def judge(
    plan: Plan, table: DetectorTable, memory: DetectorMemory, samples: Samples, received: int,
    _: Seen, found: Collector,
) -> None:  # fmt: skip
    """Take in samples, of each detector in the order of their times."""
    for row, p in rounds(table.row, samples):
        slot, starting = samples.slot[p], samples.starting[p]
        high, low = plan.limits.high[slot], plan.limits.low[slot]
        beyond = ((starting >= high) & (high < np.inf)) | ((starting <= low) & (low > -np.inf))
        at, before, value, good = (
            samples.at[p],
            samples.before[p],
            samples.value[p],
            samples.good[p],
        )
        part = _Part(row, slot, at, before, value, starting, good, beyond)
        alarm = beyond | _steep(table, memory, part)
        loud = alarm | (memory.lasts[row] != FAR) | (memory.onset[row, 0] != NEVER)
        if loud.any():
            _judge_loud(plan, table, memory, part.take(loud), alarm[loud], received, found)


def _steep(table: DetectorTable, memory: DetectorMemory, part: _Part) -> Mask:
    """Which samples lie far above the lowest of the minute before; a NaN lies nowhere."""
    row = part.row
    lowest = memory.lowest[row]
    old = part.at - memory.since[row] > table.rule.within
    rise = part.value - lowest
    anew = part.good & (old | ~(rise > 0))
    if anew.all():
        memory.lowest[row], memory.since[row] = part.value, part.at
    else:
        memory.lowest[row[anew]], memory.since[row[anew]] = part.value[anew], part.at[anew]
    return part.good & ~old & (rise >= table.rise[row])


def _judge_loud(
    plan: Plan,
    table: DetectorTable,
    memory: DetectorMemory,
    part: _Part,
    alarm: Mask,
    received: int,
    found: Collector,
) -> None:
    """Samples of those that are in alarm, have been of late, or are at fault."""
    row = part.row
    late = memory.lasts[row] < part.at
    _raise(table, memory, row[late], memory.lasts[row[late]], found)
    memory.alarmed[row[alarm]] = part.at[alarm]
    _fault(table, memory, part, found)
    _recover(plan, table, memory, part, found)
    _wait(plan, table, memory, part, received)


def _fault(table: DetectorTable, memory: DetectorMemory, part: _Part, found: Collector) -> None:
    """A bad sample of one that has just been in alarm."""
    row = part.row
    reading = part.good | part.beyond
    recent = part.at - memory.alarmed[row] <= table.rule.within
    faulty = ~reading & recent
    _raise(table, memory, row[faulty], part.at[faulty], found)
    memory.good[row[~reading]] = NEVER


def _raise(
    table: DetectorTable, memory: DetectorMemory, row: Rows, at: Ints, found: Collector
) -> None:
    """Raise these, since and as of the event time `at`; they have to be good anew."""
    memory.lasts[row] = memory.due[row] = FAR
    new = memory.onset[row, 0] == NEVER
    row, at = row[new], at[new]
    memory.onset[row, 0] = at
    memory.good[row] = NEVER
    detail = {"alarmed": memory.alarmed[row]}
    found.subjects(Edge.RAISED, Kind.DETECTOR_FAULT, table.keys[row], at, at, detail=detail)


def _recover(
    plan: Plan, table: DetectorTable, memory: DetectorMemory, part: _Part, found: Collector
) -> None:
    """Return those that have been good for long enough, without a gap."""
    row = part.row
    gap = part.at - part.before > plan.silence[part.slot]
    first = part.good & (gap | (memory.good[row] == NEVER))
    memory.good[row[first]] = part.at[first]
    active = memory.onset[row, 0] != NEVER
    back = active & part.good & (part.at - memory.good[row] >= table.rule.back)
    if not back.any():
        return
    onset, at = memory.onset[row[back], 0], part.at[back]
    found.tags(Edge.RETURNED, Kind.DETECTOR_FAULT, part.slot[back], onset, at, part.value[back])
    memory.onset[row[back], 0] = NEVER


def _wait(
    plan: Plan, table: DetectorTable, memory: DetectorMemory, part: _Part, received: int
) -> None:
    """How long each may keep silent from now on."""
    row, silence = part.row, plan.silence[part.slot]
    suspect = part.at - memory.alarmed[row] <= table.rule.within
    suspect &= memory.onset[row, 0] == NEVER
    memory.lasts[row] = np.where(suspect, part.at + silence, FAR)
    memory.due[row] = np.where(suspect, received + silence + 1, FAR)


def pass_time(
    _: Plan, table: DetectorTable, memory: DetectorMemory, at: int, __: Seen, found: Collector
) -> None:
    """Raise those that have been silent for too long at wall time `at`."""
    row = np.flatnonzero(memory.due <= at)
    _raise(table, memory, row, memory.lasts[row], found)


def next_due(_: DetectorTable, memory: DetectorMemory) -> int:
    """When the next one has been silent for too long."""
    return int(memory.due.min(initial=FAR))


DETECTORS = Layer(
    "detectors", (Kind.DETECTOR_FAULT,), compile_detectors, fresh, judge, pass_time, next_due
)
