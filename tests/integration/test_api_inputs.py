"""Management inputs of the api against a real database, and as the worker reads them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.inputs import InputKind
from domain.instant import rfc3339
from storage.database import DatabaseOptions, connect
from storage.inputs import input_version, read_inputs
from tests.support.api import Api, api_in_loop
from tests.support.builders import START, at
from tests.support.clock import ManualClock
from tests.support.seed import PASSWORD, Plant, Seed

V1 = "/api/v1/inputs"
HOUR = 3600.0
SIGNED = {"second": "park", "second_password": PASSWORD}
UNSAID = ("value", "second_password")
"""Members that are not told as they came."""


@pytest.fixture
def seed(database_url: str) -> Seed:
    return Seed(database_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    plant = seed.plant()
    for name, role, node in (
        ("park", "operator", plant.park),
        ("other", "operator", plant.park),
        ("one", "enterprise", plant.enterprises[0]),
        ("two", "enterprise", plant.enterprises[1]),
    ):
        seed.person(name, role, node)
    return plant


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def api(database_url: str, plant: Plant, clock: ManualClock) -> AsyncIterator[Api]:
    async with api_in_loop(database_url, clock=clock) as api:
        yield api


@pytest.fixture
async def park(api: Api) -> httpx.AsyncClient:
    return await api.login("park")


@pytest.fixture
async def one(api: Api) -> httpx.AsyncClient:
    return await api.login("one")


def soon(seconds: float = HOUR) -> str:
    return rfc3339(at(seconds))


def bodies(plant: Plant) -> dict[str, dict[str, Any]]:
    """A statement of each kind that the enterprise may make."""
    source, enterprise = str(plant.sources[0]), str(plant.enterprises[0])
    level, _ = (str(id) for id in plant.tags[0])
    work = {"work": "hot_work", "level": "1", "position": [100.45, 38.93], "holder": "王"}
    return {
        "commitment": {"node": enterprise, "until": soon()},
        "duty": {"node": source, "until": soon(), "value": {"role": "main"}},
        "hidden_hazard": {"node": source, "until": soon(), "value": {"title": "软管老化"}},
        "special_work": {"node": source, "until": soon(), "value": work},
        "mode": {"node": source, "until": soon(), "value": {"mode": "empty"}} | SIGNED,
        "permit": {"tag": level, "until": soon(), "value": {"work": "maintenance"}} | SIGNED,
        "manual": {
            "node": source,
            "value": {"what": "field_report", "event": "leak", "text": "法兰泄漏"},
        },
        "offline_report": {
            "node": source,
            "until": soon(),
            "value": {"reason": "换网关"},
            **SIGNED,
        },
    }


async def state(client: httpx.AsyncClient, kind: str, **body: Any) -> httpx.Response:
    key = body.pop("key", None)
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post(V1, json={"kind": kind} | body, headers=headers)


async def refused(client: httpx.AsyncClient, kind: str, **body: Any) -> tuple[int, str]:
    answer = await state(client, kind, **body)
    assert answer.status_code >= 400, answer.text
    return answer.status_code, answer.json()["detail"]


async def test_every_kind_is_stated_listed_and_read_by_the_worker(plant, one, database_url):
    said = bodies(plant)
    for kind, body in said.items():
        answer = await state(one, kind, **body)
        assert answer.status_code == 201, answer.text
        item = answer.json()
        assert (item["kind"], item["who"], item["open"]) == (kind, "one", True)
        assert item.items() >= {k: v for k, v in body.items() if k not in UNSAID}.items()
        assert item["recorded_at"] == item["since"] == rfc3339(START)
    listed = (await one.get(V1)).json()["items"]
    assert {item["kind"] for item in listed} == set(said)
    async with await connect(DatabaseOptions(database_url)) as conn:
        found = await read_inputs(conn, START)
        assert await input_version(conn) == len(said)
    assert {one.kind.value for one in found} == set(said)
    mode = next(one for one in found if one.kind is InputKind.MODE)
    assert (mode.node, mode.value, mode.second) == (plant.sources[0], {"mode": "empty"}, "park")
    assert (mode.since, mode.until, mode.recorded) == (START, at(HOUR), START)


async def test_the_same_key_is_recorded_once(plant, one, database_url):
    body = bodies(plant)["manual"]
    first = await state(one, "manual", **body, key="k")
    again = await state(one, "manual", **body, key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = await state(one, "duty", **bodies(plant)["duty"], key="k")
    assert other.status_code == 409
    async with await connect(DatabaseOptions(database_url)) as conn:
        assert await input_version(conn) == 1


async def test_a_fact_is_revoked_once_and_stays(plant, one, clock, database_url):
    item = (await state(one, "hidden_hazard", **bodies(plant)["hidden_hazard"])).json()
    await clock.advance(60)
    place = f"{V1}/{item['id']}"
    assert (await one.delete(place)).status_code == 422
    gone = await one.delete(place, params={"reason": "已整改"})
    assert gone.status_code == 200
    assert (gone.json()["revoked_by"], gone.json()["reason"]) == ("one", "已整改")
    assert gone.json()["open"] is False
    assert (await one.delete(place, params={"reason": "x"})).status_code == 409
    assert (await one.get(place)).json() == gone.json()
    assert (await one.get(V1, params={"open": "true"})).json()["items"] == []
    async with await connect(DatabaseOptions(database_url)) as conn:
        [found] = await read_inputs(conn, clock.now())
        assert (found.revoked, found.reason) == (at(60), "已整改")
        assert await read_inputs(conn, at(60) + timedelta(days=31)) == []


async def test_what_recurs_and_hidden_hazards_are_read_however_late(plant, one, database_url):
    for until in (HOUR, 2 * HOUR):
        await state(one, "duty", **bodies(plant)["duty"] | {"until": soon(until)})
        await state(one, "commitment", **bodies(plant)["commitment"] | {"until": soon(until)})
    await state(one, "hidden_hazard", **bodies(plant)["hidden_hazard"])
    await state(one, "mode", **bodies(plant)["mode"])
    async with await connect(DatabaseOptions(database_url)) as conn:
        found = await read_inputs(conn, START + timedelta(days=400))
    kinds = sorted((one.kind.value, one.until) for one in found)
    assert kinds == [
        ("commitment", at(2 * HOUR)),
        ("duty", at(2 * HOUR)),
        ("hidden_hazard", at(HOUR)),
    ]


async def test_nobody_states_or_sees_anything_of_others(plant, api, one):
    two = await api.login("two")
    item = (await state(one, "duty", **bodies(plant)["duty"])).json()
    status, detail = await refused(two, "duty", **bodies(plant)["duty"])
    assert (status, "/node: there is no node" in detail) == (422, True)
    status, detail = await refused(two, "permit", **bodies(plant)["permit"])
    assert (status, "/tag: there is no tag" in detail) == (422, True)
    assert (await two.get(V1)).json()["items"] == []
    assert (await two.get(f"{V1}/{item['id']}")).status_code == 404
    answer = await two.delete(f"{V1}/{item['id']}", params={"reason": "x"})
    assert answer.status_code == 404
    assert (await api.client.get(V1)).status_code == 401


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("duty", {"value": {"role": "boss"}}, "'main', 'technical' or 'operation'"),
    ("duty", {"until": None}, "/duty/until"),
    ("duty", {"until": soon(0)}, "must be later than since"),
    ("duty", {"node": None}, "a duty needs node"),
    ("duty", {"extra": 1}, "Extra inputs are not permitted"),
    ("mode", {"second": None, "second_password": None}, "needs a second person"),
    ("mode", {"second_password": None}, "/second_password: is missing"),
    ("duty", {"second_password": "x"}, "/second: is missing"),
    ("mode", {"second": "one"}, "has to be another one"),
    ("mode", {"value": {"mode": "sleep"}}, "'run', 'start_up'"),
    ("mode", {"until": soon(91 * 24 * HOUR)}, "may last 90 d at most"),
    ("permit", {"until": soon(31 * 24 * HOUR)}, "may last 30 d at most"),
    ("permit", {"value": {"work": "calibration"}}, "may last 30 min at most"),
    ("permit", {"value": {"work": "maintenance", "zone": "A"}}, "/value/zone"),
    ("permit", {"tag": None, "node": "source"}, "needs tag, or node with a zone"),
    ("manual", {"tag": "1"}, "a manual is said of a node"),
    ("special_work", {"since": rfc3339(at(-9)), "until": rfc3339(at(-1))}, "later than now"),
    ("special_work", {"value": {"work": "hot_work", "position": [200, 1]}}, "180"),
    ("nonsense", {}, "'commitment'"),
]


async def test_what_is_wrong_is_said_with_what_is_allowed(plant, one):
    for kind, change, says in WRONG:
        change = {k: str(plant.sources[0]) if v == "source" else v for k, v in change.items()}
        body = {k: v for k, v in (bodies(plant).get(kind, {}) | change).items() if v is not None}
        status, detail = await refused(one, kind, **body)
        assert status == 422, (kind, change)
        assert says in detail, (kind, change)


async def test_gas_detectors_need_a_second_person_and_one_of_a_zone_stays_in_service(
    plant, one, park
):
    gas = {"tag": str(plant.tags[0][1]), "until": soon(600)}
    out = gas | {"value": {"work": "out_of_service"}}
    status, detail = await refused(one, "permit", **out)
    assert (status, "last detector of its zone" in detail) == (403, True)
    status, detail = await refused(park, "permit", **out)
    assert (status, "second person" in detail) == (422, True)
    signed = {"second": "one", "second_password": PASSWORD}
    approved = await state(park, "permit", **out, **signed)
    assert approved.status_code == 201
    assert approved.json()["value"] == {"work": "out_of_service", "last_in_zone": True}
    test = gas | {"value": {"work": "calibration"}}
    assert (await state(one, "permit", **test, **SIGNED)).status_code == 201


async def test_a_permit_over_urgent_alarms_needs_a_second_person(plant, one, database_url):
    body = bodies(plant)["permit"]
    alone = {name: told for name, told in body.items() if name not in SIGNED}
    for work in ("maintenance", "calibration", "out_of_service"):
        until = soon(600)
        status, detail = await refused(
            one, "permit", **alone | {"until": until, "value": {"work": work}}
        )
        assert (status, "needs a second person" in detail) == (422, True)
    level = plant.tags[0][0]
    with Seed(database_url).connection() as connection:
        connection.execute(
            "UPDATE tag SET spec = jsonb_set(spec, '{limits}', '{\"H\": 8}') WHERE id = %s",
            (level,),
        )
    assert (await state(one, "permit", **alone)).status_code == 201


async def test_nobody_but_the_park_calibrates_the_last_detector_while_the_others_are_out(
    plant, one, park, database_url
):
    gas = plant.tags[0][1]
    with Seed(database_url).connection() as connection:
        other = connection.execute(
            "INSERT INTO tag (version, enterprise, source, name, kind, unit, spec, since)"
            " SELECT version, enterprise, source, 'GD102', kind, unit,"
            ' spec || \'{"name": "GD102"}\', since FROM tag WHERE id = %s RETURNING id',
            (gas,),
        ).fetchone()
    assert other is not None
    out = {"tag": str(gas), "until": soon(600), "value": {"work": "out_of_service"}}
    assert (await state(one, "permit", **out, **SIGNED)).status_code == 201
    test = {"tag": str(other[0]), "until": soon(600), "value": {"work": "calibration"}}
    status, detail = await refused(one, "permit", **test, **SIGNED)
    assert (status, "last detector of its zone" in detail) == (403, True)
    signed = {"second": "one", "second_password": PASSWORD}
    assert (await state(park, "permit", **test, **signed)).status_code == 201


async def test_the_second_person_is_there_and_may_see_what_it_is_said_of(
    plant, one, api, database_url
):
    kinds = {
        "permit": {"tag": str(plant.tags[0][1]), "until": soon(600)}
        | {"value": {"work": "calibration"}},
        "mode": bodies(plant)["mode"],
        "offline_report": bodies(plant)["offline_report"],
    }
    for kind, body in kinds.items():
        told = set()
        for name, password in (("nobody", PASSWORD), ("park", "wrong"), ("two", "wrong")):
            signed = {"second": name, "second_password": password}
            told.add(await refused(one, kind, **body | signed))
        assert told == {(403, "/second: the second person's name or password is wrong")}
        signed = {"second": "two", "second_password": PASSWORD}
        status, detail = await refused(one, kind, **body | signed)
        assert (status, "may not see" in detail) == (403, True)
    async with await connect(DatabaseOptions(database_url)) as conn:
        assert await input_version(conn) == 0
    made = await state(one, "mode", **kinds["mode"])
    assert PASSWORD not in made.text
    login = {"user": "park", "password": "wrong"}
    for _ in range(5):
        await api.client.post("/api/v1/session", json=login)
    assert (await refused(one, "mode", **kinds["mode"]))[0] == 429


async def test_a_colour_is_set_by_an_officer_and_taken_back_by_another(plant, api, one, park):
    body = {"node": str(plant.sources[0]), "value": {"colour": "orange"}}
    assert (await refused(one, "colour_set", **body))[0] == 403
    assert (await refused(park, "colour_set", **body | {"value": {"colour": "blue"}}))[0] == 422
    assert (await refused(park, "colour_set", **body, until=soon()))[0] == 422
    item = (await state(park, "colour_set", **body)).json()
    place, why = f"{V1}/{item['id']}", {"reason": "复核"}
    assert (await park.delete(place, params=why)).status_code == 403
    assert (await one.delete(place, params=why)).status_code == 403
    other = await api.login("other")
    assert (await other.delete(place, params=why)).status_code == 200


async def test_pages_and_filters(plant, one, clock):
    for _ in range(3):
        await clock.advance(1)
        assert (await state(one, "manual", **bodies(plant)["manual"])).status_code == 201
    await state(one, "duty", **bodies(plant)["duty"])
    first = (await one.get(V1, params={"kind": "manual", "limit": 2})).json()
    rest = (await one.get(V1, params={"kind": "manual", "cursor": first["next"]})).json()
    times = [item["recorded_at"] for item in first["items"] + rest["items"]]
    assert times == [rfc3339(at(3)), rfc3339(at(2)), rfc3339(at(1))]
    assert (await one.get(V1, params={"kind": "strange"})).status_code == 422
    assert (await one.get(V1, params={"node": "999"})).json()["items"] == []
