"""FROZEN 卡值, NOISE 噪声增大, CLIPPED 疑似限幅: a reading against its own habit.

The scale of a window of 30 good samples is the mean of |x[k] - 2 x[k-1] + x[k-2]|: slow moves and
ramps do not count, a spike or step counts at most `clip` times the habit. What is found in a window
that has ended is in `rules.habit`, CLIPPED in `rules.clipped`; numbers: docs/data-health.md.
"""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.health import HealthModel, health_model
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry, Tag
from domain.policy import DIGITAL
from rules import clipped, habit
from rules.findings import Collector
from rules.habit import HealthMemory, HealthTable, Singles, Window
from rules.picking import Picked, picked, row_map
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

_LAST = 2**32 - 1


def compile_health(_: Registry, tags: Sequence[Tag]) -> HealthTable:
    """A row for each tag that is no state."""
    model = health_model()
    slots = [slot for slot, tag in enumerate(tags) if tag.kind not in DIGITAL]
    told = [_sort(tags[slot], model) for slot in slots]
    marks = [(one, *clipped.told(tags[slot])) for one, slot in zip(told, slots, strict=True)]
    sorts = sorted(set(told))
    place = {sort: n for n, sort in enumerate(sorts)}
    columns = np.array(sorts, np.float64).reshape(-1, 3).T
    return HealthTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        np.array([crc32(repr(mark).encode()) & 0x7FFF for mark in marks], np.int16),
        row_map(len(tags), slots),
        np.array([clipped.margin(tags[slot], model.clipped) for slot in slots], np.float32),
        np.array([place[sort] for sort in told], np.min_scalar_type(-len(sorts) - 1)),
        columns[0],
        columns[1].astype(np.float32),
        columns[2],
        model,
    )


def _sort(tag: Tag, model: HealthModel) -> tuple[float, float, float]:
    """low, floor, window of a tag. Reports by exception say nothing by standing still."""
    by_exception = tag.max_silence_s is not None or tag.report_deadband is not None
    floor = model.frozen.resolution * (tag.resolution or 0.0)
    if by_exception or tag.frozen_check is False:
        floor = float("inf")
    low = tag.range[0] if tag.range else 0.0
    return low, floor, model.habit.samples * tag.interval_s


def fresh(table: HealthTable) -> HealthMemory:
    """Nothing is known of any tag."""
    r = len(table.keys)

    def unknown() -> Singles:
        return np.full(r, np.nan, np.float32)

    return HealthMemory(
        unknown(),
        np.zeros(r, np.float32),
        np.zeros(r, np.int8),
        np.zeros(r, np.int8),
        np.zeros(r, np.uint16),
        np.zeros(r, np.uint32),
        unknown(),
        unknown(),
        np.zeros(r, np.float32),
        np.zeros(r, np.float32),
        unknown(),
        unknown(),
        np.zeros(r, np.int8),
        np.zeros(r, np.bool_),
        np.zeros(r, np.uint32),
        np.full((r, 3), NEVER, np.int64),
    )


def judge(
    plan: Plan, table: HealthTable, memory: HealthMemory, samples: Samples, __: int, ___: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in samples; those that are not good break the chain of differences."""
    for part in picked(table.row, samples):
        ended = _take(table.model, memory, part)
        if ended.size:
            habit.judge(table, memory, _window(table, memory, part, ended), found)
        clipped.judge(plan, table, memory, part, found)


def _take(model: HealthModel, memory: HealthMemory, part: Picked) -> NDArray[np.intp]:
    """Positions of the samples with which a window ends."""
    where = part.where
    step = (part.value - part.previous).astype(np.float32)
    last = memory.step[where]
    first = last != last
    if first.any():
        step[first] = np.inf
    if not part.good.all():
        step[~part.good] = np.nan
    turn = np.abs(step - last)
    memory.step[where] = step
    counted = turn < np.inf
    np.fmin(turn, np.float32(model.habit.clip) * memory.most[where], out=turn)
    if not counted.all():
        turn[~counted] = 0
    memory.total[where] += turn
    memory.count[where] += counted
    return np.flatnonzero(memory.count[where] >= model.habit.samples)


def _window(
    table: HealthTable, memory: HealthMemory, part: Picked, ended: NDArray[np.intp]
) -> Window:
    """The windows that end with these samples, and new ones begun."""
    row, at = part.row[ended], part.at[ended]
    second = np.clip(-(-at // SECOND), 1, _LAST)
    scale = memory.total[row] / np.float32(table.model.habit.samples)
    unchanged = (scale == 0) & (memory.step[row] == 0)
    memory.total[row], memory.count[row] = 0, 0
    before = memory.ended[row].astype(np.int64)
    memory.ended[row] = second
    sort = table.sort[row]
    longest = table.model.habit.gap * table.window[sort]
    lasted = np.where(before == 0, 0.0, np.clip(second - before, 0, longest))
    value = part.value[ended]
    return Window(row, part.slot[ended], second, at, value, scale, unchanged, lasted, sort)


def pass_time(
    _: Plan, __: HealthTable, ___: HealthMemory, ____: int, _____: Seen, ______: Collector
) -> None:
    """Nothing: only samples say something."""


def next_due(_: HealthTable, __: HealthMemory) -> int:
    """Never."""
    return FAR


HEALTH = Layer(
    "health",
    (Kind.FROZEN, Kind.NOISE, Kind.CLIPPED),
    compile_health,
    fresh,
    judge,
    pass_time,
    next_due,
)
