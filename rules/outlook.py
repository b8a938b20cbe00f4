"""What the forecast says at any moment: for the risk of all tags, and for the page of one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import FAR, SECOND
from rules.blocks import BLOCK, pick
from rules.blocks import at as rows_of
from rules.forecast import headings, in_sight
from rules.forecast_table import ForecastTable
from rules.horizon import probability, times
from rules.lines import LINES, TAU, ForecastMemory
from rules.noise import Singles
from rules.plan import Plan
from rules.rows import Seen

_MOST_S = 3.0e8
"""Later than in ten years is never."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a page draws of one tag.

    as_of: event time of the last usable sample, microseconds; older: since then, seconds. level:
    of the line then, in the unit; rate: unit per minute. level_error, rate_error: standard errors.
    scale: seconds that the line looks back; since: when it began, microseconds. limit: that it
    leads to, NaN = none. expected, earliest, latest: instants in microseconds at which it is
    reached, 95 %, FAR without a prediction. probability: of reaching it within `action` seconds of
    the last sample. noise: standard deviation. clipped: values that were cut in this movement.
    """

    as_of: int
    older: float
    level: float
    rate: float
    level_error: float
    rate_error: float
    scale: float
    since: int
    limit: float
    expected: int
    earliest: int
    latest: int
    probability: float
    action: float
    noise: float
    clipped: int


def ahead(plan: Plan, table: ForecastTable, memory: ForecastMemory, seen: Seen, at: int) -> Ints:
    """Lower 95 % bound of the time to HH or LL: int64[n] by slot, microseconds, FAR = none.

    Once the limit is crossed, to the end of the range. It counts from the tag's last usable sample
    and stays as it was while there is none, whatever the wall time `at`; `seen` is not needed
    either.
    """
    out = np.full(len(plan), FAR, np.int64)
    slot = np.arange(len(plan)) if table.row is None else np.flatnonzero(table.row >= 0)
    for begin in range(0, len(table.keys), BLOCK):
        cut = slice(begin, min(begin + BLOCK, len(table.keys)))
        early = _earliest(table, rows_of(memory, cut), cut)
        soon = np.flatnonzero(early < _MOST_S)
        out[slot[begin + soon]] = np.rint(early[soon] * float(SECOND)).astype(np.int64)
    return out


def _earliest(table: ForecastTable, some: ForecastMemory, cut: slice) -> Singles:
    """Seconds from the last usable sample, infinite for none: float32[m]."""
    early = np.full(len(some.seen), np.inf, np.float32)
    moves = np.flatnonzero(_may_move(table, some, cut))
    if moves.size:
        rows, part = moves + cut.start, pick(some, moves)
        slope = part.slope[part.line, np.arange(len(rows))]
        to = headings(table, part, rows, np.where(slope > 0, 1, -1).astype(np.int8))
        when = times(to.way, table.model.z).earliest
        seen = in_sight(table, part, table.sort[rows], to) & ~np.isnan(to.limit)
        early[moves] = np.where(seen, when, np.inf)
    return early


def _may_move(table: ForecastTable, some: ForecastMemory, cut: slice) -> NDArray[np.bool_]:
    """Whether a slope can be beyond doubt: no line is surer than the longest one when it is full,
    and its variance is more than d^3 / 4 with d > u / (1 + u), u = pace / tau: bool[m]."""
    slope = some.slope[-1].copy()
    other = np.flatnonzero(some.line != LINES - 1)
    slope[other] = some.slope[some.line[other], other]
    discount = some.pace / (table.window[table.sort[cut]] * np.float32(TAU))
    discount /= 1 + discount
    doubt = discount * discount
    doubt *= discount
    doubt *= some.variance
    doubt *= np.float32((table.model.z * table.model.noise.widen) ** 2 / 4)
    slope *= some.pace
    slope *= slope
    moves: NDArray[np.bool_] = slope > doubt
    moves &= some.seen > 0
    return moves


def outlook(
    plan: Plan, table: ForecastTable, memory: ForecastMemory, seen: Seen, slot: int, at: int
) -> Outlook | None:
    """Of the tag in a slot at wall time `at`, microseconds; None where nothing is known of it."""
    row = slot if table.row is None else int(table.row[slot]) if table.row.size else -1
    if row < 0:
        return None
    rows = np.array([row])
    some = rows_of(memory, rows)
    if not some.seen[0]:
        return None
    sort, line = table.sort[row], int(some.line[0])
    slope = float(some.slope[line, 0])
    to = headings(table, some, rows, np.array([1 if slope > 0 else -1], np.int8))
    action = table.action[sort].astype(np.float64)
    when = times(to.way, table.model.z)
    as_of = int(seen.at[slot]) - round(float(some.gap[0]) * SECOND)
    now = int(seen.now(np.array([slot]), at)[0])
    window = float(table.window[sort]) * table.model.bank.ratio ** (line - (LINES - 1.0))
    scale = min(float(some.age[0]), window)
    known = not np.isnan(to.limit[0])
    return Outlook(
        as_of,
        (now - as_of) / SECOND,
        float(to.level[0]) + float(table.anchor[row]),
        60 * slope,
        float(np.sqrt(to.way.level[0])),
        60 * float(np.sqrt(to.way.slope_variance[0])),
        scale,
        as_of - round(scale * SECOND),
        float(to.limit[0]) + float(table.anchor[row]),
        *(_instant(as_of, float(each[0]) if known else np.inf) for each in when),  # type: ignore[call-arg]
        float(probability(to.way, action)[0]) if known else 0.0,
        float(action),
        float(np.sqrt(some.variance[0])),
        int(some.clipped[0]),
    )


def _instant(as_of: int, seconds: float) -> int:
    return as_of + round(seconds * SECOND) if seconds < _MOST_S else FAR
