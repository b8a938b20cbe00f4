"""Samples in blocks that fit a processor's cache: different rows each, views where possible."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from rules.picking import Map, Rows, Where, rounds
from rules.samples import Samples

BLOCK = 16_384
"""Rows that are worked on together: what CHANGE needs of so many, some 2 MB, was faster than blocks
that fit a second-level cache of 1 MB but need more calls."""


M = TypeVar("M")
"""A memory of a layer: a dataclass of arrays whose first dimension are the rows."""


class Block(NamedTuple):
    """Samples of different rows; arrays of one length m, at most `BLOCK`.

    where: the rows, a slice where they follow each other (what is taken is then a view). slot, at,
    value, before, previous, good: see `Samples`.
    """

    where: Where
    slot: Rows
    at: Ints
    value: Floats
    before: Ints
    previous: Floats
    good: NDArray[np.bool_]

    def rows(self) -> Rows:
        """The rows as numbers: intp[m]."""
        if isinstance(self.where, slice):
            return np.arange(self.where.start, self.where.stop)
        return self.where

    def take(self, which: NDArray[np.bool_]) -> "Block":
        """The samples chosen by a mask."""
        rest: Any = (array[which] for array in self[1:])
        return Block(self.rows()[which], *rest)


def blocks(rows: Map, samples: Samples) -> Iterator[Block]:
    """The samples that have a row: the first of each tag, then the second ones, and so on."""
    columns = (samples.slot, samples.at, samples.value, samples.before, samples.previous)
    for row, positions in rounds(rows, samples):
        arrays = [column[positions] for column in (*columns, samples.good)]
        for begin in range(0, len(row), BLOCK):
            cut = slice(begin, begin + BLOCK)
            rest: Any = (array[cut] for array in arrays)
            yield Block(_where(row[cut]), *rest)


def _where(row: Rows) -> Where:
    first, last = row[0], row[-1]
    if last - first == len(row) - 1 and (row[1:] > row[:-1]).all():
        return slice(int(first), int(last) + 1)
    return row


def at(memory: M, where: Where) -> M:
    """Some rows of a memory, rows last: arrays of shape [m] or [c, m]; views for a slice, else
    copies. Two-dimensional arrays in Fortran order are then contiguous for each c."""
    arrays = (getattr(memory, name).T for name in _names(memory))
    if isinstance(where, slice):
        return type(memory)(*(array[..., where] for array in arrays))
    return type(memory)(*(_copy(array, where) for array in arrays))


def put(memory: M, where: Rows, some: M) -> None:
    """Write rows back that `at` has copied."""
    for name in _names(memory):
        _write(getattr(memory, name).T, where, getattr(some, name))


def pick(some: M, which: Rows) -> M:
    """Copies of some of the rows that `at` gave."""
    return type(some)(*(_copy(getattr(some, name), which) for name in _names(some)))


def lay(some: M, which: Rows, few: M) -> None:
    """Write back what `pick` has copied."""
    for name in _names(some):
        _write(getattr(some, name), which, getattr(few, name))


def _copy(array: NDArray[Any], which: Rows) -> NDArray[Any]:
    """Elements of [m] or [c, m], contiguous for each c: `array[:, which]` would not be."""
    if array.ndim == 1:
        return array[which]
    few = np.empty((len(array), len(which)), array.dtype)
    for own, whole in zip(few, array, strict=True):
        own[:] = whole[which]
    return few


def _write(array: NDArray[Any], which: Rows, few: NDArray[Any]) -> None:
    if array.ndim == 1:
        array[which] = few
        return
    for whole, own in zip(array, few, strict=True):
        whole[which] = own


def _names(memory: object) -> tuple[str, ...]:
    return _names_of(type(memory))  # type: ignore[arg-type]


@cache
def _names_of(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
