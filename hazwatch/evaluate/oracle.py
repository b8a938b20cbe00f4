"""What a synthetic ramp allows at best: noises, false-alarm episodes, and the all-knowing oracle.

The oracle knows noise, slope and baseline, and seeks the onset only: the likelihood ratio
max over n of s sum(j x[t - n + j]) - s^2 n (n + 1) (2 n + 1) / 12 (early-warning.md, limits 2).
Time is counted in samples of 10 s, values in standard deviations of the noise.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
DAY = 8640
"""Samples in a tag-day."""
REARM = 60
"""Samples, 10 min: what comes sooner belongs to the same episode."""
DELAYS = {0.005: 115.0, 0.01: 75.0, 0.02: 49.0, 0.05: 27.0, 0.1: 17.0}
"""Median delays of the oracle at 0.1 false alarms per tag-day (early-warning.md, first table)."""
INFORMATION = 11.4
"""ln of the samples between false alarms at 0.1 per tag-day."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A sort of noise. phi: lag-1 correlation. outliers: share of samples off by 10. deadband: of a
    sender that reports by exception, with a heartbeat of 10 min; 0 = sends everything."""

    name: str
    phi: float = 0.0
    outliers: float = 0.0
    deadband: float = 0.0

    def chunk(self, length: int, last: Singles, chance: np.random.Generator) -> Singles:
        """The next samples, float32[length, tags]; `last`, the state of the noise, goes on."""
        noise = chance.standard_normal((length, len(last)), np.float32)
        if self.phi:
            noise *= np.float32((1 - self.phi**2) ** 0.5)
            for row in noise:
                row += np.float32(self.phi) * last
                last[:] = row
        if self.outliers:
            hit = chance.random(noise.shape, np.float32) < self.outliers
            side = np.where(chance.random(int(hit.sum())) < 0.5, -10, 10)
            noise[hit] += side.astype(np.float32)
        return noise


WHITE = Noise("white")
OUTLIERS = Noise("1 % outliers of 10 sigma", outliers=0.01)
EXCEPTION = Noise("report by exception at 2 sigma", deadband=2.0)
CORRELATED = Noise("AR(0.8)", phi=0.8)


def episodes(scores: Singles, threshold: float) -> int:
    """How many episodes reach the threshold. scores: float32[samples, tags]."""
    total = 0
    over = scores >= threshold
    for tag in np.flatnonzero(over.any(axis=0)):
        total += 1 + int((np.diff(np.flatnonzero(over[:, tag])) > REARM).sum())
    return total


def tuned(scores: Singles, per_day: float) -> float:
    """The threshold at which fault-free scores have so many episodes per tag-day."""
    allowed = per_day * scores.size / DAY
    low, high = 0.0, float(scores.max()) + 1
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if episodes(scores, middle) > allowed else (low, middle)
    return high


def grouped_median(delays: NDArray[np.integer]) -> float:
    """The median of whole numbers as if each were spread evenly over the unit below it."""
    middle = int(np.median(delays))
    below, at = np.mean(delays < middle), np.mean(delays == middle)
    return float(middle - 1 + (0.5 - below) / at) if at else float(np.median(delays))


def oracle_delay(slope: float, runs: int, days: int, chance: np.random.Generator) -> float:
    """Grouped median delay of the oracle, tuned on its own fault-free days."""
    window = ceil(3 * (6 * INFORMATION) ** (1 / 3) * slope ** (-2 / 3)) + 8
    tags = max(runs // 10, 20)
    free = _ratios(slope, window, days * DAY // tags + 2 * window, tags, None, chance)
    threshold = tuned(free[window:], 0.1)
    ramps = _ratios(slope, window, 4 * window, runs, window, chance)[window:] >= threshold
    return grouped_median(np.argmax(ramps, axis=0) + 1)


def _ratios(
    slope: float,
    window: int,
    length: int,
    tags: int,
    onset: int | None,
    chance: np.random.Generator,
) -> Singles:
    """Log-likelihood ratios float32[length, tags]; the ramp begins after `onset` samples."""
    sums = np.zeros((window, tags), np.float32)
    age = np.zeros(window, np.float32)
    out = np.empty((length, tags), np.float32)
    for at in range(length):
        value = chance.standard_normal(tags, np.float32)
        if onset is not None and at >= onset:
            value += np.float32(slope * (at - onset + 1))
        sums[at % window] = age[at % window] = 0
        known = min(at + 1, window)
        age[:known] += 1
        sums[:known] += age[:known, None] * value
        cost = slope**2 * age[:known] * (age[:known] + 1) * (2 * age[:known] + 1) / 12
        out[at] = (np.float32(slope) * sums[:known] - cost[:, None]).max(axis=0)
    return out
