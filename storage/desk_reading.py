"""What the desks on the command line read: alarms and warning cases with everything around them.

It reads and never writes. `whole` in a row is the row of the table as JSON, with the columns of
whatever release made it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row

from domain.cases import RUNGS
from domain.frame import Lane
from domain.risk import Colour
from storage.database import Connection
from storage.outbox_reading import OUTBOX, Event, newest, read_after
from storage.people import NodeUnclear
from storage.queries import query
from storage.reading import Reading, Row

FLAGS = ("shelved", "suppressed", "out_of_service")
"""Columns of an occurrence, each NULL where the flag is not set."""
NOTICES = 500
ALL = 1 << 40
AT_ONCE = 2_000
"""Rows of an export that are fetched together."""
FOLLOWED = 500
POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class AlarmsAsked:
    """Which occurrences. None does not filter; open: all but NORM; nodes: with all below; begin,
    end: of the onset, the end not in it; id: what it begins with."""

    open: bool = False
    lane: Lane | None = Lane.LIVE
    states: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    nodes: tuple[int, ...] | None = None
    tag: str | None = None
    active: bool | None = None
    unacked: bool = False
    flags: tuple[str, ...] | None = None
    begin: datetime | None = None
    end: datetime | None = None
    id: str | None = None

    def values(self, limit: int) -> dict[str, object]:
        """As `desk_alarms` takes them."""
        return {
            "open": self.open,
            "lane": None if self.lane is None else int(self.lane),
            **_lists(self, ("states", "priorities", "kinds", "nodes", "flags")),
            "tag": self.tag,
            "active": self.active,
            "unacked": self.unacked,
            "begin": self.begin,
            "end": self.end,
            "id": self.id,
            "limit": limit,
        }


@dataclass(frozen=True, slots=True)
class CasesAsked:
    """Which cases. None does not filter; open: not closed; colours: of now; worst: so far;
    begin, end: of the opening."""

    open: bool | None = None
    states: tuple[str, ...] | None = None
    colours: tuple[Colour, ...] | None = None
    worst: tuple[Colour, ...] | None = None
    nodes: tuple[int, ...] | None = None
    unreceived: bool = False
    begin: datetime | None = None
    end: datetime | None = None
    id: str | None = None

    def values(self, limit: int) -> dict[str, object]:
        """As `desk_cases` takes them."""
        return {
            "open": self.open,
            **_lists(self, ("states", "nodes")),
            "colours": None if self.colours is None else [int(one) for one in self.colours],
            "worst": None if self.worst is None else [int(one) for one in self.worst],
            "unreceived": self.unreceived,
            "begin": self.begin,
            "end": self.end,
            "id": self.id,
            "limit": limit,
        }


def _lists(asked: object, names: Sequence[str]) -> dict[str, object]:
    given = {name: getattr(asked, name) for name in names}
    return {name: None if value is None else list(value) for name, value in given.items()}


async def find_node(reading: Reading, words: str, kind: str | None = None) -> Row:
    """The node of this kind that is called so: its code, its name, or the end of its path.

    Raises `NodeUnclear` where there is none, or more than one.
    """
    nodes = [row for row in await reading.rows("desk_nodes") if kind is None or row["kind"] == kind]
    wanted = words.split("/")
    fitting = [
        row for row in nodes if row["codes"][-len(wanted) :] == wanted or row["name"] == words
    ]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join("/".join(row["codes"][-2:]) for row in (fitting or nodes)[:20])
    what = kind or "node"
    said = f"more than one {what} fits" if fitting else f"no {what} is called"
    raise NodeUnclear(f"{said} {words!r}; there is: {known or 'none yet, load a site first'}")


async def alarms(reading: Reading, asked: AlarmsAsked, limit: int) -> list[Row]:
    """Occurrences as the desk sorts them."""
    return await reading.rows("desk_alarms", **asked.values(limit))


async def alarm_journal(reading: Reading, id: UUID) -> list[Row]:
    """Every transition of an occurrence, in order."""
    return await reading.rows("desk_alarm_journal", id=id)


async def notices(reading: Reading, id: UUID) -> list[Row]:
    """What went out for an occurrence or a case."""
    return await reading.rows("desk_notices", id=id, limit=NOTICES)


async def cases_of(reading: Reading, alarm: UUID) -> list[Row]:
    """The cases that refer to an occurrence, the newest first."""
    return await reading.rows("desk_cases_of", id=alarm)


async def cases(reading: Reading, asked: CasesAsked, limit: int) -> list[Row]:
    """Cases as the desk sorts them, each with its `ladder`: the newest rungs in order."""
    found = await reading.rows("desk_cases", **asked.values(limit))
    ids = [row["id"] for row in found]
    rungs = await reading.rows("desk_rungs", cases=ids, limit=RUNGS) if ids else []
    return _laddered(found, rungs)


def _laddered(rows: list[Row], rungs: list[Row]) -> list[Row]:
    ladders: dict[UUID, list[Row]] = {row["id"]: [] for row in rows}
    for rung in rungs:
        ladders[rung["case_id"]].append(rung)
    return [row | {"ladder": ladders[row["id"]]} for row in rows]


async def case_journal(reading: Reading, id: UUID) -> list[Row]:
    """Every transition of a case, in order; before, colour: around each."""
    return await reading.rows("desk_case_journal", id=id)


async def alarms_of(reading: Reading, ids: Sequence[UUID]) -> list[Row]:
    """The occurrences that a case refers to, by onset."""
    return await reading.rows("desk_alarms_of", ids=list(ids))


async def self_test_nodes(reading: Reading) -> frozenset[int]:
    """Nodes whose events are for nobody."""
    return frozenset(row["id"] for row in await reading.rows("desk_self_test"))


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows of an export as of one moment, and how many there are."""

    total: int
    cursor: AsyncCursor[DictRow]
    beside: AsyncCursor[DictRow] | None

    async def batches(self) -> AsyncIterator[list[Row]]:
        """All of them, some at a time; cases with their ladders."""
        while rows := await self.cursor.fetchmany(AT_ONCE):
            yield rows if self.beside is None else _laddered(rows, await self._rungs(rows))

    async def _rungs(self, rows: list[Row]) -> list[Row]:
        assert self.beside is not None, "asked for cases alone"
        asked = {"cases": [row["id"] for row in rows], "limit": RUNGS}
        return await (await self.beside.execute(query("desk_rungs"), asked)).fetchall()


