"""DRIFT 漂移: a gauge that goes away from the others of its redundancy group.

The difference of a reading to the median of its group of three or more (or to the other one of two)
is smoothed over half an hour, and held against its own habit: a constant offset between gauges is
none of ours. Each reading comes into the median less its own habit, so that one that goes away
takes no other with it. It raises when it is further from the habit than 1 % of the span and than 6
times what is usual, and returns at half of that; meanwhile the habit learns nothing. With three it
is the one that goes away; with two nobody can tell, and the first one is told. A single reading
counts at most 5 % of the span. Samples are taken as they arrived; a value older than its tag may
keep silent does not count, and a group of three that has only two says nothing. Numbers:
docs/data-health.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain import policy
from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.health import Drift, health_model, unit_scale
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry, Tag
from domain.redundancy import redundancy_groups
from rules.findings import Collector
from rules.loops import Map, row_map
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples, by_rank, ranks

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
SIGMA = 1.2533
"""Standard deviation of a normal distribution over its mean absolute deviation."""


@dataclass(frozen=True, slots=True, eq=False)
class DriftTable:
    """Members of redundancy groups, by rising slot.

    keys: int32[r]. marks: int32[r]. row: see `loops.Map`. group: intp[r]. factor, offset:
    float64[r], from the unit of the tag to that of the group. age: int64[r], for how many
    microseconds a value stands. members: intp[g, k], rows, -1 for none. size: intp[g]. span:
    float64[g], in the unit of the group.
    """

    keys: NDArray[np.int32]
    marks: NDArray[np.int32]
    row: Map
    group: Rows
    factor: Floats
    offset: Floats
    age: Ints
    members: NDArray[np.intp]
    size: NDArray[np.intp]
    span: Floats
    rule: Drift


@dataclass(slots=True, eq=False)
class DriftMemory:
    """One row for each member, in the unit of its group. value, at: the last good sample, NaN and
    NEVER = none. compared: when it was last compared, NEVER = never. mean: the smoothed difference,
    habit: what it is used to, usual: its usual deviation from that; NaN = not known. learnt:
    seconds of comparison. onset: microseconds."""

    value: Floats
    at: Ints
    compared: Ints
    mean: Floats
    habit: Floats
    usual: Floats
    learnt: Floats
    onset: Ints


def compile_drift(registry: Registry, tags: Sequence[Tag]) -> DriftTable:
    """A row for each tag of a group that can be compared."""
    groups = list(redundancy_groups(registry))
    slot = {tag.id: n for n, tag in enumerate(tags)}
    groups = [group for group in groups if all(tag.id in slot for tag in group.members)]
    slots = sorted(slot[tag.id] for group in groups for tag in group.members)
    row = {tags[n].id: r for r, n in enumerate(slots)}
    size = np.array([len(group.members) for group in groups], np.intp)
    members = np.full((len(groups), size.max(initial=0)), -1, np.intp)
    of, mark = np.zeros(len(slots), np.intp), np.zeros(len(slots), np.int32)
    for g, group in enumerate(groups):
        rows = [row[tag.id] for tag in group.members]
        members[g, : len(rows)], of[rows] = rows, g
        told = [(tag.id, tag.unit) for tag in group.members], group.span
        mark[rows] = crc32(repr(told).encode()) & 0x7FFFFFFF
    scales = [unit_scale(tags[n].unit) for n in slots]
    return DriftTable(
        np.array([tags[n].id for n in slots], np.int32),
        mark,
        row_map(len(tags), slots),
        of,
        np.array([scale.factor for scale in scales], np.float64),
        np.array([scale.offset for scale in scales], np.float64),
        np.array([round(policy.silence_after(tags[n]) * SECOND) for n in slots], np.int64),
        members,
        size,
        np.array([group.span for group in groups], np.float64),
        health_model().drift,
    )


def fresh(table: DriftTable) -> DriftMemory:
    """Nothing has been compared."""
    r = len(table.keys)
    value, mean, habit, usual = (np.full(r, np.nan) for _ in range(4))
    at, compared = np.full(r, NEVER, np.int64), np.full(r, NEVER, np.int64)
    onset = np.full((r, 1), NEVER, np.int64)
    return DriftMemory(value, at, compared, mean, habit, usual, np.zeros(r), onset)


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """Samples of different groups that could be compared. value: in the tag's unit; away:
    difference to `reference`, in the group's unit; other: row of one of the others."""

    row: Rows
    at: Ints
    value: Floats
    away: Floats
    reference: Floats
    other: Rows

    def take(self, which: Mask) -> "_Compared":
        return _Compared(
            self.row[which],
            self.at[which],
            self.value[which],
            self.away[which],
            self.reference[which],
            self.other[which],
        )


