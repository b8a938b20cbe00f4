"""How CHANGE learns the habits of tags: noise, standard deviations, tail and what they demand.

Arguments as in `rules.averages`.
"""

from math import pi, sqrt
from typing import Any

import numpy as np

from rules.change_memory import SCALES
from rules.compiled import part

QUIETEST, LOUDEST = 1e-30, 1e37
"""Bounds of the noise."""
_EARLY = 8
"""Among so many first samples the smallest step stands for a noise that has no floor."""
QUICK = 20
"""Samples that the first guess of the noise is worth."""
_HALF_NORMAL = sqrt(pi / 2)
"""Standard deviation over mean size, of a normal distribution."""
_LEAST = 0.5
"""No standard deviation falls below so much of white noise's: it would take days to be back."""


@part
def threshold(law: Any, own: Any, habit: Any) -> float:
    """The score that raises."""
    least: float = own.threshold * max(habit.tail, 1.0)
    if habit.count < own.memory:
        least *= 1 + (law.young - 1) * (1 - habit.count / own.memory)
    return least


@part
def begin(law: Any, habit: Any, step: float) -> None:
    """The smallest step between two first samples stands for the noise."""
    unknown = habit.noise == 0 and habit.count < law.samples
    smaller = step < habit.noise and habit.count < _EARLY
    if step > QUIETEST and (unknown or smaller):
        habit.noise = min(step, LOUDEST)


@part
def share_of(own: Any, elapsed: float, samples: float) -> float:
    """Weight in a slow average of so many samples, at most the memory."""
    share: float = elapsed * own.share if samples >= own.memory else elapsed / samples
    return min(share, 1.0)


@part
def learn_tail(law: Any, habit: Any, speed: float, score: float) -> None:
    """The quantile 1 - tail_share of the score, by stochastic approximation."""
    beyond = 1.0 if score > habit.tail * law.tail_normal else 0.0
    tail = habit.tail + speed * law.tail_gain * (beyond - law.tail_share)
    habit.tail = min(max(tail, law.tail_least), law.tail_most)


@part
def learn_spread(law: Any, habit: Any, share: float, scratch: Any) -> None:
    """Standard deviations follow the sizes of the averages, winsorised."""
    for k in range(1, SCALES):
        spread = np.float64(habit.spread[k - 1])
        usual = _HALF_NORMAL * min(scratch.sizes[k], law.winsor * spread)
        habit.spread[k - 1] = max(spread + share * (usual - spread), _LEAST * law.white[k])


@part
def growth(law: Any, size: float, share: float) -> float:
    """By how much the noise grows so that it fits the size of the shortest average."""
    times: float = _HALF_NORMAL * min(size * law.shares[0], law.winsor)
    return 1 + share * (times - 1)


@part
def adopt(habit: Any, value: float) -> None:
    """A new normal is learnt from this value on; how large averages are and their tail stay."""
    habit.usual, habit.noise, habit.count, habit.run = value, 0.0, 0, 0
    for k in range(SCALES):
        habit.shift[k] = 0
