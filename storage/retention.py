"""What is kept how long, and how it goes: samples and roll-ups a chunk at a time, the rest by rows.

The server's own retention policies are not used, on any edition: they know a row's age, but not
whether it is in the roll-ups or still to be judged by the replay lane.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg import sql

from storage.chunks import Chunk, Chunks, chunks_for
from storage.database import Connection, ServerFacts
from storage.lease import Fence
from storage.queries import query
from storage.rollup_state import read_state

log = structlog.get_logger(__name__)

FLOOR_DAYS = 30
"""Readings must be kept so long; domain.md 3.3, V1 (S11)."""
AROUND = timedelta(days=8)
"""So far around a range the replay lane may look for the end of a condition."""
UNNAMED = timedelta(days=1)
"""How long a file of a warning waits for the feedback that names it."""
AT_ONCE = 10_000
"""Rows deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Days that things are kept. compress: after so many, samples and minutes are compressed where
    the server can. Alarms, warnings, what people did and their journal are never dropped here."""

    samples: int = 365
    compress: int = 90
    minutes: int = 1826
    hours: int = 3653
    quarantine: int = 90
    events: int = 30

    def before(self, table: str, at: datetime) -> datetime:
        """What lies before it may go, of `sample`, `sample_minute` or `sample_hour`."""
        days = {"sample": self.samples, "sample_minute": self.minutes, "sample_hour": self.hours}
        return at - timedelta(days=days[table])


class Retention:
    """Drops what is too old. One chunk or `AT_ONCE` rows at a time, each in its transaction."""

    def __init__(
        self, fence: Fence, facts: ServerFacts, dropped: Callable[[int], object] = lambda _: None
    ) -> None:
        """dropped: told the bytes of each chunk that went."""
        self._fence = fence
        self._chunks: Chunks = chunks_for(facts)
        self._dropped = dropped

    async def once(self, conn: Connection, keep: Keep, at: datetime) -> None:
        """Look at everything once; what is in use is left for the next time."""
        for table in ("sample", "sample_minute", "sample_hour"):
            await self._drop_chunks(conn, table, keep.before(table, at))
        for table in ("sample", "sample_minute"):
            await self._compress(conn, table, at - timedelta(days=keep.compress))
        old = {
            "old_quarantine": at - timedelta(days=keep.quarantine),
            "old_outbox": at - timedelta(days=keep.events),
        }
        for statement, before in old.items():
            while await self._delete(conn, statement, before=before, most=AT_ONCE) == AT_ONCE:
                pass
        await self._delete(conn, "old_session", before=at)
        await self._delete(conn, "old_case_file", before=at - UNNAMED)
        await self._delete(conn, "old_thinned_day", before=keep.before("sample", at))

    async def _drop_chunks(self, conn: Connection, table: str, before: datetime) -> None:
        before = min(before, (await read_state(conn)).hours)
        for chunk in await self._chunks.of(conn, table):
            if chunk.end <= before and await self._drop(conn, table, chunk):
                log.info("dropped", action="retention", table=table, end=chunk.end.isoformat())
                self._dropped(chunk.size)

    async def _drop(self, conn: Connection, table: str, chunk: Chunk) -> bool:
        """Whether a chunk could go: nobody may use it while that is found out."""
        try:
            async with conn.transaction():
                await self._chunks.lock(conn, table, chunk)
                if table == "sample" and not await _may_go(conn, chunk):
                    log.info("kept for now", action="retention", end=chunk.end.isoformat())
                    return False
                await self._chunks.drop(conn, table, chunk)
                await conn.execute(query(f"gone_{table}"), {"end": chunk.end})
                await self._fence.check(conn)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            return False
        return True

    async def _compress(self, conn: Connection, table: str, before: datetime) -> None:
        """A server that can't after all says so in the log, and nothing is lost."""
        try:
            done = await self._chunks.compress(conn, table, before)
        except psycopg.Error as error:
            log.warning("not compressed", action="retention", table=table, error=str(error))
        else:
            if done:
                log.info("compressed", action="retention", table=table, chunks=done)

    async def _delete(self, conn: Connection, statement: str, **asked: object) -> int:
        async with conn.transaction():
            gone = (await conn.execute(query(statement), asked)).rowcount
            await self._fence.check(conn)
        return gone


async def _may_go(conn: Connection, chunk: Chunk) -> bool:
    """Whether nothing in it is missing in the roll-ups or waits to be judged."""
    asked: dict[str, Any] = {"begin": chunk.begin, "end": chunk.end, "around": AROUND}
    statement = sql.SQL(query("may_go").decode()).format(chunk=sql.SQL(chunk.name))
    row = await (await conn.execute(statement, asked, prepare=False)).fetchone()
    assert row is not None, "a select without from has one row"
    return bool(row[0])
