"""`Backoff`: how long to wait before a connection is tried for again."""

import random
from dataclasses import dataclass

STEADY_S = 30.0
"""A connection that lasted so long was a sound one: the next is tried for without delay."""


@dataclass(slots=True)
class Backoff:
    """Waits double from least_s to most_s, with jitter, until a connection has lasted for
    `STEADY_S`. Seconds."""

    least_s: float
    most_s: float
    failures: int = 0

    def lasted(self, seconds: float) -> None:
        """A connection was up for so long."""
        if seconds >= STEADY_S:
            self.failures = 0

    def failed(self) -> None:
        """An attempt came to nothing, or a connection was lost."""
        self.failures += 1

    def next_wait(self) -> float:
        """Seconds until the next attempt."""
        longest = self.least_s * 2.0 ** min(self.failures, 16)
        return random.uniform(0.5, 1) * min(self.most_s, longest)
