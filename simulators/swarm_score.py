"""What became of a load: counts, and how long PUBACKs took."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

KEPT = 10_000
"""Delays held one by one before they go into bins."""


def _edges() -> NDArray[np.float64]:
    return np.geomspace(1e-5, 1e3, 801)


@dataclass(slots=True)
class Score:
    """Counts in messages, but for `values` and `breaches`; `seconds` from first to last sent.

    losses: how often a connection was lost or not to be had. Delays go into bins 2.3 % wide, so
    that a load of days takes no more memory than one of seconds.
    """

    published: int = 0
    values: int = 0
    acked: int = 0
    receipted: int = 0
    breaches: int = 0
    losses: int = 0
    seconds: float = 0.0
    _delays: list[float] = field(default_factory=list)
    _bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(802, np.int64))

    def acknowledged(self, delay_s: float) -> None:
        """One PUBACK came after `delay_s`."""
        self.acked += 1
        self._delays.append(delay_s)
        if len(self._delays) >= KEPT:
            self._sort_in()

    def puback_ms(self, share: float) -> float | None:
        """The delay that `share` of the PUBACKs kept, in ms; None without any."""
        self._sort_in()
        total = int(self._bins.sum())
        if total == 0:
            return None
        place = int(np.searchsorted(np.cumsum(self._bins), max(1, np.ceil(share * total))))
        return float(_edges()[min(place, 800)] * 1e3)

    def result(self) -> dict[str, object]:
        """What `hazwatch load --output json` ends with."""
        per_second = 1 / self.seconds if self.seconds else 0.0
        p50, p99 = self.puback_ms(0.5), self.puback_ms(0.99)
        return {
            "published_messages": self.published,
            "published_values": self.values,
            "acked_messages": self.acked,
            "receipted_messages": self.receipted,
            "breaches": self.breaches,
            "losses": self.losses,
            "seconds": round(self.seconds, 3),
            "messages_per_s": round(self.published * per_second, 1),
            "values_per_s": round(self.values * per_second, 1),
            "puback_ms_p50": None if p50 is None else round(p50, 3),
            "puback_ms_p99": None if p99 is None else round(p99, 3),
        }

    def _sort_in(self) -> None:
        bins = np.searchsorted(_edges(), self._delays)
        self._bins += np.bincount(bins, minlength=len(self._bins))
        self._delays.clear()
