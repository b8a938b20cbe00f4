"""Pauses between attempts to reach a server that is away."""

import random


class Backoff:
    """Pauses in seconds, doubling from `first_s` to `most_s`, each cut by chance by up to half.

    Chance keeps many clients of one server from coming back at the same moment.
    """

    def __init__(self, first_s: float = 0.2, most_s: float = 5.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._pause_s = first_s

    def next(self) -> float:
        """How long to wait before the next attempt."""
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, self._most_s)
        return pause_s * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """An attempt succeeded."""
        self._pause_s = self._first_s
