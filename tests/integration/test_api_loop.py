"""The loop of a warning over the api: handling, feedback with files, review, closing."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.options import ApiOptions
from domain.cases import Case, Level
from domain.risk import Colour
from storage.database import DatabaseOptions, connect
from storage.queries import query
from tests.support.api import Api, api_in_loop
from tests.support.builders import START, at
from tests.support.casework import Casework
from tests.support.seed import Plant, Seed

V1 = "/api/v1"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
MANY = 70_000
"""More than another request may have."""


@pytest.fixture
def seed(database_url: str) -> Seed:
    return Seed(database_url)


@pytest.fixture
def plant(seed: Seed) -> Plant:
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("one", "enterprise", plant.enterprises[0])
    seed.person("two", "enterprise", plant.enterprises[1])
    return plant


@pytest.fixture
def cases(database_url: str, plant: Plant) -> Casework:
    return Casework(database_url, plant)


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    options = ApiOptions(action_wait_s=0.05, file_bytes=100_000)
    async with api_in_loop(database_url, options) as api:
        yield api


@pytest.fixture
async def park(api: Api, plant: Plant) -> httpx.AsyncClient:
    return await api.login("park")


@pytest.fixture
async def one(api: Api, plant: Plant) -> httpx.AsyncClient:
    return await api.login("one")


@pytest.fixture
async def case(plant: Plant, cases: Casework) -> Case:
    opened = await cases.see(plant.sources[0], Colour.ORANGE)
    return await cases.sign(opened, Level.ENTERPRISE, "li", at(3))


class Desk:
    """Somebody who decides, and a worker who applies it at once."""

    def __init__(self, client: httpx.AsyncClient, cases: Casework, case: Case) -> None:
        self._client, self._cases, self._case = client, cases, case
        self._minutes = 0

    async def says(self, verb: str, **body: Any) -> httpx.Response:
        """The answer when the worker has done it."""
        self._minutes += 1
        path, key = f"{V1}/warnings/{self._case.id}/{verb}", str(uuid4())
        headers = {"Idempotency-Key": key}
        first = await self._client.post(path, json=body, headers=headers)
        if first.status_code != 202:
            return first
        await self._cases.apply_actions(at(60 * self._minutes))
        return await self._client.post(path, json=body, headers=headers)

    async def sends(self, content: bytes, name: str = "现场.jpg", **headers: str) -> httpx.Response:
        """A file."""
        path = f"{V1}/warnings/{self._case.id}/files"
        return await self._client.post(
            path, params={"name": name}, content=content, headers=headers
        )


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


async def detail(client: httpx.AsyncClient, case: Case) -> dict[str, Any]:
    answer = await client.get(f"{V1}/warnings/{case.id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_loop_from_handling_to_closing_is_shown_with_times_and_persons(
    cases, case, park, one, plant
):
    plant_desk, park_desk = Desk(one, cases, case), Desk(park, cases, case)
    handled = await plant_desk.says("handling", comment="带班去关阀")
    assert handled.json()["transition"]["to"] == "handled"
    sent = (await plant_desk.sends(JPEG * 60)).json()
    assert (sent["name"], sent["type"], sent["size"]) == ("现场.jpg", "image/jpeg", len(JPEG) * 60)
    given = {"comment": "阀门已关闭", "reading": "GD-07 12 ppm", "files": [sent["id"]]}
    fed_back = await plant_desk.says("feedback", **given)
    assert fed_back.json()["transition"]["to"] == "fed_back"
    own = await plant_desk.says("review", approve=True)
    assert told(own) == (403, "who fed back does not review it: another person has to")
    back = await park_desk.says("review", approve=False, comment="缺人员")
    assert back.json()["transition"]["to"] == "handled"
    shown = await detail(park, case)
    assert (shown["loop"]["feedback"], shown["loop"]["handled"]["by"]) == (None, "one")
    again = await plant_desk.says("feedback", **given)
    assert told(again)[0] == 409
    assert "repeats" in told(again)[1]
    await plant_desk.says("feedback", **given, person="王班长")
    await park_desk.says("review", approve=True, comment="看过")
    false = await park_desk.says("closing", kind="false_alarm")
    assert told(false) == (422, "a false alarm (误报) needs a reason")
    closed = await park_desk.says("closing", kind="real", comment="处置完毕")
    assert closed.json()["transition"]["to"] == "settled"
    await cases.see(plant.sources[0], Colour.BLUE, at(4000))

    shown = await detail(one, case)
    loop = shown["loop"]
    assert (shown["state"], shown["closed"]) == ("closed", "2026-11-21T09:06:40Z")
    assert loop["feedback"]["person"] == "王班长"
    assert loop["feedback"]["files"] == [sent]
    assert (loop["review"]["by"], loop["review"]["level"]) == ("park", "park")
    assert loop["closing"]["kind"] == "real"
    assert [one["n"] for one in shown["feedback"]] == [4, 6]
    assert [step["event"] for step in shown["transitions"]] == [
        *("rise", "receive", "handle", "feedback", "send_back"),
        *("feedback", "approve", "close", "calm"),
    ]
    deadlines = {one["duty"]: (one["due"], one["done"]) for one in loop["deadlines"]}
    assert deadlines["receive"] == ("2026-11-21T08:05:00Z", "2026-11-21T08:00:03Z")
    assert deadlines["feedback"][0] == "2026-11-21T08:30:00Z"
    assert deadlines["close"][0] == "2026-11-21T20:00:00Z"
    assert shown["overdue"] == []


async def test_what_is_late_is_shown_as_overdue_and_who_signs_too_quickly(case, park):
    shown = await detail(park, case)
    assert shown["overdue"] == ["feedback", "close"]
    assert (shown["receive_median_s"], shown["receive_too_quick"]) == (3.0, True)


async def test_two_persons_close_what_was_red_and_the_first_is_told_so(cases, plant, park):
    case = await cases.see(plant.sources[0], Colour.RED)
    await cases.sign(case, Level.PARK, "chen", at(9))
    case = await cases.reviewed(case, at(20))
    case = await cases.see(plant.sources[0], Colour.BLUE, at(3000))
    desk = Desk(park, cases, case)
    first = (await desk.says("closing", kind="real")).json()
    assert first["transition"]["to"] == "reviewed"
    assert "another person" in first["note"]
    assert (await detail(park, case))["loop"]["closing"]["second"] is None
    assert "a second person" in told(await desk.says("closing", kind="real"))[1]
    case = await cases.act(case, "close", Level.COUNTY, "wu", at(3600), kind="real")
    shown = (await detail(park, case))["loop"]["closing"]
    assert (shown["by"], shown["second"]) == ("park", "wu")


async def test_the_same_key_for_other_feedback_is_told_and_nothing_is_lost(cases, case, one):
    path, headers = f"{V1}/warnings/{case.id}/feedback", {"Idempotency-Key": "k"}
    await one.post(path, json={"comment": "一"}, headers=headers)
    other = await one.post(path, json={"comment": "二"}, headers=headers)
    assert (other.status_code, "key was used" in told(other)[1]) == (409, True)


async def test_feedback_that_says_nothing_or_names_foreign_files_is_refused_at_once(
    cases, case, plant, one
):
    desk = Desk(one, cases, case)
    empty = await desk.says("feedback", comment=" 。", reading="", person="-", files=[])
    assert (empty.status_code, "stops no clock" in told(empty)[1]) == (422, True)
    other = await cases.see(plant.sources[1], Colour.ORANGE)
    own = (await desk.sends(JPEG)).json()["id"]
    missing = await desk.says("feedback", comment="看", files=[own, str(uuid4()), str(other.id)])
    assert missing.status_code == 422
    assert [one["pointer"] for one in missing.json()["errors"]] == ["/files/1", "/files/2"]
    assert await cases.apply_actions(at(9)) == []


async def test_nobody_outside_hears_of_a_case_or_its_files(api, cases, case, one):
    two = await api.login("two")
    foreign, own = Desk(two, cases, case), Desk(one, cases, case)
    file = (await own.sends(JPEG)).json()["id"]
    for verb, body in (
        ("handling", {"comment": "x"}),
        ("feedback", {"comment": "x"}),
        ("review", {"approve": True}),
        ("closing", {"kind": "real"}),
    ):
        assert (await foreign.says(verb, **body)).status_code == 404
    assert (await foreign.sends(JPEG)).status_code == 404
    path = f"{V1}/warnings/{case.id}/files/{file}"
    assert (await two.get(path)).status_code == 404
    assert (await one.get(path)).status_code == 200
    assert (await one.get(f"{V1}/warnings/{uuid4()}/files/{file}")).status_code == 404


async def test_a_file_is_a_download_that_no_page_shows_as_its_own(cases, case, one):
    desk = Desk(one, cases, case)
    sent = (await desk.sends(JPEG * 60, '../../阀 "1".jpg')).json()
    assert sent["name"] == "阀 1.jpg"
    again = await desk.sends(JPEG * 60, "again.jpg")
    assert (again.status_code, again.json()["id"]) == (201, sent["id"])
    answer = await one.get(f"{V1}/warnings/{case.id}/files/{sent['id']}")
    assert answer.content == JPEG * 60
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('attachment; filename="_ 1.jpg"')
    assert "filename*=UTF-8''%E9%98%80%201.jpg" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 422),
        (b"<html><script>", {"content-type": "image/jpeg"}, 415),
        (b"MZ\x90\x00", {}, 415),
        (JPEG, {"content-type": "application/pdf"}, 415),
        (JPEG + bytes(100_000), {}, 413),
    ],
)
async def test_files_that_are_not_taken(cases, case, one, content, headers, status):
    answer = await Desk(one, cases, case).sends(content, **headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_other_requests_may_not_be_as_large_as_a_file(cases, case, one):
    large = {"comment": "x" * MANY}
    assert (await Desk(one, cases, case).says("feedback", **large)).status_code == 413


async def test_a_case_takes_so_many_files_and_what_no_feedback_names_goes(
    database_url, cases, case, one, plant, monkeypatch
):
    monkeypatch.setattr("storage.case_files.FILES", 4)
    desk = Desk(one, cases, case)
    named = (await desk.sends(JPEG)).json()["id"]
    await desk.says("handling", comment="去")
    await desk.says("feedback", files=[named])
    for n in range(3):
        assert (await desk.sends(JPEG + bytes([n, 1]))).status_code == 201
    assert (await desk.sends(JPEG + b"more")).status_code == 409
    assert (await desk.sends(JPEG)).json()["id"] == named
    async with await connect(DatabaseOptions(database_url)) as conn:
        await conn.execute("UPDATE case_file SET at = %s", (START,))
        await conn.execute(query("old_case_file"), {"before": at(1)})
        rows = await (await conn.execute("SELECT id::text FROM case_file")).fetchall()
    assert rows == [(named,)]


async def test_a_closed_case_takes_no_step_and_no_file(cases, plant, park):
    case = await cases.see(plant.sources[0], Colour.YELLOW)
    case = await cases.settled(case, at(9))
    case = await cases.see(plant.sources[0], Colour.BLUE, at(60))
    desk = Desk(park, cases, case)
    assert (await desk.sends(JPEG)).status_code == 409
    assert told(await desk.says("handling", comment="x")) == (
        409,
        "The warning is closed 已销警 since 2026-11-21T08:01:00Z.",
    )
