"""`Machines`: where the limits of a tag stand, kept only for tags with one that is not NORMAL."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.loops import Records, form
from rules.plan import Where

Slots = NDArray[np.intp]


class Phase(IntEnum):
    """Where the machine of one limit stands."""

    NORMAL = 0
    PENDING = 1
    ACTIVE = 2
    CLEARING = 3


@dataclass(slots=True, eq=False)
class Some:
    """Copies of some machines; arrays of one length k.

    phase: int8, see `Phase`. due: int64, event time at which the running delay runs out, FAR =
    none. onset: int64, event time of the first sample beyond, NEVER in NORMAL. count: int8, samples
    beyond while PENDING, up to the number that is asked for. extreme: float64, the last value
    beyond while PENDING, then the worst that was told; NaN in NORMAL.
    """

    phase: NDArray[np.int8]
    due: Ints
    onset: Ints
    count: NDArray[np.int8]
    extreme: Floats


FIELDS = Some.__slots__
BLANK = {"phase": Phase.NORMAL, "due": FAR, "onset": NEVER, "count": 0, "extreme": np.nan}
MACHINE = form(
    ("due", np.int64),
    ("onset", np.int64),
    ("extreme", np.float64),
    ("phase", np.int8),
    ("count", np.int8),
)
"""A machine, with the fields of `Some`."""
LEAST = 16


def _blank(rows: int) -> Records:
    blank = np.empty((rows, 4), MACHINE)
    for name, value in BLANK.items():
        blank[name] = value
    return blank


class Machines:
    """The limits of n tags, [n, 4] in columns LL, L, H, HH; changed in place by its owner only.

    row: int32[n], the row of a tag in `of`, 0 if all its limits are NORMAL. of: MACHINE[k, 4]; row
    0 is NORMAL and stays so. slot: int32[k], the tag of a row, -1 = free. wake: int64[k], wall
    time in microseconds at which a delay of the tag runs out if no sample comes before, FAR = none.
    """

    __slots__ = ("of", "row", "slot", "wake")

    def __init__(self, n: int) -> None:
        self.row = np.zeros(n, np.int32)
        self.of = _blank(LEAST)
        self.slot = np.full(LEAST, -1, np.int32)
        self.wake = np.full(LEAST, FAR, np.int64)

    def busy(self) -> NDArray[np.intp]:
        """Slots of the tags with a limit that is not NORMAL, rising."""
        return np.sort(self.slot[self.slot >= 0]).astype(np.intp)

    def phase(self, slot: Slots) -> NDArray[np.int8]:
        """Phases of these tags: int8[m, 4]."""
        phase: NDArray[np.int8] = self.of["phase"][self.row[slot]]
        return phase

    def field(self, slot: Slots, name: str) -> NDArray[np.generic]:
        """One field of these tags: [m, 4]."""
        field: NDArray[np.generic] = self.of[name][self.row[slot]]
        return field

    def at(self, where: Where) -> Some:
        """Copies of some machines."""
        place = self.row[where.slot], where.column
        return Some(*(self.of[name][place] for name in FIELDS))

    def put(self, where: Where, some: Some) -> None:
        """Write different machines back; what is NORMAL forgets everything."""
        normal = some.phase == Phase.NORMAL
        for name in FIELDS:
            getattr(some, name)[normal] = BLANK[name]
        self.make_room(where.slot[~normal])
        self._open(where.slot[~normal])
        row = self.row[where.slot]
        place = row[row > 0], where.column[row > 0]
        for name in FIELDS:
            self.of[name][place] = getattr(some, name)[row > 0]
        self._close(place[0])

    def make_room(self, slot: Slots) -> None:
        """Have a free row for each of these tags that has none."""
        free = int(np.count_nonzero(self.slot[1:] < 0))
        if free < len(slot):
            new = len(np.unique(slot[self.row[slot] == 0]))
            if free < new:
                self._grow(new - free)

    def _open(self, slot: Slots) -> None:
        """Give free rows to those of these tags that have none."""
        new = np.unique(slot[self.row[slot] == 0])
        free = np.flatnonzero(self.slot[1:] < 0)[: len(new)] + 1
        self.row[new], self.slot[free] = free, new

    def _grow(self, rows: int) -> None:
        more = max(rows, len(self.slot) // 2)
        self.of = np.concatenate([self.of, _blank(more)])
        self.slot = np.concatenate([self.slot, np.full(more, -1, np.int32)])
        self.wake = np.concatenate([self.wake, np.full(more, FAR, np.int64)])

    def _close(self, row: NDArray[np.integer]) -> None:
        """Free those rows in which all limits are NORMAL."""
        idle = row[(self.of["phase"][row] == Phase.NORMAL).all(axis=1)]
        self.row[self.slot[idle]] = 0
        self.slot[idle] = -1
        self.wake[idle] = FAR
