"""CAP messages, their feed and the map over the api, against a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from api.options import ApiOptions
from domain.alarms import Kind
from domain.cap import CapOptions
from domain.risk import Colour
from hazwatch.cli import assembled
from storage.cap_issuers import keep_cap_issuer
from storage.database import DatabaseOptions, connect
from tests.support.api import Api, api_in_loop
from tests.support.builders import START, at
from tests.support.cap import checked, named, words
from tests.support.casework import Casework
from tests.support.seed import Plant, Seed

V1 = "/api/v1"
ATOM = {"a": "http://www.w3.org/2005/Atom", "cap": "urn:oasis:names:tc:emergency:cap:1.2"}
OPTIONS = ApiOptions(cap=CapOptions("cap.example.org"))


@pytest.fixture
def seed(timescale_url: str) -> Seed:
    return Seed(timescale_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("one", "enterprise", plant.enterprises[0])
    return plant


@pytest.fixture
def cases(timescale_url: str, plant: Plant) -> Casework:
    return Casework(timescale_url, plant)


@pytest.fixture
async def api(timescale_url: str) -> AsyncIterator[Api]:
    async with api_in_loop(timescale_url, OPTIONS) as api:
        yield api


@pytest.fixture
async def park(api: Api, plant: Plant) -> httpx.AsyncClient:
    return await api.login("park")


async def page(client: httpx.AsyncClient, address: str = "cap.atom") -> ET.Element:
    answer = await client.get(f"{V1}/{address}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml"
    return ET.fromstring(answer.content)


def texts(feed: ET.Element, path: str) -> list[str]:
    return [one.text or "" for one in feed.findall(path, ATOM)]


def link(feed: ET.Element, rel: str) -> str | None:
    found = feed.find(f"a:link[@rel='{rel}']", ATOM)
    return None if found is None else found.attrib["href"]


async def documents(client: httpx.AsyncClient) -> list[ET.Element]:
    """Every message that a reader finds who follows the links of the whole feed, oldest first."""
    address: str | None = "cap.atom?limit=2"
    found: list[ET.Element] = []
    while address is not None:
        feed = await page(client, address)
        for entry in feed.findall("a:entry", ATOM):
            answer = await client.get(f"{V1}/{link(entry, 'alternate')}")
            assert answer.headers["content-type"] == "application/cap+xml"
            found.insert(0, checked(answer.content))
        address = link(feed, "next")
    return found


def loaded(seed: Seed, version: int, name: str, when: float, *, grade: int, of: str = "e1") -> None:
    """A site file of one enterprise in which its source is called so."""
    source: dict[str, Any] = {
        "code": "s1",
        "name": name,
        "kind": "storage",
        "grade": grade,
        "position": [100.25, 38.5],
        "substances": [{"name": "ammonia", "cas": "7664-41-7"}],
        "equipment": [{"code": "R-1", "kind": "reactor"}],
        "tags": [{"name": "GD07", "kind": "gas_toxic"}],
    }
    content = {
        "tree": [{"code": "gansu", "name": "甘肃省", "children": [{"code": "p1", "name": "园区"}]}],
        "enterprises": [{"code": of, "park": "p1", "name": "企业", "sources": [source]}],
    }
    with seed.connection() as connection:
        connection.execute(
            "INSERT INTO site_version VALUES (%s, %s, 'test', 'x', %s)",
            (version, at(when), Jsonb(content)),
        )
        connection.execute("UPDATE node SET name = %s WHERE code = 's1'", (name,))


def closed(seed: Seed, when: float) -> None:
    """The newest case is closed, as the journal of whatever release says it."""
    with seed.connection() as connection:
        connection.execute(
            "INSERT INTO case_event (case_id, n, at, event, from_state, to_state, before, body)"
            " SELECT case_id, n + 1, %s, 'close', to_state, 'closed', 0, body || %s"
            " FROM case_event ORDER BY n DESC LIMIT 1",
            (at(when), Jsonb({"loop": {"closing": {"kind": "real"}}, "score": 12.25})),
        )


async def test_a_case_is_a_chain_that_a_reader_of_the_feed_finds_whole(seed, plant, cases, park):
    alarm = seed.raised(plant, plant.tags[0][1], kind=Kind.HH)
    source = plant.sources[0]
    await cases.see(source, Colour.ORANGE, at(0.5), alarms=(alarm.id,))
    await cases.see(source, Colour.RED, at(60))
    await cases.see(source, Colour.RED, at(61), unknown=True)
    await cases.see(source, Colour.RED, at(62))
    await cases.see(source, Colour.BLUE, at(120))
    closed(seed, 180)
    found = await documents(park)
    assert [words(one, "msgType")[0] for one in found] == ["Alert", "Update", "Update", "Cancel"]
    told = [named(one, "parameter") for one in found]
    assert [one["colour"] for one in told] == ["orange", "red", "blue", "blue"]
    assert (told[3]["closing"], told[3]["score"]) == ("real", "12.2")
    assert "score" not in told[0], "the journal of an earlier release does not know it"
    earlier = [
        ",".join(words(one, name)[0] for name in ("sender", "identifier", "sent"))
        for one in found[:3]
    ]
    assert words(found[3], "references") == [" ".join(earlier)]
    assert words(found[0], "info/event") == ["有毒气体泄漏预警", "toxic gas leak warning"]


async def test_a_message_stays_what_it_was_when_the_site_changes(
    timescale_url, seed, plant, cases, park
):
    loaded(seed, 1, "液氨罐区", -60, grade=1)
    loaded(seed, 2, "液氨罐区", -30, grade=3, of="e7")
    alarm = seed.raised(plant, plant.tags[0][1], kind=Kind.HH)
    case = await cases.see(plant.sources[0], Colour.RED, START, alarms=(alarm.id,))
    before = await park.get(f"{V1}/cap/{case.id}.1.xml")
    loaded(seed, 3, "别的名字", 60, grade=4)
    async with api_in_loop(timescale_url, OPTIONS) as another:
        afterwards = await (await another.login("park")).get(f"{V1}/cap/{case.id}.1.xml")
    assert afterwards.content == before.content
    found = checked(before.content)
    assert words(found, "info/area/areaDesc")[0] == "甘肃省 园区 企业 液氨罐区"
    assert words(found, "info/area/circle")[0] == "38.5,100.25 0.5"
    assert words(found, "info/event") == ["氨泄漏预警", "ammonia leak warning"]
    assert named(found, "parameter")["grade"] == "1"


async def test_what_is_not_there_or_not_for_somebody_is_a_404(plant, cases, api, park):
    feed = await page(park)
    assert texts(feed, "a:updated") == ["1970-01-01T00:00:00Z"]
    assert link(feed, "next") is None
    case = await cases.see(plant.sources[1], Colour.RED)
    one = await api.login("one")
    assert (await park.get(f"{V1}/cap/{case.id}.1.xml")).status_code == 200
    for who, name in ((one, f"{case.id}.1"), (park, f"{case.id}.2"), (park, "x"), (park, ".1")):
        answer = await who.get(f"{V1}/cap/{name}.xml")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert (await api.client.get(f"{V1}/cap/{case.id}.1.xml")).status_code == 401
    assert texts(await page(one), "a:entry/a:id") == []


async def test_the_feed_has_what_atom_asks_for_and_is_not_sent_again_while_nothing_is_new(
    timescale_url, plant, cases, park
):
    case = await cases.see(plant.sources[0], Colour.YELLOW, at(0.25))
    first = await park.get(f"{V1}/cap.atom")
    feed = ET.fromstring(first.content)
    for name in ("id", "title", "updated"):
        assert len(texts(feed, f"a:{name}")) == len(texts(feed, f"a:entry/a:{name}")) == 1
    assert texts(feed, "a:updated") == ["2026-11-21T08:00:00.250000Z"]
    assert texts(feed, "a:author/a:name") == ["cap.example.org"]
    [entry] = feed.findall("a:entry", ATOM)
    assert texts(entry, "cap:identifier") == [f"{case.id}.1"]
    assert texts(entry, "cap:severity") == ["Moderate"]
    assert texts(entry, "a:title") == [
        "黄色预警：华东化工 液氨罐区 安全风险预警 / "
        "Yellow warning: 华东化工 液氨罐区, safety risk warning"
    ]
    assert first.headers["last-modified"] == "Sat, 21 Nov 2026 08:00:00 GMT"
    assert "no-store" not in first.headers["cache-control"]
    tag = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    again = await park.get(f"{V1}/cap.atom", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    await cases.see(plant.sources[0], Colour.RED, at(0.5))
    assert (await park.get(f"{V1}/cap.atom", headers=tag)).status_code == 200
    for cursor in ("x", "WyIyMDI2LTAxLTAxIiwiYSIsMV0"):
        assert (await park.get(f"{V1}/cap.atom?cursor={cursor}")).status_code == 422

    def said(*words: str) -> tuple[int, str]:
        made = CliRunner().invoke(assembled(), ["cap", *words, "--database-url", timescale_url])
        return made.exit_code, made.stdout

    code, listed = await asyncio.to_thread(said, "feed", "--output", "json")
    assert code == 0
    assert [one["type"] for one in json.loads(listed)] == ["Update", "Alert"]
    code, shown = await asyncio.to_thread(said, "show", str(case.id))
    assert words(checked(shown.encode()), "identifier") == [f"{case.id}.2"]
    for unknown in (f"{case.id}.7", "x", str(plant.sources[0])):
        assert (await asyncio.to_thread(said, "show", unknown))[0] == 1


async def test_another_sender_and_zone_leave_what_was_issued_as_it_is(
    timescale_url, plant, cases, park
):
    case = await cases.see(plant.sources[0], Colour.YELLOW)
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        for sender, zone, s in (
            ("cap.example.org", "Asia/Shanghai", 3600.0),
            ("cap.example.org", "Asia/Shanghai", 3700.0),
            ("new.example.org", "Asia/Tokyo", 7200.0),
        ):
            await keep_cap_issuer(conn, sender, zone, at(s))
        rows = await (await conn.execute("SELECT since FROM cap_issuer ORDER BY since")).fetchall()
    assert len(rows) == 2, "what has not changed is not kept again"
    await cases.see(plant.sources[0], Colour.RED, at(7300))
    first = checked((await park.get(f"{V1}/cap/{case.id}.1.xml")).content)
    second = checked((await park.get(f"{V1}/cap/{case.id}.2.xml")).content)
    assert words(first, "sender") == ["cap.example.org"]
    assert words(first, "sent") == ["2026-11-21T16:00:00+08:00"]
    assert words(second, "sender") == ["new.example.org"]
    assert words(second, "references") == [f"cap.example.org,{case.id}.1,2026-11-21T16:00:00+08:00"]

    def shown() -> bytes:
        made = CliRunner().invoke(
            assembled(),
            ["cap", "show", f"{case.id}.1", "--database-url", timescale_url],
            env={"HAZWATCH_TIMEZONE": "UTC", "HAZWATCH_CAP_SENDER": "third.example.org"},
        )
        return made.stdout_bytes

    assert await asyncio.to_thread(shown) == (await park.get(f"{V1}/cap/{case.id}.1.xml")).content


class TestMap:
    @pytest.fixture
    def placed(self, seed: Seed, plant: Plant) -> Plant:
        """lon and lat of nothing here could be taken for each other."""
        ring = [[100.0, 38.0], [100.0, 39.0], [101.0, 39.0], [101.0, 38.0]]
        with seed.connection() as connection:
            connection.execute(
                "UPDATE node SET lon = 100.25, lat = 38.5, detail = '{\"grade\": 2}' WHERE id = %s",
                (plant.sources[0],),
            )
            connection.execute(
                "UPDATE node SET detail = %s WHERE id = %s",
                (Jsonb({"boundary": ring}), plant.enterprises[0]),
            )
            connection.execute(
                "UPDATE tag SET spec = spec || '{\"position\": [100.5, 38.75]}' WHERE id = %s",
                (plant.tags[0][1],),
            )
        return plant

    async def features(self, client: httpx.AsyncClient, **params: str) -> dict[str, dict[str, Any]]:
        answer = await client.get(f"{V1}/geojson", params=params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/geo+json"
        body = answer.json()
        assert body.keys() == {"type", "features"}
        assert body["type"] == "FeatureCollection"
        return {one["id"]: one for one in body["features"]}

    async def test_is_lon_lat_runs_counter_clockwise_and_keeps_two_colours_apart(
        self, seed, placed, cases, park
    ):
        found = await self.features(park)
        source = found[f"node/{placed.sources[0]}"]
        assert source["geometry"] == {"type": "Point", "coordinates": [100.25, 38.5]}
        assert found[f"tag/{placed.tags[0][1]}"]["geometry"]["coordinates"] == [100.5, 38.75]
        enterprise = found[f"node/{placed.enterprises[0]}"]
        assert enterprise["geometry"]["coordinates"] == [
            [[100.0, 38.0], [101.0, 38.0], [101.0, 39.0], [100.0, 39.0], [100.0, 38.0]]
        ]
        assert enterprise["bbox"] == [100.0, 38.0, 101.0, 39.0]
        assert found[f"node/{placed.sources[1]}"]["geometry"] is None
        await cases.risk(placed.sources[0], Colour.RED)
        seed.samples(placed.tags[0][0], (START, 5.0))
        found = await self.features(park)
        assert found[f"node/{placed.sources[0]}"]["properties"] == {
            "id": str(placed.sources[0]),
            "kind": "source",
            "name": "液氨罐区",
            "parent": str(placed.enterprises[0]),
            "enterprise": str(placed.enterprises[0]),
            "colour": "red",
            "unknown": False,
            "score": 66.5,
            "grade": 2,
            "counts": {"red": 1, "orange": 0, "yellow": 0, "blue": 0, "unknown": 0},
            "updated_at": "2026-11-21T08:00:00Z",
        }
        park_node = found[f"node/{placed.park}"]["properties"]
        assert (park_node["colour"], park_node["unknown"], park_node["grade"]) == (
            "red",
            True,
            None,
        )
        assert park_node["updated_at"] == "2026-11-21T08:00:00Z"

    async def test_filters_and_shows_only_what_somebody_may_see(self, placed, cases, api, park):
        await cases.risk(placed.sources[0], Colour.RED)
        here = await self.features(park, bbox="100.2,38.4,100.3,38.6")
        assert {one["properties"]["kind"] for one in here.values()} == {"source", "enterprise"}
        assert await self.features(park, bbox="38.4,-80,38.6,80") == {}
        across = await self.features(park, bbox="100.4,38.7,-170,39.5", kind="tag")
        assert list(across) == [f"tag/{placed.tags[0][1]}"]
        red = await self.features(park, colour="red", kind="source,park")
        assert list(red) == [f"node/{placed.park}", f"node/{placed.sources[0]}"]
        for wrong in ("1,2,3", "a,b,c,d", "0,50,1,40", "0,-91,1,1"):
            assert (await park.get(f"{V1}/geojson", params={"bbox": wrong})).status_code == 422
        assert (await park.get(f"{V1}/geojson", params={"colour": "pink"})).status_code == 422
        one = await api.login("one")
        found = await self.features(one)
        assert f"node/{placed.sources[0]}" in found
        assert f"node/{placed.sources[1]}" not in found
        first = await one.get(f"{V1}/geojson")
        tag = {"If-None-Match": first.headers["etag"]}
        assert (await one.get(f"{V1}/geojson", headers=tag)).status_code == 304
