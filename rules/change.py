"""CHANGE 异常变化: a quantity left its own habit, whatever its limits say.

A tag raises when its score (see `rules.averages`) reaches the threshold, which follows from the
false alarms that the model allows, higher while the tag's history is shorter than its memory, and
higher where the tail of its own scores is heavier than a Gaussian one. It returns when the score
has fallen to a share of the threshold. During an alarm the baseline stands still, so no change is
absorbed in silence; one that stands for `adopt` becomes the new normal, and that is told as the
reason of the return. The value of a tag that reports by exception stands between its reports; a gap
of any other tag teaches nothing. What is not good or not finite teaches nothing and ends nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.change_model import ChangeModel, change_model
from domain.gas_background import GASES
from domain.instant import FAR, SECOND
from domain.plant import Registry, Tag
from domain.policy import DIGITAL, silence_after
from rules.averages import ADOPTED, RAISED, RETURNED, listen
from rules.change_learning import LOUDEST
from rules.change_memory import SCRATCH, SORT, TOLD, ChangeMemory, law_of
from rules.findings import Collector
from rules.loops import Records, row_map
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

Rows = NDArray[np.int32]
Singles = NDArray[np.float32]
NEW_NORMAL = "已成新常态 it is taken as the new normal"
DAY_S = 86_400.0
ROOM = 1024
"""Edges that the loop finds before they are told, and it goes on."""
_DETAIL = ("usual", "noise", "shift", "scale", "score", "threshold")
_NOBODY: Singles = np.empty(0, np.float32)
_EDGES = {
    RAISED: (Edge.RAISED, ""),
    RETURNED: (Edge.RETURNED, ""),
    ADOPTED: (Edge.RETURNED, NEW_NORMAL),
}


@dataclass(frozen=True, slots=True, eq=False)
class ChangeTable:
    """Tags with quantities, by rising slot.

    keys: int32[r]. rows: see `loops.row_at`. sort: int32[r], which of the sorts each tag is. sorts:
    SORT[s]. stamp: int16[s], changes with the numbers of a sort. law: LAW[1].
    """

    keys: Rows
    rows: Rows
    sort: Rows
    sorts: Records
    stamp: NDArray[np.int16]
    law: Records

    @property
    def marks(self) -> NDArray[np.int16]:
        """See `rows.Table`."""
        marks: NDArray[np.int16] = self.stamp[self.sort]
        return marks


def compile_change(_: Registry, tags: Sequence[Tag]) -> ChangeTable:
    """A row for each tag that is no state; of gas `rules.intermittent` knows better."""
    return table_of(tags, change_model())


def table_of(tags: Sequence[Tag], model: ChangeModel) -> ChangeTable:
    """The table under a model."""
    slots = [slot for slot, tag in enumerate(tags) if tag.kind not in DIGITAL | GASES]
    told = [_sort(tags[slot], model) for slot in slots]
    sorts = sorted(set(told))
    place = {sort: n for n, sort in enumerate(sorts)}
    return ChangeTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        row_map(len(tags), slots),
        np.array([place[sort] for sort in told], np.int32),
        np.array(sorts, SORT),
        np.array([crc32(repr(sort).encode()) & 0x7FFF for sort in sorts], np.int16),
        law_of(model),
    )


def _sort(tag: Tag, model: ChangeModel) -> tuple[float, ...]:
    """The SORT of a tag."""
    habit = model.habit
    by_exception = tag.max_silence_s is not None or tag.report_deadband is not None
    samples = min(max(habit.memory / tag.interval_s, habit.samples), habit.most)
    span = tag.range[1] - tag.range[0] if tag.range else 0.0
    floor = max(habit.floor_span * span, habit.floor_resolution * (tag.resolution or 0.0))
    return (
        tag.interval_s * SECOND,
        silence_after(tag) / tag.interval_s if by_exception else 0.0,
        samples,
        1 / samples,
        min(floor, LOUDEST),
        model.threshold(DAY_S / tag.interval_s),
    )


def fresh(table: ChangeTable) -> ChangeMemory:
    """Nothing is known of any tag."""
    return ChangeMemory.fresh(len(table.keys), table.law)


def judge(
    plan: Plan,
    table: ChangeTable,
    memory: ChangeMemory,
    samples: Samples,
    received: int,
    seen: Seen,
    found: Collector,
) -> None:
    """Take in the samples of a frame."""
    take(table, memory, samples, found)


def take(
    table: ChangeTable,
    memory: ChangeMemory,
    samples: Samples,
    found: Collector,
    ratio: Singles = _NOBODY,
) -> None:
    """Take in samples. ratio: float32[m], where the score of each usable one over its threshold is
    written, if anybody wants to know."""
    told, scratch = np.empty(min(ROOM, len(samples)), TOLD), np.zeros(1, SCRATCH)
    first = 0
    while first < len(samples):
        first, edges = listen(
            table.law, table.sorts, table.sort, table.rows, memory.habit, memory.onset[:, 0],
            samples.slot, samples.at, samples.value, samples.good, samples.before,
            samples.previous, told, ratio, scratch, first,
        )  # fmt: skip
        if edges:
            _tell(told[:edges], samples, found)


def _tell(told: Records, samples: Samples, found: Collector) -> None:
    """Tell the edges in order."""
    for code, (edge, reason) in _EDGES.items():
        this = told[told["edge"] == code]
        sample, detail = this["sample"], {name: this[name].copy() for name in _DETAIL}
        found.tags(
            edge, Kind.CHANGE, samples.slot[sample], this["onset"].copy(), samples.at[sample],
            samples.value[sample], detail["usual"], reason, detail,
        )  # fmt: skip


def pass_time(
    plan: Plan, table: ChangeTable, memory: ChangeMemory, at: int, seen: Seen, found: Collector
) -> None:
    """Time alone changes no habit."""


def next_due(table: ChangeTable, memory: ChangeMemory) -> int:
    """Never."""
    return FAR


CHANGE = Layer("change", (Kind.CHANGE,), compile_change, fresh, judge, pass_time, next_due)
