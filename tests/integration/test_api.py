"""The api against a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.options import ApiOptions
from domain.alarms import Alarm, Kind, Priority
from domain.frame import Lane
from domain.instant import rfc3339
from domain.risk import Colour
from tests.support.api import Api, api_in_loop
from tests.support.builders import START, at
from tests.support.casework import Casework
from tests.support.seed import PASSWORD, Plant, Seed

V1 = "/api/v1"
QUICK = ApiOptions(action_wait_s=0.1)


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


class TestSession:
    async def test_login_tells_roles_and_sets_a_cookie_that_scripts_cannot_read(self, api, plant):
        answer = await api.client.post(f"{V1}/session", json={"user": "park", "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["roles"] == [
            {"role": "operator", "node": str(plant.park), "name": "临港化工园", "code": "p1"}
        ]
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie

    async def test_a_write_with_the_cookie_alone_is_refused(self, api, plant):
        await api.client.post(f"{V1}/session", json={"user": "park", "password": PASSWORD})
        refused = await api.client.delete(f"{V1}/session")
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/csrf-header-missing"
        meant = await api.client.delete(f"{V1}/session", headers={"X-Hazwatch": "1"})
        assert meant.status_code == 204

    async def test_after_logout_the_token_is_worthless(self, park):
        assert (await park.delete(f"{V1}/session")).status_code == 204
        assert (await park.get(f"{V1}/tree")).status_code == 401

    async def test_wrong_password_and_unknown_user_are_told_alike_and_then_braked(self, api, plant):
        told = set()
        for name in ("park", "nobody"):
            answer = await api.client.post(
                f"{V1}/session", json={"user": name, "password": "wrong"}
            )
            told.add((answer.status_code, answer.json()["detail"]))
        assert len(told) == 1
        for _ in range(4):
            await api.client.post(f"{V1}/session", json={"user": "park", "password": "wrong"})
        braked = await api.client.post(f"{V1}/session", json={"user": "park", "password": PASSWORD})
        assert braked.status_code == 429
        assert int(braked.headers["retry-after"]) > 0

    async def test_a_removed_person_is_out_at_once(self, api, park, seed):
        with seed.connection() as connection:
            connection.execute("UPDATE person SET removed_at = %s", (START,))
        assert (await park.get(f"{V1}/tree")).status_code == 401


class TestProblems:
    async def test_every_error_is_a_problem(self, api, park):
        for client, method, path, status in (
            (api.client, "GET", "/api/v1/tree", 401),
            (park, "GET", "/api/v1/nothing", 404),
            (park, "GET", f"/api/v1/alarms/{uuid4()}", 404),
            (park, "GET", "/api/v1/alarms/no-uuid", 422),
            (park, "GET", "/api/v1/alarms?state=LOUD", 422),
            (park, "GET", "/api/v1/alarms?limit=0", 422),
            (park, "GET", "/api/v1/alarms?cursor=zzz", 422),
            (park, "PUT", "/api/v1/tree", 405),
            (park, "GET", "/api/v1/events?topics=weather", 422),
        ):
            answer = await client.request(method, path)
            assert answer.status_code == status, (path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            body = answer.json()
            assert body["status"] == status
            assert body["instance"].startswith("urn:trace:")
            assert (await park.get(body["type"])).status_code == 200
            if status == 422:
                assert body["errors"][0]["detail"]

    async def test_what_no_database_can_hold_is_told_as_invalid(self, api, park):
        for path in ("/quarantine?reason=%00", "/tags?node=9999999999", "/latest?tags=x,-1"):
            assert (await park.get(V1 + path)).status_code in (200, 422), path
        answer = await api.client.post(
            f"{V1}/session", json={"user": "a\x00b", "password": "wrong"}
        )
        assert answer.status_code == 422

    async def test_a_wrong_member_is_pointed_at(self, api):
        answer = await api.client.post(f"{V1}/session", json={"user": "x"})
        assert answer.json()["errors"][0]["pointer"] == "/password"

    async def test_an_overlong_body_is_not_read(self, api):
        answer = await api.client.post(f"{V1}/session", content=b"x" * 70_000)
        assert answer.status_code == 413

    async def test_answers_carry_trace_and_a_strict_content_policy(self, api):
        trace = f"00-{'a' * 32}-{'b' * 16}-01"
        answer = await api.client.get("/healthz", headers={"traceparent": trace})
        assert answer.headers["traceparent"] == trace
        assert "unsafe" not in answer.headers["content-security-policy"]


class TestPlant:
    async def test_the_tree_counts_open_alarms_upwards(self, seed, plant, park):
        first = seed.raised(plant, plant.tags[0][1])
        seed.acknowledged(plant, first, "x", at(1))
        seed.raised(plant, plant.tags[1][1], onset=at(5))
        seed.raised(plant, plant.tags[1][0], onset=at(6), lane=Lane.REPLAY)
        nodes = {node["id"]: node for node in await items(park, "/tree")}
        assert nodes[str(plant.park)]["alarms"] == {"active": 2, "unacknowledged": 1}
        assert nodes[str(plant.sources[0])]["alarms"] == {"active": 1, "unacknowledged": 0}
        assert nodes[str(plant.park)]["parent"] == str(plant.province)

    async def test_a_source_is_unknown_until_it_has_spoken(self, seed, plant, park):
        seed.samples(plant.tags[0][0], (START, 0.0))
        nodes = {node["id"]: node for node in await items(park, "/tree")}
        assert not nodes[str(plant.sources[0])]["unknown"]
        assert nodes[str(plant.sources[1])]["unknown"]
        assert nodes[str(plant.park)]["counts"]["unknown"] == 1

    async def test_tags_carry_limits_and_latest_and_zero_is_a_reading(self, seed, plant, park):
        seed.samples(plant.tags[0][0], (START, 0.0))
        tags = await items(park, "/tags", node=str(plant.sources[0]))
        assert [tag["name"] for tag in tags] == ["GD07", "LI101"]
        assert tags[0]["latest"] is None
        assert tags[1]["limits"] == {"LL": None, "L": None, "H": 8.0, "HH": 9.0}
        assert tags[1]["latest"] == {
            "time": "2026-11-21T08:00:00Z",
            "received": "2026-11-21T08:00:00Z",
            "value": 0.0,
            "quality": "good",
        }

    async def test_latest_of_a_sample_without_value_is_null(self, seed, plant, park):
        seed.samples(plant.tags[0][0], (START, float("nan")), quality=0)
        seed.samples(plant.tags[1][0], (START, 1.0))
        found = await items(park, "/latest", tags=str(plant.tags[0][0]))
        assert [(row["value"], row["quality"]) for row in found] == [(None, "bad")]
        assert len(await items(park, "/latest")) == 2

    async def test_paging_through_tags_gives_each_once(self, plant, park):
        seen, cursor = [], None
        while True:
            page = (
                await park.get(
                    f"{V1}/tags", params={"limit": 1} | ({"cursor": cursor} if cursor else {})
                )
            ).json()
            seen += [tag["id"] for tag in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(seen) == sorted(str(tag) for pair in plant.tags for tag in pair)

    async def test_gateways_tell_their_clock_error_and_counts(self, seed, plant, park):
        with seed.connection() as connection:
            connection.execute(
                "INSERT INTO gateway_ledger VALUES (%s, 'b', '{[0,5)}', 0, 0, NULL, %s, %s)",
                (plant.gateways[0], "[[2, 4, -28800000000]]", START),
            )
            connection.execute(
                "INSERT INTO ingest_count (gateway, messages_received) VALUES (%s, 5)",
                (plant.gateways[0],),
            )
        gateways = await items(park, "/gateways")
        assert gateways[0]["clock_error_s"] == 28800.0
        assert gateways[0]["last_seen"] == "2026-11-21T08:00:00Z"
        assert gateways[0]["counts"]["messages_received"] == 5
        assert gateways[1]["clock_error_s"] == 0.0


class TestHistory:
    async def read(
        self, client: httpx.AsyncClient, tag: int, **params: str | int
    ) -> dict[str, Any]:
        answer = await client.get(f"{V1}/tags/{tag}/history", params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def test_few_samples_come_raw(self, seed, plant, park):
        tag = plant.tags[0][0]
        seed.samples(tag, (at(0), 1.0), (at(1), float("nan")), (at(600), 0.0))
        found = await self.read(
            park, tag, **{"from": "2026-11-21T16:00:00+08:00", "to": "2026-11-21T09:00:00Z"}
        )
        assert found["kind"] == "raw"
        assert found["rows"] == [
            ["2026-11-21T08:00:00Z", 1.0, "good"],
            ["2026-11-21T08:00:01Z", None, "good"],
            ["2026-11-21T08:10:00Z", 0.0, "good"],
        ]

    async def test_many_samples_come_in_buckets_that_keep_extremes_and_gaps(
        self, seed, plant, park
    ):
        tag = plant.tags[0][0]
        readings = [(at(n), float(n % 7)) for n in range(1000) if not 400 <= n < 600]
        readings[123] = (readings[123][0], 99.0)
        readings[124] = (readings[124][0], float("nan"))
        seed.samples(tag, *readings)
        found = await self.read(
            park, tag, **{"from": "2026-11-21T08:00:00Z", "to": "2026-11-21T08:16:40Z"}, points=50
        )
        assert found["kind"] == "aggregate"
        assert len(found["rows"]) <= 50
        assert max(row[2] for row in found["rows"]) == 99.0
        assert sum(row[4] for row in found["rows"]) == 799
        times = [datetime.fromisoformat(row[0]) for row in found["rows"]]
        assert not [time for time in times if at(400) <= time < at(600)]

    async def test_a_naive_time_is_rejected(self, plant, park):
        answer = await park.get(
            f"{V1}/tags/{plant.tags[0][0]}/history", params={"from": "2026-11-21T08:00:00"}
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "from"


class TestAlarms:
    async def test_an_item_has_every_member_of_its_event(self, seed, plant, park):
        alarm = seed.raised(plant, plant.tags[0][1])
        [item] = await items(park, "/alarms", state="active")
        with seed.connection() as connection:
            row = connection.execute("SELECT body -> 'alarm' FROM outbox").fetchone()
        assert row is not None
        assert item["id"] == str(alarm.id)
        assert {name: item.get(name) for name in row[0]} == row[0]

    async def test_filters(self, seed, plant, park):
        gas = seed.raised(plant, plant.tags[0][1])
        level = seed.raised(
            plant, plant.tags[1][0], kind=Kind.H, priority=Priority.P3, onset=at(10)
        )
        level = seed.acknowledged(plant, level, "x", at(11))
        closed = seed.raised(plant, plant.tags[1][1], onset=at(20))
        closed = seed.returned(plant, closed, at(30))
        closed = seed.acknowledged(plant, closed, "x", at(40))
        late = seed.raised(plant, plant.tags[0][0], onset=at(50), lane=Lane.REPLAY)

        async def ids(**params: str | int) -> list[str]:
            return [item["id"] for item in await items(park, "/alarms", **params)]

        assert await ids() == [str(closed.id), str(level.id), str(gas.id)]
        assert await ids(state="active") == [str(level.id), str(gas.id)]
        assert await ids(state="NORM") == [str(closed.id)]
        assert await ids(acknowledged="false") == [str(gas.id)]
        assert await ids(priority="P3,P4") == [str(level.id)]
        assert await ids(node=str(plant.enterprises[0])) == [str(gas.id)]
        assert await ids(node=str(plant.province), limit=1) == [str(closed.id)]
        assert await ids(node="no-such-node") == []
        assert await ids(lane="replay") == [str(late.id)]

    async def test_one_alarm_comes_with_its_journal(self, seed, plant, park):
        alarm = seed.returned(plant, seed.raised(plant, plant.tags[0][1]), at(9))
        found = (await park.get(f"{V1}/alarms/{alarm.id}")).json()
        assert found["state"] == "RTNUN"
        assert [(step["from"], step["event"], step["to"]) for step in found["transitions"]] == [
            ("NORM", "raise", "UNACK"),
            ("UNACK", "return", "RTNUN"),
        ]


class TestAcknowledge:
    async def post(
        self,
        client: httpx.AsyncClient,
        alarm: Alarm,
        key: str | None = None,
        comment: str | None = None,
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await client.post(
            f"{V1}/alarms/{alarm.id}/acknowledge", json={"comment": comment}, headers=headers
        )

    async def test_the_answer_waits_for_the_worker(self, database_url, seed, plant):
        alarm = seed.raised(plant, plant.tags[0][1])
        async with api_in_loop(database_url, ApiOptions(action_wait_s=20)) as api:
            one = await api.login("one")
            async with asyncio.TaskGroup() as tasks:
                asked = tasks.create_task(self.post(one, alarm, comment="on the way"))
                alarms = {alarm.id: alarm}
                while not await asyncio.to_thread(seed.apply_actions, plant, alarms, at(3)):
                    pass
            answer = asked.result()
        assert answer.status_code == 200
        made = answer.json()["transition"]
        assert (made["from"], made["to"], made["by"]) == ("UNACK", "ACKED", "one")
        assert alarms[alarm.id].comment == "on the way"

    async def test_without_a_worker_it_is_accepted_and_can_be_asked_for(self, seed, plant, one):
        alarm = seed.raised(plant, plant.tags[0][1])
        answer = await self.post(one, alarm, "key")
        assert answer.status_code == 202
        action = (await one.get(answer.headers["location"])).json()
        assert action["result"] is None
        seed.apply_actions(plant, {alarm.id: alarm}, at(3))
        action = (await one.get(answer.headers["location"])).json()
        assert action["result"]["transition"]["to"] == "ACKED"

    async def test_the_same_key_again_is_the_same_action(self, seed, plant, one):
        alarm = seed.raised(plant, plant.tags[0][1])
        first = await self.post(one, alarm, "key")
        assert seed.apply_actions(plant, {alarm.id: alarm}, at(3)) == 1
        again = await self.post(one, alarm, "key")
        assert again.status_code == 200
        assert again.json()["action"] == first.json()["action"]
        assert again.json()["transition"]["to"] == "ACKED"
        assert seed.apply_actions(plant, {}, at(4)) == 0

    async def test_a_key_of_another_alarm_is_a_conflict(self, seed, plant, one):
        await self.post(one, seed.raised(plant, plant.tags[0][1]), "key")
        other = await self.post(one, seed.raised(plant, plant.tags[0][0]), "key")
        assert other.status_code == 409

    async def test_who_comes_second_is_told_who_was_first(self, seed, plant, one):
        alarm = seed.acknowledged(plant, seed.raised(plant, plant.tags[0][1]), "li", at(5))
        answer = await self.post(one, alarm)
        assert answer.status_code == 200
        assert answer.json() == {"already": {"by": "li", "at": "2026-11-21T08:00:05Z"}}

    async def test_what_the_worker_refuses_is_a_problem(self, seed, plant, one):
        alarm = seed.raised(plant, plant.tags[0][1])
        location = (await self.post(one, alarm, "key")).headers["location"]
        refused = {"refused": {"status": 409, "detail": "not now"}}
        with seed.connection() as connection:
            seed.done(connection, location.rsplit("/", 1)[1], refused, at(3))
        answer = await self.post(one, alarm, "key")
        assert (answer.status_code, answer.json()["detail"]) == (409, "not now")

    async def test_an_alarm_found_afterwards_needs_none(self, seed, plant, one):
        alarm = seed.raised(plant, plant.tags[0][1], lane=Lane.REPLAY)
        assert (await self.post(one, alarm)).status_code == 409

    async def test_an_enterprise_acknowledges_its_own_only(self, seed, plant, one):
        own = seed.raised(plant, plant.tags[0][1])
        foreign = seed.raised(plant, plant.tags[1][1])
        assert (await self.post(one, own)).status_code == 202
        assert (await self.post(one, foreign)).status_code == 404
        assert seed.apply_actions(plant, {own.id: own}, at(3)) == 1


async def stated(person: httpx.AsyncClient, enterprise: int) -> None:
    """A commitment of an enterprise."""
    until = rfc3339(datetime.now(UTC) + timedelta(hours=1))  # noqa: TID251
    body = {"kind": "commitment", "node": str(enterprise), "until": until}
    answer = await person.post(f"{V1}/inputs", json=body)
    assert answer.status_code == 201, answer.text


class TestScope:
    async def test_on_no_path_does_an_enterprise_see_another(
        self, api, database_url, seed, plant, park, one
    ):
        cases = Casework(database_url, plant)
        for source in plant.sources:
            await cases.see(source, Colour.ORANGE)
            await cases.risk(source, Colour.ORANGE)
        theirs = seed.raised(plant, plant.tags[1][1])
        seed.raised(plant, plant.tags[0][1])
        for pair in plant.tags:
            for tag in pair:
                seed.samples(tag, (START, 1.0))
        with seed.connection() as connection:
            for owner in (*plant.enterprises, None):
                connection.execute(
                    "INSERT INTO quarantine VALUES (%s, %s, 'hw/v1/x', NULL, %s, 'r', 'd', NULL,"
                    " NULL, 'p', 1)",
                    (uuid4(), START, owner),
                )
            for owner, (tag, _) in zip(plant.enterprises, plant.tags, strict=True):
                connection.execute(
                    "INSERT INTO gap (id, kind, enterprise, tag_id, time_from, remaining, cause,"
                    " seen_at) VALUES (%s, 'tag', %s, %s, %s, '{}', 'tag', %s)",
                    (str(tag), owner, tag, START, START),
                )
        for enterprise in plant.enterprises:
            await stated(park, enterprise)
        paths = (await api.client.get("/openapi.json")).json()["paths"]
        lists = [
            path
            for path, methods in paths.items()
            if "Page_" in str(methods.get("get", {}).get("responses", {}).get("200"))
        ]
        assert len(lists) == 12
        mine, foreign = (str(id) for id in plant.enterprises)
        for path in lists:
            seen = (await one.get(path, params={"limit": 1000})).json()["items"]
            everything = (await park.get(path, params={"limit": 1000})).json()["items"]
            assert seen, path
            assert len(seen) < len(everything), path
            owners = {item.get("enterprise") for item in seen} - {None}
            assert owners <= {mine}, path
        hidden = {str(tag) for tag in plant.tags[1]}
        assert not hidden & {row["tag"] for row in await items(one, "/latest")}
        assert not hidden & {
            row["tag"] for row in await items(one, "/latest", tags=",".join(hidden))
        }
        assert await items(one, "/alarms", node=foreign) == []
        assert await items(one, "/tags", node=foreign) == []
        assert (await one.get(f"{V1}/alarms/{theirs.id}")).status_code == 404
        for tag in hidden:
            assert (await one.get(f"{V1}/tags/{tag}/history")).status_code == 404

    async def test_an_enterprise_grant_on_a_park_opens_nothing(self, api, seed, plant):
        seed.person("wide", "enterprise", plant.park)
        wide = await api.login("wide")
        assert await items(wide, "/tags") == []


class TestHealth:
    async def test_ready_with_database_schema_and_worker(self, api, plant, seed):
        missing = await api.client.get("/readyz")
        assert missing.status_code == 503
        assert missing.json()["checks"]["worker"] == "no worker holds a lease"
        seed.lease(datetime.now(UTC) + timedelta(minutes=1))  # noqa: TID251
        ready = await api.client.get("/readyz")
        assert ready.json()["checks"] == dict.fromkeys(
            ("database", "schema", "worker", "stream"), "ok"
        )

    async def test_metrics_are_there(self, api):
        await api.client.get("/healthz")
        assert 'path="/healthz"' in (await api.client.get("/metrics")).text

    async def test_without_a_database_it_says_so(self):
        async with api_in_loop("postgresql://127.0.0.1:1/none") as api:
            answer = await api.client.post(f"{V1}/session", json={"user": "a", "password": "b"})
            ready = await api.client.get("/readyz")
            alive = await api.client.get("/healthz")
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/database-away"
        assert ready.json()["checks"]["database"] == "away"
        assert alive.status_code == 200
