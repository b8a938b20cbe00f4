"""What a window of a tag's samples says against the tag's habit, and what it teaches.

The habit is the smallest and the largest scale (see `rules.health`) of windows that moved; both
fade. White noise of standard deviation sigma has the scale sqrt(6) sqrt(2 / pi) sigma = 1.954
sigma; where neighbours are alike it is less, which only makes FROZEN rarer. Nothing is said before
a day of such windows is known, so that sigma_ref > 0 is the tag's own: the smallest one.

FROZEN: stands still for 10 min and 30 samples, and 3 times longer than the tag has stood still of
late. A window stands still when none of its readings lies further from the first than 2 x 0.05
sigma_ref. The variance of a last digit that flickers between two values `a` apart is at most
(a / 2)^2, so it is then below (0.05 sigma_ref)^2 (domain research 7.1 #1; Popoviciu's inequality).
Standing still at 0, or at the low end of the range, is rest and never frozen: a closed flow, a
detector in clean air. NOISE: 2 windows in a row over 3 times the largest habit.
"""

from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import NEVER, SECOND
from rules.compiled import part
from rules.loops import RAISED, RETURNED, Edges, Map, Reading, Records, add, form

WHITE = sqrt(6) * sqrt(2 / pi)
"""The scale of white noise of standard deviation 1."""
FROZEN, NOISE, CLIPPED = 0, 1, 2
LAST_SECOND = 2**32 - 1
MOST = 2**16 - 1
"""Windows, and seconds of standing still, that are counted at most."""

SORT = form(
    ("low", np.float64),
    ("floor", np.float64),
    ("seconds", np.float64),
    ("noise", np.float64),
    ("margin", np.float64),
)
"""What many tags share. low: where a reading is at rest. floor: smallest sigma_ref with which
FROZEN may be said, infinite: never. seconds: length of a window. noise: 0 = NOISE is switched off.
margin: how near to a limit CLIPPED looks, -1 = nowhere."""

TAG = form(
    ("step", np.float32),
    ("total", np.float32),
    ("away", np.float32),
    ("least", np.float32),
    ("most", np.float32),
    ("longest", np.float32),
    ("cap", np.float32),
    ("ended", np.uint32),
    ("touched", np.uint32),
    ("still", np.uint16),
    ("windows", np.uint16),
    ("count", np.int8),
    ("over", np.int8),
    ("touches", np.int8),
    ("seen", np.int8),
)
"""What is remembered of a tag; scales in its unit.

step: the last difference, NaN = the last sample was not good, infinite = the one before it was not.
total, count: sum and number of what the open window has. away: from its first reading, infinite
once that was too far. least, most: the habit, NaN = none. over: windows in a row over the habit, or
below 0: calm. windows: how many taught the habit. ended: when the last window ended, whole seconds
since 1970 rounded up, 0 = none. still: for how long it has stood still, seconds. longest:
stand-still of late, seconds. cap, touches, seen, touched: see `rules.clipped`.
"""


@dataclass(frozen=True, slots=True, eq=False)
class HealthTable:
    """Tags with quantities, by rising slot. keys: int32[r]. marks: int16[r]. row: see
    `loops.Map`. sort: unsigned integers[r], the row of each tag in `sorts`: SORT[s]. model: the
    numbers of `domain.health` as one record."""

    keys: NDArray[np.int32]
    marks: NDArray[np.int16]
    row: Map
    sort: NDArray[np.unsignedinteger]
    sorts: Records
    model: Records


@dataclass(slots=True, eq=False)
class HealthMemory:
    """tag: TAG[r]. onset: FROZEN, NOISE, CLIPPED."""

    tag: Records
    onset: Ints


@part
def reach(tag: Any, model: Any) -> float:
    """How far from the first reading of a window the others may lie while it stands still."""
    return model.frozen.reach * tag.least / WHITE if tag.least > 0 else 0.0


