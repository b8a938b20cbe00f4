"""The kernel of CHANGE: five averages of clipped deviations, each against its own habit.

A deviation from the baseline, in units of the noise, is clipped and enters an exponentially
weighted average of each memory. The size of an average over its own slow standard deviation is its
score; the largest decides (early-warning.md, layer 2). For white noise the averages have standard
deviations sqrt(w / (2 - w)); no longer memory is believed to be quieter than its neighbour and that
law allow, so that a short history does not raise false alarms. The baseline, the noise and the
standard deviations are slow averages with the memory of a day, and means while there is less.
"""

from dataclasses import dataclass
from functools import cache
from math import pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.change_model import ChangeModel
from domain.frame import Floats, Ints
from domain.instant import NEVER

Singles = NDArray[np.float32]
Mask = NDArray[np.bool_]
UNIT = np.float32(4096)
"""Averages are kept as whole multiples of noise / UNIT."""
_MOST = np.float32(32767)
_HALF_NORMAL = np.float32(sqrt(pi / 2))
"""Standard deviation over mean size, of a normal distribution."""
_EARLY = 8
"""While there are fewer samples, the smallest step is taken for the noise."""
_REBASE = 5
"""So many clipped samples in a row on one side move the baseline of a tag that is still new."""


@dataclass(slots=True, eq=False)
class ChangeMemory:
    """One row for each tag; what is float32 is in units of the noise but for `noise`.

    base: float64, the usual value. noise: float32, its standard deviation, in the unit of the tag.
    shift: int16[r, 5], the averages, times UNIT. spread: float32[r, 4], standard deviations of all
    but the shortest, times UNIT; that of the shortest defines the noise. tail: the tag's own tail
    over that of white noise. count: samples so far, up to a bound. run: clipped in a row, with the
    side as sign. onset: int64[r, 1], of CHANGE.
    """

    base: Floats
    noise: Singles
    shift: NDArray[np.int16]
    spread: Singles
    tail: Singles
    count: NDArray[np.uint16]
    run: NDArray[np.int8]
    onset: Ints

    @staticmethod
    def fresh(r: int, model: ChangeModel) -> "ChangeMemory":
        """r tags of which nothing is known."""
        spread = np.empty((r, len(model.bank.weights) - 1), np.float32, "F")
        spread[:] = white(model)[1:] * UNIT
        return ChangeMemory(
            np.zeros(r),
            np.zeros(r, np.float32),
            np.zeros((r, len(model.bank.weights)), np.int16, "F"),
            spread,
            np.ones(r, np.float32),
            np.zeros(r, np.uint16),
            np.zeros(r, np.int8),
            np.full((r, 1), NEVER, np.int64),
        )


class Pace(NamedTuple):
    """Of the rows at work: float32[m], or [1] where all have the same. memory: samples. floor:
    smallest noise, in the unit. threshold: [m], score that raises."""

    memory: Singles
    floor: Singles
    threshold: Singles


@cache
def white(model: ChangeModel) -> Singles:
    """Standard deviations of the averages of white noise: float32[5]."""
    weights = np.array(model.bank.weights)
    law: Singles = np.sqrt(weights / (2 - weights)).astype(np.float32)
    return law


def advance(
    model: ChangeModel,
    some: ChangeMemory,
    pace: Pace,
    value: Floats,
    elapsed: Singles,
    active: Mask,
    held: bool = False,
) -> Singles:
    """Take in one value for each row; the score after it: float32[m].

    value: float64[m], finite. elapsed: float32[m], nominal samples for which it counts. active:
    bool[m], in alarm: the baseline stands still, the rest learns slowly. held: a value that stood
    still meanwhile; it is clipped as the third in a row.
    """
    _begin(some, value)
    noise = np.maximum(some.noise, pace.floor)
    deviation = np.subtract(value, some.base).astype(np.float32)
    deviation /= noise
    clipped = _clip(model, some, value, deviation, held)
    shift = some.shift.astype(np.float32)
    weight = _weights(model, elapsed)
    shift += weight * (clipped * UNIT - shift)
    speed = elapsed if not active.any() else elapsed * np.where(active, _f(model.habit.active), 1)
    spread, size, score = _score(model, some, shift)
    _hold_back(shift, spread, score, pace.threshold * _f(model.bank.windup))
    _learn(model, some, pace, speed, size, noise)
    _learn_tail(model, some, speed, score)
    _follow(model, some, pace, elapsed, clipped * noise, active)
    np.minimum(some.count, np.uint16(model.habit.most - 1), out=some.count)
    some.count += np.uint16(1)
    np.rint(shift, out=shift)
    np.copyto(some.shift, shift, casting="unsafe")
    return score


def _f(number: float) -> np.float32:
    return np.float32(number)


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


