"""The gap ledger against a scan of the stored samples."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.clock import SystemClock
from domain.frame import Flag, Frame
from domain.instant import SECOND, micros
from domain.plant import Registry
from ingest.batch import Batch, GatewaySays, LedgerDelta
from ingest.gap_steps import missing_between
from storage import gap_looking
from storage.batches import BatchStore
from storage.database import Connection, DatabaseOptions, connect
from storage.dirty import clean, quiet_ranges
from storage.gaps import Attempt, GapLedger
from storage.lease import Fence
from tests.support.builders import START, at
from tests.support.journaling import ask, leased
from tests.support.seed import Plant, Seed

MAY_S = 90
"""How long the tags of the test plant may be silent."""
EXAMPLES = 25
TABLES = "sample, tag_latest, gap, gap_part, gap_touched, tag_gateway, dirty_range, latest_behind"


class FailedHere(Exception):
    """The transaction fails after all was written."""


class Shard:
    """One worker's way of samples into the database, on a clock of its own (seconds)."""

    def __init__(self, conn: Connection, fence: Fence, plant: Plant) -> None:
        self.conn = conn
        self.fence = fence
        self.plant = plant
        self.tags = plant.tags[0]
        self.number = 0
        self.now = 0.0
        self.missing = GapLedger()
        self.heads: np.ndarray | None = None
        self.registry: Registry = plant.registry

    async def start(self) -> None:
        """As after a kill: nothing but the database is known."""
        self.missing = GapLedger()
        self.missing.use(self.registry)
        self.store = BatchStore(self.fence, SystemClock(), self.missing)
        self.heads = None
        await self.store.get_ready(self.conn)

    async def write(
        self, *samples: tuple[float, int], flags: int = 0, gateway: int = 0, fails: bool = False
    ) -> None:
        self.number += 1
        rows = sorted({(tag, micros(at(second))) for second, tag in samples})
        tag = np.array([tag for tag, _ in rows], np.int32)
        time = np.array([us for _, us in rows], np.int64)
        received = micros(at(self.now)) + self.number
        frame = Frame.of(tag, time, np.ones(len(rows)), received=received, flags=flags)
        late = [(int(t), int(u), int(u)) for t, u in rows] if flags & Flag.HISTORY else []
        sender = np.full(len(rows), self.plant.gateways[gateway], np.int32)
        batch = Batch(frame, sender, dirty=tuple(late))
        planned = self.store.plan(self.fence.epoch, [(self.number, batch)])
        if fails:
            await self._failing(planned)
        await self.store.write(self.conn, planned)

    async def _failing(self, planned: object) -> None:
        """A first attempt that is not committed; the second comes without a new start."""
        right = Attempt.write

        async def wrong(*arguments: Any) -> None:
            await right(*arguments)
            raise FailedHere

        Attempt.write = wrong  # type: ignore[assignment, method-assign]
        try:
            with pytest.raises(FailedHere):
                await self.store.write(self.conn, planned)  # type: ignore[arg-type]
        finally:
            Attempt.write = right  # type: ignore[method-assign]

    async def look(self) -> tuple[int, int]:
        """Open what is overdue, and fill what late samples of wrong clocks touched."""
        opened = await self.missing.open_overdue(
            self.conn, self.fence, at(self.now), before=self.heads, most=5000
        )
        self.heads = self.missing.gateway_heads()
        await self.missing.fill_touched(self.conn, self.fence, 100)
        return opened

    async def look_back(self) -> None:
        """As the replay lane does with ranges that are quiet."""
        far = at(10**7)
        while found := await quiet_ranges(self.conn, None, far):
            for one in found:
                await self.missing.fill(self.conn, self.fence, one.tag, one.begin, one.end)
                await clean(self.conn, one)

    async def gaps(self, *columns: str) -> Sequence[tuple[object, ...]]:
        return await ask(self.conn, f"SELECT {', '.join(columns)} FROM gap ORDER BY time_from, id")


@pytest.fixture
async def shard(database_url: str):
    plant = Seed(database_url).plant()
    fence = await leased(database_url)
    async with await connect(DatabaseOptions(database_url)) as conn:
        shard = Shard(conn, fence, plant)
        await shard.start()
        yield shard


def seconds(instant: object) -> float | None:
    return None if instant is None else (instant - START).total_seconds()  # type: ignore[operator]


def pieces(missing: object) -> list[tuple[float | None, float | None]]:
    return [(seconds(one.lower), seconds(one.upper)) for one in missing]  # type: ignore[attr-defined]


