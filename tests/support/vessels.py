"""Plants of vessels for the layers that look at inventory and flow balance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from domain.alarms import Finding
from domain.circumstances import Places
from domain.frame import Frame
from domain.instant import SECOND, micros
from domain.plant import Node, Registry, Tag, TagKind
from domain.site import Site
from rules import rows
from rules.compiling import compile_plan
from rules.findings import Collector
from rules.layers import LAYERS
from rules.plan import Plan
from rules.samples import samples_of
from rules.state import RuleState
from tests.support.builders import ENTERPRISE, SOURCE, START, registry, tag

ZERO = micros(START)
FIRST_VESSEL = 100
"""Node id of the first vessel."""


@dataclass
class Vessel:
    """An equipment of the source `SOURCE` with level tags, and flow tags in and out."""

    detail: Mapping[str, Any]
    levels: Sequence[Mapping[str, Any]] = ({"unit": "%", "range": (0.0, 100.0)},)
    others: Sequence[tuple[str, TagKind, Mapping[str, Any]]] = ()
    interval_s: float = 5.0


@dataclass
class Farm:
    """A tank farm: its registry, and what its tags are called: LT-0A, LT-0B, … of the first vessel,
    further ones as their vessel names them, with {n} for its number."""

    vessels: Sequence[Vessel]
    substances: Sequence[Mapping[str, Any]] = ()
    source: int = SOURCE
    registry: Registry = field(init=False)
    ids: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        tags: list[Tag] = []
        nodes = [
            Node(
                self.source, ENTERPRISE, "source", "S1", "Tank farm 1", ENTERPRISE,
                detail={"substances": list(self.substances)},
            )
        ]  # fmt: skip
        for n, vessel in enumerate(self.vessels):
            code = f"V-{n}"
            nodes.append(
                Node(FIRST_VESSEL + n, self.source, "equipment", code, f"tank {n}", ENTERPRISE,
                     detail={"kind": "tank", **vessel.detail})
            )  # fmt: skip
            given: list[tuple[str, TagKind, Mapping[str, Any]]] = [
                (f"LT-{n}{'ABCD'[k]}", TagKind.LEVEL, level)
                for k, level in enumerate(vessel.levels)
            ]
            given += [(name.format(n=n), kind, more) for name, kind, more in vessel.others]
            for name, kind, more in given:
                kwargs: dict[str, Any] = {"interval_s": vessel.interval_s, "kind": kind} | dict(
                    more
                )
                tags.append(tag(len(tags) + 1, name, equipment=code, **kwargs))
        self.registry = registry(*tags, nodes=nodes)
        self.ids = {one.name: one.id for one in tags}


def flow_tags(span: float = 300.0, unit: str = "m3/h") -> Sequence[tuple[str, TagKind, Any]]:
    """FI-n and FO-n of a vessel."""
    more = {"unit": unit, "range": (0.0, span)}
    return [("FI-{n}", TagKind.FLOW, more), ("FO-{n}", TagKind.FLOW, more)]


class Watch:
    """One layer over a registry, fed as the engine feeds it, without the other layers."""

    def __init__(self, plant: Registry, layer: rows.Layer) -> None:
        self.registry = plant
        self.layer = layer
        self.plan: Plan = compile_plan(plant)
        self.table: Any = self.plan.layers[LAYERS.index(layer)]
        self.memory: Any = layer.fresh(self.table)
        self._state = RuleState.fresh(self.plan, ZERO)

    def step(self, frame: Frame | None, at_us: int) -> list[Finding]:
        """What the layer found."""
        found, state = Collector(self.plan), self._state
        with np.errstate(over="ignore", invalid="ignore"):
            if frame is not None and len(frame):
                samples = samples_of(self.plan, frame, state.at, state.held)
                state.at[samples.slot] = samples.at
                state.received[samples.slot] = frame.received
                self.layer.judge(
                    self.plan, self.table, self.memory, samples, frame.received, state.seen(), found
                )
            self.layer.pass_time(self.plan, self.table, self.memory, at_us, state.seen(), found)
        return found.findings()

    def restart(self) -> None:
        """Go on from a snapshot of the layer's memory."""
        arrays = rows.pack(self.layer, self.table, self.memory)
        saved = {name: array.copy() for name, array in arrays.items()}
        self.memory = self.layer.fresh(self.table)
        rows.fill(self.layer, self.table, self.memory, saved)

    def series(
        self, tags: Sequence[int], t: np.ndarray, values: np.ndarray, block: int = 720
    ) -> list[Finding]:
        """Values of all tags together at seconds `t` after START, float64[k, tags], NaN = no
        sample; in frames of `block` instants."""
        out: list[Finding] = []
        at = ZERO + np.rint(np.asarray(t) * SECOND).astype(np.int64)
        for k in range(0, len(at), block):
            part, when = values[k : k + block], at[k : k + block]
            sent = ~np.isnan(part)
            ids = np.broadcast_to(np.asarray(tags, np.int32), part.shape)[sent]
            times = np.broadcast_to(when[:, None], part.shape)[sent]
            frame = Frame.of(ids, times, part[sent], received=int(when[-1]))
            out += self.step(frame, int(when[-1]))
        return out


def whole_registry(site: Site) -> Registry:
    """What the registry would say of a site, with equipment and details."""
    ids = count(1)
    nodes: dict[int, Node] = {}
    tags: dict[int, Tag] = {}
    for enterprise in site.enterprises:
        owner = next(ids)
        nodes[owner] = Node(owner, None, "enterprise", enterprise.code, enterprise.name, owner)
        for source in enterprise.sources:
            node = next(ids)
            detail = _detail(source, {"equipment", "tags"})
            nodes[node] = Node(node, owner, "source", source.code, source.name, owner, None, detail)
            for vessel in source.equipment:
                id = next(ids)
                nodes[id] = Node(
                    id, node, "equipment", vessel.code, vessel.name or vessel.code, owner,
                    vessel.position, _detail(vessel, set()),
                )  # fmt: skip
            places = Places(nodes)
            for entry in source.tags:
                id = len(tags) + 1
                where = places.of(node, entry.equipment)
                tags[id] = entry.tag(id, 1, owner, node, START, where)
    return Registry(1, nodes, (), tags)


def _detail(entry: Any, elsewhere: set[str]) -> dict[str, Any]:
    left_out = elsewhere | {"code", "name", "position"}
    detail: dict[str, Any] = entry.model_dump(mode="json", exclude_none=True, exclude=left_out)
    return detail
