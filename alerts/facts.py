"""`RiskFacts` from what the worker holds: registry, open occurrences, gas alarms closed of late.

Data health is what open OFFLINE and SOURCE_OFFLINE occurrences say, so a restart forgets none of
it. An occurrence whose tag has left the registry counts as the worst that it can have been.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, nan, radians

import numpy as np

from domain import policy
from domain.alarms import Alarm, Kind, Priority, State
from domain.frame import Floats, Ints, Lane
from domain.instant import FAR, SECOND, micros
from domain.plant import Registry, Tag, TagKind
from domain.risk import (
    AlarmClass,
    AlarmTable,
    Family,
    Function,
    Phase,
    PulseTable,
    RiskFacts,
    RiskModel,
    SourceTable,
    TagTable,
)

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a sphere of 6371 km."""
REDUNDANT = frozenset(
    {TagKind.LEVEL, TagKind.PRESSURE, TagKind.TEMPERATURE, TagKind.FLOW, TagKind.OTHER}
)
"""Kinds of which a declared group gauges one quantity; gas and fire detectors look at different
places."""
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
_PRIORITY = {priority: column for column, priority in enumerate(Priority)}
_GAS = (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE)
_PULSE = (Kind.H, Kind.HH)
_HEALTH = (Kind.OFFLINE, Kind.SOURCE_OFFLINE)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What the registry alone says; compiled once for each of its versions, never written to.

    source_row, tag_row: node and tag ids to rows of the tables, in which nobody is silent or blind.
    """

    tags: Mapping[int, Tag]
    source_row: Mapping[int, int]
    tag_row: Mapping[int, int]
    source_table: SourceTable
    tag_table: TagTable


def compile_layout(registry: Registry) -> Layout:
    """The layout of a registry. Grades are the `grade` of source nodes (1 to 4, absent = none)."""
    nodes = registry.nodes
    sources = sorted(id for id, node in nodes.items() if node.kind == "source")
    source_row = {id: row for row, id in enumerate(sources)}
    tags = [tag for _, tag in sorted(registry.tags.items()) if tag.source in source_row]
    grade = [nodes[id].detail.get("grade") or 0 for id in sources]
    return Layout(
        {tag.id: tag for tag in tags},
        source_row,
        {tag.id: row for row, tag in enumerate(tags)},
        SourceTable(
            np.array(sources, np.int64), np.array(grade, np.int8), _far(sources), _far(sources)
        ),
        _tag_table(registry, tags, source_row),
    )


def _far(like: Sequence[object]) -> Ints:
    return np.full(len(like), FAR, np.int64)


def _tag_table(registry: Registry, tags: Sequence[Tag], source_row: Mapping[int, int]) -> TagTable:
    places: dict[tuple[int, str | None], int] = {}
    reactors = {
        (node.parent, node.code): id
        for id, node in registry.nodes.items()
        if node.kind == "equipment" and node.detail.get("kind") == "reactor"
    }
    x, y = _metres(tags)
    return TagTable(
        np.array([tag.id for tag in tags], np.int32),
        np.array([source_row[tag.source] for tag in tags], np.int32),
        np.array([_FUNCTION.get(tag.kind, Function.OTHER) for tag in tags], np.int8),
        np.array([_family(tag) for tag in tags], np.int8),
        np.array([tag.safety_critical for tag in tags], np.bool_),
        np.array(
            [places.setdefault((tag.source, tag.zone), len(places)) for tag in tags], np.int32
        ),
        np.array([tag.enterprise for tag in tags], np.int32),
        x,
        y,
        np.array(_causes(registry, tags), np.int32),
        np.array([reactors.get((tag.source, tag.equipment or ""), -1) for tag in tags], np.int32),
        _far(tags),
    )


def _metres(tags: Sequence[Tag]) -> tuple[Floats, Floats]:
    """Positions on a plane for each enterprise, true to a few per mille over ten kilometres."""
    origin: dict[int, tuple[float, float]] = {}
    x, y = np.full(len(tags), nan), np.full(len(tags), nan)
    for row, tag in enumerate(tags):
        if tag.position is not None:
            lon, lat = origin.setdefault(tag.enterprise, tag.position)
            x[row] = (tag.position[0] - lon) * METRES_PER_DEGREE * cos(radians(lat))
            y[row] = (tag.position[1] - lat) * METRES_PER_DEGREE
    return x, y


def _causes(registry: Registry, tags: Sequence[Tag]) -> list[int]:
    """Cause groups by tag: the row of the tag itself, or of the first of its redundancy group."""
    row = {(tag.enterprise, tag.name): row for row, tag in enumerate(tags)}
    cause = list(range(len(tags)))
    for id, node in sorted(registry.nodes.items()):
        groups = node.detail.get("groups", ()) if node.kind == "source" else ()
        assert isinstance(groups, Sequence)
        for group in groups:
            if group.get("kind") == "pca":
                continue
            named = [(node.enterprise or 0, name) for name in group["members"]]
            members = [row[name] for name in named if name in row]
            kinds = {tags[member].kind for member in members}
            if len(kinds) == 1 and kinds <= REDUNDANT:
                ours = [member for member in members if tags[member].source == id]
                for member in ours:
                    if cause[member] == member:
                        cause[member] = min(ours)
    return cause


def remember(
    layout: Layout, model: RiskModel, alarms: Iterable[Alarm], at_us: int
) -> tuple[Alarm, ...]:
    """Of these occurrences the closed gas alarms that floor F1 may still ask for.

    Give it what it said before and what has changed since; after a restart, what was closed in the
    last half hour. `at_us`: microseconds.
    """
    oldest = at_us - 2 * model.floors.gas_within - model.floors.gas_held
    kept = {alarm.id: alarm for alarm in alarms if alarm.state is State.NORM}
    return tuple(
        alarm
        for alarm in kept.values()
        if alarm.ended is not None and micros(alarm.ended) >= oldest and _is_pulse(layout, alarm)
    )


def gather(layout: Layout, alarms: Iterable[Alarm], recent: Iterable[Alarm] = ()) -> RiskFacts:
    """The facts of all sources. alarms: everything open; recent: what `remember` keeps.

    Occurrences of other lanes are left out, and those of sources that the registry does not hold,
    unless their tag is at another source now.
    """
    live = [_at_home(layout, alarm) for alarm in alarms if alarm.lane is Lane.LIVE]
    live = [alarm for alarm in live if alarm.node in layout.source_row]
    counted = [alarm for alarm in live if alarm.kind not in _HEALTH]
    silent, lost, blind = _health(layout, live)
    return RiskFacts(
        replace(layout.source_table, silent=silent, lost=lost),
        replace(layout.tag_table, blind=blind),
        _alarm_table(layout, counted),
        _pulse_table(layout, counted, recent),
    )


def _at_home(layout: Layout, alarm: Alarm) -> Alarm:
    """The occurrence at the source where its tag is now: a source that is renamed in the site file
    becomes another node, its tags stay what they are."""
    tag = _tag(layout, alarm)
    return alarm if tag is None or tag.source == alarm.node else replace(alarm, node=tag.source)


def _health(layout: Layout, live: Iterable[Alarm]) -> tuple[Ints, Ints, Ints]:
    """silent and lost of sources, blind of tags."""
    silent, lost = layout.source_table.silent.copy(), layout.source_table.lost.copy()
    blind = layout.tag_table.blind.copy()
    for alarm in live:
        if alarm.state not in (State.UNACK, State.ACKED):
            continue
        if alarm.kind is Kind.SOURCE_OFFLINE:
            row = layout.source_row[alarm.node]
            silent[row] = micros(alarm.onset_last or alarm.onset)
            lost[row] = micros(alarm.effective)
        elif alarm.kind is Kind.OFFLINE and (tag := _tag(layout, alarm)) is not None:
            blind[layout.tag_row[tag.id]] = micros(alarm.effective)
    return silent, lost, blind


def _tag(layout: Layout, alarm: Alarm) -> Tag | None:
    return None if alarm.tag is None else layout.tags.get(alarm.tag)


def _alarm_table(layout: Layout, alarms: Sequence[Alarm]) -> AlarmTable:
    tags = [_tag(layout, alarm) for alarm in alarms]
    row = np.array([-1 if t is None else layout.tag_row[t.id] for t in tags], np.int32)
    known = row >= 0
    cause = np.where(known, layout.tag_table.cause[row], 0) if len(layout.tags) else row.copy()
    gone = np.array([alarm.tag or 0 for alarm in alarms], np.int64)[~known]
    cause[~known] = len(layout.tags) + np.unique(gone, return_inverse=True)[1]
    returned = [Phase.RETURNED if a.state is State.RTNUN else Phase.ACTIVE for a in alarms]
    return AlarmTable(
        tuple(alarm.id for alarm in alarms),
        np.array([layout.source_row[alarm.node] for alarm in alarms], np.int32),
        row,
        np.array([alarm.kind for alarm in alarms], np.int8),
        np.array([_class(a, t) for a, t in zip(alarms, tags, strict=True)], np.int8),
        np.array([_family(tag) for tag in tags], np.int8),
        np.array(returned, np.int8),
        np.array([_PRIORITY[alarm.priority] for alarm in alarms], np.int8),
        cause,
        np.array([_since(alarm) for alarm in alarms], np.int64),
        np.array(
            [FAR if a.acknowledged_at is None else micros(a.acknowledged_at) for a in alarms],
            np.int64,
        ),
    )


def _class(alarm: Alarm, tag: Tag | None) -> AlarmClass:
    if tag is not None:
        return AlarmClass[policy.rule(tag.kind, alarm.kind).alarm_class]
    worst = alarm.kind is Kind.HH and alarm.priority is Priority.P1
    return AlarmClass.GAS_L2 if worst else AlarmClass.UNREGISTERED


def _family(tag: Tag | None) -> Family:
    return Family.TOXIC if tag is None else _FAMILY.get(tag.kind, Family.PROCESS)


def _since(alarm: Alarm) -> int:
    """From when it waits for an acknowledgement; one that came back has waited from the start."""
    rejoined = alarm.onset_last not in (None, alarm.onset)
    return micros(alarm.onset if rejoined else alarm.effective)


def _is_pulse(layout: Layout, alarm: Alarm) -> bool:
    tag = _tag(layout, alarm)
    live = alarm.lane is Lane.LIVE
    return tag is not None and tag.kind in _GAS and alarm.kind in _PULSE and live


def _pulse_table(layout: Layout, counted: Sequence[Alarm], recent: Iterable[Alarm]) -> PulseTable:
    found = [(a, row) for row, a in enumerate(counted) if _is_pulse(layout, a)]
    opened = {alarm.id for alarm, _ in found}
    found += [(a, -1) for a in recent if a.id not in opened and _is_pulse(layout, a)]
    since = np.array([_since(alarm) for alarm, _ in found], np.int64)
    back = np.array([_back(layout, alarm) for alarm, _ in found], np.int64)
    return PulseTable(
        np.array([layout.tag_row[alarm.tag or 0] for alarm, _ in found], np.int32),
        np.array([alarm.kind is Kind.HH for alarm, _ in found], np.bool_),
        since,
        np.maximum(since, back),
        np.array([row for _, row in found], np.int32),
    )


def _back(layout: Layout, alarm: Alarm) -> int:
    """When the value came back: the off-delay before the alarm ended."""
    if alarm.ended is None:
        return FAR
    off = policy.delay_off(layout.tags[alarm.tag or 0], alarm.kind)
    return micros(alarm.ended) - round(off * SECOND)
