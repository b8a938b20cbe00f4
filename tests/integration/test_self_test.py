"""The self-test with a real broker, a real database and the real process; every fault provoked."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import httpx
import psycopg
import pytest

from domain.clock import SystemClock
from domain.self_test import canary, without
from domain.site import read_site
from hazwatch import doctor_self_test
from hazwatch.doctor import Area
from hazwatch.self_test import prepare
from hazwatch.settings import Settings
from storage import self_test
from storage.database import DatabaseOptions, connect
from storage.registry import load_site, read_registry
from tests.support.clock import ManualClock
from tests.support.deployed_broker import DEPLOY, DeployedBroker
from tests.support.seed import Seed
from tests.support.servers import Database
from tests.support.service import Service
from tests.support.webhooks import Receiver, receiving

ROOT = Path(__file__).parents[2]
PACE = {"self_test": "true", "self_test_every_s": "1", "self_test_late": "1000"}
STORED = 'hazwatch_self_test_seconds_count{part="stored"}'
DUTY_DESK = """
[[contact]]
role = "PK"
node = "nowhere"
channel = "webhook"
address = "{url}"
"""
OURS = "enterprise IN (SELECT id FROM node WHERE kind = 'self_test')"
HANG = """
import sys, time
from pathlib import Path
from hazwatch import messenger, pump
deaf, hung, mute = (Path({folder!r}) / name for name in ("deaf", "hung", "mute"))
add = messenger.Messenger.add
def slow_add(self, fresh):
    return None if mute.exists() else add(self, fresh)
messenger.Messenger.add = slow_add
take, tick = pump.Pump.take, pump.Pump.tick
def slow_take(self, messages):
    return iter(()) if deaf.exists() else take(self, messages)
def slow_tick(self):
    while hung.exists():
        time.sleep(0.05)
    return tick(self)
pump.Pump.take, pump.Pump.tick = slow_take, slow_tick
from hazwatch.cli import main
sys.argv = ["hazwatch", *{words!r}]
main()
"""


class Hangable(Service):
    """A service whose rules take nothing while there is a file `deaf`, and hold the loop while
    there is a file `hung`; none of its notices reaches its sender while there is a file `mute`."""

    def _launched(
        self, words: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> "subprocess.Popen[bytes]":
        code = HANG.format(folder=str(log.parent), words=list(words))
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-c", code],
                env=environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )


class Works:
    """A running service, and what one asks of it."""

    def __init__(self, service: Service, url: str, hook: Receiver) -> None:
        self.service, self.url, self.hook = service, url, hook
        self._clock = SystemClock()

    async def until(self, true: Callable[[], object], what: str, within_s: float = 30) -> None:
        deadline = self._clock.elapsed() + within_s
        while not true():
            assert self._clock.elapsed() < deadline, f"{what}\n{self.service.log[-4000:]}"
            await self._clock.sleep(0.05)

    def get(self, path: str) -> str:
        """What the api says; nothing before it listens."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.service.port}/{path}", trust_env=False).text
        except httpx.ConnectError:
            return ""

    def metric(self, name: str) -> float:
        told = self.get("metrics")
        found = [line for line in told.splitlines() if line.startswith(f"{name} ")]
        return float(found[0].split()[1]) if found else 0.0

    def outcomes(self, outcome: str) -> float:
        return self.metric(f'hazwatch_self_tests_total{{outcome="{outcome}"}}')

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql).fetchall()

    def told(self) -> list[tuple[str, str]]:
        """(event, kind) of everything that the webhook got."""
        bodies = [json.loads(body) for _, body in self.hook.got]
        return [(body["transition"]["event"], body["alarm"]["kind"]) for body in bodies]


@asynccontextmanager
async def works(
    folder: Path,
    database_url: str,
    mqtt_url: str,
    kind: type[Service] = Service,
    within_s: float = 1.5,
    by_role: bool = False,
) -> AsyncIterator[Works]:
    """by_role: the contact file names who is told, at a node that the site does not have."""
    with receiving() as hook:
        wanted = {"webhooks": hook.url, "webhook_priorities": "P1,P2,P3,P4"} | PACE
        if by_role:
            contacts = folder / "contacts.toml"
            contacts.write_text(DUTY_DESK.format(url=hook.url), "utf-8")
            wanted = {"contacts_file": str(contacts)} | PACE
        wanted["self_test_within_s"] = f"{within_s:g}"
        service = kind(folder, database_url, mqtt_url, "worker,api", **wanted)
        with service:
            service.start()
            found = Works(service, database_url, hook)
            await found.until(lambda: service.watching, "it watches", 120)
            yield found
            assert service.end() == 0


