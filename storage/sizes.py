"""How large the database is, what a day adds, and what it comes to in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.chunks import Chunk, chunks_for
from storage.database import Connection, server_facts
from storage.queries import query
from storage.retention import Keep

DAY = timedelta(days=1)
LOOKED_AT = timedelta(days=8)
"""What was added in so many days before the present chunk is what a day adds."""
TABLES = ("sample", "sample_minute", "sample_hour")


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table that is kept for some days. size: bytes now. rows_a_day, bytes_a_day: what was added
    lately; None while there is too little to tell. days: how long it is kept."""

    table: str
    size: int
    oldest: datetime | None
    rows_a_day: float | None
    bytes_a_day: float | None
    days: int

    @property
    def in_the_end(self) -> float | None:
        """Bytes when nothing is added any more that nothing is dropped for."""
        return None if self.bytes_a_day is None else self.bytes_a_day * self.days


@dataclass(frozen=True, slots=True)
class Sizes:
    """tables: those with an age. others: bytes of the rest that grows. thinned: stored samples of
    days that the archive filter has been through, and how many of them went."""

    tables: Sequence[TableSize]
    others: int
    thinned: tuple[int, int]

    def full_after(self, free: int) -> float | None:
        """Days until `free` bytes are used up; None: never, or too early to tell."""
        known = [one for one in self.tables if one.bytes_a_day and one.in_the_end]
        growing = [one for one in known if (one.in_the_end or 0) > one.size]
        room = sum((one.in_the_end or 0) - one.size for one in growing)
        a_day = sum(one.bytes_a_day or 0 for one in growing)
        return free / a_day if room > free else None


async def sizes(conn: Connection, keep: Keep, at: datetime) -> Sizes:
    """As the server's catalogue has it; reads no rows. `at` is the present."""
    chunks = chunks_for(await server_facts(conn))
    days = dict(zip(TABLES, (keep.samples, keep.minutes, keep.hours), strict=True))
    pieces = {table: await chunks.of(conn, table) for table in TABLES}
    since = min((one.begin for one in pieces["sample"]), default=at)
    tables = [await _size(conn, table, pieces[table], days[table], since, at) for table in TABLES]
    others = await (await conn.execute(query("kept_sizes"))).fetchall()
    row = await (await conn.execute(query("thinned"))).fetchone()
    assert row is not None, "an aggregate without GROUP BY has one row"
    return Sizes(tables, sum(size for _, size in others), (row[0], row[1]))


async def _size(
    conn: Connection,
    table: str,
    chunks: Sequence[Chunk],
    days: int,
    since: datetime,
    at: datetime,
) -> TableSize:
    """since: when samples begin."""
    total = sum(one.size for one in chunks)
    oldest = chunks[0].begin if chunks else None
    lately = [one for one in chunks if at - LOOKED_AT <= one.end <= at]
    lately = lately or [one for one in chunks if one.begin <= at < one.end]
    span = sum((min(one.end, at) - max(one.begin, since) for one in lately), timedelta()) / DAY
    if span < 1 / 24:
        return TableSize(table, total, oldest, None, None, days)
    rows = 0
    for one in lately:
        found = await (await conn.execute(query("rows_in"), {"chunk": one.name})).fetchone()
        rows += (found and found[0]) or 0
    size = sum(one.size for one in lately)
    return TableSize(table, total, oldest, rows / span or None, size / span, days)


async def data_directory(conn: Connection) -> str | None:
    """Where the server keeps its data, on its own machine; None: it does not tell us."""
    row = await (await conn.execute(query("data_directory"))).fetchone()
    return None if row is None else str(row[0])
