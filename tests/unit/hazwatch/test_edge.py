"""The plant's own alarms through the whole pump: messages in, occurrences out, kill in between."""

import json
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from alerts.book import AlarmBook
from domain.alarms import Alarm, Kind, State, Transition
from domain.cases import ClockReading
from domain.clock import Stamps
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
from hazwatch.warnings import Memory, Rules, Warnings
from ingest.batch import Batch, PlantAlarm, Raw
from ingest.intake import Intake
from ingest.metrics import IngestMetrics
from rules.state import RuleState
from storage.journal import Entry
from tests.support.builders import START, at, registry, tag
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

    def __init__(self, plant: Registry = PLANT) -> None:
        self.clock = Hand()
        self.plant = plant
        self.alarms: dict[object, Alarm] = {}
        self.said: list[PlantAlarm] = []
        self.changes: list[Transition] = []
        self.risks: dict[int, SourceRisk] = {}
        self.system: list[Any] = []
        self.batches: list[Batch] = []
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
        rules = Rules(risk_model(), default(), lambda _: {})
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
            (),
            WorkerMetrics(metrics),
            IngestMetrics(metrics),
            stance.modes,
            stance.kept,
            unjudged,
        )
        self.pump.settle([], self.said)

    def reading(self) -> ClockReading:
        return ClockReading(self.clock.now(), self.clock.elapsed(), "boot")

    def keep(self, entry: Entry) -> None:
        self.alarms |= {change.alarm.id: change.alarm for change in entry.transitions}
        self.changes += entry.transitions
        self.risks |= {risk.source: risk for risk in entry.risks}
        self.system += [event.body["system"] for event in entry.events if event.type == "system"]
        if entry.batch is not None:
            self.said += entry.batch.plant_alarms
            self.batches.append(entry.batch)

    def kill(self) -> None:
        self.snapshot = self.pump.snapshot()[0]
        self.start()

    def publish(self, channel: str, told: dict[str, Any]) -> None:
        message = Raw(f"hw/v1/P1/E1/G1/{channel}", json.dumps(told).encode())
        for _ in self.pump.take([message]):
            pass

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


def test_a_value_over_its_limit_that_the_plant_does_not_report_is_told_once():
    works = Works()
    works.report("LI2", active=False)
    works.run(5, LI1=5.0, LI2=5.0)
    works.run(90, LI1=8.5, LI2=5.0)
    (alarm,) = works.of(Kind.UNDERREPORT)
    (limit,) = works.of(Kind.H)
    assert (alarm.tag, alarm.state, alarm.onset) == (1, State.UNACK, limit.onset)
    assert alarm.effective - alarm.onset >= timedelta(seconds=60)
    assert "漏报 not reported by the plant: 8.5 m ≥ 8" in alarm.text
    works.run(10, LI1=5.0, LI2=5.0)
    assert works.of(Kind.UNDERREPORT)[0].state is State.RTNUN


def test_a_plant_that_reports_is_left_alone():
    works = Works()
    works.run(5, LI1=5.0)
    works.run(30, LI1=8.5)
    works.report("LI1", limit=8.0, value=8.5)
    works.run(90, LI1=8.5)
    assert works.of(Kind.UNDERREPORT) == works.of(Kind.THRESHOLD_MISMATCH) == []


def test_a_gateway_that_never_reports_does_not_flood():
    works = Works()
    works.run(200, LI1=9.5, LI2=9.5)
    assert len(works.of(Kind.HH)) == 2
    assert works.of(Kind.UNDERREPORT) == []


def test_a_report_on_a_tag_that_is_not_registered_is_kept_and_counts_nothing():
    works = Works()
    works.report("XX")
    works.run(120, LI1=8.5)
    assert [one.tag for one in works.said] == ["XX"]
    assert works.of(Kind.UNDERREPORT) == []


def test_another_set_point_in_the_plant_is_told_until_they_agree():
    works = Works()
    works.report("LI1", limit=8.5)
    (alarm,) = works.of(Kind.THRESHOLD_MISMATCH)
    assert "H in the plant 8.5 m, registered 8 m" in alarm.text
    works.clock.seconds += 10
    works.report("LI1", active=False, limit=8.0)
    assert works.of(Kind.THRESHOLD_MISMATCH)[0].state is State.RTNUN


def test_a_new_site_that_agrees_ends_a_mismatch_and_one_without_the_tag_closes_all():
    works = Works()
    works.report("LI1", limit=8.5)
    works.run(90, LI1=9.5, LI2=5.0)
    assert len(works.of(Kind.UNDERREPORT)) == 1
    mended = registry(tag(1, "LI1", limits={Kind.H: 8.5, Kind.HH: 9.0}), PLANT.tags[2])
    assert works.pump.swap(mended)
    assert works.of(Kind.THRESHOLD_MISMATCH)[0].state is State.RTNUN
    assert works.pump.swap(registry(PLANT.tags[2]))
    ours = (*works.of(Kind.UNDERREPORT), *works.of(Kind.THRESHOLD_MISMATCH))
    assert {alarm.state for alarm in ours} == {State.RTNUN}
    assert {alarm.state for alarm in works.of(Kind.HH)} == {State.LATUN}


def test_a_kill_in_the_middle_changes_nothing():
    works, undisturbed = Works(), Works()
    for one in (works, undisturbed):
        one.report("LI2", active=False, limit=8.2)
        one.run(5, LI1=5.0)
    for turn in range(20):
        works.run(5, LI1=8.5)
        undisturbed.run(5, LI1=8.5)
        if turn in (2, 8, 16):
            works.kill()

    def told(one: Works) -> set[tuple[object, ...]]:
        kinds = (Kind.H, Kind.UNDERREPORT, Kind.THRESHOLD_MISMATCH)
        alarms = [alarm for kind in kinds for alarm in one.of(kind)]
        return {(alarm.id, alarm.state, alarm.onset) for alarm in alarms}

    assert told(works) == told(undisturbed)
    assert len(works.of(Kind.UNDERREPORT)) == 1
    assert len(works.of(Kind.THRESHOLD_MISMATCH)) == 1
    works.kill()
    works.report("LI1")
    assert works.of(Kind.UNDERREPORT)[0].state is State.RTNUN
    assert works.of(Kind.UNDERREPORT)[0].ended == at(works.clock.seconds)
