"""What a window of a tag's samples says against the tag's habit, and what it teaches.

The habit is the smallest and the largest scale (see `rules.health`) of windows that moved; both
fade. White noise of standard deviation sigma has the scale sqrt(6) sqrt(2 / pi) sigma = 1.954
sigma; where neighbours are alike it is less, which only makes FROZEN rarer. Nothing is said before
a day of such windows is known, so that sigma_ref > 0 is the tag's own.

FROZEN: unchanged to the last digit for 10 min and 30 samples (the variance over them is then 0, so
below (0.05 sigma_ref)^2), and 3 times longer than the tag has stood still of late. An unchanging
reading of exactly 0, or at the low end of the range, is at rest and never frozen: a closed flow, a
detector in clean air. NOISE: 2 windows in a row over 3 times the largest habit.
"""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge, Kind
from domain.frame import Floats, Ints
from domain.health import HealthModel
from domain.instant import NEVER, SECOND
from rules.findings import Collector
from rules.picking import Map

Singles = NDArray[np.float32]
Mask = NDArray[np.bool_]
WHITE = np.float32(sqrt(6) * sqrt(2 / pi))
"""The scale of white noise of standard deviation 1."""
FROZEN, NOISE, CLIPPED = 0, 1, 2
_MOST_WINDOWS = 2**16 - 1


@dataclass(frozen=True, slots=True, eq=False)
class HealthTable:
    """Tags with quantities, by rising slot.

    keys: int32[r]. marks: int16[r]. row: see `picking.Map`. margin: float32[r], how near to a limit
    CLIPPED looks, -1 = nowhere. sort: integers[r], row of each tag in what many share: low:
    float64[s], where a reading is at rest, floor: float32[s], smallest sigma_ref with which FROZEN
    may be said (infinite: never), window: float64[s], length of a window in seconds.
    """

    keys: NDArray[np.int32]
    marks: NDArray[np.int16]
    row: Map
    margin: Singles
    sort: NDArray[np.integer]
    low: Floats
    floor: Singles
    window: Floats
    model: HealthModel


