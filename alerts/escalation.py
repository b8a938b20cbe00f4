"""The ladder of a warning case: who is told at once, who later, and what stops a clock. Pure.

| the case    | its rungs                                                                        |
|-------------|----------------------------------------------------------------------------------|
| rise        | tells at once whom the colour before had not; sets up the later rungs of the new |
|             | colour; rungs that wait for somebody told now are superseded                     |
| receive     | stops the rungs that stand for the silence of that level, and no others          |
| calm        | withdraws what waits: blue has no duties                                         |
| closed      | likewise                                                                         |
| all others  | nothing: neither a fall, nor lost data, nor a release stops a clock              |

A rung stands for the silence of one level: that of its own role if this has been asked (told, or
it signed unasked), else the highest level below that has. A level's silence counts from the newest
rise that told it something. So a desk that signs stops what its own silence would set off, and
nobody else's clock.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from alerts.cases import Verb, receipt
from alerts.rung_timers import remaining_s, resume
from domain.cases import (
    Case,
    CaseState,
    CaseTransition,
    ClockReading,
    EscalationStep,
    Level,
    Outcome,
    Receipt,
)
from domain.escalation import Ladder, Role
from domain.risk import Colour

Steps = dict[int, EscalationStep]
"""The rungs of one case by their `no`."""


def begin(ladder: Ladder, change: CaseTransition, no: int, now: ClockReading) -> Steps:
    """The rungs that a rise sets up, counted on from `no`: those at once are told already."""
    case = change.case
    rungs = ladder.colours[case.colour]
    at_once = [(0.0, role) for role in ladder.new_at_once(change.colour, case.colour)]
    later = [(rung.after_s, role) for rung in rungs.later for role in rung.roles]
    made = (_set_up(case, *entry, no + k, now) for k, entry in enumerate(at_once + later))
    return {step.no: step for step in made}


def follow(
    ladder: Ladder, steps: Steps, change: CaseTransition, now: ClockReading
) -> list[EscalationStep]:
    """The rungs that a transition of their case makes or changes, in order."""
    case = change.case
    after = dict(steps)
    if change.event == Verb.RISE:
        new = begin(ladder, change, max(steps, default=0) + 1, now)
        after = _superseded(after, new, now)
        after |= {no: step for no, step in new.items() if not _waits_already(after, step)}
    if case.state is CaseState.CLOSED or case.colour is Colour.BLUE:
        for step in _waiting(after):
            after[step.no] = replace(step, outcome=Outcome.WITHDRAWN, done=now.at)
    for step in _waiting(after):
        stopped = _stopped(step, after, case)
        if stopped is not None:
            after[step.no] = _received(step, stopped, now)
    return [step for no, step in sorted(after.items()) if steps.get(no) != step]


def fire(steps: Steps, case: Case, now: ClockReading) -> list[EscalationStep]:
    """The rungs whose time has come, in order: told, or found to be stopped."""
    after = dict(steps)
    due = [(left, step.no) for step in _waiting(steps) if (left := remaining_s(step, now)) <= 0]
    for _, no in sorted(due):
        step = after[no]
        stopped = _stopped(step, after, case)
        if stopped is not None:
            after[no] = _received(step, stopped, now)
            continue
        clock, since = _silent(step, after, case)
        after[no] = replace(step, outcome=Outcome.TOLD, done=now.at, clock=clock, since=since)
    return [after[no] for _, no in sorted(due)]


def still_wanted(step: EscalationStep, case: Case) -> bool:
    """Whether the notice of a rung may be sent, asked at the moment of sending.

    No: once somebody signed for its role's level or for the level whose silence it stands for, the
    source is back at blue, or the case is closed.
    """
    if case.colour is Colour.BLUE or case.state is CaseState.CLOSED or step.n < case.left_blue:
        return False
    clock = step.level if step.clock is None else step.clock
    since = step.n if step.since is None else step.since
    return not (_signed(case, step.level, step.n) or _signed(case, clock, since))


class Escalation:
    """The ladders of one shard's open cases: their rungs, and which are due. The single writer's
    memory.

    Every transition of a case has to be shown to it. Each call answers with the rungs that changed;
    they are to be stored with the transition behind them, in one commit. A transition that was
    followed before changes nothing. cases, steps: what storage knows of open cases and all their
    rungs; `moved` are those whose timers went over to another machine's run, to be stored as well.
    """

    def __init__(
        self,
        ladder: Ladder,
        now: ClockReading,
        cases: Iterable[Case] = (),
        steps: Iterable[EscalationStep] = (),
    ) -> None:
        self._ladder = ladder
        self._cases = {case.id: case for case in cases if case.state is not CaseState.CLOSED}
        self._steps: dict[UUID, Steps] = {id: {} for id in self._cases}
        self.moved: list[EscalationStep] = []
        for step in steps:
            if step.case in self._cases:
                here = resume(step, now)
                self._steps[step.case][step.no] = here
                self.moved += [here] if here != step else []

    def steps(self, case: UUID) -> tuple[EscalationStep, ...]:
        """The rungs of an open case, in order."""
        return tuple(step for _, step in sorted(self._steps.get(case, {}).items()))

    def follow(self, change: CaseTransition, now: ClockReading) -> list[EscalationStep]:
        """The rungs that a transition makes or changes; those told are to be sent."""
        case = change.case
        known = self._cases.get(case.id)
        if known is not None and case.n <= known.n:
            return []
        changed = follow(self._ladder, self._steps.get(case.id, {}), change, now)
        self._cases[case.id] = case
        self._steps.setdefault(case.id, {}).update({step.no: step for step in changed})
        if case.state is CaseState.CLOSED:
            del self._cases[case.id], self._steps[case.id]
        return changed

    def fire(self, now: ClockReading) -> list[EscalationStep]:
        """The rungs whose time has come; those told are to be sent."""
        changed: list[EscalationStep] = []
        for id, steps in self._steps.items():
            fired = fire(steps, self._cases[id], now)
            steps.update({step.no: step for step in fired})
            changed += fired
        return changed

    def mark(self, step: EscalationStep) -> None:
        """Remember a told rung with what sending it brought to light (`unnamed`)."""
        if step.case in self._steps:
            self._steps[step.case][step.no] = step

    def next_in_s(self, now: ClockReading) -> float | None:
        """Seconds until the next call of `fire` can matter, None if no rung waits."""
        waiting = (step for steps in self._steps.values() for step in _waiting(steps))
        return min((max(0.0, remaining_s(step, now)) for step in waiting), default=None)


def _set_up(case: Case, after_s: float, role: Role, no: int, now: ClockReading) -> EscalationStep:
    due = now.at + timedelta(seconds=after_s)
    step = EscalationStep(
        case.id, no, case.n, case.colour, role.code, role.level, after_s, due, after_s, now
    )
    if after_s > 0:
        return step
    return replace(step, outcome=Outcome.TOLD, done=now.at, clock=role.level, since=case.n)


def _waiting(steps: Steps) -> list[EscalationStep]:
    return [step for _, step in sorted(steps.items()) if step.outcome is Outcome.WAITING]


def _superseded(steps: Steps, new: Steps, now: ClockReading) -> Steps:
    told = {step.role for step in new.values() if step.outcome is Outcome.TOLD}
    gone = [step for step in _waiting(steps) if step.role in told]
    return steps | {
        step.no: replace(step, outcome=Outcome.SUPERSEDED, done=now.at) for step in gone
    }


def _waits_already(steps: Steps, new: EscalationStep) -> bool:
    """Whether the same rung waits still, from before a fall: its clock is not restarted."""
    rung = new.colour, new.after_s, new.role
    return any((step.colour, step.after_s, step.role) == rung for step in _waiting(steps))


def _asked(steps: Steps, case: Case) -> dict[Level, int]:
    """The levels that know of the case, and from which transition on their silence counts.

    Told since the source last left blue, or unasked but with a 签收 since the last rise.
    """
    asked = {one.level: case.risen for one in case.receipts if one.n > case.risen}
    told: dict[Level, int] = {}
    for step in steps.values():
        if step.outcome is Outcome.TOLD and step.n >= case.left_blue:
            told[step.level] = max(step.n, told.get(step.level, 0))
    return asked | told


def _silent(step: EscalationStep, steps: Steps, case: Case) -> tuple[Level, int]:
    """Whose silence a rung stands for, and from which transition on."""
    asked = _asked(steps, case)
    below = [level for level in asked if level <= step.level]
    if not below:
        return step.level, step.n
    return max(below), asked[max(below)]


def _signed(case: Case, level: Level, since: int) -> Receipt | None:
    signed = receipt(case, level)
    return signed if signed is not None and signed.n > since else None


def _stopped(step: EscalationStep, steps: Steps, case: Case) -> Receipt | None:
    """The 签收 that makes a rung needless, None if it is still wanted."""
    return _signed(case, *_silent(step, steps, case))


def _received(step: EscalationStep, signed: Receipt, now: ClockReading) -> EscalationStep:
    return replace(step, outcome=Outcome.RECEIVED, done=now.at, by=signed.by)
