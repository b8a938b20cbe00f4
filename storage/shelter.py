"""`Shelter`: entries onto the local disk, for as long as the database does not take them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import structlog

from domain.clock import Clock
from domain.fault_points import Point, passing
from storage.drain import Drain
from storage.entry import Entry, Spooled, encode, in_groups
from storage.metrics import JournalMetrics
from storage.spool import Spool, SpoolFull
from storage.waiting import Waiting

log = structlog.get_logger(__name__)

GROUP = 50_000
"""Samples and alarm parts that go to the disk with one sync."""
ROOM_S = 1.0
"""Pause before a spool that took nothing is tried again: its disk may be another's too."""


class Shelter:
    """Spools what waits until the drain has caught up.

    speak: people may be told of entries. safe: the oldest entry is on the disk. Where the disk
    takes nothing more, nothing is safe, and people are told of all that comes.
    """

    def __init__(
        self,
        spool: Spool,
        drain: Drain,
        waiting: Waiting,
        clock: Clock,
        epoch: int,
        metrics: JournalMetrics,
        speak: Callable[[Iterable[Entry]], None],
        safe: Callable[[], Entry],
    ) -> None:
        self.no_room_since: datetime | None = None
        """Since when the disk takes nothing."""
        self._spool = spool
        self._drain = drain
        self._waiting = waiting
        self._clock = clock
        self._epoch = epoch
        self._metrics = metrics
        self._speak = speak
        self._safe = safe

    async def run(self) -> None:
        """Until the drain has caught up."""
        most = GROUP
        while not self._drain.caught_up:
            await self._waiting.until(lambda: self._drain.caught_up or any(self._waiting))
            async with self._drain.disk:
                if self._drain.caught_up:
                    break
                group = next(in_groups(self._waiting, most))
                full = await self._append(group)
            if full is None:
                most = GROUP
                self._taken(group)
            elif len(group) > 1:
                most = sum(entry.weight for entry in group) // 2
            else:
                await self._without_room(full)
        self.no_room_since = None
        self._metrics.no_room.set(0)

    async def _append(self, group: Sequence[Entry]) -> SpoolFull | None:
        """What keeps the group from being on the disk."""
        try:
            await asyncio.to_thread(self._append_now, group)
        except SpoolFull as full:
            return full
        return None

    def _append_now(self, group: Sequence[Entry]) -> None:
        self._spool.append([encode(Spooled(self._epoch, entry)) for entry in group])

    def _taken(self, group: Sequence[Entry]) -> None:
        passing(Point.SPOOL_WRITTEN)
        if self.no_room_since is not None:
            self.no_room_since = None
            self._metrics.no_room.set(0)
            log.info("there is room again", action="acknowledge")
        self._speak(group)
        for _ in group:
            self._safe()

    async def _without_room(self, full: SpoolFull) -> None:
        """Wait for room; meanwhile people are told of what comes."""
        if self.no_room_since is None:
            self.no_room_since = self._clock.now()
            self._metrics.no_room.set(1)
            self._metrics.spool_full.inc()
            log.error("no room", action="stop acknowledging", error=str(full))
        size = self._spool.size

        def some() -> bool:
            self._speak(self._waiting)
            return self._drain.caught_up or self._spool.size < size

        await self._waiting.until_or(some, ROOM_S)
