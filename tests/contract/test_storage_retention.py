from datetime import timedelta

import pytest

from domain.instant import micros
from storage.chunks import chunks_for
from storage.database import DatabaseOptions, connect
from storage.dirty import mark
from storage.lease import Fence
from storage.retention import Keep, Retention
from storage.rollup_state import HOUR
from tests.support.builders import START, at, frame
from tests.support.rollups import Anybody, Kept, ask

DAY = 86_400
DAYS = (-60, -59, -55, -50, -40, -32, -31, -30, -29, -1)
KEEP = Keep(samples=30)


@pytest.fixture
async def kept(database_url: str):
    """Samples of tag 7: one on some days of two months before `START`, rolled up."""
    async with await connect(DatabaseOptions(database_url)) as conn:
        kept = await Kept.of(conn)
        for day in DAYS:
            await kept.write(frame((day * DAY + 5, 7, float(day)), received=day * DAY + 6))
        assert await kept.roll_up(START)
        yield kept


async def days(kept: Kept) -> list[int]:
    rows = await ask(kept.conn, "SELECT time FROM sample ORDER BY time")
    return [(row[0] - START) // timedelta(days=1) for row in rows]  # type: ignore[operator]


async def tidy(kept: Kept, keep: Keep = KEEP, fence: Fence | None = None) -> int:
    gone: list[int] = []
    work = Retention(fence or Anybody("main", 1), kept.facts, gone.append)
    await work.once(kept.conn, keep, START)
    assert all(size > 0 for size in gone)
    return len(gone)


async def test_whole_days_go_once_they_are_older_than_said_and_roll_ups_stay(kept: Kept):
    before = await kept.rolled()
    assert await tidy(kept) > 0
    left = await days(kept)
    assert left in ([-31, -30, -29, -1], [-30, -29, -1])
    assert await kept.rolled() == before
    state = await kept.state()
    assert at(-31 * DAY) <= state.raw_from <= at(-30 * DAY)
    assert await tidy(kept) == 0


async def test_what_is_not_rolled_up_stays(kept: Kept):
    await kept.write(frame((-50 * DAY + 9, 7, 1.0), received=1))
    await tidy(kept)
    assert [day for day in await days(kept) if day < -31] == [-50, -50]
    assert await kept.roll_up(at(2))
    await tidy(kept)
    assert [day for day in await days(kept) if day < -31] == []
    assert (await kept.rolled("sample_hour"))[7, at(-50 * DAY)].n == 2


async def test_what_the_replay_lane_has_to_judge_stays(kept: Kept):
    when = micros(at(-55 * DAY))
    await mark(kept.conn, [(7, when, when + 1, when)])
    await tidy(kept)
    left = [day for day in await days(kept) if day < -31]
    assert min(left) == -60
    assert -55 in left
    assert -40 not in left


async def test_a_chunk_in_use_is_left_for_the_next_time(kept: Kept, database_url: str):
    async with await connect(DatabaseOptions(database_url)) as other:
        (oldest, *_) = await chunks_for(kept.facts).of(other, "sample")
        async with other.transaction():
            await other.execute(f"LOCK TABLE {oldest.name} IN ROW EXCLUSIVE MODE".encode())
            await tidy(kept, Keep(samples=59))
            assert min(await days(kept)) == -60
        await tidy(kept, Keep(samples=59))
        assert min(await days(kept)) > -60


async def test_a_late_sample_of_a_dropped_day_finds_a_place_and_adds_to_its_roll_up(kept: Kept):
    await tidy(kept)
    await kept.write(frame((-40 * DAY + 60 * 5, 7, 3.5), received=-1))
    await kept.write(frame((-40 * DAY + 6, 7, -99.0), received=-0.5))
    assert await kept.roll_up(START)
    hour = (await kept.rolled("sample_hour"))[7, at(-40 * DAY)]
    assert (hour.low, hour.high, hour.n) == (-99.0, 3.5, 3)
    await tidy(kept)
    assert -40 not in await days(kept)


async def test_minutes_go_before_hours(kept: Kept):
    await tidy(kept, Keep(samples=30, minutes=31))
    minutes, hours = await kept.rolled(), await kept.rolled("sample_hour")
    assert len(hours) == len(DAYS)
    assert len(minutes) < len(DAYS)
    assert min(time for _, time in minutes) >= (await kept.state()).minutes_from
    assert START - 31 * timedelta(days=1) - timedelta(days=31) < min(t for _, t in minutes)


async def test_quarantine_events_and_sessions_go_and_the_newest_event_stays(kept: Kept):
    conn = kept.conn
    await conn.execute(
        "INSERT INTO quarantine"
        " SELECT gen_random_uuid(), t, '', NULL, NULL, '', '', NULL, NULL, '', 0"
        " FROM (VALUES (%s::timestamptz), (%s)) AS v (t)",
        (at(-91 * DAY), at(-89 * DAY)),
    )
    await conn.execute(
        "INSERT INTO outbox SELECT n, gen_random_uuid(), 'alarm', %s, NULL, NULL, NULL, '{}'"
        " FROM generate_series(1, 5) n",
        (at(-31 * DAY),),
    )
    await conn.execute("INSERT INTO person VALUES ('li', '', %s)", (START,))
    await conn.execute(
        "INSERT INTO session SELECT v.t::text::bytea, 'li', %s, v.t"
        " FROM (VALUES (%s::timestamptz), (%s)) AS v (t)",
        (at(-DAY), START, START + HOUR),
    )
    await tidy(kept)
    for table, left in (("quarantine", 1), ("outbox", 1), ("session", 1)):
        assert await ask(conn, f"SELECT count(*) FROM {table}") == [(left,)]
    assert await ask(conn, "SELECT seq FROM outbox") == [(5,)]


async def test_who_has_lost_the_lease_drops_nothing(kept: Kept):
    from storage.lease import LeaseLost

    with pytest.raises(LeaseLost):
        await tidy(kept, fence=Fence("main", 3))
    assert min(await days(kept)) == -60


async def test_the_apache_edition_and_plain_postgres_do_not_compress(kept: Kept):
    chunks = chunks_for(kept.facts)
    assert not chunks.compresses
    assert await chunks.compress(kept.conn, "sample", START) == 0
