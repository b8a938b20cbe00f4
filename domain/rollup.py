"""The worst child decides the colour of every node of the tree; counts stand beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.risk import Bytes, Colour, Mask

NONE = -1
"""No parent; no colour."""


@dataclass(frozen=True, slots=True, eq=False)
class RollUp:
    """By node [n]. worst: int8[n], the worst colour below or at the node, -1 = no source there.

    counts: int32[n, 4], sources by colour, unknown or not. unknown: int32[n], how many of them are
    unknown.
    """

    worst: Bytes
    counts: NDArray[np.int32]
    unknown: NDArray[np.int32]


def roll_up(parents: NDArray[np.integer], colours: Bytes, unknown: Mask) -> RollUp:
    """Colours of a forest (domain.md 4.7: the worst child's, never a sum of scores).

    parents: integers[n], row of the parent, -1 for a root. colours: int8[n], the colour of a
    source, -1 for other nodes. unknown: bool[n], the source is not seen. Raises `ValueError` where
    parents go in a circle.
    """
    n = len(parents)
    source = np.flatnonzero(colours != NONE)
    counts = np.zeros((n, len(Colour)), np.int32)
    counts[source, colours[source]] = 1
    blind = (unknown & (colours != NONE)).astype(np.int32)
    depth = _depth(parents)
    for level in range(int(depth.max(initial=0)), 0, -1):
        row = np.flatnonzero(depth == level)
        np.add.at(counts, parents[row], counts[row])
        np.add.at(blind, parents[row], blind[row])
    there = counts > 0
    worst = np.where(there.any(axis=1), 3 - there[:, ::-1].argmax(axis=1), NONE)
    return RollUp(worst.astype(np.int8), counts, blind)


def _depth(parents: NDArray[np.integer]) -> NDArray[np.intp]:
    depth = np.zeros(len(parents), np.intp)
    above = parents.copy()
    while (below := np.flatnonzero(above != NONE)).size:
        depth[below] += 1
        if depth[below[0]] > len(parents):
            raise ValueError("the tree's parents go in a circle")
        above[below] = parents[above[below]]
    return depth
