"""Tables that are split by time into chunks (TimescaleDB) or partitions (plain PostgreSQL).

What differs between the editions of the server is behind `Chunks`: which pieces a table has, how
one is dropped, and whether one can be compressed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from psycopg import sql

from storage.database import Connection, ServerFacts
from storage.queries import query

COMMUNITY = "timescale"
"""The licence of TimescaleDB that has compression; the other is `apache`."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a table: rows with begin ≤ time < end. name: as SQL takes it. size: bytes."""

    name: str
    begin: datetime
    end: datetime
    size: int


class Chunks(Protocol):
    """What can be done with the pieces of a table."""

    compresses: bool
    """Whether `compress` makes them smaller here; else it does nothing."""

    async def of(self, conn: Connection, table: str) -> list[Chunk]:
        """The pieces of a table, the oldest first."""

    async def lock(self, conn: Connection, table: str, chunk: Chunk) -> None:
        """Keep everybody from a piece until the transaction ends; psycopg's `LockNotAvailable`
        where somebody needs it for longer than two seconds."""

    async def drop(self, conn: Connection, table: str, chunk: Chunk) -> None:
        """Drop a piece that is locked in this transaction."""

    async def compress(self, conn: Connection, table: str, before: datetime) -> int:
        """Compress the pieces that end before; how many were not yet."""


class TimescaleChunks:
    """Chunks of hypertables. They come by themselves; the licence tells whether they compress."""

    def __init__(self, *, compresses: bool) -> None:
        self.compresses = compresses

    async def of(self, conn: Connection, table: str) -> list[Chunk]:
        """The pieces of a table, the oldest first."""
        return await _chunks(conn, "chunks_timescale", table)

    async def lock(self, conn: Connection, table: str, chunk: Chunk) -> None:
        """Who writes to other chunks goes on."""
        await _lock(conn, "", chunk)

    async def drop(self, conn: Connection, table: str, chunk: Chunk) -> None:
        """A later sample of its time makes a new one."""
        bounds = {"table": table, "begin": chunk.begin, "end": chunk.end}
        await conn.execute(query("drop_chunk_timescale"), bounds)

    async def compress(self, conn: Connection, table: str, before: datetime) -> int:
        """Nothing to do under the Apache licence."""
        if not self.compresses:
            return 0
        found = await conn.execute(query("compressed_chunks"), {"table": table})
        done = {row[0] for row in await found.fetchall()}
        left = [one for one in await self.of(conn, table) if one.end <= before]
        left = [one for one in left if one.name not in done]
        if left and not done:
            await conn.execute(_filled("compression_on", table=table))
        for one in left:
            await conn.execute(query("compress_chunk"), {"chunk": one.name})
        return len(left)


class PlainChunks:
    """Range partitions. A writer who needs one makes it first, see `storage.partitions`."""

    compresses = False

    async def of(self, conn: Connection, table: str) -> list[Chunk]:
        """The pieces of a table, the oldest first."""
        return await _chunks(conn, "chunks_plain", table)

    async def lock(self, conn: Connection, table: str, chunk: Chunk) -> None:
        """Who drops a partition stops the whole table for a moment."""
        await _lock(conn, f"ONLY {table},", chunk)

    async def drop(self, conn: Connection, table: str, chunk: Chunk) -> None:
        """A later sample of its time gets a new one."""
        await conn.execute(_filled("drop_chunk_plain", chunk=chunk.name))

    async def compress(self, conn: Connection, table: str, before: datetime) -> int:
        """PostgreSQL has nothing of the kind."""
        return 0


def chunks_for(facts: ServerFacts) -> Chunks:
    """What this server can do."""
    if facts.timescale is None:
        return PlainChunks()
    return TimescaleChunks(compresses=facts.licence == COMMUNITY)


async def rewrite(conn: Connection, chunk: Chunk) -> None:
    """Give the room of deleted rows back to the disk; locks the piece meanwhile, and waits two
    seconds at most for that, else psycopg's `LockNotAvailable`."""
    found = await conn.execute(query("index_of_chunk"), {"chunk": chunk.name})
    row = await found.fetchone()
    assert row is not None, "samples are unique by tag and time"
    async with conn.transaction():
        await conn.execute(_filled("rewrite_chunk", chunk=chunk.name, index=row[0]), prepare=False)


async def _chunks(conn: Connection, statement: str, table: str) -> list[Chunk]:
    rows = await conn.execute(query(statement), {"table": table})
    return [Chunk(*row) for row in await rows.fetchall()]


async def _lock(conn: Connection, parent: str, chunk: Chunk) -> None:
    await conn.execute(_filled("lock_chunk", parent=parent, chunk=chunk.name), prepare=False)


def _filled(statement: str, **names: str) -> sql.Composed:
    """names: identifiers that the catalogue has quoted, or our own."""
    parts = {name: sql.SQL(said) for name, said in names.items()}
    return sql.SQL(query(statement).decode()).format(**parts)
