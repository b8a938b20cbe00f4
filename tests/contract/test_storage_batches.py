"""Transactions of batches against who drops, cuts off and asks at the wrong moment."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from domain.clock import SystemClock
from domain.frame import Frame
from domain.instant import micros
from ingest.batch import Batch
from storage import latest
from storage.batches import BatchStore, Planned
from storage.database import Connection, DatabaseAway, DatabaseOptions, connect
from storage.days import day_groups
from storage.lease import Fence
from storage.retention import Keep, Retention
from storage.samples import NOTHING
from tests.support.builders import START, at, frame
from tests.support.journaling import ask, batch, leased
from tests.support.rollups import Anybody, Kept
from tests.support.seed import Plant, Seed

DAY = 86_400


class Site:
    """A plant, a connection and a store under a lease."""

    def __init__(self, plant: Plant, conn: Connection, fence: Fence) -> None:
        self.conn = conn
        self.fence = fence
        self.store = BatchStore(fence, SystemClock())
        self.tag = plant.tags[0][0]
        self._plant = plant

    def batch(self, frame: Frame) -> Batch:
        """A message with this frame."""
        return batch(self._plant, frame.received, frame)

    def plan(self, number: int, frame: Frame) -> Planned:
        """A group of one message."""
        return self.store.plan(self.fence.epoch, [(number, self.batch(frame))])

    async def ask(self, statement: str) -> object:
        """The only value of the answer."""
        return (await ask(self.conn, statement))[0][0]


@pytest.fixture
async def site(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as conn:
        site = Site(Seed(database_url).plant(), conn, await leased(database_url))
        await site.store.get_ready(conn)
        yield site


async def test_a_day_that_is_dropped_before_its_samples_come_gets_its_place_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    """Retention takes an empty partition of long ago between making it and writing to it."""
    make_room = site.store._make_room
    dropped: list[int] = []

    async def and_drop(conn: Connection, planned: Planned) -> None:
        await make_room(conn, planned)
        if not dropped:
            dropped.append(1)
            facts = (await Kept.of(conn)).facts
            await conn.execute(b"UPDATE rollup_state SET hours = now()")
            await Retention(Anybody("main", 1), facts).once(conn, Keep(samples=30), START)

    monkeypatch.setattr(site.store, "_make_room", and_drop)
    planned = site.plan(0, frame((-400 * DAY, site.tag, 1.0), received=5))
    stored = await site.store.write(site.conn, planned)
    assert [one.total.stored for one in stored] == [1]
    assert await site.ask("SELECT count(*) FROM sample") == 1


async def test_a_commit_that_was_not_heard_of_is_in_the_newest_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    """The line is cut at a commit whose newest values are to be written later."""
    monkeypatch.setattr(latest, "ROWS_PER_S", 0)
    await site.store.write(site.conn, site.plan(0, frame((1, site.tag, 1.0))))
    committed = latest.Latest.committed
    cut = True

    def or_not(self: latest.Latest, followed: latest.Followed, now: float) -> None:
        nonlocal cut
        if cut:
            cut = False
            raise DatabaseAway("cut")
        committed(self, followed, now)

    monkeypatch.setattr(latest.Latest, "committed", or_not)
    planned = site.plan(1, frame((2, site.tag, 2.0)))
    with pytest.raises(DatabaseAway):
        await site.store.write(site.conn, planned)
    assert await site.store.write(site.conn, planned) == [NOTHING]
    await site.store.write_latest(site.conn)
    assert await site.ask("SELECT max(value) FROM tag_latest") == 2.0
    assert await site.ask("SELECT count(*) FROM latest_behind") == 0


async def test_what_goes_ahead_of_a_wide_batch_is_marked_to_be_judged(site: Site):
    """Else retention may drop it before the rest has come."""
    days = range(-420, -20)
    wide = frame(*[(day * DAY, site.tag, float(day)) for day in days], received=5)
    span = (site.tag, micros(at(-420 * DAY)), micros(at(-21 * DAY)))
    sent = replace(site.batch(wide), dirty=(span,))
    (first, *_) = day_groups(wide.time)
    await site.store.write_ahead(site.conn, site.fence.epoch, 0, sent, first)
    assert await site.ask("SELECT count(*) FROM sample") == len(first)
    assert await site.ask("SELECT min(time_from) FROM dirty_range") == at(-420 * DAY)


async def test_bringing_the_newest_up_to_date_needs_few_locks(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    """A server has places for some thousand: each day of samples takes several."""
    for begin in range(-500, 0, 100):
        days = range(begin, begin + 100)
        kept = await Kept.of(site.conn)
        await kept.write(frame(*[(day * DAY, site.tag, float(day)) for day in days]))
    await site.conn.execute(b"DELETE FROM tag_latest")
    await site.conn.execute(b"INSERT INTO latest_behind VALUES ('main', '2000-01-01Z')")
    most = 0
    bring_up = site.conn.execute

    async def counted(*asked: Any, **how: Any) -> Any:
        nonlocal most
        async with site.conn.transaction():
            result = await bring_up(*asked, **how)
            found = await bring_up(b"SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()")
            most = max(most, *(row[0] for row in await found.fetchall()))
        return result

    monkeypatch.setattr(site.conn, "execute", counted)
    await latest.Latest("main").catch_up(site.conn)
    assert 0 < most < 1000
    assert await site.ask("SELECT max(value) FROM tag_latest") == -1.0
    assert await site.ask("SELECT count(*) FROM latest_behind") == 0


async def test_a_new_day_does_not_hold_up_the_group_before(site: Site, database_url: str):
    """Who makes a chunk keeps others from making it until the commit, which comes in turn."""
    first, second = (site.plan(n, frame((3 * DAY + n, site.tag, 1.0))) for n in range(2))
    committed, began = asyncio.Event(), asyncio.Event()

    async def turn() -> None:
        began.set()
        await committed.wait()

    async with (
        await connect(DatabaseOptions(database_url)) as other,
        asyncio.timeout(10),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(site.store.write(other, second, turn))
        await began.wait()
        await site.store.write(site.conn, first)
        committed.set()
    assert await site.ask("SELECT count(*) FROM sample") == 2
