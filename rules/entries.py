"""From samples to the entries of a table that only few tags have, such as members of groups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Which entries of a table are a slot's, any number for each; by rising slot.

    here: bool[n], whether a slot has any; empty if none has. slot: intp[u], those that have, and
    first: intp[u + 1], where the entries of each begin.
    """

    here: NDArray[np.bool_]
    slot: Rows
    first: Rows

    @staticmethod
    def of(slot: Rows, slots: int) -> "Entries":
        """slot: of each entry, never falling. slots: how many the plan has."""
        own, first = np.unique(slot, return_index=True)
        here = np.zeros(slots if len(own) else 0, np.bool_)
        here[own] = True
        return Entries(here, own, np.append(first, len(slot)).astype(np.intp))

    def among(self, slot: Rows) -> tuple[Rows, Rows]:
        """(positions in `slot`, entries): all entries of these slots."""
        if not len(self.slot):
            return slot[:0], slot[:0]
        position = np.flatnonzero(self.here[slot])
        own = np.searchsorted(self.slot, slot[position])
        count = self.first[own + 1] - self.first[own]
        return np.repeat(position, count), runs(self.first[own], count)


def runs(start: NDArray[np.integer], count: NDArray[np.integer]) -> Rows:
    """start[0], start[0] + 1, … count[0] of them, then those of start[1], and so on."""
    total = np.cumsum(count)
    length = int(total[-1]) if len(total) else 0
    places: Rows = np.arange(length) + np.repeat(start - (total - count), count)
    return places