async def test_a_breach_goes_all_the_way_every_time_and_nothing_of_it_is_left(
    database_url, tmp_path
):
    plant = Seed(database_url).plant()
    with DeployedBroker(tmp_path / "broker", ["hazwatch"]) as broker:
        parts = httpx.URL(broker.url())
        heard: set[str] = set()

        async def listen() -> None:
            async with aiomqtt.Client(
                "127.0.0.1", broker.own_port, username=parts.username, password=parts.password
            ) as client:
                await client.subscribe("hw/v1/events/#")
                async for message in client.messages:
                    heard.add(message.topic.value)

        async with (
            works(tmp_path, database_url, broker.url(), within_s=5) as here,
            asyncio.TaskGroup() as group,
        ):
            listening = group.create_task(listen())
            await here.until(lambda: here.metric(STORED) >= 4 and heard, "four came through")
            alive = json.loads(here.get("healthz"))["self_test"]
            assert alive["failing"] is False
            assert alive["passed"].endswith("Z")
            assert here.outcomes("missed") == here.outcomes("late") == 0
            assert here.metric('hazwatch_self_test_seconds_count{part="notice"}') >= 4
            slow = here.metric('hazwatch_self_test_seconds_sum{part="event"}')
            assert slow / here.metric('hazwatch_self_test_seconds_count{part="event"}') < 2
            listening.cancel()
        ours = "hw/v1/events/hazwatch-self-test/"
        assert {topic for topic in heard if topic.startswith(ours)} == {f"{ours}canary/self-test"}
        assert {topic for topic in heard if topic.endswith(("/alarm", "/warning"))} == set()
        assert here.told() == []
        raised = here.rows(f"SELECT state, acknowledged_by, text FROM alarm WHERE {OURS}")
        assert len(raised) >= 4
        assert {state for state, *_ in raised} == {"NORM"}
        assert {by for _, by, _ in raised} == {"hazwatch self-test 自检"}
        noticed = here.rows("SELECT DISTINCT channel, recipient, failed FROM notice")
        assert noticed == [("self-test", "canary", None)]
        assert here.rows("SELECT 1 FROM warning_case") == []
        assert here.rows(f"SELECT 1 FROM source_risk WHERE {OURS}") == []
        assert here.rows("SELECT max(version) FROM site_version") == [(None,)]
        seen = here.rows("SELECT id FROM node WHERE kind IN ('enterprise', 'park')")
        assert {id for (id,) in seen} == {plant.park, *plant.enterprises}


async def test_every_fault_is_told_once_by_the_second_path_and_is_over_by_itself(
    timescale, timescale_url, mosquitto, tmp_path
):
    Seed(timescale_url).plant()
    async with works(tmp_path, timescale_url, mosquitto.url, Hangable) as here:
        await here.until(lambda: here.outcomes("passed") >= 1, "it comes through")
        mosquitto.stop()
        await here.until(lambda: here.told() == [("raise", "SELF_TEST")], "a lost broker is told")
        body = json.loads(here.hook.got[0][1])
        assert body["self_test"] is True
        assert body["alarm"]["priority"] == "P2"
        assert "自检失败" in body["alarm"]["text"]
        assert "the broker does not let the canary in" in body["alarm"]["text"]
        assert here.metric("hazwatch_self_test_failing") == 1
        listed = "SELECT id::text, state FROM alarm WHERE kind = 'SELF_TEST'"
        await here.until(lambda: here.rows(listed), "it stands in the list")
        assert here.rows(listed) == [(body["alarm"]["id"], "UNACK")]
        mosquitto.start()
        await here.until(lambda: here.told()[1:] == [("return", "SELF_TEST")], "it is over")
        await here.until(lambda: here.rows(listed)[0][1] == "RTNUN", "and so is the alarm")
        assert here.metric("hazwatch_self_test_failing") == 0

        (tmp_path / "deaf").touch()
        await here.until(lambda: here.told()[2:] == [("raise", "SELF_TEST")], "deaf rules are told")
        assert "not heard on the event topic" in json.loads(here.hook.got[2][1])["alarm"]["text"]
        (tmp_path / "deaf").unlink()
        await here.until(lambda: len(here.told()) == 4, "and that they are back")

        (tmp_path / "hung").touch()
        await here.until(lambda: here.told()[4:] == [("raise", "SELF_TEST")], "a hung loop is told")
        (tmp_path / "hung").unlink()
        await here.until(lambda: here.told()[5:] == [("return", "SELF_TEST")], "and its end")
        (tmp_path / "mute").touch()
        await here.until(lambda: here.told()[6:] == [("raise", "SELF_TEST")], "lost notices, too")
        assert "the sender of notices" in json.loads(here.hook.got[6][1])["alarm"]["text"]
        (tmp_path / "mute").unlink()
        await here.until(lambda: here.told()[7:] == [("return", "SELF_TEST")], "and their end")
        await while_the_database_is_away(here, timescale)
        assert len(here.told()) == 8


