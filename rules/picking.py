"""From samples to rows of a table that holds only some tags: views where that is possible."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules.samples import Samples, by_rank

Rows = NDArray[np.intp]
Map = NDArray[np.int32] | None
"""The row of each slot, -1 for none; None where the rows are the slots; empty for no rows."""
Where = Rows | slice
"""Positions, as a slice where they follow each other: what is taken then is a view."""


class Picked(NamedTuple):
    """Samples of different rows, arrays of one length m.

    row: intp[m]; where, place: rows and slots, to take from arrays that have one for each. slot,
    at, value, previous, good: see `Samples`.
    """

    row: Rows
    where: Where
    place: Where
    slot: Rows
    at: Ints
    value: Floats
    previous: Floats
    good: NDArray[np.bool_]


def row_map(tags: int, slots: Sequence[int]) -> Map:
    """The map of a table whose rows are these slots of a plan of so many tags."""
    if len(slots) == tags:
        return None
    if not slots:
        return np.empty(0, np.int32)
    row = np.full(tags, -1, np.int32)
    row[np.asarray(slots, np.intp)] = np.arange(len(slots))
    return row


def rounds(rows: Map, samples: Samples) -> Iterator[tuple[Rows, Where]]:
    """(rows, positions among the samples) of what has a row: the first sample of each tag together,
    then the second ones."""
    if rows is not None and not rows.size:
        return
    row, rank = samples.slot, samples.rank
    position: Where = slice(None)
    if rows is not None:
        row = rows[samples.slot].astype(np.intp)
        position = np.flatnonzero(row >= 0)
        row = row[position]
        rank = None if rank is None else rank[position]
    if rank is None:
        if row.size:
            yield row, position
        return
    for part in by_rank(rank) if row.size else ():
        yield row[part], part if isinstance(position, slice) else position[part]


def picked(rows: Map, samples: Samples) -> Iterator[Picked]:
    """The samples that have a row, as `rounds` has them."""
    for row, p in rounds(rows, samples):
        slot, where = samples.slot[p], _where(row)
        place = where if rows is None else slot
        at, value, previous = samples.at[p], samples.value[p], samples.previous[p]
        yield Picked(row, where, place, slot, at, value, previous, samples.good[p])


def _where(row: Rows) -> Where:
    first, last = row[0], row[-1]
    if last - first == len(row) - 1 and (row[1:] > row[:-1]).all():
        return slice(int(first), int(last) + 1)
    return row