async def scanned(shard: Shard, tag: int) -> set[tuple[int, int]]:
    """What a scan of its samples says is missing of a tag."""
    rows = await ask(shard.conn, "SELECT time FROM sample WHERE tag_id = %s ORDER BY time", tag)
    times = np.array([micros(row[0]) for row in rows], np.int64)  # type: ignore[arg-type]
    return set(missing_between(times, MAY_S * SECOND))


async def agrees(shard: Shard) -> None:
    """The ledger says what the scan does: nothing is left out, nothing is said that is not so."""
    rows = await shard.gaps(
        "id", "kind", "gateway", "tag_id", "time_from", "time_to", "remaining", "tags", "filled_at"
    )
    parts = {
        (gap, tag): {(micros(a.lower), micros(a.upper)) for a in left}  # type: ignore[attr-defined]
        for gap, tag, left in await ask(shard.conn, "SELECT gap, tag_id, remaining FROM gap_part")
    }
    may = MAY_S * SECOND
    wanted = {tag: await scanned(shard, tag) for tag in shard.tags}
    own: dict[int, list[tuple[int, int]]] = {tag: [] for tag in shard.tags}
    spanned = []
    for id, kind, _, tag, begin, end, left, tags, filled in rows:
        if end is None:
            continue
        if kind == "tag":
            own[tag] += [(micros(one.lower), micros(one.upper)) for one in left]  # type: ignore[attr-defined, index]
        elif filled is None:
            spanned.append((id, micros(begin), micros(end), tags))  # type: ignore[arg-type]
    for tag, gaps in wanted.items():
        assert len(own[tag]) == len(set(own[tag]))
        assert set(own[tag]) <= gaps, (tag, set(own[tag]) - gaps)
        for begin, end in gaps - set(own[tag]):
            covers = [
                id
                for id, first, last, _ in spanned
                if begin < last and end > first and first - may <= begin and end <= last + may
            ]
            assert covers, (tag, begin, end, rows)
            assert all((begin, end) in parts.get((id, tag), {(begin, end)}) for id in covers)
    for (id, tag), left in parts.items():
        assert left <= wanted[tag], (id, tag)  # type: ignore[index]


who = st.sampled_from(["a", "b", "ab"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("live"), st.sampled_from([20, 45, 100, 400]), who),
        st.tuples(st.just("fails"), st.sampled_from([20, 100, 400]), who),
        st.tuples(st.just("backfill"), st.integers(0, 20), who),
        st.tuples(st.just("wrong clock"), st.integers(0, 20), who),
        st.tuples(st.just("kill"), st.just(0), st.just("")),
        st.tuples(st.just("look"), st.sampled_from([0, 100, 200]), st.just("")),
        st.tuples(st.just("late live"), st.sampled_from([30, 60]), who),
    ),
    min_size=1,
    max_size=14,
)


async def play(shard: Shard, story: Sequence[tuple[str, int, str]]) -> None:
    both = dict(zip("ab", shard.tags, strict=True))
    shard.now, newest = 0.0, dict.fromkeys(shard.tags, 0.0)
    await shard.start()
    await shard.write(*((0.0, tag) for tag in shard.tags))
    for what, n, who in story:
        tags = [both[one] for one in who]
        if what in ("live", "fails"):
            shard.now = max(shard.now, *newest.values()) + n
            await shard.write(*((shard.now, tag) for tag in tags), fails=what == "fails")
            newest |= dict.fromkeys(tags, shard.now)
        elif what == "late live":
            for tag in tags:
                newest[tag] += n
            shard.now = max(shard.now, *newest.values())
            await shard.write(*((newest[tag], tag) for tag in tags))
        elif what in ("backfill", "wrong clock"):
            flags = Flag.HISTORY | Flag.HISTORICAL if what == "backfill" else Flag.AT_RECEIVED
            late = {(newest[tag] * n / 20 + k, tag) for tag in tags for k in range(0, 200, 40)}
            late = {(time, tag) for time, tag in late if time < newest[tag]}
            if late:
                await shard.write(*late, flags=int(flags))
        elif what == "kill":
            await shard.start()
        else:
            shard.now += n
            await shard.look()
            await shard.look()
    await shard.look_back()
    await shard.look()
    await agrees(shard)


def test_the_ledger_says_what_a_scan_of_the_samples_says(timescale_url: str):
    plant, fence = Seed(timescale_url).plant(), asyncio.run(leased(timescale_url))

    async def one(story: Sequence[tuple[str, int, str]]) -> None:
        async with await connect(DatabaseOptions(timescale_url)) as conn:
            await conn.execute(f"TRUNCATE {TABLES}, journal_mark CASCADE".encode())
            await play(Shard(conn, fence, plant), story)

    @example([("look", 100, ""), ("late live", 30, "a"), ("kill", 0, ""), ("live", 20, "b")])
    @example([("live", 400, "a"), ("live", 100, "a"), ("live", 20, "ab"), ("kill", 0, "")])
    @example([("live", 45, "a"), ("look", 200, ""), ("kill", 0, ""), ("late live", 60, "ab")])
    @example([("fails", 400, "ab"), ("backfill", 10, "a"), ("kill", 0, ""), ("backfill", 5, "b")])
    @given(steps)
    @settings(max_examples=EXAMPLES)
    def whatever_happens(story: Sequence[tuple[str, int, str]]) -> None:
        asyncio.run(one(story))

    whatever_happens()


