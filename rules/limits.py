"""Limits LL, L, H, HH with deadband and delays: one small machine for each limit of each tag.

What a sample does to a machine, by quality (good, or flagged) and by where its value lies:

| phase    | good, beyond | good, between | good, returned | flagged, beyond | else   |
|----------|--------------|---------------|----------------|-----------------|--------|
| NORMAL   | PENDING      |               |                | PENDING         |        |
| PENDING  | counts       | NORMAL        | NORMAL         | counts          |        |
| ACTIVE   |              |               | CLEARING       |                 |        |
| CLEARING | ACTIVE       | ACTIVE        |                | ACTIVE          | ACTIVE |

*Beyond* is inclusive, v >= H or v <= L; *returned* is strict, v < H - deadband or v > L + deadband
(ISA-18.2; vendors differ). PENDING becomes ACTIVE (RAISED) when the on-delay has run out, CLEARING
becomes NORMAL (RETURNED) when the off-delay has. WORSE is told of an active alarm for a value, good
or flagged, that exceeds the worst told so far by a step. NaN, no value, is "else".

A delay runs in the tag's event time, and only while the tag is heard: one that would have run out
later than the last sample + `silence` runs out at the sample that ends the silence, if that sample
does not undo it. So silence never returns an alarm. Gas, fire and states act on one sample; process
limits on two, or on one that holds for `hold` (after EEMUA 191 on spurious alarms; numbers:
hazwatch proposal).
"""

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules import limit_machine
from rules.findings import Collector
from rules.limit_machine import EACH, LIMITS, RULE
from rules.loops import Edges, Records, room
from rules.machines import Machines, Slots
from rules.plan import Plan
from rules.samples import Samples

Mask = NDArray[np.bool_]
MOST = 4096
"""Edges that are told at once."""


def loud(plan: Plan, machines: Machines, samples: Samples) -> Mask:
    """Samples that a limit has to look at, bool[m]; the others lie between limits at rest."""
    where, value = samples.where, samples.starting
    found = value >= plan.limits.high[where]
    found |= value <= plan.limits.low[where]
    found |= machines.row[where] != 0
    return found


def judge(
    plan: Plan, machines: Machines, samples: Samples, received: int, found: Collector
) -> None:
    """Let samples of a frame with stamp `received` pass, all of each tag that has a loud one: the
    delays up to each, then itself."""
    s, m, begin = samples, machines, 0
    m.make_room(s.slot)
    rules, silence = _rules(plan, s.slot), plan.silence[s.slot]
    while begin < len(s):
        edges = room(min(MOST, EACH * (len(s) - begin)))
        begin = limit_machine.pass_samples(
            begin, s.slot, s.at, s.before, s.value, s.previous, s.starting, s.good, rules, silence,
            m.row, m.slot, m.wake, m.of, received, edges,
        )  # fmt: skip
        _tell(plan, edges, found)


def pass_time(
    plan: Plan,
    machines: Machines,
    at: int,
    last: Ints,
    received: Ints,
    held: Floats,
    found: Collector,
) -> None:
    """Let delays run out up to wall time `at`; last, received, held by slot: of the last samples.

    The clock of a tag goes on from its last sample as the wall clock does since that was received.
    """
    row = np.flatnonzero(machines.wake <= at)
    if not row.size:
        return
    slot = np.sort(machines.slot[row].astype(np.intp))  # rows are as they were taken, by a restart
    last, received = last[slot], received[slot]
    until = np.minimum(last + (at - received), last + plan.silence[slot])
    edges, limit = room(LIMITS * len(slot)), np.ascontiguousarray(plan.limits.limit[slot])
    limit_machine.pass_time(slot, until, held[slot], limit, machines.row, machines.of, edges)
    follow(plan, machines, slot, last, received)
    _tell(plan, edges, found)


def follow(plan: Plan, machines: Machines, slot: Slots, last: Ints, received: Ints) -> None:
    """Free the machines of these slots that are at rest, and work out `wake` of the others.

    last, received: int64[m], event times and stamps of the last samples of these slots.
    """
    m, silence = machines, plan.silence[slot]
    limit_machine.follow(slot, last, received, silence, m.row, m.slot, m.wake, m.of)


def _rules(plan: Plan, slot: Slots) -> Records:
    rules = np.empty((len(slot), LIMITS), RULE)
    for name in RULE.names or ():
        rules[name] = getattr(plan.limits, name)[slot]
    return rules


def _tell(plan: Plan, edges: Edges, found: Collector) -> None:
    told = edges.rows[: edges.used[0]]
    found.tags(
        told["edge"], told["column"], told["number"], told["onset"], told["effective"],
        told["value"], told["limit"],
    )  # fmt: skip
