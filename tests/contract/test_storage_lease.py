"""Who may write, where the one who may is frozen, cut off, or has a clock of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from hazwatch.recorded import Recorded
from storage import lease
from storage.database import Connection, DatabaseOptions, connect
from storage.lease import Fence, LeaseLost, renew, take, take_when_free
from tests.support.builders import START, at
from tests.support.clock import ManualClock

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Impatient(ManualClock):
    """A clock on which every sleep is over at once, and took as long as it should. asleep: called
    after each."""

    def __init__(self) -> None:
        super().__init__(START)
        self.slept = 0

    async def sleep(self, seconds: float) -> None:
        await self.advance(seconds)
        self.slept += 1
        await self.asleep()

    async def asleep(self) -> None:
        """Nothing."""


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[Connection]:
    async with await connect(DatabaseOptions(database_url)) as conn:
        yield conn


async def test_a_lease_of_a_holder_whose_clock_was_an_hour_ahead_ends_with_its_life(
    conn: Connection, database_url: str
):
    await take(conn, "main", "a", START + HOUR, MINUTE)
    clock = Impatient()
    fence = await take_when_free(DatabaseOptions(database_url), "main", "b", clock, MINUTE)
    assert fence == Fence("main", 2)
    assert 60 < clock.elapsed() <= 90


async def test_one_that_is_renewed_is_waited_for_whatever_its_times_say(
    conn: Connection, database_url: str
):
    await take(conn, "main", "a", START + HOUR, MINUTE)

    class Renewed(Impatient):
        async def asleep(self) -> None:
            if self.slept < 20:
                ahead = at(self.elapsed()) + HOUR
                await renew(conn, Fence("main", 1), ahead, MINUTE)

    clock = Renewed()
    fence = await take_when_free(DatabaseOptions(database_url), "main", "b", clock, MINUTE)
    assert fence == Fence("main", 2)
    assert clock.slept > 20


async def test_who_falls_silent_with_the_row_of_the_lease_is_cut_off(
    conn: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lease, "IDLE_S", 0.3)
    frozen = await take(conn, "main", "a", START, MINUTE)
    assert frozen is not None
    async with await connect(DatabaseOptions(database_url)) as rival, conn.transaction():
        await frozen.check(conn)
        async with asyncio.timeout(10):
            assert await take(rival, "main", "b", at(61), MINUTE) == Fence("main", 2)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await conn.execute("SELECT 1")


async def test_nobody_gets_an_answer_before_sending_once_another_has_taken_over(
    conn: Connection, database_url: str
):
    first = await take(conn, "main", "a", START, MINUTE)
    recorded = Recorded(DatabaseOptions(database_url), first)
    asking: list[asyncio.Task[object]] = []

    async def ask() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(recorded.run())
            assert await recorded.targets() == frozenset()
            await take(conn, "main", "b", at(61), MINUTE)
            asking.append(tasks.create_task(recorded.targets()))

    with pytest.raises(ExceptionGroup) as ended:
        await ask()
    assert ended.group_contains(LeaseLost)
    assert asking[0].cancelled()


async def test_a_machine_that_is_gone_holds_nothing_for_longer_than_20_s(database_url):
    async with await connect(DatabaseOptions(database_url)) as conn:
        asked = [f"tcp_keepalives_{part}" for part in ("idle", "interval", "count")]
        told = [await (await conn.execute(f"SHOW {name}")).fetchone() for name in asked]
    idle, every, count = (int(str(row[0])) for row in told if row is not None)
    assert idle + every * count == 20
