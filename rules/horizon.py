"""How sure a straight line is of reaching a limit, and when: probability and Fieller interval.

A line with level error and slope error of known covariance reaches a limit at distance D after the
times t with (B t - D)^2 <= z^2 v (V_L + 2 C t + V_b t^2) at the confidence of z (Fieller 1954;
early-warning.md, limits 7). They form an interval only where the slope B is significant,
B^2 > z^2 v V_b; elsewhere there is no prediction.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from domain.frame import Floats

Mask = NDArray[np.bool_]


class Approach(NamedTuple):
    """Lines on their way to limits: float64[m] each, or float32[m].

    distance: from the level to the limit, in the unit, from 0. slope: towards it, unit per second.
    level, both, slope_variance: variances of level and slope and their covariance, noise included.
    """

    distance: Floats
    slope: Floats
    level: Floats
    both: Floats
    slope_variance: Floats


class Times(NamedTuple):
    """Seconds from the last sample until the limit: [m] each, infinite where there is no
    prediction."""

    expected: Floats
    earliest: Floats
    latest: Floats


def probability(way: Approach, seconds: Floats) -> Floats:
    """Of having reached the limit after so many seconds: float64[m]."""
    error = np.sqrt(way.level + seconds * (2 * way.both + seconds * way.slope_variance))
    return np.asarray(ndtr((way.slope * seconds - way.distance) / error))


def times(way: Approach, z: float) -> Times:
    """When the limit is reached, and the interval of the confidence that belongs to z."""
    z2 = way.slope.dtype.type(z * z)
    lead = way.slope * way.slope - z2 * way.slope_variance
    bounded = (lead > 0) & (way.slope > 0)
    lead = np.where(bounded, lead, 1)
    half = way.slope * way.distance + z2 * way.both
    last = way.distance * way.distance - z2 * way.level
    root = np.sqrt(np.maximum(half * half - lead * last, 0))
    expected = way.distance / np.where(bounded, way.slope, 1)
    earliest = np.maximum((half - root) / lead, 0)
    return Times(
        *(np.where(bounded, each, np.inf) for each in (expected, earliest, (half + root) / lead))
    )


def significant(way: Approach, z: float) -> Mask:
    """Whether the slope leads to the limit beyond doubt of z standard errors: bool[m]."""
    return (way.slope > 0) & (way.slope * way.slope > z * z * way.slope_variance)
