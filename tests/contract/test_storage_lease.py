"""Who may write, where the one who may is frozen, cut off, or has a clock of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import SystemClock
from hazwatch.recorded import Recorded
from storage import lease
from storage.database import Connection, DatabaseOptions, connect
from storage.lease import (
    LOOKS,
    Fence,
    LeaseLost,
    Seen,
    give_up,
    look,
    renew,
    take,
    take_when_free,
    watched,
)
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
    assert 60 <= clock.elapsed() <= 75


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
            seen = await look(rival, "main")
            assert await take(rival, "main", "b", at(61), MINUTE, seen) == Fence("main", 2)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await conn.execute("SELECT 1")


@pytest.mark.parametrize("rows", [b"", b"here\n" * 100_000], ids=["before", "within"])
async def test_who_is_frozen_in_a_copy_is_cut_off_by_whoever_takes_over(
    conn: Connection, database_url: str, rows: bytes
):
    """No timeout of the server's ends a COPY that waits for its client."""
    life = timedelta(seconds=1)
    options, clock = DatabaseOptions(database_url), SystemClock()
    frozen = await take(conn, "main", "a", clock.now(), life)
    assert frozen is not None
    with pytest.raises(psycopg.OperationalError):  # noqa: PT012  (one transaction, frozen within)
        async with conn.transaction(), conn.cursor() as cursor:
            await frozen.check(conn)
            await cursor.execute("CREATE TEMP TABLE copied (word text) ON COMMIT DROP")
            async with cursor.copy("COPY copied FROM STDIN") as copy:
                await copy.write(rows)
                async with asyncio.timeout(20):
                    fence = await take_when_free(options, "main", "b", clock, life)
    assert fence == Fence("main", 2)


async def test_a_renewal_does_not_wait_for_a_long_transaction_of_its_own_worker(
    conn: Connection, database_url: str
):
    fence = await take(conn, "main", "a", START, MINUTE)
    assert fence is not None
    async with await connect(DatabaseOptions(database_url)) as beside, conn.transaction():
        await fence.check(conn)
        async with asyncio.timeout(10):
            await renew(beside, fence, at(20), MINUTE)


async def test_a_transaction_of_one_that_renews_is_neither_ended_nor_waited_for(
    conn: Connection, database_url: str
):
    """However long it takes."""
    fence = await take(conn, "main", "a", START, MINUTE)
    assert fence is not None
    async with await connect(DatabaseOptions(database_url)) as beside:

        class Renewed(Impatient):
            async def asleep(self) -> None:
                if self.slept < 40:
                    await renew(beside, Fence("main", 1), at(self.elapsed()), MINUTE)
                elif self.slept == 40:
                    await conn.execute("SELECT 1")
                    await conn.commit()

        await conn.set_autocommit(False)
        await fence.check(conn)
        clock = Renewed()
        taken = await take_when_free(DatabaseOptions(database_url), "main", "b", clock, MINUTE)
    assert taken == Fence("main", 2)
    assert clock.slept > 40


async def test_a_database_that_stood_still_hands_no_lease_over(conn: Connection, database_url: str):
    """It answers the one who waits before it answers the holder, who could not renew for lives."""
    fence = await take(conn, "main", "a", START, MINUTE)
    assert fence is not None

    class Stalled(Impatient):
        async def asleep(self) -> None:
            if self.slept == LOOKS - 1:
                await self.advance(300)
            if self.slept in (2 * LOOKS - 2, 3 * LOOKS - 4):
                await renew(conn, Fence("main", 1), at(self.elapsed()), MINUTE)

    clock = Stalled()
    taken = await take_when_free(DatabaseOptions(database_url), "main", "b", clock, MINUTE)
    assert taken == Fence("main", 2)
    assert clock.slept >= 4 * LOOKS - 4


async def test_a_stall_while_it_is_being_taken_hands_no_lease_over(
    conn: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    fence = await take(conn, "main", "a", START, MINUTE)
    assert fence is not None
    clock, attempts = Impatient(), []
    at_once = lease.take

    async def stalled(*arguments: Any) -> Fence | None:
        attempts.append(clock.slept)
        taken = await at_once(*arguments)
        if len(attempts) == 1:
            await clock.advance(300)
        return taken

    monkeypatch.setattr(lease, "take", stalled)
    taken = await take_when_free(DatabaseOptions(database_url), "main", "b", clock, MINUTE)
    assert taken == Fence("main", 2)
    assert attempts[1] - attempts[0] > LOOKS


async def test_one_given_up_and_one_of_the_same_place_need_no_wait(
    conn: Connection, database_url: str
):
    options, clock = DatabaseOptions(database_url), Impatient()
    fence = await take(conn, "main", "a", START, MINUTE)
    assert fence is not None
    again = await take_when_free(options, "main", "a", clock, MINUTE)
    assert again == Fence("main", 2)
    await give_up(conn, again, at(1))
    assert await take_when_free(options, "main", "b", clock, MINUTE) == Fence("main", 3)
    assert clock.slept == 0


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=40))
def test_no_lease_is_over_that_moved_or_was_out_of_sight_within_its_life(
    looks: list[tuple[int, bool]],
):
    """(quarters since the look before, whether it was renewed in between), with a life of 4 s."""
    now, epoch, watch = 0.0, 1, None
    broken = 0.0
    for quarters, renewed in looks:
        passed = quarters / 4
        now, epoch = now + passed, epoch + renewed
        before = watch
        watch = watched(before, Seen("a", epoch, START, False), now, 4)
        if before is None or renewed or passed > 2:
            broken = now
        assert (watch.since, watch.until) == (broken, now)


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
            await take(conn, "main", "b", at(61), MINUTE, await look(conn, "main"))
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
