"""The upkeep of a real database, as the worker does it."""

from collections import Counter
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from hazwatch.settings import Settings
from hazwatch.upkeep import EVERY_S, Upkeep
from storage.database import DatabaseOptions, connect, link
from storage.lease import Fence, LeaseLost, take
from storage.metrics import RollupMetrics
from tests.support.builders import START, frame, registry, tag
from tests.support.clock import ManualClock
from tests.support.rollups import Kept

DAY = 86_400


class Over(Exception):
    """The test has seen enough."""


class Restless(ManualClock):
    """Nobody sleeps; after some rounds it is over."""

    rounds = 0

    async def sleep(self, seconds: float) -> None:
        if seconds == EVERY_S:
            self.rounds -= 1
            if self.rounds < 0:
                raise Over


class Desk:
    """The upkeep of a database, and what it says."""

    def __init__(self, url: str, fence: Fence) -> None:
        self.options = DatabaseOptions(url)
        self.metrics = CollectorRegistry()
        self.said: list[str] = []
        self.degraded = False
        self.clock = Restless(START + timedelta(hours=3))
        self.upkeep = Upkeep(
            Settings(keep_samples_days=38, archive_filter="level=0:1"),
            self.clock,
            fence,
            self.options,
            RollupMetrics(self.metrics),
            lambda: self.degraded,
            lambda what, text: self.said.append(f"{what}: {text}"),
        )

    async def roll(self, rounds: int) -> None:
        """So many rounds of it."""
        self.clock.rounds = rounds
        with pytest.raises(Over):
            await self.upkeep.roll()

    def told(self, name: str) -> float | None:
        return self.metrics.get_sample_value(f"hazwatch_{name}")


@pytest.fixture
async def kept(database_url: str):
    async with await connect(DatabaseOptions(database_url)) as conn:
        yield await Kept.of(conn)


@pytest.fixture
async def desk(database_url: str, kept: Kept) -> Desk:
    fence = await take(kept.conn, "main", "test", START, timedelta(days=1))
    assert fence is not None
    return Desk(database_url, fence)


async def test_what_is_stored_is_rolled_up_thinned_out_and_dropped_in_its_time(
    kept: Kept, desk: Desk
):
    for days in (40, 36, 1):
        samples = [(-days * DAY + n, 7, 5 + n % 3 / 1000) for n in range(600)]
        await kept.write(frame(*samples, received=-days * DAY + 600))
    async with link(desk.options) as line:
        await desk.upkeep.roll_up(line)
        assert len(await kept.rolled()) == 30
        await desk.upkeep.tidy_up(line, registry(tag(7)))
    days_left = [(time - START) // timedelta(days=1) for _, time, *_ in await kept.samples()]
    counts = Counter(days_left)
    assert (set(counts), counts[-1]) == ({-36, -1}, 600)
    assert 2 < counts[-36] < 30
    assert desk.told("retention_dropped_bytes_total")
    assert desk.told("thinned_samples_total") == 600 - counts[-36]
    assert len(await kept.rolled()) == 30


async def test_a_failure_is_said_once_and_the_upkeep_goes_on_when_it_is_over(
    kept: Kept, desk: Desk
):
    await kept.write(frame((1, 7, 1.0), (2, 7, 3.0), received=3))
    await kept.conn.execute("ALTER TABLE sample_hour RENAME TO elsewhere")
    await desk.roll(3)
    (said,) = desk.said
    assert "sample_hour" in said
    await kept.conn.execute("ALTER TABLE elsewhere RENAME TO sample_hour")
    await desk.roll(1)
    assert len(await kept.rolled("sample_hour")) == 1
    assert desk.told("rollup_lag_seconds") == 15
    assert len(desk.said) == 1


async def test_nothing_is_rolled_up_while_samples_wait_outside_of_the_database(
    kept: Kept, desk: Desk
):
    await kept.write(frame((1, 7, 1.0), received=3))
    desk.degraded = True
    await desk.roll(2)
    assert await kept.rolled() == {}
    desk.degraded = False
    await desk.roll(1)
    assert len(await kept.rolled()) == 1


async def test_who_has_lost_the_lease_stops(kept: Kept, desk: Desk):
    await kept.write(frame((1, 7, 1.0), received=3))
    await kept.conn.execute("UPDATE lease SET epoch = epoch + 1")
    desk.clock.rounds = 1
    with pytest.raises(LeaseLost):
        await desk.upkeep.roll()
    assert await kept.rolled() == {}
