"""`size.*`: what 100,000 tags cost: memory, a restart in the middle of 10,000 alarms, and a value
beside what it costs among 1,000 tags."""

import json
import signal
import time
from statistics import median

import paho.mqtt.client as mqtt
import psutil
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from domain.clock import SystemClock
from domain.instant import rfc3339
from simulators.broker import Broker
from simulators.swarm import BULK, Swarm
from tests.support.bench import Cores, Row, Running, Servers, running, until

MANY, FEW = Swarm(enterprises=4, tags=25_000, values=100), Swarm(4, tags=250, values=100)
RATE, WARM_UP_S, FOR_S = 20_000, 8, 12
ALARMS = 10_000
RESTARTS = 3


def many_tags(servers: Servers) -> list[Row]:
    """Everything that is measured at 100,000 tags."""
    with running(servers, FEW) as service:
        few = _cost(service)
        service.prove()
    with running(servers, MANY) as service:
        many = _cost(service)
        service.prove()
        _raise_alarms(service)
        memory = [_memory(service)]
        restarts = [_restart(service) for _ in range(RESTARTS)]
        memory.append(_memory(service))
    ratios = [one / other for one, other in zip(many, few, strict=True)]
    context = (
        f"CPU of the service a value at {RATE:,} values/s, 100 a message, windows of {FOR_S} s: "
        f"{median(many):.2f} µs among 100,000 tags, {median(few):.2f} among 1,000"
    )
    every = f"100,000 tags with four limits each, {ALARMS:,} active alarms"
    return [
        Row.of("size.cost_ratio", ratios, "", 1.5, "lower", context),
        Row.of("size.memory_mb", memory, "MB", 350, "lower", f"resident; {every}"),
        Row.of(
            "size.restart_s", restarts, "s", 10, "lower",
            f"from kill -9 and a start at once until messages are taken and judged; {every}",
        ),
    ]  # fmt: skip


def _cost(service: Running) -> list[float]:
    """Microseconds of CPU that the service takes for a value, by window."""
    load = service.load("--rate", RATE, "--for", f"{WARM_UP_S + 3 * FOR_S + 2}s")
    until(service.stored, "something is stored")
    time.sleep(WARM_UP_S)
    costs = []
    for _ in range(3):
        cores, began, first = Cores(), time.monotonic(), service.stored()
        time.sleep(FOR_S)
        stored, took = service.stored() - first, time.monotonic() - began
        costs.append(cores.used("service") * took / stored * 1e6)
    load.end()
    return costs


def _raise_alarms(service: Running) -> None:
    """Make as many tags of one gateway exceed HH, and wait for their alarms."""
    broker, swarm, clock = Broker.of(service.mqtt_url), service.swarm, SystemClock()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect(broker.host, broker.port)
    client.loop_start()
    topic = f"hw/v1/{swarm.park}/{swarm.code(0)}/{BULK}/data"
    for first in range(0, ALARMS, 100):
        at = rfc3339(clock.now())
        values = {swarm.name(number): 95 for number in range(first, first + 100)}
        told = {"sent": at, "samples": [{"time": at, "values": values}]}
        client.publish(topic, json.dumps(told), qos=1).wait_for_publish(10)
    client.loop_stop()
    client.disconnect()
    until(lambda: _open_alarms(service) >= ALARMS, "all alarms are raised")


def _open_alarms(service: Running) -> int:
    with psycopg.connect(service.database_url) as conn:
        row = conn.execute("SELECT count(*) FROM alarm WHERE state <> 'NORM'").fetchone()
    assert row is not None
    return int(row[0])


def _memory(service: Running) -> float:
    """Resident MB of the service."""
    return psutil.Process(service.service.pid).memory_info().rss / 1e6


def _restart(service: Running) -> float:
    """Seconds from the start of the process until it takes messages."""
    service.service.end(signal.SIGKILL)
    began = time.monotonic()
    service.service.start()
    until(lambda: service.service.watching, "the service takes messages")
    return time.monotonic() - began
