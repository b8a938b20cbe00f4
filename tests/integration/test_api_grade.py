"""GET /sources/{id}/grade against a real database."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.options import ApiOptions
from tests.support.api import Api, api_in_loop
from tests.support.seed import Plant, Seed

V1 = "/api/v1"
AMMONIA = {"name": "ammonia", "cas": "7664-41-7"}


@pytest.fixture
def seed(database_url: str) -> Seed:
    return Seed(database_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("one", "enterprise", plant.enterprises[0])
    return plant


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    async with api_in_loop(database_url, ApiOptions()) as api:
        yield api


def register(seed: Seed, plant: Plant, substances: list[dict[str, Any]], **source: Any) -> None:
    """The first source holds these, and 60 people live around its enterprise."""
    detail = {"kind": "storage", "substances": substances} | source
    with seed.connection() as connection:
        for id, value in (
            (plant.enterprises[0], {"population_500m": 60}),
            (plant.sources[0], detail),
        ):
            connection.execute("UPDATE node SET detail = %s WHERE id = %s", (json.dumps(value), id))


def vessel(seed: Seed, plant: Plant, code: str, **detail: Any) -> None:
    with seed.connection() as connection:
        connection.execute(
            "INSERT INTO node (parent, kind, code, name, enterprise, detail)"
            " VALUES (%s, 'equipment', %s, %s, %s, %s)",
            (plant.sources[0], code, code, plant.enterprises[0], json.dumps(detail)),
        )


async def read(api: Api, plant: Plant, person: str = "park") -> dict[str, Any]:
    client = await api.login(person)
    answer = await client.get(f"{V1}/sources/{plant.sources[0]}/grade")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_whole_arithmetic_of_the_registered_design(api, seed, plant):
    register(seed, plant, [AMMONIA | {"design_t": 414.8}], grade=1)
    found = await read(api, plant, "one")
    assert found["source"] == str(plant.sources[0])
    assert (found["outcome"], found["agrees"], found["registered_grade"]) == ("graded", True, 1)
    grading = found["grading"]
    assert grading["s"]["exact"] == "41.48"
    assert grading["alpha"]["exact"] == "1.5"
    assert grading["r"] == {"exact": "124.44", "value": 124.44}
    assert grading["grade_name"] == "一级"
    assert grading["substances"][0]["critical_t"]["clause"] == "表1"
    assert grading["substances"][0]["beta"]["confidence"] == "V2"
    assert [step["from"]["exact"] for step in grading["grades"]] == ["100", "50", "10", "0"]
    assert grading["rules"]["quantity"]["clause"] == "4.2.2"


async def test_vessels_tell_what_the_design_leaves_out(api, seed, plant):
    tank = {"kind": "pressure_tank", "volume_m3": 400, "fill_limit": 0.85, "density_t_m3": 0.61}
    vessel(seed, plant, "V-1", **tank)
    vessel(seed, plant, "V-2", **tank)
    register(seed, plant, [AMMONIA], grade=2)
    found = await read(api, plant)
    (row,) = found["grading"]["substances"]
    assert row["quantity_t"]["exact"] == "414.8"
    assert row["quantity_from"] == "2 × 400 m³ · 0.85 · 0.61 t/m³"
    assert found["agrees"] is False


async def test_what_is_missing_is_said_and_nothing_is_guessed(api, seed, plant):
    assert (await read(api, plant))["outcome"] == "empty"
    register(seed, plant, [{"name": "硝酸铵", "cas": "6484-52-2", "design_t": 200}])
    found = await read(api, plant)
    assert (found["outcome"], found["grading"], found["agrees"]) == ("open", None, None)
    (problem,) = found["problems"]
    assert problem["path"] == "substances[0].table1_row"
    assert "44 (" in problem["text"]


async def test_a_source_outside_ones_scope_is_not_there(api, seed, plant):
    one = await api.login("one")
    for id in (plant.sources[1], plant.enterprises[0], plant.park, 10**8, "x"):
        assert (await one.get(f"{V1}/sources/{id}/grade")).status_code == 404
    assert (await api.client.get(f"{V1}/sources/{plant.sources[0]}/grade")).status_code == 401
