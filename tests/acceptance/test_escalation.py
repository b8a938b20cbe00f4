"""The ladder on real servers: nobody answers, the worker is killed, and everybody is told once."""

import asyncio
import json
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import aiomqtt
import httpx
import psycopg
import pytest

from api.passwords import hash_password
from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.site import read_site
from storage.database import DatabaseOptions, connect
from storage.people import add_person, resolve_node
from storage.reading import Reading
from storage.registry import load_site
from tests.support.servers import Mosquitto
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag
from tests.support.webhooks import Receiver, receiving

ROLES = {"OP": "enterprise", "PK": "park", "CO": "county", "CI": "city", "PR": "province"}
AFTER_S = {"OP": 0, "PK": 0, "CO": 3, "CI": 6, "PR": 9}
"""When each role hears of orange, if nobody signs."""
PASSWORD = "a long enough password"


def seconds(number: float) -> str:
    return f'{{ value = {number}, unit = "s" }}'


def ladder() -> str:
    """A ladder that climbs within seconds."""
    roles = [f'{code} = {{ level = "{level}", name = "{code}" }}' for code, level in ROLES.items()]
    rungs = [
        f'[[orange.rung]]\nafter = {seconds(after)}\nroles = ["{code}"]'
        for code, after in AFTER_S.items()
        if after
    ]
    colours = {"yellow": ["OP"], "orange": ["OP", "PK"], "red": ["OP", "PK", "CO"]}
    told = [
        f"[{colour}]\nat_once = {json.dumps(who)}\nreceive_within = {seconds(60)}"
        for colour, who in colours.items()
    ]
    return "\n".join(['version = "test"', "[role]", *roles, *told, *rungs])


def contacts(url: str) -> str:
    """Everybody behind one address, each with a path of their own; behind the park's desk stands a
    person, whom a roster names."""
    way = f'{{ channel = "webhook", address = "{url}/wang" }}'
    person = f'[[person]]\ncode = "wang"\nname = "王芳"\nchannels = [{way}]\n'
    duty = '[[duty]]\nrole = "PK"\nnode = "gansu"\nrosters = ["week.ics"]\n'
    return f"{person}\n{duty}\n" + "\n".join(
        f'[[contact]]\nrole = "{code}"\nnode = "gansu"\n'
        f'channel = "webhook"\naddress = "{url}/{code}"'
        for code in ROLES
        if code != "PK"
    )


