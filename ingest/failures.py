"""A brake on those who try keys. Pure: the time is handed in."""

from collections import OrderedDict
from math import ceil

from domain.instant import SECOND

BURST, REFILL = 20, 5 * SECOND
"""So many failures of an address at once, and one more after so long."""


class Failures:
    """Of at most `keep` addresses; the one that was longest quiet makes room.

    Only failures are braked: a key that holds is heard at once, whoever else sits behind its
    address. `at`: monotonic microseconds.
    """

    def __init__(self, keep: int = 10_000) -> None:
        self._keep = keep
        self._until: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def wait(self, address: str, at: int) -> int:
        """Seconds, rounded up, until it may try again; 0: now."""
        late = self._until.get(address, at) - at - (BURST - 1) * REFILL
        return max(0, ceil(late / SECOND))

    def add(self, address: str, at: int) -> None:
        """One more came; what comes while it has to wait does not make the wait longer."""
        if not self.wait(address, at):
            self._until[address] = max(self._until.get(address, at), at) + REFILL
        self._until.move_to_end(address)
        if len(self._until) > self._keep:
            self._until.popitem(last=False)
