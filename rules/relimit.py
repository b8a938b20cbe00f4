"""New limits over running machines: what a changed limit, deadband or delay does at once."""

from typing import NamedTuple

import numpy as np

from domain.frame import Floats, Ints
from domain.instant import FAR
from rules.limits import Mask
from rules.machines import Machines, Phase, Slots, Some
from rules.plan import SIGN, LimitTable, Where


class Held(NamedTuple):
    """What is known of tags when their limits change, at event times `now`: arrays [m].

    value: float64, NaN = nothing to judge by (none, or too old). good: bool, whether it may end
    anything.
    """

    now: Ints
    value: Floats
    good: Mask


def judge_again(
    old: LimitTable, old_slot: Slots, new: LimitTable, machines: Machines, slot: Slots, held: Held
) -> None:
    """Judge held values where a limit, deadband or delay differs between two tables.

    old_slot, slot: intp[m], the same tags in the old and in the new table; `machines` goes with it.
    A delay that by the new table would have run out before the change runs out at the change.
    """
    tag, column = np.nonzero(_differs(old, old_slot, new, slot))
    before, where = Where(old_slot[tag], column), Where(slot[tag], column)
    now, good = held.now[tag], held.good[tag]
    some = machines.at(where)
    clear_since = some.due - old.off[before]
    value = SIGN[column] * held.value[tag]
    good &= ~np.isnan(value)
    beyond, back = value >= new.edge(where), good & (value < new.back(where))
    begins = beyond & (some.phase == Phase.NORMAL)
    leaves = back & (some.phase == Phase.ACTIVE)
    some.phase[good & ~beyond & (some.phase == Phase.PENDING)] = Phase.NORMAL
    some.phase[good & ~back & (some.phase == Phase.CLEARING)] = Phase.ACTIVE
    some.phase[begins], some.phase[leaves] = Phase.PENDING, Phase.CLEARING
    some.phase[np.isnan(new.limit[where])] = Phase.NORMAL
    np.copyto(some.onset, now, where=begins)
    np.copyto(some.extreme, held.value[tag], where=begins)
    some.count[begins] = 1
    np.copyto(clear_since, now, where=leaves)
    _restart_delays(new, some, where, clear_since, now)
    machines.put(where, some)


def _restart_delays(
    table: LimitTable, some: Some, where: Where, clear_since: Ints, now: Ints
) -> None:
    delay = np.where(some.count >= table.samples[where], table.on[where], table.hold[where])
    pending, clearing = some.phase == Phase.PENDING, some.phase == Phase.CLEARING
    due = np.full_like(some.due, FAR)
    np.copyto(due, some.onset + delay, where=pending)
    np.copyto(due, clear_since + table.off[where], where=clearing)
    np.maximum(due, now, out=some.due)


def _differs(old: LimitTable, old_slot: Slots, new: LimitTable, slot: Slots) -> Mask:
    """Where two tables judge differently: bool[m, 4]."""
    unlike = np.zeros((len(slot), 4), np.bool_)
    for name in ("limit", "deadband", "on", "off", "hold", "samples"):
        mine, theirs = getattr(old, name)[old_slot], getattr(new, name)[slot]
        unlike |= (mine != theirs) & ~((mine != mine) & (theirs != theirs))
    return unlike
