"""What the four lines forget from sample to sample, and what that makes of their errors.

A line with the discount theta = exp(-dt / tau) is the alpha-beta filter with a = 1 - theta^2 and
b = (1 - theta)^2 / dt (Brown's double smoothing); for white noise of variance 1, with
d = 1 - theta, its level and slope per sample have the covariance

    [ d (10 - 14 d + 5 d^2),  d^2 (4 - 3 d);  d^2 (4 - 3 d),  2 d^3 ] / (2 - d)^3.

Its window W = 3.46 tau is the length of plain least squares of the same covariance. In a regular
plant all this is the same for sample after sample; it is worked out anew only when it differs.
"""

from math import exp, sqrt

import numpy as np

from domain.frame import Floats
from rules.compiled import part
from rules.forecast_memory import LINES, Records

TAU = 1 / sqrt(12)
"""tau over window: between where 2 d = 4 / n and where d^3 / 4 = 12 / n^3: d = sqrt(12) / n."""


class Discounts:
    """A record of what was worked out last for the four lines, from the shortest on.

    step, step_window: seconds, and the longest window, that these are for: per_step: 1 / step;
    level, slope: float64[4], gains on a residual, the slope's per step. pace, pace_window: seconds
    between samples, and the longest window, that these are for: per_pace: 1 / pace; level_variance,
    slope_variance, both: float64[4], see above.
    """

    step: float
    step_window: float
    per_step: float
    level: Floats
    slope: Floats
    pace: float
    pace_window: float
    per_pace: float
    level_variance: Floats
    slope_variance: Floats
    both: Floats


DISCOUNTS = np.dtype(
    (
        np.record,
        [
            (name, np.float64, () if kind is float else LINES)
            for name, kind in Discounts.__annotations__.items()
        ],
    )
)


def no_discounts() -> Records:
    """Nothing is worked out yet: one record."""
    return np.full(1, np.nan, DISCOUNTS)


@part
def _power(theta: float, times: int) -> float:
    product = theta
    for _ in range(times - 1):
        product *= theta
    return product


@part
def of_step(of: Discounts, ratio: int, seconds: float, window: float) -> None:
    """Work out the gains. ratio: of neighbouring windows. window: seconds, of the longest line."""
    if of.step == seconds and of.step_window == window:
        return
    of.step, of.step_window, of.per_step = seconds, window, 1 / seconds
    theta = exp(-seconds / (window * TAU))
    for k in range(LINES - 1, -1, -1):
        d = 1 - theta
        of.level[k], of.slope[k] = d * (2 - d), d * d
        theta = _power(theta, ratio)


@part
def of_pace(of: Discounts, ratio: int, seconds: float, window: float) -> None:
    """Work out the covariances of lines whose samples are so many seconds apart."""
    if of.pace == seconds and of.pace_window == window:
        return
    of.pace, of.pace_window, of.per_pace = seconds, window, 1 / seconds
    theta = exp(-seconds / (window * TAU))
    for k in range(LINES - 1, -1, -1):
        d = 1 - theta
        share = 1 / ((2 - d) * (2 - d) * (2 - d))
        of.level_variance[k] = d * (10 - 14 * d + 5 * d * d) * share
        of.slope_variance[k] = 2 * d * d * d * share
        of.both[k] = d * d * (4 - 3 * d) * share
        theta = _power(theta, ratio)


@part
def young_gains(n: float) -> tuple[float, float]:
    """Of level and slope, the slope's per step, for least squares over n samples."""
    share = 2 / (n * (n + 1))
    return min((2 * n - 1) * share, 1.0), 3 * share


@part
def young_covariance(n: float) -> tuple[float, float, float]:
    """Variances of level and slope, and their covariance, for least squares over n samples."""
    share = 2 / (n * (n * n - 1))
    return (2 * n - 1) * (n - 1) * share, 6 * share, 3 * (n - 1) * share
