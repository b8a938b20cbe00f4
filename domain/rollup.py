"""The worst child decides the colour of every node of the tree; counts and indices stand beside it
(domain.md 4.7)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.risk import Bytes, Colour, Mask
from domain.risk_model import AreaModel

NONE = -1
"""No parent; no colour."""
METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a sphere of 6371 km."""


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


def domino(
    model: AreaModel, parks: NDArray[np.integer], lon: Floats, lat: Floats, alarmed: Mask
) -> NDArray[np.integer]:
    """The parks that are red because two sources within the domino distance 多米诺距离 are orange.

    By source [m]: parks: node of its park, -1 = none. lon, lat: degrees, NaN = unknown, then it is
    near nothing. alarmed: bool[m], orange or worse from alarms of gas, fire or process that are not
    reset. Alarms of two sources are of different cause: cause groups lie within a source. Returns
    the parks, rising.
    """
    row = np.flatnonzero(alarmed & (parks >= 0) & np.isfinite(lon) & np.isfinite(lat))
    east = (lon[row][:, None] - lon[row]) * np.cos(np.radians(lat[row]))
    apart = METRES_PER_DEGREE * np.hypot(east, lat[row][:, None] - lat[row])
    near = (apart <= model.domino) & (parks[row][:, None] == parks[row])
    np.fill_diagonal(near, val=False)
    return np.unique(parks[row[near.any(axis=1)]])


def enterprise_index(model: AreaModel, scores: Floats) -> float:
    """E, for ranking only: the worst score, and a tenth of what others have above 30, at most 10
    more. scores: D of an enterprise's sources; 0 without any."""
    falling = np.sort(scores)[::-1]
    if not len(falling):
        return 0.0
    more = model.index_share * np.maximum(0.0, falling[1:] - model.index_from).sum()
    return float(min(100.0, falling[0] + min(model.index_cap, more)))


def area_index(model: AreaModel, counts: NDArray[np.integer]) -> float:
    """For ranking only: 0 (all blue) to 100 (all red). counts: [4], sources by `Colour`; 0 without
    any."""
    number = int(counts.sum())
    return 100.0 * float(counts @ np.asarray(model.weights)) / number if number else 0.0


def _depth(parents: NDArray[np.integer]) -> NDArray[np.intp]:
    depth = np.zeros(len(parents), np.intp)
    above = parents.copy()
    while (below := np.flatnonzero(above != NONE)).size:
        depth[below] += 1
        if depth[below[0]] > len(parents):
            raise ValueError("the tree's parents go in a circle")
        above[below] = parents[above[below]]
    return depth
