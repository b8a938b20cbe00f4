"""`cases.*`: 10,000 open warning cases, of which 1,000 have rungs due at the same moment."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiomqtt
import numpy as np
import psycopg

from alerts.book import AlarmBook
from alerts.case_book import CaseBook
from alerts.escalation import Escalation
from alerts.lifecycle import Event, Verb, step
from domain.alarms import Edge, Finding, Kind, Transition
from domain.cases import CaseTransition, ClockReading, EscalationStep, Sight
from domain.clock import SystemClock
from domain.escalation import default
from domain.instant import rfc3339
from domain.plant import Registry
from domain.risk import Colour
from domain.tasks import end
from simulators.broker import Broker
from simulators.swarm import BULK, Swarm
from storage.alarms import write_transitions
from storage.cases import write_case_transitions, write_steps
from storage.database import DatabaseOptions, link
from storage.registry import read_registry
from tests.support.bench import Cores, Row, Running, Servers, stage, until
from tests.support.service import Service
from tests.support.watching import Sink, sink, streaming

SWARM = Swarm(enterprises=4, tags=2_500, values=1)
CASES, DUE = 10_000, 1_000
RUNG_S = 600.0
"""Yellow tells HD-technical and PK when nobody has signed for so long: two rungs of a case."""
ROLES = ("HD-technical", "PK")
STEPS = DUE * len(ROLES)
CANARIES, EVERY_S = 400, 0.1
BEFORE_S, AFTER_S = 12.0, 8.0
"""Canaries breach so long before the moment, and so long after it at least."""
START_S = 25.0
"""After the seed the service has so long before that."""
WITHIN_S = 40.0


@dataclass(slots=True)
class Moment:
    """What was seen around it: seconds from `due` until the last step was in the journal."""

    due: datetime
    start_s: float = 0.0
    journal_s: float = float("nan")
    canaries: int = 0
    cores: str = ""


def timers(servers: Servers) -> list[Row]:
    """All that happens when they are due, and what it does to an alarm that comes then."""
    return asyncio.run(_timers(servers))


async def _timers(servers: Servers) -> list[Row]:
    async with sink() as address:
        with stage(servers, "\n".join(_site())) as (folder, url, broker):
            moment = Moment(await _seed(url))
            people = folder / "people.toml"
            people.write_text("\n".join(_contacts(address)), "utf-8")
            settings = {"contacts_file": str(people), "self_test": "false"}
            with Service(folder, url, broker, "worker,api", **settings) as service:
                moment.start_s = await asyncio.to_thread(_started, service)
                running = Running(url, broker, service, folder, SWARM)
                delays = await _watched(running, moment, address)
                service.end()
            return _rows(url, moment, delays, address)


async def _watched(service: Running, moment: Moment, address: Sink) -> list[float]:
    """Canaries and steps until all is over; the delays of the canaries, in milliseconds."""
    clock = SystemClock()
    async with streaming(service) as stream, asyncio.TaskGroup() as tasks:
        wait_s = (moment.due - clock.now()).total_seconds()
        assert wait_s > 0, f"the service started {-wait_s:.0f} s too late for its timers"
        await clock.sleep(wait_s - BEFORE_S)
        cores = Cores()
        canary = tasks.create_task(_breach(service, moment, clock))
        moment.journal_s = await _journaled(service.database_url, moment.due, clock)
        until_s = clock.elapsed() + WITHIN_S
        while len(address.got) < STEPS and clock.elapsed() < until_s:
            await clock.sleep(0.1)
        await clock.sleep(max(0.0, (moment.due - clock.now()).total_seconds() + AFTER_S))
        moment.cores = cores.told()
        await end(canary)
        await clock.sleep(3.0)
        told = [(at, body["alarm"]["onset"]) for at, _, body in stream.events()]
    return [(at - datetime.fromisoformat(onset)).total_seconds() * 1e3 for at, onset in told]


async def _breach(service: Running, moment: Moment, clock: SystemClock) -> None:
    """One canary after the other crosses its limit."""
    broker = Broker.of(service.mqtt_url)
    topic = f"hw/v1/{SWARM.park}/{SWARM.code(0)}/{BULK}/data"
    async with aiomqtt.Client(broker.host, broker.port) as client:
        for number in range(CANARIES):
            at = rfc3339(clock.now())
            told = {"sent": at, "samples": [{"time": at, "values": {f"C{number:04d}": 80}}]}
            await client.publish(topic, json.dumps(told), qos=1)
            moment.canaries += 1
            await clock.sleep(EVERY_S)


async def _journaled(url: str, due: datetime, clock: SystemClock) -> float:
    """Seconds after `due` at which another connection sees all steps."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        until_s = clock.elapsed() + BEFORE_S + WITHIN_S
        while clock.elapsed() < until_s:
            if await _told(conn) >= STEPS:
                return (clock.now() - due).total_seconds()
            await clock.sleep(0.05)
    raise AssertionError("not all steps were taken")


