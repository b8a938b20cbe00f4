"""Ledgers: which messages of which boot of a gateway were seen, and how far receipts may go."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Run = tuple[int, int, int]
"""first seq, last seq, microseconds that were added to their times."""

KEEP_BOOTS = 16
"""Boots of a gateway that are remembered; the longest untouched goes first."""
KEEP_RANGES = 1000
"""Ranges of seq that are remembered for a boot, see `Ledger`."""
KEEP_RUNS = 1000
"""Runs of clock offsets that are remembered for a boot; the oldest goes first."""


class Known(Protocol):
    """What is known of a boot of a gateway: a `LedgerDelta`, or a row of the database."""

    @property
    def gateway(self) -> int:
        """Its id."""

    @property
    def boot(self) -> str:
        """As the gateway calls it."""

    @property
    def seen(self) -> Sequence[tuple[int, int]]:
        """Inclusive ranges of seq."""

    @property
    def first_seq(self) -> int:
        """The seq that came first."""

    @property
    def oldest(self) -> int:
        """The lowest seq that the gateway still holds."""

    @property
    def newest_time(self) -> int | None:
        """Its newest time so far in microseconds, as its own clock had it."""

    @property
    def offsets(self) -> Sequence[Run]:
        """What was added to the times of a wrong clock."""


@dataclass(slots=True)
class Ranges:
    """A set of integers as inclusive ranges, apart and rising. Changed in place by its owner."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def __contains__(self, n: int) -> bool:
        return self.holding(n) is not None

    def __len__(self) -> int:
        return len(self.starts)

    def add(self, first: int, last: int) -> None:
        """Take in all of first..last."""
        low = bisect_right(self.ends, first - 2)
        high = bisect_right(self.starts, last + 1)
        if low < high:
            first = min(first, self.starts[low])
            last = max(last, self.ends[high - 1])
        self.starts[low:high] = [first]
        self.ends[low:high] = [last]

    def holding(self, n: int) -> int | None:
        """The place of the range that n is in, None if it is in none."""
        place = bisect_right(self.starts, n) - 1
        return place if place >= 0 and n <= self.ends[place] else None

    def drop(self, place: int) -> None:
        """Take a range out of the set."""
        del self.starts[place], self.ends[place]

    def end_from(self, n: int) -> int | None:
        """The last of the unbroken run that n is in, None if n is not in the set."""
        place = self.holding(n)
        return None if place is None else self.ends[place]

    @property
    def last(self) -> int | None:
        """The greatest, None if empty."""
        return self.ends[-1] if self.ends else None

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """All ranges."""
        return tuple(zip(self.starts, self.ends, strict=True))


