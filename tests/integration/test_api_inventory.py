"""The inventory of a source from the database to the wire."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from domain.inventory import GaugeNow, Sight, SourceInventory, SubstanceNow, TankNow
from storage.database import DatabaseOptions, connect
from storage.inventories import write_inventories
from tests.support.api import Api, api_in_loop
from tests.support.builders import at
from tests.support.seed import Plant, Seed

V1 = "/api/v1"


@pytest.fixture
def seed(database_url: str) -> Seed:
    return Seed(database_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("two", "enterprise", plant.enterprises[1])
    return plant


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    async with api_in_loop(database_url) as api:
        yield api


@pytest.fixture
async def park(api: Api, plant: Plant) -> httpx.AsyncClient:
    return await api.login("park")


def inventory(plant: Plant) -> SourceInventory:
    gauge = GaugeNow(1, 62.0, float("nan"), at(0))
    tank = TankNow(
        7, Sight.BAD, (gauge,), 211.0, 400.0, 0.61, 128.7, 207.4, 0.62, "ammonia\x00", ("看",)
    )  # fmt: skip
    substance = SubstanceNow("ammonia", "7664-41-7", 128.7, 414.8, 10.0, 0.31)
    source, owner = plant.sources[0], plant.enterprises[0]
    return SourceInventory(
        source, owner, at(1), 0.62, 0.31, 12.87, 41.48, False, 1, (tank,), (substance,)
    )  # fmt: skip


async def told(database_url: str, *inventories: SourceInventory) -> None:
    async with await connect(DatabaseOptions(database_url)) as conn:
        await write_inventories(conn, inventories)


async def test_what_the_worker_tells_the_api_shows(database_url, plant, park):
    await told(database_url, inventory(plant))
    answer = await park.get(f"{V1}/sources/{plant.sources[0]}/inventory")
    assert answer.status_code == 200
    item = answer.json()
    assert item["source"] == str(plant.sources[0])
    assert (item["load"], item["s_now"], item["s_design"]) == (0.62, 12.87, 41.48)
    (tank,) = item["tanks"]
    assert (tank["quality"], tank["tonnes"], tank["substance"]) == ("bad", 128.7, "ammonia\ufffd")
    assert tank["gauges"][0]["volume_m3"] is None
    assert tank["gauges"][0]["good"] == "2026-11-21T08:00:00Z"
    assert item["substances"][0]["critical_t"] == 10


async def test_the_last_word_counts(database_url, plant, park):
    first = inventory(plant)
    await told(database_url, replace(first, load=0.5), first)
    await told(database_url, replace(first, load=None, at=at(0)))
    item = (await park.get(f"{V1}/sources/{plant.sources[0]}/inventory")).json()
    assert item["load"] is None


async def test_a_source_of_which_nothing_was_told_is_there_and_says_so(plant, park):
    item = (await park.get(f"{V1}/sources/{plant.sources[0]}/inventory")).json()
    assert (item["at"], item["tanks"]) == (None, [])


async def test_what_is_outside_the_scope_or_no_source_is_not_found(api, plant, park):
    two = await api.login("two")
    for client, id in ((two, plant.sources[0]), (park, plant.enterprises[0]), (park, "x")):
        answer = await client.get(f"{V1}/sources/{id}/inventory")
        assert answer.status_code == 404