@asynccontextmanager
async def streamed(conn: Connection, asked: AlarmsAsked | CasesAsked) -> AsyncIterator[Stream]:
    """The whole of what is asked for, from one moment; `conn` must be idle."""
    name = "desk_alarms" if isinstance(asked, AlarmsAsked) else "desk_cases"
    values = asked.values(ALL)
    async with conn.transaction():
        await conn.execute(query("read_registry_together"))
        counting = b"SELECT count(*) FROM (" + query(name) + b") AS found"
        row = await (await conn.execute(counting, values)).fetchone()
        assert row is not None, "an aggregate without GROUP BY has one row"
        async with (
            conn.cursor("desk_export", row_factory=dict_row) as cursor,
            conn.cursor(row_factory=dict_row) as beside,
        ):
            cursor.itersize = AT_ONCE
            await cursor.execute(query(name), values)
            yield Stream(int(row[0]), cursor, beside if name == "desk_cases" else None)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Events were pruned before they could be shown; it goes on after `seq`."""

    seq: int


async def followed(
    reading: Reading, kinds: Sequence[str], after: int | None
) -> AsyncIterator[Event | Skipped]:
    """Events of these types after a place of the stream, None: from now on; for ever.

    Raises `DatabaseAway`; then one goes on behind the last event.
    """
    ours = await self_test_nodes(reading)
    cursor = await newest(reading) if after is None else after
    async with reading.listener(OUTBOX) as listening:
        while True:
            page = await read_after(reading, cursor, FOLLOWED)
            if page.reset_to is not None:
                cursor = page.reset_to
                yield Skipped(cursor)
            for event in page.events:
                cursor = event.seq
                if event.type in kinds and event.enterprise not in ours:
                    yield event
            if len(page.events) < FOLLOWED:
                async for _ in listening.notifies(timeout=POLL_S, stop_after=1):
                    pass


async def source_names(reading: Reading) -> dict[int, tuple[str, str]]:
    """(name of the enterprise, its own name) of every hazard source."""
    nodes = await reading.rows("desk_nodes")
    names = {tuple(row["codes"]): row["name"] for row in nodes if row["kind"] == "enterprise"}
    return {
        row["id"]: (names.get(tuple(row["codes"][:-1]), ""), row["name"])
        for row in nodes
        if row["kind"] == "source"
    }
