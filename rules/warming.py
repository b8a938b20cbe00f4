"""Calls every compiled loop once: what has to be compiled is compiled before anybody waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from domain.alarms import Kind
from domain.frame import Frame
from domain.instant import micros
from domain.plant import Node, Registry, Tag, TagKind
from rules.compiling import compile_plan
from rules.engine import step
from rules.forecast import FORECAST
from rules.layers import LAYERS
from rules.outlook import ahead, outlook
from rules.state import RuleState
from rules.thinning import enough

_START = datetime(2000, 1, 1, tzinfo=UTC)
_STEPS = 3
"""A first sample, a second one, and a third one that lets delays run out."""


def warm_up() -> None:
    """Judge a plant of a few tags for a moment. Seconds where nothing is kept compiled, else less
    than one."""
    plan = compile_plan(_plant())
    state = RuleState.fresh(plan, micros(_START))
    for number in range(1, _STEPS + 1):
        at = _START + timedelta(seconds=number)
        value = np.full(len(plan), 10.0 * number)
        times = np.full(len(plan), micros(at))
        step(plan, state, Frame.of(plan.tags, times, value, received=micros(at)), at)
    step(plan, state, None, at + timedelta(hours=1))
    n = LAYERS.index(FORECAST)
    table: Any = plan.layers[n]
    memory: Any = state.layers[n]
    ahead(plan, table, memory, state.seen(), micros(at))
    outlook(plan, table, memory, state.seen(), 0, micros(at))
    ramp = np.arange(3)
    enough(ramp, ramp / 2, np.zeros(3, np.int32), ramp < 1, deadband=0.0, deviation=1.0, longest=9)


def _plant() -> Registry:
    park = Node(1, None, "park", "P", "P")
    enterprise = Node(2, 1, "enterprise", "E", "E", enterprise=2)
    source = Node(3, 2, "source", "S", "S", enterprise=2)
    tags = (_tag(1, TagKind.LEVEL, "m"), _tag(2, TagKind.GAS_TOXIC, "ppm"))
    nodes = {node.id: node for node in (park, enterprise, source)}
    return Registry(1, nodes, (), {tag.id: tag for tag in tags})


def _tag(id: int, kind: TagKind, unit: str) -> Tag:
    return Tag(
        id=id,
        version=1,
        enterprise=2,
        source=3,
        name=str(id),
        kind=kind,
        unit=unit,
        since=_START,
        range=(0.0, 100.0),
        limits={Kind.H: 15.0, Kind.HH: 25.0},
        rate_per_min=1.0,
        rate_window_s=1.0,
        interval_s=1.0,
    )
