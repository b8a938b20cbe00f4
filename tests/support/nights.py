"""A leak at night on real servers, a ladder that climbs within seconds, and whoever hears of it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiomqtt
import psycopg

from domain.alarms import OperatorAction
from domain.cases import Level
from domain.clock import SystemClock
from domain.fault_points import VARIABLE
from domain.instant import rfc3339
from domain.site import read_site
from storage.actions_api import record_action
from storage.database import DatabaseOptions, connect
from storage.reading import Reading
from storage.registry import load_site
from tests.support.nursery import NursedService, Nursery
from tests.support.servers import Database, Mosquitto
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag
from tests.support.webhooks import Receiver, receiving

ROLES = {"OP": "enterprise", "PK": "park", "CO": "county", "CI": "city", "PR": "province"}
AFTER_S = {"OP": 0.0, "PK": 0.0, "CO": 0.3, "CI": 0.6, "PR": 3.0}
"""When each role hears of orange, if nobody signs."""
EARLY_S = 0.05
Told = tuple[float, str, str]
"""When, in elapsed seconds; role; key of the notice."""


def _seconds(number: float) -> str:
    return f'{{ value = {number}, unit = "s" }}'


def ladder(after_s: dict[str, float]) -> str:
    """A ladder of `ROLES` with these times for orange."""
    roles = [f'{code} = {{ level = "{level}", name = "{code}" }}' for code, level in ROLES.items()]
    rungs = [
        f'[[orange.rung]]\nafter = {_seconds(after)}\nroles = ["{code}"]'
        for code, after in after_s.items()
        if after
    ]
    colours = {"yellow": ["OP"], "orange": ["OP", "PK"], "red": ["OP", "PK", "CO"]}
    told = [
        f"[{colour}]\nat_once = {json.dumps(who)}\nreceive_within = {_seconds(60)}"
        for colour, who in colours.items()
    ]
    return "\n".join(['version = "test"', "[role]", *roles, *told, *rungs])


def contacts(url: str) -> str:
    """Everybody behind one address, each with a path of their own."""
    return "\n".join(
        f'[[contact]]\nrole = "{code}"\nnode = "gansu"\n'
        f'channel = "webhook"\naddress = "{url}/{code}"'
        for code in ROLES
    )


@dataclass
class Night:
    """One source, one case. park: also the shard; deaths: exit codes of workers that have ended."""

    url: str
    park: str
    database: Database
    broker: Mosquitto
    service: Service
    second: Service
    receiver: Receiver
    after_s: dict[str, float]
    environment: Mapping[str, str] = field(default_factory=dict)
    """What each worker has besides its settings."""
    clock: SystemClock = field(default_factory=SystemClock)
    deaths: list[int] = field(default_factory=list)
    restarts: int = 0
    leaked: float = 0.0
    """When the detector showed it, in elapsed seconds."""

    def told(self) -> list[Told]:
        """Notices in the order of coming."""
        got = zip(list(self.receiver.when), list(self.receiver.got), strict=False)
        return [
            (when, json.loads(body)["role"], headers["Idempotency-Key"])
            for when, (headers, body) in got
        ]

    def heard(self) -> set[str]:
        """Roles that were told."""
        return {role for _, role, _ in self.told()}

    async def until(self, true: Callable[[], object], within_s: float, what: str) -> None:
        """Look until `true()`; `AssertionError` with what was told and the service's log if it
        takes too long."""
        deadline = self.clock.elapsed() + within_s
        while not true():
            if self.clock.elapsed() > deadline:
                shown = f"{what}: not within {within_s} s\n{self.told()}"
                raise AssertionError(f"{shown}\n{self.service.log[-6000:]}")
            await self.clock.sleep(0.01)

    async def start(self, fault: str | None = None) -> float:
        """Start the worker, with a fault point; seconds until it takes messages."""
        began = self.clock.elapsed()
        self.service.start(**self.environment, **({VARIABLE: fault} if fault else {}))
        await self.until(
            lambda: self.service.ended is not None or self.service.watching, 60, "watching"
        )
        return self.clock.elapsed() - began

    async def beside(self) -> Service:
        """A second worker for the same shard, with a place of its own, once it waits for the
        lease."""
        self.second.start(**self.environment)
        await self.until(lambda: "action=wait" in self.second.said, 60, "the second waits")
        return self.second

    async def kill(self) -> float:
        """SIGKILL, and start again; seconds until it takes messages."""
        await asyncio.to_thread(self.service.end, signal.SIGKILL)
        return await self.start()

    async def supervise(self, faults: list[str], rest_s: float = 0.0) -> None:
        """Start the worker again whenever it has ended, with the next of these fault points, but
        not before so much time has passed since the leak."""
        waiting = list(faults)
        while True:
            code = self.service.ended
            if code is not None:
                self.deaths.append(code)
                await asyncio.to_thread(self.service.end)
                await self.clock.sleep(max(0.0, self.leaked + rest_s - self.clock.elapsed()))
                fault = {VARIABLE: waiting.pop(0)} if waiting else {}
                self.service.start(**self.environment, **fault)
                self.restarts += 1
            await self.clock.sleep(0.01)

    async def show(self, **values: float) -> None:
        """Detectors show these values now."""
        body = {"samples": [{"time": rfc3339(self.clock.now()), "values": values}]}
        async with aiomqtt.Client(self.broker.host, self.broker.port) as client:
            await client.publish(f"hw/v1/{self.park}/e1/g1/data", json.dumps(body), qos=1)

    async def leak(self) -> None:
        """A detector shows its second level."""
        self.leaked = self.clock.elapsed()
        await self.show(**{"GD-1": 50})

    async def sign(self, level: Level) -> float:
        """签收 for a level, as the api records it, once the case is in the database; when that was
        committed, in elapsed seconds."""
        found = "SELECT id, enterprise FROM warning_case"
        await self.until(lambda: self.rows(found), 60, "the case is in the database")
        ((case, owner),) = self.rows(found)
        return await self.decide("receive", case, owner, level)

    async def shelve(self, tag: str, lasts_s: float) -> float:
        """Shelve the one alarm of a tag; when that was committed, in elapsed seconds."""
        ((alarm, owner),) = self.rows(
            "SELECT a.id, a.enterprise FROM alarm a JOIN tag t ON t.id = a.tag_id"
            f" WHERE t.name = '{tag}' AND a.kind = 'H'"
        )
        until = rfc3339(self.clock.now() + timedelta(seconds=lasts_s))
        return await self.decide("shelve", alarm, owner, Level.ENTERPRISE, until=until)

    async def acknowledge(self, tag: str) -> None:
        """Acknowledge every alarm of a tag."""
        asked = (
            "SELECT a.id, a.enterprise, a.state FROM alarm a JOIN tag t ON t.id = a.tag_id"
            f" WHERE t.name = '{tag}'"
        )
        for alarm, owner, _ in self.rows(asked):
            await self.decide("acknowledge", alarm, owner, Level.ENTERPRISE)
        await self.until(
            lambda: {state for _, _, state in self.rows(asked)} == {"ACKED"}, 60, "acknowledged"
        )

    async def decide(
        self, verb: str, target: UUID, owner: int, level: Level, **detail: object
    ) -> float:
        """What a person decides; when that was committed, in elapsed seconds."""
        async with Reading(self.url) as reading:
            at = self.clock.now()
            action = OperatorAction(uuid4(), verb, target, "chen", "收到", at, int(level), detail)
            assert await record_action(reading, action, str(action.id), owner)
        return self.clock.elapsed()

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with psycopg.connect(self.url) as conn:
            return conn.execute(question).fetchall()

    def rungs(self) -> list[tuple[str, str]]:
        """(role, outcome) of each rung."""
        return self.rows("SELECT role, outcome FROM escalation_step ORDER BY no")

    def settled(self) -> bool:
        """Whether every rung has its outcome, and every notice."""
        open_rungs = "SELECT count(*) FROM escalation_step WHERE outcome = 'waiting'"
        open_notices = (
            "SELECT count(*) FROM notice WHERE step IS NOT NULL AND delivered IS NULL"
            " AND withdrawn IS NULL"
        )
        return bool(self.rungs()) and self.rows(f"SELECT ({open_rungs}) + ({open_notices})") == [
            (0,)
        ]

    def check_told(self, roles: set[str], signed: float | None = None) -> None:
        """These heard of it and nobody else, never early, with one key each; and nobody who did not
        sign heard of it for the first time after that."""
        assert self.heard() == roles
        for role in roles:
            keys = {key for _, who, key in self.told() if who == role}
            assert len(keys) == 1, (role, self.told())
            first = min(when for when, who, _ in self.told() if who == role)
            assert first - self.leaked >= self.after_s[role] - EARLY_S, (role, self.told())
            if signed is not None:
                assert first < signed, (role, self.told())


def site_of(park: str) -> str:
    """A toxic-gas detector GD-1 and a level LI-1 under one source."""
    limits = {"H": 20, "HH": 40}
    detector = tag("GD-1", kind="gas_toxic", unit="ppm", limits=limits, delay_on_s=0, interval_s=60)
    level = tag("LI-1", delay_on_s=0, delay_off_s=0, interval_s=1)
    data = site_data(enterprise("e1", detector, level, park=park))
    data["tree"][0]["children"][0]["code"] = park
    return json.dumps(data)


Nights = Callable[..., Any]


@asynccontextmanager
async def night(
    folder: Path,
    url: str,
    database: Database,
    broker: Mosquitto,
    *,
    nursery: Nursery,
    after_s: dict[str, float] | None = None,
    fault: str | None = None,
    database_url: str | None = None,
    environment: Mapping[str, str] | None = None,
    **settings: str,
) -> AsyncIterator[Night]:
    """A night that has begun: the worker takes messages. database_url: as the worker sees it;
    environment: see `Night`."""
    park, after_s = f"p{uuid4().hex[:8]}", after_s or AFTER_S
    at: datetime = SystemClock().now()
    async with await connect(DatabaseOptions(url)) as conn:
        await load_site(conn, read_site(site_of(park)), by="test", at=at)
    with receiving() as receiver:
        files = {"escalation": ladder(after_s), "contacts": contacts(receiver.url)}
        for name, content in files.items():
            (folder / f"{name}.toml").write_text(content)
        named = {f"{name}_file": str(folder / f"{name}.toml") for name in files}
        told = named | {"shard": park, "tick_s": "0.05"} | settings
        reached = database_url or url, broker.url, told
        (folder / "second").mkdir()
        with (
            NursedService(nursery, folder, *reached) as service,
            NursedService(nursery, folder / "second", *reached) as second,
        ):
            servers = url, park, database, broker
            began = Night(*servers, service, second, receiver, after_s, environment or {})
            await began.start(fault)
            yield began
