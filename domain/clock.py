"""The one place that asks the machine for the time.

Functions take `at`; loops ask a `Clock`. Lint bans the ways around it.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from domain.instant import SECOND, micros, moment


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


STEP_S = 30.0
"""A wall clock that differs by more than this has been set, it does not drift."""
STEP_LASTS_S = 60.0
"""So long must a step last before it is believed."""


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
        self._stepped: float | None = None

    def now(self) -> datetime:
        """The present on the anchored time line."""
        return self._wall + timedelta(seconds=time.monotonic() - self._mono)

    def elapsed(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall_error_s(self) -> float:
        """Wall clock of the machine minus `now()`, in seconds."""
        return (datetime.now(UTC) - self.now()).total_seconds()

    def slew(self) -> float:
        """Follow the wall clock: slowly, by at most `MAX_SLEW` of the time since the last call.

        A step that has lasted for `STEP_LASTS_S` is taken over at once; its size in seconds is
        returned (0 otherwise). `elapsed()` knows nothing of it.
        """
        mono = time.monotonic()
        error = self.wall_error_s()
        if abs(error) < STEP_S:
            self._stepped = None
        elif self._stepped is None:
            self._stepped = mono
        if self._stepped is not None and mono - self._stepped > STEP_LASTS_S:
            self._mono, self._wall, self._stepped = mono, self.now() + timedelta(0, error), None
            return error
        budget = (mono - self._mono) * self.MAX_SLEW
        self._wall = self.now() + timedelta(seconds=max(-budget, min(budget, error)))
        self._mono = mono
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        await asyncio.sleep(seconds)


class Stamps:
    """The time line of one shard's received samples: strictly rising stamps, in microseconds.

    It never stands still and never jumps, whatever the wall clock does and did: it begins no
    earlier than `after`, runs at the pace of `elapsed()`, and approaches the wall clock by
    `CATCH_UP` of the time that passes. Silence and delays are measured on it.
    """

    CATCH_UP = 0.05

    def __init__(self, clock: Clock, after: int) -> None:
        self._clock = clock
        self._line = max(after + 1, micros(clock.now()))
        self._elapsed = clock.elapsed()
        self._last = after

    def now(self) -> datetime:
        """Where the line has got to."""
        elapsed = self._clock.elapsed()
        passed = round((elapsed - self._elapsed) * SECOND)
        error = micros(self._clock.now()) - (self._line + passed)
        most = round(passed * self.CATCH_UP)
        self._line += passed + max(-most, min(most, error))
        self._elapsed = elapsed
        return moment(max(self._line, self._last))

    def next(self) -> int:
        """A stamp: the present of the line, at least one more than the stamp before."""
        self._last = max(self._last + 1, micros(self.now()))
        return self._last

    @property
    def last(self) -> datetime:
        """The newest stamp given out."""
        return moment(self._last)
