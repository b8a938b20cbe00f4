"""Samples as events of vessels, for layers that look at several tags of a vessel together."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules.entries import Entries
from rules.samples import Samples, by_rank

Rows = NDArray[np.intp]


class Wired(Protocol):
    """Which tags mean what to which vessel: see `rules.inventory_table.Inputs`."""

    @property
    def entries(self) -> Entries:
        """The inputs of each slot."""

    @property
    def row(self) -> Rows:
        """intp[c], the vessel of each input."""

    @property
    def column(self) -> Rows:
        """intp[c], what it is of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Samples of a frame that a layer looks at, in event time, once for each input that they are:
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
    repeated, entry = inputs.entries.among(samples.slot)
    if not entry.size:
        return None
    order = np.lexsort((samples.arrival[repeated], samples.at[repeated]))
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
