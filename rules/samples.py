"""`Samples`: the part of a frame that can be judged, ordered by tag and time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Flag, Floats, Frame, Ints
from domain.instant import micros
from domain.quality import Quality, is_good
from rules.plan import Plan

EARLIEST = micros(datetime(10, 1, 1, tzinfo=UTC))
LATEST = micros(datetime(9990, 1, 1, tzinfo=UTC))
"""Samples of other years are not judged: neither they nor what a year of delays makes of them would
be an instant of the calendar. They are no sign of life either."""

DENSE = 8
"""A frame with samples of more than one in so many tags is put into the order of slots."""


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
    tag each is in this frame, or None if no tag has two. span: the slots as a slice, if they are a
    run of slots with one sample each; what is read through it is a view. denied: bool[m], a number
    came that means "no value"; None: of none.
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
    span: slice | None = None
    denied: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.slot)

    @property
    def where(self) -> NDArray[np.intp] | slice:
        """The slots, to index with: as a slice if they are a run."""
        return self.slot if self.span is None else self.span

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Samples":
        """The samples chosen by a mask or by positions; the order stays."""
        return self._part(which, None)

    def blocks(self, size: int) -> Iterator["Samples"]:
        """The same samples, in views of up to `size` where that is possible: parts of a run."""
        if self.span is None or len(self) <= size:
            yield self
            return
        first = self.span.start
        for begin in range(0, len(self), size):
            end = min(begin + size, len(self))
            yield self._part(slice(begin, end), slice(first + begin, first + end))

    def _part(self, which: NDArray[np.generic] | slice, span: slice | None) -> "Samples":
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
            span,
            None if self.denied is None else self.denied[which],
        )

    def of_loud_tags(self, loud: NDArray[np.bool_]) -> "Samples":
        """All samples of those tags that have a loud one. loud: bool[m]."""
        if self.rank is None:
            return self.take(np.flatnonzero(loud))
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


def samples_of(plan: Plan, frame: Frame, last: Ints, held: Floats) -> Samples:
    """What of a frame can be judged: known tags, newer than the last judged time.

    frame: of at least one sample. last: int64[n], held: float64[n] by slot: time and value of the
    tags' last judged samples. Of samples of a tag with one and the same time, the first counts.
    """
    span = plan.span_of(frame.tag)
    if span is not None and _all_new(frame.at, last[span]):
        slot, arrival = np.arange(span.start, span.stop), np.arange(len(frame))
        return _samples(frame, slot, last[span].copy(), held[span].copy(), arrival, None, span)
    slot = plan.slots_of(frame.tag)
    fresh = (slot >= 0) & (frame.at > last[slot])
    fresh &= (frame.at >= EARLIEST) & (frame.at < LATEST)
    arrival = np.flatnonzero(fresh)
    slot = slot[arrival]
    order = _alone(slot, len(plan))
    if order is not None:
        slot, arrival = slot[order], arrival[order]
        span = _run(slot)
        return _samples(frame.take(arrival), slot, last[slot], held[slot], arrival, None, span)
    order = np.lexsort((frame.at[arrival], slot))
    slot, arrival = slot[order], arrival[order]
    newer = _newer(slot, frame.at[arrival])
    slot, arrival = slot[newer], arrival[newer]
    frame = frame.take(arrival)
    starts = np.append(True, slot[1:] != slot[:-1])
    before = np.where(starts, last[slot], np.roll(frame.at, 1))
    previous = np.where(starts, held[slot], np.roll(frame.value, 1))
    return _samples(frame, slot, before, previous, arrival, ranks(starts), None)


def _all_new(at: Ints, last: Ints) -> bool:
    return bool((at > last).all() and at.min() >= EARLIEST and at.max() < LATEST)


def _alone(slot: NDArray[np.intp], slots: int) -> NDArray[np.intp] | None:
    """A good order of slots if none occurs twice, else None: by slot where there are many."""
    if len(slot) * DENSE < slots:
        ordered = np.sort(slot)
        return np.arange(len(slot)) if (ordered[1:] != ordered[:-1]).all() else None
    if (slot[1:] > slot[:-1]).all():
        return np.arange(len(slot))
    position = np.full(slots, -1, np.intp)
    position[slot] = np.arange(len(slot))
    order = position[position >= 0]
    return order if len(order) == len(slot) else None


def _run(slot: NDArray[np.intp]) -> slice | None:
    """Rising slots as a slice, if they are a run."""
    if not len(slot) or slot[-1] - slot[0] != len(slot) - 1:
        return None
    return slice(int(slot[0]), int(slot[-1]) + 1) if (slot[1:] > slot[:-1]).all() else None


def _newer(slot: NDArray[np.intp], at: Ints) -> NDArray[np.bool_]:
    """Not a repeat of the position before."""
    return np.append(True, (slot[1:] != slot[:-1]) | (at[1:] != at[:-1]))


def _samples(
    frame: Frame,
    slot: NDArray[np.intp],
    before: Ints,
    previous: Floats,
    arrival: NDArray[np.intp],
    rank: NDArray[np.int32] | None,
    span: slice | None,
) -> Samples:
    """The samples of a frame that holds nothing else, in its order."""
    at, value, quality = _own(frame.at), _own(frame.value), frame.quality
    starting, good = value, ~np.isnan(value)
    if len(quality) and quality.min() < Quality.GOOD:
        over, under = quality == Quality.OVER_RANGE, quality == Quality.UNDER_RANGE
        if over.any() or under.any():
            starting = np.where(over & good, np.inf, np.where(under & good, -np.inf, value))
        good &= is_good(quality)
    alive, denied = good, None
    if frame.flags.any():
        alive = good & ((frame.flags & Flag.HISTORICAL) == 0)
        denied = ((frame.flags & Flag.SENTINEL) != 0) & np.isnan(value)
    return Samples(
        slot, at, value, good, alive, starting, before, previous, arrival, rank, span, denied
    )


def _own(array: NDArray[np.generic]) -> NDArray[Any]:
    """One without gaps that may be written to: compiled loops know the difference, and would
    compile again."""
    fits = array.flags.writeable and array.flags.c_contiguous
    return array if fits else array.copy()
