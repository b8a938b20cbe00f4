"""The hourly look for copied data, on a real database."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import numpy as np

from domain.alarms import Edge, Finding, Kind
from domain.frame import Floats
from hazwatch import copies
from storage.database import Connection, DatabaseOptions, link
from storage.minutes import MINUTE, minute_means
from tests.support.builders import START, at
from tests.support.seed import Plant, Seed

DAY = 86_400
HALF = timedelta(seconds=30)
NOISE = np.random.default_rng(8)


def readings(n: int) -> Floats:
    return np.round(5 + np.sin(np.arange(n) / 300) + NOISE.normal(0, 0.05, n), 3)


def put(seed: Seed, tag: int, begin: datetime, values: Floats) -> None:
    times = [begin + n * HALF for n in range(len(values))]
    seed.samples(tag, *zip(times, values.tolist(), strict=True))


async def looked(
    url: str, plant: Plant, active: dict[int, datetime], when: datetime
) -> list[Finding]:
    async with link(DatabaseOptions(url)) as line:
        return await copies.look(line.run, plant.registry, active, when)


async def test_minutes_have_the_mean_of_their_good_samples(database_url: str):
    seed = Seed(database_url)
    plant = seed.plant()
    one, two = plant.tags[0]
    seed.samples(one, (at(0), 1.0), (at(30), 2.0), (at(59.999999), 6.0), (at(60), 8.0))
    seed.samples(one, (at(130), 1.0), quality=64)
    seed.samples(one, (at(190), float("nan")), (at(200), float("inf")), (at(210), 3.0))
    async with link(DatabaseOptions(database_url)) as line:

        async def read(conn: Connection) -> Floats:
            return await minute_means(conn, [two, one], START, 5)

        work: Callable[[Connection], Awaitable[Floats]] = read
        means = await line.run(work)
    assert np.array_equal(means, [[np.nan] * 5, [3.0, 8.0, np.nan, 3.0, np.nan]], equal_nan=True)


async def test_a_copied_day_is_found_and_ends_when_the_data_are_its_own_again(database_url: str):
    seed = Seed(database_url)
    plant = seed.plant()
    forged, honest = plant.tags[0]
    day = readings(2 * DAY // 60)
    put(seed, forged, START, day)
    put(seed, forged, at(DAY), np.append(readings(600), day[600:2160]))
    put(seed, honest, START, readings(2160 + 2880))
    end = at(DAY + 2160 * 30 + 150)
    (found,) = await looked(database_url, plant, {}, end)
    assert (found.edge, found.kind, found.tag) == (Edge.RAISED, Kind.COPIED, forged)
    by_chance = 3 * MINUTE
    assert at(DAY + 600 * 30) - by_chance <= found.onset <= at(DAY + 600 * 30)
    assert end - timedelta(minutes=4) < found.effective <= end
    active = {forged: found.onset}
    assert await looked(database_url, plant, active, end + 5 * MINUTE) == []
    put(seed, forged, at(DAY + 2160 * 30), readings(240))
    (ended,) = await looked(database_url, plant, active, end + 120 * MINUTE)
    assert (ended.edge, ended.onset) == (Edge.RETURNED, found.onset)


async def test_an_empty_database_says_nothing(database_url: str):
    plant = Seed(database_url).plant()
    assert await looked(database_url, plant, {plant.tags[0][0]: START}, at(DAY)) == []
