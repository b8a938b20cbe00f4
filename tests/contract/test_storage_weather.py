"""Any weather: whatever is put, killed, cut off, filled up or started again, in any order.

Safe means durable: on the disk or in the database. In the end every entry is stored exactly once.
"""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from domain.clock import SystemClock
from storage.database import DatabaseOptions, connect
from storage.entry import Entry, decode
from storage.journal import Journal
from storage.spool import Spool, read_records
from tests.support.journaling import QUICK, Ears, ask, entry, journal, leased, running
from tests.support.proxy import Proxy, Wire, proxy
from tests.support.seed import Plant, Seed

OPTIONS = replace(QUICK, group_size=40, slow_s=0.5, alarm_answer_s=2.0)
LIMIT = 60_000
"""Bytes of the spool: some hundred entries are more than it takes."""
SAMPLES = 5
STEPS = 60


@dataclass(slots=True)
class Weather:
    """One life of a journal after the other, on one folder and one database."""

    url: str
    """By way of the wire."""
    direct: str
    plant: Plant
    folder: Path
    wire: Proxy
    put: int = 0
    safe: set[int] = field(default_factory=set)
    ears: Ears = field(default_factory=Ears)
    book: Journal | None = None
    broken: bool = False
    _life: AsyncExitStack = field(default_factory=AsyncExitStack)
    _unsafe: list[Entry] = field(default_factory=list)

    async def born(self) -> None:
        """Start, as a worker does: with the wire sound, take the lease and drain the spool. What
        was not safe comes again, under new numbers."""
        await self.mend()
        fence = await leased(self.direct)
        self.ears = Ears()
        spool = Spool(self.folder, LIMIT, segment_bytes=4000)
        self.book = await self._life.enter_async_context(
            journal(self.url, spool, fence.epoch, self.ears, OPTIONS)
        )
        await self.book.recover()
        await self._life.enter_async_context(running(self.book))
        again, self._unsafe = self._unsafe, []
        for number, one in enumerate(again):
            self._offer(replace(one, number=number))
        self._next = len(again)

    _next: int = 0
    _offered: dict[int, tuple[int, Entry]] = field(default_factory=dict)

    def add(self, count: int) -> None:
        """Entries that nobody has seen before."""
        for _ in range(count):
            self._offer(replace(entry(self.plant, self.put, SAMPLES), number=self._next))
            self.put += 1
            self._next += 1

    def _offer(self, one: Entry) -> None:
        assert self.book is not None
        assert one.batch is not None
        self._offered[one.number] = (one.batch.ledger[0].seen[0][0], one)
        self.book.put(one)

    async def die(self) -> None:
        """As by SIGKILL: nothing is finished."""
        await self._life.aclose()
        self._life = AsyncExitStack()
        self.note()
        self._unsafe = [one for name, one in self._offered.values() if name not in self.safe]
        self._offered, self.book = {}, None

    def note(self) -> None:
        """What is safe must be durable."""
        self.safe |= {self._offered[one.number][0] for one in self.ears.safe}

    async def cut(self, how: Wire) -> None:
        """Break the wire."""
        await self.wire.become(how)
        self.broken = True

    async def mend(self) -> None:
        """Make it sound."""
        if self.broken:
            await self.wire.become(Wire.SOUND)
            self.broken = False

    async def durable(self) -> set[int]:
        """Entries that the database has, and those that wait on the disk; each by its name."""
        async with await connect(DatabaseOptions(self.direct)) as conn:
            seen = await ask(conn, SEEN)
        there = {int(str(row[0])) for row in seen}
        for path in sorted(self.folder.glob("*.spool")):
            for record in read_records(path):
                batch = decode(record).entry.batch
                assert batch is not None
                there |= {first for delta in batch.ledger for first, _ in delta.seen}
        return there


SEEN = """
SELECT generate_series(lower(run), upper(run) - 1) FROM gateway_ledger, unnest(seen) AS run
"""


@pytest.mark.parametrize("seeds", [1, pytest.param(100, marks=pytest.mark.soak)])
async def test_in_any_weather_safe_is_durable_and_every_entry_is_stored_once(
    timescale_url: str, tmp_path: Path, seeds: int
):
    plant = Seed(timescale_url).plant()
    clock = SystemClock()
    seed = random.SystemRandom().randrange(2**32)
    print("chance seed", seed)  # noqa: T201  (shown by pytest when the test fails)
    chance = random.Random(seed)
    async with proxy(timescale_url, 5432) as (wire, url):
        sky = Weather(url, timescale_url, plant, tmp_path / "spool", wire)
        await sky.born()
        for _ in range(seeds * STEPS):
            match chance.choices(range(6), (10, 3, 3, 1, 2, 2))[0]:
                case 0:
                    sky.add(chance.randrange(1, 30))
                case 1:
                    await sky.cut(chance.choice([Wire.CUT, Wire.HALF_OPEN, Wire.SILENT]))
                case 2:
                    await sky.mend()
                case 3:
                    await sky.die()
                    assert sky.safe <= await sky.durable()
                    await sky.born()
                case 4:
                    await clock.sleep(chance.uniform(0, 0.3))
                case _:
                    sky.note()
                    assert sky.safe <= await sky.durable()
        await sky.mend()
        await sky.ears.until(lambda _: sky.book is not None and not sky.book.no_room_since)
        assert sky.book is not None
        sky.add(1)
        async with asyncio.timeout(60):
            await sky.book.flush()
            while sky.book.degraded:
                await clock.sleep(0.05)
        await sky.die()
        assert sky.safe == set(range(sky.put)) == await sky.durable()
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        assert await ask(conn, "SELECT count(*) FROM sample") == [(sky.put * SAMPLES,)]
        assert await ask(conn, "SELECT sum(values_stored) FROM ingest_count") == [
            (sky.put * SAMPLES,)
        ]
        assert await ask(conn, "SELECT count(*) FROM alarm_event") == [(sky.put,)]
        assert await ask(conn, "SELECT max(seq), count(*) FROM outbox") == [(sky.put, sky.put)]
        assert await ask(conn, LATEST) == [(0,)]


LATEST = """
SELECT count(*) FROM tag_latest
WHERE time < (SELECT max(time) FROM sample WHERE sample.tag_id = tag_latest.tag_id)
"""
