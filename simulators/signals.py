"""Physics and noise of simple plants: pure functions over arrays of elapsed seconds.

All arrays are float64; `t` is elapsed plant time in seconds, shape (n,), any order. Where a number
may be an array too, shapes broadcast: `t[:, None]` with one number for each instrument gives all
instruments at all instants.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CUBIC_METRES_PER_HOUR = 1 / 3600
"""m³/h in m³/s."""
LOUDEST = 8.6
"""No `white_noise` is louder, in standard deviations: the smallest chance it can draw is 2**-53."""


def stepwise(t: Floats, starts: Floats, values: Floats) -> Floats:
    """A quantity that takes `values[i]` from `starts[i]` on; `starts` rises, begins at or before t.

    Shape (n,); the unit is that of `values`.
    """
    return values[np.searchsorted(starts, t, side="right") - 1]


def tank_level(
    t: Floats, starts: Floats, inflow: Floats, outflow: Floats, area: float, level: float
) -> Floats:
    """Level in m of a vertical tank: dh/dt = (Q_in - Q_out)/A (domain research 7.2, S1), exactly.

    inflow, outflow: m³/h, constant from `starts[i]` on, shape (k,); area: m²; level: m at
    starts[0]. Before that the level stands still, after the last start its flow goes on. No walls.
    """
    rate = (inflow - outflow) * CUBIC_METRES_PER_HOUR / area
    at_starts = level + np.concatenate(([0.0], np.cumsum(np.diff(starts) * rate[:-1])))
    step = np.clip(np.searchsorted(starts, t, side="right") - 1, 0, None)
    return at_starts[step] + np.maximum(t - starts[step], 0.0) * rate[step]


def first_order(t: Floats, start: float, lag_s: float, before: float, after: float) -> Floats:
    """What a detector shows of a step from `before` to `after` at `start`: x + Δ·(1 - e^(-t/τ)).

    lag_s: τ = T90/2.3 in seconds (domain research 7.2, S2). Unit as the step's.
    """
    since = np.maximum(t - start, 0.0)
    return before + (after - before) * -np.expm1(-since / lag_s)


def swing(
    t: Floats,
    middle: float | Floats,
    amplitude: float | Floats,
    period_s: float | Floats,
    phase: float | Floats = 0.0,
) -> Floats:
    """A slow sine around `middle`, such as the course of a day; phase in turns."""
    x: Floats = middle + amplitude * np.sin(2 * np.pi * (t / period_s + phase))
    return x


def white_noise(t: Floats, seed: int | Ints, sigma: float | Floats) -> Floats:
    """Normal noise of standard deviation `sigma`, the same for the same (t in whole ms, seed).

    Chance by place instead of by sequence (a mixed counter, SplitMix64, then Box-Muller), so that a
    value does not depend on what was asked before. Never beyond `LOUDEST` * sigma. seed: at least
    0, below 2**63.
    """
    place = np.round(t * 1000).astype(np.int64).astype(np.uint64) * np.uint64(2)
    offset = _mix(np.atleast_1d(np.asarray(seed, np.uint64)))
    first = _unit(_mix(place + offset))
    second = _unit(_mix(place + np.uint64(1) + offset))
    noise: Floats = sigma * np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return noise


def resolution(x: Floats, step: float | Floats) -> Floats:
    """`x` as an instrument with this step shows it."""
    shown: Floats = np.round(x / step) * step
    return shown


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function (Steele, Lea, Flood 2014, doi 10.1145/2660193.2660195)."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def _unit(x: NDArray[np.uint64]) -> Floats:
    """Uniform in (0, 1]."""
    return ((x >> np.uint64(11)).astype(np.float64) + 1.0) * 2.0**-53
