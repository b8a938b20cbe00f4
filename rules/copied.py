"""COPIED 疑似复制数据: a tag that repeats what it said a day before (domain research 7.1 #19).

The means of each minute are compared with those of 24 h earlier, minutes that one of the days lacks
left out. Two days that are equal within rounding while the signal moves have an autocorrelation of
1 at 24 h; a process that is only scheduled has noise of its own each day, which is never equal. A
signal that stands still, or moves in few minutes, can't be told from a calm one and says nothing.
Numbers: docs/data-health.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.health import Copied

Mask = NDArray[np.bool_]
MOVE = 4
"""A minute moved when it differs from the one before by more than this many roundings."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """By tag [n]: copied, differs: bool, none of both where nothing can be said. since: intp, the
    minute from which the days are equal without a break, if `copied`. minutes: intp, compared."""

    copied: Mask
    differs: Mask
    since: NDArray[np.intp]
    minutes: NDArray[np.intp]


def suspects(today: Floats, before: Floats, rule: Copied) -> Mask:
    """Of which tags the whole day is worth a look: bool[n]; today, before: [n, rule.probe]."""
    matched, equal, moved = _compared(today, before, rule)
    enough = moved.sum(axis=1) >= rule.probe_moves
    found: Mask = enough & (equal.sum(axis=1) >= rule.equal * matched.sum(axis=1))
    return found


def compare(today: Floats, before: Floats, rule: Copied) -> Verdict:
    """today, before: [n, minutes], means of the minutes up to now and of those 24 h earlier, NaN =
    no sample."""
    matched, equal, moved = _compared(today, before, rule)
    ahead = np.cumsum(matched[:, ::-1], axis=1)[:, ::-1]
    window = matched & (ahead <= rule.matched)
    minutes = window.sum(axis=1)
    same = (equal & window).sum(axis=1)
    copied = (minutes >= rule.matched) & (same >= rule.equal * minutes)
    copied &= (moved & window).sum(axis=1) >= rule.moves
    recent, now = matched[:, -rule.recent :].sum(axis=1), equal[:, -rule.recent :].sum(axis=1)
    differs = (recent >= rule.recent // 2) & (now < (1 - rule.differs) * recent)
    broken = matched & ~equal & ~window
    width = today.shape[1]
    last = np.where(broken.any(axis=1), width - np.argmax(broken[:, ::-1], axis=1), 0)
    first = np.argmax(matched & (np.arange(width) >= last[:, None]), axis=1)
    return Verdict(copied & ~differs, differs, first, minutes)


def _compared(today: Floats, before: Floats, rule: Copied) -> tuple[Mask, Mask, Mask]:
    """Which minutes both days have, in which they are equal, and in which the signal moved."""
    matched = np.isfinite(today) & np.isfinite(before)
    largest = np.max(np.abs(np.where(matched, before, 0)), axis=1, initial=0, keepdims=True)
    rounding = rule.rounding * largest
    with np.errstate(invalid="ignore", over="ignore"):
        equal = matched & (np.abs(today - before) <= rounding)
        step = np.abs(np.diff(before, axis=1, prepend=np.nan))
        moved = matched & (step > MOVE * rounding)
    return matched, equal, moved