async def _told(conn: psycopg.AsyncConnection[tuple[int]]) -> int:
    found = await conn.execute(
        "SELECT count(*) FROM escalation_step WHERE outcome = 'told' AND after_s = %s", (RUNG_S,)
    )
    row = await found.fetchone()
    return 0 if row is None else row[0]


def _rows(url: str, moment: Moment, delays: list[float], address: Sink) -> list[Row]:
    mine = [(at, json.loads(body)) for at, _, body in address.got if b'"warning"' in body]
    last = max((at - moment.due).total_seconds() for at, _ in mine)
    early = sum(at < moment.due for at, _ in mine)
    # rungs of one instant to one address leave as one message that names them
    rungs = [(body["warning"], no) for _, body in mine for no in body.get("steps", [body["step"]])]
    faults = abs(STEPS - len(rungs)) + len(rungs) - len(set(rungs)) + early
    faults += _faults(url) + abs(moment.canaries - len(delays))
    what = (
        f"{CASES:,} open cases, a source and an alarm each; {DUE:,} of them have {STEPS:,} rungs "
        "due at the same moment"
    )
    canary = (
        f"an alarm every {EVERY_S * 1e3:.0f} ms meanwhile, {len(delays)}, breach to live stream: "
        f"p50 {np.percentile(delays, 50):.0f}, max {max(delays):.0f} ms; {moment.cores}"
    )
    return [
        _row("cases.faults", faults, "", 0, f"{what}; each step and notice once, none before"),
        _row("cases.steps_s", moment.journal_s, "s", 5, f"{what}; until the last is committed"),
        _row("cases.notices_s", last, "s", 15, "until the last of their notices is at its webhook"),
        _row("cases.alarm_p99_ms", float(np.percentile(delays, 99)), "ms", 1_000, canary),
        _row("cases.start_s", moment.start_s, "s", 10, f"from start to watching; {what}"),
    ]


def _row(name: str, value: float, unit: str, target: float, context: str) -> Row:
    return Row(name, value, unit, target, "lower", (value, value), context)