@dataclass(slots=True)
class Ledger:
    """One boot of one gateway. Changed in place by its owner.

    first_seq is the one that came first, however low later ones are: what receipts said stays said.
    reused: the gateway counts again without a new boot, and that has been reported.

    Of more than `KEEP_RANGES` ranges the lowest are forgotten, but never the one that receipts have
    reached. So a receipt steps over nothing that may be missing; and a message of a forgotten range
    that comes again is not known as a repeat, its samples are known by tag and time. crowded: the
    last message made it forget one.
    """

    gateway: int
    boot: str
    first_seq: int
    oldest: int = 0
    newest_time: int | None = None
    seen: Ranges = field(default_factory=Ranges)
    offsets: list[Run] = field(default_factory=list)
    reused: bool = False
    crowded: bool = False

    def knows(self, seq: int) -> bool:
        """Whether this message came before."""
        return seq in self.seen

    def add(self, seq: int, oldest: int | None, newest_time: int | None) -> None:
        """A message came."""
        if seq not in self.seen:
            self.seen.add(seq, seq)
            self.reused = False
        self.oldest = max(self.oldest, oldest or 0)
        self.newest_time = later(self.newest_time, newest_time)
        self._forget_lowest()

    def go_on(self, first: int, last: int, oldest: int, newest_time: int) -> None:
        """The messages first..last came, which follow all that came before."""
        self.seen.add(first, last)
        self.reused = False
        self.oldest = max(self.oldest, oldest)
        self.newest_time = later(self.newest_time, newest_time)
        self._forget_lowest()

    def merge(self, known: Known) -> None:
        """Take in what is known from elsewhere of the same boot."""
        self.oldest = max(self.oldest, known.oldest)
        for first, last in known.seen:
            self.seen.add(first, last)
            self._forget_lowest()
        self.newest_time = later(self.newest_time, known.newest_time)
        for run in known.offsets:
            self.shift(*run)

    def shift(self, first: int, last: int, offset: int) -> None:
        """Remember the offset of a run of seq; it grows where the next one has the same."""
        if self.offsets:
            begin, end, same = self.offsets[-1]
            if offset == same and begin <= first <= end + 1:
                self.offsets[-1] = (begin, max(end, last), offset)
                return
        self.offsets.append((first, last, offset))
        del self.offsets[:-KEEP_RUNS]

    def offset_of(self, seq: int) -> int | None:
        """The offset of the run that seq lies in, the latest first; None if it lies in none."""
        for first, last, offset in reversed(self.offsets):
            if first <= seq <= last:
                return offset
        return None

    def contiguous(self) -> int:
        """The highest n such that all from the first seen to n are seen, or lie below `oldest`."""
        end = self.seen.end_from(self._start)
        return self._start - 1 if end is None else end

    @property
    def _start(self) -> int:
        return max(self.first_seq, self.oldest)

    def _forget_lowest(self) -> None:
        self.crowded = len(self.seen) > KEEP_RANGES
        if self.crowded:
            self.seen.drop(1 if self.seen.holding(self._start) == 0 else 0)


@dataclass(slots=True)
class Ledgers:
    """The ledgers of one gateway by boot, the last touched last."""

    by_boot: dict[str, Ledger] = field(default_factory=dict)

    def find(self, boot: str | None) -> Ledger | None:
        """The ledger of a boot that has been heard of."""
        return None if boot is None else self.by_boot.get(boot)

    def open(self, gateway: int, boot: str, seq: int) -> Ledger:
        """The ledger of a boot, begun with this seq if it is new; now the last touched."""
        ledger = self.by_boot.pop(boot, None) or Ledger(gateway, boot, seq)
        self.by_boot[boot] = ledger
        while len(self.by_boot) > KEEP_BOOTS:
            del self.by_boot[next(iter(self.by_boot))]
        return ledger

    def merge(self, known: Known) -> Ledger:
        """Take in what is known of a boot from elsewhere."""
        ledger = self.open(known.gateway, known.boot, known.first_seq)
        ledger.merge(known)
        return ledger


class Receipts:
    """How far the database has each gateway's messages. Fed only with what is in the database.

    What it starts with counts as moved once: the retained receipt may lag behind it.
    """

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._gateways: dict[int, Ledgers] = {}
        self._said: dict[int, tuple[str, int]] = {}
        self._touched: dict[int, Ledger] = {}
        self.durable(known)

    def durable(self, deltas: Iterable[Known]) -> None:
        """These are in the database now, in this order."""
        for delta in deltas:
            ledgers = self._gateways.setdefault(delta.gateway, Ledgers())
            self._touched[delta.gateway] = ledgers.merge(delta)

    def moved(self) -> dict[int, tuple[str, int]]:
        """gateway -> (boot, n) for the receipts that moved since the last call."""
        now = {
            gateway: (ledger.boot, ledger.contiguous()) for gateway, ledger in self._touched.items()
        }
        self._touched.clear()
        moved = {gateway: said for gateway, said in now.items() if self._said.get(gateway) != said}
        self._said.update(moved)
        return moved


def later(one: int | None, other: int | None) -> int | None:
    """The greater of two instants, of which either may be unknown."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
