"""The noise of a tag: robust variance and lag-1 correlation of residuals.

A residual is what a sample differs by from what the shortest line foretold. That line follows every
movement that matters, whichever line is believed, so that curvature cannot pass for noise; it also
follows some of the noise, which is made up for. With the discount d its residuals are
(1 - B)^2 / (1 - (1 - d) B)^2 of the readings (Brown 1963, B: the sample before). For noise of
correlation phi and the residuals' correlation r, found by integrating that filter's spectrum,
phi = (r + 0.74 d) / (1 - 0.86 d) within 0.01 for phi to 0.8 and d from 0.04 to 0.25, and the
long-run variance is theirs times (1 + phi) / (1 - phi) (1 + d (phi / (1 - phi) - 1)) within 15 %.
A correlation that lasts twice as long as the line remembers, phi > 1 - d / 2, is movement.

Autocorrelated noise hides slow ramps longer than white noise does: the variance that an estimate
over many samples must reckon with is larger by (1 + r) / (1 - r) (early-warning.md, limits 4).

`variance` of a memory is that of the residuals, `covariance` that of a residual and what was left
of the one before, both in squared units.
"""

from math import erf, exp, isnan, pi, sqrt

import numpy as np

from rules.compiled import part
from rules.forecast_memory import Known

EARLY = 8
"""Before so many samples no residual can be called an outlier."""
_LEAST = 1e-37
_KEPT = 1e-3
"""A line that forgets more between two samples than all but this follows every reading."""
_FOLLOWS, _SHRINKS = 0.74, 0.86
"""Of the correlation of residuals, see above."""
_START = 5.0
"""How many samples the first guess is worth."""


def lost(winsor: float) -> float:
    """Variance of a standard normal that is cut at so many sigma."""
    inside = erf(winsor / sqrt(2))
    tails = winsor * winsor * (1 - inside)
    return inside - 2 * winsor * exp(-winsor * winsor / 2) / sqrt(2 * pi) + tails


@part
def within(value: float, limit: float) -> float:
    """The value, or the end of -limit..limit that it lies beyond."""
    return min(max(value, -limit), limit)


@part
def learn(
    tag: Known, own: float, before: float, memory: float, winsor: float, whole: float
) -> None:
    """Take in a residual.

    before: what the line left of the reading before, NaN = none. memory: samples. winsor: standard
    deviations at which residuals are cut, but not the first ones: of those the smallest stands for
    the noise: what is too small grows soon, what is too large would need the whole memory to
    shrink. whole: 1 / `lost`.
    """
    seen, variance = tag.seen, np.float64(tag.variance)
    share = 1 / min(memory, seen + _START)
    limit = winsor * sqrt(variance)
    if seen >= EARLY:
        own = within(own, limit)
        tag.variance = variance + share * (whole * own * own - variance)
    elif own != 0 and (variance == 0 or own * own < variance):
        tag.variance = own * own
    if not isnan(before):
        both = whole * own * within(before, limit)
        covariance = np.float64(tag.covariance)
        tag.covariance = covariance + share * (both - covariance)


@part
def long_run(variance: float, covariance: float, most: float, discount: float) -> float:
    """Variance for estimates over many samples. most: largest correlation that counts. discount: d
    of the line whose residuals they are, a sample on."""
    kept = max(1 - discount, _KEPT) ** 2 * max(variance, _LEAST)
    phi = (covariance + _FOLLOWS * discount * kept) / (kept * (1 - _SHRINKS * discount))
    phi = min(max(phi, 0.0), 1 - discount / 2, most)
    odds = phi / (1 - phi)
    return variance * (1 + 2 * odds) * (1 + discount * (odds - 1))
