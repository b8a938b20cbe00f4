"""The windows of `rules.rate`, compiled: sample after sample, window after window."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.compiled import compiled, part
from rules.loops import RAISED, RETURNED, Edges, Reading, Records, add
from rules.rate_state import BLOCK, Rows

CALM = 0.9
"""Share of the limit below which the slope must be to return."""
CLIP = 2.0
"""Multiple of the limit up to which the slope of a single sample counts."""
MINUTE_US = 60e6


@compiled
def pass_samples(
    begin: int, rows: NDArray[np.int32], at: Ints, value: Floats, usable: NDArray[np.bool_],
    lengths: Ints, limits: Floats, windows: Records, wake: Ints, received: int, edges: Edges,
) -> int:  # fmt: skip
    """Take in samples from `begin` on, until there is no room for an edge; where to go on.

    By position, the samples of a tag together: rows, -1 = without a limit; usable: good and finite;
    lengths: of the tag's window, microseconds. By row: limits, unit per minute, and WINDOWS.
    """
    for i in range(begin, len(rows)):
        if edges.used[0] == len(edges.rows):
            return i
        row = rows[i]
        if row < 0:
            continue
        w = windows[row]
        if usable[i]:
            if w.count == 0 or at[i] >= w.end:
                if w.count > 0:
                    _end(edges, w, row, lengths[i], limits[row])
                _open(w, lengths[i], at[i])
            _count(w, lengths[i], limits[row], at[i], value[i])
        if w.count > 0 and (i + 1 == len(rows) or rows[i + 1] != row):
            wake[row // BLOCK] = min(wake[row // BLOCK], w.end + (received - at[i]))
    return len(rows)


@compiled
def ended(
    blocks: Rows, at: int, slots: NDArray[np.int32], last: Ints, received: Ints, windows: Records,
    wake: Ints,
) -> Rows:  # fmt: skip
    """Rows of these blocks whose open window is over by wall time `at`; the blocks wake again when
    the next one of the others is. slots: by row. last, received: by slot."""
    rows, n = np.empty(BLOCK * len(blocks), np.intp), 0
    for block in blocks:
        wake[block] = FAR
        for row in range(block * BLOCK, min((block + 1) * BLOCK, len(windows))):
            if windows[row].count == 0:
                continue
            wall = windows[row].end + (received[slots[row]] - last[slots[row]])
            if wall <= at:
                rows[n] = row
                n += 1
            else:
                wake[block] = min(wake[block], wall)
    return rows[:n]


@compiled
def end_windows(rows: Rows, lengths: Ints, limits: Floats, windows: Records, edges: Edges) -> None:
    """Judge the open windows of these rows. lengths: of each; limits: by row."""
    for i, row in enumerate(rows):
        _end(edges, windows[row], row, lengths[i], limits[row])


@part
def _open(w: Any, length: int, at: int) -> None:
    """The window of event time `at`; the level before it counts if that window follows it."""
    end = (at // length + 1) * length
    if end - length != w.end:
        w.level = np.nan
    w.end = end


@part
def _count(w: Any, length: int, limit: float, at: int, value: float) -> None:
    """Add a sample to the open window: as it is, and as it counts; it may vote."""
    early, counts = w.end - at, value
    near = limit * (2.0 * length - w.centre - early) / MINUTE_US
    if abs(value - w.level) >= CALM * near:
        w.votes += 1 if value > w.level else -1
        counts = min(max(value, w.level - CLIP * near), w.level + CLIP * near)
    w.count += 1
    w.early += early
    w.clipped += counts
    w.plain += value


@part
def _end(edges: Edges, w: Any, row: int, length: int, limit: float) -> None:
    """Judge the open window, and tell what it brings about."""
    slope = _slope(w, length, limit)
    if w.sign == 0:
        if abs(w.over) == 2:
            w.sign, w.onset = (1 if w.over > 0 else -1), w.end - 2 * length
            add(edges, Reading(row, w.end, slope), 0, RAISED, w.onset).limit = w.sign * limit
    elif w.calm == 2:
        add(edges, Reading(row, w.end, slope), 0, RETURNED, w.onset).limit = w.sign * limit
        w.sign, w.onset = 0, NEVER


@part
def _slope(w: Any, length: int, limit: float) -> float:
    """The slope to the open window, unit per minute, which is added to the runs and closed."""
    centre = (w.count * length - w.early) / w.count
    clipped, plain, before = w.clipped / w.count, w.plain / w.count, w.level
    agreed = 2 * abs(w.votes) > w.count
    level = plain if agreed and w.votes * (plain - before) > 0 else clipped
    slope: float = (level - before) / (length + centre - w.centre) * MINUTE_US
    sign = 0
    if abs(slope) >= limit and agreed and w.votes * slope > 0:
        sign = 1 if slope > 0 else -1
    w.over = 2 * sign if w.over * sign > 0 else sign
    w.calm = min(w.calm + 1, 2) if abs(slope) < CALM * limit else 0
    w.level, w.centre = level if np.isfinite(level) else np.nan, centre
    w.count, w.early, w.votes, w.clipped, w.plain = 0, 0, 0, 0.0, 0.0
    return slope
