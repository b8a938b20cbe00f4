"""Limits by which what is active now was raised: what a change of mode must not take away."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from domain.alarms import Kind
from domain.instant import NEVER
from domain.modes import Held
from domain.risk_model import risk_model
from domain.signals import Signals
from rules.composites import COMPOSITES
from rules.forecast import FORECAST
from rules.layers import LAYERS
from rules.machines import Phase
from rules.plan import Plan
from rules.rows import Layer
from rules.state import RuleState
from rules.vote_table import VoteTable
from rules.votes import VOTES


def active_limits(plan: Plan, state: RuleState) -> Held:
    """Limits of active alarms LL, L, H, HH, and those that the members of active votes vote on."""
    held: dict[int, dict[Kind, float]] = {}
    for slot, column in (*_of_tags(state), *_of_votes(plan, state)):
        own = held.setdefault(int(plan.tags[slot]), {})
        own[Kind(column)] = float(plan.limits.limit[slot, column])
    return held


def active_rules(plan: Plan, state: RuleState) -> list[int]:
    """Node ids of the written rules that hold."""
    return _active(plan, state, COMPOSITES, Kind.COMPOSITE)


def foreseen(plan: Plan, state: RuleState, known: Signals) -> list[int]:
    """Tags whose forecast brings points, or is alarmed of. known: of this moment."""
    furthest = float(max(risk_model().trend.ratio))
    soon = known.tags[known.ahead <= furthest * known.action].tolist()
    return sorted({*soon, *_active(plan, state, FORECAST, Kind.PREDICT)})


def _active(plan: Plan, state: RuleState, layer: Layer, kind: Kind) -> list[int]:
    """Subjects of a layer of which a kind is active."""
    number = LAYERS.index(layer)
    active = state.layers[number].onset[:, layer.kinds.index(kind)] != NEVER
    found: list[int] = plan.layers[number].keys[active].tolist()
    return found


def _of_tags(state: RuleState) -> Iterator[tuple[int, int]]:
    """Slots and columns."""
    busy = state.limits.busy()
    which, column = np.nonzero(state.limits.phase(busy) >= Phase.ACTIVE)
    yield from zip(busy[which].tolist(), column.tolist(), strict=True)


def _of_votes(plan: Plan, state: RuleState) -> Iterator[tuple[int, int]]:
    number = LAYERS.index(VOTES)
    table = cast(VoteTable, plan.layers[number])
    row = np.flatnonzero(state.layers[number].onset[:, VOTES.kinds.index(Kind.VOTE)] != NEVER)
    pair = np.flatnonzero(np.isin(table.members.row, row))
    slot = table.members.slot[pair]
    limit = (table.limits["sign"] * table.limits["edge"])[pair]
    which, column = np.nonzero(plan.limits.limit[slot] == limit[:, None])
    yield from zip(slot[which].tolist(), column.tolist(), strict=True)
