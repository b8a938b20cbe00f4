"""The machines of `rules.limits`, compiled: each limit of each tag, sample after sample."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.compiled import compiled, part
from rules.loops import RAISED, RETURNED, WORSE, Edges, Reading, Records, add, form
from rules.machines import Phase, Slots
from rules.plan import SIGN

NORMAL, PENDING, ACTIVE, CLEARING = (int(phase) for phase in Phase)
LIMITS = 4
EACH = 3 * LIMITS
"""Edges of one sample at most: of each limit a delay before it, itself, and a delay after it."""
RULE = form(
    ("limit", np.float64),
    ("deadband", np.float64),
    ("worse", np.float64),
    ("on", np.int64),
    ("off", np.int64),
    ("hold", np.int64),
    ("samples", np.int8),
)
"""A limit, as `LimitTable` has it."""


@compiled
def pass_samples(
    begin: int, slot: Slots, at: Ints, before: Ints, value: Floats, previous: Floats,
    starting: Floats, good: NDArray[np.bool_], rules: Records, silence: Ints,
    row_of: NDArray[np.int32], slot_of: NDArray[np.int32], wake: Ints, machines: Records,
    received: int, edges: Edges,
) -> int:  # fmt: skip
    """Let samples pass from `begin` on, until there may be no room for an edge; where to go on.

    By position: the samples, RULE[m, 4] and silence of their tags. row_of: by slot; slot_of, wake
    and machines by row, see `rules.machines`. There is a free row for each tag that has none.
    """
    free = 1
    for i in range(begin, len(slot)):
        if edges.used[0] + EACH > len(edges.rows):
            return i
        row = row_of[slot[i]]
        heard = min(at[i], before[i] + silence[i])
        for c in range(LIMITS):
            rule, sign = rules[i, c], SIGN[c]
            beyond = sign * starting[i] >= sign * rule.limit
            if row == 0:
                if not beyond:
                    continue
                while slot_of[free] >= 0:
                    free += 1
                row, row_of[slot[i]], slot_of[free] = free, free, slot[i]
            machine = machines[row, c]
            if not beyond and machine.phase == NORMAL:
                continue
            if machine.due <= heard:
                _run_out(edges, machine, slot[i], c, previous[i], rule.limit)
            machine.due = max(machine.due, at[i])
            if machine.phase < ACTIVE:
                _count(machine, rule, at[i], value[i], good[i], beyond)
            elif _clear(machine, rule, sign, at[i], value[i], good[i]):
                _tell(edges, machine, WORSE, slot[i], c, at[i], value[i], rule.limit)
            if machine.due <= at[i]:
                _run_out(edges, machine, slot[i], c, value[i], rule.limit)
        if row != 0 and (i + 1 == len(slot) or slot[i + 1] != slot[i]):
            _rest(row, slot[i], at[i], received, silence[i], row_of, slot_of, wake, machines)
    return len(slot)


@compiled
def pass_time(
    slot: Slots, until: Ints, value: Floats, limit: Floats, row_of: NDArray[np.int32],
    machines: Records, edges: Edges,
) -> None:  # fmt: skip
    """Let delays of tags that have a machine run out, up to event times `until`."""
    for i in range(len(slot)):
        for c in range(LIMITS):
            machine = machines[row_of[slot[i]], c]
            if machine.due <= until[i]:
                _run_out(edges, machine, slot[i], c, value[i], limit[i, c])


@compiled
def follow(
    slot: Slots, last: Ints, received: Ints, silence: Ints, row_of: NDArray[np.int32],
    slot_of: NDArray[np.int32], wake: Ints, machines: Records,
) -> None:  # fmt: skip
    """Free machines that are at rest, and work out `wake` of the others."""
    for i in range(len(slot)):
        row = row_of[slot[i]]
        if row != 0:
            args = row, slot[i], last[i], received[i], silence[i]
            _rest(*args, row_of, slot_of, wake, machines)


@part
def _run_out(edges: Edges, machine: Any, slot: int, c: int, value: float, limit: float) -> None:
    """Raise or return what is due. value: that of the tag."""
    due = machine.due
    if machine.phase == PENDING:
        _tell(edges, machine, RAISED, slot, c, due, machine.extreme, limit)
        machine.phase, machine.due = ACTIVE, FAR
    else:
        _tell(edges, machine, RETURNED, slot, c, due, value, limit)
        _forget(machine)


@part
def _count(machine: Any, rule: Any, at: int, value: float, good: bool, beyond: bool) -> None:
    """What a sample does to NORMAL and PENDING."""
    if not beyond:
        if good:
            _forget(machine)
        return
    if machine.phase == NORMAL:
        machine.phase, machine.count = PENDING, 0
        machine.onset, machine.due = at, at + rule.hold
    machine.extreme = value
    machine.count = min(machine.count + 1, rule.samples)
    if machine.count == rule.samples:
        machine.due = max(machine.onset + rule.on, at)


@part
def _clear(machine: Any, rule: Any, sign: float, at: int, value: float, good: bool) -> bool:
    """What a sample does to ACTIVE and CLEARING; whether it is worse than what was told."""
    back = good and sign * value < sign * rule.limit - rule.deadband
    if machine.phase == ACTIVE:
        if back:
            machine.phase, machine.due = CLEARING, at + rule.off
    elif not back:
        machine.phase, machine.due = ACTIVE, FAR
    worse: bool = sign * value > sign * machine.extreme + rule.worse
    if worse:
        machine.extreme = value
    return worse


@part
def _forget(machine: Any) -> None:
    """Back to NORMAL: see `rules.machines.BLANK`."""
    machine.phase, machine.count = NORMAL, 0
    machine.due, machine.onset, machine.extreme = FAR, NEVER, np.nan


@part
def _rest(
    row: int, slot: int, last: int, received: int, silence: int, row_of: NDArray[np.int32],
    slot_of: NDArray[np.int32], wake: Ints, machines: Records,
) -> None:  # fmt: skip
    """Free a machine that is at rest, or work out when it wakes."""
    due, busy = FAR, False
    for c in range(LIMITS):
        due = min(due, machines[row, c].due)
        busy = busy or machines[row, c].phase != NORMAL
    wake[row] = FAR if due > last + silence else due + (received - last)
    if not busy:
        row_of[slot], slot_of[row], wake[row] = 0, -1, FAR


@part
def _tell(
    edges: Edges, machine: Any, edge: int, slot: int, c: int, effective: int, value: float,
    limit: float,
) -> None:  # fmt: skip
    row = add(edges, Reading(slot, effective, value), c, edge, machine.onset)
    row.limit = limit
