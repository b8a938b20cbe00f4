"""The noise of a tag: robust variance and lag-1 correlation of residuals, in float32.

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
"""

from functools import cache
from math import erf, exp, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
EARLY = np.uint8(8)
"""Before so many samples no residual can be called an outlier."""
_LEAST = np.float32(1e-37)
_KEPT = np.float32(1e-3)
"""A line that forgets more between two samples than all but this follows every reading."""
_ONE = np.float32(1)
_FOLLOWS, _SHRINKS = np.float32(0.74), np.float32(0.86)
"""Of the correlation of residuals, see above."""
_START = np.float32(5)
"""How many samples the first guess is worth."""


class Noise(NamedTuple):
    """Views or copies of some rows, float32[m], changed in place. variance: of the residuals,
    covariance: of a residual and what was left of the one before, both in squared units."""

    variance: Singles
    covariance: Singles


@cache
def lost(winsor: float) -> float:
    """Variance of a standard normal that is cut at so many sigma."""
    inside = erf(winsor / sqrt(2))
    tails = winsor * winsor * (1 - inside)
    return inside - 2 * winsor * exp(-winsor * winsor / 2) / sqrt(2 * pi) + tails


def learn(
    noise: Noise,
    residual: Singles,
    before: Singles,
    seen: NDArray[np.uint8],
    memory: float,
    winsor: float,
) -> None:
    """Take in residuals, winsorised here; both arrays are changed.

    before: what the line left of the reading before, NaN = none. seen: samples so far. memory:
    samples. winsor: standard deviations, but not for the first samples. Of those the
    smallest residual stands for the noise: what is too small grows soon, what is too large would
    need the whole memory to shrink.
    """
    share: Singles = np.maximum(np.float32(1 / memory), _ONE / (seen + _START).astype(np.float32))
    limit = np.sqrt(noise.variance)
    limit *= np.float32(winsor)
    np.minimum(before, limit, out=before)
    np.maximum(before, -limit, out=before)
    early = np.flatnonzero(seen < EARLY)
    limit[early] = np.inf
    np.minimum(residual, limit, out=residual)
    np.maximum(residual, -limit, out=residual)
    whole = np.float32(1 / lost(winsor))
    own = residual * residual
    both = residual * before
    both *= whole
    both -= noise.covariance
    both *= share
    both[np.isnan(both)] = 0
    noise.covariance[...] += both
    if early.size:
        known, new = noise.variance[early], own[early]
        smaller = (new > 0) & ((known == 0) | (new < known))
        first = early[smaller]
        noise.variance[first] = own[first]
        share[early] = 0
    own *= whole
    own -= noise.variance
    own *= share
    noise.variance[...] += own


def long_run(noise: Noise, most: float, floor: Singles, discount: Singles) -> Singles:
    """Variance for estimates over many samples: float32[m]. most: largest correlation that counts.
    floor: smallest variance. discount: d of the line whose residuals they are, a sample on."""
    kept = np.maximum(1 - discount, _KEPT)
    ratio = (noise.covariance / np.maximum(noise.variance, _LEAST)).astype(np.float32)
    ratio /= kept * kept
    ratio += _FOLLOWS * discount
    ratio /= 1 - _SHRINKS * discount
    np.maximum(ratio, 0, out=ratio)
    np.minimum(ratio, np.minimum(1 - discount / 2, np.float32(most)), out=ratio)
    ratio /= 1 - ratio
    inflated: Singles = 2 * ratio
    inflated += 1
    ratio -= 1
    ratio *= discount
    ratio += 1
    inflated *= ratio
    inflated *= noise.variance
    np.maximum(inflated, floor, out=inflated)
    return inflated
