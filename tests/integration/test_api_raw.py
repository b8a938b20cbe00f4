"""From the wire over the database to the api: what came is told beside what is stored, and a change
of unit begins a tag of its own, which leaves the history of the one before alone."""

import pytest

from api.options import ApiOptions
from domain.instant import moment, rfc3339
from ingest.batch import Raw
from ingest.intake import Intake
from storage.database import DatabaseOptions, connect
from storage.registry import load_site, read_registry
from storage.site_changes import How
from tests.support.api import api_in_loop
from tests.support.builders import START, at, registry
from tests.support.gateway_line import Line, body
from tests.support.seed import Seed
from tests.support.sites import enterprise, site, tag

V1 = "/api/v1"
TOPIC = "hw/v1/p1/e1/g1/data"
AMMONIA = {"substances": [{"name": "ammonia", "cas": "7664-41-7"}]}


class Plant:
    """A site in the database, and a gateway whose samples go there by way of intake."""

    def __init__(self, conn, seed):
        self.conn, self.seed = conn, seed
        self.line = Line(Intake(registry()))

    async def load(self, *tags, seconds=0):
        owner = enterprise("e1", *tags)
        owner["sources"][0] |= AMMONIA
        report = await load_site(self.conn, site(owner), by="anna", at=at(seconds))
        self.registry = await read_registry(self.conn)
        self.line.intake.update_registry(self.registry)
        return report

    def id(self, name):
        (found,) = [one.id for one in self.registry.tags.values() if one.name == name]
        return found

    def say(self, seconds, received=None, **values):
        named = {name.replace("_", "-"): value for name, value in values.items()}
        message = Raw(TOPIC, body((seconds, named)))
        for batch in self.line.take(received or seconds, message):
            frame = batch.frame
            for row in range(len(frame)):
                self.seed.samples(
                    int(frame.tag[row]),
                    (moment(int(frame.time[row])), float(frame.value[row])),
                    quality=int(frame.quality[row]),
                    flags=int(frame.flags[row]),
                )
        return batch


@pytest.fixture
async def plant(database_url):
    async with await connect(DatabaseOptions(database_url)) as conn:
        yield Plant(conn, Seed(database_url))


async def reader(api, plant):
    park = next(node.id for node in plant.registry.nodes.values() if node.kind == "park")
    plant.seed.person("park", "operator", park)
    return await api.login("park")


async def latest(client):
    plain = (await client.get(f"{V1}/latest")).raise_for_status().json()["items"]
    assert {item["raw"] for item in plain} == {None}
    found = (await client.get(f"{V1}/latest?raw=true")).raise_for_status().json()["items"]
    return {item["tag"]: item for item in found}


async def history(client, tag_id):
    span = {"from": rfc3339(START), "to": rfc3339(at(600))}
    answer = await client.get(f"{V1}/tags/{tag_id}/history", params=span)
    return answer.raise_for_status().json()


async def test_what_came_is_told_beside_what_is_stored(plant, database_url):
    await plant.load(
        tag("PT-1", kind="pressure", unit="MPa", range=[0, 1.6], limits={}),
        tag("GD-1", kind="gas_toxic", unit="ppm", range=[0, 100], limits={}),
        tag("LT-1", limits={}),
    )
    plant.say(1, PT_1={"value": 731.25, "unit": "kPa"}, GD_1={"value": 20, "unit": "mg/m³"}, LT_1=5)
    plant.say(2, PT_1={"value": 0.9, "unit": "Mpa"}, LT_1=-9999)
    pressure, gas, level = (plant.id(name) for name in ("PT-1", "GD-1", "LT-1"))
    async with api_in_loop(database_url, ApiOptions()) as api:
        client = await reader(api, plant)
        items = await latest(client)
        assert (items[str(pressure)]["value"], items[str(pressure)]["raw"]) == (0.9, None)
        assert items[str(gas)]["value"] == pytest.approx(28.7, abs=0.05)
        assert items[str(gas)]["raw"] == {"value": 20.0, "unit": "mg/m3"}
        assert (items[str(level)]["value"], items[str(level)]["quality"]) == (None, "bad")
        assert items[str(level)]["raw"] == {"value": -9999.0, "unit": None}
        told = await history(client, pressure)
        assert [row[1] for row in told["rows"]] == [0.73125, 0.9]
        assert told["raw"] == [[told["rows"][0][0], 731.25, "kPa"]]
        assert [one[1:] for one in (await history(client, level))["raw"]] == [[-9999.0, None]]


async def test_a_change_of_unit_leaves_the_history_before_it_under_the_tag_before(
    plant, database_url
):
    metres = tag("LT-1", unit="m", range=[0, 10], limits={"H": 8})
    await plant.load(metres)
    plant.say(1, LT_1=7.31)
    old = plant.id("LT-1")
    report = await plant.load(
        tag("LT-1", unit="cm", range=[0, 1000], limits={"H": 790}), seconds=60
    )
    assert report.count("tag", How.RENEWED) == 1
    new = plant.id("LT-1")
    plant.say(61, LT_1=732)
    late = plant.say(50, received=62, LT_1={"value": 7.315, "unit": "m"})
    assert len(late.frame.judged()) == 0
    async with api_in_loop(database_url, ApiOptions()) as api:
        client = await reader(api, plant)
        before, after = await history(client, old), await history(client, new)
        assert (before["unit"], [row[1] for row in before["rows"]]) == ("m", [7.31])
        assert (after["unit"], [row[1] for row in after["rows"]]) == ("cm", [731.5, 732.0])
        assert [one[1:] for one in after["raw"]] == [[7.315, "m"]]
        (item,) = (await client.get(f"{V1}/tags")).json()["items"]
        assert (item["id"], item["unit"], item["limits"]["H"]) == (str(new), "cm", 790)


async def test_another_gas_is_another_tag_and_another_word_for_it_is_not(plant):
    def detector(**more):
        return tag("GD-1", kind="gas_toxic", unit="ppm", range=[0, 100], limits={}, **more)

    await plant.load(detector())
    for told, renewed in (("NH3", 0), ("7664-41-7", 0), ("氯", 1), ("Cl2", 0)):
        report = await plant.load(detector(gas=told))
        assert report.count("tag", How.RENEWED) == renewed, told