def _faults(url: str) -> int:
    """Steps that were not sent exactly once, and transitions of cases that nobody made."""
    with psycopg.connect(url) as conn:
        row = conn.execute(
            "SELECT count(*) FILTER (WHERE notices <> 1) FROM (SELECT count(n.id) AS notices"
            " FROM escalation_step s LEFT JOIN notice n ON n.occurrence = s.case_id"
            " AND n.step = s.no WHERE s.outcome = 'told' AND s.after_s = %s"
            " GROUP BY s.case_id, s.no) each",
            (RUNG_S,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _started(service: Service) -> float:
    began = time.monotonic()
    service.start()
    until(lambda: service.watching, "the service takes messages")
    return time.monotonic() - began


def _contacts(address: Sink) -> Iterator[str]:
    for role in ROLES:
        yield f'[[contact]]\nrole = "{role}"\nnode = "{SWARM.park}"'
        yield f'channel = "webhook"\naddress = "{address.url}"'


def _site() -> Iterator[str]:
    yield "version: 1"
    yield f"tree: [{{code: {SWARM.park}, kind: park, name: Load}}]"
    yield "enterprises:"
    for n in range(SWARM.enterprises):
        head = f"code: {SWARM.code(n)}, park: {SWARM.park}, name: E{n}, gateways: [{BULK}]"
        yield f"  - {{{head}, sources: ["
        for source in range(SWARM.tags):
            head = f"code: s{source}, kind: storage, name: S{source}"
            yield f"      {{{head}, tags: [{_tag(SWARM.name(source))}]}},"
        if n == 0:
            tags = ", ".join(_tag(f"C{number:04d}") for number in range(CANARIES))
            yield f"      {{code: canaries, kind: storage, name: Canaries, tags: [{tags}]}},"
        yield "    ]}"


def _tag(name: str) -> str:
    return (
        f"{{name: {name}, kind: gas_toxic, unit: ppm, range: [0, 100], limits: {{H: 50}}, "
        "delay_on_s: 0, delay_off_s: 0, interval_s: 1, max_silence_s: 86400}"
    )


async def _seed(url: str) -> datetime:
    """What an earlier run left: an alarm and a case of each source; when their rungs are due."""
    began = SystemClock().now()
    async with link(DatabaseOptions(url)) as line:
        registry = await line.run(read_registry)
        alarms = _alarms(registry, began)
        cases, steps = _cases(alarms, began)
        await line.run(lambda conn: write_transitions(conn, alarms))
        await line.run(lambda conn: write_case_transitions(conn, cases))
        await line.run(lambda conn: write_steps(conn, steps))
    due = SystemClock().now() + timedelta(seconds=START_S + BEFORE_S)
    _move(url, due - began)
    return due


def _alarms(registry: Registry, due: datetime) -> list[Transition]:
    """Every tag of a source of its own has crossed its limit, and somebody has seen that."""
    onset = due - timedelta(seconds=RUNG_S)
    book = AlarmBook(registry)
    found = [
        Finding(Edge.RAISED, Kind.H, id, None, onset, onset, 80.0, 50.0)
        for id, tag in registry.tags.items()
        if tag.name.startswith("T")
    ]
    raised = book.apply(found, onset)
    seen = Event(Verb.ACKNOWLEDGE, by="li")
    steps = [step(change.alarm, seen, onset)[1] for change in raised]
    return raised + [change for change in steps if change is not None]


def _cases(
    alarms: list[Transition], due: datetime
) -> tuple[list[CaseTransition], list[EscalationStep]]:
    """A yellow case behind each alarm; its rungs, of `DUE` cases due at `due`, else much later."""
    book = CaseBook()
    opened, rungs = list[CaseTransition](), list[EscalationStep]()
    raised = [one.alarm for one in alarms if one.event == "raise"]
    for number, alarm in enumerate(raised):
        at = due - timedelta(seconds=RUNG_S if number < DUE else RUNG_S / 2)
        now = ClockReading(at, 0.0, "an earlier run")
        sight = Sight(alarm.node, alarm.enterprise, Colour.YELLOW, at, alarms=(alarm.id,))
        ladder = Escalation(default(), now)
        for change in book.see([sight], at):
            opened.append(change)
            rungs += ladder.follow(change, now)
    assert len(opened) == CASES, f"{len(opened)} cases"
    return opened, rungs


def _move(url: str, by: timedelta) -> None:
    """Let the ladders have begun so much later: writing them took its time."""
    with psycopg.connect(url) as conn:
        conn.execute(
            "UPDATE escalation_step SET due = due + %(by)s, done = done + %(by)s,"
            " mark_at = mark_at + %(by)s",
            {"by": by},
        )
        conn.execute("ANALYZE")
