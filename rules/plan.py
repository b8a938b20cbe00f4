"""`Plan`: the registry as arrays by slot; `rules.compiling` makes it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules.rows import Table

SIGN = np.array([-1.0, -1.0, 1.0, 1.0])
"""By column LL, L, H, HH. Times SIGN, "beyond the limit" means "at or above it" for all of them."""


class PlanError(ValueError):
    """The registry holds tags that cannot be watched. `problems` has a sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, eq=False)
class LimitTable:
    """What the limit kernel compares with: [n, 4] in columns LL, L, H, HH; NaN where none is set.

    limit: float64, in the tag's unit. edge: SIGN * limit. back: edge - deadband; SIGN * value must
    be strictly below it to have returned. worse: step of SIGN * value from which WORSE is told. on,
    off, hold: int64 microseconds; hold is what a single sample must last where `samples` asks for
    more. samples: int8. low, high: float64[n], innermost limits, infinite where there are none.
    """

    limit: Floats
    edge: Floats
    back: Floats
    worse: Floats
    on: Ints
    off: Ints
    hold: Ints
    samples: NDArray[np.int8]
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RateTable:
    """Tags with a limit on their rate of change; arrays have one row for each, by rising slot.

    slot: intp[r]. row: intp[n], the row of a slot, -1 for none. limit: float64[r], unit per minute.
    window: int64[r], microseconds.
    """

    slot: NDArray[np.intp]
    row: NDArray[np.intp]
    limit: Floats
    window: Ints


@dataclass(frozen=True, slots=True, eq=False)
class SourceTable:
    """Hazard sources that have tags. ids: int64[m], rising node ids. of: int32[n], row of each tag.

    longest: int64[m], the longest silence that one of its tags may keep; delay: what SOURCE_OFFLINE
    waits after the last tag fell silent; both in microseconds.
    """

    ids: Ints
    of: NDArray[np.int32]
    longest: Ints
    delay: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything the kernels know of the plant; never written to.

    tags: int32[n], rising ids. slots: int32, tag id -> slot, -1 for none. names: (enterprise, name)
    by slot, which a new version of a tag shares with the old one. since: int64[n], when the tag was
    registered. silence: int64[n], how long a healthy tag may keep silent. Times in microseconds
    since 1970 UTC, durations in microseconds. layers: a table for each of `rules.layers.LAYERS`.
    """

    version: int
    tags: NDArray[np.int32]
    slots: NDArray[np.int32]
    names: tuple[tuple[int, str], ...]
    since: Ints
    silence: Ints
    limits: LimitTable
    rates: RateTable
    sources: SourceTable
    layers: tuple[Table, ...]

    def __len__(self) -> int:
        return len(self.tags)

    def slots_of(self, tags: NDArray[np.integer]) -> NDArray[np.intp]:
        """Slots of tag ids: intp, shape as given, -1 for tags that the plan does not hold."""
        inside = (tags >= 0) & (tags < len(self.slots))
        slots: NDArray[np.intp]
        if inside.all():
            slots = self.slots[tags].astype(np.intp)
        else:
            slots = np.where(inside, self.slots[np.where(inside, tags, 0)], -1).astype(np.intp)
        return slots

    def slot_of(self, tag: int) -> int:
        """The slot of one tag id, -1 for none."""
        return int(self.slots_of(np.array([tag], np.int32))[0])
