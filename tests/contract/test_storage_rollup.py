import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.frame import Frame
from domain.instant import micros
from storage import rollup
from storage.database import Connection, DatabaseOptions, connect
from storage.rollup_late import leave_parts
from storage.samples import Group, copy_ahead, finish, write_samples
from tests.support.builders import START, at, frame
from tests.support.rollups import Dying, Kept, Killed, ask, job, wrong

NAN = float("nan")
HOUR = 3600


@pytest.fixture
async def kept(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as conn:
        yield await Kept.of(conn)


async def test_nothing_stored_is_nothing_to_do(kept: Kept):
    assert await kept.roll_up()
    assert await kept.rolled() == {}


async def test_a_minute_and_its_hour_have_all_that_a_chart_needs(kept: Kept):
    offered = frame(
        (1, 7, 2.5), (30, 7, -1.0), (59, 7, NAN), (60, 7, 9.0), (3 * HOUR, 8, 0.0),
        quality=[192, 64, 0, 192, 192], received=3 * HOUR,
    )  # fmt: skip
    await kept.write(offered)
    assert await kept.roll_up(at(3 * HOUR + 20 * 60))
    minutes, hours = await kept.rolled(), await kept.rolled("sample_hour")
    assert minutes[7, START] == (-1.0, 2.5, 1.5, 2, 1, 2.5, -1.0, 0)
    assert minutes[7, at(60)] == (9.0, 9.0, 9.0, 1, 0, 9.0, 9.0, 192)
    assert hours == {(7, START): (-1.0, 9.0, 10.5, 3, 1, 2.5, 9.0, 0)}
    assert (await kept.state()).hours == at(3 * HOUR)


async def test_an_hour_is_not_finished_before_its_time(kept: Kept):
    await kept.write(frame((1, 7, 2.5), received=2))
    assert await kept.roll_up(at(HOUR + 9 * 60))
    assert await kept.rolled() == {}
    assert await kept.roll_up(at(HOUR + 10 * 60))
    assert len(await kept.rolled()) == 1


async def test_what_is_stored_beside_a_step_counts_once(kept: Kept, database_url: str):
    """A writer whose rows went ahead commits after the step of their stamp is over."""
    await kept.write(frame((1, 7, 1.0), received=2))
    async with await connect(DatabaseOptions(database_url)) as other:
        group = Group.of([frame((5, 7, 3.0), (6, 9, 4.0), received=6)], kept.last)
        async with other.transaction():
            await copy_ahead(other, group)
            assert await kept.roll_up(at(2 * HOUR))
            await finish(other, group)
    assert await kept.roll_up(at(2 * HOUR + 1))
    assert await wrong(kept) == []
    assert len(await kept.rolled()) == 2


async def test_a_step_waits_for_a_writer_who_has_looked(kept: Kept, database_url: str):
    await kept.write(frame((1, 7, 1.0), received=2))
    async with (
        await connect(DatabaseOptions(database_url)) as other,
        asyncio.TaskGroup() as tasks,
        other.transaction(),
    ):
        await write_samples(other, [frame((5, 7, 3.0), received=6)], kept.last)
        working = tasks.create_task(kept.roll_up(at(2 * HOUR)))
        while not await ask(other, "SELECT FROM pg_locks WHERE NOT granted"):
            assert not working.done()
    assert await wrong(kept) == []
    assert (await kept.rolled())[7, START].n == 2


async def test_what_was_stored_by_an_earlier_attempt_is_not_counted_again(kept: Kept):
    offered = frame((1, 7, 1.0), (2, 7, 2.0), received=2)
    await kept.write(offered)
    assert await kept.roll_up(at(2 * HOUR))
    async with kept.conn.transaction():
        outcomes = await write_samples(kept.conn, [offered], kept.last, again=True)
    assert outcomes[0].tolist() == [0, 0]
    assert await kept.roll_up(at(3 * HOUR))
    assert await wrong(kept) == []


async def test_years_of_history_are_rolled_up_in_bounded_spans_of_tables(timescale_url: str):
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        kept = await Kept.of(conn)
        await kept.write(frame((0, 7, 1.0), received=1))
        for year in range(3):
            days = [micros(START) - 86_400_000_000 * (365 * year + 3 * n) for n in range(1, 120)]
            await kept.write(Frame.of([7] * 119, days, range(119), received=micros(at(2 + year))))
        assert await kept.roll_up()
        assert len(await kept.rolled()) == 1 + 3 * 119
        assert await wrong(kept) == []


async def test_nothing_is_left_behind_where_nothing_is_late(kept: Kept):
    async with kept.conn.transaction():
        assert await leave_parts(kept.conn, Group.of([frame((1, 7, 1.0))], kept.last).rows) == 0
    assert await ask(kept.conn, "SELECT FROM rollup_late") == []


VALUES = st.sampled_from([0.0, -0.0, 2.25, -1.5, NAN, float("inf"), 1e300, 5e-324, 7.0])
SECONDS = st.tuples(st.integers(0, 200), st.sampled_from([0, 1, 59])).map(
    lambda m: m[0] * 60 + m[1]
)
SAMPLES = st.lists(st.tuples(SECONDS, st.integers(1, 2), VALUES), min_size=1, max_size=6)
STAMPS = st.integers(0, 14_000)
"""Of any time, also long before the newest: such as comes from a spool."""
DEEDS = st.one_of(
    st.tuples(st.just("write"), SAMPLES, STAMPS),
    st.tuples(st.just("write now"), SAMPLES, st.just(0)),
    st.tuples(st.just("overlap"), SAMPLES, STAMPS),
    st.tuples(st.just("work"), st.integers(1, 4), st.integers(0, 16_000)),
    st.tuples(st.just("killed"), st.integers(1, 3), st.integers(0, 16_000)),
)
EMPTY = """DELETE FROM sample; DELETE FROM tag_latest; DELETE FROM rollup_part;
DELETE FROM rollup_late; DELETE FROM sample_minute; DELETE FROM sample_hour;
UPDATE rollup_state SET done = '2000-01-01Z', closed = '2000-01-01Z', upto = '2000-01-01Z',
                        hours = '2000-01-01Z'"""


class Story:
    """What happens to a database, one deed after the other."""

    def __init__(self, kept: Kept, other: Connection) -> None:
        self.kept = kept
        self.other = other
        self.newest = 0.0
        self.until = START

    async def do(self, deed: Sequence) -> None:
        match deed:
            case ["write", samples, stamp]:
                await self.kept.write(frame(*samples, received=stamp))
            case ["write now", samples, _]:
                self.newest += 60
                await self.kept.write(frame(*samples, received=self.newest))
            case ["overlap", samples, stamp]:
                await self.overlap(frame(*samples, received=stamp))
            case ["work", pieces, until]:
                await self.work(pieces, until)
            case ["killed", pieces, until]:
                await self.killed(pieces, until)

    async def work(self, pieces: int, until: float) -> None:
        self.until = max(self.until, at(until))
        await self.kept.roll_up(self.until, pieces)

    async def killed(self, pieces: int, until: float) -> None:
        await self.work(pieces, until)
        dying = job(self.kept.facts, Dying("main", 1))
        with suppress(Killed):
            await dying.once(self.kept.conn, self.until)

    async def overlap(self, offered: Frame) -> None:
        await self.kept.cover(offered)
        group = Group.of([offered], self.kept.last)
        async with self.other.transaction():
            await copy_ahead(self.other, group)
            await self.work(2, 0)
            await finish(self.other, group)


async def check(url: str, deeds: list) -> None:
    """All roll-ups that are finished in the end, against the slow ones."""
    options = DatabaseOptions(url)
    async with await connect(options) as conn, await connect(options) as other:
        await conn.execute(EMPTY.encode(), prepare=False)
        story = Story(await Kept.of(conn), other)
        for deed in deeds:
            await story.do(deed)
        end = max(story.until, at(16_000)) + timedelta(hours=2)
        assert await story.kept.roll_up(end)
        assert not deeds or (await story.kept.state()).hours >= at(4 * HOUR)
        assert await wrong(story.kept) == []
        assert await ask(conn, "SELECT FROM rollup_late") == []


UNHURRIED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(st.lists(DEEDS, max_size=14))
@settings(UNHURRIED, max_examples=20)
def test_whatever_comes_in_whatever_order_the_roll_ups_of_finished_hours_are_the_slow_ones(
    database_url: str, deeds: list
):
    asyncio.run(check(database_url, deeds))


@pytest.mark.soak
@given(st.lists(DEEDS, min_size=5, max_size=40))
@settings(UNHURRIED, max_examples=150)
def test_also_in_long_stories(database_url: str, deeds: list):
    asyncio.run(check(database_url, deeds))


async def test_what_comes_now_does_not_wait_behind_what_came_late(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rollup, "MERGED_AT_ONCE", 5)
    await kept.write(frame((1, 7, 1.0), received=2))
    assert await kept.roll_up(at(3 * HOUR))
    await kept.write(frame(*[(-minute * 60, 8, 1.0) for minute in range(100)], received=10))
    await kept.write(frame((4 * HOUR, 7, 2.0), received=4 * HOUR))
    await kept.roll_up(at(5 * HOUR), most=8)
    assert (await kept.state()).done >= at(4 * HOUR)
    assert (await ask(kept.conn, "SELECT count(*) > 0 FROM rollup_late"))[0][0]
    assert await kept.roll_up(at(5 * HOUR + 1))
    assert await wrong(kept) == []