WEEK = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
SUMMARY:wang
DTSTART;VALUE=DATE:20260105
RRULE:FREQ=DAILY
END:VEVENT
END:VCALENDAR
"""


@dataclass
class Night:
    """A leak, and who hears of it."""

    url: str
    broker: Mosquitto
    service: Service
    receiver: Receiver
    clock: SystemClock = field(default_factory=SystemClock)

    def told(self) -> dict[str, set[str]]:
        """Role → keys of the notices that reached it."""
        found: dict[str, set[str]] = {}
        for headers, body in list(self.receiver.got):
            found.setdefault(json.loads(body)["role"], set()).add(headers["Idempotency-Key"])
        return found

    async def until(self, true: Callable[[], object], within_s: float) -> None:
        deadline = self.clock.elapsed() + within_s
        while not true():
            assert self.clock.elapsed() < deadline, f"{self.told()}\n{self.service.log[-4000:]}"
            await self.clock.sleep(0.05)

    async def start(self) -> None:
        self.service.start()
        await self.until(lambda: self.service.watching, 60)

    async def kill(self) -> None:
        await asyncio.to_thread(self.service.end, signal.SIGKILL)
        await self.start()

    async def leak(self) -> None:
        """A detector shows its second level."""
        body = {"samples": [{"time": rfc3339(self.clock.now()), "values": {"GD-1": 50}}]}
        async with aiomqtt.Client(self.broker.host, self.broker.port) as client:
            await client.publish("hw/v1/p1/e1/g1/data", json.dumps(body), qos=1)
        await self.until(lambda: {"OP", "PK"} <= self.told().keys(), 10)

    def rows(self, question: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as conn:
            return conn.execute(question).fetchall()


@pytest.fixture
async def night(tmp_path, timescale_url, mosquitto):
    clock = SystemClock()
    limits = {"H": 20, "HH": 40}
    detector = tag("GD-1", kind="gas_toxic", unit="ppm", limits=limits, delay_on_s=0, interval_s=5)
    conn = await connect(DatabaseOptions(timescale_url))
    async with conn:
        site = read_site(json.dumps(site_data(enterprise("e1", detector))))
        await load_site(conn, site, by="test", at=clock.now())
    with receiving() as receiver:
        (tmp_path / "week.ics").write_text(WEEK)
        files = {"escalation": ladder(), "contacts": contacts(receiver.url)}
        for name, content in files.items():
            (tmp_path / f"{name}.toml").write_text(content)
        named = {f"{name}_file": str(tmp_path / f"{name}.toml") for name in files}
        with Service(tmp_path, timescale_url, mosquitto.url, "worker,api", **named) as service:
            night = Night(timescale_url, mosquitto, service, receiver)
            await night.start()
            yield night


async def test_nobody_answers_the_worker_is_killed_and_every_rung_is_told_once_on_time(night):
    await night.leak()
    chance = random.SystemRandom()
    while "PR" not in night.told():
        await night.clock.sleep(chance.uniform(0.2, 2.0))
        await night.kill()
    await night.clock.sleep(2)
    assert {role: len(keys) for role, keys in night.told().items()} == dict.fromkeys(ROLES, 1)
    tries = night.rows(
        "SELECT DISTINCT n.person, a.outcome, a.rank FROM notice_attempt a"
        " JOIN notice n ON n.id = a.notice WHERE n.step IS NOT NULL ORDER BY 1"
    )
    assert tries == [("wang", "delivered", 0), (None, "delivered", 0)]
    steps = night.rows(
        "SELECT s.role, s.outcome, extract(epoch FROM s.done - c.opened) FROM escalation_step s"
        " JOIN warning_case c ON c.id = s.case_id ORDER BY s.no"
    )
    assert [(role, outcome) for role, outcome, _ in steps] == [(role, "told") for role in ROLES]
    for role, _, took in steps:
        assert AFTER_S[str(role)] <= float(took) + 0.05
    assert night.rows(
        "SELECT count(*) FROM notice WHERE delivered IS NULL AND step IS NOT NULL"
    ) == [(0,)]


async def test_a_receipt_over_the_api_stops_the_ladder_also_over_a_kill(night):
    async with Reading(night.url) as reading:
        park = await resolve_node(reading, "p1")
        hashed = hash_password(PASSWORD)
        grants = [("operator", int(park["id"]))]
        await add_person(reading, "chen", hashed, grants, night.clock.now())
    await night.leak()
    base = f"http://127.0.0.1:{night.service.port}/api/v1"
    async with httpx.AsyncClient() as client:
        login = {"user": "chen", "password": PASSWORD}
        token = (await client.post(f"{base}/session", json=login)).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        (case,) = (await client.get(f"{base}/warnings", params={"open": True})).json()["items"]
        assert (case["colour"], case["state"]) == ("orange", "open")
        signed = await client.post(
            f"{base}/warnings/{case['id']}/receive", json={"comment": "收到"}
        )
        assert signed.status_code == 200, signed.text
        await night.kill()
        again = await client.post(f"{base}/warnings/{case['id']}/receive")
        assert again.json()["already"]["by"] == "chen"
        await night.clock.sleep(AFTER_S["PR"])
        (case,) = (await client.get(f"{base}/warnings", params={"open": True})).json()["items"]
    assert (case["state"], case["receipts"][0]["level"]) == ("received", "park")
    assert night.told().keys() == {"OP", "PK"}
    assert {rung["outcome"] for rung in case["ladder"]} == {"told", "received"}
