"""What CHANGE remembers of a tag, and what it is told of the tags at work; see `rules.averages`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.change_model import ChangeModel
from domain.frame import Floats, Ints
from domain.instant import NEVER

Singles = NDArray[np.float32]
Counts = NDArray[np.uint16]
Rows = NDArray[np.intp]
UNIT = np.float32(4096)
"""Averages are kept as whole multiples of noise / UNIT."""
LONGEST = 100
"""Clipped samples in a row that are counted."""
ZERO, ONE = np.float32(0), np.float32(1)


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
    count: Counts
    run: NDArray[np.int8]
    onset: Ints

    @staticmethod
    def fresh(r: int, numbers: "Numbers") -> "ChangeMemory":
        """r tags of which nothing is known."""
        spread = np.empty((r, len(numbers.law) - 1), np.float32, "F")
        spread[:] = numbers.law[1:]
        return ChangeMemory(
            np.zeros(r),
            np.zeros(r, np.float32),
            np.zeros((r, len(numbers.law)), np.int16, "F"),
            spread,
            np.ones(r, np.float32),
            np.zeros(r, np.uint16),
            np.zeros(r, np.int8),
            np.full((r, 1), NEVER, np.int64),
        )


class Pace(NamedTuple):
    """Of the rows at work: float32[m], or [1] where all have the same. memory: samples. floor:
    smallest noise, in the unit. threshold: score that raises a tag of long history and light tail.
    """

    memory: Singles
    floor: Singles
    threshold: Singles

    def of(self, rows: Rows) -> "Pace":
        """That of some of the rows."""
        return Pace(*(each if len(each) == 1 else each[rows] for each in self))


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A `ChangeModel` as the kernel reads it; arrays by scale from the shortest on.

    law: float32[5], standard deviations of the averages of white noise, times UNIT; shares:
    float32[5, 1], 1 / law. rates: float32[5, 1], logarithm of what an average keeps in a nominal
    sample; kept, weight: [5, 1], what it keeps then, and the weight of the sample, times UNIT.
    clips: float32[101], by how many in a row would be clipped. The rest: see `ChangeModel`.
    """

    law: Singles
    shares: Singles
    rates: Singles
    kept: Singles
    weight: Singles
    clips: Singles
    windup: np.float32
    gap: np.float32
    winsor: np.float32
    active: np.float32
    tail_share: np.float32
    tail_normal: np.float32
    tail_gain: np.float32
    tail_most: np.float32
    young: np.float32
    back: np.float32
    samples: np.uint16
    most: np.uint16

    @staticmethod
    def of(model: ChangeModel) -> "Numbers":
        """Those of a model."""
        bank, habit, warn = model.bank, model.habit, model.warn
        weights = np.array(bank.weights)
        law = np.sqrt(weights / (2 - weights)).astype(np.float32) * UNIT
        rates = np.log1p(-weights)[:, None].astype(np.float32)
        kept = np.exp(rates)
        place = np.clip(np.arange(LONGEST + 1) - 1, 0, len(bank.clips) - 1)
        few = (
            bank.windup, bank.gap, habit.winsor, habit.active, habit.tail_share,
            habit.tail_normal, habit.tail_gain, habit.tail_most, warn.young, warn.back,
        )  # fmt: skip
        return Numbers(  # type: ignore[call-arg]
            law,
            (1 / law)[:, None],
            rates,
            kept,
            (1 - kept) * UNIT,
            np.array(bank.clips, np.float32)[place],
            *(np.float32(each) for each in few),  # type: ignore[arg-type]
            np.uint16(warn.samples),
            np.uint16(habit.most),
        )


def threshold(numbers: Numbers, some: ChangeMemory, pace: Pace, rows: Rows) -> Singles:
    """The score that raises, of these rows: float32[k]."""
    own = pace.of(rows)
    young = np.maximum(1 - some.count[rows] / own.memory, ZERO)
    young *= numbers.young - ONE
    young += ONE
    young *= np.maximum(some.tail[rows], ONE)
    young *= own.threshold
    return young


def common(some: ChangeMemory, pace: Pace, samples: np.uint16) -> Counts:
    """The counts of the rows: [1] if all are equal, or past the memory and `samples`."""
    low = int(some.count.min())
    if low >= max(pace.memory.max(), samples) or low == int(some.count.max()):
        return some.count[:1].copy()
    return some.count.copy()
