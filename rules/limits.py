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

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge
from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.findings import Collector
from rules.plan import SIGN, LimitTable, Plan
from rules.samples import Samples

Mask = NDArray[np.bool_]
Slots = NDArray[np.intp]


class Phase(IntEnum):
    """Where the machine of one limit stands."""

    NORMAL = 0
    PENDING = 1
    ACTIVE = 2
    CLEARING = 3


class Where(NamedTuple):
    """Some machines, by slot and column: intp[k] each."""

    slot: Slots
    column: NDArray[np.intp]


@dataclass(slots=True, eq=False)
class Machines:
    """Machines of limits, of shape [n, 4] in columns LL, L, H, HH, or some of them, of shape [k].

    phase: int8, see `Phase`. due: int64, event time at which the running delay runs out, FAR =
    none. onset: int64, event time of the first sample beyond, NEVER in NORMAL. count: int8, samples
    beyond while PENDING, up to the number that is asked for. extreme: float64, the last value
    beyond while PENDING, then the worst that was told; NaN in NORMAL.
    """

    phase: NDArray[np.int8]
    due: Ints
    onset: Ints
    count: NDArray[np.int8]
    extreme: Floats

    @staticmethod
    def normal(shape: tuple[int, ...]) -> "Machines":
        """Machines in NORMAL."""
        return Machines(
            np.zeros(shape, np.int8),
            np.full(shape, FAR, np.int64),
            np.full(shape, NEVER, np.int64),
            np.zeros(shape, np.int8),
            np.full(shape, np.nan),
        )

    def at(self, where: Where) -> "Machines":
        """Copies of some machines."""
        return Machines(*(getattr(self, name)[where] for name in Machines.__slots__))

    def put(self, where: Where, some: "Machines") -> None:
        """Write machines back; what is NORMAL forgets everything."""
        normal = some.phase == Phase.NORMAL
        if normal.any():
            blank = Machines.normal(some.phase.shape)
            for name in Machines.__slots__:
                np.copyto(getattr(some, name), getattr(blank, name), where=normal)
        for name in Machines.__slots__:
            getattr(self, name)[where] = getattr(some, name)


@dataclass(slots=True, eq=False)
class LimitState:
    """All machines [n, 4], changed in place by this module, and by slot [n] what follows from them.

    busy: bool, a limit is not NORMAL. wake: int64, wall time in microseconds at which a delay runs
    out if no sample comes before, FAR = none.
    """

    machines: Machines
    busy: Mask
    wake: Ints

    @staticmethod
    def fresh(n: int) -> "LimitState":
        """n tags in NORMAL."""
        return LimitState(Machines.normal((n, 4)), np.zeros(n, np.bool_), np.full(n, FAR, np.int64))

    def follow(self, plan: Plan, slot: Slots, last: Ints, received: Ints | int) -> None:
        """Work out `busy` and `wake` anew. last: int64[m], event times of the last samples of these
        slots; received: int64[m], when they came."""
        due = self.machines.due[slot].min(axis=1)
        never = due > last + plan.silence[slot]
        self.busy[slot] = (self.machines.phase[slot] != Phase.NORMAL).any(axis=1)
        self.wake[slot] = np.where(never, FAR, due + (received - last))


def judge(plan: Plan, state: LimitState, samples: Samples, found: Collector) -> None:
    """Let one sample for each of several tags pass: first the delays up to it, then itself."""
    beyond = SIGN * samples.starting[:, None] >= plan.limits.edge[samples.slot]
    concerned = beyond | (state.machines.phase[samples.slot] != Phase.NORMAL)
    sample, column = np.nonzero(concerned)
    where, samples = Where(samples.slot[sample], column), samples.take(sample)
    some = state.machines.at(where)
    heard = np.minimum(samples.at, samples.before + plan.silence[where.slot])
    _run_out(plan, some, where, heard, samples.previous, found)
    np.maximum(some.due, samples.at, out=some.due)
    _count(plan.limits, some, where, samples, beyond[concerned])
    _clear(plan.limits, some, where, samples)
    _tell_worse(plan, some, where, samples, found)
    _run_out(plan, some, where, samples.at, samples.value, found)
    state.machines.put(where, some)


def pass_time(
    plan: Plan,
    state: LimitState,
    at: int,
    last: Ints,
    received: Ints,
    held: Floats,
    found: Collector,
) -> None:
    """Let delays run out up to wall time `at`; last, received, held by slot: of the last samples.

    The clock of a tag goes on from its last sample as the wall clock does since that was received.
    """
    slot = np.flatnonzero(state.wake <= at)
    if not slot.size:
        return
    tag, column = np.nonzero(state.machines.due[slot] != FAR)
    where = Where(slot[tag], column)
    now = last[where.slot] + (at - received[where.slot])
    until = np.minimum(now, last[where.slot] + plan.silence[where.slot])
    some = state.machines.at(where)
    _run_out(plan, some, where, until, held[where.slot], found)
    state.machines.put(where, some)
    state.follow(plan, slot, last[slot], received[slot])


def _run_out(
    plan: Plan, some: Machines, where: Where, until: Ints, value: Floats, found: Collector
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
    some: Machines,
    where: Where,
    which: Mask,
    effective: Ints,
    value: Floats,
    found: Collector,
) -> None:
    slot, column = where.slot[which], where.column[which]
    limit = plan.limits.limit[slot, column]
    found.tags(edge, column, slot, some.onset[which], effective[which], value[which], limit)


def _count(table: LimitTable, some: Machines, where: Where, samples: Samples, beyond: Mask) -> None:
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


def _clear(table: LimitTable, some: Machines, where: Where, samples: Samples) -> None:
    """What a sample does to ACTIVE and CLEARING."""
    value = SIGN[where.column] * samples.value
    back = samples.good & (value < table.back[where])
    stays = (some.phase == Phase.CLEARING) & ~back
    leaves = (some.phase == Phase.ACTIVE) & back
    some.phase[stays] = Phase.ACTIVE
    some.due[stays] = FAR
    some.phase[leaves] = Phase.CLEARING
    np.copyto(some.due, samples.at + table.off[where], where=leaves)


def _tell_worse(
    plan: Plan, some: Machines, where: Where, samples: Samples, found: Collector
) -> None:
    sign = SIGN[where.column]
    bound = sign * some.extreme + plan.limits.worse[where]
    worse = (some.phase >= Phase.ACTIVE) & (sign * samples.value > bound)
    _tell(Edge.WORSE, plan, some, where, worse, samples.at, samples.value, found)
    np.copyto(some.extreme, samples.value, where=worse)
