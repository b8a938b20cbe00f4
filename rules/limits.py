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

from domain.alarms import Edge
from domain.frame import Floats, Ints
from domain.instant import FAR
from rules.findings import Collector
from rules.machines import Machines, Phase, Slots, Some
from rules.plan import SIGN, LimitTable, Plan, Where
from rules.samples import Samples

Mask = NDArray[np.bool_]


def loud(plan: Plan, machines: Machines, samples: Samples) -> Mask:
    """Samples that a limit has to look at, bool[m]; the others lie between limits at rest."""
    where, value = samples.where, samples.starting
    found = value >= plan.limits.high[where]
    found |= value <= plan.limits.low[where]
    found |= machines.row[where] != 0
    return found


def follow(plan: Plan, machines: Machines, slot: Slots, last: Ints, received: Ints | int) -> None:
    """Work out `wake` anew. last: int64[m], event times of the last samples of these slots;
    received: int64[m], when they came."""
    row = machines.row[slot]
    due = machines.some.due[row].min(axis=1, initial=FAR)
    never = due > last + plan.silence[slot]
    machines.wake[row] = np.where(never, FAR, due + (received - last))
    machines.wake[0] = FAR


def judge(plan: Plan, machines: Machines, samples: Samples, found: Collector) -> None:
    """Let one sample for each of several tags pass: first the delays up to it, then itself."""
    beyond = SIGN * samples.starting[:, None] >= SIGN * plan.limits.limit[samples.slot]
    concerned = beyond | (machines.phase(samples.slot) != Phase.NORMAL)
    sample, column = np.nonzero(concerned)
    where, samples = Where(samples.slot[sample], column), samples.take(sample)
    some = machines.at(where)
    heard = np.minimum(samples.at, samples.before + plan.silence[where.slot])
    _run_out(plan, some, where, heard, samples.previous, found)
    np.maximum(some.due, samples.at, out=some.due)
    _count(plan.limits, some, where, samples, beyond[concerned])
    _clear(plan.limits, some, where, samples)
    _tell_worse(plan, some, where, samples, found)
    _run_out(plan, some, where, samples.at, samples.value, found)
    machines.put(where, some)


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
    slot = machines.slot[row].astype(np.intp)
    tag, column = np.nonzero(machines.some.due[row] != FAR)
    where = Where(slot[tag], column)
    now = last[where.slot] + (at - received[where.slot])
    until = np.minimum(now, last[where.slot] + plan.silence[where.slot])
    some = machines.at(where)
    _run_out(plan, some, where, until, held[where.slot], found)
    machines.put(where, some)
    follow(plan, machines, slot, last[slot], received[slot])


def _run_out(
    plan: Plan, some: Some, where: Where, until: Ints, value: Floats, found: Collector
) -> None:
    """Raise and return what is due by event times `until`. value: that of each machine's tag."""
    out = some.due <= until
    if not out.any():
        return
    raised = out & (some.phase == Phase.PENDING)
    returned = out & ~raised
    _tell(Edge.RAISED, plan, some, where, raised, some.due, some.extreme, found)
    _tell(Edge.RETURNED, plan, some, where, returned, some.due, value, found)
    some.phase[raised] = Phase.ACTIVE
    some.phase[returned] = Phase.NORMAL
    some.due[out] = FAR


def _tell(
    edge: Edge,
    plan: Plan,
    some: Some,
    where: Where,
    which: Mask,
    effective: Ints,
    value: Floats,
    found: Collector,
) -> None:
    slot, column = where.slot[which], where.column[which]
    limit = plan.limits.limit[slot, column]
    found.tags(edge, column, slot, some.onset[which], effective[which], value[which], limit)


def _count(table: LimitTable, some: Some, where: Where, samples: Samples, beyond: Mask) -> None:
    """What a sample does to NORMAL and PENDING; beyond: bool[k]."""
    gone = (some.phase == Phase.PENDING) & samples.good & ~beyond
    some.phase[gone] = Phase.NORMAL
    some.due[gone] = FAR
    beyond = beyond & (some.phase < Phase.ACTIVE)
    if not beyond.any():
        return
    begins = beyond & (some.phase == Phase.NORMAL)
    some.phase[begins] = Phase.PENDING
    some.count[begins] = 0
    np.copyto(some.onset, samples.at, where=begins)
    np.copyto(some.due, samples.at + table.hold[where], where=begins)
    np.copyto(some.extreme, samples.value, where=beyond)
    asked = table.samples[where]
    np.copyto(some.count, np.minimum(some.count + 1, asked), where=beyond)
    enough = beyond & (some.count == asked)
    np.copyto(some.due, np.maximum(some.onset + table.on[where], samples.at), where=enough)


def _clear(table: LimitTable, some: Some, where: Where, samples: Samples) -> None:
    """What a sample does to ACTIVE and CLEARING."""
    value = SIGN[where.column] * samples.value
    back = samples.good & (value < table.back(where))
    stays = (some.phase == Phase.CLEARING) & ~back
    leaves = (some.phase == Phase.ACTIVE) & back
    some.phase[stays] = Phase.ACTIVE
    some.due[stays] = FAR
    some.phase[leaves] = Phase.CLEARING
    np.copyto(some.due, samples.at + table.off[where], where=leaves)


def _tell_worse(plan: Plan, some: Some, where: Where, samples: Samples, found: Collector) -> None:
    sign = SIGN[where.column]
    bound = sign * some.extreme + plan.limits.worse[where]
    worse = (some.phase >= Phase.ACTIVE) & (sign * samples.value > bound)
    _tell(Edge.WORSE, plan, some, where, worse, samples.at, samples.value, found)
    np.copyto(some.extreme, samples.value, where=worse)
