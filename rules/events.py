"""Samples as events of vessels, for layers that look at several tags of a vessel together."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules.samples import Samples, by_rank

Rows = NDArray[np.intp]


class Wired(Protocol):
    """Which tags mean what to which vessel: see `rules.inventory_table.Inputs`."""

    @property
    def first(self) -> NDArray[np.int32]:
        """int32[n + 1], where the inputs of a slot begin."""

    @property
    def row(self) -> Rows:
        """intp[c], the vessel of each input."""

    @property
    def column(self) -> Rows:
        """intp[c], what it is of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Samples that a layer looks at, in the order of arrival, once for each input that they are:
    arrays of one length k.

    input: intp, its number. row, column: intp, of that input. at: int64, event time. reading:
    float64, the value as it counts for starting an alarm. number: float64, for the layer to fill.
    good: bool.
    """

    input: Rows
    row: Rows
    column: Rows
    at: Ints
    reading: Floats
    number: Floats
    good: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.input)

    def take(self, which: NDArray[np.bool_] | Rows) -> "Events":
        """The events chosen by a mask or by positions."""
        return Events(
            self.input[which],
            self.row[which],
            self.column[which],
            self.at[which],
            self.reading[which],
            self.number[which],
            self.good[which],
        )


def events_of(inputs: Wired, samples: Samples) -> Events | None:
    """The events of samples, None where there are none.

    Of one tag they come by rising time, also where the frame had them otherwise.
    """
    count = inputs.first[samples.slot + 1] - inputs.first[samples.slot]
    sample = np.flatnonzero(count)
    if not sample.size:
        return None
    times = count[sample]
    repeated = np.repeat(sample, times)
    nth = np.arange(len(repeated)) - np.repeat(np.cumsum(times) - times, times)
    entry = inputs.first[samples.slot[repeated]] + nth
    order = np.argsort(_arrival(samples)[repeated], kind="stable")
    entry, repeated = entry[order], repeated[order]
    reading = samples.starting[repeated]
    return Events(
        entry,
        inputs.row[entry],
        inputs.column[entry],
        samples.at[repeated],
        reading,
        reading.copy(),
        samples.good[repeated],
    )


def _arrival(samples: Samples) -> NDArray[np.intp]:
    """Position in the frame, but never before that of an older sample of the same tag."""
    if samples.rank is None:
        return samples.arrival
    beyond = int(samples.arrival.max(initial=0)) + 1
    tag = np.cumsum(samples.rank == 0) - 1
    latest: NDArray[np.intp] = np.maximum.accumulate(samples.arrival + tag * beyond)
    since: NDArray[np.intp] = latest - tag * beyond
    return since


def in_turns(group: Rows, several: int = 1) -> Iterator[Rows]:
    """Positions of the first event of each group together, or of its first `several`, in their
    order; then of the next ones, and so on."""
    if not len(group):
        return
    order = np.argsort(group, kind="stable")
    starts = np.append(True, group[order][1:] != group[order][:-1])
    position = np.arange(len(group), dtype=np.int32)
    rank = np.empty(len(group), np.int32)
    rank[order] = position - np.maximum.accumulate(np.where(starts, position, 0))
    yield from by_rank(rank // several)
