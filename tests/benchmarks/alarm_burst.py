"""`alarms.burst_*`: 10,000 alarms within 10 s, to the journal, the live stream and an address that
gets notices; and `alarms.machine_*`: the life cycle by itself."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from alerts.lifecycle import Event, Verb, step
from domain.alarms import Alarm, Kind, Priority, State, occurrence_id
from domain.clock import SystemClock
from domain.frame import Lane
from domain.instant import rfc3339
from simulators.broker import Broker
from simulators.swarm import BULK, TAGS_PER_SOURCE, Swarm
from tests.support.bench import Cores, Row, Running, Servers, running
from tests.support.watching import Sink, Stream, sink, streaming

SWARM = Swarm(enterprises=4, tags=2_500, values=1)
ALARMS, PER_S = 10_000, 1_000
P1_EVERY, CALM_EVERY, CALM_AFTER = 100, 10, 200
"""Each hundredth tag is a P1; each tenth is calm again 200 messages after its breach."""
ANSWER_S = 0.01
"""The address takes so long to answer, so 8 at once are 800 notices a second: fewer than come."""
WITHIN_S = 75.0
TRANSITIONS = 30_000
NOBODY = datetime.min.replace(tzinfo=UTC)
"""When the journal arrived, which nobody asks."""
ROUND = (Event(Verb.RAISE), Event(Verb.ACKNOWLEDGE, by="li"), Event(Verb.RETURN))

Arrived = list[tuple[datetime, dict[str, Any]]]


def machine(servers: Servers) -> list[Row]:
    """The pure life cycle by itself: raise, acknowledge, return, the next alarm."""
    del servers
    alarm, at = _alarm(), SystemClock().now()
    rates = []
    for _ in range(5):
        began, made = time.perf_counter(), 0
        for _ in range(TRANSITIONS // len(ROUND)):
            now = alarm
            for event in ROUND:
                now, change = step(now, event, at)
                made += change is not None
        assert made == TRANSITIONS, f"{made} transitions"
        rates.append(made / (time.perf_counter() - began))
    context = "the pure life cycle, one process: raise, acknowledge, return"
    return [Row.of("alarms.machine_per_s", rates, "/s", 10_000, "higher", context)]


def _alarm() -> Alarm:
    at = SystemClock().now()
    id = occurrence_id(Lane.LIVE, 1, Kind.HH, at)
    kept = Lane.LIVE, Kind.HH, 1, 2, 3, Priority.P1, State.NORM, at, at
    return Alarm(id, *kept, 45.0, 40.0, 45.0)


def burst(servers: Servers) -> list[Row]:
    """The rush, and what became of each of its alarms."""
    return asyncio.run(_burst(servers))


async def _burst(servers: Servers) -> list[Row]:
    async with sink(ANSWER_S) as address:
        site = "\n".join(_site())
        parts = servers, SWARM, "worker,api"
        with running(*parts, site=site, webhooks=address.url, self_test="false") as service:
            async with streaming(service) as stream:
                cores = Cores()
                began, took = await asyncio.to_thread(_breaches, service)
                await _settled(service, stream, address)
                told = cores.told()
            return _rows(service, stream, address, began, took, told)


def _rows(
    service: Running, stream: Stream, address: Sink, began: datetime, took: float, cores: str
) -> list[Row]:
    events = [(at, body) for at, _, body in stream.events()]
    notices = address.bodies()
    faults = _journal_faults(service) + _faults(events, "event") + _faults(notices, "notice")
    faults["notice: doubled"] = len(notices) - len({key for _, key, _ in address.got})
    first = [one for one in notices if _is_raise(one[1])]
    urgent = [one for one in first if one[1]["alarm"]["priority"] == "P1"]
    out = (max(at for at, _ in first) - began).total_seconds()
    seen, p1, lesser = _delays(events), _delays(urgent), _delays(first)
    context = (
        f"{ALARMS:,} tags cross a limit within {took:.1f} s, one message each, "
        f"{ALARMS // P1_EVERY} of them P1, {ALARMS // CALM_EVERY:,} return; "
    )
    late = f"p50 {_share(seen, 50):.0f}, max {max(seen):.0f} ms; {cores}"
    served = (
        f"to a webhook that takes {ANSWER_S * 1e3:.0f} ms to answer; p50 {_share(p1, 50):.0f}, max "
        f"{max(p1):.0f} ms; all priorities p50 {_share(lesser, 50):.0f}, max {max(lesser):.0f} ms"
    )
    proved = context + "each once in journal, stream and webhook, raised before it returns"
    proved += "".join(f"; {what} {n}" for what, n in faults.items() if n)
    return [
        _row("alarms.burst_faults", faults.total(), "", 0, proved),
        _row("alarms.burst_event_p99_ms", _share(seen, 99), "ms", 1_000, context + late),
        _row("alarms.burst_p1_notice_p99_ms", _share(p1, 99), "ms", 1_000, context + served),
        _row(
            "alarms.burst_notices_s", out, "s", 30,
            f"from the first breach until the last of {ALARMS:,} notices is out, P1 before others",
        ),
    ]  # fmt: skip


def _row(name: str, value: float, unit: str, target: float, context: str) -> Row:
    return Row(name, value, unit, target, "lower", (value, value), context)


def _site() -> Iterator[str]:
    yield "version: 1"
    yield f"tree: [{{code: {SWARM.park}, kind: park, name: Load}}]"
    yield "enterprises:"
    for n in range(SWARM.enterprises):
        code = SWARM.code(n)
        head = f"code: {code}, park: {SWARM.park}, name: {code}, gateways: [{BULK}]"
        yield f"  - {{{head}, sources: ["
        for first in range(0, SWARM.tags, TAGS_PER_SOURCE):
            name = first // TAGS_PER_SOURCE
            yield f"      {{code: s{name}, kind: storage, name: Source {name}, tags: ["
            for number in range(first, first + TAGS_PER_SOURCE):
                limit = "HH" if number % P1_EVERY == 0 else "H"
                yield (
                    f"        {{name: {SWARM.name(number)}, kind: gas_toxic, unit: ppm, "
                    f"range: [0, 100], limits: {{{limit}: 50}}, delay_on_s: 0, delay_off_s: 0, "
                    "interval_s: 1, max_silence_s: 86400},"
                )
            yield "      ]},"
        yield "    ]}"


@dataclass(frozen=True, slots=True)
class Message:
    """What a tag reads, when it is its turn: `turn` messages after the first."""

    turn: float
    number: int
    value: float


def _plan() -> list[Message]:
    """All tags once, one enterprise after the other in turn; some of them again, calm."""
    order = [e * SWARM.tags + tag for tag in range(SWARM.tags) for e in range(SWARM.enterprises)]
    said = [Message(turn, number, 80) for turn, number in enumerate(order)]
    calm = [Message(one.turn + CALM_AFTER, one.number, 0) for one in said[::CALM_EVERY]]
    return sorted(said + calm, key=lambda one: one.turn)


def _breaches(service: Running) -> tuple[datetime, float]:
    """Publish the rush; when it began, and the seconds that it took to the last breach."""
    broker, clock = Broker.of(service.mqtt_url), SystemClock()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(0)
    client.connect(broker.host, broker.port)
    client.loop_start()
    topics = [f"hw/v1/{one.park}/{one.enterprise}/{BULK}/data" for one in SWARM.carriers]
    first, began, took = clock.now(), clock.elapsed(), 0.0
    for one in _plan():
        time.sleep(max(0.0, began + one.turn / PER_S - clock.elapsed()))
        at = rfc3339(clock.now())
        told = {
            "sent": at,
            "samples": [{"time": at, "values": {SWARM.name(one.number): one.value}}],
        }
        sent = client.publish(topics[one.number // SWARM.tags], json.dumps(told), qos=1)
        took = clock.elapsed() - began if one.value else took
    sent.wait_for_publish(10)
    client.loop_stop()
    client.disconnect()
    return first, took


async def _settled(service: Running, stream: Stream, address: Sink) -> None:
    """Wait until everything came that has to come."""
    notices = ALARMS + ALARMS // CALM_EVERY
    clock = SystemClock()
    until = clock.elapsed() + WITHIN_S
    while stream.raised < ALARMS or len(address.got) < notices:
        if clock.elapsed() > until:
            raise AssertionError(f"{stream.raised} events and {len(address.got)} notices came")
        assert service.service.watching
        await clock.sleep(0.2)
    await clock.sleep(2.0)


def _is_raise(body: dict[str, Any]) -> bool:
    return bool(body["transition"]["event"] == "raise")


def _delays(told: Arrived) -> list[float]:
    """Milliseconds from each breach until it was heard of."""
    begun = [(at, body["alarm"]["onset"]) for at, body in told if _is_raise(body)]
    return [(at - datetime.fromisoformat(onset)).total_seconds() * 1e3 for at, onset in begun]


def _share(delays: list[float], percent: int) -> float:
    return float(np.percentile(delays, percent))


def _faults(told: Arrived, what: str) -> Counter[str]:
    """What is wrong, and of how many tags: alarms lost, doubled, or returned before they were
    raised."""
    order: dict[str, list[str]] = {}
    for _, body in told:
        order.setdefault(body["alarm"]["tag"], []).append(body["transition"]["event"])
    counts = Counter(tuple(one) for one in order.values())
    calm = ALARMS // CALM_EVERY
    wrong = {one: n for one, n in counts.items() if one not in (("raise", "return"), ("raise",))}
    found = Counter({f"{what}: {', '.join(one)}": n for one, n in wrong.items()})
    lost = ALARMS - len(order)
    returned = calm - sum(n for one, n in counts.items() if "return" in one)
    return found + Counter({f"{what}: lost": abs(lost), f"{what}: not returned": abs(returned)})


def _journal_faults(service: Running) -> Counter[str]:
    """The same, of the journal in the database."""
    with psycopg.connect(service.database_url) as conn:
        told = conn.execute(
            "SELECT a.tag_id, array_agg(e.event ORDER BY e.at, e.n) FROM alarm a"
            " JOIN alarm_event e ON e.occurrence = a.id WHERE a.lane = 0 AND a.kind IN ('H', 'HH')"
            " GROUP BY a.tag_id"
        ).fetchall()
    order = [
        (NOBODY, {"alarm": {"tag": tag}, "transition": {"event": event}})
        for tag, events in told
        for event in events
    ]
    return _faults(order, "journal")
