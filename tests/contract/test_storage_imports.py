"""Pieces of an import: of many days, tried again after a failure, beside another process."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from domain.frame import Flag, Frame, Ints
from domain.instant import micros, moment
from storage import imports
from storage.database import Connection, DatabaseOptions, connect
from storage.days import DAY, DAYS_AT_ONCE
from storage.imports import ImportElsewhere, ImportFile, ImportStore, NewImport, PieceToStore
from storage.partitions import RangePartitions
from storage.samples import Outcomes
from tests.support.seed import Plant, Seed

NOW = datetime(2026, 11, 21, 8, 0, 0, 5, tzinfo=UTC)
FIRST = micros(datetime(2020, 1, 1, tzinfo=UTC))
N = DAYS_AT_ONCE + 10
HISTORY = int(Flag.HISTORY | Flag.HISTORICAL)


class Killed(Exception):
    """Stands for the end of the process, after what was committed by then."""


@pytest.fixture
def plant(database_url: str) -> Plant:
    return Seed(database_url).plant()


@pytest.fixture
async def conn(database_url: str, plant: Plant) -> AsyncIterator[Connection]:
    async with await connect(DatabaseOptions(database_url)) as made:
        yield made


async def asked(conn: Connection, statement: str) -> int:
    row = await (await conn.execute(statement)).fetchone()
    assert row is not None
    return int(row[0])


async def begun(conn: Connection, plant: Plant, *, again: bool = False) -> ImportFile:
    enterprise = await asked(conn, "SELECT enterprise FROM tag LIMIT 1")
    new = NewImport(enterprise, "d", "p", "f.csv", 9, {"a": 1}, None, "li", 100, 2)
    return await imports.begin(conn, new, again, NOW)


def piece(tag: int, begin: int, end: int, value: float = 1.0, n: int = N) -> PieceToStore:
    """A sample a day, and the last one twice."""
    time = FIRST + np.append(np.arange(n), n - 1) * DAY
    tags = np.full(len(time), tag, np.int32)

    def frame(which, received: int) -> Frame:
        values = np.full(len(which), value)
        at = time[which]
        return Frame.of(tags[which], at, values, received=received, flags=HISTORY)

    def report(outcomes: Outcomes, file: ImportFile) -> int:
        assert len(outcomes) == len(time)
        return file.reported + 10

    rows = (n + 1, 0, n + 1, 0, 0)
    return PieceToStore(tags, time, frame, begin, end, 3, 0.5, *rows, {"x": 2}, report)


async def test_a_piece_that_was_half_stored_counts_as_if_it_had_been_stored_once(
    conn: Connection, plant: Plant
):
    tag = plant.tags[0][0]
    file = await begun(conn, plant)
    first = piece(tag, 100, 200)

    def killed(outcomes: Outcomes, file: ImportFile) -> int:
        raise Killed

    with pytest.raises(Killed):
        await ImportStore(file.id).write(conn, replace(first, report=killed), NOW)
    half = await asked(conn, "SELECT count(*) FROM sample")
    assert half == DAYS_AT_ONCE, "the days of the first transaction"
    assert (await begun(conn, plant)).position == 100

    done = await ImportStore(file.id).write(conn, first, NOW)
    assert (done.stored, done.duplicate, done.conflict) == (N, 1, 0)
    assert (done.position, done.line, done.pieces, done.reported) == (200, 3, 1, 10)
    assert (done.time_from, done.time_to) == (moment(FIRST), moment(FIRST + (N - 1) * DAY))
    same = await ImportStore(file.id).write(conn, first, NOW)
    assert same == done, "the commit was there, though nobody heard of it"

    other = await ImportStore(file.id).write(conn, piece(tag, 200, 300, value=2.0), NOW)
    assert (other.stored, other.duplicate, other.conflict) == (N, 1, N + 1)
    assert other.problems == {"x": 4}
    stamps = await (await conn.execute("SELECT DISTINCT received_at FROM sample")).fetchall()
    assert stamps == [(NOW,)]


async def test_one_import_at_a_time(conn: Connection, plant: Plant):
    tag = plant.tags[0][0]
    file = await begun(conn, plant)
    for begin, end in ((100, 200), (200, 300)):
        await ImportStore(file.id).write(conn, piece(tag, begin, end, n=2), NOW)
    with pytest.raises(ImportElsewhere):
        await ImportStore(file.id).write(conn, piece(tag, 100, 200, n=2), NOW)
    finished = await imports.finish(conn, file.id, NOW)
    assert finished.finished_at == NOW
    assert (await begun(conn, plant)).id == file.id
    anew = await begun(conn, plant, again=True)
    assert (anew.again, anew.position, anew.finished_at) == (1, 100, None)
    assert (await begun(conn, plant, again=True)).id == anew.id, "it is under way"
    assert [one.id for one in await imports.all_imports(conn, 9)] == [anew.id, file.id]


async def test_far_more_standing_than_coming_is_asked_for_one_by_one(
    conn: Connection, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    tag = plant.tags[0][0]
    file = await begun(conn, plant)
    await ImportStore(file.id).write(conn, piece(tag, 100, 200, n=20), NOW)

    async def too_many(*_: object) -> None:
        return None

    monkeypatch.setattr(imports, "standing", too_many)
    done = await ImportStore(file.id).write(conn, piece(tag, 200, 300, n=30), NOW)
    assert (done.stored, done.duplicate, done.conflict) == (30, 22, 0)


async def test_partitions_that_are_dropped_before_the_piece_comes_are_made_again(
    conn: Connection, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    cover, dropped = RangePartitions.cover, list[int]()

    async def and_drop(self: RangePartitions, conn: Connection, time: Ints, at: datetime) -> None:
        await cover(self, conn, time, at)
        if not dropped:
            dropped.append(1)
            await conn.execute(b"DROP TABLE sample_m202001")

    monkeypatch.setattr(RangePartitions, "cover", and_drop)
    file = await begun(conn, plant)
    done = await ImportStore(file.id).write(conn, piece(plant.tags[0][0], 100, 200), NOW)
    assert (done.stored, done.duplicate) == (N, 1)
    assert await asked(conn, "SELECT count(*) FROM sample") == N
