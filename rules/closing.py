"""What ends when a plan is swapped: conditions of tags, limits and sources that are gone."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.instant import NEVER
from rules import rows, silence
from rules.findings import Collector
from rules.layers import LAYERS
from rules.machines import Phase
from rules.plan import Plan, Where

if TYPE_CHECKING:
    from rules.state import RuleState

REMOVED = "位号已移除 the tag is no longer registered"
REPLACED = "位号已换版 a new version of the tag has taken its place"
UNLIMITED = "限值已取消 the limit is no longer set"
UNWATCHED = "规则已取消 the rule is no longer set"
SOURCE_REMOVED = "重大危险源已无测点 the source has no tags any more"


def close(
    old_plan: Plan, old_state: "RuleState", new_plan: Plan, at_us: int, found: Collector
) -> None:
    """Tell Edge.CLOSED, effective at `at_us`, of each active condition that the new plan lacks."""
    new_slot = new_plan.slots_of(old_plan.tags)
    replaced = _replaced(old_plan, new_plan, new_slot < 0)
    for slot, reason in (
        (np.flatnonzero((new_slot < 0) & ~replaced), REMOVED),
        (np.flatnonzero(replaced), REPLACED),
    ):
        _close_tags(old_plan, old_state, slot, at_us, reason, found)
    kept = np.flatnonzero(new_slot >= 0)
    _close_limits(
        old_plan,
        old_state,
        kept,
        np.isnan(new_plan.limits.limit[new_slot[kept]]),
        at_us,
        UNLIMITED,
        found,
    )
    unrated = kept[new_plan.rates.row[new_slot[kept]] < 0]
    _close_rates(old_plan, old_state, unrated, at_us, UNLIMITED, found)
    _close_sources(old_plan, old_state, new_plan, at_us, found)
    _close_layers(old_plan, old_state, new_plan, replaced, at_us, found)


def _replaced(old_plan: Plan, new_plan: Plan, gone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the gone tags live on under another id: bool[n]."""
    replaced = np.zeros(len(old_plan), np.bool_)
    if gone.any():
        replaced[gone] = np.isin(old_plan.names[gone], new_plan.names)
    return replaced


def _close_tags(
    plan: Plan,
    state: "RuleState",
    slot: NDArray[np.intp],
    at_us: int,
    reason: str,
    found: Collector,
) -> None:
    _close_limits(plan, state, slot, np.ones((len(slot), 4), np.bool_), at_us, reason, found)
    _close_rates(plan, state, slot, at_us, reason, found)
    silent = slot[state.silence.offline[slot]]
    since = silence.onset(plan, state.silence, silent)
    found.tags(Edge.CLOSED, Kind.OFFLINE, silent, since, at_us, reason=reason)


def _close_limits(
    plan: Plan,
    state: "RuleState",
    slot: NDArray[np.intp],
    gone: NDArray[np.bool_],
    at_us: int,
    reason: str,
    found: Collector,
) -> None:
    """gone: bool[m, 4], which limits of these slots are no longer watched."""
    tag, column = np.nonzero(gone & (state.limits.phase(slot) >= Phase.ACTIVE))
    where = Where(slot[tag], column)
    found.tags(
        Edge.CLOSED,
        column,
        slot[tag],
        state.limits.at(where).onset,
        at_us,
        state.held[slot[tag]],
        plan.limits.limit[where],
        reason,
    )


def _close_rates(
    plan: Plan,
    state: "RuleState",
    slot: NDArray[np.intp],
    at_us: int,
    reason: str,
    found: Collector,
) -> None:
    row = plan.rates.row[slot]
    row = row[row >= 0]
    row = row[state.rates.of["sign"][row] != 0]
    found.tags(
        Edge.CLOSED,
        Kind.ROC,
        plan.rates.slot[row],
        state.rates.of["onset"][row],
        at_us,
        limit=state.rates.limit(plan, row),
        reason=reason,
    )


def _close_sources(
    plan: Plan, state: "RuleState", new_plan: Plan, at_us: int, found: Collector
) -> None:
    lost = state.silence.lost
    row = np.flatnonzero((lost != NEVER) & ~np.isin(plan.sources.ids, new_plan.sources.ids))
    found.nodes(
        Edge.CLOSED,
        Kind.SOURCE_OFFLINE,
        plan.sources.ids[row],
        lost[row],
        at_us,
        reason=SOURCE_REMOVED,
    )


def _close_layers(
    old_plan: Plan,
    old_state: "RuleState",
    new_plan: Plan,
    replaced: NDArray[np.bool_],
    at_us: int,
    found: Collector,
) -> None:
    """What layers no longer watch. replaced: bool[n], by slot of the old plan."""
    for layer, table, memory, new_table in zip(
        LAYERS, old_plan.layers, old_state.layers, new_plan.layers, strict=True
    ):
        unwatched = ~np.isin(table.keys, new_table.keys)
        if layer.of_nodes:
            rows.close(layer, table, memory, unwatched, at_us, UNWATCHED, found)
            continue
        gone = unwatched & (new_plan.slots_of(table.keys) < 0)
        renewed = gone & replaced[old_plan.slots_of(table.keys)]
        for which, reason in (
            (renewed, REPLACED),
            (gone & ~renewed, REMOVED),
            (unwatched & ~gone, UNWATCHED),
        ):
            rows.close(layer, table, memory, which, at_us, reason, found)
