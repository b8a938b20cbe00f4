"""`Layout`: what the registry alone says of the facts that the risk model looks at."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, nan, radians

import numpy as np

from domain import input_rules
from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, SECOND, micros
from domain.plant import Node, Registry, Tag, TagKind
from domain.risk_facts import Census, Family, Function, SourceTable, TagTable
from domain.rollup import METRES_PER_DEGREE

REDUNDANT = frozenset(
    {TagKind.LEVEL, TagKind.PRESSURE, TagKind.TEMPERATURE, TagKind.FLOW, TagKind.OTHER}
)
"""Kinds of which a declared group gauges one quantity; gas and fire detectors look at different
places."""
REACTOR = "reactor"
_FUNCTION = {
    TagKind.GAS_TOXIC: Function.GAS,
    TagKind.GAS_COMBUSTIBLE: Function.GAS,
    TagKind.OXYGEN: Function.GAS,
    TagKind.LEVEL: Function.LEVEL,
    TagKind.PRESSURE: Function.PRESSURE,
    TagKind.TEMPERATURE: Function.TEMPERATURE,
    TagKind.INTERLOCK: Function.INTERLOCK,
}
_FAMILY = {
    TagKind.GAS_TOXIC: Family.TOXIC,
    TagKind.FIRE: Family.FIRE,
    TagKind.GAS_COMBUSTIBLE: Family.COMBUSTIBLE,
    TagKind.OXYGEN: Family.COMBUSTIBLE,
}


@dataclass(frozen=True, slots=True)
class Group:
    """What a node of several tags (a voting group, a written rule) is made of. members: rows of its
    tags in the tag table. family: of all of them, PROCESS where they differ or none is known."""

    members: tuple[int, ...]
    family: Family


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What the registry alone says; compiled once for each of its versions, never written to.

    source_row, tag_row: node and tag ids to rows of the tables, in which nobody is silent or blind.
    home: nodes at or below a source to that source. below: nodes to the rows of the sources at or
    below them. groups: by node, of nodes with members. origin: (longitude, latitude) where an
    enterprise's metres begin. vessel: node and kind of the equipment that a tag (id) stands on.
    unjudged: rows of tags that the rules can't judge, to microseconds since when.
    """

    tags: Mapping[int, Tag]
    source_row: Mapping[int, int]
    tag_row: Mapping[int, int]
    source_table: SourceTable
    tag_table: TagTable
    census: Census
    home: Mapping[int, int]
    below: Mapping[int, tuple[int, ...]]
    groups: Mapping[int, Group]
    origin: Mapping[int, tuple[float, float]]
    vessel: Mapping[int, tuple[int, str]]
    unjudged: Mapping[int, int]

    def metres(self, enterprise: int, position: tuple[float, float] | None) -> tuple[float, float]:
        """Where a (longitude, latitude) lies within an enterprise, NaN where that is unknown."""
        origin = self.origin.get(enterprise)
        return (nan, nan) if position is None or origin is None else _from(origin, position)


def family(tag: Tag | None) -> Family:
    """Of a tag; that of one which has left the registry is the worst."""
    return Family.TOXIC if tag is None else _FAMILY.get(tag.kind, Family.PROCESS)


def compile_layout(registry: Registry) -> Layout:
    """The layout of a registry. Grades are the `grade` of source nodes (1 to 4, absent = none)."""
    nodes = registry.nodes
    sources = sorted(id for id, node in nodes.items() if node.kind == "source")
    source_row = {id: row for row, id in enumerate(sources)}
    tags = [tag for _, tag in sorted(registry.tags.items()) if tag.source in source_row]
    vessels = {
        (node.parent, node.code): node for node in nodes.values() if node.kind == "equipment"
    }
    vessel = {
        tag.id: (node.id, str(node.detail.get("kind")))
        for tag in tags
        if (node := vessels.get((tag.source, tag.equipment or ""))) is not None
    }
    origin = _origins(registry, tags)
    home, below = _tree(registry, source_row)
    table = _tag_table(registry, tags, source_row, vessel, origin)
    return Layout(
        {tag.id: tag for tag in tags},
        source_row,
        {tag.id: row for row, tag in enumerate(tags)},
        _source_table(nodes, sources),
        table,
        Census.of(table, len(sources)),
        home,
        below,
        _groups(registry, tags, home),
        origin,
        vessel,
        {
            row: micros(registry.unjudged[tag.id])
            for row, tag in enumerate(tags)
            if tag.id in registry.unjudged
        },
    )


