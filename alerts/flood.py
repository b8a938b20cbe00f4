"""Alarm floods 报警泛滥 of one desk: when they begin and end, and what folds by cause. Pure.

A flood begins with the annunciation that is the `begin`-th within the window, and ends the instant
fewer than `end` are left in it (domain.md 5.4), however rarely anybody looks. While it lasts, an
annunciation whose cause has sounded in it (or in the window before it) folds under the first of
that cause. What may never fold sounds by itself: P1, gas, fire, HH, LL; and a cause is a cause of
one enterprise.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from alerts.annunciation import Annunciation, may_fold
from domain.alarm_noise import FloodRules

Cause = tuple[int, int]
"""Enterprise and cause group."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Alarms of one cause in a flood. count: with the first; worst: the most urgent, the earliest
    of equals."""

    first: Annunciation
    worst: Annunciation
    count: int = 1


@dataclass(frozen=True, slots=True)
class Flood:
    """What a desk remembers. recent: the newest annunciations that can still matter, oldest first.

    since: when the flood began, None outside one. heard: annunciations since then. folds: one
    memory for all states of a flood.
    """

    recent: tuple[Annunciation, ...] = ()
    since: datetime | None = None
    heard: int = 0
    folds: dict[Cause, Fold] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """A flood that is over: from, to, how many sounded in it, and what folded."""

    since: datetime
    until: datetime
    heard: int
    folds: dict[Cause, Fold]


@dataclass(frozen=True, slots=True)
class Told:
    """What a step brings: a flood that began, one that ended, the alarm to fold under."""

    began: datetime | None = None
    ended: Ended | None = None
    under: UUID | None = None


def looked(state: Flood, at: datetime, rules: FloodRules) -> tuple[Flood, Ended | None]:
    """The desk at `at`, with nothing new: a flood whose end has come is over."""
    state = _up_to(state, at)
    until = over_at(state, rules)
    if until is None or until > at:
        return state, None
    return _over(state, until)


def hear(state: Flood, heard: Annunciation, rules: FloodRules) -> tuple[Flood, Told]:
    """The desk after an annunciation."""
    state = _up_to(state, heard.at)
    # one that sounds at the very end keeps the number up
    until, ended = over_at(state, rules), None
    if until is not None and until < heard.at:
        state, ended = _over(state, until)
    recent = (*state.recent, heard)[-max(rules.begin, rules.end) :]
    since, count, folds, began = state.since, state.heard, state.folds, None
    if since is None:
        floor = heard.at - timedelta(seconds=rules.window_s)
        within = tuple(one for one in recent if one.at > floor)
        if len(within) < rules.begin:
            return Flood(recent, None, count, folds), Told(ended=ended)
        since = began = heard.at
        folds = _seeded(within[:-1], rules)
    state = Flood(recent, since, count + 1, folds)
    if not may_fold(heard, rules):
        return state, Told(began, ended)
    cause = heard.enterprise, heard.cause
    fold = state.folds.get(cause)
    after = Fold(heard, heard) if fold is None else _more(fold, heard)
    under = None if fold is None else fold.first.occurrence
    if under == heard.occurrence:
        under = None
    state.folds[cause] = after
    return state, Told(began, ended, under)


def over_at(state: Flood, rules: FloodRules) -> datetime | None:
    """When the flood ends if nothing more sounds; None outside one."""
    if state.since is None:
        return None
    return state.recent[-rules.end].at + timedelta(seconds=rules.window_s)


def _up_to(state: Flood, at: datetime) -> Flood:
    """As far apart as they were, none ahead of `at`: a clock that is set back makes no flood."""
    if not state.recent or state.recent[-1].at <= at:
        return state
    ahead = state.recent[-1].at - at
    return replace(state, recent=tuple(replace(one, at=one.at - ahead) for one in state.recent))


def _over(state: Flood, until: datetime) -> tuple[Flood, Ended]:
    assert state.since is not None, "only a flood can be over"
    return Flood(state.recent), Ended(state.since, until, state.heard, state.folds)


def _seeded(recent: tuple[Annunciation, ...], rules: FloodRules) -> dict[Cause, Fold]:
    folds: dict[Cause, Fold] = {}
    for one in recent:
        if may_fold(one, rules):
            cause = one.enterprise, one.cause
            folds[cause] = _more(folds[cause], one) if cause in folds else Fold(one, one)
    return folds


def _more(fold: Fold, heard: Annunciation) -> Fold:
    worst = heard if heard.priority < fold.worst.priority else fold.worst
    return Fold(fold.first, worst, fold.count + 1)
