"""The timers of rungs, on elapsed time. Pure.

A waiting rung holds a wall time `due` for people, and for itself `left_s` seconds to go at
`mark`, a reading of the monotonic clock. The monotonic clock alone decides, also over a restart of
the process, for it runs on while the machine does: no step of the wall clock fires or stalls a
rung. Only where the machine was started anew, or another one took over (`boot` differs), the wall
clock has to tell once how long nobody looked (`resume`); a wall clock that lies behind then counts
as no time at all.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from heapq import heappop, heappush
from uuid import UUID

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


SLACK_S = 1e-6
"""A case is looked at so much too early rather than not: its rungs reckon for themselves."""


class RungTimers:
    """Which cases have a rung whose time may have come, so that a tick asks those and no others.

    One machine's run alone: readings of another `boot` make it of no use (`counts`), then it is to
    be filled anew.
    """

    def __init__(self, boot: str = "") -> None:
        self._boot = boot
        self._next: dict[UUID, float] = {}
        self._heap: list[tuple[float, int, UUID]] = []
        self._order = 0

    def counts(self, now: ClockReading) -> bool:
        """Whether it reckons on the line of `now`."""
        return self._boot == now.boot

    def set(self, case: UUID, steps: Iterable[EscalationStep], now: ClockReading) -> None:
        """These are the rungs of a case now; none that waits: it is forgotten."""
        left = [remaining_s(one, now) for one in steps if one.outcome is Outcome.WAITING]
        if not left:
            self._next.pop(case, None)
            return
        due = now.elapsed + min(left)
        if self._next.get(case) != due:
            self._next[case] = due
            self._order += 1
            heappush(self._heap, (due, self._order, case))

    def take(self, now: ClockReading) -> list[UUID]:
        """The cases whose time has come, the longest due first. Each is to be `set` again."""
        taken: list[UUID] = []
        while self._heap and self._heap[0][0] <= now.elapsed + SLACK_S:
            due, _, case = heappop(self._heap)
            if self._next.get(case) == due:
                del self._next[case]
                taken.append(case)
        return taken
