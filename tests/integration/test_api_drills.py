"""Whose drill 演练 it is: an enterprise orders one for its own sources, a park for its area."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.options import ApiOptions
from tests.support.api import Api, api_in_loop
from tests.support.seed import Plant, Seed

DRILL = "/api/v1/warnings/drill"
QUICK = ApiOptions(action_wait_s=0.05)


@pytest.fixture
def seed(timescale_url: str) -> Seed:
    return Seed(timescale_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    """With a second park beside that of the plant."""
    plant = seed.plant()
    with seed.connection() as connection:
        row = connection.execute(
            "INSERT INTO node (kind, code, name, parent) VALUES ('park', 'p2', '东园', %s)"
            " RETURNING id",
            (plant.province,),
        ).fetchone()
    assert row is not None
    seed.person("one", "enterprise", plant.enterprises[0])
    seed.person("park", "operator", plant.park)
    seed.person("elsewhere", "operator", row[0])
    seed.person("both", "operator", row[0])
    with seed.connection() as connection:
        connection.execute(
            "INSERT INTO role_grant VALUES ('both', 'enterprise', %s)", (plant.enterprises[0],)
        )
    return plant


@pytest.fixture
async def api(timescale_url: str, plant: Plant) -> AsyncIterator[Api]:
    async with api_in_loop(timescale_url, QUICK) as api:
        yield api


async def order(client: httpx.AsyncClient, source: int, **more: str) -> httpx.Response:
    return await client.post(DRILL, json={"source": str(source), "colour": "red"} | more)


def recorded(seed: Seed) -> list[tuple[Any, ...]]:
    with seed.connection() as connection:
        return connection.execute("SELECT by, verb, level FROM operator_action").fetchall()


@pytest.mark.parametrize(
    ("who", "source", "more", "status"),
    [
        ("one", 0, {}, 202),
        ("one", 1, {}, 404),
        ("one", 0, {"level": "park"}, 403),
        ("park", 0, {}, 202),
        ("park", 1, {}, 202),
        ("park", 1, {"level": "enterprise"}, 403),
        ("elsewhere", 0, {}, 404),
        ("elsewhere", 1, {}, 404),
        ("both", 0, {}, 202),
        ("both", 0, {"level": "park"}, 403),
        ("both", 1, {}, 404),
    ],
)
async def test_a_drill_is_ordered_for_sources_of_ones_own_place(
    api: Api, seed: Seed, plant: Plant, who: str, source: int, more: dict[str, str], status: int
):
    answer = await order(await api.login(who), plant.sources[source], **more)
    assert answer.status_code == status, answer.text
    level = 1 if who == "park" else 0
    assert recorded(seed) == ([(who, "drill", level)] if status == 202 else [])


async def test_a_drill_of_what_is_no_hazard_source_is_not_ordered(
    api: Api, seed: Seed, plant: Plant
):
    park = await api.login("park")
    for node in (plant.park, plant.enterprises[0], 99999):
        assert (await order(park, node)).status_code == 404
    assert recorded(seed) == []


@pytest.mark.parametrize(
    ("who", "status"), [("one", 404), ("elsewhere", 404), ("both", 404), ("park", 202)]
)
async def test_a_drill_is_ended_by_those_whose_source_it_is(
    api: Api, seed: Seed, plant: Plant, who: str, status: int
):
    """Of the other enterprise's source."""
    case = uuid4()
    with seed.connection() as connection:
        connection.execute(
            "INSERT INTO warning_case (id, source, number, enterprise, state, colour, worst, seen,"
            " opened, unknown, n, left_blue, risen, alarms, receipts)"
            " VALUES (%s, %s, -1, %s, 'open', 3, 3, now(), now(), false, 1, 1, 1, '{}', '[]')",
            (case, plant.sources[1], plant.enterprises[1]),
        )
    answer = await (await api.login(who)).post(f"/api/v1/warnings/{case}/end_drill", json={})
    assert answer.status_code == status, answer.text
    assert [verb for _, verb, _ in recorded(seed)] == (["end_drill"] if status == 202 else [])
