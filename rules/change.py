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
from domain.frame import Floats, Ints
from domain.gas_background import GASES
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry, Tag
from domain.policy import DIGITAL, silence_after
from rules.averages import Scores, advance
from rules.blocks import Block, at, blocks, lay, pick, put
from rules.change_learning import EACH
from rules.change_memory import UNIT, ChangeMemory, Numbers, Pace, Rows, Singles, threshold
from rules.findings import Collector
from rules.picking import Map, row_map
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples

NEW_NORMAL = "已成新常态 it is taken as the new normal"
DAY_S = 86_400.0
_NEAR = np.float32(0.1)
"""A distance so near to one nominal sample counts as one."""


@dataclass(frozen=True, slots=True, eq=False)
class ChangeTable:
    """Tags with quantities, by rising slot.

    keys: int32[r]. row: see `picking.Map`. sort: integers[r], row of each tag in what many share,
    float32[s]: interval: seconds. held: nominal samples for which a value may stand, 0 where the
    tag does not report by exception. memory: samples. floor: smallest noise, in the unit.
    threshold: score. stamp: int16[s], changes with all of these.
    """

    keys: NDArray[np.int32]
    row: Map
    sort: NDArray[np.integer]
    interval: Singles
    held: Singles
    memory: Singles
    floor: Singles
    threshold: Singles
    stamp: NDArray[np.int16]
    model: ChangeModel
    numbers: Numbers

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
    columns = np.array(sorts, np.float64).reshape(-1, 5).T.astype(np.float32)
    return ChangeTable(
        np.array([tags[slot].id for slot in slots], np.int32),
        row_map(len(tags), slots),
        np.array([place[sort] for sort in told], np.min_scalar_type(len(sorts))),
        *columns,  # type: ignore[call-arg]
        np.array([crc32(repr(sort).encode()) & 0x7FFF for sort in sorts], np.int16),
        model,
        Numbers.of(model),
    )


def _sort(tag: Tag, model: ChangeModel) -> tuple[float, ...]:
    """interval, held, memory, floor, threshold of a tag."""
    habit = model.habit
    by_exception = tag.max_silence_s is not None or tag.report_deadband is not None
    samples = min(max(habit.memory / tag.interval_s, habit.samples), habit.most)
    span = tag.range[1] - tag.range[0] if tag.range else 0.0
    floor = max(habit.floor_span * span, habit.floor_resolution * (tag.resolution or 0.0), 1e-30)
    return (
        tag.interval_s,
        silence_after(tag) / tag.interval_s if by_exception else 0.0,
        samples,
        min(floor, 1e30),
        model.threshold(DAY_S / tag.interval_s),
    )


def fresh(table: ChangeTable) -> ChangeMemory:
    """Nothing is known of any tag."""
    return ChangeMemory.fresh(len(table.keys), table.numbers)


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
    for block in blocks(table.row, samples):
        usable = block.good & np.isfinite(block.value)
        part = block if usable.all() else block.take(usable)
        if not len(part.slot):
            continue
        some = at(memory, part.where)
        take(table, some, part, found)
        if not isinstance(part.where, slice):
            put(memory, part.where, some)


def take(table: ChangeTable, some: ChangeMemory, block: Block, found: Collector) -> Singles:
    """Usable samples of different rows; the score after each: float32[m]."""
    numbers, sort = table.numbers, _sorts(table, block)
    active = (some.onset[0] != NEVER).nonzero()[0]
    pace = _pace(table, sort)
    back = threshold(numbers, some, pace, active) * numbers.back
    elapsed = _elapsed(table, block, sort)
    stood = _stand(table, some, pace, block, elapsed, sort, active)
    if elapsed is not EACH:
        held = _of(table.held, sort)
        elapsed = np.minimum(elapsed, np.where(held > 0, EACH, numbers.gap))
    score, over = advance(numbers, some, pace, block.value, elapsed, active)
    if stood is not None:
        score, over = np.maximum(score, stood.score), np.union1d(over, stood.over)
    if over.size:
        known = some.count[over] > numbers.samples
        raised = over[known & (some.onset[0, over] == NEVER)]
        some.onset[0, raised] = block.at[raised]
        _tell(Edge.RAISED, table, some, pace, block, score, raised, found)
    if active.size:
        _return(table, some, pace, block, score, active, back, found)
    return score


def threshold_of(table: ChangeTable, some: ChangeMemory, sort: NDArray[np.integer]) -> Singles:
    """The score that raises, of all these rows: float32[m]."""
    return threshold(table.numbers, some, _pace(table, sort), np.arange(len(some.count)))


def _pace(table: ChangeTable, sort: NDArray[np.integer]) -> Pace:
    return Pace(*(_of(each, sort) for each in (table.memory, table.floor, table.threshold)))


