"""From the spool into the database: in order, as often as need be, past what it does not take."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

import structlog

from domain.clock import Clock
from domain.fault_points import Point, passing
from storage.backoff import Backoff
from storage.commits import Commits
from storage.database import DatabaseAway, Link, Refused
from storage.entry import Entry, Spooled, decode, encode, in_groups, set_apart
from storage.metrics import JournalMetrics
from storage.samples import Stored
from storage.spool import Spool, SpoolFull
from storage.writer import Writer

log = structlog.get_logger(__name__)

ATTEMPTS = 3
"""How often an entry is tried by itself before it is set aside."""
MOST_REJECTED = 1000
"""With so many set aside it is not the entries that are bad, and `Refused` ends the drain."""


class Drain:
    """Brings the spool into the database, group by group; raises `LeaseLost`.

    A group that the database refuses is halved until what is bad is alone. That is tried `ATTEMPTS`
    times and then set aside in the spool's directory: it was acknowledged, and never is lost
    silently. `caught_up` is set once the spool is empty; until it is unset nothing may be appended
    to the spool. disk: held by who uses the spool. changed: called whenever there is less in it.
    """

    def __init__(
        self,
        spool: Spool,
        commits: Commits,
        clock: Clock,
        metrics: JournalMetrics,
        backoff: Backoff,
        on_stored: Callable[[Entry, Stored], None],
        changed: Callable[[], None],
    ) -> None:
        self._spool = spool
        self._commits = commits
        self._clock = clock
        self._metrics = metrics
        self._backoff = backoff
        self._on_stored = on_stored
        self._changed = changed
        self.disk = asyncio.Lock()
        self.caught_up = False
        self._writer: Writer
        metrics.spool_rejected.set(spool.rejected)

    async def run(self, alarms: Link, writer: Writer, read_bytes: int, group_size: int) -> None:
        """Until the spool is empty. alarms: a connection for alarm parts; read_bytes: of the spool
        at once; group_size: samples at once."""
        self._writer = writer
        while not self.caught_up:
            await self._clock.sleep(self._backoff.next())
            try:
                await self._commits.check_fence(alarms)
                while records := await self._first(read_bytes):
                    await self._bring_in(alarms, records, group_size)
            except DatabaseAway as away:
                log.debug("database still away", action="wait", error=str(away))

    async def _first(self, read_bytes: int) -> list[bytes]:
        """The first records; without any the drain has caught up."""
        async with self.disk:
            records = await asyncio.to_thread(self._spool.peek, read_bytes)
            self.caught_up = not records
        self._metrics.spool_torn_bytes.set(self._spool.torn_bytes)
        self._changed()
        return records

    async def _bring_in(self, alarms: Link, records: Sequence[bytes], group_size: int) -> None:
        """Groups of records of one epoch and about `group_size` samples."""
        said = list(map(decode, records))
        cuts = [0]
        for _, run in groupby(said, key=lambda spooled: spooled.epoch):
            for group in in_groups((spooled.entry for spooled in run), group_size):
                cuts.append(cuts[-1] + len(group))
        for begin, end in pairwise(cuts):
            await self._commit(alarms, records[begin:end], said[begin:end])

    async def _commit(
        self, alarms: Link, records: Sequence[bytes], said: Sequence[Spooled], attempt: int = 1
    ) -> None:
        entries = [spooled.entry for spooled in said]
        passing(Point.DRAIN_READ)
        try:
            await self._commits.alarm_parts(alarms, entries)
            series = await self._writer.series()
            stored = await series.write(said[0].epoch, entries)
        except Refused as refused:
            await self._refused(alarms, records, said, attempt, refused)
            return
        passing(Point.DRAIN_COMMITTED)
        await self._drop(records)
        self._metrics.drained.inc(len(entries))
        for entry, became in zip(entries, stored, strict=True):
            self._on_stored(entry, became)
        self._changed()

    async def _refused(
        self,
        alarms: Link,
        records: Sequence[bytes],
        said: Sequence[Spooled],
        attempt: int,
        refused: Refused,
    ) -> None:
        if len(said) > 1:
            log.warning("database refuses entries", action="halve", error=str(refused))
            middle = len(said) // 2
            await self._commit(alarms, records[:middle], said[:middle])
            await self._commit(alarms, records[middle:], said[middle:])
        elif attempt < ATTEMPTS:
            await self._clock.sleep(self._backoff.next())
            await self._commits.check_fence(alarms)
            await self._commit(alarms, records, said, attempt + 1)
        else:
            await self._set_aside(said[0], refused)
            await self._drop(records)
            self._changed()

    async def _set_aside(self, spooled: Spooled, refused: Refused) -> None:
        if self._spool.rejected >= MOST_REJECTED:
            raise refused
        try:
            async with self.disk:
                path = await asyncio.to_thread(self._spool.set_aside, encode(set_apart(spooled)))
        except SpoolFull as full:
            log.error("no room to set an entry aside", action="try again", error=str(full))
            raise DatabaseAway(str(full)) from full
        self._metrics.spool_rejected.set(self._spool.rejected)
        log.error(
            "database refuses an entry", action="set aside", file=str(path), error=str(refused)
        )

    async def _drop(self, records: Sequence[bytes]) -> None:
        async with self.disk:
            await asyncio.to_thread(self._spool.drop, records)
        self._backoff.reset()
