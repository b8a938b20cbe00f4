"""The noise of a tag: robust variance and lag-1 correlation of residuals, in float32.

A residual is what a sample differs by from the line that was laid through the samples before.
Autocorrelated noise hides slow ramps longer than white noise does: the variance that an estimate
over many samples must reckon with is larger by (1 + r) / (1 - r) (early-warning.md, limits 4).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
EARLY = np.uint8(8)
"""Before so many samples no residual can be called an outlier."""
_LEAST = np.float32(1e-37)
_ONE = np.float32(1)
_START = np.float32(5)
"""How many samples the first guess is worth."""


class Noise(NamedTuple):
    """Views or copies of some rows, float32[m], changed in place. variance: of the residuals,
    covariance: of neighbours, both in squared units."""

    variance: Singles
    covariance: Singles


def learn(
    noise: Noise, residual: Singles, before: Singles, seen: NDArray[np.uint8], memory: float
) -> None:
    """Take in winsorised residuals.

    before: the residual before, NaN = none. seen: samples so far. memory: samples. First the
    smallest residual stands for the noise: what is too small grows soon, what is too large would
    need the whole memory to shrink.
    """
    share: Singles = np.maximum(np.float32(1 / memory), _ONE / (seen + _START).astype(np.float32))
    own = residual * residual
    both = residual * before
    both -= noise.covariance
    both *= share
    both[np.isnan(both)] = 0
    noise.covariance[...] += both
    early = np.flatnonzero(seen < EARLY)
    if early.size:
        known, new = noise.variance[early], own[early]
        smaller = (new > 0) & ((known == 0) | (new < known))
        first = early[smaller]
        noise.variance[first] = own[first]
        share[early] = 0
    own -= noise.variance
    own *= share
    noise.variance[...] += own


def long_run(noise: Noise, most: float, floor: Singles) -> Singles:
    """Variance for estimates over many samples: float32[m]. most: largest correlation that counts.
    floor: smallest variance."""
    ratio = (noise.covariance / np.maximum(noise.variance, _LEAST)).astype(np.float32)
    np.maximum(ratio, 0, out=ratio)
    np.minimum(ratio, np.float32(most), out=ratio)
    inflated: Singles = (1 + ratio) / (1 - ratio)
    inflated *= noise.variance
    np.maximum(inflated, floor, out=inflated)
    return inflated