def _sorts(table: ChangeTable, block: Block) -> NDArray[np.integer]:
    """The sort of each row: integers[m], or [1] where all are of one sort."""
    sort = table.sort[block.where]
    return sort[:1] if len(table.stamp) == 1 or (sort == sort[0]).all() else sort


def _of(column: Singles, sort: NDArray[np.integer]) -> Singles:
    """What these sorts have: float32[m], or [1] for all."""
    return column if len(column) == 1 else column[sort]


def _elapsed(table: ChangeTable, block: Block, sort: NDArray[np.integer]) -> Singles:
    """Nominal samples since the sample before: float32[m], or [1] for all; 1 for the first one."""
    waited, interval = block.at - block.before, _of(table.interval, sort)
    if len(interval) == 1:
        ends = (np.float32(int(end) / SECOND) for end in (waited.min(), waited.max()))
        if all(abs(end / interval[0] - 1) < _NEAR for end in ends):
            return EACH
    elapsed = (waited / SECOND).astype(np.float32)
    elapsed /= interval
    usual = np.abs(elapsed - 1) < _NEAR
    usual |= block.before == NEVER
    if usual.all():
        return EACH
    elapsed[usual] = 1
    return elapsed


def _stand(
    table: ChangeTable,
    some: ChangeMemory,
    pace: Pace,
    block: Block,
    elapsed: Singles,
    sort: NDArray[np.integer],
    active: Rows,
) -> Scores | None:
    """What a value that stood between reports by exception says, just before this one."""
    held = _of(table.held, sort)
    if elapsed is EACH or not held.any():
        return None
    stood = np.minimum(elapsed, held) - 1
    which = (stood > _NEAR) & np.isfinite(block.previous) & (some.count > 0)
    rows = which.nonzero()[0]
    if not rows.size:
        return None
    if rows.size == len(which):
        return advance(table.numbers, some, pace, block.previous, stood, active, held=True)
    part = pick(some, rows)
    mine = which[active]
    within = np.searchsorted(rows, active[mine])
    found = advance(
        table.numbers, part, pace.of(rows), block.previous[rows], stood[rows], within, held=True
    )
    lay(some, rows, part)
    score = np.zeros(len(which), np.float32)
    score[rows] = found.score
    return Scores(score, rows[found.over])


def _return(
    table: ChangeTable,
    some: ChangeMemory,
    pace: Pace,
    block: Block,
    score: Singles,
    active: Rows,
    least: Singles,
    found: Collector,
) -> None:
    """Of the active rows. least: score from which on each goes on: float32[k]."""
    back = score[active] <= least
    lasted = block.at[active] - some.onset[0, active] >= round(table.model.warn.adopt * SECOND)
    if not (back | lasted).any():
        return
    over, stood = active[back], active[~back & lasted]
    _tell(Edge.RETURNED, table, some, pace, block, score, over, found)
    _tell(Edge.RETURNED, table, some, pace, block, score, stood, found, NEW_NORMAL)
    some.onset[0, over] = some.onset[0, stood] = NEVER
    some.base[stood] = block.value[stood]
    some.shift[:, stood] = 0
    some.run[stood] = some.count[stood] = 0


def _tell(
    edge: Edge,
    table: ChangeTable,
    some: ChangeMemory,
    pace: Pace,
    block: Block,
    score: Singles,
    which: Rows,
    found: Collector,
    reason: str = "",
) -> None:
    """detail: usual value, noise and mean shift in the unit; memory that sees it, seconds; score
    and threshold."""
    if not which.size:
        return
    sort = table.sort[block.where][which]
    law = np.concatenate([np.ones((1, len(which)), np.float32), some.spread[:, which]])
    law[0] = UNIT * np.float32(0.577)
    scale = np.argmax(np.abs(some.shift[:, which]) / law, axis=0)
    noise = np.maximum(some.noise[which], table.floor[sort]).astype(np.float64)
    shift = some.shift[:, which][scale, np.arange(len(scale))] / UNIT * noise
    detail: dict[str, Floats | Ints] = {
        "usual": some.base[which],
        "noise": noise,
        "shift": shift,
        "scale": table.interval[sort] / np.array(table.model.bank.weights)[scale],
        "score": score[which].astype(np.float64),
        "threshold": threshold(table.numbers, some, pace, which).astype(np.float64),
    }
    found.tags(
        edge, Kind.CHANGE, block.slot[which], some.onset[0, which], block.at[which],
        block.value[which], some.base[which], reason, detail,
    )  # fmt: skip


def pass_time(
    plan: Plan, table: ChangeTable, memory: ChangeMemory, at: int, seen: Seen, found: Collector
) -> None:
    """Time alone changes no habit."""


def next_due(table: ChangeTable, memory: ChangeMemory) -> int:
    """Never."""
    return FAR


CHANGE = Layer("change", (Kind.CHANGE,), compile_change, fresh, judge, pass_time, next_due)
