"""A source under watch on simulated time: occurrences in, what the worker would keep and send
out."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import nan
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry

from alerts.book import AlarmBook
from alerts.by_design import ByDesign
from alerts.handling import Around, Handling
from alerts.people import Contact
from domain.alarms import (
    Alarm,
    Edge,
    Finding,
    Kind,
    Notice,
    OperatorAction,
    OutboxEvent,
    State,
    Transition,
)
from domain.cases import Case, CaseTransition, ClockReading, EscalationStep, Level
from domain.escalation import Ladder, default
from domain.inputs import Input
from domain.plant import Registry
from domain.risk import SourceRisk
from domain.risk_model import risk_model
from hazwatch.metrics import WarningMetrics
from hazwatch.warnings import Memory, Rules, Told, Warnings
from tests.support.builders import at


class Watched:
    """Alarm book and `Warnings` of one worker, a clock, and the rows that outlive it.

    `told` logs (seconds, role) of every rung that waited for a 签收, in order, `overdue` of the
    others. `kill` builds everything anew from the rows. The wall clock is START + seconds +
    `jump_s`.
    """

    def __init__(
        self,
        registry: Registry,
        ladder: Ladder | None = None,
        contacts: Mapping[tuple[str, int], tuple[Contact, ...]] | None = None,
    ) -> None:
        self.registry = registry
        self.rules = Rules(risk_model(), ladder or default(), lambda _: contacts or {})
        self.seconds = 0.0
        self.boot = "boot-1"
        self.jump_s = 0.0
        self.alarms: dict[UUID, Alarm] = {}
        self.cases: dict[UUID, Case] = {}
        self.steps: dict[tuple[UUID, int], EscalationStep] = {}
        self.risks: dict[int, SourceRisk] = {}
        self.notices: dict[UUID, Notice] = {}
        self.events: list[OutboxEvent] = []
        self.changes: list[CaseTransition] = []
        self.told: list[tuple[float, str]] = []
        self.overdue: list[tuple[float, str]] = []
        self.inputs: list[Input] = []
        self.kill()

    @property
    def case(self) -> Case:
        """The newest case."""
        return max(self.cases.values(), key=lambda case: case.number)

    def kill(self) -> None:
        """kill -9, and up again."""
        open_cases = {case.id for case in self.cases.values() if case.closed is None}
        memory = Memory(
            list(self.cases.values()),
            [step for (case, _), step in self.steps.items() if case in open_cases],
            list(self.alarms.values()),
            self.inputs,
        )
        self.book = AlarmBook(self.registry, self.alarms.values())
        self.warnings = Warnings(
            self.registry, self.rules, memory, self._reading, WarningMetrics(CollectorRegistry())
        )

    def raises(
        self,
        kind: Kind,
        tag: int | None,
        value: float = nan,
        node: int | None = None,
        ahead_s: float = 0.0,
    ) -> None:
        """A condition begins now, by a gateway whose clock is `ahead_s` ahead."""
        self._find(Edge.RAISED, kind, tag, node, value, ahead_s)

    def returns(self, kind: Kind, tag: int | None, node: int | None = None) -> None:
        """It is over now."""
        self._find(Edge.RETURNED, kind, tag, node, nan)

    def acknowledge(self, by: str = "li") -> None:
        """Every open occurrence is acknowledged."""
        for alarm in self.book.open():
            action = OperatorAction(UUID(int=1), "acknowledge", alarm.id, by, None, self._at())
            self._changed(Handling(self.book).act(action, self._around())[1])

    def reset(self, by: str = "li") -> None:
        """Every latched occurrence is reset."""
        for alarm in self.book.open():
            action = OperatorAction(UUID(int=1), "reset", alarm.id, by, None, self._at())
            self._changed(Handling(self.book).act(action, self._around())[1])

    def _around(self) -> Around:
        now = self._reading()
        return Around(now, ByDesign(self.warnings.layout, self.inputs, now))

    def act(
        self,
        verb: str,
        level: Level | None,
        by: str = "chen",
        comment: str | None = None,
        **detail: object,
    ) -> dict[str, Any]:
        """What somebody decides of the newest case; what the worker answers."""
        number = None if level is None else int(level)
        action = OperatorAction(
            UUID(int=2), verb, self.case.id, by, comment, self._at(), number, detail
        )
        done, told = self.warnings.act(action, self.book.open(), self._at())
        self._keep(told)
        return done.result

    def loop(self) -> None:
        """Handling, feedback and review of a case that is signed for."""
        self.act("handle", Level.ENTERPRISE, "li", "去现场")
        self.act("feedback", Level.ENTERPRISE, "li", f"已关阀 {self.seconds}")
        self.act("review", Level.PARK, "chen", approve=True)

    def settle(self) -> None:
        """The whole loop of a case that was not red; gas asks for a second person."""
        self.act("receive", Level.ENTERPRISE, "li")
        self.loop()
        self.act("close", Level.PARK, "chen", kind="real")
        if self.case.loop.gas_l2:
            self.act("close", Level.PARK, "wu", kind="real")

    def wait(self, seconds: float, pace: float = 1.0) -> None:
        """Let time pass, with ticks."""
        end = self.seconds + seconds
        while self.seconds < end:
            self.seconds = min(end, self.seconds + pace)
            self.tick()

    def tick(self) -> None:
        """What the worker does without a sample."""
        told = self.warnings.tick(self._at())
        if self.warnings.due():
            told += self.warnings.look(self.book.open(), self._at())
        self._keep(told)

    def _find(
        self,
        edge: Edge,
        kind: Kind,
        tag: int | None,
        node: int | None,
        value: float,
        ahead_s: float = 0.0,
    ) -> None:
        onset = when = self._at() + timedelta(seconds=ahead_s)
        if edge is Edge.RETURNED:
            mine = (a for a in self.book.open() if a.kind is kind and a.tag == tag)
            onset = next(alarm.onset for alarm in mine if alarm.state is not State.RTNUN)
        finding = Finding(edge, kind, tag, node, onset, when, value, 1.0)
        self._changed(self.book.apply([finding], self._at()))

    def _changed(self, changes: list[Transition]) -> None:
        self.alarms |= {change.alarm.id: change.alarm for change in changes}
        self.warnings.saw(change.alarm for change in changes)
        self._keep(self.warnings.look(self.book.open(), self._at()))

    def _keep(self, told: Told) -> None:
        self.changes += told.cases
        self.events += told.events
        self.cases |= {change.case.id: change.case for change in told.cases}
        self.steps |= {(step.case, step.no): step for step in told.steps}
        self.risks |= {risk.source: risk for risk in told.risks}
        for notice in told.notices:
            assert notice.id not in self.notices, "a rung was told twice"
            assert self.warnings.wanted(notice)
            late = notice.body.get("duty", "receive") != "receive"
            heard = self.overdue if late else self.told
            heard.append((round(self.seconds, 3), str(notice.body["role"])))
        self.notices |= {notice.id: notice for notice in told.notices}

    def _at(self) -> datetime:
        return at(self.seconds + self.jump_s)

    def _reading(self) -> ClockReading:
        return ClockReading(self._at(), self.seconds, self.boot)
