"""Where a tag is heading: the line to believe, the limit before it, and how sure that is."""

from math import inf, isnan, nan
from typing import NamedTuple

import numpy as np

from rules.compiled import part
from rules.discounts import Discounts, of_pace, young_covariance
from rules.forecast_memory import LINES, Known
from rules.horizon import Approach
from rules.lines import Law, Rule, spread, usual


class Sort:
    """A record of what tags have in common, float32 each.

    anchor: what levels are relative to: a limit of the tag, so that they are most exact near it.
    high, low: HH or else H, LL or else L, relative to the anchor, infinite where there is none.
    window, interval, floor, report: see `lines.Rule`. action: seconds. held: samples in a row.
    furthest: from the anchor. top, bottom: ends of the range, target: where a filling stops; in the
    unit, NaN = none.
    """

    anchor: float
    high: float
    low: float
    window: float
    interval: float
    action: float
    held: float
    floor: float
    report: float
    furthest: float
    top: float
    bottom: float
    target: float


SORT = np.dtype((np.record, [(name, np.float32) for name in Sort.__annotations__]))


class Heading(NamedTuple):
    """Where a tag is heading.

    direction: 1 up, -1 down. beyond: the limit is crossed beyond the line's doubt, so that neither
    its lag nor noise ends a forecast just before the readings get there. limit: of the forecast,
    relative to the anchor, NaN = none. way: see `Approach`. level, slope: of the line. scale:
    seconds that it looks back.
    """

    direction: int
    beyond: bool
    limit: float
    way: Approach
    level: float
    slope: float
    scale: float


@part
def rule_of(sort: Sort) -> Rule:
    """What the lines of a tag of this sort go by."""
    return Rule(
        np.float64(sort.window),
        np.float64(sort.interval),
        np.float64(sort.floor),
        np.float64(sort.report),
    )


@part
def heading(law: Law, sort: Sort, of: Discounts, tag: Known, direction: int) -> Heading:
    """Where a tag is heading."""
    rule, line = rule_of(sort), tag.line
    level, slope = np.float64(tag.level[line]), np.float64(tag.slope[line])
    noise = spread(law, rule, tag) * law.noise.widen**2
    variance, slope_variance, both = _covariance(law.ratio, rule, of, tag, line)
    past = direction * (level - (sort.high if direction > 0 else sort.low))
    beyond = bool(past >= 0 and past * past >= law.z**2 * variance * noise)
    limit = _aim(sort, level, direction, beyond)
    distance = limit if isnan(limit) else max(direction * (limit - level), 0.0)
    slope_variance *= noise
    way = Approach(distance, direction * slope, variance * noise, both * noise, slope_variance)
    window = rule.window * law.bank.ratio ** (line + 1 - LINES)
    scale = min(np.float64(tag.age), window)
    return Heading(direction, beyond, limit, way, level, slope, scale)


@part
def in_sight(law: Law, to: Heading) -> bool:
    """Whether the movement has lasted for a share of the time to the limit; not without one."""
    return law.warn.sight * to.way.distance <= to.scale * to.way.slope


@part
def _aim(sort: Sort, level: float, direction: int, beyond: bool) -> float:
    """The limit of the forecast, relative to the anchor; NaN = none, or a filling ends before."""
    anchor, up = np.float64(sort.anchor), direction > 0
    if beyond:
        limit = (sort.top if up else sort.bottom) - anchor
    else:
        limit = np.float64(sort.high if up else sort.low)
    fill = sort.target - anchor
    if not abs(limit) < inf or (up and level < fill and fill < limit):
        return nan
    return limit


@part
def _covariance(
    ratio: int, rule: Rule, of: Discounts, tag: Known, line: int
) -> tuple[float, float, float]:
    """Variances of level and slope (per second), and their covariance, for noise of variance 1."""
    pace = usual(tag)
    of_pace(of, ratio, pace, rule.window)
    level, slope, both = of.level_variance[line], of.slope_variance[line], of.both[line]
    if line > tag.kept:
        young = young_covariance(max(tag.age * of.per_pace + 1, 2.0))
        level, slope, both = max(level, young[0]), max(slope, young[1]), max(both, young[2])
    return level, slope * of.per_pace * of.per_pace, both * of.per_pace
