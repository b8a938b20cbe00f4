"""COPIED 疑似复制数据: a tag that repeats what it said a day before (domain research 7.1 #19).

The means of each minute are compared with those of 24 h earlier, or some minutes more or less;
minutes that one of the days lacks are left out. Two days that are equal while the signal moves have
an autocorrelation of 1 at 24 h. A process that is only scheduled has noise of its own each day. Its
size shows in the turns |x[k] - 2 x[k-1] + x[k-2]| (median 1.65 sigma for white noise), which no
ramp or slow wave has; so two days that agree within a quarter of that are one and the same, even if
they were rounded once more. Of a signal that repeats itself within the hour, such as a timer's,
turns are no noise: it has to be equal exactly, and so has one that stands still most of the time. A
signal that moves in few minutes can't be told from a calm one and says nothing. Numbers:
docs/data-health.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.health import Copied

Mask = NDArray[np.bool_]
Counts = NDArray[np.intp]
MOVE, TURN = 4, 2
"""A minute moved when it turned by more than so many roundings, and ticks."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """By tag [n]: copied, differs: bool, none of both where nothing can be said. since: intp, the
    minute from which the days are equal without a break, if `copied`. minutes: intp, compared.
    shift: intp, minutes by which the copy comes later than 24 h."""

    copied: Mask
    differs: Mask
    since: Counts
    minutes: Counts
    shift: Counts


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """Two days [n, minutes]: which minutes both have, in which they are equal, in which the signal
    moved; of the newest `rule.matched` that both have (`window`), by tag: how many are equal."""

    matched: Mask
    equal: Mask
    moved: Mask
    window: Mask
    same: Counts


def suspects(today: Floats, before: Floats, rule: Copied) -> Mask:
    """Of which tags the whole day is worth a look: bool[n]; today, before: [n, rule.probe]."""
    exact, tick = _tolerances(before, rule)
    found = np.zeros(len(today), np.bool_)
    for shift in _shifts(rule):
        one = _compared(today, _shifted(before, shift), exact, tick, rule)
        enough = one.moved.sum(axis=1) >= rule.probe_moves
        found |= enough & (one.equal.sum(axis=1) >= rule.equal * one.matched.sum(axis=1))
    return found


def compare(today: Floats, before: Floats, rule: Copied) -> Verdict:
    """today, before: [n, minutes], means of the minutes up to now and of those 24 h earlier, NaN =
    no sample. Of all shifts, that with the most equal minutes counts; the smallest of several."""
    exact, tick = _tolerances(before, rule)
    tick[_periodic(before, tick, rule)] = 0
    verdict, most = None, np.full(len(today), -1)
    for shift in _shifts(rule):
        one = _compared(today, _shifted(before, shift), exact, tick, rule)
        said, better = _judged(one, shift, rule), one.same > most
        verdict, most = _better(verdict, said, better), np.maximum(most, one.same)
    assert verdict is not None
    return verdict


def _shifts(rule: Copied) -> list[int]:
    return sorted(range(-rule.shift, rule.shift + 1), key=abs)


def _better(old: Verdict | None, new: Verdict, better: Mask) -> Verdict:
    if old is None:
        return new
    names = Verdict.__dataclass_fields__
    return Verdict(*(np.where(better, getattr(new, n), getattr(old, n)) for n in names))


def _judged(one: _Compared, shift: int, rule: Copied) -> Verdict:
    matched, window = one.matched, one.window
    minutes = window.sum(axis=1)
    copied = (minutes >= rule.matched) & (one.same >= rule.equal * minutes)
    copied &= (one.moved & window).sum(axis=1) >= rule.moves
    recent, now = matched[:, -rule.recent :].sum(axis=1), one.equal[:, -rule.recent :].sum(axis=1)
    differs = (recent >= rule.recent // 2) & (now < (1 - rule.differs) * recent)
    broken = matched & ~one.equal & ~window
    width = matched.shape[1]
    last = np.where(broken.any(axis=1), width - np.argmax(broken[:, ::-1], axis=1), 0)
    first = np.argmax(matched & (np.arange(width) >= last[:, None]), axis=1)
    return Verdict(copied & ~differs, differs, first, minutes, np.full(len(first), shift))


def _compared(
    today: Floats, before: Floats, exact: Floats, tick: Floats, rule: Copied
) -> _Compared:
    matched = np.isfinite(today) & np.isfinite(before)
    with np.errstate(invalid="ignore", over="ignore"):
        equal = matched & (np.abs(today - before) <= np.maximum(exact, tick)[:, None])
        moved = matched & (_turns(before) > np.maximum(MOVE * exact, TURN * tick)[:, None])
    ahead = np.cumsum(matched[:, ::-1], axis=1)[:, ::-1]
    window = matched & (ahead <= rule.matched)
    return _Compared(matched, equal, moved, window, (equal & window).sum(axis=1))


def _tolerances(before: Floats, rule: Copied) -> tuple[Floats, Floats]:
    """How far equal minutes may differ, float64[n]: by how numbers are stored, and by rounding."""
    finite = np.where(np.isfinite(before), before, 0)
    exact = rule.rounding * np.max(np.abs(finite), axis=1, initial=0)
    turns = np.sort(np.where(np.isfinite(turns := _turns(before)), turns, np.inf), axis=1)
    middle = np.isfinite(turns).sum(axis=1) // 2
    usual = np.take_along_axis(turns, middle[:, None].clip(max=turns.shape[1] - 1), axis=1)[:, 0]
    return exact, np.where(np.isfinite(usual), rule.tick * usual, 0)


def _turns(values: Floats) -> Floats:
    """|x[k] - 2 x[k-1] + x[k-2]|, NaN where one of them is missing."""
    with np.errstate(invalid="ignore", over="ignore"):
        turns = np.abs(np.diff(values, n=2, axis=1))
    return np.concatenate([np.full((len(values), min(2, values.shape[1])), np.nan), turns], axis=1)


def _shifted(values: Floats, shift: int) -> Floats:
    """Each minute holds what was said `shift` minutes before it."""
    out = np.full(values.shape, np.nan)
    if shift >= 0:
        out[:, shift:] = values[:, : values.shape[1] - shift]
    else:
        out[:, :shift] = values[:, -shift:]
    return out


def _periodic(before: Floats, tick: Floats, rule: Copied) -> Mask:
    """Which days repeat themselves within the hour: bool[n]."""
    found = np.zeros(len(before), np.bool_)
    for period in range(1, rule.cycle + 1):
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(before - _shifted(before, period))
        pairs = np.isfinite(apart).sum(axis=1)
        found |= (apart <= tick[:, None]).sum(axis=1) >= rule.periodic * np.maximum(pairs, 1)
    return found
