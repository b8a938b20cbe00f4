"""Which detectors belong together: those of one place, or near each other. No loop over them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.risk_facts import Family, Mask, TagTable

Rows = NDArray[np.intp]
Tags = NDArray[np.integer]

_CELL = 1 << 20
"""Squares along each axis; squares of 50 m reach around the earth."""


class Pairs(NamedTuple):
    """left, right: intp[q], positions in the two lists that were joined."""

    left: Rows
    right: Rows

    def only(self, which: Mask) -> "Pairs":
        """The chosen pairs."""
        return Pairs(self.left[which], self.right[which])


def between(low: Tags, high: Tags, right: Tags) -> Pairs:
    """All pairs with low[i] <= right[j] <= high[i]."""
    order = np.argsort(right, kind="stable")
    ordered = right[order]
    first = np.searchsorted(ordered, low, "left")
    count = np.searchsorted(ordered, high, "right") - first
    i = np.repeat(np.arange(len(low)), count)
    skipped = np.repeat(np.cumsum(count) - count, count)
    return Pairs(i, order[np.repeat(first, count) + np.arange(len(i)) - skipped])


def equal(left: Tags, right: Tags) -> Pairs:
    """All pairs with left[i] == right[j]."""
    return between(left, left, right)


def near(tags: TagTable, left: Tags, right: Tags, distance: float) -> Pairs:
    """Pairs of different tags of one family in one place, or in one enterprise at most `distance`
    metres apart; some come twice. left, right: rows of tags, [a] and [b]."""
    place = tags.place.astype(np.int64) * len(Family) + tags.family
    same = equal(place[left], place[right])
    near_by = close(tags, tags.family, left, right, distance)
    pairs = Pairs(*(np.concatenate(side) for side in zip(same, near_by, strict=True)))
    return pairs.only(left[pairs.left] != right[pairs.right])


def close(
    tags: TagTable, family: NDArray[np.int8], left: Tags, right: Tags, distance: float
) -> Pairs:
    """Pairs of one enterprise and family (int8[n], 0 to 3) at most `distance` metres apart, a tag
    with itself included; a position of NaN is near nothing."""
    left_known, right_known = (np.flatnonzero(np.isfinite(tags.x[r])) for r in (left, right))
    a, b = left[left_known], right[right_known]
    both = np.concatenate([a, b])
    group = np.unique(tags.enterprise[both], return_inverse=True)[1].astype(np.int64)
    key = ((group * len(Family) + family[both]) * _CELL + _cells(tags.x[both], distance)) * _CELL
    key += _cells(tags.y[both], distance)
    columns = (key[: len(a), None] + np.array([-_CELL, 0, _CELL])).ravel()
    pairs = between(columns - 1, columns + 1, key[len(a) :])
    i, j = pairs.left // 3, pairs.right
    apart = np.hypot(tags.x[a[i]] - tags.x[b[j]], tags.y[a[i]] - tags.y[b[j]])
    return Pairs(left_known[i], right_known[j]).only(apart <= distance)


def _cells(metres: Floats, distance: float) -> Ints:
    """The number of the square of side `distance` that a coordinate lies in."""
    cell = np.floor(metres / distance).astype(np.int64) + _CELL // 2
    return np.clip(cell, 2, _CELL - 3)