def _far(like: Sequence[object]) -> Ints:
    return np.full(len(like), FAR, np.int64)


def _source_table(nodes: Mapping[int, Node], sources: Sequence[int]) -> SourceTable:
    return SourceTable(
        np.array(sources, np.int64),
        np.array([nodes[id].detail.get("grade") or 0 for id in sources], np.int8),
        _far(sources),
        _far(sources),
        np.full(len(sources), nan),
        np.array(
            [input_rules.is_grave(nodes[id].detail.get("substances")) for id in sources], np.bool_
        ),
    )


def _tree(
    registry: Registry, source_row: Mapping[int, int]
) -> tuple[dict[int, int], dict[int, tuple[int, ...]]]:
    """`home` and `below`."""
    home: dict[int, int] = {}
    below: dict[int, list[int]] = defaultdict(list)
    for id in registry.nodes:
        path = tuple(_path(registry, id))
        source = next((one for one in path if one in source_row), None)
        if source is not None:
            home[id] = source
        if id in source_row:
            for above in path:
                below[above].append(source_row[id])
    below |= {id: [source_row[source]] for id, source in home.items()}
    return home, {id: tuple(rows) for id, rows in below.items()}


def _path(registry: Registry, id: int) -> Iterator[int]:
    """A node and all above it, each once."""
    seen = set[int]()
    at: int | None = id
    while at is not None and at in registry.nodes and at not in seen:
        seen.add(at)
        yield at
        at = registry.nodes[at].parent


def _tag_table(
    registry: Registry,
    tags: Sequence[Tag],
    source_row: Mapping[int, int],
    vessel: Mapping[int, tuple[int, str]],
    origin: Mapping[int, tuple[float, float]],
) -> TagTable:
    places: dict[tuple[int, str | None], int] = {}
    x, y = _metres(tags, origin)
    on = [vessel.get(tag.id, (-1, "")) for tag in tags]
    reactor = np.array([node if kind == REACTOR else -1 for node, kind in on], np.int32)
    far = _far(tags)
    return TagTable(
        np.array([tag.id for tag in tags], np.int32),
        np.array([source_row[tag.source] for tag in tags], np.int32),
        np.array([_FUNCTION.get(tag.kind, Function.OTHER) for tag in tags], np.int8),
        np.array([family(tag) for tag in tags], np.int8),
        np.array([tag.safety_critical for tag in tags], np.bool_),
        np.array(
            [places.setdefault((tag.source, tag.zone), len(places)) for tag in tags], np.int32
        ),
        np.array([tag.enterprise for tag in tags], np.int32),
        x,
        y,
        np.array(_causes(registry, tags), np.int32),
        reactor,
        np.array([_cools(tag) for tag in tags], np.bool_) & (reactor >= 0),
        np.array([_doses(tag) for tag in tags], np.bool_) & (reactor >= 0),
        far,
        far,
        far,
        far,
        np.array(
            [action_time(tag, kind) for tag, (_, kind) in zip(tags, on, strict=True)], np.int64
        ),
    )


def action_time(tag: Tag, vessel: str) -> int:
    """Microseconds that an operator needs to act, by the kind of vessel that the tag stands on."""
    if tag.action_min is not None:
        return round(tag.action_min * 60 * SECOND)
    name = REACTOR if vessel == REACTOR else "default"
    return int(input_rules.value("action", name)) * SECOND


