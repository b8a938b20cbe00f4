"""A group from its stored samples to its alarm: real process, real broker, real TimescaleDB."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from domain.clock import SystemClock
from domain.frame import Floats
from domain.instant import rfc3339
from domain.site import read_site
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.message import Address, Sample
from storage.database import DatabaseOptions, connect
from storage.registry import load_site
from tests.integration.test_pca_command import hazwatch, kept, loaded
from tests.support.pca_groups import NAMES, running
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag

LEARNT = 1500
BEGIN = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
WITHIN_S = 60
ODD = 3
"""PI-2 leaves the others."""


def site(*members: str, second: bool = False) -> str:
    """Six tags that report each second, a tank with H, and the group."""
    one = enterprise(
        "acme",
        *(tag(name, interval_s=1, limits={}, range=[-1000, 1000]) for name in NAMES),
        tag("LT-9", interval_s=1, delay_on_s=0.5, delay_off_s=600),
    )
    source = one["sources"][0]
    source["groups"] = [{"code": "reactor", "kind": "pca", "members": list(members or NAMES)}]
    if second:
        source["tags"].append(tag("LT-10", interval_s=1))
    return json.dumps(site_data(one))


@dataclass
class Unit:
    """The plant at play. Event time goes as fast as it is told, up to the present."""

    url: str
    service: Service
    gateway: Gateway
    clock: SystemClock
    newest: datetime

    async def run(self, scans: Floats) -> None:
        """Send so many seconds, the last one now; LT-9 stands above its H."""
        end = self.clock.now()
        begin = max(self.newest + timedelta(seconds=1), end - timedelta(seconds=len(scans) - 1))
        scans = scans[-(int((end - begin).total_seconds()) + 1) :]
        samples = []
        for n, scan in enumerate(scans):
            values = dict(zip(NAMES, np.round(scan, 6).tolist(), strict=True))
            samples.append(Sample(begin + timedelta(seconds=n), {**values, "LT-9": 85.0}))
        for first in range(0, len(samples), 50):
            await self.gateway.put(samples[first : first + 50])
        self.newest = samples[-1].time
        await self.gateway.drained()

    def rows(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def open_alarms(self) -> list[tuple[str, str, str]]:
        return self.rows("SELECT kind, state, text FROM alarm WHERE state <> 'NORM' ORDER BY kind")

    def sight(self) -> tuple[str, int | None]:
        rows = self.rows("SELECT body ->> 'sight', (body ->> 'version')::int FROM pca_now")
        return rows[0] if rows else ("nothing told", None)

    async def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = self.clock.elapsed() + WITHIN_S
        while not true():
            said = f"{what}\n{self.open_alarms()} {self.sight()}\n{self.service.log[-4000:]}"
            assert self.clock.elapsed() < deadline, said
            await self.clock.sleep(0.1)

    async def start(self) -> None:
        self.service.start()
        await self.until(lambda: self.service.watching, "watching")

    async def command(self, *words: str) -> str:
        done = await asyncio.to_thread(hazwatch, self.url, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    async def load(self, text: str) -> None:
        async with await connect(DatabaseOptions(self.url)) as conn:
            await load_site(conn, read_site(text), by="test", at=self.clock.now())


@pytest.fixture
async def unit(tmp_path: Path, timescale_url: str, mosquitto: Any) -> AsyncIterator[Unit]:
    async with opened(tmp_path, timescale_url, mosquitto.url) as one:
        yield one


@asynccontextmanager
async def opened(folder: Path, url: str, broker: str) -> AsyncIterator[Unit]:
    clock = SystemClock()
    boot = rfc3339(clock.now())
    gateway = Gateway(Broker.of(broker), Address("p1", "acme", "g1"), clock, boot=boot)
    service = Service(folder, url, broker, snapshot_every_s="0.5")
    one = Unit(url, service, gateway, clock, clock.now() - timedelta(minutes=9))
    with service:
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(gateway.run())
            yield one
            carrying.cancel()


async def test_a_group_is_learnt_activated_and_finds_the_gauge_that_leaves_the_others(unit: Unit):
    tags = await loaded(unit.url, site())
    await kept(unit.url, tags, running(LEARNT), BEGIN, every=1)
    await unit.start()
    await unit.run(running(240, seed=5))
    await unit.until(lambda: unit.sight() == ("no_model", None), "told without a model")
    await unit.until(lambda: [one[0] for one in unit.open_alarms()] == ["H"], "LT-9 above H")
    tank = unit.rows("SELECT id, onset FROM alarm WHERE kind = 'H'")

    begin, end = "2026-11-01T00:00Z", "2026-11-01T00:25Z"
    said = await unit.command("pca", "learn", "reactor", "--from", begin, "--to", end)
    assert "not active yet" in said
    assert unit.sight() == ("no_model", None)
    await unit.command("pca", "activate", "reactor", "1", "--reason", "calm")
    await unit.until(lambda: unit.sight()[1] == 1, "taken in without a restart")
    await unit.run(running(60, seed=6))
    await unit.until(lambda: unit.sight() == ("watched", 1), "watched")
    assert [one[0] for one in unit.open_alarms()] == ["H"]
    assert unit.rows("SELECT id, onset FROM alarm WHERE kind = 'H'") == tank

    await unit.clock.sleep(1)
    assert await asyncio.to_thread(unit.service.end, signal.SIGKILL) != 0
    await unit.start()
    await unit.until(lambda: unit.sight() == ("watched", 1), "the model is there after a restart")
    assert unit.rows("SELECT id, onset FROM alarm WHERE kind = 'H'") == tank

    await fault(unit)
    (found,) = [one for one in unit.open_alarms() if one[0] == "PCA"]
    assert "mostly 主要 PI-2" in found[2]
    assert "tags contradict each other" in found[2]
    shown = json.loads(await unit.command("pca", "show", "reactor", "--json"))
    assert shown["mostly"][0]["name"] == "PI-2"
    assert shown["now"].startswith("in alarm")

    await unit.load(site(second=True))
    await unit.until(lambda: "version=2" in unit.service.log, "swapped")
    assert [one[0] for one in unit.open_alarms()] == ["H", "PCA"]
    assert unit.sight() == ("watched", 1)

    await unit.load(site(*NAMES[:-1]))
    await unit.until(lambda: unit.sight() == ("refused", 1), "a model that does not fit")
    assert "LI-1 left it since it was learnt; learn a new one" in unit.service.log
    assert [one[0] for one in unit.open_alarms()] == ["H", "PCA"]
    told = unit.rows("SELECT body -> 'system' ->> 'text' FROM outbox WHERE type = 'system'")
    assert any("LI-1 left it" in text for (text,) in told if text)

    await unit.load(site())
    await unit.until(lambda: unit.sight() == ("unknown", 1), "it fits again, and has seen nothing")
    await unit.run(running(2, seed=9))
    await unit.until(lambda: unit.sight() == ("watched", 1), "a scan was judged")
    assert [one[0] for one in unit.open_alarms()] == ["H", "PCA"]
    await unit.command("pca", "drop", "reactor", "--reason", "rebuilt")
    await unit.until(lambda: unit.sight() == ("no_model", None), "dropped")
    await unit.until(
        lambda: [one[:2] for one in unit.open_alarms()] == [("H", "UNACK"), ("PCA", "RTNUN")],
        "the alarm of a group without a model is over, and still wants to be acknowledged",
    )
    assert unit.rows("SELECT id, onset FROM alarm WHERE kind = 'H'") == tank


async def fault(unit: Unit) -> None:
    """PI-2 leaves the others until it is found."""
    for seed in range(20, 60):
        await unit.clock.sleep(2)
        scans = running(40, seed=seed)
        scans[:, ODD] += 8.0
        await unit.run(scans)
        if any(one[0] == "PCA" for one in unit.open_alarms()):
            return
    raise AssertionError(f"not found: {unit.open_alarms()} {unit.sight()}")
