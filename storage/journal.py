"""The journal: what a worker decided and received becomes durable, in order, come what may.

While the database is there, two tasks with a connection each: the alarm parts of entries commit at
once, in small transactions; batches follow in groups, never before the alarm parts of the same or
earlier entries. While it is away, whole entries go to the spool in order; when it is back the spool
is drained in order, new entries queue behind it, and then the two tasks take over again.

Whatever runs twice (the outcome of a commit unknown, a spool read again) changes nothing the second
time: alarm parts by their keys, batches by the mark that is committed with them. Every transaction
checks the fence, and `LeaseLost` ends `run`. What the database refuses for what it is goes by way
of the spool as well: there it is found and set aside, and the rest goes on.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import structlog
from prometheus_client import CollectorRegistry

from domain.clock import Clock
from storage.backoff import Backoff
from storage.commits import Commits
from storage.database import DatabaseAway, DatabaseOptions, Link, Refused, link
from storage.drain import Drain, Lines
from storage.entry import Entry, Spooled, encode, in_groups, is_wide
from storage.lease import Fence
from storage.metrics import JournalMetrics
from storage.samples import Stored
from storage.spool import Spool, SpoolFull

__all__ = ["Entry", "Journal", "JournalOptions", "Stored"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """Bounds of the journal; what is counted are samples and alarm parts.

    group_s, group_size: a group of batches is committed after so long or with so many. queue_size:
    what may wait in memory before `full`. alarm_group: entries whose alarm parts share a
    transaction. alarm_answer_s: a database that takes longer for alarm parts counts as away.
    drain_bytes: of the spool read at once. retry_first_s, retry_most_s: pauses while it is away.
    """

    group_s: float = 0.05
    group_size: int = 50_000
    queue_size: int = 500_000
    alarm_group: int = 256
    alarm_answer_s: float = 8.0
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
    never called. Each is called in the order of entries. degraded: entries go to the spool, and
    the database does not have all yet.
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
    ) -> None:
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
        self._commits = Commits(Fence(shard, epoch), clock, self._metrics)
        self._untold: deque[Entry] = deque()
        self._unstored: deque[Entry] = deque()
        self._queued = 0
        self._last_put = -1
        self._last_told = -1
        self._last_safe = -1
        self._drain = Drain(
            spool,
            self._commits,
            clock,
            self._metrics,
            Backoff(self._options.retry_first_s, self._options.retry_most_s),
            on_stored,
            self._changed,
        )
        self._waiting: list[asyncio.Future[None]] = []
        self.degraded = False

    def put(self, entry: Entry) -> None:
        """Queue an entry; never blocks and never refuses: who puts asks for `room` first.

        Numbers rise, else `ValueError`: a batch is known by its number.
        """
        if entry.number <= self._last_put:
            raise ValueError(f"entry {entry.number} comes after {self._last_put}")
        self._last_put = entry.number
        self._untold.append(entry)
        self._queue(entry.weight)

    @property
    def full(self) -> bool:
        """Whether `queue_size` is reached: the database is too slow, or away with the spool
        full."""
        return self._queued >= self._options.queue_size

    async def room(self) -> None:
        """Wait until not `full`."""
        await self._until(lambda: not self.full)

    async def flush(self) -> None:
        """Wait until all that was put so far is safe."""
        last = self._last_put
        await self._until(lambda: self._last_safe >= last)

    async def recover(self) -> None:
        """Bring what an earlier run left in the spool into the database, however long it takes."""
        if not self._spool.empty:
            await self._bring_in()

    async def run(self) -> None:
        """Make entries durable until cancelled; `LeaseLost` and bugs come in an
        `ExceptionGroup`."""
        while True:
            if self._spool.empty:
                await self._write_directly()
            self._degrade(True)
            await self._ride_out()
            self._degrade(False)

    async def _write_directly(self) -> None:
        """Returns when the database is away or does not take an entry; what was in flight then is
        still queued."""
        try:
            async with (
                link(self._alarm_database) as first,
                link(self._database) as second,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(self._tell(first), name="journal: alarm parts")
                tasks.create_task(self._store(second), name="journal: batches")
        except* DatabaseAway as away:
            log.warning("database away", action="spool", error=str(away.exceptions[0]))
        except* Refused as refused:
            log.warning("not taken directly", action="spool", error=str(refused.exceptions[0]))

    async def _tell(self, line: Link) -> None:
        """Commit alarm parts as they come."""
        while True:
            await self._until(lambda: bool(self._untold))
            group = list(islice(self._untold, self._options.alarm_group))
            await self._commits.alarm_parts(line, group)
            self._speak(group)
            for _ in group:
                self._unstored.append(self._untold.popleft())
            self._changed()

    async def _store(self, line: Link) -> None:
        """Commit the batches of entries whose alarm parts are committed, in groups.

        What takes several transactions goes by way of the spool, which can take up where it was.
        """
        while True:
            await self._until(lambda: bool(self._unstored))
            if self._worth_waiting():
                await self._clock.sleep(self._options.group_s)
            group = next(in_groups(self._unstored, self._options.group_size))
            if is_wide(group):
                raise Refused(f"entry {group[0].number} has samples of {len(group[0].days)} days")
            stored = await self._commits.batches(line, self._epoch, group)
            for entry, became in zip(group, stored, strict=True):
                self._unstored.popleft()
                self._safe(entry)
                self._on_stored(entry, became)

    def _worth_waiting(self) -> bool:
        """Whether there are batches, but too few for a group."""
        size = sum(entry.weight for entry in self._unstored)
        return size < self._options.group_size and any(e.batch for e in self._unstored)

    async def _ride_out(self) -> None:
        """Spool what comes and drain it, until the database has all of it."""
        self._drain.caught_up = False
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._spool_entries(), name="journal: spool")
            tasks.create_task(self._bring_in(), name="journal: drain")
        log.info("database has caught up", action="write directly")

    async def _spool_entries(self) -> None:
        """Spool entries until the drain has caught up; when the spool is full, wait for room."""
        while not self._drain.caught_up:
            await self._until(lambda: self._drain.caught_up or bool(self._unstored or self._untold))
            async with self._drain.disk:
                if self._drain.caught_up:
                    return
                waiting = chain(self._unstored, self._untold)
                group = next(in_groups(waiting, self._options.group_size))
                fits = await self._append(group)
            if fits:
                self._spooled(group)
            else:
                await self._drained_some(self._spool.size)

    async def _drained_some(self, size: int) -> None:
        """Wait for room; meanwhile people are told of what comes."""

        def some() -> bool:
            self._speak(chain(self._unstored, self._untold))
            return self._drain.caught_up or self._spool.size < size

        await self._until(some)

    async def _append(self, group: Sequence[Entry]) -> bool:
        """Whether the group is on the disk; False where the spool is full."""
        try:
            await asyncio.to_thread(self._append_now, group)
        except SpoolFull as full:
            self._metrics.spool_full.inc()
            log.error("spool full", action="stop acknowledging", error=str(full))
            return False
        self._metrics.spool_bytes.set(self._spool.size)
        return True

    def _append_now(self, group: Sequence[Entry]) -> None:
        self._spool.append([encode(Spooled(self._epoch, entry)) for entry in group])

    def _spooled(self, group: Sequence[Entry]) -> None:
        self._speak(group)
        for entry in group:
            (self._unstored or self._untold).popleft()
            self._safe(entry)

    async def _bring_in(self) -> None:
        """All of the spool into the database."""
        async with link(self._alarm_database) as first, link(self._database) as second:
            lines, options = Lines(first, second), self._options
            await self._drain.run(lines, options.drain_bytes, options.group_size)

    def _speak(self, entries: Iterable[Entry]) -> None:
        """Let people be told of these entries, once."""
        for entry in entries:
            if entry.number > self._last_told:
                self._last_told = entry.number
                self._on_told(entry)

    def _safe(self, entry: Entry) -> None:
        self._last_safe = entry.number
        self._on_safe(entry)
        self._queue(-entry.weight)

    def _queue(self, weight: int) -> None:
        self._queued += weight
        self._metrics.queued.set(self._queued)
        self._changed()

    def _degrade(self, degraded: bool) -> None:
        self.degraded = degraded
        self._metrics.degraded.set(degraded)

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            change = asyncio.get_running_loop().create_future()
            self._waiting.append(change)
            await change

    def _changed(self) -> None:
        """Let everybody who waits look again."""
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():
                change.set_result(None)