def _cools(tag: Tag) -> bool:
    """Of a reactor's tag: a flow that has a LL is coolant; a state is that of stirrer or pump."""
    flow = tag.kind is TagKind.FLOW and Kind.LL in tag.limits
    return flow or tag.kind in (TagKind.STATE, TagKind.UTILITY)


def _doses(tag: Tag) -> bool:
    """Of a reactor's tag: a flow that nobody watches for being too small is no coolant."""
    return tag.kind is TagKind.FLOW and Kind.LL not in tag.limits


def _origins(registry: Registry, tags: Sequence[Tag]) -> dict[int, tuple[float, float]]:
    """A place in each enterprise: of its first tag that has one, else of its first source."""
    origin: dict[int, tuple[float, float]] = {}
    for tag in tags:
        if tag.position is not None:
            origin.setdefault(tag.enterprise, tag.position)
    for _, node in sorted(registry.nodes.items()):
        if node.enterprise is not None and node.position is not None:
            origin.setdefault(node.enterprise, node.position)
    return origin


def _metres(
    tags: Sequence[Tag], origin: Mapping[int, tuple[float, float]]
) -> tuple[Floats, Floats]:
    """Positions on a plane for each enterprise, true to a few per mille over ten kilometres."""
    x, y = np.full(len(tags), nan), np.full(len(tags), nan)
    for row, tag in enumerate(tags):
        if tag.position is not None:
            x[row], y[row] = _from(origin[tag.enterprise], tag.position)
    return x, y


def _from(origin: tuple[float, float], position: tuple[float, float]) -> tuple[float, float]:
    lon, lat = origin
    east = (position[0] - lon) * METRES_PER_DEGREE * cos(radians(lat))
    return east, (position[1] - lat) * METRES_PER_DEGREE


def _declared(node: Node) -> Iterator[Mapping[str, object]]:
    """The groups that a source's entry declares, but for those of tags that only move together."""
    groups = node.detail.get("groups", ()) if node.kind == "source" else ()
    assert isinstance(groups, Sequence)
    yield from (group for group in groups if group.get("kind") != "pca")


def _causes(registry: Registry, tags: Sequence[Tag]) -> list[int]:
    """Cause groups by tag: the row of the tag itself, or of the first of its redundancy group."""
    row = {(tag.enterprise, tag.name): row for row, tag in enumerate(tags)}
    cause = list(range(len(tags)))
    for id, node in sorted(registry.nodes.items()):
        for group in _declared(node):
            members = _members(row, node, group)
            kinds = {tags[member].kind for member in members}
            if len(kinds) == 1 and kinds <= REDUNDANT:
                ours = [member for member in members if tags[member].source == id]
                for member in ours:
                    if cause[member] == member:
                        cause[member] = min(ours)
    return cause


def _members(
    row: Mapping[tuple[int, str], int], node: Node, entry: Mapping[str, object]
) -> tuple[int, ...]:
    """Rows of the tags that an entry names as its members."""
    names = entry.get("members", ())
    assert isinstance(names, Sequence)
    named = [(node.enterprise or 0, str(name)) for name in names]
    return tuple(row[name] for name in named if name in row)


def _groups(registry: Registry, tags: Sequence[Tag], home: Mapping[int, int]) -> dict[int, Group]:
    """Nodes below a source that have members: in their own entry, or under their code in that of
    the source."""
    row = {(tag.enterprise, tag.name): row for row, tag in enumerate(tags)}
    declared = {
        (id, str(group.get("code"))): group
        for id, node in registry.nodes.items()
        for group in _declared(node)
    }
    found = {}
    for id, source in home.items():
        node = registry.nodes[id]
        entry = node.detail if "members" in node.detail else declared.get((source, node.code))
        if id != source and entry is not None:
            members = _members(row, node, entry)
            families = {family(tags[member]) for member in members}
            found[id] = Group(members, families.pop() if len(families) == 1 else Family.PROCESS)
    return found
