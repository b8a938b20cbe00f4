"""Shelving, reset and service from the request to the list, with the book and the store between."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from alerts.book import AlarmBook
from alerts.by_design import ByDesign
from alerts.handling import Around, Handling
from alerts.layout import compile_layout
from api.options import ApiOptions
from domain.alarms import Alarm, Edge, Finding, Kind
from domain.elapsed import ClockReading
from domain.inputs import Input, InputKind
from domain.instant import rfc3339
from storage.actions import pending, write_results
from storage.alarms import read_known, write_transitions
from storage.database import Connection, DatabaseOptions, connect
from storage.inputs_api import record_input
from storage.reading import Reading
from tests.support.api import Api, api_in_loop
from tests.support.builders import START, at
from tests.support.clock import ManualClock
from tests.support.seed import PASSWORD, Plant, Seed

V1 = "/api/v1"
MINUTE = timedelta(minutes=1)
SIGNED = {"second": "second", "second_password": PASSWORD}
WRONG = "/second: the second person's name or password is wrong"


class Plantside:
    """A worker without engine: every book begins from what the store has."""

    def __init__(self, conn: Connection, plant: Plant, clock: ManualClock) -> None:
        self.conn, self.plant, self.clock = conn, plant, clock
        self.inputs: list[Input] = []
        self.boot = "one"

    async def find(
        self, edge: Edge, kind: Kind, tag: int | None, onset: float, node: int | None = None
    ) -> Alarm:
        """A condition of a tag, or of a node, begins or ends now."""
        book = await self.book()
        when = self.clock.now()
        finding = Finding(edge, kind, tag, node, at(onset), when, 45.0, 40.0)
        changes = book.apply([finding], when)
        await write_transitions(self.conn, changes)
        return changes[0].alarm

    async def work(self) -> None:
        """Apply what people asked for, and what timers bring."""
        book = await self.book()
        handling = Handling(book)
        await write_transitions(self.conn, handling.resume(self.now()))
        for action in await pending(self.conn):
            done, changes = handling.act(action, self.around())
            await write_transitions(self.conn, changes)
            await write_results(self.conn, [done])
        await write_transitions(self.conn, handling.fire(self.around()))

    async def book(self) -> AlarmBook:
        known = await read_known(self.conn, None, self.clock.now())
        book = AlarmBook(self.plant.registry, known)
        book.use_silence(lambda alarm: self.around().design.of(alarm))
        return book

    def now(self) -> ClockReading:
        return ClockReading(self.clock.now(), self.clock.elapsed(), self.boot)

    def around(self) -> Around:
        now = self.now()
        return Around(now, ByDesign(compile_layout(self.plant.registry), self.inputs, now))


@pytest.fixture
def plant(timescale_url: str) -> Plant:
    seed = Seed(timescale_url)
    plant = seed.plant()
    seed.person("park", "operator", plant.park)
    seed.person("deputy", "operator", plant.park)
    seed.person("province", "operator", plant.province)
    seed.person("console", "operator", plant.enterprises[0])
    for name in ("one", "second"):
        seed.person(name, "enterprise", plant.enterprises[0])
    seed.person("neighbour", "enterprise", plant.enterprises[1])
    return plant


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def api(timescale_url: str, plant: Plant, clock: ManualClock) -> AsyncIterator[Api]:
    async with api_in_loop(timescale_url, ApiOptions(action_wait_s=0), clock) as api:
        yield api


@pytest.fixture
async def worker(timescale_url: str, plant: Plant, clock: ManualClock) -> AsyncIterator[Plantside]:
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        yield Plantside(conn, plant, clock)


async def said(
    client: httpx.AsyncClient, worker: Plantside, alarm: Alarm, verb: str, **body: object
) -> dict[str, Any]:
    """What the worker made of a request; a refusal of the api itself as it is."""
    key = {"Idempotency-Key": str(uuid4())}
    path = f"{V1}/alarms/{alarm.id}/{verb}"
    asked = await client.post(path, json=body, headers=key)
    if asked.status_code != 202:
        return {"refused": {"status": asked.status_code, "detail": asked.json()["detail"]}}
    await worker.work()
    again = await client.post(path, json=body, headers=key)
    told: dict[str, Any] = (await client.get(asked.headers["location"])).json()["result"]
    assert again.status_code == told.get("refused", {"status": 200})["status"]
    return told


async def shown(client: httpx.AsyncClient, **params: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{V1}/alarms", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_latched_gas_alarm_goes_after_acknowledgement_and_reset(api, plant, worker, clock):
    one = await api.login("one")
    gas = await worker.find(Edge.RAISED, Kind.HH, plant.tags[0][1], 0)
    await clock.advance(60)
    await worker.find(Edge.RETURNED, Kind.HH, plant.tags[0][1], 0)
    (item,) = await shown(one, state="LATUN")
    assert (item["latching"], item["flags"], item["ended"]) == (True, [], rfc3339(at(60)))
    refused = await said(one, worker, gas, "reset")
    assert refused["refused"]["status"] == 409
    assert "acknowledge it first" in refused["refused"]["detail"]
    await said(one, worker, gas, "acknowledge")
    assert [item["state"] for item in await shown(one, state="active")] == ["LATAC"]
    made = await said(one, worker, gas, "reset", comment="已通风")
    assert (made["transition"]["from"], made["transition"]["to"]) == ("LATAC", "NORM")
    assert await shown(one, state="active") == []
    journal = (await one.get(f"{V1}/alarms/{gas.id}")).json()["transitions"]
    assert [step["event"] for step in journal] == ["raise", "return", "acknowledge", "reset"]


async def test_the_enterprises_desk_alone_acknowledges_and_resets(api, plant, worker, clock):
    park, console = await api.login("park"), await api.login("console")
    gas = await worker.find(Edge.RAISED, Kind.HH, plant.tags[0][1], 0)
    for verb, word in (("acknowledge", "确认"), ("reset", "复位")):
        refused = (await said(park, worker, gas, verb))["refused"]
        assert refused["status"] == 403
        assert all(one in refused["detail"] for one in (word, "enterprise alone", "已阅", "签收"))
    assert [item["state"] for item in await shown(park)] == ["UNACK"]
    made = await said(console, worker, gas, "acknowledge")
    assert (made["transition"]["to"], made["transition"]["by"]) == ("ACKED", "console")
    assert (await said(park, worker, gas, "acknowledge"))["refused"]["status"] == 403


async def test_what_desks_have_seen_is_kept_apart_and_silences_nobody(api, plant, worker, clock):
    park, deputy = await api.login("park"), await api.login("deputy")
    province, one = await api.login("province"), await api.login("one")
    gas = await worker.find(Edge.RAISED, Kind.HH, plant.tags[0][1], 0)
    before = (await one.get(f"{V1}/alarms/counts")).json()
    await clock.advance(30)
    made = await said(park, worker, gas, "seen", comment="已通知现场")
    assert (made["transition"]["from"], made["transition"]["to"]) == ("UNACK", "UNACK")
    await clock.advance(30)
    await said(province, worker, gas, "seen")
    desks = [("park", "park", rfc3339(at(30))), ("province", "province", rfc3339(at(60)))]

    async def told() -> list[tuple[str, str, str]]:
        (item,) = await shown(one, state="active")
        assert (item["state"], item["flags"], item["acknowledged_by"]) == ("UNACK", [], None)
        return [(mark["level"], mark["by"], mark["at"]) for mark in item["seen"]]

    assert await told() == desks
    assert (await one.get(f"{V1}/alarms/counts")).json() == before
    assert "already" in await said(park, worker, gas, "seen")
    await clock.advance(30)
    await said(deputy, worker, gas, "seen", level="park")
    assert await told() == [desks[1], ("park", "deputy", rfc3339(at(90)))]
    journal = (await one.get(f"{V1}/alarms/{gas.id}")).json()["transitions"]
    assert [(step["event"], step["by"]) for step in journal] == [
        ("raise", None),
        ("see", "park"),
        ("see", "province"),
        ("see", "deputy"),
    ]
    assert journal[1]["comment"] == "已通知现场"
    # the enterprise's acknowledgement takes nothing from it
    assert (await said(one, worker, gas, "acknowledge"))["transition"]["to"] == "ACKED"
    (item,) = await shown(one, state="active")
    assert [mark["level"] for mark in item["seen"]] == ["province", "park"]


async def test_who_may_not_see_is_told_why(api, plant, worker, clock):
    park, one = await api.login("park"), await api.login("one")
    level = await worker.find(Edge.RAISED, Kind.H, plant.tags[0][0], 0)
    foreign = await worker.find(Edge.RAISED, Kind.H, plant.tags[1][0], 0)

    async def refused(client: httpx.AsyncClient, alarm: Alarm, **body: object) -> tuple[int, str]:
        told = (await said(client, worker, alarm, "seen", **body))["refused"]
        return told["status"], told["detail"]

    status, why = await refused(one, level)
    assert (status, "acknowledge it" in why) == (403, True)
    assert (await refused(one, foreign))[0] == 404
    status, why = await refused(park, level, level="city")
    assert (status, why) == (403, "This person speaks for park, not for city.")
    await said(one, worker, level, "acknowledge")
    await clock.advance(60)
    await worker.find(Edge.RETURNED, Kind.H, plant.tags[0][0], 0)
    status, why = await refused(park, level)
    assert (status, "It is closed since" in why) == (409, True)


async def test_an_alarm_of_an_area_is_acknowledged_by_that_areas_desk(api, plant, worker, clock):
    park, one = await api.login("park"), await api.login("one")
    full = await worker.find(Edge.RAISED, Kind.NO_ROOM, None, 0, node=plant.park)
    assert await shown(one) == []
    assert (await said(one, worker, full, "acknowledge"))["refused"]["status"] == 404
    (item,) = await shown(park, state="active")
    assert (item["kind"], item["enterprise_name"]) == ("NO_ROOM", "临港化工园")
    assert (await park.get(f"{V1}/alarms/counts")).json()["unacknowledged"] == 1
    assert (await said(park, worker, full, "acknowledge"))["transition"]["to"] == "ACKED"


async def test_a_shelf_outlives_occurrence_and_worker_stays_counted_and_ends_by_itself(
    api, plant, worker, clock
):
    one, level = await api.login("one"), plant.tags[0][0]
    alarm = await worker.find(Edge.RAISED, Kind.H, level, 0)
    until = rfc3339(at(4 * 3600))
    made = await said(one, worker, alarm, "shelve", reason="浮子检修", until=until)
    assert made["transition"]["to"] == "UNACK"
    (item,) = await shown(one, flag="shelved,out_of_service")
    assert item["flags"] == ["shelved"]
    assert (item["shelved"]["by"], item["shelved"]["why"], item["shelved"]["until"]) == (
        "one",
        "浮子检修",
        until,
    )
    await said(one, worker, alarm, "acknowledge")
    await clock.advance(3600)
    closed = await worker.find(Edge.RETURNED, Kind.H, level, 0)
    assert (closed.state.value, closed.flags) == ("NORM", ("shelved",))
    counts = (await one.get(f"{V1}/alarms/counts")).json()
    assert (counts["open"], counts["shelved"], counts["annunciated"]) == (0, 1, 0)
    await clock.advance(7200)
    handed = await worker.find(Edge.RAISED, Kind.H, level, 10_800)
    assert handed.id == alarm.id
    (again,) = await shown(one, flag="shelved")
    assert (again["state"], again["id"] != str(alarm.id)) == ("UNACK", True)
    counts = (await one.get(f"{V1}/alarms/counts")).json()
    assert (counts["open"], counts["shelved"], counts["annunciated"]) == (1, 1, 0)
    worker.boot = "two"
    await clock.advance(3599)
    await worker.work()
    assert len(await shown(one, flag="shelved")) == 1
    await clock.advance(2)
    await worker.work()
    assert await shown(one, flag="shelved") == []
    counts = (await one.get(f"{V1}/alarms/counts")).json()
    assert (counts["open"], counts["shelved"], counts["annunciated"]) == (1, 0, 1)


async def test_who_may_not_shelve_is_told_what_to_do(api, plant, worker, clock):
    one, park = await api.login("one"), await api.login("park")
    urgent = await worker.find(Edge.RAISED, Kind.HH, plant.tags[0][1], 0)
    gas = await worker.find(Edge.RAISED, Kind.H, plant.tags[0][1], 0)
    soon, late = (rfc3339(clock.now() + minutes * MINUTE) for minutes in (30, 31))

    async def refused(client: httpx.AsyncClient, alarm: Alarm, **body: object) -> tuple[int, str]:
        told = (await said(client, worker, alarm, "shelve", reason="test", **body))["refused"]
        return told["status"], told["detail"]

    status, why = await refused(park, gas, until=soon, **SIGNED)
    assert (status, "enterprise alone" in why, "已阅" in why) == (403, True, True)
    status, why = await refused(one, urgent, until=soon, **SIGNED)
    assert (status, "P1 is never shelved" in why) == (403, True)
    status, why = await refused(one, gas, until=soon)
    assert (status, "second person" in why) == (422, True)
    status, why = await refused(one, gas, until=late, **SIGNED)
    assert (status, "30 min at most" in why) == (403, True)
    for _ in range(3):
        made = await said(one, worker, gas, "shelve", reason="x", until=soon, **SIGNED)
        assert "transition" in made
        assert "transition" in await said(one, worker, gas, "unshelve")
    status, why = await refused(one, gas, until=soon, **SIGNED)
    assert (status, "3 times within a day" in why) == (409, True)


class TestSecondPerson:
    """Of shelving; taking out of service asks in the same way."""

    @pytest.fixture
    async def gas(self, worker: Plantside, plant: Plant) -> Alarm:
        return await worker.find(Edge.RAISED, Kind.H, plant.tags[0][1], 0)

    async def asked(self, client: httpx.AsyncClient, gas: Alarm, **body: object) -> httpx.Response:
        shelf = {"reason": "检修", "until": rfc3339(at(1800))}
        return await client.post(f"{V1}/alarms/{gas.id}/shelve", json=shelf | body)

    async def told(
        self, client: httpx.AsyncClient, gas: Alarm, **body: object
    ) -> tuple[int, str, str]:
        """Status, pointer and detail of a refusal."""
        answer = await self.asked(client, gas, **body)
        (error,) = answer.json()["errors"]
        return answer.status_code, error["pointer"], answer.json()["detail"]

    async def test_who_is_unknown_removed_or_mistyped_is_told_alike(
        self, api, gas, timescale_url, plant
    ):
        one = await api.login("one")
        seed = Seed(timescale_url)
        seed.person("gone", "enterprise", plant.enterprises[0])
        with seed.connection() as connection:
            connection.execute("UPDATE person SET removed_at = %s WHERE name = 'gone'", (START,))
        for name, password in (
            ("nobody", PASSWORD),
            ("gone", PASSWORD),
            ("second", "wrong"),
            ("park", "wrong"),
            ("neighbour", "wrong"),
        ):
            told = await self.told(one, gas, second=name, second_password=password)
            assert told == (403, "/second", WRONG)

    async def test_the_second_person_is_another_one_of_the_same_desk(self, api, gas):
        one = await api.login("one")
        for name, why in (
            ("neighbour", "does not speak for the desk"),
            ("park", "does not speak for the desk"),
        ):
            told = await self.told(one, gas, second=name, second_password=PASSWORD)
            assert told[:2] == (403, "/second")
            assert why in told[2]
        told = await self.told(one, gas, second="one", second_password=PASSWORD)
        assert (told[:2], "another one" in told[2]) == ((422, "/second"), True)
        for name in ("console", "second"):
            made = await self.asked(one, gas, second=name, second_password=PASSWORD)
            assert made.status_code == 202

    async def test_a_name_without_password_and_a_password_without_name_do_not_do(self, api, gas):
        one = await api.login("one")
        told = await self.told(one, gas, second="second")
        assert (told[:2], "is missing" in told[2]) == ((422, "/second_password"), True)
        told = await self.told(one, gas, second_password=PASSWORD)
        assert (told[:2], "is missing" in told[2]) == ((422, "/second"), True)

    async def test_guessing_is_braked_together_with_logins(self, api, gas):
        one = await api.login("one")
        for _ in range(3):
            assert (await self.told(one, gas, second="second", second_password="no"))[0] == 403
        login = {"user": "second", "password": "no"}
        for _ in range(2):
            assert (await api.client.post(f"{V1}/session", json=login)).status_code == 401
        braked = await self.asked(one, gas, **SIGNED)
        assert (braked.status_code, braked.json()["type"]) == (429, "/problems/too-many-logins")
        assert int(braked.headers["retry-after"]) > 0
        login = {"user": "second", "password": PASSWORD}
        assert (await api.client.post(f"{V1}/session", json=login)).status_code == 429

    async def test_who_is_braked_in_one_name_is_not_let_on_by_another(self, api, gas):
        one = await api.login("one")
        for _ in range(5):
            assert (await self.told(one, gas, second="second", second_password="no"))[0] == 403
            made = await self.asked(one, gas, second="console", second_password=PASSWORD)
            assert made.status_code == 202
        assert (await self.asked(one, gas, **SIGNED)).status_code == 429

    async def test_the_password_is_kept_and_echoed_nowhere(
        self, api, gas, worker, timescale_url, caplog, capfd
    ):
        one, kept = await api.login("one"), "Kept-9417-nowhere"
        answers = [
            await self.asked(one, gas, second="second", second_password=kept),
            await self.asked(one, gas, second="second", second_password=[kept]),
            await self.asked(one, gas, second="second", second_password=kept * 100),
            await self.asked(one, gas, second_password=kept),
            await self.asked(one, gas, second="second", second_passwords=kept),
        ]
        assert [answer.status_code for answer in answers] == [403, 422, 422, 422, 422]
        made = await said(
            one, worker, gas, "shelve", reason="检修", until=rfc3339(at(1800)), **SIGNED
        )
        assert made["transition"]["by"] == "one"
        (item,) = await shown(one, flag="shelved")
        assert item["shelved"]["second"] == "second"
        with Seed(timescale_url).connection() as connection:
            tables = connection.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename NOT IN ('schema_migration')"
            ).fetchall()
            rows = [
                str(row)
                for (table,) in tables
                for row in connection.execute(f"SELECT * FROM {table}").fetchall()
            ]
        assert any("second" in row for row in rows)
        everywhere = [*rows, *(answer.text for answer in answers), caplog.text, *capfd.readouterr()]
        assert [text for text in everywhere if kept in text or PASSWORD in text] == []

    async def test_the_same_key_again_asks_no_password_again(self, api, gas, clock):
        one, key = await api.login("one"), {"Idempotency-Key": "k"}
        path = f"{V1}/alarms/{gas.id}/shelve"
        shelf = {"reason": "检修", "until": rfc3339(at(1800))}
        first = await one.post(path, json=shelf | SIGNED, headers=key)
        again = await one.post(path, json=shelf | {"second": "second"}, headers=key)
        assert first.status_code == again.status_code == 202
        assert first.json() == again.json()
        other = await one.post(path, json=shelf | {"second": "console"}, headers=key)
        assert other.status_code == 409


async def test_out_of_service_takes_its_second_person_from_the_permit_or_from_the_console(
    api, plant, worker, clock, timescale_url
):
    one, level = await api.login("one"), plant.tags[0][0]
    alarm = await worker.find(Edge.RAISED, Kind.HH, level, 0)
    assert alarm.priority.value in ("P1", "P2")
    await clock.advance(10)
    now, until = clock.now(), clock.now() + 60 * MINUTE
    work: dict[str, object] = {"work": "maintenance"}
    source, owner = plant.sources[0], plant.enterprises[0]
    permit = Input(uuid4(), InputKind.PERMIT, owner, source, level, now, until, work, "one", now)
    worker.inputs = [permit]
    told = (await said(one, worker, alarm, "remove-from-service"))["refused"]
    assert (told["status"], "need a second person" in told["detail"]) == (422, True)
    body = {"second": "second", "second_password": "wrong"}
    told = (await said(one, worker, alarm, "remove-from-service", **body))["refused"]
    assert (told["status"], told["detail"]) == (403, WRONG)
    assert "transition" in await said(one, worker, alarm, "remove-from-service", **SIGNED)
    (item,) = await shown(one, flag="out_of_service")
    assert item["out_of_service"]["second"] == "second"
    assert "transition" in await said(one, worker, alarm, "return-to-service")
    worker.inputs = [replace(permit, second="console")]
    assert "transition" in await said(one, worker, alarm, "remove-from-service")
    (item,) = await shown(one, flag="out_of_service")
    assert item["out_of_service"]["second"] == "console"


async def test_out_of_service_by_permit_alone_and_what_begins_under_it_is_so_by_itself(
    api, plant, worker, clock, timescale_url
):
    one, level = await api.login("one"), plant.tags[0][0]
    alarm = await worker.find(Edge.RAISED, Kind.H, level, 0)
    told = await said(one, worker, alarm, "remove-from-service")
    assert "no open permit of LI101" in told["refused"]["detail"]
    await clock.advance(10)
    now, until = clock.now(), clock.now() + 60 * MINUTE
    source, owner = plant.sources[0], plant.enterprises[0]
    kind = InputKind.PERMIT
    work: dict[str, object] = {"work": "maintenance"}
    permit = Input(uuid4(), kind, owner, source, level, now, until, work, "one", now, "second")
    async with Reading(timescale_url) as reading:
        assert await record_input(reading, permit, "key")
    worker.inputs = [permit]
    await clock.advance(10)
    made = await said(one, worker, alarm, "remove-from-service", permit=str(permit.id))
    assert "transition" in made
    high = await worker.find(Edge.RAISED, Kind.HH, level, 15)
    assert high.flags == ("out_of_service",)
    assert {item["name"] for item in await shown(one, flag="out_of_service")} == {"LI101"}
    counts = (await one.get(f"{V1}/alarms/counts")).json()
    assert (counts["unacknowledged"], counts["annunciated"], counts["out_of_service"]) == (2, 0, 2)
    await clock.advance(3600)
    await worker.work()
    assert await shown(one, flag="out_of_service") == []


async def test_what_a_mode_expects_is_heard_as_p3_until_the_mode_ends(api, plant, worker, clock):
    one, level = await api.login("one"), plant.tags[0][0]
    now, until = clock.now(), clock.now() + 60 * MINUTE
    source, owner = plant.sources[0], plant.enterprises[0]
    empty: dict[str, object] = {"mode": "empty"}
    mode = Input(uuid4(), InputKind.MODE, owner, source, None, now, until, empty, "one", now, "two")
    worker.inputs = [mode]
    await clock.advance(10)
    low = await worker.find(Edge.RAISED, Kind.LL, level, 10)
    (item,) = await shown(one)
    assert (item["priority"], item["latching"], item["flags"]) == ("P3", False, [])
    eased = {"by": "one", "second": "two", "why": "empty", "rule": f"mode:{mode.id}"}
    assert eased.items() <= item["eased"].items()
    assert item["eased"]["until"] == rfc3339(until)
    assert (await one.get(f"{V1}/alarms/counts")).json()["annunciated"] == 1
    await clock.advance(3600)
    await worker.work()
    (item,) = await shown(one)
    assert (item["priority"] < "P3", item["latching"], item["eased"]) == (True, True, None)
    told = (await one.get(f"{V1}/alarms/{low.id}")).json()["transitions"]
    assert [change["event"] for change in told] == ["raise", "upgrade"]


async def test_the_policies_of_a_tag_say_where_they_come_from(api, plant):
    park = await api.login("park")
    told = (await park.get(f"{V1}/tags/{plant.tags[0][1]}/policies")).json()
    by_kind = {one["kind"]: one for one in told["policies"]}
    assert list(by_kind)[:3] == ["H", "HH", "OFFLINE"]
    assert {"PREDICT", "DETECTOR_FAULT", "FROZEN"} <= set(by_kind)
    assert by_kind["HH"]["members"]["who_shelves"]["value"] == "enterprise"
    high = by_kind["HH"]["members"]
    assert (by_kind["HH"]["class"], high["latch"]["value"], high["shelve"]["value"]) == (
        "GAS_L2",
        True,
        0.0,
    )
    assert (high["limit"]["value"], high["limit"]["origin"]) == (40.0, "site")
    assert (high["ack"]["value"], high["ack"]["origin"], high["ack"]["confidence"]) == (
        60.0,
        "policy",
        "P",
    )
    assert by_kind["H"]["members"]["shelve"]["value"] == 1800.0
    assert (await park.get(f"{V1}/tags/999999/policies")).status_code == 404
