"""Which crossings could be foreseen at all (shared/early-warning.md, "Limits" 2 and 6)."""

from math import log

import numpy as np

from domain.frame import Floats, Ints
from domain.instant import SECOND
from hazwatch.evaluate.feed import Feed
from hazwatch.evaluate.score import REARM, Event, episodes

LOOK_BACK = 7200 * SECOND
"""How long before a crossing its rise may have begun."""
LEAST_SAMPLES = 2
"""A rise that fewer samples saw is a step."""
FOOT = 0.1
"""Share of the way to the limit below which a rise has not begun."""
FALSE_DAYS = 10.0
"""Tag-days between false alarms that the bound is worked out for."""


def foreseeable(feed: Feed, event: Event, limit: float, *, falling: bool = False) -> bool:
    """Whether the rise to a limit lasted longer than the shortest time in which any method could
    have told it from noise, tau* = (6 ln gamma sigma^2 dt / S^2)^(1/3).

    The rise begins at the last of the two hours' readings that lie in the lowest tenth of the way
    to the limit, so that a step is short however long it stood still before; sigma is from second
    differences.
    """
    at, value = feed.column(event.tag)
    sign = -1.0 if falling else 1.0
    before = (at < event.start) & (at >= event.start - LOOK_BACK)
    if before.sum() < 4:
        return False
    when, what = at[before], sign * value[before]
    height = sign * limit - float(what.min())
    if height <= 0:
        return False
    low = int(np.flatnonzero(what <= what.min() + FOOT * height)[-1])
    rise_s = (event.start - int(when[low])) / SECOND
    height = sign * limit - float(what[low])
    dt = float(np.median(np.diff(at[at < event.start])[-1000:])) / SECOND
    shortest = shortest_s(noise(value[at < event.start][-1000:]), dt, height / rise_s)
    return rise_s > max(shortest, LEAST_SAMPLES * dt)


def shortest_s(variance: float, dt: float, slope: float) -> float:
    """tau* in seconds. variance: of the noise, inflated; dt: s; slope: per s."""
    gamma = max(FALSE_DAYS * 86_400 / dt, 3.0)
    return float((6 * log(gamma) * variance * dt / slope**2) ** (1 / 3))


def noise(value: Floats) -> float:
    """Variance of white noise under a locally straight line, by robust second differences."""
    if len(value) < 4:
        return 0.0
    second = value[2:] - 2 * value[1:-1] + value[:-2]
    spread = 1.4826 * float(np.median(np.abs(second)))
    return spread**2 / 6


def crossings(at: Ints, value: Floats, limit: float, back: float) -> list[tuple[int, int]]:
    """(start, end) of every time that the readings reach a limit, until they are below `back`.

    Those less than the re-arm time apart are one, as warnings are: the second peak of a step is no
    event of its own. One that the first reading finds is none: nothing was seen before it.
    """
    out: list[tuple[int, int]] = []
    start = None
    for when, what in zip(at.tolist(), value.tolist(), strict=True):
        if start is None and what >= limit:
            start = when
        elif start is not None and what < back:
            out.append((start, when))
            start = None
    if start is not None:
        out.append((start, int(at[-1])))
    return [span for span in episodes(out, REARM) if span[0] > at[0]]
