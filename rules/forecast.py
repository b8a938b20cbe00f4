"""PREDICT 趋势预警: HH or LL will be reached within the time that an operator needs to act.

Raised when the line to believe (`rules.lines`) reaches the limit within 1.25 action times with
P > 0.8, by a slope beyond doubt, for 2 to 5 samples in a row, so that the action time is left;
returned when P <= 0.2 for as many: not to know is no return. Where only H or L exist they stand for
HH and LL. Once the limit is crossed beyond doubt it is about the end of the range, told as WORSE. A
fill target before the limit means that a filling ends there: nothing is said until the level is
beyond it. A sample that is not good or not finite freezes the lines, ends nothing, and its time
widens the interval; after a gap of several windows the lines begin anew. Reports by exception add
deadband^2 / 12 to the variance.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Floats
from domain.instant import FAR, NEVER, SECOND
from rules.blocks import Block, at, blocks, lay, pick, put
from rules.findings import Collector
from rules.forecast_table import ForecastTable, compile_forecast
from rules.horizon import Approach, probability, significant, times
from rules.lines import LINES, ForecastMemory, Mask, covariance, spread, take
from rules.noise import Singles
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

Rows = NDArray[np.intp]
_SHORTEST = np.float32(1e-3)
"""Samples nearer than this share of the interval count as if so far apart."""


def fresh(table: ForecastTable) -> ForecastMemory:
    """Nothing is known of any tag."""
    return ForecastMemory.fresh(len(table.keys))


def judge(
    plan: Plan,
    table: ForecastTable,
    memory: ForecastMemory,
    samples: Samples,
    received: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Take in the samples of a frame."""
    for block in blocks(table.row, samples):
        some = at(memory, block.where)
        step(table, some, block, found)
        if not isinstance(block.where, slice):
            put(memory, block.where, some)


def step(table: ForecastTable, some: ForecastMemory, block: Block, found: Collector) -> None:
    """Samples of different rows; `some`, their memory, is changed in place."""
    sort = _sorts(table, block)
    anchor, furthest = table.anchor[block.where], table.furthest[sort]
    seconds = ((block.at - block.before) * (1 / SECOND)).astype(np.float32)
    seconds = np.where(block.before == NEVER, table.interval[sort], seconds)
    value = np.subtract(block.value, anchor).astype(np.float32)
    usable = block.good & (np.abs(value) < furthest)
    if not usable.all():
        some.gap[~usable] += seconds[~usable]
        rest = np.flatnonzero(usable)
        if rest.size:
            part, few = pick(some, rest), block.take(usable)
            step(table, part, few, found)
            lay(some, rest, part)
        return
    previous = np.subtract(block.previous, anchor).astype(np.float32)
    unknown = (some.gap > 0) | ~(np.abs(previous) < furthest)
    previous[unknown] = np.nan
    seconds += some.gap
    some.gap[...] = 0
    np.maximum(seconds, table.interval[sort] * _SHORTEST, out=seconds)
    variance = take(table.model, some, table.rule(sort), value, previous, seconds)
    _warn(table, some, block, sort, variance, found)


def _sorts(table: ForecastTable, block: Block) -> NDArray[np.integer]:
    """The sort of each row: integers[m], or [1] where all are of one sort."""
    sort = table.sort[block.where]
    return sort[:1] if (sort == sort[0]).all() else sort


class Headings(NamedTuple):
    """Where some rows are heading: arrays [k].

    direction: 1 up, -1 down. beyond: the limit is crossed beyond the line's doubt, so that neither
    its lag nor noise ends a forecast just before the readings get there. limit: of the forecast,
    relative to the anchor, NaN = none. way: see `Approach`. level, slope: of the line.
    """

    direction: NDArray[np.int8]
    beyond: Mask
    limit: Floats
    way: Approach
    level: Floats
    slope: Floats


def headings(
    table: ForecastTable, some: ForecastMemory, rows: NDArray[np.intp], direction: NDArray[np.int8]
) -> Headings:
    """Where these rows of the table, with this memory, are heading."""
    model, sort = table.model, table.sort[rows]
    rule = table.rule(sort)
    pick = some.line.astype(np.intp), np.arange(len(rows))
    level, slope = (lines[pick].astype(np.float64) for lines in (some.level, some.slope))
    anchor, up = table.anchor[rows].astype(np.float64), direction > 0
    near = np.where(up, table.high[rows], table.low[rows]).astype(np.float64)
    end = np.where(up, table.top[sort], table.bottom[sort]) - anchor
    noise = spread(model, some, rule) * model.noise.widen**2
    of = (each[pick] * noise for each in covariance(model.bank, some, rule, slice(None)))
    variance, slope_variance, both = (each.astype(np.float64) for each in of)
    past = direction * (level - near)
    beyond = (past >= 0) & (past * past >= model.z**2 * variance)
    limit = np.where(beyond, end, near)
    fill = table.fill[sort] - anchor
    limit[~np.isfinite(limit) | (up & (level < fill) & (fill < limit))] = np.nan
    distance = np.maximum(direction * (limit - level), 0)
    way = Approach(distance, direction * slope, variance, both, slope_variance)
    return Headings(direction, beyond, limit, way, level, slope)


