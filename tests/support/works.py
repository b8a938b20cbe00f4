"""A worker's straight line on simulated time: messages in, occurrences out, kill in between."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import CollectorRegistry

from alerts.book import AlarmBook
from alerts.outgoing import Webhook
from alerts.people import Contacts
from domain.alarms import Alarm, Kind, Notice, OperatorAction, OutboxEvent, State, Transition
from domain.cases import ClockReading
from domain.clock import Stamps
from domain.desk_now import DeskNow, Note
from domain.escalation import default
from domain.instant import micros
from domain.modes import Kept
from domain.plant import Registry
from domain.risk import SourceRisk
from domain.risk_model import risk_model
from hazwatch.metrics import WarningMetrics, WorkerMetrics
from hazwatch.planning import marked, planned
from hazwatch.pump import Pump
from hazwatch.restore import apart, stance_in
from hazwatch.stance import Stance
from hazwatch.ticks import TickTime
from hazwatch.told_desks import DeskMemory
from hazwatch.warnings import Memory, Rules, Warnings
from ingest.batch import Batch, PlantAlarm, Raw
from ingest.intake import Intake
from ingest.metrics import IngestMetrics
from rules.state import RuleState
from storage.journal import Entry
from tests.support.builders import START, registry, tag
from tests.support.gateway_line import written

LIMITS = {Kind.H: 8.0, Kind.HH: 9.0}
PLANT = registry(tag(1, "LI1", limits=LIMITS), tag(2, "LI2", limits=LIMITS))


class Hand:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps here")


class Works:
    """A worker's straight line over one gateway, and the rows that outlive it."""

    def __init__(
        self,
        plant: Registry = PLANT,
        hooks: tuple[Webhook, ...] = (),
        contacts: Contacts | None = None,
    ) -> None:
        self.clock = Hand()
        self.contacts = contacts or {}
        self.hooks = hooks
        self.plant = plant
        self.alarms: dict[object, Alarm] = {}
        self.said: list[PlantAlarm] = []
        self.changes: list[Transition] = []
        self.risks: dict[int, SourceRisk] = {}
        self.system: list[Any] = []
        self.batches: list[Batch] = []
        self.desks: dict[int, DeskNow] = {}
        self.noted: dict[UUID, tuple[int, Note]] = {}
        self.events: list[OutboxEvent] = []
        self.notices: list[Notice] = []
        self.told: list[DeskNow] = []
        self.notes: dict[str, Any] = {}
        self.floods: dict[int, Any] = {}
        self.seq = 0
        self.snapshot: bytes | None = None
        self.start()

    def start(self) -> None:
        metrics = CollectorRegistry()
        stance = None
        if self.snapshot is not None:
            stance = Stance.of(stance_in(self.snapshot), self.plant)
        stance = stance or Stance({}, Kept())
        plan, unjudged = planned(self.plant, stance.modes, stance.kept)
        plant = marked(self.plant, unjudged, self.plant, self.clock.now())
        rules = Rules(risk_model(), default(), lambda _: self.contacts)
        memory = Memory([], [], list(self.alarms.values()))
        self.intake = Intake(plant)
        state = RuleState.fresh(plan, micros(self.clock.now()))
        if self.snapshot is not None:
            engine, intake = apart(self.snapshot)
            assert intake is not None
            state = RuleState.from_bytes(plan, engine)
            self.intake.restore(intake)
        warnings = Warnings(plant, rules, memory, self.reading, WarningMetrics(metrics))
        self.pump = Pump(
            plant,
            plan,
            state,
            AlarmBook(plant, self.alarms.values()),
            self.intake,
            self.clock,
            TickTime(timedelta, self.clock.now(), self.clock.now()),
            Stamps(self.clock, 0),
            warnings,
            self.keep,
            self.hooks,
            WorkerMetrics(metrics),
            IngestMetrics(metrics),
            stance.modes,
            stance.kept,
            unjudged,
            desks=self.remembered(),
        )
        self.pump.settle([], self.said)

    def remembered(self) -> DeskMemory:
        """What the tables of desks say after a restart."""
        still = {id for id, alarm in self.alarms.items() if alarm.state is not State.NORM}
        notes = [(id, *told) for id, told in self.noted.items() if id in still]
        return DeskMemory(self.changes, notes, list(self.desks.values()))

    def reading(self) -> ClockReading:
        return ClockReading(self.clock.now(), self.clock.elapsed(), "boot")

    def keep(self, entry: Entry) -> None:
        self.alarms |= {change.alarm.id: change.alarm for change in entry.transitions}
        self.changes += entry.transitions
        self.risks |= {risk.source: risk for risk in entry.risks}
        self.events += entry.events
        self.notices += entry.notices
        self.told += entry.desks
        for desk in entry.desks:
            self.desks[desk.enterprise] = desk
            self.noted |= {id: (desk.enterprise, note or Note()) for id, note in desk.notes}
        for event in entry.events:
            if event.type == "desk":
                said: Any = event.body["desk"]
                self.notes |= said["notes"]
                self.floods[int(said["enterprise"])] = said["flood"]
        self.system += [event.body["system"] for event in entry.events if event.type == "system"]
        if entry.batch is not None:
            self.said += entry.batch.plant_alarms
            self.batches.append(entry.batch)

    def kill(self) -> None:
        self.snapshot = self.pump.snapshot()[0]
        self.start()

    def publish(self, channel: str, told: dict[str, Any]) -> None:
        self.send(f"hw/v1/P1/E1/G1/{channel}", told)

    def publish_as(self, enterprise: str, gateway: str, values: dict[str, float]) -> None:
        """A sample by another gateway."""
        self.seq += 1
        samples = [{"time": written(self.clock.seconds), "values": values}]
        body = {"boot": "b", "seq": self.seq, "samples": samples}
        self.send(f"hw/v1/P1/{enterprise}/{gateway}/data", body)

    def send(self, topic: str, told: dict[str, Any]) -> None:
        for _ in self.pump.take([Raw(topic, json.dumps(told).encode())]):
            pass

    def acts(self, verb: str, alarm: Alarm, **detail: object) -> None:
        """What the enterprise's desk decides."""
        action = OperatorAction(
            uuid4(), verb, alarm.id, "li.na", "ok", self.clock.now(), None, detail
        )
        self.pump.act([action])

    def said_once(self, what: str) -> bool:
        """Whether operators were told that exactly once."""
        return [told["what"] for told in self.system].count(what) == 1

    def enterprise_of(self, occurrence: str) -> int:
        return self.alarms[UUID(occurrence)].enterprise

    def sample(self, **values: float) -> None:
        self.seq += 1
        samples = [{"time": written(self.clock.seconds), "values": values}]
        self.publish("data", {"boot": "b", "seq": self.seq, "samples": samples})

    def report(self, name: str, kind: str = "H", active: bool = True, **more: object) -> None:
        head = {"id": f"a{self.clock.seconds}", "time": written(self.clock.seconds)}
        self.publish("alarm", head | {"tag": name, "kind": kind, "active": active} | more)

    def run(self, seconds: int, **values: float) -> None:
        """A sample and a tick every 5 s."""
        for _ in range(seconds // 5):
            self.clock.seconds += 5
            self.sample(**values)
            self.pump.tick()

    def of(self, kind: Kind) -> list[Alarm]:
        return [alarm for alarm in self.alarms.values() if alarm.kind is kind]
