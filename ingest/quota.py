"""How much an enterprise may send over HTTP. Pure: the time is handed in."""

from dataclasses import dataclass
from math import ceil

from domain.instant import SECOND


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an enterprise may send on the average, each above 0; and how much of it at once.

    values_per_s, bytes_per_s: values, and bytes of bodies as they travel. burst_s: so many seconds'
    worth may come at once after as long a silence.
    """

    values_per_s: float
    bytes_per_s: float
    burst_s: float


class Quota:
    """Two token buckets, of values and of bytes, as virtual scheduling (GCRA, ITU-T I.371).

    What was sent is charged afterwards, when it is known; so a message passes or it does not,
    however large it is, and the debt is waited for by the next. Within any T seconds at most
    rate * (T + burst_s) passes, and what was admitted before it was charged. `at`: monotonic
    microseconds that never run back. Integers, so that after the wait that was told there is none.
    """

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self._burst = round(allowance.burst_s * SECOND)
        self._values_until = self._bytes_until = -self._burst

    def wait(self, at: int) -> int:
        """Microseconds until the next message may come; 0: now."""
        return max(0, max(self._values_until, self._bytes_until) - self._burst - at)

    def charge(self, at: int, *, values: int = 0, size: int = 0) -> None:
        """So many values, or bytes, came."""
        allowed = self.allowance
        self._values_until = _later(self._values_until, at, values, allowed.values_per_s)
        self._bytes_until = _later(self._bytes_until, at, size, allowed.bytes_per_s)


def _later(until: int, at: int, amount: int, rate: float) -> int:
    """When all that came would be used up at this rate."""
    return max(until, at) + ceil(amount * SECOND / rate) if amount else until
