"""The ladder of a warning case: who is told at once, who later, and what stops a clock. Pure.

| the case    | its rungs                                                                        |
|-------------|----------------------------------------------------------------------------------|
| rise        | tells at once whom the colour before had not; sets up the later rungs of the new |
|             | colour; rungs that wait for somebody told now are superseded                     |
| receive     | stops the rungs that stand for the silence of that level, and no others          |
| calm        | withdraws what waits for a 签收: blue has no duties                              |
| closed      | withdraws all that waits                                                         |
| all others  | nothing: neither a fall, nor lost data, nor a release stops a clock              |

A rung stands for the silence of one level: that of its own role if this has been asked (told, or
it signed unasked), else the highest level below that has. A level's silence counts from the newest
rise that told it something. So a desk that signs stops what its own silence would set off, and
nobody else's clock. The telephone tree (`*` in the file) takes no 签收 from before the last rise
for an answer. Rungs that wait for feedback, closing or 核实 have clocks of their
own (`alerts.overdue`), which no 签收 stops.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from alerts import overdue
from alerts.cases import Verb
from alerts.rung_timers import RungTimers, remaining_s, resume
from alerts.silence import signed, silent, stopped
from domain.cases import (
    Case,
    CaseState,
    CaseTransition,
    ClockReading,
    Duty,
    EscalationStep,
    Outcome,
    Receipt,
)
from domain.escalation import Ladder
from domain.ladders import BySource
from domain.risk import Colour

AT_ONCE = 125
"""Cases whose rungs fire in one call, the gravest first: alarms come in between."""
Steps = dict[int, EscalationStep]
"""The rungs of one case by their `no`."""


def begin(ladder: Ladder, change: CaseTransition, no: int, now: ClockReading) -> Steps:
    """The rungs that a rise sets up, counted on from `no`: those at once are told already."""
    case = change.case
    rungs = ladder.colours[case.colour]
    # A rise to the same colour: something new that nobody has answered, for everybody.
    before = change.colour if change.colour is not case.colour else Colour.BLUE
    at_once = [(0.0, role) for role in ladder.new_at_once(before, case.colour)]
    later = [(rung.after_s, role) for rung in rungs.later for role in rung.roles]
    clocks = [(Duty.RECEIVE, *entry) for entry in at_once + later]
    clocks += overdue.begun(ladder, change)
    return _all_set_up(case, clocks, no, now)


def follow(
    ladder: Ladder, steps: Steps, change: CaseTransition, now: ClockReading
) -> list[EscalationStep]:
    """The rungs that a transition of their case makes or changes, in order."""
    case = change.case
    after = dict(steps)
    if change.event == Verb.RISE:
        new = begin(ladder, change, _next_no(steps), now)
        after = _superseded(after, new, now)
        after |= {no: step for no, step in new.items() if not _waits_already(after, step)}
    elif change.event == Verb.SEND_BACK:
        new = _all_set_up(case, overdue.begun(ladder, change), _next_no(steps), now)
        after |= {no: step for no, step in new.items() if not _waits_already(after, step)}
    for step in _waiting(after):
        after[step.no] = _as_it_is(ladder, step, after, case, now)
        if step.duty is Duty.EXPLAIN and after[step.no].outcome is Outcome.ANSWERED:
            after |= _explained(ladder, case, step, after, now)
    return [step for no, step in sorted(after.items()) if steps.get(no) != step]


def fire(ladder: Ladder, steps: Steps, case: Case, now: ClockReading) -> list[EscalationStep]:
    """The rungs whose time has come, in order: told, or found to be stopped; and those that begin
    thereby."""
    after = dict(steps)
    due = [(left, step.no) for step in _waiting(steps) if (left := remaining_s(step, now)) <= 0]
    for _, no in sorted(due):
        step = after[no] = _as_it_is(ladder, after[no], after, case, now)
        if step.outcome is not Outcome.WAITING:
            continue
        after[no] = _told(ladder, step, after, case, now)
        after |= _explained(ladder, case, step, after, now)
    begun = sorted(after.keys() - steps.keys())
    return [after[no] for no in (*(no for _, no in sorted(due)), *begun)]


def still_wanted(step: EscalationStep, case: Case) -> bool:
    """Whether the notice of a rung may be sent, asked at the moment of sending.

    No: once somebody signed for its role's level or for the level whose silence it stands for, the
    source is back at blue, or the case is closed; of one that waited for feedback, closing or 核实,
    once that has come, or the red is over.
    """
    if step.duty is Duty.CLOSE:
        return not (case.state is CaseState.CLOSED or overdue.answered(step, case))
    if case.colour is Colour.BLUE or case.state is CaseState.CLOSED or step.n < case.left_blue:
        return False
    if step.duty is not Duty.RECEIVE:
        return not (overdue.answered(step, case) or overdue.needless(step, case))
    clock = step.level if step.clock is None else step.clock
    since = step.n if step.since is None else step.since
    return not (signed(case, step.level, step.n) or signed(case, clock, since))


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
        ladders: BySource,
        now: ClockReading,
        cases: Iterable[Case] = (),
        steps: Iterable[EscalationStep] = (),
    ) -> None:
        self._ladders = ladders
        self._cases = {case.id: case for case in cases if case.state is not CaseState.CLOSED}
        self._steps: dict[UUID, Steps] = {id: {} for id in self._cases}
        self.moved: list[EscalationStep] = []
        for step in steps:
            if step.case in self._cases:
                here = resume(step, now)
                self._steps[step.case][step.no] = here
                self.moved += [here] if here != step else []
        self._timers = self._timed(now)

    def use(self, ladders: BySource) -> None:
        """Follow other ladders from the next transition or rung on; what is set up stays."""
        self._ladders = ladders

    def steps(self, case: UUID) -> tuple[EscalationStep, ...]:
        """The rungs of an open case, in order."""
        return tuple(step for _, step in sorted(self._steps.get(case, {}).items()))

    def follow(self, change: CaseTransition, now: ClockReading) -> list[EscalationStep]:
        """The rungs that a transition makes or changes; those told are to be sent."""
        case = change.case
        known = self._cases.get(case.id)
        if known is not None and case.n <= known.n:
            return []
        changed = follow(self._ladders.of(case.source), self._steps.get(case.id, {}), change, now)
        self._cases[case.id] = case
        self._steps.setdefault(case.id, {}).update({step.no: step for step in changed})
        self._timers.set(case.id, self._steps[case.id].values(), now)
        if case.state is CaseState.CLOSED:
            del self._cases[case.id], self._steps[case.id]
        return changed

    def fire(self, now: ClockReading) -> list[EscalationStep]:
        """The rungs whose time has come, of at most `AT_ONCE` cases; those told are to be sent, and
        the others fire with the next calls."""
        if not self._timers.counts(now):
            self._timers = self._timed(now)
        due = [id for id in self._timers.take(now) if id in self._cases]
        due.sort(key=lambda id: -self._cases[id].colour)
        changed: list[EscalationStep] = []
        for number, id in enumerate(due):
            if number < AT_ONCE:
                case = self._cases[id]
                fired = fire(self._ladders.of(case.source), self._steps[id], case, now)
                self._steps[id].update({step.no: step for step in fired})
                changed += fired
            self._timers.set(id, self._steps[id].values(), now)
        return changed

    def _timed(self, now: ClockReading) -> RungTimers:
        timers = RungTimers(now.boot)
        for id, steps in self._steps.items():
            timers.set(id, steps.values(), now)
        return timers

    def mark(self, step: EscalationStep) -> None:
        """Remember a told rung with what sending it brought to light (`unnamed`)."""
        if step.case in self._steps:
            self._steps[step.case][step.no] = step

    def next_in_s(self, now: ClockReading) -> float | None:
        """Seconds until the next call of `fire` can matter, None if no rung waits."""
        waiting = (step for steps in self._steps.values() for step in _waiting(steps))
        return min((max(0.0, remaining_s(step, now)) for step in waiting), default=None)


def _next_no(steps: Steps) -> int:
    return max(steps, default=0) + 1


def _all_set_up(case: Case, clocks: Iterable[overdue.Clock], no: int, now: ClockReading) -> Steps:
    return {no + k: _set_up(case, clock, no + k, now) for k, clock in enumerate(clocks)}


def _set_up(case: Case, clock: overdue.Clock, no: int, now: ClockReading) -> EscalationStep:
    duty, after_s, role = clock
    due = now.at + timedelta(seconds=after_s)
    step = EscalationStep(
        case.id, no, case.n, case.colour, role.code, role.level, after_s, due, after_s, now
    )
    if after_s > 0:
        return replace(step, duty=duty)
    return replace(step, outcome=Outcome.TOLD, done=now.at, clock=role.level, since=case.n)


def _explained(
    ladder: Ladder, case: Case, step: EscalationStep, steps: Steps, now: ClockReading
) -> Steps:
    """The rung that begins where one that asks for an explanation is over."""
    clock = overdue.again(ladder, case, step)
    return {} if clock is None else _all_set_up(case, [clock], _next_no(steps), now)


def _as_it_is(
    ladder: Ladder, step: EscalationStep, steps: Steps, case: Case, now: ClockReading
) -> EscalationStep:
    """A waiting rung, with its outcome where it has nothing to wait for any more."""
    if step.duty is not Duty.RECEIVE:
        if overdue.answered(step, case):
            by = overdue.who(step, case)
            return replace(step, outcome=Outcome.ANSWERED, done=now.at, by=by)
        gone = overdue.needless(step, case)
    else:
        gone = case.state is CaseState.CLOSED or case.colour is Colour.BLUE
    if gone:
        return replace(step, outcome=Outcome.WITHDRAWN, done=now.at)
    if step.duty is not Duty.RECEIVE:
        return step
    everyone = ladder.tells_everyone(step.colour, step.after_s)
    receipt = stopped(step, steps, case, everyone)
    return step if receipt is None else _received(step, receipt, now)


def _waiting(steps: Steps) -> list[EscalationStep]:
    return [step for _, step in sorted(steps.items()) if step.outcome is Outcome.WAITING]


def _superseded(steps: Steps, new: Steps, now: ClockReading) -> Steps:
    told = {step.role for step in new.values() if step.outcome is Outcome.TOLD}
    gone = [step for step in _waiting(steps) if step.role in told and step.duty is Duty.RECEIVE]
    return steps | {
        step.no: replace(step, outcome=Outcome.SUPERSEDED, done=now.at) for step in gone
    }


def _waits_already(steps: Steps, new: EscalationStep) -> bool:
    """Whether the same rung waits still, from before a fall: its clock is not restarted."""
    rung = new.colour, new.after_s, new.role, new.duty
    return any(
        (step.colour, step.after_s, step.role, step.duty) == rung for step in _waiting(steps)
    )


def _told(
    ladder: Ladder, step: EscalationStep, steps: Steps, case: Case, now: ClockReading
) -> EscalationStep:
    told = replace(step, outcome=Outcome.TOLD, done=now.at, since=case.n)
    if step.duty is not Duty.RECEIVE:
        return told
    everyone = ladder.tells_everyone(step.colour, step.after_s)
    clock, since = silent(step, steps, case, everyone)
    return replace(told, clock=clock, since=since)


def _received(step: EscalationStep, signed: Receipt, now: ClockReading) -> EscalationStep:
    return replace(step, outcome=Outcome.RECEIVED, done=now.at, by=signed.by)