ENDED = ("kind", "time_from", "time_to", "remaining", "filled_by", "tags")


async def told(shard: Shard) -> list[tuple[object, ...]]:
    """(kind, from, to, what remains, filled by, tags), by time."""
    rows = await shard.gaps(*ENDED)
    return [(a, seconds(b), seconds(c), pieces(d), e, f) for a, b, c, d, e, f in rows]


async def test_a_silent_gateway_is_one_gap_and_filled_when_all_its_tags_are(shard: Shard):
    a, b = shard.tags
    await shard.write((0, a), (5, b))
    shard.now = 60.0
    assert [await shard.look(), await shard.look()] == [(0, 0), (0, 0)]
    shard.now = 200.0
    assert [await shard.look(), await shard.look()] == [(1, 0), (0, 0)]
    assert await told(shard) == [("gateway", 5, None, [(5, None)], None, 2)]
    await shard.start()
    shard.now = 1000.0
    await shard.write((1000, a), (1001, b))
    assert await told(shard) == [("gateway", 5, 1000, [(5, 1000)], None, 2)]
    history = int(Flag.HISTORY | Flag.HISTORICAL)
    await shard.write(*((n, a) for n in range(60, 1000, 60)), flags=history)
    await shard.look_back()
    assert await told(shard) == [("gateway", 5, 1000, [(5, 1000)], "backfill", 2)]
    await shard.write(*((n, b) for n in range(60, 600, 60)), flags=history)
    await shard.look_back()
    parts = await ask(shard.conn, "SELECT tag_id, remaining FROM gap_part ORDER BY tag_id")
    assert [(tag, pieces(left)) for tag, left in parts] == [(a, []), (b, [(540, 1001)])]
    await shard.write(*((n, b) for n in range(600, 1000, 60)), flags=int(Flag.HISTORY))
    await shard.look_back()
    assert await told(shard) == [("gateway", 5, 1000, [], "backfill", 2)]
    assert await ask(shard.conn, "SELECT * FROM gap_part") == []


async def test_a_tag_silent_alone_is_entered_while_it_is_and_what_comes_splits_it(shard: Shard):
    a, b = shard.tags
    await shard.write((0, a), (0, b))
    await shard.write(*((n, b) for n in range(30, 330, 30)))
    shard.now = 300.0
    await shard.look()
    assert await shard.look() == (0, 1)
    await shard.write((500, a), (330, b))
    shard.now = 500.0
    await shard.write((200, a), (210, a), flags=int(Flag.HISTORY))
    await shard.look_back()
    assert await told(shard) == [
        ("tag", 0, 500, [(0, 200), (210, 500)], "late", 1),
        ("gateway", 330, 500, [(330, 500)], None, 1),
    ]
    await agrees(shard)


async def test_an_open_gap_that_ends_with_what_the_broker_held_back_was_none(shard: Shard):
    a, b = shard.tags
    await shard.write((0, a), (0, b))
    shard.now = 300.0
    await shard.look()
    await shard.look()
    await shard.write((30, a), (30, b))
    kind, begin, end, left, by, _ = (await told(shard))[0]
    assert (kind, begin, round(float(str(end))), left, by) == ("gateway", 0, 300, [], "late")
    await shard.start()
    await shard.write((60, a), (60, b))
    assert len(await told(shard)) == 1


async def test_a_hundred_thousand_silent_tags_are_one_row(timescale_url: str):
    plant = Seed(timescale_url).plant()
    fence = await leased(timescale_url)
    first = plant.registry.tags[plant.tags[0][0]]
    tags = {n: replace(first, id=n, name=f"T{n}") for n in range(1000, 101_000)}
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        shard = Shard(conn, fence, plant)
        shard.registry = replace(plant.registry, tags=tags)
        await shard.start()
        await shard.write(*((0, n) for n in tags))
        shard.now = 500.0
        await shard.look()
        assert await shard.look() == (1, 0)
        await shard.write((500, 1000))
        await shard.write(*((501, n) for n in tags if n != 1000))
        assert await told(shard) == [("gateway", 0, 500, [(0, 500)], None, 100_000)]


