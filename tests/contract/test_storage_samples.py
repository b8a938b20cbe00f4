import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.frame import Flag, Frame
from domain.instant import micros
from storage.database import Connection, DatabaseOptions, connect, server_facts
from storage.partitions import Partitions, partitions
from storage.samples import LastStored, Outcome, write_samples
from storage.snapshots import samples_after, samples_between
from tests.support.builders import START, at, frame
from tests.support.journaling import ask

NAN = float("nan")


class Store:
    """The way of samples into one database."""

    def __init__(self, conn: Connection, room: Partitions) -> None:
        self.conn = conn
        self.last = LastStored()
        self._room = room

    async def write(self, *frames: Frame) -> list[list[str]]:
        times = np.concatenate([one.time for one in frames])
        await self._room.cover(self.conn, times, START)
        async with self.conn.transaction():
            outcomes = await write_samples(self.conn, frames, self.last)
        return [[Outcome(int(o)).name for o in one] for one in outcomes]

    async def rows(self) -> Sequence[tuple[object, ...]]:
        return await ask(self.conn, "SELECT tag_id, time, value FROM sample ORDER BY tag_id, time")

    async def latest(self) -> dict[object, tuple[object, object]]:
        rows = await ask(self.conn, "SELECT tag_id, time, value FROM tag_latest")
        return {tag: (time, value) for tag, time, value in rows}


