"""Warnings, risk and colours of the api against a real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from alerts.case_events import risk_body
from alerts.case_notices import HotWork, permit_notices, warning_body
from alerts.outgoing import Delivery
from alerts.people import Contact
from api.options import ApiOptions
from domain.alarms import Kind, Notice
from domain.cases import Case, Level
from domain.escalation import default
from domain.risk import Colour
from hazwatch.deliveries import record
from storage.notices import insert_notices
from tests.support.api import Api, api_in_loop, listening_api
from tests.support.builders import START, at
from tests.support.casework import Casework
from tests.support.risk import said
from tests.support.seed import PASSWORD, Plant, Seed
from tests.support.sse import following

V1 = "/api/v1"
QUICK = ApiOptions(action_wait_s=0.1)
SECRET = "https://hooks.example.com/robot/f00?key=1"


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
def cases(database_url: str, plant: Plant) -> Casework:
    contacts = {
        ("OP", plant.enterprises[0]): [Contact("webhook", SECRET), Contact("mqtt", "hw/desk")],
    }
    return Casework(database_url, plant, contacts)


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    async with api_in_loop(database_url, QUICK) as api:
        yield api


@pytest.fixture
async def park(api: Api, plant: Plant) -> httpx.AsyncClient:
    return await api.login("park")


@pytest.fixture
async def one(api: Api, plant: Plant) -> httpx.AsyncClient:
    return await api.login("one")


async def items(client: httpx.AsyncClient, path: str, **params: str | int) -> list[dict[str, Any]]:
    answer = await client.get(V1 + path, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def post(
    client: httpx.AsyncClient, case: Case, verb: str, key: str | None = None, **body: str
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post(f"{V1}/warnings/{case.id}/{verb}", json=body, headers=headers)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


class TestList:
    async def test_an_item_has_every_member_of_its_event(self, plant, cases, park):
        alarm = uuid4()
        case = await cases.see(plant.sources[0], Colour.RED, at(0.25), alarms=(alarm,))
        case = await cases.sign(case, Level.ENTERPRISE, "li", at(20))
        [item] = await items(park, "/warnings")
        body: dict[str, Any] = warning_body(default(), case, cases.steps(case))
        rungs = body.pop("ladder")
        assert body.items() <= item.items()
        assert len(item["ladder"]) == len(rungs) > 10
        for rung, shown in zip(rungs, item["ladder"], strict=True):
            assert rung.items() <= shown.items()
        assert item["alarms"] == [str(alarm)]
        assert item["receipts"] == [
            {"level": "enterprise", "by": "li", "at": "2026-11-21T08:00:20Z"}
        ]

    async def test_an_item_says_in_words_where_it_is_and_how_soon_somebody_must_sign(
        self, plant, cases, park
    ):
        case = await cases.see(plant.sources[0], Colour.ORANGE)
        [item] = await items(park, "/warnings")
        assert (item["source_name"], item["enterprise_name"]) == ("液氨罐区", "华东化工")
        assert item["sign_within_s"] == 300.0
        leader = next(rung for rung in item["ladder"] if rung["role"] == "CO-leader")
        assert leader["role_name"] == "县级带班领导 county duty leader"
        assert (leader["level"], leader["after_s"]) == ("county", 300.0)
        assert (leader["outcome"], leader["done"], leader["notices"]) == ("waiting", None, [])
        await cases.see(plant.sources[0], Colour.BLUE, at(60))
        item = (await park.get(f"{V1}/warnings/{case.id}")).json()
        assert (item["state"], item["sign_within_s"]) == ("open", None)

    async def test_rungs_tell_what_became_of_their_notices(self, seed, plant, cases, park):
        await cases.see(plant.sources[0], Colour.YELLOW)
        with seed.connection() as connection:
            connection.execute(
                "UPDATE notice SET attempts = 4, failed = %s, error = 'the receiver answered 500'"
                " WHERE channel = 'webhook'",
                (at(210),),
            )
            connection.execute(
                "UPDATE notice SET attempts = 1, delivered = %s WHERE channel = 'mqtt'", (at(1),)
            )
            connection.execute("UPDATE notice SET withdrawn = %s WHERE channel = 'log'", (at(2),))
        [item] = await items(park, "/warnings")
        rungs = {rung["role"]: rung for rung in item["ladder"]}
        notices = {notice["channel"]: notice for notice in rungs["OP"]["notices"]}
        assert not rungs["OP"]["unnamed"]
        assert notices["webhook"] == {
            "channel": "webhook",
            "recipient": "https://hooks.example.com/…",
            "created": "2026-11-21T08:00:00Z",
            "delivered": None,
            "failed": "2026-11-21T08:03:30Z",
            "withdrawn": None,
            "attempts": 4,
            "error": "the receiver answered 500",
            "person": None,
            "tries": [],
        }
        assert notices["mqtt"]["recipient"] == "hw/desk"
        assert notices["mqtt"]["delivered"] == "2026-11-21T08:00:01Z"
        assert rungs["SM"]["unnamed"]
        [logged] = rungs["SM"]["notices"]
        assert (logged["channel"], logged["withdrawn"]) == ("log", "2026-11-21T08:00:02Z")

    async def test_filters(self, plant, cases, park):
        first, second = plant.sources
        closed = await cases.see(first, Colour.YELLOW)
        closed = await cases.settled(closed, at(5))
        closed = await cases.see(first, Colour.BLUE, at(10))
        again = await cases.see(first, Colour.ORANGE, at(20))
        other = await cases.see(second, Colour.RED, at(30))

        async def ids(**params: str | int) -> list[str]:
            return [item["id"] for item in await items(park, "/warnings", **params)]

        assert closed.closed == at(10)
        assert await ids() == [str(other.id), str(again.id), str(closed.id)]
        assert await ids(open="true") == [str(other.id), str(again.id)]
        assert await ids(open="false") == [str(closed.id)]
        assert await ids(colour="orange") == [str(again.id)]
        assert await ids(colour="red,orange") == [str(other.id), str(again.id)]
        assert await ids(node=str(plant.enterprises[0]), open="true") == [str(again.id)]
        assert await ids(node=str(plant.province), limit=1) == [str(other.id)]
        assert await ids(node="no-such-node") == []
        wrong = await park.get(f"{V1}/warnings", params={"colour": "pink"})
        assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (422, "colour")

    async def test_paging_gives_each_case_once_newest_opened_first(self, plant, cases, park):
        opened = []
        for n in range(3):
            case = await cases.see(plant.sources[0], Colour.YELLOW, at(100 * n))
            await cases.settled(case, at(100 * n + 5))
            await cases.see(plant.sources[0], Colour.BLUE, at(100 * n + 10))
            same_instant = await cases.see(plant.sources[1], Colour(n + 1), at(100 * n))
            opened += [case.id, *([same_instant.id] if n == 0 else [])]
        seen, cursor = [], None
        while True:
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = (await park.get(f"{V1}/warnings", params=params)).json()
            seen += [(item["opened"], item["id"]) for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == sorted(seen, reverse=True)
        assert sorted(id for _, id in seen) == sorted(str(id) for id in opened)

    async def test_a_page_costs_three_queries_however_many_cases_it_has(
        self, api, plant, cases, park, monkeypatch
    ):
        for n, source in enumerate(plant.sources):
            await cases.see(source, Colour.RED, at(n))
        asked: list[str] = []
        rows = api.reading.rows

        async def counting(name: str, **values: Any) -> Any:
            asked.append(name)
            return await rows(name, **values)

        monkeypatch.setattr(api.reading, "rows", counting)
        assert len(await items(park, "/warnings")) == 2
        assert asked == ["find_session", "list_cases", "case_rungs", "rung_notices"]

    async def test_one_case_comes_with_its_journal(self, plant, cases, park):
        source = plant.sources[0]
        case = await cases.see(source, Colour.YELLOW)
        await cases.see(source, Colour.RED, at(10))
        await cases.sign(case, Level.PARK, "wang", at(20))
        await cases.see(source, Colour.ORANGE, at(30))
        found = (await park.get(f"{V1}/warnings/{case.id}")).json()
        assert (found["colour"], found["worst"], found["state"]) == ("orange", "red", "received")
        assert [
            (step["event"], step["from"], step["to"], step["before"], step["colour"], step["by"])
            for step in found["transitions"]
        ] == [
            ("rise", "closed", "open", "blue", "yellow", None),
            ("rise", "open", "open", "yellow", "red", None),
            ("receive", "open", "received", "red", "red", "wang"),
            ("fall", "received", "received", "red", "orange", None),
        ]
        assert found["transitions"][2]["comment"] == "seen"
        assert found["transitions"][3]["at"] == "2026-11-21T08:00:30Z"
        assert found["ladder"]

    async def test_one_case_tells_who_heard_of_its_fall_and_closing_and_whether_it_arrived(
        self, seed, plant, cases, park, one
    ):
        case = await cases.see(plant.sources[0], Colour.ORANGE)
        other = await cases.see(plant.sources[1], Colour.ORANGE)
        role = {"role": "OP", "role_name": "当班 shift"}
        fallen = role | {"reason": "fallen", "colour": "yellow", "n": 2}
        closed = role | {"reason": "closed", "colour": "blue", "n": 3}
        risen = role | {"reason": "risen", "colour": "red", "n": 4}
        verified = role | {"reason": "verified", "colour": "red", "n": 5}
        notices = [
            Notice(uuid4(), case.id, "webhook", SECRET, fallen, at(30), person="zhang"),
            Notice(uuid4(), case.id, "mqtt", "hw/desk", closed, at(60)),
            Notice(uuid4(), case.id, "mqtt", "hw/desk", risen, at(20)),
            Notice(uuid4(), case.id, "mqtt", "hw/desk", verified, at(25)),
            Notice(uuid4(), case.id, "mqtt", "hw/desk", risen, at(21), step=1),
            Notice(uuid4(), other.id, "mqtt", "hw/desk", closed, at(60)),
        ]
        async with await psycopg.AsyncConnection.connect(seed._url) as connection:
            await insert_notices(connection, notices)
        with seed.connection() as connection:
            connection.execute(
                "UPDATE notice SET attempts = 2, delivered = %s WHERE id = %s",
                (at(61), notices[0].id),
            )
            connection.execute(
                "INSERT INTO notice_attempt (notice, at, channel, recipient, rank, outcome, error)"
                " VALUES (%s, %s, 'webhook', 'x', 0, 'failed', '503')",
                (notices[0].id, at(31)),
            )
        rise, sure, first, second = (await park.get(f"{V1}/warnings/{case.id}")).json()["told"]
        assert (rise["event"], rise["colour"]) == ("risen", "red")
        assert (sure["event"], sure["colour"]) == ("verified", "red")
        assert first == {
            "event": "fallen",
            "colour": "yellow",
            "role": "OP",
            "role_name": "当班 shift",
            "person": "zhang",
            "channel": "webhook",
            "recipient": "https://hooks.example.com/…",
            "created": "2026-11-21T08:00:30Z",
            "delivered": "2026-11-21T08:01:01Z",
            "failed": None,
            "withdrawn": None,
            "attempts": 2,
            "error": None,
            "tries": [
                {
                    "at": "2026-11-21T08:00:31Z",
                    "channel": "webhook",
                    "outcome": "failed",
                    "error": "503",
                }
            ],
        }
        assert (second["event"], second["delivered"]) == ("closed", None)
        assert len((await one.get(f"{V1}/warnings/{case.id}")).json()["told"]) == 4

    async def test_one_case_tells_who_was_told_of_hot_work_near_gas_and_whether_it_arrived(
        self, seed, plant, cases, park
    ):
        case = await cases.see(plant.sources[0], Colour.ORANGE)
        work = HotWork(said("special_work", plant.sources[0], 0, 9000, work="hot_work"), uuid4())
        desks = {("OP", plant.enterprises[0]): (Contact("webhook", SECRET),)}
        made = permit_notices(default(), plant.registry, desks, case, work, at(20))
        rung = replace(made[0], id=uuid4(), step=1)
        async with await psycopg.AsyncConnection.connect(seed._url) as connection:
            await insert_notices(connection, [*made, rung])
            await record(connection, [(Delivery(made[0], 1, "503", 30.0), at(21))])
            await record(connection, [(Delivery(made[0], 2, None, None), at(51))])
        [told] = (await park.get(f"{V1}/warnings/{case.id}")).json()["told"]
        assert (told["event"], told["colour"], told["role"]) == ("hot_work", "orange", "permit")
        assert told["role_name"] == "动火作业 hot work"
        assert told["recipient"] == "https://hooks.example.com/…"
        assert (told["delivered"], told["attempts"]) == ("2026-11-21T08:00:51Z", 2)
        assert [one["outcome"] for one in told["tries"]] == ["failed", "delivered"]

    async def test_a_case_that_rises_for_days_shows_its_newest_rungs(
        self, plant, cases, park, monkeypatch
    ):
        case = await cases.see(plant.sources[0], Colour.RED)
        monkeypatch.setattr("storage.warnings_reading.RUNGS", 3)
        [item] = await items(park, "/warnings")
        assert [rung["step"] for rung in item["ladder"]] == [
            step.no for step in cases.steps(case)[-3:]
        ]


class TestScope:
    async def test_an_enterprise_sees_and_signs_its_own_warnings_only(self, plant, cases, one):
        own = await cases.see(plant.sources[0], Colour.ORANGE)
        foreign = await cases.see(plant.sources[1], Colour.RED, at(5))
        assert [item["id"] for item in await items(one, "/warnings")] == [str(own.id)]
        assert await items(one, "/warnings", node=str(plant.enterprises[1])) == []
        assert (await one.get(f"{V1}/warnings/{foreign.id}")).status_code == 404
        for verb in ("receive", "verify", "release"):
            assert (await post(one, foreign, verb)).status_code == 404
        assert (await post(one, own, "receive")).status_code == 202
        [action] = await cases.apply_actions(at(9))
        assert (action.target, action.level) == (own.id, Level.ENTERPRISE)

    async def test_an_enterprise_sees_its_own_risk_only(self, plant, cases, one):
        await cases.risk(plant.sources[0], Colour.YELLOW)
        await cases.risk(plant.sources[1], Colour.RED)
        assert [item["source"] for item in await items(one, "/risk")] == [str(plant.sources[0])]
        nodes = {node["id"]: node for node in await items(one, "/tree")}
        assert nodes[str(plant.park)]["colour"] == "yellow"
        assert nodes[str(plant.park)]["counts"]["red"] == 0

    async def test_warnings_and_risk_are_in_the_live_stream_of_those_who_may_see_them(
        self, database_url, plant, cases
    ):
        async with listening_api(database_url) as base, httpx.AsyncClient(base_url=base) as client:
            credentials = {"user": "one", "password": PASSWORD}
            token = (await client.post(f"{V1}/session", json=credentials)).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            async with following(client, topics="warning,risk") as stream:
                await cases.see(plant.sources[1], Colour.RED)
                case = await cases.see(plant.sources[0], Colour.ORANGE)
                risk = await cases.risk(plant.sources[0], Colour.ORANGE)
                warned, scored = await stream.take(2)
            [item] = await items(client, "/warnings")
        assert (warned.event, warned.data["warning"]["id"]) == ("warning", str(case.id))
        assert {**warned.data["warning"], "ladder": 0}.items() <= {**item, "ladder": 0}.items()
        assert (scored.event, scored.data["risk"]) == ("risk", risk_body(risk))


class TestSign:
    async def test_the_answer_waits_for_the_worker(self, database_url, plant, cases):
        case = await cases.see(plant.sources[0], Colour.ORANGE)
        async with api_in_loop(database_url, ApiOptions(action_wait_s=20)) as api:
            park = await api.login("park")
            async with asyncio.TaskGroup() as tasks:
                asked = tasks.create_task(post(park, case, "receive", comment="派人核实"))
                while not (applied := await cases.apply_actions(at(3))):
                    pass
            [item] = await items(park, "/warnings")
        answer = asked.result()
        assert answer.status_code == 200
        made = answer.json()["transition"]
        assert made == {
            "from": "open",
            "to": "received",
            "at": "2026-11-21T08:00:03Z",
            "by": "park",
        }
        assert [(action.verb, action.level, action.comment) for action in applied] == [
            ("receive", Level.PARK, "派人核实")
        ]
        assert [(one["level"], one["by"]) for one in item["receipts"]] == [("park", "park")]

    async def test_without_a_worker_it_is_accepted_and_can_be_asked_for(self, plant, cases, park):
        case = await cases.see(plant.sources[0], Colour.ORANGE)
        answer = await post(park, case, "receive", "key")
        assert answer.status_code == 202
        action = (await park.get(answer.headers["location"])).json()
        assert (action["verb"], action["target"], action["level"], action["result"]) == (
            "receive",
            str(case.id),
            "park",
            None,
        )
        await cases.apply_actions(at(3))
        action = (await park.get(answer.headers["location"])).json()
        assert action["result"]["transition"]["to"] == "received"

    async def test_nothing_needs_to_be_said_with_it(self, plant, cases, park):
        case = await cases.see(plant.sources[0], Colour.ORANGE)
        answer = await park.post(f"{V1}/warnings/{case.id}/receive")
        assert answer.status_code == 202

    async def test_a_level_that_has_signed_is_told_who_was_first(self, plant, cases, park, one):
        case = await cases.see(plant.sources[0], Colour.ORANGE)
        await cases.sign(case, Level.PARK, "wang", at(5))
        await post(park, case, "receive", "key")
        await post(one, case, "receive", "key")
        await cases.apply_actions(at(9))
        second = await post(park, case, "receive", "key")
        assert second.json()["already"] == {"by": "wang", "at": "2026-11-21T08:00:05Z"}
        other_level = await post(one, case, "receive", "key")
        assert other_level.json()["transition"]["by"] == "one"

    async def test_the_highest_level_speaks_unless_the_person_names_another_one_of_his(
        self, api, seed, plant, cases
    ):
        seed.person("chen", "operator", plant.park)
        with seed.connection() as connection:
            grant = "INSERT INTO role_grant VALUES ('chen', %s, %s)"
            connection.execute(grant, ("operator", plant.province))
            connection.execute(grant, ("enterprise", plant.enterprises[1]))
        chen = await api.login("chen")
        case = await cases.see(plant.sources[0], Colour.RED)
        await post(chen, case, "receive")
        await post(chen, case, "receive", level="park")
        levels = [action.level for action in await cases.apply_actions(at(9))]
        assert levels == [Level.PROVINCE, Level.PARK]
        elsewhere = await post(chen, case, "receive", level="enterprise")
        assert told(elsewhere) == (
            403,
            "This person speaks for park, province, not for enterprise.",
        )
        assert (await post(chen, case, "receive", level="emperor")).status_code == 422
        assert await cases.apply_actions(at(9)) == []

    async def test_who_has_no_level_may_look_but_not_sign(self, api, seed, plant, cases):
        with seed.connection() as connection:
            row = connection.execute(
                "INSERT INTO node (kind, code, name) VALUES ('region', 'nw', '西北') RETURNING id"
            ).fetchone()
            assert row is not None
            connection.execute(
                "UPDATE node SET parent = %s WHERE id = %s", (row[0], plant.province)
            )
        seed.person("guest", "operator", row[0])
        guest = await api.login("guest")
        case = await cases.see(plant.sources[0], Colour.RED)
        assert len(await items(guest, "/warnings")) == 1
        for verb in ("receive", "verify", "release"):
            answer = await post(guest, case, verb)
            assert told(answer) == (
                403,
                "No role of this person speaks for a level of this warning.",
            )
            assert answer.json()["type"] == "/problems/forbidden"

    async def test_a_warning_that_is_not_there_or_closed_is_refused_without_a_worker(
        self, plant, cases, park
    ):
        case = await cases.see(plant.sources[0], Colour.YELLOW)
        await cases.settled(case, at(5))
        await cases.see(plant.sources[0], Colour.BLUE, at(10))
        for verb in ("receive", "verify", "release"):
            late = await post(park, case, verb)
            assert told(late) == (409, "The warning is closed 已销警 since 2026-11-21T08:00:10Z.")
            absent = await park.post(f"{V1}/warnings/{uuid4()}/{verb}", json={})
            assert absent.status_code == 404
        assert await cases.apply_actions(at(11)) == []

    async def test_release_asks_the_worker_and_tells_what_it_refused(self, plant, cases, park, one):
        case = await cases.see(plant.sources[0], Colour.RED)
        for client, key, told_by_worker in (
            (park, "early", (409, "nobody has signed (签收) since the last rise: sign first")),
            (one, "mine", (403, "red is released by a park or a county")),
        ):
            assert (await post(client, case, "release", key)).status_code == 202
            await cases.apply_actions(at(5))
            assert told(await post(client, case, "release", key)) == told_by_worker
        await cases.sign(case, Level.ENTERPRISE, "li", at(10))
        await cases.reviewed(case, at(11))
        await post(park, case, "release", "late", comment="现场已核实")
        await cases.apply_actions(at(15))
        released = await post(park, case, "release", "late")
        assert released.json()["transition"]["by"] == "park"
        [item] = await items(park, "/warnings")
        assert (item["released"], item["released_by"]) == ("2026-11-21T08:00:15Z", "park")

    async def test_a_red_is_verified_and_everybody_reads_who_did(self, plant, cases, park, one):
        case = await cases.see(plant.sources[0], Colour.RED)
        (shown,) = await items(park, "/warnings")
        assert shown["loop"]["verified"] is None
        asked = {duty["duty"]: (duty["due"], duty["done"]) for duty in shown["loop"]["deadlines"]}
        assert asked["verify"] == ("2026-11-21T08:05:00Z", None)
        assert "verify" in (await park.get(f"{V1}/warnings/{case.id}")).json()["overdue"]
        await post(one, case, "verify", "mine")
        await cases.apply_actions(at(5))
        refused = "red is verified (核实) by a park, a county or a city: ask one of them to look"
        assert told(await post(one, case, "verify", "mine")) == (403, refused)
        await post(park, case, "verify", "seen", comment="电话核实")
        await cases.apply_actions(at(15))
        made = (await post(park, case, "verify", "seen")).json()["transition"]
        assert (made["from"], made["to"], made["by"]) == ("open", "open", "park")
        await post(park, case, "verify", "again")
        await cases.apply_actions(at(20))
        again = (await post(park, case, "verify", "again")).json()
        assert again["already"] == {"by": "park", "at": "2026-11-21T08:00:15Z"}
        shown = (await one.get(f"{V1}/warnings/{case.id}")).json()
        assert shown["loop"]["verified"] == {
            "by": "park",
            "at": "2026-11-21T08:00:15Z",
            "level": "park",
            "comment": "电话核实",
        }
        assert "verify" not in shown["overdue"]
        assert shown["transitions"][-1]["event"] == "verify"
        rungs = [rung for rung in shown["ladder"] if rung["duty"] == "verify"]
        assert [(rung["role"], rung["outcome"], rung["by"]) for rung in rungs] == [
            ("PK", "answered", "park"),
            ("CO-leader", "answered", "park"),
        ]
        await cases.see(plant.sources[0], Colour.ORANGE, at(30))
        await post(park, case, "verify", "late")
        await cases.apply_actions(at(35))
        status, why = told(await post(park, case, "verify", "late"))
        assert (status, "only red is verified" in why) == (409, True)

    async def test_a_key_belongs_to_one_decision(self, seed, plant, cases, park):
        case = await cases.see(plant.sources[0], Colour.RED)
        first = await post(park, case, "receive", "key")
        again = await post(park, case, "receive", "key", level="park")
        assert again.json()["action"] == first.json()["action"]
        alarm = seed.raised(plant, plant.tags[0][1], kind=Kind.HH)
        for answer in (
            await post(park, case, "release", "key"),
            await post(park, case, "receive", "key", level="county"),
            await park.post(
                f"{V1}/alarms/{alarm.id}/acknowledge", headers={"Idempotency-Key": "key"}
            ),
        ):
            assert told(answer) == (409, f"The key was used before, for receive {case.id}.")
        assert len(await cases.apply_actions(at(9))) == 1

    async def test_without_a_database_nothing_is_signed(self):
        async with api_in_loop("postgresql://127.0.0.1:1/none") as api:
            for verb in ("receive", "verify", "release"):
                answer = await api.client.post(
                    f"{V1}/warnings/{uuid4()}/{verb}", headers={"Authorization": "Bearer x"}
                )
                assert answer.status_code == 503
                assert answer.json()["type"] == "/problems/database-away"


class TestRisk:
    async def test_an_item_has_every_member_of_its_event(self, plant, cases, park):
        risk = await cases.risk(plant.sources[0], Colour.ORANGE, at=at(0.5), maybe_test=True)
        [item] = await items(park, "/risk")
        assert item == risk_body(risk) | {
            "source_name": "液氨罐区",
            "enterprise_name": "华东化工",
        }
        assert item["score"] == 66.5

    async def test_it_lists_present_sources_below_a_node_page_by_page(
        self, seed, plant, cases, park
    ):
        assert await items(park, "/risk") == []
        for source in plant.sources:
            await cases.risk(source, Colour.BLUE, score=0.0, floors=(), reasons=())
        page = (await park.get(f"{V1}/risk", params={"limit": 1})).json()
        rest = await items(park, "/risk", cursor=page["next"])
        assert [item["source"] for item in page["items"] + rest] == [str(s) for s in plant.sources]
        assert rest[0]["score"] == 0.0
        below = await items(park, "/risk", node=str(plant.enterprises[1]))
        assert [item["source"] for item in below] == [str(plant.sources[1])]
        with seed.connection() as connection:
            connection.execute(
                "UPDATE node SET removed_at = %s WHERE id = %s", (START, plant.sources[0])
            )
        assert len(await items(park, "/risk")) == 1


class TestTree:
    async def tree(self, client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
        return {node["id"]: node for node in await items(client, "/tree")}

    async def test_the_worst_source_colours_every_node_above_it(self, seed, plant, cases, park):
        for pair in plant.tags:
            seed.samples(pair[0], (START, 0.0))
        await cases.risk(plant.sources[0], Colour.RED, score=75.04)
        await cases.risk(plant.sources[1], Colour.YELLOW, unknown=True, score=0.0)
        nodes = await self.tree(park)
        expected = {"red": 1, "orange": 0, "yellow": 1, "blue": 0, "unknown": 1}
        for place in (plant.province, plant.park):
            node = nodes[str(place)]
            assert (node["colour"], node["unknown"], node["score"]) == ("red", True, None)
            assert node["counts"] == expected
        first, second = (nodes[str(source)] for source in plant.sources)
        assert (first["colour"], first["unknown"], first["score"]) == ("red", False, 75.0)
        assert (second["colour"], second["unknown"], second["score"]) == ("yellow", True, 0.0)
        assert nodes[str(plant.enterprises[1])]["colour"] == "yellow"

    async def test_a_source_whose_risk_was_never_told_is_blue_and_unknown_until_it_has_spoken(
        self, seed, plant, park
    ):
        seed.samples(plant.tags[0][0], (START, 0.0))
        nodes = await self.tree(park)
        spoken, silent = (nodes[str(source)] for source in plant.sources)
        assert (spoken["colour"], spoken["unknown"], spoken["score"]) == ("blue", False, None)
        assert (silent["colour"], silent["unknown"], silent["score"]) == ("blue", True, None)
        assert nodes[str(plant.park)]["counts"] == {
            "red": 0,
            "orange": 0,
            "yellow": 0,
            "blue": 2,
            "unknown": 1,
        }

    async def test_a_risk_that_was_told_makes_no_sight_out_of_silence(
        self, seed, plant, cases, park
    ):
        seed.samples(plant.tags[1][0], (START, 0.0))
        for source in plant.sources:
            await cases.risk(source, Colour.BLUE)
        nodes = await self.tree(park)
        assert [nodes[str(source)]["unknown"] for source in plant.sources] == [True, False]