@part
def end_window(
    tag: Any, onset: Ints, sort: Any, model: Any, reading: Reading, edges: Edges
) -> None:
    """Judge the window that ends with this reading, learn from it, begin the next.

    onset: int64[3] of the tag. Two edges at most.
    """
    value, second = reading.value, min(max(-(-reading.at // SECOND), 1), LAST_SECOND)
    lasted = _lasted(tag, sort, model, second)
    scale = tag.total / model.habit.samples
    stands = tag.away < np.inf
    needed = min(max(np.ceil(model.habit.learn / sort.seconds), 1.0), float(MOST))
    knows = tag.windows >= needed
    near = reach(tag, model)
    rests = abs(value) <= near or abs(value - sort.low) <= near
    tag.total, tag.count, tag.away, tag.ended = 0, 0, 0, second
    still = stands and not rests
    _stand(tag, model, lasted, still)
    _frozen(tag, onset, sort, model, second, still, knows, reading, edges)
    over = knows and sort.noise > 0 and scale > model.noise.raise_ * tag.most
    _noise(tag, onset, sort, model, second, lasted, scale, over, reading, edges)
    _learn(tag, onset, model, lasted, scale, not (over or stands))


@part
def _lasted(tag: Any, sort: Any, model: Any, second: int) -> int:
    """Seconds since the window before ended, a gap in the data counted in part."""
    longest = np.ceil(model.habit.gap * sort.seconds)
    if tag.ended == 0:
        return 0
    return int(min(float(max(second - int(tag.ended), 0)), longest))


@part
def _stand(tag: Any, model: Any, lasted: int, still: bool) -> None:
    """Count the stand-still, or learn how long the one was that ends."""
    if still:
        tag.still = min(int(tag.still) + lasted, MOST)
        return
    kept = tag.longest * (1 - lasted / model.habit.memory)
    tag.longest = max(min(float(tag.still), model.frozen.longest), kept)
    tag.still = 0


@part
def _frozen(
    tag: Any, onset: Ints, sort: Any, model: Any, second: int, still: bool, knows: bool,
    reading: Reading, edges: Edges,
) -> None:  # fmt: skip
    """Raise or return FROZEN."""
    rule, sigma = model.frozen, tag.least / WHITE
    long_enough = tag.still >= max(rule.seconds, rule.habit * tag.longest)
    if onset[FROZEN] != NEVER:
        if not still or sort.floor == np.inf:
            add(edges, reading, FROZEN, RETURNED, onset[FROZEN])
            onset[FROZEN] = NEVER
    elif still and long_enough and knows and sigma >= sort.floor:
        onset[FROZEN] = (second - int(tag.still)) * SECOND
        add(edges, reading, FROZEN, RAISED, onset[FROZEN]).first = sigma


@part
def _noise(
    tag: Any, onset: Ints, sort: Any, model: Any, second: int, lasted: int, scale: float,
    over: bool, reading: Reading, edges: Edges,
) -> None:  # fmt: skip
    """Count windows over the habit, and calm ones; raise or return NOISE."""
    rule = model.noise
    if over:
        tag.over = min(max(tag.over, 0) + 1, rule.windows)
    elif scale <= rule.back * tag.most:
        tag.over = max(min(tag.over, 0) - 1, -rule.windows)
    else:
        tag.over = 0
    if onset[NOISE] != NEVER:
        if tag.over == -rule.windows or sort.noise == 0:
            add(edges, reading, NOISE, RETURNED, onset[NOISE])
            onset[NOISE] = NEVER
    elif tag.over == rule.windows:
        onset[NOISE] = (second - rule.windows * max(lasted, 1)) * SECOND
        row = add(edges, reading, NOISE, RAISED, onset[NOISE])
        row.first, row.second = scale / WHITE, tag.most / WHITE


@part
def _learn(tag: Any, onset: Ints, model: Any, lasted: int, scale: float, usual: bool) -> None:
    """Half-way to each smaller or larger scale; what is unusual for some days becomes the habit."""
    fade = lasted / model.habit.memory
    if onset[NOISE] != NEVER:
        tag.most *= 1 + fade
    elif usual and 0 < scale < np.inf:
        least, most = tag.least * (1 + fade), tag.most * (1 - fade)
        begins = tag.most != tag.most
        tag.least = scale if begins else (least + scale) / 2 if scale < least else least
        tag.most = scale if begins else (most + scale) / 2 if scale > most else most
        tag.windows = min(int(tag.windows) + 1, MOST)
