"""Time that a test owns."""

import asyncio
import heapq
from datetime import datetime, timedelta
from itertools import count


class ManualClock:
    """A `domain.clock.Clock` that stands still until `advance` is called.

    Sleepers wake in the order of their due time, those of one instant in the order in which they
    lay down. Each sees exactly the time it slept for, and everything that it sets going has run
    until it waits again before the next one wakes. What waits for a thread or a socket is outside
    of this clock: wait for its event, not for time.
    """

    def __init__(self, at: datetime) -> None:
        self._start = self._now = at
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The present of this clock."""
        return self._now

    def elapsed(self) -> float:
        """Seconds that the test has let pass so far."""
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has advanced that far. Never returns at once, not even for 0 s."""
        awake = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=max(0.0, seconds))
        heapq.heappush(self._sleepers, (due, next(self._order), awake))
        await awake

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, waking sleepers on the way, also those who lie down on the way."""
        target = self._now + timedelta(seconds=seconds)
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, awake = heapq.heappop(self._sleepers)
            if awake.done():
                continue
            self._now = max(self._now, due)
            awake.set_result(None)
            await self.settle()
        self._now = target

    async def settle(self) -> None:
        """Return when every task waits for something: time, an event, input."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:  # type: ignore[attr-defined]
            await asyncio.sleep(0)

    @property
    def next_due(self) -> datetime | None:
        """When the next sleeper wakes, None if nobody sleeps."""
        return min((due for due, _, awake in self._sleepers if not awake.done()), default=None)


async def turns(count: int) -> None:
    """Let the event loop go round so often."""
    for _ in range(count):
        await asyncio.sleep(0)
