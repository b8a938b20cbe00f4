"""`Journal`: the transitions of one desk's alarms as arrays, and what follows what. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import micros

Bits = NDArray[np.int16]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


class What(IntFlag):
    """What a transition is to those who count; one may be several."""

    ANNUNCIATED = 1
    """UNACK was entered, or its mute was taken off in UNACK, and no flag mutes it: the desk heard
    it."""
    ACTIVATED = 2
    """The condition began."""
    ACKNOWLEDGED = 4
    RETURNED = 8
    """The condition ended."""
    CLOSED = 16
    MUTED = 32
    """A flag (shelved, suppressed, out of service) is set after it."""
    UNAUTHORISED = 64
    """A flag was set for which neither a person nor a rule or permit stands."""


@dataclass(frozen=True, slots=True, eq=False)
class Journal:
    """n transitions in the order in which they happened.

    at: int64[n], microseconds; alarm: int32[n], number of the occurrence; subject: int32[n], number
    of the alarm (kind and tag or node); priority: int8[n], 1 to 4; what: int16[n], bits of `What`.
    """

    at: Ints
    alarm: NDArray[np.int32]
    subject: NDArray[np.int32]
    priority: NDArray[np.int8]
    what: Bits

    def __len__(self) -> int:
        return len(self.at)

    def of(self, rows: Mask | Places | slice) -> "Journal":
        """These rows of it."""
        parts = (self.at, self.alarm, self.subject, self.priority, self.what)
        return Journal(*(part[rows] for part in parts))  # type: ignore[arg-type]

    def is_(self, what: What) -> Mask:
        """bool[n]: rows with any of these bits."""
        found: Mask = np.not_equal(self.what & int(what), 0)
        return found

    @classmethod
    def empty(cls) -> "Journal":
        """No transitions."""
        return cls(
            np.empty(0, np.int64),
            np.empty(0, np.int32),
            np.empty(0, np.int32),
            np.empty(0, np.int8),
            np.empty(0, np.int16),
        )


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin` to `end`, exclusive, in microseconds; days begin at midnight in `zone`."""

    begin: int
    end: int
    zone: tzinfo

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.begin) / 1e6

    def covers(self, at: Ints) -> Mask:
        """bool[n]: which instants lie in it."""
        return (at >= self.begin) & (at < self.end)

    def midnights(self) -> tuple[list[date], Ints]:
        """The local days that it touches, and int64[days + 1]: their midnights, in microseconds."""
        first = datetime.fromtimestamp(self.begin / 1e6, self.zone).date()
        last = datetime.fromtimestamp((self.end - 1) / 1e6, self.zone).date()
        days = [first + timedelta(days=n) for n in range((last - first).days + 2)]
        edges = [micros(datetime(d.year, d.month, d.day, tzinfo=self.zone)) for d in days]
        return days[:-1], np.array(edges, np.int64)

    def grid(self, width: int) -> Ints:
        """int64[m + 1]: edges of the steps of `width` microseconds since 1970 that it touches."""
        first, last = self.begin // width, -(-self.end // width)
        return np.arange(first, last + 1, dtype=np.int64) * width


def per_step(at: Ints, edges: Ints) -> Ints:
    """int64[m]: how many instants lie in each step between m + 1 rising edges."""
    place = np.searchsorted(edges, at, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    return np.bincount(place[inside], minlength=len(edges) - 1).astype(np.int64)


def by_group(group: NDArray[np.int32]) -> Places:
    """intp[n]: places of these numbers (0 and more) by group, each group in the order it has."""
    small = len(group) > 0 and int(group.max()) < 2**16
    # numbers of 16 bits are sorted by counting, five times as fast
    return np.argsort(group.astype(np.uint16) if small else group, kind="stable")


def next_of(group: NDArray[np.int32], of: Mask, wanted: Mask) -> Places:
    """intp[n]: for each row with `of` the next later row of its group with `wanted`, else -1.

    Rows are in time order; a row never follows itself.
    """
    found = np.full(len(group), -1, np.intp)
    rows = np.flatnonzero(of | wanted)
    rows = rows[by_group(group[rows])]
    n = len(rows)
    if n == 0:
        return found
    place = np.where(wanted[rows], np.arange(n), n)
    after = np.append(np.minimum.accumulate(place[::-1])[::-1], n)[1:]
    safe = np.minimum(after, n - 1)
    good = (after < n) & (group[rows[safe]] == group[rows])
    found[rows[good]] = rows[safe[good]]
    found[~of] = -1
    return found