def _clip(
    model: ChangeModel, some: ChangeMemory, value: Floats, deviation: Singles, held: bool
) -> Singles:
    """Clipped deviations; counts those in a row, and moves the baseline of a new tag after some."""
    clips = np.array(model.bank.clips, np.float32)
    if held:
        clipped: Singles = np.maximum(np.minimum(deviation, clips[-1]), -clips[-1])
        return clipped
    clipped = np.maximum(np.minimum(deviation, clips[0]), -clips[0])
    odd = np.flatnonzero((clipped != deviation) | (some.run != 0))
    if not odd.size:
        return clipped
    far, run = deviation[odd], some.run[odd]
    side = np.sign(far).astype(np.int8)
    on = np.where(run * side > 0, np.clip(run + side, -100, 100), side)
    run = np.where(np.abs(far) > clips[0], on, 0).astype(np.int8)
    most = clips[np.clip(np.abs(run) - 1, 0, len(clips) - 1)]
    clipped[odd] = np.maximum(np.minimum(far, most), -most)
    new = odd[(np.abs(run) >= _REBASE) & (some.count[odd] < np.uint16(model.warn.samples))]
    some.run[odd] = run
    some.base[new] = value[new]
    some.run[new] = 0
    clipped[new] = 0
    return clipped


def _weights(model: ChangeModel, elapsed: Singles) -> Singles:
    """Weights of this sample by scale: float32[5, 1] or [5, m]."""
    if (elapsed == 1).all():
        elapsed = np.ones(1, np.float32)
    weights: Singles = 1 - np.exp(_rates(model) * elapsed)
    return weights


@cache
def _rates(model: ChangeModel) -> Singles:
    rates: Singles = np.log1p(-np.array(model.bank.weights))[:, None].astype(np.float32)
    return rates


def _score(
    model: ChangeModel, some: ChangeMemory, shift: Singles
) -> tuple[list[Singles], Singles, Singles]:
    """Standard deviations that are believed, by longer scale; sizes [5, m]; the score [m]."""
    law = white(model)
    size = np.abs(shift)
    score = size[0] * (1 / (law[0] * UNIT))
    spread: list[Singles] = []
    least: Singles | np.float32 = law[0] * UNIT
    for k in range(1, len(law)):
        believed = np.maximum(some.spread[k - 1], least * (law[k] / law[k - 1]))
        np.maximum(score, size[k] / believed, out=score)
        spread.append(believed)
        least = believed
    return spread, size, score


def _learn(
    model: ChangeModel,
    some: ChangeMemory,
    pace: Pace,
    speed: Singles,
    size: Singles,
    noise: Singles,
) -> None:
    """Noise and standard deviations follow the sizes of the averages, winsorised."""
    habit, law = model.habit, white(model)
    share = np.minimum(speed / np.minimum(pace.memory, some.count + _f(model.warn.samples)), 1)
    target = np.minimum(size[1:], some.spread * _f(habit.winsor))
    target *= _HALF_NORMAL
    target -= some.spread
    target *= share
    some.spread += target
    quick = np.minimum(speed / np.minimum(pace.memory, some.count + _f(20)), 1)
    growth = np.minimum(size[0], law[0] * UNIT * _f(habit.winsor))
    growth *= _HALF_NORMAL / (law[0] * UNIT)
    growth -= 1
    growth *= quick
    growth += 1
    np.multiply(noise, growth, out=some.noise)


def _learn_tail(model: ChangeModel, some: ChangeMemory, speed: Singles, score: Singles) -> None:
    """The quantile 1 - tail_share of the score, by stochastic approximation."""
    habit = model.habit
    beyond = (score > some.tail * _f(habit.tail_normal)).astype(np.float32)
    beyond -= _f(habit.tail_share)
    beyond *= speed * _f(habit.tail_gain)
    beyond *= some.count >= np.uint16(model.warn.samples)
    some.tail += beyond
    np.maximum(some.tail, _f(1 / habit.tail_most), out=some.tail)
    np.minimum(some.tail, _f(habit.tail_most), out=some.tail)


def _follow(
    model: ChangeModel,
    some: ChangeMemory,
    pace: Pace,
    elapsed: Singles,
    step: Singles,
    active: Mask,
) -> None:
    """The baseline goes on by its share of the clipped deviation, in the unit."""
    step *= np.minimum(elapsed / np.minimum(pace.memory, some.count + _f(1)), 1)
    step[active] = 0
    some.base += step


def _hold_back(shift: Singles, spread: list[Singles], score: Singles, furthest: Singles) -> None:
    """Averages go no further out than what comes back in time. furthest: score, [m]."""
    far = np.flatnonzero(score > furthest)
    if far.size:
        scores = np.broadcast_to(furthest, score.shape)[far]
        for k, believed in enumerate(spread, 1):
            most = np.minimum(believed[far] * scores, _MOST)
            shift[k, far] = np.maximum(np.minimum(shift[k, far], most), -most)
