from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest

from domain.frame import Frame
from domain.instant import micros
from domain.plant import TagKind
from storage.archive import Archive, width_of
from storage.chunks import chunks_for
from storage.database import DatabaseOptions, connect
from storage.dirty import mark
from tests.support.builders import START, at, registry, tag
from tests.support.rollups import Anybody, Dying, Kept, Killed, ask, wrong

DAY = 86_400
N = 5000
BEGIN = -39 * DAY
FILTERS = {"level": (0.0, 1.0)}
TAGS = registry(tag(7), tag(8), tag(9, kind=TagKind.TEMPERATURE, unit="°C"))
BEFORE = START - timedelta(days=35)


def readings(received: float = BEGIN + 5 * N) -> Frame:
    """A level that swings slowly with noise of 0.02 m, in a range of 0 to 10 m; every 5 s."""
    rng = np.random.default_rng(11)
    value = np.round(5 + 3 * np.sin(np.arange(N) / 500) + rng.uniform(-0.02, 0.02, N), 4)
    time = micros(at(BEGIN)) + 5_000_000 * np.arange(N)
    tags = np.repeat(np.array([7, 8, 9], np.int32), N)
    return Frame.of(tags, np.tile(time, 3), np.tile(value, 3), received=micros(at(received)))


@pytest.fixture
async def kept(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as conn:
        kept = await Kept.of(conn)
        await kept.write(readings())
        assert await kept.roll_up(START - timedelta(days=1))
        yield kept


async def thin(kept: Kept, gone: list[int] | None = None) -> Archive:
    work = Archive(
        Anybody("main", 1), kept.facts, FILTERS, (gone if gone is not None else []).append
    )
    while await work.once(kept.conn, TAGS, BEFORE, START):
        pass
    return work


async def series(kept: Kept, tag: int):
    rows = await ask(
        kept.conn, "SELECT time, value FROM sample WHERE tag_id = %s ORDER BY time", tag
    )
    return np.array([micros(row[0]) for row in rows]), np.array([row[1] for row in rows])  # type: ignore[arg-type]


async def test_old_days_keep_what_draws_them_again_and_all_of_their_roll_ups(kept: Kept):
    before = await kept.rolled(), await kept.rolled("sample_hour")
    gone: list[int] = []
    await thin(kept, gone)
    offered = readings()
    time, value = await series(kept, 7)
    drawn = np.interp(offered.time[:N], time, value)
    assert np.abs(drawn - offered.value[:N]).max() <= 0.1
    assert len(time) < N / 8
    assert (value.min(), value.max()) == (offered.value.min(), offered.value.max())
    assert len((await series(kept, 9))[0]) == N
    assert (await kept.rolled(), await kept.rolled("sample_hour")) == before
    noted = await ask(
        kept.conn, "SELECT sum(stored), sum(deleted), max(deviation) FROM thinned_day"
    )
    assert noted == [(2 * N, sum(gone), 0.1)]
    assert sum(gone) == 2 * (N - len(time))


async def test_the_room_of_what_went_is_given_back(kept: Kept):
    chunks = chunks_for(kept.facts)
    before = sum(one.size for one in await chunks.of(kept.conn, "sample"))
    only_these = registry(tag(7), tag(8), tag(9))
    work = Archive(Anybody("main", 1), kept.facts, FILTERS)
    while await work.once(kept.conn, only_these, BEFORE, START):
        pass
    assert sum(one.size for one in await chunks.of(kept.conn, "sample")) < before / 3


async def test_a_day_is_thinned_once_also_after_a_kill(kept: Kept):
    dying = Archive(Dying("main", 1), kept.facts, FILTERS)
    with pytest.raises(Killed):
        await dying.once(kept.conn, TAGS, BEFORE, START)
    assert len((await series(kept, 7))[0]) == N
    await thin(kept)
    once = await series(kept, 7)
    assert await ask(kept.conn, "SELECT count(*) FROM thinned_day WHERE stored > 0") == [(2,)]
    await thin(kept)
    assert (await series(kept, 7))[0].tolist() == once[0].tolist()


async def test_samples_around_alarms_stay(kept: Kept):
    await kept.conn.execute("INSERT INTO node (kind, code, name) VALUES ('enterprise', 'e', 'E')")
    onset, ended = at(BEGIN + 6000), at(BEGIN + 12_000)
    await kept.conn.execute(
        "INSERT INTO alarm (id, lane, kind, tag_id, node, enterprise, priority, state, onset,"
        " effective, ended, value, limit_value, worst, n)"
        " SELECT %s, 0, 'H', 7, id, id, 'P2', 'NORM', %s, %s, %s, 9, 8, 9, 2 FROM node",
        (UUID(int=1), onset, onset, ended),
    )
    await thin(kept)
    time, _ = await series(kept, 7)
    for instant in (onset, ended):
        near = np.abs(time - micros(instant)) <= 600_000_000
        assert near.sum() == 241
    assert len(time) < N / 4


async def test_what_is_to_be_judged_or_not_rolled_up_stays(kept: Kept):
    when = micros(at(BEGIN + DAY))
    await mark(kept.conn, [(7, when, when, when)])
    late = Frame.of([8], [micros(at(BEGIN + 7)) + 1], [5.0], received=micros(START))
    await kept.write(late)
    await thin(kept)
    assert len((await series(kept, 7))[0]) == N
    assert micros(at(BEGIN + 7)) + 1 in (await series(kept, 8))[0].tolist()


async def test_a_sample_that_was_thinned_out_and_comes_again_is_stored_again(kept: Kept):
    await thin(kept)
    await kept.write(readings(0))
    assert len((await series(kept, 7))[0]) == N
    assert await kept.roll_up(START + timedelta(hours=1))
    hour = (await kept.rolled("sample_hour"))[7, at(BEGIN)]
    assert hour.low == readings().value[:720].min()
    assert 720 < hour.n < 1440


async def test_without_a_filter_nothing_goes(kept: Kept):
    none = Archive(Anybody("main", 1), kept.facts, {})
    assert not await none.once(kept.conn, TAGS, BEFORE, START)
    assert await wrong(kept) == []


def test_widths_are_percent_of_the_range():
    assert width_of(tag(7), 0.5, 1.0).deviation == 0.1  # type: ignore[union-attr]
    assert width_of(tag(7, range=None), 0.0, 1.0) is None
    assert width_of(tag(7, range=None), 0.0, 0.0) is not None