async def test_missing_messages_are_entered_with_their_times_filled_and_given_up(shard: Shard):
    gateway = shard.plant.gateways[0]

    async def heard(newest: float, *seen: tuple[int, int], oldest: int = 0) -> None:
        shard.number += 1
        delta = LedgerDelta(gateway, "b1", seen, 0, oldest, micros(at(newest)))
        batch = Batch(
            Frame.of((), (), (), received=micros(at(newest))),
            np.empty(0, np.int32),
            ledger=(delta,),
        )
        await shard.store.write(shard.conn, shard.store.plan(1, [(shard.number, batch)]))
        await gap_looking.look_at_messages(shard.conn, shard.fence, START, at(newest))

    async def missing() -> list[tuple[object, ...]]:
        names = ("seq_from", "seq_to", "seq_left::text", "time_from", "time_to", "filled_by")
        rows = await shard.gaps(*names, "lost_at IS NOT NULL")
        ordered = sorted(rows, key=lambda row: str(row[0]).zfill(3))
        return [(*row[:3], seconds(row[3]), seconds(row[4]), *row[5:]) for row in ordered]

    await heard(10, (0, 4))
    assert await missing() == []
    await heard(20, (7, 9), (11, 12))
    entered = [(5, 6, "{[5,7)}", 10, 20, None, False), (10, 10, "{[10,11)}", 10, 20, None, False)]
    assert await missing() == entered
    await heard(30, (6, 6), (13, 13))
    assert (await missing())[0] == (5, 6, "{[5,6)}", 10, 20, "redelivery", False)
    await heard(40, (10, 10), oldest=8)
    assert await missing() == [
        (5, 6, "{[5,6)}", 10, 20, "redelivery", True),
        (10, 10, "{}", 10, 20, "redelivery", False),
    ]


async def test_who_a_silence_was_due_to(shard: Shard):
    a, b = shard.tags
    await gap_looking.begin_watch(shard.conn, shard.fence, at(0), timedelta(seconds=10))
    await shard.write((0, a), (0, b))
    await gap_looking.begin_watch(shard.conn, shard.fence, at(400), timedelta(seconds=10))
    await shard.write((400, a), (400, b))
    await gap_looking.keep_watch(shard.conn, shard.fence, at(420), None)
    await gap_looking.keep_watch(shard.conn, shard.fence, at(800), at(430))
    await gap_looking.keep_watch(shard.conn, shard.fence, at(820), None)
    await shard.write((820, a), (820, b))
    await shard.write((1500, a), (1500, b))
    shard.now = 2000.0
    await shard.look()
    await shard.look()
    says = GatewaySays(shard.plant.gateways[0], True, "b1", None, micros(at(1990)))
    shard.number += 1
    batch = Batch(Frame.of((), (), (), received=1), np.empty(0, np.int32), states=(says,))
    await shard.store.write(shard.conn, shard.store.plan(1, [(shard.number, batch)]))
    await gap_looking.settle(shard.conn, shard.fence, at(2000))
    rows = await shard.gaps("time_from", "cause", "settled")
    assert [(seconds(begin), *rest) for begin, *rest in rows] == [
        (0, "hazwatch", True),
        (400, "broker", True),
        (820, "gateway", True),
        (1500, "tag", False),
    ]


async def test_who_leaves_the_plant_is_missed_no_longer_and_many_small_gaps_become_one(
    shard: Shard,
):
    a, b = shard.tags
    await shard.write((0, a), (0, b))
    for n in range(100, 10_600, 100):
        await shard.write((n - 50, b), (n, b), (n, a))
    await gap_looking.tidy(shard.conn, shard.fence, at(200_000), timedelta(days=90))
    (row,) = await shard.gaps("time_from", "time_to", "remaining")
    assert (seconds(row[0]), seconds(row[1]), len(pieces(row[2]))) == (0, 10_500, 105)
    await shard.write(*((n - 50, a) for n in range(100, 10_000, 100)), flags=int(Flag.HISTORY))
    await shard.look_back()
    (row,) = await shard.gaps("remaining")
    assert len(pieces(row[0])) == 6
    await agrees(shard)
    shard.now = 20_000.0
    await shard.look()
    await shard.look()
    await ask_nothing(shard, "UPDATE gateway SET removed_at = now()")
    await gap_looking.settle(shard.conn, shard.fence, at(20_000))
    assert (await told(shard))[-1] == ("gateway", 10_500, 20_000, [(10_500, 20_000)], None, 2)
    await gap_looking.tidy(shard.conn, shard.fence, at(10**7), timedelta(days=90))
    assert await told(shard) == []


async def ask_nothing(shard: Shard, statement: str) -> None:
    await shard.conn.execute(statement.encode())
