"""The timers of rungs, on elapsed time. Pure.

A waiting rung holds a wall time `due` for people, and for itself `left_s` seconds to go at
`mark`, a reading of the monotonic clock. The monotonic clock alone decides, also over a restart of
the process, for it runs on while the machine does: no step of the wall clock fires or stalls a
rung. Only where the machine was started anew, or another one took over (`boot` differs), the wall
clock has to tell once how long nobody looked (`resume`); a wall clock that lies behind then counts
as no time at all.
"""

from dataclasses import replace
from datetime import timedelta

from domain.cases import ClockReading, EscalationStep, Outcome
from domain.elapsed import passed_s


def remaining_s(step: EscalationStep, now: ClockReading) -> float:
    """Seconds until a waiting rung is due, 0 or less if it is."""
    return step.left_s - passed_s(step.mark, now)


def resume(step: EscalationStep, now: ClockReading) -> EscalationStep:
    """The same rung after a start, its timer moved onto the monotonic clock of this machine's run.

    Unchanged where it counts on that clock already.
    """
    if step.outcome is not Outcome.WAITING or step.mark.boot == now.boot:
        return step
    left = remaining_s(step, now)
    return replace(step, left_s=left, mark=now, due=now.at + timedelta(seconds=left))
