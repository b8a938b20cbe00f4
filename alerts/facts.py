"""`RiskFacts` from what the worker holds: registry, open occurrences, gas alarms closed of late,
forecast and inventory, management inputs.

Data health is what open OFFLINE and SOURCE_OFFLINE occurrences say, so a restart forgets none of
it. An occurrence whose tag has left the registry counts as the worst that it can have been.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from alerts.alarm_rows import HEALTH, LIMITS, PRIORITY, AlarmRows, Column, Mark, is_incident, tag_of
from alerts.layout import Layout, compile_layout
from alerts.permits import (
    RUN,
    Permits,
    expected_trip,
    input_table,
    out_of_service,
    permits_of,
)
from domain import easing
from domain.alarms import Alarm, Kind, State
from domain.frame import Floats, Ints
from domain.inputs import Input
from domain.instant import NEVER, micros
from domain.risk import RiskFacts, RiskModel
from domain.risk_facts import (
    AlarmClass,
    AlarmTable,
    Bytes,
    Family,
    IncidentTable,
    Mask,
    PulseTable,
    Rows,
    SourceTable,
    TagTable,
)
from domain.signals import Signals

__all__ = ["AlarmRows", "Layout", "compile_layout", "gather", "remember"]


def remember(
    layout: Layout, model: RiskModel, alarms: Iterable[Alarm], at_us: int
) -> tuple[Alarm, ...]:
    """Of these occurrences the closed ones that floors F1 and F12 may still ask for.

    Give it what it said before and what has changed since; after a restart, what was closed in the
    last half hour. `at_us`: microseconds.
    """
    oldest = at_us - 2 * model.floors.gas_within - model.floors.gas_held
    kept = {alarm.id: alarm for alarm in alarms if alarm.state is State.NORM}
    return tuple(
        alarm
        for alarm in kept.values()
        if alarm.ended is not None
        and micros(alarm.ended) >= oldest
        and is_incident(tag_of(layout, alarm), alarm)
    )


def gather(
    layout: Layout,
    alarms: Iterable[Alarm],
    recent: Iterable[Alarm] = (),
    signals: Signals | None = None,
    inputs: Sequence[Input] = (),
    at_us: int = NEVER,
    rows: AlarmRows | None = None,
) -> RiskFacts:
    """The facts of all sources at `at_us`, microseconds.

    alarms: everything open; recent: what `remember` keeps; signals: None = nothing is known;
    inputs: with instants on the same line as those of the alarms; rows: of this layout, so that
    occurrences that have not changed cost little. Left out are occurrences of other lanes, what a
    permit spares, and those of nodes that are at or below no source of the registry, unless their
    tag is at another source now.
    """
    permits = permits_of(layout, inputs, at_us)
    opened = list({alarm.id: alarm for alarm in alarms}.values())
    ids = {alarm.id for alarm in opened}
    every = [*opened, *(alarm for alarm in recent if alarm.id not in ids)]
    numbers = (rows or AlarmRows(layout)).of(every)
    live = numbers[:, Column.SOURCE] >= 0
    health = live & np.isin(numbers[:, Column.KIND], HEALTH)
    live &= ~health & ~_spared(layout, every, numbers, permits, at_us)
    still = np.arange(len(every)) < len(opened)
    sources, tags = _health(layout, numbers[health & still])
    if layout.unjudged:
        sources, tags = _not_judged(layout, sources, tags, at_us)
    counted = np.flatnonzero(live & still)
    signals = signals or Signals.none()
    fill = _known(sources.ids, signals.sources, signals.fill)
    if permits.tags:
        tags = replace(tags, out=out_of_service(layout, permits, at_us))
    return RiskFacts(
        layout.census,
        replace(sources, fill=fill),
        _signalled(tags, signals),
        _alarm_table(layout, [every[row] for row in counted], numbers[counted], permits, at_us),
        _pulse_table(numbers, live, counted),
        _incident_table(numbers[live]),
        input_table(layout, inputs, at_us),
    )


def _spared(
    layout: Layout, alarms: Sequence[Alarm], numbers: Ints, permits: Permits, now: int
) -> Mask:
    """bool[k]: what a permit of its tag spares, and trips that a mode expects."""
    spared = np.zeros(len(alarms), np.bool_)
    permitted = [layout.tag_row[tag] for tag in permits.tags]
    for row in np.flatnonzero(np.isin(numbers[:, Column.TAG], permitted)).tolist():
        spared[row] = permits.quiet(alarms[row], now)
    if permits.modes:
        trips = numbers[:, Column.ALARM_CLASS] == AlarmClass.SIS_TRIP
        for row in np.flatnonzero(trips).tolist():
            mode = permits.mode(layout, alarms[row], now)
            spared[row] |= expected_trip(tag_of(layout, alarms[row]), mode)
    return spared


def _known(ids: Ints, told: Ints, fill: Floats) -> Floats:
    """float64[m]: what is told of these ids, NaN of the others."""
    known = np.full(len(ids), np.nan)
    _, row, there = np.intersect1d(ids, told, assume_unique=True, return_indices=True)
    known[row] = fill[there]
    return known


def _signalled(tags: TagTable, signals: Signals) -> TagTable:
    """The tags with what forecast and flows say of them."""
    if len(signals.tags):
        ahead, action = tags.ahead.copy(), tags.action.copy()
        row = np.searchsorted(tags.ids, signals.tags)
        there = np.append(tags.ids, -1)[row] == signals.tags
        ahead[row[there]], action[row[there]] = signals.ahead[there], signals.action[there]
        tags = replace(tags, ahead=ahead, action=action)
    if len(signals.still):
        tags = replace(tags, doses=tags.doses & ~np.isin(tags.ids, signals.still))
    return tags


def _health(layout: Layout, numbers: Ints) -> tuple[SourceTable, TagTable]:
    """The sources with what is silent, the tags with what is blind. numbers: int64[h, 13]."""
    silent, lost = layout.source_table.silent.copy(), layout.source_table.lost.copy()
    blind, gone = layout.tag_table.blind.copy(), layout.tag_table.gone.copy()
    active = numbers[numbers[:, Column.MARKS] & Mark.ACTIVE != 0]
    whole = active[active[:, Column.KIND] == Kind.SOURCE_OFFLINE]
    silent[whole[:, Column.SOURCE]] = whole[:, Column.ONSET]
    lost[whole[:, Column.SOURCE]] = whole[:, Column.EFFECTIVE]
    single = active[(active[:, Column.KIND] == Kind.OFFLINE) & (active[:, Column.TAG] >= 0)]
    blind[single[:, Column.TAG]] = single[:, Column.EFFECTIVE]
    gone[single[:, Column.TAG]] = single[:, Column.ONSET]
    return (
        replace(layout.source_table, silent=silent, lost=lost),
        replace(layout.tag_table, blind=blind, gone=gone),
    )


def _not_judged(
    layout: Layout, sources: SourceTable, tags: TagTable, now: int
) -> tuple[SourceTable, TagTable]:
    """What the rules can't judge is as lost as what nobody hears; a source of which nothing can be
    judged is silent."""
    row = np.array(sorted(layout.unjudged), np.intp)
    since = np.minimum([layout.unjudged[n] for n in row.tolist()], now)
    blind, unseen = tags.blind.copy(), tags.gone.copy()
    blind[row], unseen[row] = np.minimum(blind[row], since), np.minimum(unseen[row], since)
    last = np.full(len(sources.ids), NEVER, np.int64)
    np.maximum.at(last, tags.source[row], since)
    number = np.bincount(tags.source[row], minlength=len(last))
    whole = (number > 0) & (number == layout.census.tags)
    silent, lost = (
        np.where(whole, np.minimum(each, last), each) for each in (sources.silent, sources.lost)
    )
    return replace(sources, silent=silent, lost=lost), replace(tags, blind=blind, gone=unseen)


def _alarm_table(
    layout: Layout, alarms: Sequence[Alarm], numbers: Ints, permits: Permits, now: int
) -> AlarmTable:
    column = numbers.T
    tag = column[Column.TAG].astype(np.int32)
    priority = column[Column.PRIORITY].astype(np.int8)
    marks = column[Column.MARKS]
    is_eased = marks & Mark.EASED != 0
    declared = np.zeros(len(alarms), np.bool_)
    if permits.modes:
        _by_mode(layout, alarms, numbers, permits, now, declared, is_eased)
        priority[is_eased] = np.maximum(priority[is_eased], PRIORITY[easing.highest()])
    return AlarmTable(
        tuple([alarm.id for alarm in alarms]),
        source=column[Column.SOURCE].astype(np.int32),
        tag=tag,
        kind=column[Column.KIND].astype(np.int8),
        alarm_class=column[Column.ALARM_CLASS].astype(np.int8),
        family=column[Column.FAMILY].astype(np.int8),
        phase=column[Column.PHASE].astype(np.int8),
        priority=priority,
        cause=_causes(layout, alarms, tag, priority),
        since=column[Column.SINCE].copy(),
        acknowledged=column[Column.ACKNOWLEDGED].copy(),
        declared=declared,
        eased=is_eased,
        beyond=marks & Mark.BEYOND != 0,
        falls=marks & Mark.FALLS != 0,
    )


def _by_mode(
    layout: Layout,
    alarms: Sequence[Alarm],
    numbers: Ints,
    permits: Permits,
    now: int,
    declared: Mask,
    is_eased: Mask,
) -> None:
    """Mark process alarms that began in a declared mode, and those that it expects."""
    sources = {
        layout.source_row[layout.home[node]] for node in permits.modes if node in layout.home
    }
    ours = np.isin(numbers[:, Column.SOURCE], list(sources))
    ours &= numbers[:, Column.FAMILY] == Family.PROCESS
    for row in np.flatnonzero(ours).tolist():
        alarm = alarms[row]
        mode = permits.mode(layout, alarm, now)
        declared[row] = mode != RUN
        if declared[row] and alarm.kind in LIMITS:
            is_eased[row] |= easing.eases(tag_of(layout, alarm), alarm.kind, mode)


def _causes(layout: Layout, alarms: Sequence[Alarm], tag: Rows, priority: Bytes) -> Rows:
    """int32[k]: cause groups. That of a tag as the layout has it; a tag that has left, a written
    rule, and a group without a member in alarm each have their own; a vote of a group belongs to
    its member with the most urgent alarm, so that both count once."""
    known = tag >= 0
    cause = np.full(len(alarms), -1, np.int32)
    cause[known] = layout.tag_table.cause[tag[known]]
    fresh = count(len(layout.tags))
    own: dict[tuple[bool, int], int] = {}
    others = np.flatnonzero(~known).tolist()
    votes = any(alarms[row].kind is Kind.VOTE for row in others)
    urgent = _urgent(alarms, tag, priority, cause) if votes else {}
    for row in others:
        alarm = alarms[row]
        group = layout.groups.get(alarm.node) if alarm.kind is Kind.VOTE else None
        members = () if group is None else group.members
        found = [urgent[member] for member in members if member in urgent]
        key = (alarm.tag is None, alarm.node if alarm.tag is None else alarm.tag)
        if not found and key not in own:
            own[key] = next(fresh)
        cause[row] = min(found)[1] if found else own[key]
    return cause


def _urgent(
    alarms: Sequence[Alarm], tag: Rows, priority: Bytes, cause: Rows
) -> dict[int, tuple[int, int]]:
    """By row of a tag with a limit alarm: its best priority, and its cause group."""
    best: dict[int, tuple[int, int]] = {}
    for row, alarm in enumerate(alarms):
        if alarm.kind in LIMITS and tag[row] >= 0:
            mine = int(priority[row]), int(cause[row])
            best[int(tag[row])] = min(best.get(int(tag[row]), mine), mine)
    return best


def _incident_table(numbers: Ints) -> IncidentTable:
    found = numbers[numbers[:, Column.MARKS] & Mark.INCIDENT != 0]
    return IncidentTable(found[:, Column.SOURCE].astype(np.int32), found[:, Column.SINCE].copy())


def _pulse_table(numbers: Ints, live: Mask, counted: NDArray[np.intp]) -> PulseTable:
    """counted: rows of the alarms in the alarm table, in its order."""
    alarm = np.full(len(numbers), -1, np.int32)
    alarm[counted] = np.arange(len(counted))
    row = np.flatnonzero(live & (numbers[:, Column.MARKS] & Mark.PULSE != 0))
    found = numbers[row]
    since = found[:, Column.SINCE].copy()
    return PulseTable(
        found[:, Column.TAG].astype(np.int32),
        found[:, Column.KIND] == Kind.HH,
        since,
        np.maximum(since, found[:, Column.BACK]),
        alarm[row],
    )
