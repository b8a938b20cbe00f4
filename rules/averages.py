"""The kernel of CHANGE: five averages of clipped deviations, each against its own habit.

A deviation from the baseline, in units of the noise, is clipped and enters an exponentially
weighted average of each memory. The size of an average over its own slow standard deviation is its
score; the largest decides (early-warning.md, layer 2). For white noise the averages have standard
deviations sqrt(w / (2 - w)); no longer memory is believed to be quieter than its neighbour and that
law allow, so that a short history does not raise false alarms. The baseline, the noise and the
standard deviations are slow averages with the memory of a day, and means while there is less.
"""

from typing import NamedTuple

import numpy as np

from domain.frame import Floats
from rules.change_learning import follow, learn_spread, learn_tail, speed_of
from rules.change_memory import (
    LONGEST,
    UNIT,
    ChangeMemory,
    Numbers,
    Pace,
    Rows,
    Singles,
    common,
    threshold,
)

_MOST = np.float32(32767)
_EARLY = 8
"""While there are fewer samples, the smallest step is taken for the noise."""
_REBASE = 5
"""So many clipped samples in a row on one side move the baseline of a tag that is still new."""


class Scores(NamedTuple):
    """After a value of each row. score: float32[m]. over: rows that reach their threshold."""

    score: Singles
    over: Rows


def advance(
    numbers: Numbers,
    some: ChangeMemory,
    pace: Pace,
    value: Floats,
    elapsed: Singles,
    active: Rows,
    held: bool = False,
) -> Scores:
    """Take in one value for each row.

    value: float64[m], finite. elapsed: float32[m], or [1] for all: nominal samples for which it
    counts. active: rows in alarm: the baseline stands still, the rest learns slowly. held: a value
    that stood still meanwhile; it is clipped as the third in a row.
    """
    count = common(some, pace, numbers.samples)
    if len(count) > 1 or count[0] < _EARLY:
        _begin(some, value)
    noise = _noise(some, pace)
    deviation = np.subtract(value, some.base).astype(np.float32)
    deviation /= noise
    clipped = _clip(numbers, some, value, deviation, held)
    shift = _average(numbers, some, clipped, elapsed)
    size = np.abs(shift)
    believed, score = _score(numbers, some, size)
    loud = (score > some.tail * _near(numbers, pace)).nonzero()[0]
    over = _hold_back(numbers, some, pace, score, loud, shift, believed) if loud.size else loud
    speed = speed_of(numbers, elapsed, active, len(value))
    learn_tail(numbers, some, speed, count, score, loud)
    clipped *= noise
    follow(some, pace, elapsed, count, clipped, active)
    learn_spread(numbers, some, pace, speed, count, size, noise)
    some.count += some.count < numbers.most
    np.rint(shift, out=shift)
    np.copyto(some.shift, shift, casting="unsafe")
    return Scores(score, over)


def _begin(some: ChangeMemory, value: Floats) -> None:
    """First samples: the first is the baseline, the smallest step stands for the noise."""
    early = np.flatnonzero(some.count < np.uint16(_EARLY))
    if not early.size:
        return
    first = early[some.count[early] == 0]
    some.base[first] = value[first]
    step = np.abs(value[early] - some.base[early]).astype(np.float32)
    step[~np.isfinite(step)] = 0
    known = some.noise[early]
    smaller = (step > 0) & ((known == 0) | (step < known))
    some.noise[early[smaller]] = step[smaller]


def _noise(some: ChangeMemory, pace: Pace) -> Singles:
    """The noise, not below its floor: that of the memory itself where none is."""
    if len(pace.floor) == 1 and some.noise.min() >= pace.floor[0]:
        return some.noise
    return np.maximum(some.noise, pace.floor)


def _clip(
    numbers: Numbers, some: ChangeMemory, value: Floats, deviation: Singles, held: bool
) -> Singles:
    """Clipped deviations; counts those in a row, and moves the baseline of a new tag after some."""
    clips = numbers.clips
    if held:
        return deviation.clip(-clips[-1], clips[-1])
    clipped: Singles = deviation.clip(-clips[0], clips[0])
    odd = np.logical_or(clipped != deviation, some.run).nonzero()[0]
    if not odd.size:
        return clipped
    far, run = deviation[odd], some.run[odd]
    side = np.sign(far).astype(np.int8)
    run *= run * side > 0
    run += side
    run *= clipped[odd] != far
    np.clip(run, -LONGEST, LONGEST, out=run)
    size = np.abs(run)
    most = clips[size]
    clipped[odd] = far.clip(-most, most)
    some.run[odd] = run
    if (size >= _REBASE).any():
        new = odd[(size >= _REBASE) & (some.count[odd] < numbers.samples)]
        some.base[new] = value[new]
        some.run[new] = 0
        clipped[new] = 0
    return clipped


def _average(numbers: Numbers, some: ChangeMemory, clipped: Singles, elapsed: Singles) -> Singles:
    """The averages with this sample, times UNIT: float32[5, m]."""
    kept, weight = numbers.kept, numbers.weight
    if len(elapsed) > 1 or elapsed[0] != 1:
        kept = np.exp(numbers.rates * elapsed)
        weight = (1 - kept) * UNIT
    shift = some.shift.astype(np.float32)
    shift *= kept
    shift += weight * clipped
    return shift


def _score(numbers: Numbers, some: ChangeMemory, size: Singles) -> tuple[Singles, Singles]:
    """Standard deviations that are believed, over those of white noise, [5, m]; the score [m]."""
    share = numbers.shares
    believed = np.empty_like(size)
    believed[0] = 1
    np.multiply(some.spread, share[1:], out=believed[1:])
    for k in range(1, len(believed)):
        np.maximum(believed[k], believed[k - 1], out=believed[k])
    scores = size * share
    scores /= believed
    score: Singles = scores.max(axis=0)
    return believed, score


def _near(numbers: Numbers, pace: Pace) -> np.float32:
    """Below so many tails of its own a score says nothing."""
    return min(numbers.tail_normal, pace.threshold.min())


def _hold_back(
    numbers: Numbers, some: ChangeMemory, pace: Pace, score: Singles, loud: Rows,
    shift: Singles, believed: Singles,
) -> Rows:  # fmt: skip
    """Averages go no further out than what comes back in time. Rows that reach their threshold."""
    own, least = score[loud], threshold(numbers, some, pace, loud)
    furthest = least * numbers.windup
    far = own > furthest
    if far.any():
        row, scores = loud[far], furthest[far]
        for k, law in enumerate(numbers.law[1:], 1):
            most = np.minimum(believed[k, row] * law * scores, _MOST)
            shift[k, row] = shift[k, row].clip(-most, most)
    return loud[own >= least]
