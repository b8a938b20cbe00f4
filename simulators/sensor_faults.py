"""What goes wrong within a sensor, or is made to (domain research 7.1 #1 to #4, #10, #19).

Done to readings: float64[k], one tag's values at equal times. `begin` counts samples. Nothing is
changed in place.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def stuck_at(values: Floats, begin: int, end: int | None = None) -> Floats:
    """The reading stands still at its value at `begin` (卡值)."""
    changed = values.copy()
    changed[begin:end] = values[begin]
    return changed


def spiked(values: Floats, share: float, size: float, rng: np.random.Generator) -> Floats:
    """Single readings are off by +`size`, with a probability (尖峰)."""
    return values + np.where(rng.random(len(values)) < share, size, 0.0)


def drifting(values: Floats, begin: int, per_sample: float) -> Floats:
    """A slow error that grows from `begin` on (漂移)."""
    return values + per_sample * np.maximum(np.arange(len(values)) - begin, 0)


def noisier(values: Floats, begin: int, sigma: float, rng: np.random.Generator) -> Floats:
    """White noise of standard deviation `sigma` on top, from `begin` on (噪声增大)."""
    noise = rng.normal(0, sigma, len(values))
    return values + np.where(np.arange(len(values)) >= begin, noise, 0.0)


def in_other_unit(values: Floats, begin: int, factor: float) -> Floats:
    """From `begin` on the reading comes in another unit (单位变更)."""
    return np.where(np.arange(len(values)) >= begin, values * factor, values)


def clamped(values: Floats, begin: int, cap: float) -> Floats:
    """From `begin` on no reading above `cap` gets through (限幅)."""
    return np.where(np.arange(len(values)) >= begin, np.minimum(values, cap), values)


def repeated(values: Floats, begin: int, period: int) -> Floats:
    """From `begin` on the readings are those of `period` samples before (复制数据)."""
    changed = values.copy()
    for n in range(begin, len(values), period):
        changed[n : n + period] = changed[n - period : min(n, len(values) - period)]
    return changed
