"""What tags say, as arrays: one pass of Python for each field, so a whole park compiles fast."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain import policy
from domain.frame import Floats
from domain.plant import Tag
from domain.policy import INWARD, LIMITS
from rules.faults import tag_faults
from rules.plan import Shared

WORSE_SHARE = 0.01
"""Share of the span (without a range, of the limit) by which a value must worsen to be told."""

Sorts = NDArray[np.unsignedinteger]
Pairs = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Fields of n tags; float64, NaN = not set, or set to no number.

    limit: [n, 4] in columns LL, L, H, HH, each of which stands together in memory. deadband, rate:
    [n]. range, normal: lower and upper ends, [n] each. kind, since, timing: [n], positions in
    `kinds`, `sinces` and `timings`, which hold one tag of each sort: timings differ in their kind,
    in which limits they have, or in a delay, an interval or a window.
    """

    limit: Floats
    deadband: Floats
    rate: Floats
    range: Pairs
    normal: Pairs
    kind: Sorts
    kinds: tuple[Tag, ...]
    since: Sorts
    sinces: tuple[Tag, ...]
    timing: Sorts
    timings: tuple[Tag, ...]

    @staticmethod
    def of(tags: Sequence[Tag]) -> "Columns":
        """The columns of these tags, by slot."""
        limit = np.empty((len(tags), 4), order="F")
        for column in LIMITS:
            limit[:, column] = _numbers([tag.limits.get(column) for tag in tags])
        return Columns(
            limit,
            _numbers([tag.deadband for tag in tags]),
            _numbers([tag.rate_per_min for tag in tags]),
            _pairs([tag.range for tag in tags]),
            _pairs([tag.normal for tag in tags]),
            *_sorts([tag.kind for tag in tags], tags),
            *_sorts([tag.since for tag in tags], tags),
            *_sorts([_timing(tag) for tag in tags], tags),
        )

    def clearable(self) -> Floats:
        """Upper bounds of deadbands, as `policy.clearable` has them: [n, 4], infinite for none."""
        bound = np.full(self.limit.shape, np.inf, order="F")
        low, high = self.normal
        for column, end in enumerate((low, low, high, high)):
            bound[:, column] = np.fmin(np.abs(self.limit[:, column] - end) / 3, np.inf)
        for kind, inward in INWARD.items():
            inner = self.limit[:, inward[-1]]
            for other in inward[-2::-1]:
                inner = np.where(np.isnan(self.limit[:, other]), inner, self.limit[:, other])
            gap = np.abs(self.limit[:, kind] - inner) / 2
            bound[:, kind] = np.fmin(bound[:, kind], gap)
        return bound

    def bands(self) -> tuple[Shared, Shared]:
        """Deadband, as `policy.deadband` has it, and worsening step of each limit: [n, 4]; NaN
        where no limit is set."""
        size = np.abs(self.limit)
        low, high = self.range
        span = np.where(np.isnan(low)[:, None], size, (high - low)[:, None])
        rows = [policy.band(tag.kind) for tag in self.kinds]
        value = np.array([value for value, _ in rows], np.float64)[self.kind, None]
        unit = np.array([unit for _, unit in rows], "U16")[self.kind, None]
        band = np.where(unit == "% of span", value * (span / 100), value)
        band = np.where(unit == "% of set point", value * (size / 100), band)
        band = np.minimum(band, self.clearable())
        given = self.deadband[:, None]
        band = np.where(np.isnan(given), band, given)
        both = np.concatenate([band, WORSE_SHARE * span], axis=1)
        both[np.isnan(np.concatenate([size, size], axis=1))] = np.nan
        unlike, of = distinct(both)
        return Shared(unlike[:, :4], of), Shared(unlike[:, 4:], of)


def doubtful(tags: Sequence[Tag], columns: Columns) -> NDArray[np.intp]:
    """Slots of all tags in which `faults.tag_faults` finds fault, and maybe of some more."""
    if not tags:
        return np.empty(0, np.intp)
    unsound = np.array([any(tag_faults(tag)) for tag in columns.timings])
    asked = np.array([[kind in tag.limits for kind in LIMITS] for tag in columns.timings])
    limit, deadband, rate = columns.limit, columns.deadband, columns.rate
    bad = unsound[columns.timing]
    bad |= (asked[columns.timing] & ~np.isfinite(limit)).any(axis=1)
    bad |= (np.fmax.accumulate(limit, axis=1)[:, :-1] >= limit[:, 1:]).any(axis=1)
    bad |= _given([tag.deadband for tag in tags]) & ~(deadband >= 0)
    bad |= np.isinf(deadband) | (deadband > columns.clearable().min(axis=1))
    bad |= _given([tag.rate_per_min for tag in tags]) & ~((rate > 0) & np.isfinite(rate))
    for given, (low, high) in (
        ([tag.range for tag in tags], columns.range),
        ([tag.normal for tag in tags], columns.normal),
    ):
        bad |= _given(given) & ~((low < high) & np.isfinite(high - low))
    return np.flatnonzero(bad)


def distinct(rows: Floats) -> tuple[Floats, Sorts]:
    """The rows that occur, each once, and which of them each row is. rows: float64[n, c].

    Rows are alike if their bits are. They are found by a hash, and held against each other.
    """
    bits = np.ascontiguousarray(rows).view(np.uint64)
    odd = np.random.Generator(np.random.PCG64(7)).integers(2**62, size=rows.shape[1]) * 2 + 1
    mixed = bits ^ (bits >> np.uint64(29))
    _, first, of = np.unique(
        (mixed * odd.astype(np.uint64)).sum(axis=1, dtype=np.uint64),
        return_index=True,
        return_inverse=True,
    )
    if not np.array_equal(bits[first][of], bits):
        return rows, _narrow(np.arange(len(rows)), len(rows))
    return rows[first], _narrow(of, len(first))


def _narrow(of: NDArray[np.integer], count: int) -> Sorts:
    narrow: Sorts = of.astype(np.min_scalar_type(max(count - 1, 0)))
    return narrow


def _sorts(keys: Sequence[Hashable], tags: Sequence[Tag]) -> tuple[Sorts, tuple[Tag, ...]]:
    """Which sort each tag is by its key, and one tag of each."""
    first: dict[Hashable, int] = {}
    of = np.array([first.setdefault(key, len(first)) for key in keys], np.intp)
    _, at = np.unique(of, return_index=True)
    return _narrow(of, len(first)), tuple(tags[n] for n in at)


def _timing(tag: Tag) -> Hashable:
    return (
        tag.kind, tag.delay_on_s, tag.delay_off_s, tag.interval_s, tag.max_silence_s,
        tag.rate_window_s, *tag.limits,
    )  # fmt: skip


def _numbers(given: Sequence[float | None]) -> Floats:
    return np.array(given, np.float64)


def _given(given: Sequence[object]) -> NDArray[np.bool_]:
    return np.array([one is not None for one in given], np.bool_)


def _pairs(given: Sequence[tuple[float, float] | None]) -> Pairs:
    none = (np.nan, np.nan)
    both = np.array([one or none for one in given], np.float64).reshape(-1, 2)
    return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])
