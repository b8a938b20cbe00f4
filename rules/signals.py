"""`Signals` for the risk, from the memories of the layers: forecasts, loads, flows that stand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import NEVER, SECOND
from domain.plant import Registry, TagKind
from domain.risk_model import risk_model
from domain.signals import Signals
from rules.forecast import FORECAST
from rules.forecast_table import ForecastTable
from rules.inventory import INVENTORY
from rules.inventory_rows import fill
from rules.layers import LAYERS
from rules.outlook import ahead
from rules.plan import Plan
from rules.rows import Layer
from rules.state import RuleState


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Flow tags of a plan. slot: intp[f], rising. cut: float64[f], at or below which nothing flows,
    in the tag's unit."""

    slot: NDArray[np.intp]
    cut: Floats


def flows_of(registry: Registry, plan: Plan) -> Flows:
    """The flow tags, each with its low-flow cut-off: a share of its span, 0 where it has none."""
    tags = [registry.tags[id] for id in plan.tags.tolist()]
    flows = [(slot, tag) for slot, tag in enumerate(tags) if tag.kind is TagKind.FLOW]
    share = risk_model().floors.still
    cuts = [share * (tag.range[1] - tag.range[0]) if tag.range else 0.0 for _, tag in flows]
    return Flows(np.array([slot for slot, _ in flows], np.intp), np.array(cuts, np.float64))


def signals(plan: Plan, flows: Flows, state: RuleState, at_us: int) -> Signals:
    """What the rules know at wall time `at_us`, microseconds."""
    table, memory = _of(FORECAST, plan, state)
    slot = plan.slots_of(table.keys)
    soon = ahead(plan, table, memory, state.seen(), at_us)[slot]
    load = fill(plan, *_of(INVENTORY, plan, state))
    return Signals(
        table.keys, soon, _action(table), load.sources, load.u, _still(plan, flows, state, at_us)
    )


def _of(layer: Layer, plan: Plan, state: RuleState) -> tuple[Any, Any]:
    """Table and memory of a layer."""
    n = LAYERS.index(layer)
    return plan.layers[n], state.layers[n]


def _action(table: ForecastTable) -> Ints:
    """Operator action time by row: int64[r], microseconds."""
    action: Ints = np.rint(table.sorts["action"][table.sort].astype(np.float64) * SECOND).astype(
        np.int64
    )
    return action


def _still(plan: Plan, flows: Flows, state: RuleState, at_us: int) -> NDArray[np.int32]:
    """Flow tags whose last sample is good, not older than a healthy silence, and says that nothing
    flows."""
    slot, seen = flows.slot, state.seen()
    last = seen.at[slot]
    heard = (last != NEVER) & (seen.good[slot] == last)
    fresh = heard & (at_us - seen.received[slot] <= plan.silence[slot])
    still: NDArray[np.int32] = plan.tags[slot[fresh & (np.abs(seen.held[slot]) <= flows.cut)]]
    return still
