"""The archive filter: which samples of the past are enough to draw the rest from.

First an exception deadband: of samples that stay within a band of that width the first and the last
are reported. Then a swinging door between what is reported: a sample goes where the straight line
between two kept ones passes within the deviation. Source: Bristol, E. H.: Swinging door trending,
ISA National Conference 1990, in the form that looks at the line which is really drawn.

Bound: linear interpolation of the kept samples is at most deadband + deviation off any sample that
goes, in exact arithmetic; what rounding could add is taken off the deviation beforehand.
"""

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules.compiled import compiled

HUGE = 1e150
"""Where a value is beyond it, slopes could overflow: then all is kept."""
ROUNDING = 32 * np.finfo(np.float64).eps
"""Of the largest magnitude: more than what the computation of slopes can be off."""


def enough(
    time: Ints,
    value: Floats,
    kind: NDArray[np.int32],
    always: NDArray[np.bool_],
    *,
    deadband: float,
    deviation: float,
    longest: int,
) -> NDArray[np.bool_]:
    """bool[n]: which of the samples of one tag to keep.

    time: int64[n] in microseconds, strictly rising. value: float64[n]; what is not finite is no
    value. kind: int32[n], what must not be mixed, such as quality: both sides of a change stay.
    always: bool[n], stays whatever it says. deadband, deviation: in the unit of the value, ≥ 0.
    longest: kept samples are at most so many microseconds apart, where the samples are. First and
    last stay, lowest and highest, both sides of each gap and of each run without values.
    """
    n = len(time)
    if n == 0:
        return np.zeros(0, np.bool_)
    finite = np.isfinite(value)
    fixed = always | _edges(time, kind, finite, longest)
    flat = np.where(finite, value, 0.0)
    if finite.any():
        fixed[np.argmin(np.where(finite, value, np.inf))] = True
        fixed[np.argmax(np.where(finite, value, -np.inf))] = True
    largest = float(np.abs(flat).max())
    if largest > HUGE:
        return np.ones(n, np.bool_)
    band = deadband * (1 - ROUNDING)
    door = deviation - ROUNDING * (largest + deviation)
    keep = np.zeros(n, np.bool_)
    sweep(time, flat, fixed, band, door, longest, keep)
    return keep


def _edges(
    time: Ints, kind: NDArray[np.int32], finite: NDArray[np.bool_], longest: int
) -> NDArray[np.bool_]:
    """First and last, and both sides of each change, gap, and run without values."""
    step = (kind[1:] != kind[:-1]) | (finite[1:] != finite[:-1]) | (np.diff(time) > longest)
    edge: NDArray[np.bool_] = np.append(True, step) | np.append(step, True)
    return edge


@compiled
def sweep(
    time: Ints,
    value: Floats,
    fixed: NDArray[np.bool_],
    deadband: float,
    deviation: float,
    longest: int,
    keep: NDArray[np.bool_],
) -> None:
    """Set `keep`. deviation ≤ 0: only samples that say the same as both neighbours go."""
    n = len(time)
    reported = np.zeros(n, np.bool_)
    reported[0] = reported[n - 1] = keep[0] = keep[n - 1] = True
    group, low, high = 0, value[0], value[0]
    for i in range(1, n):
        low, high = min(low, value[i]), max(high, value[i])
        if fixed[i] or high - low > deadband or time[i] - time[group] > longest:
            reported[i - 1] = reported[i] = True
            group, low, high = i, value[i], value[i]
    pivot = candidate = 0
    steepest, flattest = np.inf, -np.inf
    for i in range(1, n):
        if not reported[i]:
            continue
        span, rise = time[i] - time[pivot], value[i] - value[pivot]
        passes = flattest <= rise / span <= steepest
        if candidate != pivot and (not passes or span > longest):
            keep[candidate] = True
            pivot, steepest, flattest = candidate, np.inf, -np.inf
            span, rise = time[i] - time[pivot], value[i] - value[pivot]
        if fixed[i] or (deviation <= 0.0 and rise != 0.0):
            keep[i] = True
            pivot, steepest, flattest = i, np.inf, -np.inf
        else:
            room = max(deviation, 0.0)
            steepest = min(steepest, (rise + room) / span)
            flattest = max(flattest, (rise - room) / span)
        candidate = i
