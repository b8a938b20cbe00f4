"""`Samples`: the part of a frame that can be judged, ordered by tag and time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Flag, Floats, Frame, Ints
from domain.quality import Quality, is_good
from rules.plan import Plan


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of known tags, each newer than the tag's one before; arrays of one length m.

    slot: intp[m]; the samples of a tag stand together, by rising time. at: int64[m], event time in
    microseconds. value: float64[m], NaN = none. good: bool[m], good quality and a value. alive:
    bool[m], good and not backfill, so a sign of life. starting:
    float64[m], the value as it counts for starting an alarm: infinite where the quality says that
    it lies beyond the range. before: int64[m], `at` of the tag's sample before, in this frame or an
    earlier one, NEVER if none. previous: float64[m], the value of that sample; if it had none, NaN
    or an older value. arrival: intp[m], position in the frame. rank: int32[m], which sample of its
    tag each is in this frame, or None if no tag has two.
    """

    slot: NDArray[np.intp]
    at: Ints
    value: Floats
    good: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    starting: Floats
    before: Ints
    previous: Floats
    arrival: NDArray[np.intp]
    rank: NDArray[np.int32] | None

    def __len__(self) -> int:
        return len(self.slot)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Samples":
        """The samples chosen by a mask or by positions; the order stays."""
        return Samples(
            self.slot[which],
            self.at[which],
            self.value[which],
            self.good[which],
            self.alive[which],
            self.starting[which],
            self.before[which],
            self.previous[which],
            self.arrival[which],
            None if self.rank is None else self.rank[which],
        )

    def rounds(self) -> Iterator["Samples"]:
        """The first sample of each tag together, then the second of each, and so on."""
        if self.rank is None:
            yield self
            return
        for positions in by_rank(self.rank):
            yield self.take(positions)

    def of_loud_tags(self, loud: NDArray[np.bool_]) -> "Samples":
        """All samples of those tags that have a loud one. loud: bool[m]."""
        if self.rank is None:
            return self.take(loud)
        start = np.flatnonzero(self.rank == 0)
        any_loud = np.logical_or.reduceat(loud, start)
        return self.take(np.repeat(any_loud, np.diff(start, append=len(self))))


def by_rank(rank: NDArray[np.int32]) -> list[NDArray[np.intp]]:
    """Positions of each rank that occurs, by rising rank, in their order."""
    order = np.argsort(rank, kind="stable")
    cuts = np.cumsum(np.bincount(rank))[:-1]
    return [part for part in np.split(order, cuts) if part.size]


def ranks(starts: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How far each position lies behind its group's start: int32[m]. starts: bool[m], [0] true."""
    position = np.arange(len(starts), dtype=np.int32)
    return position - np.maximum.accumulate(np.where(starts, position, 0))


def samples_of(
    plan: Plan, frame: Frame, last: Ints, held: Floats, scratch: NDArray[np.int32]
) -> Samples:
    """What of a frame can be judged: known tags, newer than the last judged time.

    last: int64[n], held: float64[n] by slot: time and value of the tags' last judged samples.
    scratch: int32[n], overwritten. Of samples of a tag with one and the same time, the first
    counts.
    """
    slot = plan.slots_of(frame.tag)
    fresh = frame.at > last[slot]
    fresh &= slot >= 0
    at, value, quality, flags = frame.at, frame.value, frame.quality, frame.flags
    arrival = np.arange(len(frame))
    if not fresh.all():
        arrival = arrival[fresh]
        slot, at, value = slot[fresh], at[fresh], value[fresh]
        quality, flags = quality[fresh], flags[fresh]
    position = np.arange(len(slot), dtype=np.int32)
    scratch[slot] = position
    if (scratch[slot] == position).all():
        return _samples(slot, at, value, quality, flags, last[slot], held[slot], arrival, None)
    order = np.lexsort((at, slot))
    order = order[_newer(slot[order], at[order])]
    slot, at, value = slot[order], at[order], value[order]
    quality, flags = quality[order], flags[order]
    starts = np.append(True, slot[1:] != slot[:-1])
    before = np.where(starts, last[slot], np.roll(at, 1))
    previous = np.where(starts, held[slot], np.roll(value, 1))
    rank = ranks(starts)
    return _samples(slot, at, value, quality, flags, before, previous, arrival[order], rank)


def _newer(slot: NDArray[np.intp], at: Ints) -> NDArray[np.bool_]:
    """Not a repeat of the position before."""
    return np.append(True, (slot[1:] != slot[:-1]) | (at[1:] != at[:-1]))


def _samples(
    slot: NDArray[np.intp],
    at: Ints,
    value: Floats,
    quality: NDArray[np.int16],
    flags: NDArray[np.int16],
    before: Ints,
    previous: Floats,
    arrival: NDArray[np.intp],
    rank: NDArray[np.int32] | None,
) -> Samples:
    starting = value
    over, under = quality == Quality.OVER_RANGE, quality == Quality.UNDER_RANGE
    if over.any() or under.any():
        present = ~np.isnan(value)
        starting = np.where(over & present, np.inf, np.where(under & present, -np.inf, value))
    good = is_good(quality) & ~np.isnan(value)
    alive = good & ((flags & Flag.HISTORICAL) == 0)
    return Samples(slot, at, value, good, alive, starting, before, previous, arrival, rank)
