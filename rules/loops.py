"""What compiled loops over samples share: the numbers of a model as a record, edges as records.

Records have fields in compiled code and in plain Python alike: `record.field`.
"""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Ints
from rules.compiled import part
from rules.findings import Collector

Records = NDArray[np.void]
Map = NDArray[np.int32]
"""The row of each slot, -1 for none; empty where the rows are the slots."""
RETURNED, RAISED, WORSE = int(Edge.RETURNED), int(Edge.RAISED), int(Edge.WORSE)
NUMBERS = ("first", "second", "third")
ROOM = 256
"""Edges that a loop finds before it lets its caller tell them, and goes on."""


def form(*named: tuple[str, Any]) -> np.dtype[np.void]:
    """The dtype of records with these fields."""
    return np.dtype((np.record, list(named)))


EDGE = form(
    ("number", np.int64),
    ("column", np.int64),
    ("edge", np.int64),
    ("onset", np.int64),
    ("effective", np.int64),
    ("value", np.float64),
    ("limit", np.float64),
    ("first", np.float64),
    ("second", np.float64),
    ("third", np.float64),
)
"""An edge of a condition. number: slot or row of its tag. column: of what it tells, as the loop
says. onset, effective: microseconds. limit: NaN = none. first to third: numbers of its detail."""


class Edges(NamedTuple):
    """rows: EDGE[e]. used: int64[1], how many of them are edges."""

    rows: Records
    used: Ints


class Reading(NamedTuple):
    """A sample: slot or row of its tag, event time in microseconds, value."""

    number: int
    at: int
    value: float


def room(size: int = ROOM) -> Edges:
    """For so many edges."""
    return Edges(np.empty(size, EDGE), np.zeros(1, np.int64))


@part
def add(edges: Edges, reading: Reading, column: int, edge: int, onset: int) -> Any:
    """Write the next edge, brought by this reading; the limit and the numbers are left to the
    caller. There must be room."""
    row = edges.rows[edges.used[0]]
    edges.used[0] += 1
    row.number, row.effective, row.value = reading.number, reading.at, reading.value
    row.column, row.edge, row.onset, row.limit = column, edge, onset, np.nan
    return row


def tell(
    edges: Edges, ids: NDArray[np.integer], kinds: Sequence[Kind], detail: Sequence[Sequence[str]],
    found: Collector,
) -> None:  # fmt: skip
    """Tell the edges, and make room for others.

    ids: the tag of each `number`. kinds, detail: by column, what the numbers of a raise are called.
    """
    rows = edges.rows[: edges.used[0]]
    edges.used[0] = 0
    for column, kind in enumerate(kinds if len(rows) else ()):
        for edge in (Edge.RAISED, Edge.RETURNED):
            some = rows[(rows["column"] == column) & (rows["edge"] == edge)]
            names = detail[column] if edge is Edge.RAISED else ()
            found.subjects(
                edge, kind, ids[some["number"]], some["onset"], some["effective"], some["value"],
                some["limit"], detail=dict(zip(names, (some[n] for n in NUMBERS), strict=False)),
            )  # fmt: skip


def row_map(tags: int, slots: Sequence[int]) -> Map:
    """The map of a table whose rows are these slots of a plan of so many tags. A table without rows
    is not at work, and has none."""
    if len(slots) in (0, tags):
        return np.empty(0, np.int32)
    row = np.full(tags, -1, np.int32)
    row[np.asarray(slots, np.intp)] = np.arange(len(slots))
    return row


@part
def row_at(rows: Map, slot: int) -> int:
    """The row of a slot, -1 = none."""
    return rows[slot] if len(rows) else slot


def record(model: Any) -> Records:
    """The numbers of a dataclass, and of those within it, as one record: [1]. What every record
    has by itself, such as `clip`, is called `clip_`."""
    return np.array([_numbers(model)], _form(model))


def _parts(model: Any) -> list[tuple[str, Any]]:
    every = ((field.name, getattr(model, field.name)) for field in fields(model))
    return [(name, value) for name, value in every if not isinstance(value, str)]


def _form(model: Any) -> Any:
    if not is_dataclass(model):
        return np.int64 if isinstance(model, int) else np.float64
    named = ((name + "_" * hasattr(np.record, name), value) for name, value in _parts(model))
    return form(*((name, _form(value)) for name, value in named))


def _numbers(model: Any) -> Any:
    return tuple(map(_numbers, (v for _, v in _parts(model)))) if is_dataclass(model) else model
