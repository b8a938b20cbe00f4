"""How the habits of CHANGE are learnt: noise, standard deviations, tail and baseline of tags."""

from math import pi, sqrt

import numpy as np

from rules.change_memory import ONE, ZERO, ChangeMemory, Counts, Numbers, Pace, Rows, Singles

EACH = np.ones(1, np.float32)
"""One nominal sample for all rows."""
_HALF_NORMAL = np.float32(sqrt(pi / 2))
"""Standard deviation over mean size, of a normal distribution."""
_QUICK = 20
"""Samples that the first guess of the noise is worth."""


def speed_of(numbers: Numbers, elapsed: Singles, active: Rows, m: int) -> Singles:
    """How fast habits learn: float32[m], or [1] for all."""
    if not active.size:
        return elapsed
    speed = np.broadcast_to(elapsed, m).copy()
    speed[active] *= numbers.active
    return speed


def _share(speed: Singles, pace: Pace, count: Counts, head: float) -> Singles:
    """Weight of a sample in a slow average: float32[m], or [1] for all."""
    share: Singles = np.minimum(speed / np.minimum(pace.memory, count + np.float32(head)), ONE)
    return share


def learn_tail(
    numbers: Numbers, some: ChangeMemory, speed: Singles, count: Counts, score: Singles,
    loud: Rows,
) -> None:  # fmt: skip
    """The quantile 1 - tail_share of the score, by stochastic approximation."""
    step = speed * numbers.tail_gain
    known = count >= numbers.samples
    if not known.all():
        if not known.any():
            return
        step = np.where(known, step, ZERO)
    beyond = loud[score[loud] > some.tail[loud] * numbers.tail_normal]
    some.tail -= step * numbers.tail_share
    higher = some.tail[beyond] + (step if len(step) == 1 else step[beyond])
    some.tail[beyond] = np.minimum(higher, numbers.tail_most)
    if some.tail.min() < ONE / numbers.tail_most:
        np.maximum(some.tail, ONE / numbers.tail_most, out=some.tail)


def follow(
    some: ChangeMemory, pace: Pace, elapsed: Singles, count: Counts, step: Singles, active: Rows
) -> None:
    """The baseline goes on by its share of the clipped deviation, in the unit."""
    step *= _share(elapsed, pace, count, 1)
    if active.size:
        step[active] = 0
    some.base += step


def learn_spread(
    numbers: Numbers, some: ChangeMemory, pace: Pace, speed: Singles, count: Counts,
    size: Singles, noise: Singles,
) -> None:  # fmt: skip
    """Noise and standard deviations follow the sizes of the averages, winsorised."""
    winsor = numbers.winsor
    share = _share(speed, pace, count, float(numbers.samples))
    target = some.spread * winsor
    np.minimum(target, size[1:], out=target)
    target *= share * _HALF_NORMAL
    some.spread *= 1 - share
    some.spread += target
    quick = _share(speed, pace, count, _QUICK)
    usual = numbers.law[0]
    growth = size[0].clip(0, usual * winsor)
    growth *= quick * (_HALF_NORMAL / usual)
    growth += 1 - quick
    np.multiply(noise, growth, out=some.noise)
