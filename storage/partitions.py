"""Where rows lie: partitions that plain PostgreSQL needs before the rows come.

Of samples a day gets a partition of its own. A month that has none yet and is older than
`ARCHIVE_AFTER` gets one for the whole of it, so that importing years of history makes hundreds of
tables, not thousands. Roll-ups by minute lie in months, those by hour in years.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from psycopg import sql

from domain.frame import Ints
from domain.instant import EPOCH
from storage.database import Connection, ServerFacts
from storage.days import days
from storage.queries import query

ARCHIVE_AFTER = timedelta(days=62)
SURE = timedelta(days=29)
"""What is younger is never dropped (`storage.retention`): a partition that was there still is."""

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
        """Make what is missing, one process at a time; days seen before cost nothing, but for those
        that may have been dropped."""
        missing = days_of(time) - self._covered
        if not missing:
            return
        today = at.astimezone(UTC).date()
        async with conn.transaction():
            spans = await _locked(conn, "sample")
            for day in sorted(missing):
                if not any(first <= day < after for first, after in spans):
                    span = span_for(day, spans, today)
                    await _make(conn, "sample", span)
                    spans.append(span)
        self._covered |= {day for day in missing if day > today - SURE}


class RollupRoom:
    """Partitions of `sample_minute` and `sample_hour`, where we have to make them."""

    def __init__(self, facts: ServerFacts) -> None:
        self._ours = facts.partitioned

    async def cover(self, conn: Connection, times: Iterable[datetime]) -> None:
        """Make sure that roll-ups of these times can be stored. Outside of a transaction."""
        if not self._ours:
            return
        days = {time.astimezone(UTC).date() for time in times}
        wanted = {"sample_minute": {_month(day) for day in days}}
        wanted["sample_hour"] = {_year(day) for day in days}
        async with conn.transaction():
            for table, spans in wanted.items():
                for span in sorted(spans - set(await _locked(conn, table))):
                    await _make(conn, table, span)


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


def _year(day: date) -> Span:
    return date(day.year, 1, 1), date(day.year + 1, 1, 1)


async def _locked(conn: Connection, table: str) -> list[Span]:
    """The spans of the partitions there are; nobody else makes any until the transaction ends."""
    await conn.execute(query("lock_partitions"))
    return await (await conn.execute(query("partitions_of"), {"table": table})).fetchall()


async def _make(conn: Connection, table: str, span: Span) -> None:
    first, after = span
    name = f"{table}_m{first:%Y%m}"
    if after - first == timedelta(days=1):
        name = f"{table}_d{first:%Y%m%d}"
    elif after - first > timedelta(days=31):
        name = f"{table}_y{first:%Y}"
    for statement in ("create_partition", "attach_partition"):
        await conn.execute(
            sql.SQL(query(statement).decode()).format(
                name=sql.Identifier(name),
                table=sql.Identifier(table),
                first=sql.Literal(f"{first.isoformat()} 00:00:00+00"),
                after=sql.Literal(f"{after.isoformat()} 00:00:00+00"),
            )
        )
