"""An edge node that others wrote, through a real Mosquitto, the service and a real TimescaleDB."""

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path

import aiomqtt
import psycopg
import pytest

from domain.clock import SystemClock
from domain.site import read_site
from storage.database import DatabaseOptions, connect
from storage.registry import load_site
from tests.support import install
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag

SCRIPT = Path(__file__).parents[1] / "support" / "edge_node.py"
PATIENCE_S = 30
GOOD, STALE = 192, 20


class EdgeNode:
    """The process of an edge node; `say` returns when it has done what it was told."""

    def __init__(self, mosquitto, name: str, numbers: str = "right") -> None:
        python = install.edge_node()
        if python is None:
            if os.environ.get("CI") == "true":
                pytest.fail("mqtt-spb-wrapper can't be installed")
            pytest.skip("mqtt-spb-wrapper can't be installed here")
        words = [mosquitto.host, str(mosquitto.port), "p1:e1", name, numbers]
        self._process = subprocess.Popen(
            [str(python), str(SCRIPT), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    async def say(self, *lines: str) -> None:
        for line in lines:
            await asyncio.to_thread(self._say, line)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()
        assert self._process.stdout.readline() == b"done\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Plant:
    """What the test asks."""

    def __init__(self, url: str, service: Service) -> None:
        self.url, self.service, self.clock = url, service, SystemClock()

    def ask(self, question: str) -> list:
        with psycopg.connect(self.url) as conn:
            return conn.execute(question).fetchall()

    async def until(self, question: str, answer: list) -> None:
        deadline = self.clock.elapsed() + PATIENCE_S
        while (found := self.ask(question)) != answer:
            assert self.service.watching
            assert self.clock.elapsed() < deadline, f"{question}: {found}, not {answer}"
            await self.clock.sleep(0.05)

    async def latest(self, name: str, value: float | None, quality: int) -> None:
        await self.until(
            "SELECT nullif(l.value, 'NaN'), l.quality FROM tag_latest l"
            f" JOIN tag t ON t.id = l.tag_id WHERE t.name = '{name}'",
            [(value, quality)],
        )

    async def online(self, gateway: str, online: bool | None) -> None:
        question = "SELECT s.online FROM gateway_state s JOIN gateway g ON g.id = s.gateway"
        await self.until(f"{question} WHERE g.code = '{gateway}'", [(online,)])

    async def start(self) -> None:
        self.service.start()
        while not self.service.watching:
            await self.clock.sleep(0.05)


@pytest.fixture
async def plant(tmp_path, timescale_url, mosquitto):
    entry = enterprise("e1", *(tag(name, max_silence_s=86_400) for name in ("LT-1", "LT-2")))
    entry["gateways"] = ["g1", "g2"]
    conn = await connect(DatabaseOptions(timescale_url))
    async with conn:
        site = read_site(json.dumps(site_data(entry)))
        await load_site(conn, site, by="test", at=SystemClock().now())
    with Service(tmp_path, timescale_url, mosquitto.url) as service:
        plant = Plant(timescale_url, service)
        await plant.start()
        yield plant


async def test_a_real_edge_node_publishes_dies_and_is_reborn(plant, mosquitto):
    first, other = EdgeNode(mosquitto, "g1"), EdgeNode(mosquitto, "g2", "own")
    await other.say("set LT-2 5", "birth")
    await plant.latest("LT-2", 5.0, GOOD)
    await other.say("set LT-2 6", "data")
    await first.say("set LT-1 71", "birth")
    await plant.latest("LT-1", 71.0, GOOD)
    await first.say("set LT-1 72.5", "data")
    await plant.latest("LT-1", 72.5, GOOD)
    await plant.latest("LT-2", 6.0, GOOD)
    await plant.online("g1", True)

    other.kill()
    first.kill()
    await plant.latest("LT-1", None, STALE)
    await plant.online("g1", False)

    reborn = EdgeNode(mosquitto, "g1")
    await reborn.say("set LT-1 70", "birth")
    await plant.latest("LT-1", 70.0, GOOD)
    await plant.online("g1", True)

    await reborn.say("drop", "set LT-1 73", "data")
    await plant.latest("LT-1", 73.0, GOOD)
    await plant.until(
        "SELECT count(*) > 0 FROM outbox WHERE body -> 'system' ->> 'what' = 'sparkplug_gap'",
        [(True,)],
    )

    await plant.latest("LT-2", None, STALE)
    await plant.online("g2", None)

    await asyncio.to_thread(plant.service.end, signal.SIGKILL)
    await reborn.say("set LT-1 74", "data")
    await plant.start()
    await plant.latest("LT-1", 74.0, GOOD)
    reborn.kill()
    await plant.latest("LT-1", None, STALE)
    assert plant.ask("SELECT DISTINCT reason FROM quarantine") == []
    stored = plant.ask("SELECT DISTINCT value FROM sample WHERE value IN (72.5, 73) ORDER BY 1")
    assert stored == [(72.5,), (73.0,)]


async def test_the_host_says_that_it_is_there_and_that_it_leaves(plant, mosquitto):
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
        await client.subscribe("spBv1.0/STATE/hazwatch", qos=1)
        messages = aiter(client.messages)

        async def state():
            async with asyncio.timeout(PATIENCE_S):
                return json.loads((await anext(messages)).payload)

        born = await state()
        assert born["online"] is True
        lie = {"online": False, "timestamp": born["timestamp"] - 1000}
        await client.publish("spBv1.0/STATE/hazwatch", json.dumps(lie), qos=1, retain=True)
        assert await state() == lie
        assert await state() == born
        assert await asyncio.to_thread(plant.service.end) == 0
        left = await state()
        assert left["online"] is False
        assert left["timestamp"] > born["timestamp"]
        await plant.start()
        assert (await state())["online"] is True
        await asyncio.to_thread(plant.service.end, signal.SIGKILL)
        # It may have said so twice: to the retained state of the run before as well.
        while (await state())["online"]:
            pass
