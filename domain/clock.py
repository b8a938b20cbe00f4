"""The one place that asks the machine for the time.

Functions take `at`; loops ask a `Clock`. Lint bans the ways around it.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from domain.instant import micros, moment


class Clock(Protocol):
    """What a loop may know of time."""

    def now(self) -> datetime:
        """The present, aware UTC, never running backwards."""
        ...

    def elapsed(self) -> float:
        """Monotonic seconds since an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of this clock pass."""
        ...


class SystemClock:
    """Wall time anchored to the monotonic clock: a step of the wall clock moves no timer.

    `now()` is the anchor plus the monotonic time since. `wall_error_s()` tells how far the
    machine's wall clock has stepped away from it; `slew()` follows slow corrections by at most
    0.5 ms a second.
    """

    MAX_SLEW = 5e-4

    def __init__(self) -> None:
        self._mono = time.monotonic()
        self._wall = datetime.now(UTC)

    def now(self) -> datetime:
        """The present on the anchored time line."""
        return self._wall + timedelta(seconds=time.monotonic() - self._mono)

    def elapsed(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall_error_s(self) -> float:
        """Wall clock of the machine minus `now()`, in seconds."""
        return (datetime.now(UTC) - self.now()).total_seconds()

    def slew(self) -> None:
        """Move the anchor towards the wall clock.

        Never by more than `MAX_SLEW` of the time since the last call.
        """
        mono = time.monotonic()
        budget = (mono - self._mono) * self.MAX_SLEW
        error = self.wall_error_s()
        here = self.now()
        self._mono = mono
        self._wall = here + timedelta(seconds=max(-budget, min(budget, error)))

    async def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        await asyncio.sleep(seconds)


class Stamps:
    """Strictly rising receive stamps of one shard, in microseconds, whatever the clock does."""

    def __init__(self, clock: Clock, after: int) -> None:
        self._clock = clock
        self._last = after

    def next(self) -> int:
        """The present in microseconds, at least one more than the stamp before."""
        self._last = max(self._last + 1, micros(self._clock.now()))
        return self._last

    @property
    def last(self) -> datetime:
        """The newest stamp given out."""
        return moment(self._last)
