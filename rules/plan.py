"""`Plan`: the registry as arrays by slot; `rules.compiling` makes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules.rows import Table

SIGN = np.array([-1.0, -1.0, 1.0, 1.0])
"""By column LL, L, H, HH. Times SIGN, "beyond the limit" means "at or above it" for all of them."""


class PlanError(ValueError):
    """The registry holds tags, groups, rules or vessels that cannot be watched. `problems` has a
    sentence for each, `nodes` the ids of those that are nodes, `tags` by id what is wrong with
    those that are tags."""

    def __init__(
        self,
        problems: Sequence[str],
        nodes: Iterable[int] = (),
        tags: Mapping[int, str] | None = None,
    ) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
        self.nodes = frozenset(nodes)
        self.tags = dict(tags or {})


class Where(NamedTuple):
    """Some limits, by slot and column: intp[k] each."""

    slot: NDArray[np.intp]
    column: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """An array [n] or [n, c] of which many rows are alike: each kept once, read by slot.

    rows: [p] or [p, c], what there is. of: unsigned integers[n], the row of each slot.
    """

    rows: NDArray[Any]
    of: NDArray[np.unsignedinteger]

    def __getitem__(self, where: Any) -> Any:
        """As of the whole array: `[slot]` or `[slot, column]`."""
        if isinstance(where, tuple):
            slot, column = where
            return self.rows[self.of[slot], column]
        return self.rows[self.of[where]]


@dataclass(frozen=True, slots=True, eq=False)
class LimitTable:
    """What the limit kernel compares with: [n, 4] in columns LL, L, H, HH; NaN where none is set.

    limit: float64, in the tag's unit; a column stands together in memory. deadband: float64. worse:
    float64, step of SIGN * value from which WORSE is told. on, off, hold: int64 microseconds; hold
    is what a single sample must last where `samples` asks for more. samples: int8. low, high:
    float64[n], innermost limits, infinite where there are none.
    """

    limit: Floats
    deadband: Shared
    worse: Shared
    on: Shared
    off: Shared
    hold: Shared
    samples: Shared
    low: Floats
    high: Floats

    def edge(self, where: Where) -> Floats:
        """SIGN * limit: float64[k]."""
        return np.asarray(SIGN[where.column] * self.limit[where])

    def back(self, where: Where) -> Floats:
        """edge - deadband: SIGN * value must be strictly below it to have returned. float64[k]."""
        return np.asarray(self.edge(where) - self.deadband[where])


@dataclass(frozen=True, slots=True, eq=False)
class RateTable:
    """Tags with a limit on their rate of change; one row for each, by rising slot.

    slot: int32[r]. row: int32[n], the row of a slot, -1 for none. limit: float64[r], unit per
    minute. length: int64 microseconds of a window, by slot.
    """

    slot: NDArray[np.int32]
    row: NDArray[np.int32]
    limit: Floats
    length: Shared

    def window(self, row: NDArray[np.integer] | slice) -> Ints:
        """Length of the windows of these rows: int64[m], microseconds."""
        return np.asarray(self.length[self.slot[row]])


@dataclass(frozen=True, slots=True, eq=False)
class SourceTable:
    """Hazard sources that have tags. ids: int64[m], rising node ids. of: int32[n], row of each tag.

    shortest: int64[m], of the silences that its tags may keep; delay: what SOURCE_OFFLINE waits
    after the last tag fell silent; both in microseconds.
    """

    ids: Ints
    of: NDArray[np.int32]
    shortest: Ints
    delay: int

    def members(self, row: NDArray[np.integer]) -> NDArray[np.intp]:
        """Slots of the tags of these sources: intp, rising."""
        chosen = np.zeros(len(self.ids), np.bool_)
        chosen[row] = True
        return np.flatnonzero(chosen[self.of])


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything the kernels know of the plant; never written to.

    tags: int32[n], rising ids. slots: int32, tag id -> slot, -1 for none. names: int64[n], hashes
    of enterprise and name, which a new version of a tag shares with the old one; they hold for this
    process only. since: int64[n], when the tag was registered. silence: int64[n], how long a
    healthy tag may keep silent. Times in microseconds since 1970 UTC, durations in microseconds.
    layers: a table for each of `rules.layers.LAYERS`.
    """

    version: int
    tags: NDArray[np.int32]
    slots: NDArray[np.int32]
    names: Ints
    since: Shared
    silence: Shared
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
        return int(self.slots[tag]) if 0 <= tag < len(self.slots) else -1

    def span_of(self, tags: NDArray[np.int32]) -> slice | None:
        """The slots of these ids, at least one, if they are a run of the plan's in its order."""
        first = self.slot_of(int(tags[0]))
        end = first + len(tags)
        if first < 0 or end > len(self) or self.tags[end - 1] != tags[-1]:
            return None
        return slice(first, end) if np.array_equal(self.tags[first:end], tags) else None
