"""After a restart the alarm rows are the truth: making their conditions active.

They can be ahead: an alarm may be durable before the samples that raised or ended it, which then
come once more. So of a tag nothing is taken over that lies after its last judged sample: what the
engine has stays, and samples and time bring it there by themselves.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domain.alarms import OF_NODES, Kind
from domain.frame import Ints
from domain.instant import FAR, NEVER, micros
from domain.policy import LIMITS
from rules import rows, silence
from rules.layers import LAYERS
from rules.machines import Phase
from rules.plan import SIGN, Plan, Where
from rules.rate_state import RateState
from rules.silence import SilenceState

if TYPE_CHECKING:
    from rules.state import RuleState

Condition = tuple[Kind, int, datetime]
"""Kind, tag or node id, onset."""
Wanted = dict[int, int]
"""Row in the arrays of a kind, or subject of a layer -> onset in microseconds."""


def adopt(
    plan: Plan, state: "RuleState", active: Iterable[Condition], ended: Iterable[Condition]
) -> list[Condition]:
    """Make these conditions active and all others not; returns those that have no row. ended: when
    others, which are not active, ended last."""
    wanted: dict[Kind, Wanted] = {kind: {} for kind in Kind}
    orphans = []
    ahead = [one for one in ended if _is_ahead(plan, state, one)]
    for condition in active:
        kind, subject, onset = condition
        row = subject if _is_watched(plan, kind, subject) else _row(plan, kind, subject)
        if row < 0:
            orphans.append(condition)
        elif _is_ahead(plan, state, condition):
            ahead.append(condition)
        else:
            wanted[kind][row] = micros(onset)
    for kind, subject, _ in ahead:
        watched = _is_watched(plan, kind, subject)
        own = _in_layer if watched else _own
        onset_here = own(plan, state, kind, subject)
        if onset_here != NEVER:
            wanted[kind][subject if watched else _row(plan, kind, subject)] = onset_here
    for kind in LIMITS:
        _adopt_limit(plan, state, int(kind), wanted[kind])
    _adopt_rates(state.rates, wanted[Kind.ROC])
    slot, since = _arrays(wanted[Kind.OFFLINE])
    silence.set_offline(plan, state.silence, slot, since)
    _adopt_sources(state.silence, wanted[Kind.SOURCE_OFFLINE])
    for layer, table, memory in zip(LAYERS, plan.layers, state.layers, strict=True):
        for kind in layer.kinds:
            rows.adopt(layer, table, memory, kind, wanted[kind])
    return orphans


def _is_ahead(plan: Plan, state: "RuleState", condition: Condition) -> bool:
    """Whether a condition of a tag began or ended after all that was judged of it."""
    kind, subject, when = condition
    if kind in OF_NODES or kind is Kind.OFFLINE:
        return False
    slot = plan.slot_of(subject)
    return slot >= 0 and NEVER != int(state.at[slot]) < micros(when)


def _in_layer(plan: Plan, state: "RuleState", kind: Kind, subject: int) -> int:
    """The onset of what a layer has active, NEVER = nothing."""
    for layer, table, memory in zip(LAYERS, plan.layers, state.layers, strict=True):
        if kind in layer.kinds:
            row = rows.rows_of(table, [subject])[0]
            return int(memory.onset[row, layer.kinds.index(kind)])
    return NEVER


def _own(plan: Plan, state: "RuleState", kind: Kind, subject: int) -> int:
    """The same of a limit or a rate."""
    row = _row(plan, kind, subject)
    if row < 0:
        return NEVER
    if kind is Kind.ROC:
        return int(state.rates.of["onset"][row])
    machine = state.limits.of[state.limits.row[row], kind]
    return int(machine["onset"]) if machine["phase"] >= Phase.ACTIVE else NEVER


def _is_watched(plan: Plan, kind: Kind, subject: int) -> bool:
    """Whether a layer has a row for this subject."""
    return any(
        kind in layer.kinds and rows.rows_of(table, [subject])[0] >= 0
        for layer, table in zip(LAYERS, plan.layers, strict=True)
    )


def _row(plan: Plan, kind: Kind, subject: int) -> int:
    """Where a condition has its place: slot, row of the rates or of the sources; -1 for none."""
    if kind is Kind.SOURCE_OFFLINE:
        rows = np.flatnonzero(plan.sources.ids == subject)
        return int(rows[0]) if rows.size else -1
    slot = plan.slot_of(subject)
    if slot < 0 or kind is Kind.OFFLINE:
        return slot
    if kind is Kind.ROC:
        return int(plan.rates.row[slot])
    if kind not in LIMITS:
        return -1
    return -1 if np.isnan(plan.limits.limit[slot, kind]) else slot


def _arrays(wanted: Wanted) -> tuple[NDArray[np.intp], Ints]:
    return np.array(list(wanted), np.intp), np.array(list(wanted.values()), np.int64)


def _set(onset: Ints, wanted: Wanted) -> None:
    onset[:] = NEVER
    onset[list(wanted)] = list(wanted.values())


def _adopt_limit(plan: Plan, state: "RuleState", column: int, wanted: Wanted) -> None:
    """An alarm that the engine did not know is as bad as the held value, at least as the limit."""
    machines, (slot, onset) = state.limits, _arrays(wanted)
    busy = machines.busy()
    over = busy[(machines.phase(busy)[:, column] >= Phase.ACTIVE) & ~np.isin(busy, slot)]
    ended = Where(over, np.full(len(over), column))
    some = machines.at(ended)
    some.phase[:] = Phase.NORMAL
    machines.put(ended, some)
    where = Where(slot, np.full(len(slot), column))
    some = machines.at(where)
    unknown = some.phase < Phase.ACTIVE
    worst = np.fmax(SIGN[column] * state.held[slot], plan.limits.edge(where))
    some.extreme[unknown] = SIGN[column] * worst[unknown]
    some.phase[unknown], some.due[unknown] = Phase.ACTIVE, FAR
    some.onset[:] = onset
    machines.put(where, some)


def _adopt_rates(state: RateState, wanted: Wanted) -> None:
    """Which way an unknown one went is not known: it is taken to have risen."""
    onset, sign = state.of["onset"], state.of["sign"]
    _set(onset, wanted)
    active = onset != NEVER
    sign[~active] = 0
    sign[active & (sign == 0)] = 1


def _adopt_sources(state: SilenceState, wanted: Wanted) -> None:
    _set(state.lost, wanted)
    known = np.maximum(state.lost, state.lost_effective)
    state.lost_effective[:] = np.where(state.lost == NEVER, NEVER, known)
