"""More than can be judged: nothing is lost, memory stays bounded, the broker holds the rest, and
one enterprise's flood is not felt by another. Real process, real broker, real TimescaleDB."""

import asyncio
import json
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import aiomqtt
import httpx
import numpy as np
import psutil
import psycopg
import pytest

from domain.clock import SystemClock
from simulators.broker import Broker
from simulators.swarm import Swarm, site_lines
from simulators.swarm_play import canaries_for
from tests.support.bench import Running, SavingEverySecond, command, until
from tests.support.servers import Database, MissingServerError, Session
from tests.support.service import Service

FLOOD_S, BREACH_EVERY_S = 12, 0.5
AT_MOST_S = 3.0
"""From a breach to its event, beside a flood of ten times what can be judged."""
THROTTLE_S, RUNS_S = 0.5, 0.05
"""The worker runs for a tenth of the time."""


@pytest.fixture
def roomy(server_session: Session, mosquitto: object) -> Iterator[SavingEverySecond]:
    """A broker of its own, which a large backlog does not slow down."""
    try:
        broker = SavingEverySecond(server_session, "roomy")
    except MissingServerError as missing:
        pytest.skip(str(missing))
    broker.start()
    yield broker
    broker.stop(signal.SIGKILL)
    shutil.rmtree(broker.folder)


def site_of(swarm: Swarm, folder: Path, url: str) -> None:
    file = folder / f"{swarm.park}.yaml"
    file.write_text("\n".join(site_lines(swarm)), "utf-8")
    command("site", "load", file, "--database-url", url)


async def test_alarms_of_one_enterprise_do_not_wait_for_the_flood_of_another(
    tmp_path: Path, timescale_url: str, roomy: SavingEverySecond
):
    noisy = Swarm(enterprises=1, tags=1000, values=100, park="noisy")
    quiet = Swarm(1, 10, 10, canaries_for(BREACH_EVERY_S), park="quiet")
    for swarm in (noisy, quiet):
        site_of(swarm, tmp_path, timescale_url)
    late: list[float] = []
    with Service(tmp_path, timescale_url, roomy.url) as service:
        service.start()
        await asyncio.to_thread(until, lambda: service.watching, "the service takes messages")
        sides = [
            Running(timescale_url, roomy.url, service, tmp_path / one.park, one)
            for one in (noisy, quiet)
        ]
        for side in sides:
            side.folder.mkdir()
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(hear(roomy.url, "quiet", late))
            flood = sides[0].load("--park", "noisy", "--rate", 1_000_000, "--for", f"{FLOOD_S}s")
            beside = sides[1].load(
                "--park", "quiet", "--rate", 10, "--for", f"{FLOOD_S}s",
                "--breach-every", BREACH_EVERY_S,
            )  # fmt: skip
            breaches = int((await asyncio.to_thread(beside.end))["breaches"])
            flooded = await asyncio.to_thread(flood.end)
            await asyncio.to_thread(until, lambda: len(late) >= breaches, "every breach is told")
            stored = sides[0].stored()
            hearing.cancel()
        assert stored < 0.7 * flooded["published_values"], "the flood was more than could be judged"
        assert len(late) == breaches
        told = np.percentile(late, (50, 90, 100))
        print("breach to event", told, stored, flooded["published_values"])  # noqa: T201
        assert max(late) < AT_MOST_S
        service.end(signal.SIGKILL)


async def hear(url: str, park: str, late: list[float]) -> None:
    """Seconds from the onset of each raised occurrence to its event."""
    clock, broker = SystemClock(), Broker.of(url)
    async with aiomqtt.Client(broker.host, broker.port) as listener:
        await listener.subscribe(f"hw/v1/events/{park}/+/alarm", qos=1)
        async for message in listener.messages:
            told = json.loads(bytes(message.payload))
            if told["transition"]["to"] == "UNACK" and told["alarm"]["kind"] == "HH":
                onset = datetime.fromisoformat(told["alarm"]["onset"])
                late.append((clock.now() - onset).total_seconds())


@pytest.mark.parametrize(
    ("lasts_s", "rate", "limit_s"),
    [(20, 80_000, 0.5), pytest.param(120, 150_000, 10, marks=pytest.mark.soak)],
    ids=["short", "two minutes"],
)
def test_throttled_to_a_tenth_it_loses_nothing_keeps_its_memory_says_so_and_catches_up(
    tmp_path: Path,
    timescale_url: str,
    roomy: SavingEverySecond,
    timescale: Database,
    lasts_s: int,
    rate: int,
    limit_s: float,
):
    swarm = Swarm(enterprises=2, tags=500, values=100)
    site_of(swarm, tmp_path, timescale_url)
    settings = {"lag_alarm_s": str(limit_s)}
    with Service(tmp_path, timescale_url, roomy.url, "worker,api", **settings) as service:
        service.start()
        until(lambda: service.watching, "the service takes messages")
        side = Running(timescale_url, roomy.url, service, tmp_path, swarm)
        before = int(
            side.load("--rate", rate, "--for", "6s", "--unreceipted", 4000).end()[
                "published_values"
            ]
        )
        assert service._process is not None
        worker = psutil.Process(service._process.pid)
        steady = peak = worker.memory_info().rss
        load = side.load("--rate", rate, "--for", f"{lasts_s}s")
        stop = threading.Event()
        throttle = threading.Thread(target=throttled, args=(worker, stop))
        throttle.start()
        try:
            while load.runs:
                peak = max(peak, worker.memory_info().rss)
                time.sleep(0.1)
        finally:
            stop.set()
            throttle.join()
        whole = before + int(load.end()["published_values"])
        behind = whole - side.stored()
        assert behind > 2 * rate, f"it fell behind by {behind}"
        ended = time.monotonic()
        while side.stored() < whole:
            peak = max(peak, worker.memory_info().rss)
            assert time.monotonic() - ended < 120, service.log[-4000:]
            time.sleep(0.2)
        caught_up = time.monotonic() - ended
        assert peak <= 1.5 * steady, f"{peak / steady:.2f} times the steady memory"
        assert side.prove() == whole
        until(lambda: lag_of(service) < 1, "no lag is left")
        print(f"behind {behind}, caught up in {caught_up:.1f} s, memory {peak / steady:.2f}")  # noqa: T201
    with psycopg.connect(timescale_url) as conn:
        told = conn.execute(
            "SELECT count(DISTINCT node) FROM alarm WHERE kind = 'INGEST_LAG'"
        ).fetchone()
    assert told == (2,)


def throttled(worker: psutil.Process, stop: threading.Event) -> None:
    """Let the worker run for a tenth of the time."""
    try:
        while not stop.is_set():
            worker.suspend()
            stop.wait(THROTTLE_S - RUNS_S)
            worker.resume()
            time.sleep(RUNS_S)
    finally:
        worker.resume()


def lag_of(service: Service) -> float:
    """The longest lag by its own metrics, in seconds."""
    told = httpx.get(f"http://127.0.0.1:{service.port}/metrics").text
    lags = re.findall(r"^hazwatch_ingest_lag_seconds{.*} (.*)$", told, re.MULTILINE)
    assert lags
    return max(map(float, lags))
