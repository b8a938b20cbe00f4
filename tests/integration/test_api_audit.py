"""GET /audit/setpoints against a real database."""

import json
from collections.abc import AsyncIterator

import pytest

from api.options import ApiOptions
from tests.support.api import Api, api_in_loop
from tests.support.seed import Plant, Seed

PATH = "/api/v1/audit/setpoints"


@pytest.fixture
def seed(database_url: str) -> Seed:
    return Seed(database_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    """Two enterprises with a gas tag GD07 of 20 and 40 ppm; the first holds ammonia."""
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("one", "enterprise", plant.enterprises[0])
    held = {"kind": "storage", "substances": [{"name": "ammonia", "cas": "7664-41-7"}]}
    with seed.connection() as connection:
        connection.execute(
            "UPDATE node SET detail = %s WHERE id = %s", (json.dumps(held), plant.sources[0])
        )
    return plant


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    async with api_in_loop(database_url, ApiOptions()) as api:
        yield api


async def test_every_tag_in_scope_with_what_was_compared(api, plant):
    park = await api.login("park")
    items = (await park.get(PATH)).json()["items"]
    assert [item["name"] for item in items] == ["GD07", "GD07", "LI101", "LI101"]
    first = next(item for item in items if item["source"] == str(plant.sources[0]))
    assert (first["gas"], first["worst"], first["standard"]) == (
        "氨 ammonia", "ok", "GB/T 50493-2019",
    )  # fmt: skip
    row = next(row for row in first["rows"] if row["member"] == "limits.H")
    assert (row["value"], row["allowed"], row["severity"]) == (20.0, "≤ 28.71", "ok")
    assert (row["source"], row["confidence"]) == ("S8, S9", "V2")
    other = next(item for item in items if item["source"] == str(plant.sources[1]))
    assert other["gas"] is None
    assert "unknown gas" in other["rows"][0]["text"]


async def test_pages_nodes_and_scope(api, plant):
    park, one = await api.login("park"), await api.login("one")
    page = (await park.get(PATH, params={"limit": 3})).json()
    rest = (await park.get(PATH, params={"limit": 3, "cursor": page["next"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (3, 1, None)
    below = (await park.get(PATH, params={"node": plant.sources[1]})).json()["items"]
    assert {item["source"] for item in below} == {str(plant.sources[1])}
    mine = (await one.get(PATH)).json()["items"]
    assert {item["enterprise"] for item in mine} == {str(plant.enterprises[0])}
    assert (await one.get(PATH, params={"node": plant.sources[1]})).json()["items"] == []
    assert (await api.client.get(PATH)).status_code == 401
