"""Rows: what a layer of rules remembers of its subjects, and how that outlives plans and processes.

A layer watches some tags or nodes for conditions of its own, beside limits, rates and silence. It
compiles a `Table` of the plant and keeps a `Memory`, arrays with one row for each subject. Because
every array of a memory has that one shape, snapshots, new plans and restarts need nothing of the
layer itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.alarms import OF_NODES, Edge, Kind
from domain.frame import Floats, Ints
from domain.instant import NEVER
from domain.plant import Registry, Tag

if TYPE_CHECKING:
    from rules.findings import Collector
    from rules.plan import Plan
    from rules.samples import Samples

Rows = NDArray[np.intp]
Arrays = dict[str, NDArray[Any]]


class Table(Protocol):
    """What a layer has compiled of the plant; never written to.

    keys: integers[r], rising ids of its subjects, tags or nodes. marks: integers[r], which differ
    where the row of a subject has to begin anew under a new plan; what is active then stays so.
    """

    @property
    def keys(self) -> NDArray[np.integer]:
        """See the class."""

    @property
    def marks(self) -> NDArray[np.integer]:
        """See the class."""


class Memory(Protocol):
    """A dataclass whose fields are all arrays with the rows of the table as first dimension.

    onset: int64[r, c], onset of the active condition by kind of the layer, NEVER = not active.
    """

    onset: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the engine knows of every tag, by slot [n]; for layers to read, never to write.

    at, received: int64, event time and frame stamp of the last judged sample, NEVER = none; in
    `judge` the frame is in them already. held: float64, last value that was a number, NaN = none.
    good: int64, event time of the last good sample, NEVER = none. grace: wall microseconds from
    which silence counts at the earliest.
    """

    at: Ints
    received: Ints
    held: Floats
    good: Ints
    grace: int = NEVER

    def now(self, slot: Rows, at: int) -> Ints:
        """The event time of these tags at wall time `at`, microseconds: a tag's clock goes on from
        its last sample as the wall clock does since that was received."""
        return self.at[slot] + (at - self.received[slot])


Compile = Callable[[Registry, Sequence[Tag]], Any]
Judge = Callable[["Plan", Any, Any, "Samples", int, Seen, "Collector"], None]
PassTime = Callable[["Plan", Any, Any, int, Seen, "Collector"], None]


@dataclass(frozen=True, slots=True)
class Layer:
    """One sort of rules.

    name: prefix in snapshots. kinds: what it finds, in the order of the columns of `onset`; either
    all of tags or all of nodes.

    compile(registry, tags): the table; tags by rising id, a tag's slot is its position; raises
    `PlanError`. fresh(table): a memory that knows nothing. judge(plan, table, memory, samples,
    received, seen, found): take in the samples of a frame with stamp `received`. pass_time(plan,
    table, memory, at, seen, found): what needs no sample, up to wall time `at` in microseconds.
    next_due(table, memory): earliest wall time in microseconds at which pass_time matters, FAR =
    never. Only judge and pass_time change the memory. holds: whether compile gets tags with the
    limits that active alarms hold against a mode; these may cross others (`domain.modes`).
    """

    name: str
    kinds: tuple[Kind, ...]
    compile: Compile
    fresh: Callable[[Any], Any]
    judge: Judge
    pass_time: PassTime
    next_due: Callable[[Any, Any], int]
    holds: bool = False

    @property
    def of_nodes(self) -> bool:
        """Whether its subjects are nodes of the tree."""
        return self.kinds[0] in OF_NODES


def move(old_table: Table, old: Memory, table: Table, memory: Memory) -> None:
    """Take over the rows of subjects that both tables have; of rows with another mark, only what is
    active."""
    _, was, row = np.intersect1d(old_table.keys, table.keys, return_indices=True)
    memory.onset[row] = old.onset[was]
    same = old_table.marks[was] == table.marks[row]
    for name in _names(memory):
        getattr(memory, name)[row[same]] = getattr(old, name)[was[same]]


def pack(layer: Layer, table: Table, memory: Memory) -> Arrays:
    """The whole memory as named arrays."""
    arrays: Arrays = {"key": table.keys, "mark": table.marks}
    arrays |= {name: getattr(memory, name) for name in _names(memory)}
    return {f"{layer.name}.{name}": array for name, array in arrays.items()}


def fill(layer: Layer, table: Table, memory: Memory, arrays: Arrays) -> None:
    """Write packed arrays into a fresh memory; a layer that the snapshot lacks stays fresh, and one
    whose memory has another form keeps only what is active."""
    mine = {name: arrays.get(f"{layer.name}.{name}") for name in ("key", "mark", *_names(memory))}
    key, mark, onset = mine["key"], mine["mark"], mine["onset"]
    if key is None or mark is None or onset is None or onset.shape[1:] != memory.onset.shape[1:]:
        return
    _, was, row = np.intersect1d(key, table.keys, return_indices=True)
    memory.onset[row] = onset[was]
    same = mark[was] == table.marks[row]
    for name in _names(memory):
        saved, ours = mine[name], getattr(memory, name)
        if saved is None or saved.dtype != ours.dtype or saved.shape[1:] != ours.shape[1:]:
            return
    for name in _names(memory):
        getattr(memory, name)[row[same]] = mine[name][was[same]]  # type: ignore[index]


def adopt(layer: Layer, table: Table, memory: Memory, kind: Kind, wanted: dict[int, int]) -> None:
    """Make one kind active for exactly these subjects (id -> onset, microseconds)."""
    column = memory.onset[:, layer.kinds.index(kind)]
    column[:] = NEVER
    if wanted:
        column[rows_of(table, list(wanted))] = list(wanted.values())


def rows_of(table: Table, ids: Sequence[int]) -> Rows:
    """Rows of subjects, -1 for those that the table lacks: intp, in the order given."""
    if not len(table.keys):
        return np.full(len(ids), -1, np.intp)
    row = np.minimum(np.searchsorted(table.keys, ids), len(table.keys) - 1)
    return np.where(table.keys[row] == ids, row, -1)


def close(
    layer: Layer, table: Table, memory: Memory, which: NDArray[np.bool_], at: int, reason: str,
    found: "Collector",
) -> None:  # fmt: skip
    """Tell Edge.CLOSED, effective at `at`, of what is active in these rows. which: bool[r]."""
    row, column = np.nonzero((memory.onset != NEVER) & which[:, None])
    tell = found.nodes if layer.of_nodes else found.subjects
    kinds = np.array(layer.kinds, np.intp)
    tell(Edge.CLOSED, kinds[column], table.keys[row], memory.onset[row, column], at, reason=reason)


def _names(memory: Memory) -> tuple[str, ...]:
    return tuple(field.name for field in fields(memory))  # type: ignore[arg-type]
