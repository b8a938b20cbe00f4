"""What the forecast says at any moment: for the risk of all tags, and for the page of one."""

from dataclasses import dataclass
from math import inf, isnan

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, SECOND
from rules.compiled import compiled, part
from rules.discounts import TAU, no_discounts
from rules.forecast_memory import ForecastMemory, Known, Records
from rules.forecast_table import ForecastTable
from rules.heading import Heading, Sort, heading, in_sight
from rules.horizon import Times, probability, times
from rules.lines import Law
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
    slot = np.flatnonzero(table.rows >= 0) if len(table.rows) else np.arange(len(table.keys))
    early = np.full(len(table.keys), inf)
    soonest(table.law, table.sorts, table.sort, memory.known, no_discounts(), early)
    soon = np.flatnonzero(early < _MOST_S)
    out[slot[soon]] = np.rint(early[soon] * float(SECOND)).astype(np.int64)
    return out


@compiled
def soonest(
    law: Law, sorts: Records, sort_of: NDArray[np.int32], known: Records, scratch: Records,
    early: Floats,
) -> None:  # fmt: skip
    """Write down the seconds from the last usable sample of each row, where there is a forecast."""
    of = scratch[0]
    for row in range(len(known)):
        tag, sort = known[row], sorts[sort_of[row]]
        if tag.seen > 0 and _may_move(law, sort, tag):
            to = heading(law, sort, of, tag, 1 if tag.slope[tag.line] > 0 else -1)
            if not isnan(to.limit) and in_sight(law, to):
                early[row] = times(to.way, law.z).earliest


@part
def _may_move(law: Law, sort: Sort, tag: Known) -> bool:
    """Whether a slope can be beyond doubt: no line is surer than the longest one when it is full,
    and its variance is more than d^3 / 4 with d > u / (1 + u), u = pace / tau."""
    d = tag.pace / (tag.pace + sort.window * TAU)
    slope = tag.slope[tag.line] * tag.pace
    moves: bool = slope * slope > (law.z * law.noise.widen) ** 2 * d * d * d * tag.variance / 4
    return moves


@compiled
def look(
    law: Law, sorts: Records, sort_of: NDArray[np.int32], known: Records, scratch: Records,
    row: int, direction: int,
) -> tuple[Heading, Times, float]:  # fmt: skip
    """Where the tag of a row is heading, when it gets there, and the probability of that within the
    action time; arguments as of `soonest`."""
    sort = sorts[sort_of[row]]
    to = heading(law, sort, scratch[0], known[row], direction)
    return to, times(to.way, law.z), probability(to.way, np.float64(sort.action))


def outlook(
    plan: Plan, table: ForecastTable, memory: ForecastMemory, seen: Seen, slot: int, at: int
) -> Outlook | None:
    """Of the tag in a slot at wall time `at`, microseconds; None where nothing is known of it."""
    if not len(table.keys):
        return None
    row = int(table.rows[slot]) if len(table.rows) else slot
    if row < 0 or not memory.known[row].seen:
        return None
    tag, sort = memory.known[row], table.sorts[table.sort[row]]
    direction = 1 if tag.slope[tag.line] > 0 else -1
    known = table.law, table.sorts, table.sort, memory.known
    to, when, chance = look(*known, no_discounts(), row, direction)
    action, anchor = float(sort.action), float(sort.anchor)
    as_of = int(seen.at[slot]) - round(float(tag.gap) * SECOND)
    now = int(seen.now(np.array([slot]), at)[0])
    aimed = not isnan(to.limit)
    expected, earliest, latest = (_instant(as_of, each if aimed else inf) for each in when)
    return Outlook(
        as_of,
        (now - as_of) / SECOND,
        to.level + anchor,
        60 * to.slope,
        to.way.level**0.5,
        60 * to.way.slope_variance**0.5,
        to.scale,
        as_of - round(to.scale * SECOND),
        to.limit + anchor,
        expected,
        earliest,
        latest,
        0.0 if isnan(chance) else chance,
        action,
        float(tag.variance) ** 0.5,
        int(tag.clipped),
    )


def _instant(as_of: int, seconds: float) -> int:
    return as_of + round(seconds * SECOND) if seconds < _MOST_S else FAR