async def while_the_database_is_away(here: Works, database: Database) -> None:
    """It comes through, is stored late, and all of it is in the journal afterwards."""
    database.stop()
    before, missed = here.outcomes("passed"), here.outcomes("missed")
    await here.until(lambda: here.outcomes("late") >= 2, "its journal waits", 60)
    assert here.outcomes("passed") >= before + 2
    assert here.outcomes("missed") == missed
    database.start()
    count = here.metric(STORED)
    await here.until(lambda: here.metric(STORED) >= count + 2, "stored in time again", 60)
    every = here.outcomes("passed")
    raised = f"SELECT count(*) FROM alarm WHERE {OURS}"
    await here.until(lambda: here.rows(raised)[0][0] >= every, "none is missing afterwards")


async def test_messages_that_the_broker_does_not_deliver_are_told(timescale_url, tmp_path):
    rules = tmp_path / "acl"
    rules.write_text(
        "".join(
            line
            for line in (DEPLOY / "acl").read_text("utf-8").splitlines(keepends=True)
            if "hazwatch-self-test" not in line
        )
    )
    with DeployedBroker(tmp_path / "broker", ["hazwatch"], acl_file=str(rules)) as broker:
        async with works(tmp_path, timescale_url, broker.url(), by_role=True) as here:
            await here.until(lambda: here.told() == [("raise", "SELF_TEST")], "people are told")
            assert here.outcomes("passed") == 0


@pytest.mark.parametrize("wanted", ["true", "false"])
async def test_a_canary_of_an_earlier_run_goes_where_no_self_test_is_wanted(
    timescale_url, mosquitto, tmp_path, wanted: str
):
    at = SystemClock().now()
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        for _ in range(2):
            await prepare(conn, wanted=True, at=at)
        before = await read_registry(conn)
        await prepare(conn, wanted=wanted == "true", at=at)
        after = await read_registry(conn)
    assert [len(before.tags), len(before.gateways), len(before.nodes)] == [1, 1, 2]
    assert (after == before) is (wanted == "true")
    assert bool(after.tags) is (wanted == "true")


async def test_the_canary_outlives_a_load_that_prunes_and_is_swept_after_a_day(
    database_url, tmp_path
):
    at = SystemClock().now()
    site = read_site((ROOT / "deploy" / "sites" / "demo.yaml").read_text("utf-8"))
    async with await connect(DatabaseOptions(database_url)) as conn:
        await prepare(conn, wanted=True, at=at)
        for _ in range(2):
            report = await load_site(conn, site, by="test", at=at, prune=True)
            assert (report.changes == (), report.kept) == (_ == 1, ())
        registry = await read_registry(conn)
        tag = registry.tags[canary(registry) or 0]
        assert canary(without(registry)) is None
        assert len(without(registry).nodes) == len(registry.nodes) - 2
        clock = ManualClock(at)
        area, settings = Area("database"), Settings(self_test=True)
        assert (await doctor_self_test.look(conn, settings, clock, area)).outcome == "unknown"
        Seed(database_url).lease(at + timedelta(days=1))
        assert (await doctor_self_test.look(conn, settings, clock, area)).outcome == "warning"
        for age, n in ((timedelta(days=2), 1), (timedelta(seconds=100), 2)):
            alarm = uuid4()
            await conn.execute(
                "INSERT INTO alarm (id, lane, kind, tag_id, node, enterprise, priority, state,"
                " onset, effective, closed, value, limit_value, worst, n)"
                " VALUES (%(id)s, 0, 'H', %(tag)s, %(node)s, %(node)s, 'P4', 'NORM',"
                " %(at)s, %(at)s, %(at)s, 1, 1, 1, 3)",
                {"id": alarm, "tag": tag.id, "node": tag.source, "at": at - age},
            )
            await conn.execute(
                "INSERT INTO alarm_event"
                " VALUES (%s, %s, %s, 'raise', 'NORM', 'UNACK', NULL, NULL, '{}')",
                (alarm, n, at - age),
            )
            await conn.execute(
                "INSERT INTO notice (id, occurrence, channel, recipient, body, created, due)"
                " VALUES (%s, %s, 'self-test', 'canary', '{}', %s, %s)",
                (alarm, alarm, at - age, at - age),
            )
        assert (await doctor_self_test.look(conn, settings, clock, area)).outcome == "ok"
        clock = ManualClock(at + timedelta(seconds=100))
        assert (await doctor_self_test.look(conn, settings, clock, area)).outcome == "failed"
        assert [await self_test.sweep(conn, at) for _ in range(2)] == [1, 0]
        left = await (await conn.execute("SELECT n FROM alarm_event")).fetchall()
        assert left == [(2,)]
        left = await (await conn.execute("SELECT occurrence FROM notice")).fetchall()
        assert left == [(alarm,)]
