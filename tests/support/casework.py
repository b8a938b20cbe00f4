"""Warning cases for tests of the api: the real book and ladder, kept as the worker keeps them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from alerts.case_book import CaseBook
from alerts.case_events import risk_event, warning_event
from alerts.case_notices import notices
from alerts.escalation import Escalation
from alerts.people import Contacts
from domain.alarms import OperatorAction
from domain.cases import (
    Case,
    CaseTransition,
    ClockReading,
    EscalationStep,
    Level,
    Outcome,
    Sight,
)
from domain.escalation import default
from domain.risk import Colour, Floor, Part, Reason, SourceRisk
from storage.actions import pending, write_results
from storage.cases import write_case_transitions, write_steps
from storage.database import Connection
from storage.notices import insert_notices
from storage.outbox import append_events
from storage.risks import write_risks
from tests.support.builders import START
from tests.support.seed import Plant


class Casework:
    """The worker's part in the warnings of a seeded plant. contacts: by role and node."""

    def __init__(
        self,
        url: str,
        plant: Plant,
        contacts: Contacts | None = None,
    ) -> None:
        self._url = url
        self._plant = plant
        self._contacts = contacts or {}
        self._book = CaseBook()
        self._ladder = Escalation(default(), _reading(START))

    async def see(
        self,
        source: int,
        colour: Colour,
        at: datetime = START,
        *,
        unknown: bool = False,
        alarms: tuple[UUID, ...] = (),
    ) -> Case:
        """The risk model says so; the case of the source after it."""
        sight = Sight(source, self._owner(source), colour, at, unknown, alarms)
        async with self._transaction() as connection:
            await self._keep(connection, self._book.see([sight], at), at)
        return self._newest(source)

    async def tick(self, at: datetime) -> None:
        """Tell the rungs that are due by then."""
        async with self._transaction() as connection:
            for step in self._ladder.fire(_reading(at)):
                case = self._book.get(step.case)
                assert case is not None
                await self._keep_steps(connection, case, [step])

    async def sign(self, case: Case, level: Level, by: str, at: datetime) -> Case:
        """Somebody has signed."""
        return await self.act(case, "receive", level, by, at, "seen")

    async def act(
        self,
        case: Case,
        verb: str,
        level: Level,
        by: str,
        at: datetime,
        comment: str | None = None,
        **detail: object,
    ) -> Case:
        """What somebody has decided, and may; the case after it."""
        action = OperatorAction(uuid4(), verb, case.id, by, comment, at, int(level), detail)
        done, change = self._book.act(action, level, at)
        assert change is not None, done.result
        async with self._transaction() as connection:
            await self._keep(connection, [change], at)
        return self._newest(case.source)

    async def reviewed(self, case: Case, at: datetime) -> Case:
        """Handling, feedback and its review, of a case that is signed for."""
        await self.act(case, "handle", Level.ENTERPRISE, "li", at, "去现场")
        await self.act(case, "feedback", Level.ENTERPRISE, "li", at, f"阀门已关闭 {at}")
        return await self.act(case, "review", Level.PARK, "chen", at, approve=True)

    async def settled(self, case: Case, at: datetime) -> Case:
        """The whole loop of a case that was not red and is not signed for."""
        await self.sign(case, Level.ENTERPRISE, "li", at)
        await self.reviewed(case, at)
        return await self.act(case, "close", Level.PARK, "chen", at, kind="real")

    async def apply_actions(self, at: datetime) -> list[OperatorAction]:
        """Do what the worker does with actions on warnings that wait; which there were."""
        async with self._transaction() as connection:
            waiting = await pending(connection)
            for action in waiting:
                assert action.level is not None
                level = Level(action.level)
                done, change = self._book.act(action, level, at)
                await self._keep(connection, [change] if change else [], at)
                await write_results(connection, [done])
        return waiting

    def steps(self, case: Case) -> tuple[EscalationStep, ...]:
        """The rungs of an open case."""
        return self._ladder.steps(case.id)

    async def risk(self, source: int, colour: Colour, **members: Any) -> SourceRisk:
        """What is told of a source: grade, an alarm, a cap and a floor unless the test says
        otherwise."""
        reasons = (Reason(Part.B, 15.0), Reason(Part.A, 61.5, UUID(int=5)), Reason(None, -10.0))
        floors = ((Floor.F4, Colour.ORANGE),)
        told = SourceRisk(
            source, self._owner(source), START, colour, False, 66.46, False, floors, reasons, "v"
        )
        told = replace(told, **members)
        async with self._transaction() as connection:
            await write_risks(connection, [told])
            await append_events(connection, [risk_event(told, Colour.BLUE)])
        return told

    async def _keep(
        self, connection: Connection, changes: Iterable[CaseTransition], at: datetime
    ) -> None:
        for change in changes:
            await write_case_transitions(connection, [change])
            moved = self._ladder.follow(change, _reading(at))
            await self._keep_steps(connection, change.case, moved)
            event = warning_event(default(), change, self._ladder.steps(change.case.id))
            await append_events(connection, [event])

    async def _keep_steps(
        self, connection: Connection, case: Case, steps: Iterable[EscalationStep]
    ) -> None:
        for step in steps:
            if step.outcome is Outcome.TOLD:
                registry = self._plant.registry
                step, made = notices(default(), registry, self._contacts, case, step)
                self._ladder.mark(step)
                await insert_notices(connection, made)
            await write_steps(connection, [step])

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            yield connection

    def _owner(self, source: int) -> int:
        owner = self._plant.registry.nodes[source].enterprise
        assert owner is not None
        return owner

    def _newest(self, source: int) -> Case:
        found = self._book.newest(source)
        assert found is not None
        return found


def _reading(at: datetime) -> ClockReading:
    return ClockReading(at, (at - START).total_seconds(), "boot")