def _warn(
    table: ForecastTable,
    some: ForecastMemory,
    block: Block,
    sort: NDArray[np.integer],
    variance: Singles,
    found: Collector,
) -> None:
    """Look closer at the rows that come near a limit, or did."""
    level, slope = some.level[-1], some.slope[-1]
    other = np.flatnonzero(some.line != LINES - 1)
    if other.size:
        level, slope = level.copy(), slope.copy()
        level[other] = some.level[some.line[other], other]
        slope[other] = some.slope[some.line[other], other]
    reach = slope * (table.action[sort] * np.float32(table.model.warn.ahead))
    reach += level
    up = reach >= table.high[block.where]
    near = up | (reach <= table.low[block.where])
    near |= some.side != 0
    near |= some.held != 0
    if not near.any():
        return
    which = np.flatnonzero(near)
    part = pick(some, which)
    side = np.sign(part.side)
    direction = np.where(side != 0, side, np.where(up[which], 1, -1)).astype(np.int8)
    rows = block.rows()[which]
    to = headings(table, part, rows, direction)
    _decide(table, part, rows, block.take(near), to, found)
    lay(some, which, part)


def _decide(
    table: ForecastTable,
    some: ForecastMemory,
    rows: Rows,
    block: Block,
    to: Headings,
    found: Collector,
) -> None:
    model, sort = table.model, table.sort[rows]
    chance = probability(to.way, model.warn.ahead * table.action[sort].astype(np.float64))
    chance[np.isnan(chance)] = 0
    soon = (chance > model.warn.probability) & significant(to.way, model.warn.slope)
    soon &= some.seen >= model.warn.samples
    soon &= in_sight(table, some, sort, to)
    active = some.onset[0] != NEVER
    stays = active & (chance > model.warn.back)
    some.held[...] = np.where(np.where(active, ~stays, soon), np.minimum(some.held + 1, 100), 0)
    enough = some.held >= table.held[sort]
    raised, returned = enough & ~active, enough & active
    worse = stays & soon & to.beyond & (np.abs(some.side) == 1)
    some.onset[0, raised] = block.at[raised]
    for edge, told in ((Edge.RAISED, raised), (Edge.WORSE, worse), (Edge.RETURNED, returned)):
        if told.any():
            _tell(edge, table, some, rows, block, to, chance, told, found)
    kept = to.direction * np.where(to.beyond, 2, 1)
    some.side[raised | worse] = kept[raised | worse]
    some.side[returned] = 0
    some.onset[0, returned] = NEVER
    some.held[raised | returned] = 0


def in_sight(
    table: ForecastTable, some: ForecastMemory, sort: NDArray[np.integer], to: Headings
) -> Mask:
    """Whether the movement has lasted for a share of the time to the limit: bool[k]."""
    share = table.model.warn.sight
    seen: Mask = share * to.way.distance <= looks_back(table, some, sort) * to.way.slope
    return seen


def looks_back(table: ForecastTable, some: ForecastMemory, sort: NDArray[np.integer]) -> Singles:
    """Seconds that the line of each row looks back: float32[k]."""
    window = table.window[sort] * table.model.bank.ratio ** (some.line - (LINES - 1.0))
    scale: Singles = np.minimum(some.age, window)
    return scale


def _tell(
    edge: Edge,
    table: ForecastTable,
    some: ForecastMemory,
    rows: Rows,
    block: Block,
    to: Headings,
    chance: Floats,
    told: Mask,
    found: Collector,
) -> None:
    """detail: rate, unit per minute; since, instant; scale, seconds; eta, earliest, latest,
    instants, infinite without a prediction; probability, within `action` seconds, which are the
    action time and what it is watched for beforehand; noise, unit;
    clipped, a number."""
    sort, now = table.sort[rows], block.at.astype(np.float64)
    when = times(to.way, table.model.z)
    scale = looks_back(table, some, sort)
    detail: dict[str, NDArray[Any]] = {
        "rate": 60 * to.slope,
        "since": now - SECOND * scale,
        "scale": scale,
        "eta": now + SECOND * when.expected,
        "earliest": now + SECOND * when.earliest,
        "latest": now + SECOND * when.latest,
        "probability": chance,
        "action": table.model.warn.ahead * table.action[sort],
        "noise": np.sqrt(some.variance),
        "clipped": some.clipped,
    }
    limit = np.where(to.beyond, to.limit + table.anchor[rows], _limits(found.plan, block.slot, to))
    found.tags(
        edge, Kind.PREDICT, block.slot[told], some.onset[0, told], block.at[told],
        block.value[told], limit[told], "",
        {name: np.asarray(each, np.float64)[told] for name, each in detail.items()},
    )  # fmt: skip


def _limits(plan: Plan, slot: Rows, to: Headings) -> Floats:
    """The limits as they were written: HH or else H, LL or else L."""
    up = to.direction > 0
    outer = plan.limits.limit[slot, np.where(up, Kind.HH, Kind.LL)]
    inner = plan.limits.limit[slot, np.where(up, Kind.H, Kind.L)]
    return np.where(np.isnan(outer), inner, outer)


def pass_time(
    plan: Plan,
    table: ForecastTable,
    memory: ForecastMemory,
    at: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Time alone moves no line."""


def next_due(table: ForecastTable, memory: ForecastMemory) -> int:
    """Never."""
    return FAR


FORECAST = Layer("forecast", (Kind.PREDICT,), compile_forecast, fresh, judge, pass_time, next_due)
