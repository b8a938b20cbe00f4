"""CLIPPED 疑似限幅: a reading that touches one and the same cap just below H, and never crosses it.

The cap is the highest reading in [H - 1 % of span, H); just above the lowest low limit likewise. A
touch is a reading equal to the cap after one that lay clearly below it (`dip`). Ten touches over an
hour or more raise, if other readings came much nearer to the cap than that (`near`): a coarse gauge
that flickers, or a vessel parked below H, has no cap. A higher reading returns, and so does a day
without a touch; a cap that has raised nothing in six hours is sought anew. A signal that stands
still just below H is FROZEN, not clipped (domain research 7.1 #19; numbers: docs/data-health.md).

Of `rules.habit.TAG` this module alone writes: cap, distance of the cap from its limit, of a low
limit below 0, NaN = none; touches, so far; seen, of DIPPED, it has been clearly below since, and
NEAR, another reading came near to the cap; touched, time of the first touch, while active of the
last one, whole seconds since 1970.
"""

from typing import Any

import numpy as np

from domain.frame import Ints
from domain.health import Clipped
from domain.instant import NEVER, SECOND
from domain.plant import Tag
from domain.policy import LIMITS
from rules.compiled import part
from rules.habit import CLIPPED, LAST_SECOND
from rules.loops import RAISED, RETURNED, Edges, Reading, add

DIPPED, NEAR = 1, 2


def margin(tag: Tag, rule: Clipped) -> float:
    """How near to a limit readings are looked at, in the tag's unit; -1 where there is none."""
    if tag.range is None or not tag.limits:
        return -1.0
    return rule.margin * (tag.range[1] - tag.range[0])


def told(tag: Tag) -> tuple[object, ...]:
    """What of a tag must not change lest its cap is sought anew."""
    return tag.range, *(tag.limits.get(kind) for kind in LIMITS)


@part
def follow(
    tag: Any, onset: Ints, margin: float, rule: Any, low: float, high: float, reading: Reading,
    edges: Edges,
) -> None:  # fmt: skip
    """Take in a good reading that comes near a limit, or of a tag that has a cap.

    onset: int64[3] of the tag. low, high: innermost limits, infinite = none. One edge at most.
    """
    above, below = high - reading.value, reading.value - low
    known = tag.cap == tag.cap
    upper = tag.cap > 0 if known else above <= below
    gap: Any = np.float32(above if upper else below)
    second = min(max(reading.at // SECOND, 1), LAST_SECOND)
    if _is_over(tag, onset, rule, gap, second):
        if known and onset[CLIPPED] != NEVER:
            add(edges, reading, CLIPPED, RETURNED, onset[CLIPPED])
            onset[CLIPPED] = NEVER
        _begin(tag, margin, rule, gap, upper, second)
    if tag.cap == tag.cap:
        touched = _touch(tag, margin, rule, gap)
        if touched and onset[CLIPPED] != NEVER:
            tag.touched = second
        elif touched and _is_clipped(tag, rule, second):
            onset[CLIPPED], tag.touched = int(tag.touched) * SECOND, second
            row = add(edges, reading, CLIPPED, RAISED, onset[CLIPPED])
            row.limit, row.first, row.second = high if upper else low, tag.touches, np.sign(tag.cap)


@part
def _is_over(tag: Any, onset: Ints, rule: Any, gap: float, second: int) -> bool:
    """A reading beyond the cap, too few touches of it, or no cap at all."""
    most = rule.window if onset[CLIPPED] == NEVER else rule.forget
    return not abs(tag.cap) <= gap or second - int(tag.touched) > most


@part
def _begin(tag: Any, margin: float, rule: Any, gap: float, upper: bool, second: int) -> None:
    """Whatever was there begins anew; what was the cap is another reading near to the new one."""
    fits, before = 0 < gap <= margin, abs(tag.cap) - gap
    tag.seen = DIPPED | NEAR if fits and 0 < before <= rule.near * margin else DIPPED
    tag.cap = np.float32(np.nan) if not fits else gap if upper else -gap
    tag.touches, tag.touched = 0, second


@part
def _touch(tag: Any, margin: float, rule: Any, gap: float) -> bool:
    """Whether this reading touches the cap; count it, up to what matters."""
    below = gap - abs(tag.cap)
    if 0 < below <= rule.near * margin:
        tag.seen |= NEAR
    if below >= rule.dip * margin:
        tag.seen |= DIPPED
    if below != 0 or not tag.seen & DIPPED:
        return False
    tag.seen &= ~DIPPED
    tag.touches = min(tag.touches + 1, rule.touches)
    return True


@part
def _is_clipped(tag: Any, rule: Any, second: int) -> bool:
    """Touched often enough, for long enough, with others near."""
    often = tag.touches >= rule.touches and second - int(tag.touched) >= rule.seconds
    return bool(often and tag.seen & NEAR != 0)