def judge(
    _: Plan, table: DriftTable, memory: DriftMemory, samples: Samples, __: int, ___: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in good samples as they arrived, of each group one after the other."""
    if not len(table.keys):
        return
    row = samples.slot if not len(table.row) else table.row[samples.slot].astype(np.intp)
    ours = (row >= 0) & samples.good & np.isfinite(samples.value)
    if ours.any():
        for part in _rounds(table, row, samples, np.flatnonzero(ours)):
            r, at, value = row[part], samples.at[part], samples.value[part]
            memory.value[r] = value * table.factor[r] + table.offset[r]
            memory.at[r] = at
            one = _compare(table, memory, r, at, value)
            _follow(table, memory, one)
            _decide(table, memory, one, found)


def _rounds(table: DriftTable, row: Rows, samples: Samples, ours: Rows) -> Iterator[Rows]:
    """Positions of the first sample of each group together, then of the second ones."""
    group = table.group[row[ours]]
    order = np.lexsort((samples.arrival[ours], samples.at[ours], group))
    starts = np.append(True, np.diff(group[order]) != 0)
    for part in by_rank(ranks(starts)):
        yield ours[order[part]]


def _compare(
    table: DriftTable, memory: DriftMemory, row: Rows, at: Ints, value: Floats
) -> _Compared:
    """The samples whose group has enough values that still stand."""
    group = table.group[row]
    kin = table.members[group]
    stands = (kin >= 0) & (np.abs(at[:, None] - memory.at[kin]) <= table.age[kin])
    number, pair = stands.sum(axis=1), table.size[group] == 2
    habit = memory.habit[kin]
    own = memory.value[kin] - np.where(np.isnan(habit), 0, habit)
    values = np.where(stands, own, np.nan)
    ordered = np.sort(values, axis=1)
    line = np.arange(len(row))
    median = (ordered[line, (number - 1) // 2] + ordered[line, number // 2]) / 2
    other = kin[line, np.where(kin[:, 0] == row, 1, 0)]
    reference = np.where(pair, memory.value[other], median)
    away = memory.value[row] - reference
    enough = (number >= np.where(pair, 2, 3)) & np.isfinite(away)
    return _Compared(row, at, value, away, reference, other).take(enough)


def _follow(table: DriftTable, memory: DriftMemory, one: _Compared) -> None:
    """Smooth the difference, and learn what it is used to unless it is away."""
    rule, row = table.rule, one.row
    new = memory.compared[row] == NEVER
    memory.mean[row[new]] = memory.habit[row[new]] = one.away[new]
    memory.usual[row[new]] = 0
    elapsed = np.where(new, 0, one.at - memory.compared[row])
    lasted = np.clip(elapsed, 0, table.age[row]) / SECOND
    memory.compared[row] = one.at
    mean, habit = memory.mean[row], memory.habit[row]
    most = rule.clip * table.span[table.group[row]]
    mean += (1 - np.exp(-lasted / rule.smooth)) * (
        np.clip(one.away, habit - most, habit + most) - mean
    )
    memory.mean[row] = mean
    memory.learnt[row] += lasted
    known = np.clip(memory.learnt[row], 1, rule.memory)
    share = np.where(memory.onset[row, 0] == NEVER, np.minimum(lasted / known, 1), 0)
    memory.usual[row] += share * (SIGMA * np.abs(mean - habit) - memory.usual[row])
    memory.habit[row] += share * (mean - habit)


def _decide(table: DriftTable, memory: DriftMemory, one: _Compared, found: Collector) -> None:
    """Raise and return; of two, the first speaks for both."""
    rule, row = table.rule, one.row
    group = table.group[row]
    away = memory.mean[row] - memory.habit[row]
    limit = np.maximum(rule.span * table.span[group], rule.habit * memory.usual[row])
    active = memory.onset[row, 0] != NEVER
    speaks = (table.size[group] > 2) | (table.members[group, 0] == row)
    known = memory.learnt[row] >= rule.learn
    raised = ~active & speaks & known & (np.abs(away) > limit)
    returned = active & known & (np.abs(away) < rule.back * limit)
    memory.onset[row[raised], 0] = one.at[raised]
    for edge, which in ((Edge.RAISED, raised), (Edge.RETURNED, returned)):
        if which.any():
            _tell(table, memory, edge, one.take(which), away[which], limit[which], found)
    memory.onset[row[returned], 0] = NEVER


def _tell(
    table: DriftTable,
    memory: DriftMemory,
    edge: Edge,
    one: _Compared,
    away: Floats,
    limit: Floats,
    found: Collector,
) -> None:
    """In the tag's own unit: away, threshold: distances; reference: what the others make one
    expect. other: a tag id."""
    factor, offset = table.factor[one.row], table.offset[one.row]
    detail: dict[str, NDArray[np.number]] = {
        "away": away / factor,
        "threshold": limit / factor,
        "reference": (one.reference + memory.habit[one.row] - offset) / factor,
        "size": table.size[table.group[one.row]],
        "other": table.keys[one.other],
    }
    onset, tags = memory.onset[one.row, 0], table.keys[one.row]
    found.subjects(edge, Kind.DRIFT, tags, onset, one.at, one.value, detail=detail)


def pass_time(
    _: Plan, __: DriftTable, ___: DriftMemory, ____: int, _____: Seen, ______: Collector
) -> None:
    """Nothing: only samples say something."""


def next_due(_: DriftTable, __: DriftMemory) -> int:
    """Never."""
    return FAR


DRIFT = Layer("drift", (Kind.DRIFT,), compile_drift, fresh, judge, pass_time, next_due)
