"""How sure a straight line is of reaching a limit, and when: probability and Fieller interval.

A line with level error and slope error of known covariance reaches a limit at distance D after the
times t with (B t - D)^2 <= z^2 v (V_L + 2 C t + V_b t^2) at the confidence of z (Fieller 1954;
early-warning.md, limits 7). They form an interval only where the slope B is significant,
B^2 > z^2 v V_b; elsewhere there is no prediction.
"""

from math import erfc, inf, sqrt
from typing import NamedTuple

from rules.compiled import part


class Approach(NamedTuple):
    """A line on its way to a limit.

    distance: from the level to the limit, in the unit, from 0, NaN without a limit. slope: towards
    it, unit per second. level, both, slope_variance: variances of level and slope and their
    covariance, noise included.
    """

    distance: float
    slope: float
    level: float
    both: float
    slope_variance: float


class Times(NamedTuple):
    """Seconds from the last sample until the limit, infinite where there is no prediction."""

    expected: float
    earliest: float
    latest: float


@part
def probability(way: Approach, seconds: float) -> float:
    """Of having reached the limit after so many seconds; NaN without a limit."""
    error = sqrt(way.level + seconds * (2 * way.both + seconds * way.slope_variance))
    return 0.5 * erfc((way.distance - way.slope * seconds) / (sqrt(2.0) * error))


@part
def times(way: Approach, z: float) -> Times:
    """When the limit is reached, and the interval of the confidence that belongs to z."""
    z2 = z * z
    lead = way.slope * way.slope - z2 * way.slope_variance
    if not (lead > 0 and way.slope > 0):
        return Times(inf, inf, inf)
    half = way.slope * way.distance + z2 * way.both
    last = way.distance * way.distance - z2 * way.level
    root = sqrt(max(half * half - lead * last, 0.0))
    earliest = max((half - root) / lead, 0.0)
    return Times(way.distance / way.slope, earliest, (half + root) / lead)


@part
def significant(way: Approach, z: float) -> bool:
    """Whether the slope leads to the limit beyond doubt of z standard errors."""
    return way.slope > 0 and way.slope * way.slope > z * z * way.slope_variance
