"""Where samples lie: partitions of `sample` that plain PostgreSQL needs before the rows come.

A day gets a partition of its own. A month that has none yet and is older than `ARCHIVE_AFTER` gets
one for the whole of it, so that importing years of history makes hundreds of tables, not thousands.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from psycopg import sql

from domain.frame import Ints
from domain.instant import EPOCH
from storage.database import Connection, ServerFacts
from storage.days import days
from storage.queries import query

ARCHIVE_AFTER = timedelta(days=62)

Span = tuple[date, date]
"""First day, and the day after the last."""


class Partitions(Protocol):
    """Makes room for samples."""

    async def cover(self, conn: Connection, time: Ints, at: datetime) -> None:
        """Make sure that samples of these times (int64[n], microseconds) can be stored.

        Outside of a transaction: what was made is remembered. `at` is the present.
        """
        ...


class Hypertable:
    """TimescaleDB makes its chunks by itself."""

    async def cover(self, conn: Connection, time: Ints, at: datetime) -> None:
        """Nothing to do."""


class RangePartitions:
    """Partitions by day, and by month for what is long past; named `sample_d…` and `sample_m…`."""

    def __init__(self) -> None:
        self._covered: set[date] = set()

    async def cover(self, conn: Connection, time: Ints, at: datetime) -> None:
        """Make what is missing, one process at a time; days seen before cost nothing."""
        missing = days_of(time) - self._covered
        if not missing:
            return
        async with conn.transaction():
            await conn.execute(query("lock_partitions"))
            spans = await self._present(conn)
            for day in sorted(missing):
                if not any(first <= day < after for first, after in spans):
                    span = span_for(day, spans, at.astimezone(UTC).date())
                    await _make(conn, span)
                    spans.append(span)
        self._covered |= missing

    async def _present(self, conn: Connection) -> list[Span]:
        return await (await conn.execute(query("sample_partitions"))).fetchall()


def partitions(facts: ServerFacts) -> Partitions:
    """What this server needs."""
    return RangePartitions() if facts.partitioned else Hypertable()


def days_of(time: Ints) -> set[date]:
    """The UTC days of instants in microseconds."""
    return {(EPOCH + timedelta(days=int(day))).date() for day in days(time)}


def span_for(day: date, present: list[Span], today: date) -> Span:
    """What to make for a day without a partition: never overlapping one that is `present`."""
    month = _month(day)
    untouched = not any(first < month[1] and month[0] < after for first, after in present)
    if untouched and month[1] <= today - ARCHIVE_AFTER:
        return month
    return day, day + timedelta(days=1)


def _month(day: date) -> Span:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


async def _make(conn: Connection, span: Span) -> None:
    first, after = span
    single = after - first == timedelta(days=1)
    name = f"sample_d{first:%Y%m%d}" if single else f"sample_m{first:%Y%m}"
    for statement in ("create_partition", "attach_partition"):
        await conn.execute(
            sql.SQL(query(statement).decode()).format(
                name=sql.Identifier(name),
                first=sql.Literal(f"{first.isoformat()} 00:00:00+00"),
                after=sql.Literal(f"{after.isoformat()} 00:00:00+00"),
            )
        )