@pytest.fixture
async def store(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as conn:
        yield Store(conn, partitions(await server_facts(conn)))


async def test_what_the_server_is_comes_from_the_server(store: Store):
    facts = await server_facts(store.conn)
    assert facts.version >= 160000
    assert (facts.timescale is None) == facts.partitioned == (facts.licence is None)


async def test_a_sample_is_stored_bit_by_bit(store: Store):
    odd = [0.0, -0.0, 5e-324, 1.7976931348623157e308, NAN, float("inf"), 0.1]
    instants = [micros(START) + n for n in range(7)]
    offered = Frame.of(
        [2_000] * 7,
        [0] * 7,
        odd,
        received=micros(at(9)) + 1,
        time=instants,
        quality=[0, 28, 64, 85, 192, 195, 255],
        flags=[0, 1, 2, 4, 8, 16, 31],
    )
    assert await store.write(offered) == [["STORED"] * 7]
    found = await samples_between(store.conn, 2_000, START, at(1))
    assert found.value.tobytes() == offered.value.tobytes()
    assert found.time.tolist() == instants
    assert found.quality.tolist() == offered.quality.tolist()
    assert found.flags.tolist() == offered.flags.tolist()
    assert found.received == offered.received


async def test_of_one_tag_and_time_the_first_stands_within_a_frame_and_between_frames(store: Store):
    first = frame((1, 7, 5.0), (1, 7, 6.0), (1, 7, 5.0), (1, 8, NAN), (1, 8, NAN))
    assert await store.write(first, frame((1, 7, 5.0), (2, 7, 1.0))) == [
        ["STORED", "CONFLICT", "DUPLICATE", "STORED", "DUPLICATE"],
        ["DUPLICATE", "STORED"],
    ]
    again = frame((1, 7, 9.0), (1, 7, 5.0), (1, 8, 0.0), (1, 8, NAN), (0, 8, 3.0))
    assert await store.write(again) == [
        ["CONFLICT", "DUPLICATE", "CONFLICT", "DUPLICATE", "STORED"]
    ]


async def test_a_copy_that_meets_what_is_there_after_all_falls_back_and_nothing_is_lost(
    store: Store,
):
    await store.write(frame((1, 7, 5.0)))
    store.last = LastStored()
    assert await store.write(frame((1, 7, 5.0), (2, 7, 6.0), (1, 8, 1.0))) == [
        ["DUPLICATE", "STORED", "STORED"]
    ]
    assert len(await store.rows()) == 3


async def test_a_failed_transaction_leaves_no_trace_and_its_repeat_is_stored(store: Store):
    await store.write(frame((0, 7, 1.0)))
    async with store.conn.transaction(force_rollback=True):
        await write_samples(store.conn, [frame((1, 7, 5.0))], store.last)
    assert await store.write(frame((1, 7, 5.0))) == [["STORED"]]
    assert await store.latest() == {7: (at(1), 5.0)}


async def test_late_history_does_not_replace_the_newest(store: Store):
    await store.write(frame((10, 7, 1.0), (5, 8, 2.0)))
    await store.write(frame((3, 7, 9.0), (11, 8, 0.0), (4, 8, 9.0)))
    assert await store.latest() == {7: (at(10), 1.0), 8: (at(11), 0.0)}


async def test_a_conflict_does_not_become_the_newest(store: Store):
    await store.write(frame((10, 7, 1.0)))
    await store.write(frame((10, 7, 2.0)))
    assert await store.latest() == {7: (at(10), 1.0)}


async def test_an_empty_frame_is_no_trouble(store: Store):
    assert await store.write(frame(), frame((1, 7, 1.0)), frame()) == [[], ["STORED"], []]
    assert await store.write(frame()) == [[]]


async def test_samples_from_the_year_2000_to_tomorrow_find_their_place(store: Store):
    days = [0, -1, -61, -62, -63, -64, -120, -1000, -9_820, 1]
    for day in days:
        await store.write(frame((day * 86_400, 7, float(day))))
    await store.write(frame(*((day * 86_400 + 1, 7, 0.0) for day in days)))
    assert len(await store.rows()) == 2 * len(days)


async def test_a_year_of_history_makes_a_table_for_each_month(plain_url: str):
    async with await connect(DatabaseOptions(plain_url)) as conn:
        store = Store(conn, partitions(await server_facts(conn)))
        days = [datetime(2001, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
        instants = [micros(day) for day in days]
        await store.write(Frame.of([7] * 365, instants, [1.0] * 365, received=micros(START)))
        assert len(await store.rows()) == 365
        tables = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'sample'::regclass"
        assert await ask(conn, tables) == [(12,)]


async def test_two_processes_that_need_the_same_partitions_do_not_collide(
    store: Store, database_url: str
):
    async with await connect(DatabaseOptions(database_url)) as other:
        rival = Store(other, partitions(await server_facts(other)))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(store.write(*(frame((d * 86_400, 7, 1.0)) for d in range(9))))
            tasks.create_task(rival.write(*(frame((d * 86_400, 8, 1.0)) for d in range(9))))
    assert len(await store.rows()) == 18


async def test_samples_after_a_stamp_come_frame_by_frame_in_received_order(store: Store):
    await store.write(frame((1, 7, 1.0), received=1))
    await store.write(frame((3, 8, 3.0), (2, 7, 2.0), (2, 9, 9.0), received=3))
    await store.write(frame((1.5, 7, 0.5), received=4, flags=int(Flag.HISTORY)))
    await store.write(frame((9, 7, 4.0), received=5, flags=int(Flag.AT_RECEIVED)))
    await store.write(frame((8, 8, 5.0), received=6))
    found = [one async for one in samples_after(store.conn, micros(at(1)), [7, 8])]
    assert [one.received for one in found] == [micros(at(s)) for s in (3, 5, 6)]
    assert [one.tag.tolist() for one in found] == [[7, 8], [7], [8]]
    assert [one.value.tolist() for one in found] == [[2.0, 3.0], [4.0], [5.0]]
    assert found[1].at.tolist() == [micros(at(5))]
    assert found[1].time.tolist() == [micros(at(9))]
    assert found[2].at.tolist() == [micros(at(8))]


async def test_samples_after_a_stamp_are_found_however_old_they_are(store: Store):
    day = 86_400
    await store.write(frame((-5000 * day, 7, 1.0), received=1))
    await store.write(frame((-5000 * day, 8, 2.0), (-400 * day, 7, 3.0), (2, 7, 4.0), received=2))
    await store.write(frame((3, 7, 5.0), received=3))
    await store.write(frame((-300 * day, 9, 6.0), received=4))
    found = [one async for one in samples_after(store.conn, micros(at(0)), [7, 8, 9])]
    assert [one.received for one in found] == [micros(at(s)) for s in (1, 2, 3, 4)]
    assert [one.tag.tolist() for one in found] == [[7], [7, 7, 8], [7], [9]]
    assert [one.value.tolist() for one in found] == [[1.0], [3.0, 4.0, 2.0], [5.0], [6.0]]


async def test_a_tag_without_samples_in_the_range_gives_an_empty_frame(store: Store):
    assert len(await samples_between(store.conn, 7, START, at(1))) == 0


SAMPLE = st.tuples(
    st.integers(0, 5), st.integers(1, 3), st.sampled_from([0.0, -0.0, 1.0, NAN, 2.5])
)
GROUPS = st.lists(st.lists(st.lists(SAMPLE, max_size=8), min_size=1, max_size=3), max_size=5)


@given(GROUPS, st.booleans())
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_sample_offered_is_stored_or_duplicate_or_conflict_and_the_first_wins(
    database_url: str, groups: list, forgetful: bool
):
    async def check() -> None:
        async with await connect(DatabaseOptions(database_url)) as conn:
            await conn.execute("TRUNCATE sample, tag_latest")
            store = Store(conn, partitions(await server_facts(conn)))
            said: list[list[str]] = []
            for group in groups:
                if forgetful:
                    store.last = LastStored()
                said += await store.write(*(frame(*samples) for samples in group))
            _compare(groups, said, await store.rows(), await store.latest())

    asyncio.run(check())


def _compare(groups: list, said: list, rows: Sequence, latest: dict) -> None:
    standing: dict[tuple[int, int], float] = {}
    for samples, outcomes in zip([s for group in groups for s in group], said, strict=True):
        for (second, tag, value), outcome in zip(samples, outcomes, strict=True):
            if (tag, second) not in standing:
                standing[tag, second] = value
                assert outcome == "STORED"
            else:
                first = standing[tag, second]
                same = first == value or (first != first and value != value)
                assert outcome == ("DUPLICATE" if same else "CONFLICT")
    assert [(tag, time, repr(value)) for tag, time, value in rows] == [
        (tag, at(second), repr(value)) for (tag, second), value in sorted(standing.items())
    ]
    newest = {tag: max(second for t, second in standing if t == tag) for tag, _ in standing}
    assert {tag: time for tag, (time, _) in latest.items()} == {
        tag: at(second) for tag, second in newest.items()
    }
