"""The loop of PREDICT, compiled: sample after sample through the lines, and what that tells."""

from math import isnan, sqrt

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Edge
from domain.frame import Floats, Ints
from domain.instant import NEVER, SECOND
from rules.compiled import compiled, part
from rules.discounts import Discounts
from rules.forecast_memory import Known, Records
from rules.heading import Heading, Sort, heading, in_sight, rule_of
from rules.horizon import probability, significant, times
from rules.lines import Law, take

SHORTEST = 1e-3
"""Samples nearer than this share of the interval count as if so far apart."""
RETURNED, RAISED, WORSE, NOTHING = int(Edge.RETURNED), int(Edge.RAISED), int(Edge.WORSE), -1
_MOST_HELD = 100
_SECONDS = 1 / SECOND


class Told:
    """A record of an edge. sample: its position. rate: unit per second. scale, eta, earliest,
    latest: seconds, eta and its interval from then on. end: of the range, relative to the anchor,
    NaN = it is about the limit."""

    sample: int
    onset: int
    edge: int
    direction: int
    rate: float
    scale: float
    eta: float
    earliest: float
    latest: float
    probability: float
    noise: float
    clipped: float
    end: float


TOLD = np.dtype(
    (
        np.record,
        [
            (name, np.int64 if kind is int else np.float64)
            for name, kind in Told.__annotations__.items()
        ],
    )
)


@compiled
def pass_samples(
    law: Law, sorts: Records, sort_of: NDArray[np.int32], rows: NDArray[np.int32],
    known: Records, onset: Ints, slot: NDArray[np.intp], at: Ints, value: Floats, before: Ints,
    previous: Floats, good: NDArray[np.bool_], scratch: Records, first: int, told: Records,
) -> tuple[int, int]:  # fmt: skip
    """Take in samples from position `first` on, until `told` is full: where to go on, and how many
    edges were told.

    sorts: see `Sort`; sort_of: of each row. rows: row of each slot, -1 = none; empty where the rows
    are the slots. known: see `Known`. onset: int64[r, 1]. slot to good: see
    `rules.samples.Samples`. scratch: see `Discounts`. told: see `Told`.
    """
    count, of = 0, scratch[0]
    for i in range(first, len(slot)):
        if count == len(told):
            return i, count
        row = slot[i] if len(rows) == 0 else rows[slot[i]]
        if row < 0:
            continue
        tag, sort = known[row], sorts[sort_of[row]]
        seconds = np.float64(sort.interval)
        if before[i] != NEVER:
            seconds = (at[i] - before[i]) * _SECONDS
        if not _take_in(law, sort, of, tag, value[i], previous[i], seconds, good[i]):
            continue
        active = onset[row, 0] != NEVER
        direction = _direction(law, sort, tag, active)
        if direction != 0:
            to = heading(law, sort, of, tag, direction)
            if _judge(law, sort, tag, to, onset[row], active, at[i], told[count]):
                told[count].sample = i
                count += 1
    return len(slot), count


@part
def _take_in(
    law: Law, sort: Sort, of: Discounts, tag: Known, value: float, previous: float, seconds: float,
    good: bool,
) -> bool:  # fmt: skip
    """Take a sample into the lines; whether it can be used."""
    anchor, furthest, interval = np.float64(sort.anchor), sort.furthest, sort.interval
    value = np.float64(np.float32(value - anchor))
    if not (good and abs(value) < furthest):
        tag.gap += seconds
        return False
    previous = np.float64(np.float32(previous - anchor))
    if tag.gap > 0 or not abs(previous) < furthest:
        previous = np.nan
    seconds = max(seconds + tag.gap, interval * SHORTEST)
    tag.gap = 0
    take(law, rule_of(sort), of, tag, value, previous, seconds)
    return True


@part
def _direction(law: Law, sort: Sort, tag: Known, active: bool) -> int:
    """Where to look closer: 1 up, -1 down, 0 where no limit comes near, nor has. What is active
    without having been raised here goes where the line goes."""
    if tag.side != 0:
        return 1 if tag.side > 0 else -1
    if active:
        return 1 if tag.slope[tag.line] >= 0 else -1
    reach = tag.level[tag.line] + tag.slope[tag.line] * (law.warn.ahead * sort.action)
    if reach >= sort.high:
        return 1
    return -1 if reach <= sort.low or tag.held != 0 else 0


@part
def _judge(
    law: Law, sort: Sort, tag: Known, to: Heading, onset: Ints, active: bool, at: int, told: Told
) -> bool:
    """Raise, worsen or return; whether there is something to tell. onset: int64[1]."""
    chance = probability(to.way, law.warn.ahead * sort.action)
    if isnan(chance):
        chance = 0.0
    edge = _edge(law, sort, tag, to, active, chance)
    if edge == NOTHING:
        return False
    if edge == RAISED:
        onset[0] = at
    told.edge, told.onset, told.direction = edge, onset[0], to.direction
    _tell(law, tag, to, chance, told)
    tag.side = 2 * to.direction if to.beyond else to.direction
    if edge == RETURNED:
        tag.side, onset[0] = 0, NEVER
    if edge != WORSE:
        tag.held = 0
    return True


@part
def _edge(law: Law, sort: Sort, tag: Known, to: Heading, active: bool, chance: float) -> int:
    """What happens, after so many samples in a row that ask for it."""
    warn = law.warn
    soon = chance > warn.probability and significant(to.way, warn.slope)
    soon = soon and tag.seen >= warn.samples and in_sight(law, to)
    stays = active and chance > warn.back
    asks = not stays if active else soon
    tag.held = min(tag.held + 1, _MOST_HELD) if asks else 0
    if tag.held >= sort.held:
        return RETURNED if active else RAISED
    return WORSE if stays and soon and to.beyond and abs(tag.side) == 1 else NOTHING


@part
def _tell(law: Law, tag: Known, to: Heading, chance: float, told: Told) -> None:
    """What the sentence of an edge is made of."""
    when = times(to.way, law.z)
    told.rate, told.scale, told.probability = to.slope, to.scale, chance
    told.eta, told.earliest, told.latest = when.expected, when.earliest, when.latest
    told.noise, told.clipped = sqrt(tag.variance), tag.clipped
    told.end = to.limit if to.beyond else np.nan
