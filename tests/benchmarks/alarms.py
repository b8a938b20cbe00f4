"""`alarms.*`: a breach published on MQTT → its event on the live stream, with a load beside it."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime

import aiomqtt
import httpx
import numpy as np

from domain.clock import SystemClock
from simulators.broker import Broker
from simulators.swarm import Swarm
from simulators.swarm_play import canaries_for
from tests.support.bench import Cores, Row, Running, Servers, command, running, until
from tests.support.sse import Follower, Received, following

REPEATS, FOR_S = 3, 10
EVERY_S = 0.1
BACKGROUND = {"5k": 5_000, "20k": 20_000}
TARGETS = {"p50": 30.0, "p99": 150.0}


@dataclass(slots=True)
class Delays:
    """Milliseconds from publishing to the live stream, and to a plain subscriber of the broker."""

    event: list[float] = field(default_factory=list)
    broker: list[float] = field(default_factory=list)


def latency(servers: Servers) -> list[Row]:
    """At 5,000 and at 20,000 values a second."""
    swarm = Swarm(enterprises=4, tags=1000, values=100, canaries=canaries_for(EVERY_S))
    with running(servers, swarm, roles="worker,api") as service:
        name = "bench"
        words = ("user", "add", name, "--role", "operator", "--node", swarm.park, "--generate")
        password = command(*words, "--database-url", service.database_url).strip()
        rows = [
            row
            for label, rate in BACKGROUND.items()
            for row in _rows(service, label, rate, name, password)
        ]
        service.prove()
    return rows


def _rows(service: Running, label: str, rate: int, name: str, password: str) -> list[Row]:
    repeats, breaches = [], 0
    cores = ""
    for _ in range(REPEATS):
        measured = Cores()
        delays, published = asyncio.run(_measured(service, rate, name, password))
        cores = measured.told()
        assert len(delays.event) == published, f"{published} breaches, {len(delays.event)} events"
        repeats.append(delays)
        breaches += published
    everything = [one for delays in repeats for one in delays.event]
    broker = [one for delays in repeats for one in delays.broker]
    context = (
        f"{rate:,} values/s beside it, 100 a message; {breaches} breaches, max "
        f"{max(everything):.0f} ms; the bare broker round trip in the same run: p50 "
        f"{np.percentile(broker, 50):.2f}, p99 {np.percentile(broker, 99):.2f} ms; {cores}"
    )
    return [
        Row(
            f"alarms.latency_{label}_{which}_ms",
            _share(everything, which),
            "ms",
            target,
            "lower",
            _spread([_share(delays.event, which) for delays in repeats]),
            context,
        )
        for which, target in TARGETS.items()
    ]


def _share(delays: list[float], which: str) -> float:
    return float(np.percentile(delays, int(which[1:])))


def _spread(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


async def _measured(service: Running, rate: int, name: str, password: str) -> tuple[Delays, int]:
    """One load with both listeners; the delays, and how many breaches it published."""
    delays, clock = Delays(), SystemClock()
    broker = Broker.of(service.mqtt_url)
    base = f"http://127.0.0.1:{service.service.port}"
    async with (
        httpx.AsyncClient(base_url=base) as client,
        aiomqtt.Client(broker.host, broker.port) as listener,
    ):
        answer = await client.post("/api/v1/session", json={"user": name, "password": password})
        client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"
        client.cookies.clear()
        await listener.subscribe(f"hw/v1/{service.swarm.park}/+/canary/data", qos=1)
        async with following(client) as stream, asyncio.TaskGroup() as tasks:
            hearing = [
                tasks.create_task(_follow(stream, clock, delays)),
                tasks.create_task(_hear(listener, clock, delays)),
            ]
            load = service.load("--rate", rate, "--for", FOR_S, "--breach-every", EVERY_S)
            breaches = int((await asyncio.to_thread(load.end))["breaches"])
            await asyncio.to_thread(until, lambda: len(delays.event) >= breaches, "all events")
            for task in hearing:
                task.cancel()
    return delays, breaches


async def _follow(stream: Follower, clock: SystemClock, delays: Delays) -> None:
    while True:
        received = await stream.next()
        at = clock.now()
        if (onset := _onset(received)) is not None:
            delays.event.append((at - onset).total_seconds() * 1e3)


def _onset(received: Received) -> datetime | None:
    """When the breach of an event began; None for anything but the raising of a breach."""
    if received.event != "alarm" or received.data["transition"]["event"] != "raise":
        return None
    alarm = received.data["alarm"]
    return datetime.fromisoformat(alarm["onset"]) if alarm["kind"] == "HH" else None


async def _hear(listener: aiomqtt.Client, clock: SystemClock, delays: Delays) -> None:
    async for message in listener.messages:
        at = clock.now()
        [sample] = json.loads(bytes(message.payload))["samples"]
        delays.broker.append((at - datetime.fromisoformat(sample["time"])).total_seconds() * 1e3)
