"""The journal: what a worker decided and received becomes durable, in order, come what may.

While the database is there and keeps up, entries go to it directly: alarm parts at once, in small
transactions; batches in groups, never before the alarm parts of the same or earlier entries. While
it is away, or too slow, whole entries go to the spool in order; the spool is drained in order, new
entries queue behind it, and once it is empty they go directly again.

Whatever runs twice (the outcome of a commit unknown, a spool read again) changes nothing the second
time: alarm parts by their keys, batches by the mark that is committed with them. Every transaction
checks the fence, and `LeaseLost` ends `run`. What the database refuses for what it is goes by way
of the spool as well: there it is found and set aside, and the rest goes on.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from prometheus_client import CollectorRegistry

from domain.clock import Clock
from domain.instant import micros
from domain.tasks import apart
from storage.backoff import Backoff
from storage.batches import BatchStore
from storage.commits import Commits
from storage.database import DatabaseAway, DatabaseOptions, Refused, first_of, link
from storage.direct import Direct, TooSlow
from storage.drain import Drain
from storage.entry import Entry
from storage.gaps import GapLedger
from storage.lease import Fence
from storage.metrics import JournalMetrics
from storage.samples import Stored
from storage.shelter import Shelter
from storage.spool import Spool
from storage.waiting import Waiting
from storage.writer import Writer

__all__ = ["Entry", "Journal", "JournalOptions", "Stored"]

log = structlog.get_logger(__name__)

GAUGES_S = 1.0
"""How often what changes by itself is measured."""


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """Bounds of the journal; what is counted are samples and alarm parts.

    group_s, group_size: a group of batches is committed after so long or with so many. queue_size:
    what may wait in memory before `full`. alarm_group: entries whose alarm parts share a
    transaction. alarm_answer_s: a database that takes longer for alarm parts counts as away.
    slow_s: one that leaves an entry waiting for longer is too slow, and the spool takes over.
    drain_bytes: of the spool read at once. retry_first_s, retry_most_s: pauses while it is away.
    """

    group_s: float = 0.05
    group_size: int = 50_000
    queue_size: int = 500_000
    alarm_group: int = 256
    alarm_answer_s: float = 8.0
    slow_s: float = 5.0
    drain_bytes: int = 8 << 20
    retry_first_s: float = 0.2
    retry_most_s: float = 5.0


class Journal:
    """Takes entries and makes them durable. `run` does the work; a second `run` is a bug.

    on_told(entry): people may be told of it: its alarm parts are in the database or on the local
    disk, or there is room in neither, for silence would be worse than telling twice after a crash.
    on_safe(entry): all of it is in the database or on the local disk, so the broker may forget it.
    on_stored(entry, stored): all of it is in the database; after a crash it may be called again for
    an entry, what comes from the spool has lost its `handles`, and for what was set aside it is
    never called. Each is called in the order of entries.
    """

    def __init__(
        self,
        *,
        database: DatabaseOptions,
        spool: Spool,
        clock: Clock,
        shard: str,
        epoch: int,
        on_told: Callable[[Entry], None],
        on_safe: Callable[[Entry], None],
        on_stored: Callable[[Entry, Stored], None],
        options: JournalOptions | None = None,
        registry: CollectorRegistry | None = None,
        gaps: GapLedger | None = None,
    ) -> None:
        self.degraded = False
        """Whether entries go to the spool: the database does not have all yet."""
        self._options = options or JournalOptions()
        self._database = replace(database, application="hazwatch batches")
        self._alarm_database = replace(
            database,
            application="hazwatch alarms",
            statement_s=min(database.statement_s, self._options.alarm_answer_s),
            answer_s=min(database.answer_s, self._options.alarm_answer_s),
        )
        self._spool = spool
        self._clock = clock
        self._epoch = epoch
        self._on_told = on_told
        self._on_safe = on_safe
        self._on_stored = on_stored
        self._metrics = JournalMetrics(registry or CollectorRegistry())
        fence = Fence(shard, epoch)
        self._commits = Commits(fence, clock, self._metrics)
        self._store = BatchStore(fence, clock, gaps)
        self._waiting = Waiting(clock, self._metrics)
        self._last_put = -1
        self._last_told = -1
        self._last_safe = -1
        self._drain = Drain(
            spool,
            self._commits,
            clock,
            self._metrics,
            Backoff(self._options.retry_first_s, self._options.retry_most_s),
            self._stored,
            self._waiting.changed,
        )
        self._shelter = Shelter(
            spool, self._drain, self._waiting, clock, epoch, self._metrics, self._speak, self._safe
        )

    def put(self, entry: Entry) -> None:
        """Queue an entry; never blocks and never refuses: who puts asks for `room` first.

        Numbers rise, else `ValueError`: a batch is known by its number.
        """
        if entry.number <= self._last_put:
            raise ValueError(f"entry {entry.number} comes after {self._last_put}")
        self._last_put = entry.number
        self._waiting.put(entry)

    @property
    def no_room_since(self) -> datetime | None:
        """Since when nothing can be made durable, for neither database nor spool take it."""
        return self._shelter.no_room_since

    @property
    def full(self) -> bool:
        """Whether `queue_size` is reached: more comes than the database takes, for a moment; or
        neither it nor the spool take anything."""
        return self._waiting.weight >= self._options.queue_size

    async def room(self) -> None:
        """Wait until not `full`."""
        await self._waiting.until(lambda: not self.full)

    async def flush(self) -> None:
        """Wait until all that was put so far is safe."""
        last = self._last_put
        await self._waiting.until(lambda: self._last_safe >= last)

    async def recover(self) -> None:
        """Bring what an earlier run left in the spool into the database, however long it takes."""
        async with self._writer() as writer:
            if not self._spool.empty:
                await self._bring_in(writer)
            await writer.series()

    async def run(self) -> None:
        """Make entries durable until cancelled; `LeaseLost` and bugs come in an
        `ExceptionGroup`."""
        async with self._writer() as writer, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gauge(), name="journal: gauges")
            while True:
                if self._spool.empty:
                    await self._write_directly(writer)
                self._degrade(True)
                await self._ride_out(writer)
                self._degrade(False)

    def _writer(self) -> Writer:
        return Writer(self._store, self._database, self._clock, self._metrics)

    async def _write_directly(self, writer: Writer) -> None:
        """Returns when the database is away or too slow, or does not take an entry; what was in
        flight then is still queued."""
        options = self._options
        direct = Direct(
            self._waiting,
            self._commits,
            writer,
            self._clock,
            self._epoch,
            self._speak,
            lambda became: self._stored(self._safe(), became),
        )
        try:
            async with link(self._alarm_database) as line:
                await apart(
                    direct.run(
                        line,
                        options.alarm_group,
                        options.group_s,
                        options.group_size,
                        options.slow_s,
                    )
                )
        except* DatabaseAway as away:
            log.warning("database away", action="spool", error=first_of(away))
        except* Refused as refused:
            log.warning("not taken directly", action="spool", error=first_of(refused))
        except* TooSlow as slow:
            self._metrics.shed.inc()
            self._metrics.shedding.set(1)
            log.warning("database too slow", action="spool", error=first_of(slow))

    async def _ride_out(self, writer: Writer) -> None:
        """Spool what comes and drain it, until the database has all of it."""
        self._drain.caught_up = False
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._shelter.run(), name="journal: spool")
            tasks.create_task(self._bring_in(writer), name="journal: drain")
        self._metrics.shedding.set(0)
        log.info("database has caught up", action="write directly")

    async def _bring_in(self, writer: Writer) -> None:
        """All of the spool into the database."""
        async with link(self._alarm_database) as line:
            options = self._options
            await self._drain.run(line, writer, options.drain_bytes, options.group_size)

    async def _gauge(self) -> None:
        while True:
            self._metrics.oldest.set(self._waiting.oldest_s)
            self._metrics.spool(self._spool, self._clock.now())
            await self._clock.sleep(GAUGES_S)

    def _speak(self, entries: Iterable[Entry]) -> None:
        """Let people be told of these entries, once."""
        for entry in entries:
            if entry.number > self._last_told:
                self._last_told = entry.number
                self._on_told(entry)

    def _safe(self) -> Entry:
        entry = self._waiting.safe()
        self._last_safe = entry.number
        self._on_safe(entry)
        self._waiting.changed()
        return entry

    def _stored(self, entry: Entry, stored: Stored) -> None:
        if entry.batch is not None:
            self._metrics.durable(entry.batch.arrived, entry.batch.sent, micros(self._clock.now()))
        self._on_stored(entry, stored)

    def _degrade(self, degraded: bool) -> None:
        self.degraded = degraded
        self._metrics.degraded.set(degraded)
