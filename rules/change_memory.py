"""What CHANGE remembers of a tag, and the numbers that it works with, as records for its loop."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.change_model import ChangeModel
from domain.frame import Ints
from domain.instant import NEVER, SECOND
from rules.loops import Records, form

SCALES, CLIPS = 5, 3
"""How many averages and clips a model has."""
UNIT = 4096.0
"""Averages are kept as whole multiples of noise / UNIT."""


def _few(kind: type[np.generic], count: int) -> Any:
    return np.dtype((kind, (count,)))


HABIT = form(
    ("usual", np.float64),
    ("noise", np.float32),
    ("tail", np.float32),
    ("spread", _few(np.float32, SCALES - 1)),
    ("shift", _few(np.int16, SCALES)),
    ("count", np.uint16),
    ("run", np.int8),
)
"""What is remembered of a tag, in units of the noise but for the first two.

usual: the baseline, in the unit of the tag. noise: standard deviation around it, 0 = not known.
tail: the tag's own tail over that of white noise. spread: standard deviations of all averages but
the shortest, whose own defines the noise, times UNIT. shift: the averages, times UNIT. count:
samples so far, up to a bound. run: clipped in a row, with the side as sign, or `averages.BROKEN`.
"""

SORT = form(
    ("interval", np.float64),
    ("held", np.float64),
    ("memory", np.float64),
    ("share", np.float64),
    ("floor", np.float64),
    ("threshold", np.float64),
)
"""What many tags have in common. interval: microseconds. held: nominal samples for which a value
may stand, 0 where the tag does not report by exception. memory: samples; share: 1 / memory. floor:
smallest noise, in the unit, 0 where nothing tells it. threshold: score that raises a tag of long
history and light tail."""

LAW = form(
    ("weights", _few(np.float64, SCALES)),
    ("rates", _few(np.float64, SCALES)),
    ("kept", _few(np.float64, SCALES)),
    ("white", _few(np.float64, SCALES)),
    ("shares", _few(np.float64, SCALES)),
    ("clips", _few(np.float64, CLIPS)),
    ("windup", np.float64),
    ("gap", np.float64),
    ("winsor", np.float64),
    ("active", np.float64),
    ("tail_share", np.float64),
    ("tail_normal", np.float64),
    ("tail_gain", np.float64),
    ("tail_most", np.float64),
    ("tail_least", np.float64),
    ("young", np.float64),
    ("back", np.float64),
    ("samples", np.int64),
    ("most", np.int64),
    ("adopt", np.int64),
)
"""A `ChangeModel`, by scale from the shortest memory on. rates: logarithm of what an average keeps
in a nominal sample; kept: what it keeps then; white: standard deviations of the averages of white
noise, times UNIT; shares: 1 / white. adopt: microseconds. The rest: see there."""

TOLD = form(
    ("sample", np.int64),
    ("edge", np.int64),
    ("onset", np.int64),
    ("usual", np.float64),
    ("noise", np.float64),
    ("shift", np.float64),
    ("scale", np.float64),
    ("score", np.float64),
    ("threshold", np.float64),
)
"""An edge. sample: position of the one that brought it. edge: see `averages`. onset: microseconds.
usual, noise, shift of the mean: in the unit. scale: memory that sees the shift, seconds."""

SCRATCH = form(
    ("elapsed", np.float64), ("kept", _few(np.float64, SCALES)), ("sizes", _few(np.float64, SCALES))
)
"""For the loop. kept: what averages keep of `elapsed` nominal samples. sizes: of the averages."""


@dataclass(slots=True, eq=False)
class ChangeMemory:
    """One row for each tag. habit: HABIT[r]. onset: int64[r, 1], of CHANGE."""

    habit: Records
    onset: Ints

    @staticmethod
    def fresh(r: int, law: Records) -> "ChangeMemory":
        """r tags of which nothing is known."""
        habit = np.zeros(r, HABIT)
        habit["tail"], habit["spread"] = 1, law["white"][:, 1:]
        return ChangeMemory(habit, np.full((r, 1), NEVER, np.int64))


def law_of(model: ChangeModel) -> NDArray[np.void]:
    """LAW[1] of a model."""
    bank, habit, warn = model.bank, model.habit, model.warn
    weights = np.array(bank.weights)
    white = np.sqrt(weights / (2 - weights)) * UNIT
    numbers = (
        weights, np.log1p(-weights), 1 - weights, white, 1 / white,
        bank.clips, bank.windup, bank.gap,
        habit.winsor, habit.active, habit.tail_share, habit.tail_normal, habit.tail_gain,
        habit.tail_most, 1 / habit.tail_most,
        warn.young, warn.back, warn.samples, habit.most, warn.adopt * SECOND,
    )  # fmt: skip
    return np.array([numbers], LAW)