@dataclass(slots=True, eq=False)
class HealthMemory:
    """One row for each tag; scales in its unit.

    step: the last difference, NaN = the last sample was not good, infinite = the one before it was
    not. total, count: sum and number of what the open window has.
    over: windows in a row over the habit, or below 0: calm. windows: how many taught the habit.
    ended: when the last window ended, whole seconds since 1970 rounded up, 0 = none. least, most:
    the habit, NaN = none. still: for how long it has stood still, seconds. longest: stand-still of
    late, seconds. cap, nearest, touches, dipped, touched: see `rules.clipped`. onset: FROZEN,
    NOISE, CLIPPED.
    """

    step: Singles
    total: Singles
    count: NDArray[np.int8]
    over: NDArray[np.int8]
    windows: NDArray[np.uint16]
    ended: NDArray[np.uint32]
    least: Singles
    most: Singles
    still: Singles
    longest: Singles
    cap: Singles
    nearest: Singles
    touches: NDArray[np.int8]
    dipped: Mask
    touched: NDArray[np.uint32]
    onset: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Windows that have just ended, arrays of one length, each of another row.

    second: `effective`, the time of the last sample, in whole seconds. value: that sample. scale:
    infinite where it is unknown. lasted: seconds, a gap in the data counted in part.
    """

    row: NDArray[np.intp]
    slot: NDArray[np.intp]
    second: Ints
    effective: Ints
    value: Floats
    scale: Singles
    unchanged: Mask
    lasted: Floats
    sort: NDArray[np.integer]


def judge(table: HealthTable, memory: HealthMemory, w: Window, found: Collector) -> None:
    """Tell what these windows raise and return, then learn from them."""
    needed = np.ceil(table.model.habit.learn / table.window[w.sort])
    knows = memory.windows[w.row] >= np.clip(needed, 1, _MOST_WINDOWS)
    _frozen(table, memory, w, knows, found)
    over = _noise(table, memory, w, knows, found)
    _learn(table, memory, w, ~over)


def _frozen(
    table: HealthTable, memory: HealthMemory, w: Window, knows: Mask, found: Collector
) -> None:
    rule, row = table.model.frozen, w.row
    still = w.unchanged & (w.value != 0) & (w.value != table.low[w.sort])
    _follow(table, memory, w, still)
    floor, sigma = table.floor[w.sort], memory.least[row] / WHITE
    active = memory.onset[row, FROZEN] != NEVER
    long_enough = np.maximum(rule.seconds, rule.habit * memory.longest[row])
    raised = still & ~active & knows & (sigma >= floor) & (memory.still[row] >= long_enough)
    onset = (w.second - memory.still[row].astype(np.int64)) * SECOND
    memory.onset[row[raised], FROZEN] = onset[raised]
    _tell(memory, w, raised, Edge.RAISED, Kind.FROZEN, {"sigma": sigma}, found)
    over = active & (~still | (floor == np.inf))
    _tell(memory, w, over, Edge.RETURNED, Kind.FROZEN, {}, found)


def _follow(table: HealthTable, memory: HealthMemory, w: Window, still: Mask) -> None:
    """Count the stand-still, or learn how long the one was that ends."""
    moved = w.row[~still]
    kept = memory.longest[moved] * (1 - w.lasted[~still] / table.model.habit.memory)
    taught = np.minimum(memory.still[moved], table.model.frozen.longest)
    memory.longest[moved] = np.maximum(taught, kept)
    memory.still[moved] = 0
    memory.still[w.row[still]] += w.lasted[still]


def _noise(
    table: HealthTable, memory: HealthMemory, w: Window, knows: Mask, found: Collector
) -> Mask:
    """Which windows are over the habit."""
    rule, row = table.model.noise, w.row
    most = memory.most[row]
    over: Mask = knows & (w.scale > np.float32(rule.raise_) * most)
    calm = w.scale <= np.float32(rule.back) * most
    run = memory.over[row]
    run = np.where(over, np.maximum(run, 0) + 1, np.where(calm, np.minimum(run, 0) - 1, 0))
    memory.over[row] = run = np.clip(run, -rule.windows, rule.windows)
    active = memory.onset[row, NOISE] != NEVER
    raised = ~active & (run == rule.windows)
    lasted = rule.windows * np.maximum(w.lasted, 1).astype(np.int64)
    memory.onset[row[raised], NOISE] = ((w.second - lasted) * SECOND)[raised]
    detail = {"sigma": w.scale / WHITE, "usual": most / WHITE}
    _tell(memory, w, raised, Edge.RAISED, Kind.NOISE, detail, found)
    _tell(memory, w, active & (run == -rule.windows), Edge.RETURNED, Kind.NOISE, {}, found)
    return over


def _learn(table: HealthTable, memory: HealthMemory, w: Window, usual: Mask) -> None:
    """Half-way to each smaller or larger scale; what is unusual for some days becomes the habit."""
    fade = (w.lasted / table.model.habit.memory).astype(np.float32)
    active = memory.onset[w.row, NOISE] != NEVER
    memory.most[w.row[active]] *= 1 + fade[active]
    taught = usual & ~active & (w.scale > 0) & (w.scale < np.inf)
    row, scale, fade = w.row[taught], w.scale[taught], fade[taught]
    least, most = memory.least[row] * (1 + fade), memory.most[row] * (1 - fade)
    memory.least[row] = np.fmin(least, np.where(scale < least, (least + scale) / 2, scale))
    memory.most[row] = np.fmax(most, np.where(scale > most, (most + scale) / 2, scale))
    memory.windows[row] = np.minimum(memory.windows[row].astype(np.int32) + 1, _MOST_WINDOWS)


def _tell(
    memory: HealthMemory,
    w: Window,
    which: Mask,
    edge: Edge,
    kind: Kind,
    detail: dict[str, Singles],
    found: Collector,
) -> None:
    """Tell an edge of these windows; what returned is forgotten."""
    if not which.any():
        return
    row, column = w.row[which], FROZEN if kind is Kind.FROZEN else NOISE
    onset, value = memory.onset[row, column], w.value[which]
    chosen = {name: numbers[which] for name, numbers in detail.items()}
    found.tags(edge, kind, w.slot[which], onset, w.effective[which], value, detail=chosen)
    if edge is Edge.RETURNED:
        memory.onset[row, column] = NEVER
