"""The upkeep of a real database, as the worker does it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from hazwatch.settings import Settings
from hazwatch.upkeep import Upkeep
from storage.database import DatabaseOptions, connect, link
from storage.lease import Fence, LeaseLost, take
from storage.metrics import RollupMetrics
from tests.support.builders import START, at, frame, registry, tag
from tests.support.clock import ManualClock
from tests.support.rollups import Kept, ask

DAY = 86_400


class Restless(ManualClock):
    """Nobody sleeps for longer than a turn of the loop."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Desk:
    """The upkeep of a database, and what it says."""

    def __init__(self, url: str, fence: Fence) -> None:
        self.options = DatabaseOptions(url)
        self.metrics = CollectorRegistry()
        self.said: list[str] = []
        self.degraded = False
        self.upkeep = Upkeep(
            Settings(keep_samples_days=38, archive_filter="level=0:1"),  # type: ignore[arg-type]
            Restless(START + timedelta(hours=3)),
            fence,
            self.options,
            RollupMetrics(self.metrics),
            lambda: self.degraded,
            lambda what, text: self.said.append(f"{what}: {text}"),
        )

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


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


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
    counts = await ask(
        kept.conn, "SELECT time::date - '2026-11-21'::date, count(*) FROM sample GROUP BY 1"
    )
    assert dict(counts)[-1] == 600  # type: ignore[call-overload]
    assert sorted(dict(counts)) == [-36, -1]  # type: ignore[call-overload]
    assert 2 < dict(counts)[-36] < 30  # type: ignore[call-overload]
    assert desk.told("retention_dropped_bytes_total")
    assert desk.told("thinned_samples_total") == 600 - dict(counts)[-36]  # type: ignore[call-overload]
    assert len(await kept.rolled()) == 30


async def test_a_failure_is_said_once_and_the_upkeep_goes_on_when_it_is_over(
    kept: Kept, desk: Desk
):
    await kept.write(frame((1, 7, 1.0), (2, 7, 3.0), received=3))
    await kept.conn.execute("ALTER TABLE sample_hour RENAME TO elsewhere")
    working = asyncio.create_task(desk.upkeep.roll())
    await until(lambda: len(desk.said) > 0)
    await asyncio.sleep(0.2)
    assert len(desk.said) == 1
    assert "sample_hour" in desk.said[0]
    await kept.conn.execute("ALTER TABLE elsewhere RENAME TO sample_hour")
    await until(lambda: (desk.told("rollup_lag_seconds") or 99) == 15)
    working.cancel()
    while not await kept.rolled("sample_hour"):
        await kept.roll_up(at(3 * 3600))
    assert len(desk.said) == 1


async def test_nothing_is_rolled_up_while_samples_wait_outside_of_the_database(
    kept: Kept, desk: Desk
):
    await kept.write(frame((1, 7, 1.0), received=3))
    desk.degraded = True
    working = asyncio.create_task(desk.upkeep.roll())
    await asyncio.sleep(0.2)
    assert (await kept.state()).done < START - timedelta(days=9000)
    working.cancel()


async def test_who_has_lost_the_lease_stops(kept: Kept, desk: Desk):
    await kept.write(frame((1, 7, 1.0), received=3))
    await kept.conn.execute("UPDATE lease SET epoch = epoch + 1")
    with pytest.raises(LeaseLost):
        await desk.upkeep.roll()
    assert await kept.rolled() == {}
