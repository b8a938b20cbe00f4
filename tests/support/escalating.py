"""A control room on simulated time: cases, their ladder, and a clock of two hands that can jump."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alerts.case_book import CaseBook
from alerts.escalation import Escalation, still_wanted
from domain.alarms import OperatorAction
from domain.cases import (
    Case,
    CaseTransition,
    ClockReading,
    Duty,
    EscalationStep,
    Level,
    Outcome,
    Sight,
)
from domain.escalation import Ladder, default
from domain.risk import Colour
from tests.support.builders import ENTERPRISE, SOURCE, START


@dataclass
class ControlRoom:
    """Feeds one source's colours and people's actions through book and ladder, tick by tick.

    `told` logs (elapsed seconds, role) of everything sent for want of a 签收, `overdue` (elapsed
    seconds, duty, role) of all else; `cases` and `rows` are what storage holds: `restart` builds
    everything anew from them. Wall time is START + elapsed + `jump_s`.
    """

    ladder: Ladder = field(default_factory=default)
    elapsed: float = 0.0
    jump_s: float = 0.0
    boot: str = "boot-1"
    cases: dict[UUID, Case] = field(default_factory=dict)
    rows: dict[tuple[UUID, int], EscalationStep] = field(default_factory=dict)
    told: list[tuple[float, str]] = field(default_factory=list)
    overdue: list[tuple[float, str, str]] = field(default_factory=list)
    changes: list[CaseTransition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def now(self) -> ClockReading:
        wall = START + timedelta(seconds=self.elapsed + self.jump_s)
        return ClockReading(wall, self.elapsed, self.boot)

    @property
    def case(self) -> Case:
        return max(self.cases.values(), key=lambda case: case.number)

    @property
    def signing(self) -> list[EscalationStep]:
        """The rungs that wait, or waited, for a 签收."""
        return [step for step in self.rows.values() if step.duty is Duty.RECEIVE]

    def restart(self, boot: str | None = None) -> None:
        """Kill the worker: nothing is left but the rows."""
        self.boot = boot or self.boot
        self.book = CaseBook(self.cases.values())
        self.escalation = Escalation(self.ladder, self.now, self.cases.values(), self.rows.values())
        self._store(self.escalation.moved)

    def see(self, colour: Colour, *, unknown: bool = False, alarms: tuple[UUID, ...] = ()) -> None:
        sight = Sight(SOURCE, ENTERPRISE, colour, self._effective(), unknown, alarms)
        self._apply(self.book.see([sight], self.now.at))

    def receive(self, level: Level, by: str = "li") -> dict[str, Any]:
        return self.act("receive", level, by)

    def release(self, level: Level, by: str = "chen", held: str | None = None) -> dict[str, Any]:
        return self.act("release", level, by, held=held)

    def act(
        self,
        verb: str,
        level: Level,
        by: str,
        comment: str | None = None,
        held: str | None = None,
        **detail: object,
    ) -> dict[str, Any]:
        """What a person decides; what the worker answers."""
        action = OperatorAction(
            UUID(int=9), verb, self.case.id, by, comment, self.now.at, int(level), detail
        )
        done, change = self.book.act(action, level, self.now.at, held)
        self._apply([change] if change else [])
        return done.result

    def loop(self, text: str = "围堰已封堵", reviewer: str = "chen") -> None:
        """Signed for already: handling, feedback and the review of it."""
        self.act("handle", Level.ENTERPRISE, "li", "去现场")
        self.act("feedback", Level.ENTERPRISE, "li", text)
        self.act("review", Level.PARK, reviewer, approve=True)

    def tick(self) -> None:
        self._send(self.escalation.fire(self.now))

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping wherever a rung may be due."""
        end = self.elapsed + seconds
        while True:
            next_in = self.escalation.next_in_s(self.now)
            if next_in is None or self.elapsed + next_in > end:
                break
            self.elapsed += next_in
            self.tick()
        self.elapsed = end

    def roles_told(self, since: float = -1.0) -> set[str]:
        return {role for when, role in self.told if when > since}

    def _effective(self) -> datetime:
        return START + timedelta(seconds=self.elapsed)

    def _apply(self, changes: list[CaseTransition]) -> None:
        self.changes += changes
        for change in changes:
            self.cases[change.case.id] = change.case
            self._send(self.escalation.follow(change, self.now))

    def _send(self, steps: list[EscalationStep]) -> None:
        self._store(steps)
        for step in steps:
            if step.outcome is Outcome.TOLD:
                assert still_wanted(step, self.cases[step.case])
                when = round(self.elapsed, 6)
                if step.duty is Duty.RECEIVE:
                    self.told.append((when, step.role))
                else:
                    self.overdue.append((when, step.duty.value, step.role))

    def _store(self, steps: list[EscalationStep]) -> None:
        self.rows |= {(step.case, step.no): step for step in steps}
