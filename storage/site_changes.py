"""What a site file changes in the registry: pure comparison of what is wanted with what is there.

Everything is named by its path of codes from the root of the tree; a gateway by its enterprise's
path and its code, a tag by its enterprise's path and its name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from domain.document import Entry
from domain.gas_rules import gas_rules
from domain.site import Area, Enterprise, Position, Site, Source

Path = tuple[str, ...]
What = Literal["node", "gateway", "tag"]
NEWER = frozenset({"alarms", "suppressed_by"})
"""Members of tags that rows of an earlier release lack: left out where they say nothing, so that a
new release changes no tag."""


class How(StrEnum):
    """What happens to a row."""

    NEW = "new"
    CHANGED = "changed"
    RENEWED = "renewed"
    """Another unit, kind or gas: the old tag is retired, a new version with a new id begins."""
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node row says. `detail` is the rest of its entry."""

    kind: str
    name: str
    position: Position | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What a tag row says. `spec` is its whole entry."""

    source: Path
    kind: str
    unit: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plant:
    """A registry without ids: `enterprises` are the paths of those that it speaks of."""

    nodes: dict[Path, NodeFacts] = field(default_factory=dict)
    gateways: set[Path] = field(default_factory=set)
    tags: dict[Path, TagFacts] = field(default_factory=dict)
    enterprises: set[Path] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Change:
    """One row that changes; `members` names what is different about it."""

    what: What
    how: How
    path: Path
    members: tuple[str, ...] = ()


def plant_of(site: Site) -> Plant:
    """The rows that a site file asks for."""
    plant = Plant()
    parks: dict[str, Path] = {}
    for area, path in _areas(site.tree, ()):
        plant.nodes[path] = NodeFacts(area.kind, area.name, area.position, {})
        if area.kind == "park":
            parks[area.code] = path
    for enterprise in site.enterprises:
        _add_enterprise(plant, enterprise, (*parks[enterprise.park], enterprise.code))
    return plant


def compare(wanted: Plant, present: Plant, prune: bool) -> tuple[list[Change], list[Path]]:
    """The changes that lead from `present` to `wanted`, and the unwanted paths that are left.

    An enterprise or area that `wanted` does not speak of stays as it is, unless `prune`.
    """
    changes: list[Change] = []
    kept: list[Path] = []
    for path, facts in wanted.nodes.items():
        changes += _node_change(path, facts, present.nodes.get(path))
    changes += [Change("gateway", How.NEW, path) for path in wanted.gateways - present.gateways]
    for path, tag in wanted.tags.items():
        changes += _tag_change(path, tag, present.tags.get(path))
    for path in present.nodes.keys() - wanted.nodes.keys():
        owner = _owner(path, present.enterprises)
        if prune or owner in wanted.enterprises:
            changes.append(Change("node", How.REMOVED, path))
        elif owner in (None, path):
            kept.append(path)
    leaving: tuple[tuple[What, set[Path]], ...] = (
        ("gateway", present.gateways - wanted.gateways),
        ("tag", present.tags.keys() - wanted.tags.keys()),
    )
    for what, paths in leaving:
        changes += [
            Change(what, How.REMOVED, path)
            for path in paths
            if prune or path[:-1] in wanted.enterprises
        ]
    order = {"node": 0, "gateway": 1, "tag": 2}
    changes.sort(key=lambda change: (order[change.what], len(change.path), change.path))
    return changes, sorted(kept)


def _areas(areas: tuple[Area, ...], above: Path) -> Iterator[tuple[Area, Path]]:
    for area in areas:
        path = (*above, area.code)
        yield area, path
        yield from _areas(area.children, path)


def _add_enterprise(plant: Plant, enterprise: Enterprise, path: Path) -> None:
    plant.enterprises.add(path)
    position = enterprise.position or _middle(enterprise.boundary)
    detail = _detail(enterprise, {"park", "gateways", "sources"})
    plant.nodes[path] = NodeFacts("enterprise", enterprise.name, position, detail)
    plant.gateways.update((*path, code) for code in enterprise.gateways)
    for source in enterprise.sources:
        _add_source(plant, source, path)


def _add_source(plant: Plant, source: Source, enterprise: Path) -> None:
    path = (*enterprise, source.code)
    detail = _detail(source, {"equipment", "tags", "rules"})
    plant.nodes[path] = NodeFacts("source", source.name, source.position, detail)
    for vessel in source.equipment:
        facts = NodeFacts(
            "equipment", vessel.name or vessel.code, vessel.position, _detail(vessel, set())
        )
        plant.nodes[(*path, vessel.code)] = facts
    for group in source.groups:
        plant.nodes[(*path, group.code)] = NodeFacts(
            "group", group.code, None, _detail(group, set())
        )
    for rule in source.rules:
        plant.nodes[(*path, rule.code)] = NodeFacts("rule", rule.name, None, _detail(rule, set()))
    for tag in source.tags:
        spec = tag.model_dump(mode="json", exclude_none=True)
        spec = {name: said for name, said in spec.items() if said or name not in NEWER}
        plant.tags[(*enterprise, tag.name)] = TagFacts(path, tag.kind, tag.unit, spec)


def _detail(entry: Entry, elsewhere: set[str]) -> dict[str, Any]:
    """The members of an entry that have no column and no row of their own."""
    return entry.model_dump(
        mode="json", exclude_none=True, exclude=elsewhere | {"code", "name", "position"}
    )


def _middle(ring: tuple[Position, ...] | None) -> Position | None:
    """A point to show for a boundary: the mean of its corners."""
    if ring is None:
        return None
    corners = set(ring)
    return (
        sum(corner[0] for corner in corners) / len(corners),
        sum(corner[1] for corner in corners) / len(corners),
    )


def _owner(path: Path, enterprises: set[Path]) -> Path | None:
    return next((path[:n] for n in range(len(path), 0, -1) if path[:n] in enterprises), None)


def _node_change(path: Path, facts: NodeFacts, before: NodeFacts | None) -> list[Change]:
    if before is None:
        return [Change("node", How.NEW, path)]
    members = [
        name
        for name in ("kind", "name", "position")
        if getattr(facts, name) != getattr(before, name)
    ] + _different(facts.detail, before.detail)
    return [Change("node", How.CHANGED, path, tuple(members))] if members else []


def _tag_change(path: Path, facts: TagFacts, before: TagFacts | None) -> list[Change]:
    if before is None:
        return [Change("tag", How.NEW, path)]
    members = _different(facts.spec, before.spec)
    if facts.source != before.source:
        members.append("source")
    renewed = {"kind", "unit"} & set(members) or _other_gas(facts.spec, before.spec)
    how = How.RENEWED if renewed else How.CHANGED
    return [Change("tag", how, path, tuple(members))] if members else []


def _other_gas(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a detector is said to measure another gas than was said before: ppm of which is
    another mg/m3. Saying it for the first time, or by another name, is not that."""
    words = now.get("gas"), before.get("gas")
    if None in words or words[0] == words[1]:
        return False
    rules = gas_rules()
    gases = [rules.gas(str(word)) for word in words]
    return None in gases or gases[0] != gases[1]


def _different(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
