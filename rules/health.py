"""FROZEN 卡值, NOISE 噪声增大, CLIPPED 疑似限幅: a reading against its own habit.

The scale of a window of 30 good samples is the mean of |x[k] - 2 x[k-1] + x[k-2]|: slow moves and
ramps do not count, a spike or step counts at most `clip` times the habit. What is found in a window
that has ended is in `rules.habit`, CLIPPED in `rules.clipped`; numbers: docs/data-health.md.
"""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.health import HealthModel, health_model
from domain.instant import FAR, NEVER
from domain.plant import Registry, Tag
from domain.policy import DIGITAL
from rules import clipped, habit
from rules.compiled import compiled, part
from rules.findings import Collector
from rules.habit import SORT, TAG, HealthMemory, HealthTable
from rules.loops import Edges, Reading, Records, record, room, row_at, row_map, tell
from rules.plan import Plan
from rules.rows import Layer, Rows, Seen
from rules.samples import Samples

KINDS = (Kind.FROZEN, Kind.NOISE, Kind.CLIPPED)
DETAIL = (("sigma",), ("sigma", "usual"), ("touches", "side"))
EACH = 3
"""Edges of one sample at most."""


def compile_health(_: Registry, tags: Sequence[Tag]) -> HealthTable:
    """A row for each tag that is no state."""
    model = health_model()
    slots = [slot for slot, tag in enumerate(tags) if tag.kind not in DIGITAL]
    told = [_sort(tags[slot], model) for slot in slots]
    marks = [(one, *clipped.told(tags[slot])) for one, slot in zip(told, slots, strict=True)]
    sorts = sorted(set(told))
    place = {sort: n for n, sort in enumerate(sorts)}
    few = np.uint16 if len(sorts) <= 2**16 else np.uint32
    return HealthTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        np.array([crc32(repr(mark).encode()) & 0x7FFF for mark in marks], np.int16),
        row_map(len(tags), slots),
        np.array([place[sort] for sort in told], few),
        np.array(sorts, SORT),
        record(model),
    )


def _sort(tag: Tag, model: HealthModel) -> tuple[float, ...]:
    """SORT of a tag. Reports by exception say nothing by standing still."""
    by_exception = tag.max_silence_s is not None or tag.report_deadband is not None
    floor = model.frozen.resolution * (tag.resolution or 0.0)
    if by_exception or tag.frozen_check is False:
        floor = float("inf")
    low = tag.range[0] if tag.range else 0.0
    seconds = model.habit.samples * tag.interval_s
    noise = 0.0 if tag.noise_check is False else 1.0
    return low, floor, seconds, noise, clipped.margin(tag, model.clipped)


def fresh(table: HealthTable) -> HealthMemory:
    """Nothing is known of any tag."""
    tag = np.zeros(len(table.keys), TAG)
    for name in ("step", "least", "most", "cap"):
        tag[name] = np.nan
    return HealthMemory(tag, np.full((len(tag), 3), NEVER, np.int64))


def judge(
    plan: Plan, table: HealthTable, memory: HealthMemory, samples: Samples, __: int, ___: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in samples; those that are not good break the chain of differences."""
    if not len(table.keys):
        return
    begin, edges, rows = 0, room(), table.row
    while begin < len(samples):
        begin = watch(
            begin, samples.slot, samples.at, samples.value, samples.previous, samples.good, rows,
            table.sort, table.sorts, table.model, plan.limits.low, plan.limits.high, memory.tag,
            memory.onset, edges,
        )  # fmt: skip
        tell(edges, plan.tags, KINDS, DETAIL, found)


@compiled
def watch(
    begin: int, slot: Rows, at: Ints, value: Floats, previous: Floats, good: NDArray[np.bool_],
    rows: NDArray[np.int32], sort_of: NDArray[np.unsignedinteger], sorts: Records, models: Records,
    low: Floats, high: Floats, tags: Records, onset: Ints, edges: Edges,
) -> int:  # fmt: skip
    """Take in the samples from `begin` on, until there may be no room for edges; where to go on.

    Arrays of samples by position, low and high by slot, tags and onset by row.
    """
    model = models[0]
    for k in range(begin, len(slot)):
        if edges.used[0] + EACH > len(edges.rows):
            return k
        row = row_at(rows, slot[k])
        if row < 0:
            continue
        tag, sort = tags[row], sorts[sort_of[row]]
        if not good[k]:
            tag.step = np.nan
            continue
        reading, lowest, highest = Reading(slot[k], at[k], value[k]), low[slot[k]], high[slot[k]]
        if _count(tag, model, value[k], previous[k]):
            habit.end_window(tag, onset[row], sort, model, reading, edges)
        margin = sort.margin
        near = highest - value[k] <= margin or value[k] - lowest <= margin
        if margin > 0 and (near or tag.cap == tag.cap):
            rule = model.clipped
            clipped.follow(tag, onset[row], margin, rule, lowest, highest, reading, edges)
    return len(slot)


@part
def _count(tag: Any, model: Any, value: float, previous: float) -> bool:
    """Take in a good reading; whether a window ends with it."""
    last = tag.step
    if last != last:
        tag.step = np.inf
        return False
    tag.step = value - previous
    tag.away += tag.step
    if not abs(tag.away) <= habit.reach(tag, model):
        tag.away = np.inf
    turn = abs(tag.step - last)
    if not turn < np.inf:
        return False
    most = model.habit.clip_ * tag.most
    tag.total += most if turn > most else turn
    tag.count += 1
    return bool(tag.count >= model.habit.samples)


def pass_time(
    _: Plan, __: HealthTable, ___: HealthMemory, ____: int, _____: Seen, ______: Collector
) -> None:
    """Nothing: only samples say something."""


def next_due(_: HealthTable, __: HealthMemory) -> int:
    """Never."""
    return FAR


HEALTH = Layer("health", KINDS, compile_health, fresh, judge, pass_time, next_due)
