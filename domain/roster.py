"""Who is on duty 值班: shifts, rosters in their order, and who holds a duty at an instant. Pure.

| the duty                                  | who holds it at an instant          | why      |
|-------------------------------------------|-------------------------------------|----------|
| names persons                             | all of them                         | named    |
| has rosters, one of them has a shift then | all in the first roster with one    | roster   |
| a gap: no roster has one, but a fallback  | the fallback                        | fallback |
| a gap, no fallback                        | nobody, and this is said            | nobody   |

A shift runs from its begin up to, not including, its end; where two of a roster overlap 交接班,
both hold the duty. All instants are aware UTC: what a wall clock shows decides nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


class RosterError(ValueError):
    """A roster can't tell who is on duty; the text says why."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A person, by code, who is on duty from `begin` up to, not including, `end` (UTC)."""

    person: str
    begin: datetime
    end: datetime


class Roster(Protocol):
    """Where shifts come from."""

    @property
    def name(self) -> str:
        """What people call it, such as its file."""
        ...

    def shifts(self, begin: datetime, end: datetime) -> Sequence[Shift]:
        """Those that overlap [begin, end), by begin, end and person; raises `RosterError`."""
        ...


@dataclass(frozen=True, slots=True)
class Duty:
    """A role that somebody has to hold for a node and all below it.

    node: codes from some ancestor down. persons, fallback: codes. rosters: the first with a shift
    decides, so a roster of holidays stands before that of the week. persons and rosters are never
    both there.
    """

    role: str
    node: tuple[str, ...]
    persons: tuple[str, ...] = ()
    rosters: tuple[Roster, ...] = ()
    fallback: str | None = None


class Why(StrEnum):
    """What made somebody hold a duty."""

    NAMED = "named"
    ROSTER = "roster"
    FALLBACK = "fallback"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who holds a duty, by code. roster: whose shifts these are. broken: rosters before it that
    could not be asked."""

    persons: tuple[str, ...]
    why: Why
    roster: str | None = None
    broken: tuple[str, ...] = ()

    @property
    def gap(self) -> bool:
        """Whether no roster names anybody."""
        return self.why in (Why.FALLBACK, Why.NOBODY)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who holds a duty from `begin` up to, not including, `end`."""

    begin: datetime
    end: datetime
    who: OnDuty


def on_duty(duty: Duty, at: datetime) -> OnDuty:
    """Who holds a duty at an instant. A roster that can't tell counts as one without a shift."""
    if duty.persons:
        return OnDuty(duty.persons, Why.NAMED)
    broken: list[str] = []
    for roster in duty.rosters:
        try:
            shifts = roster.shifts(at, at + MOMENT)
        except RosterError:
            broken.append(roster.name)
            continue
        here = dict.fromkeys(shift.person for shift in shifts if shift.begin <= at < shift.end)
        if here:
            return OnDuty(tuple(here), Why.ROSTER, roster.name, tuple(broken))
    if duty.fallback is not None:
        return OnDuty((duty.fallback,), Why.FALLBACK, None, tuple(broken))
    return OnDuty((), Why.NOBODY, None, tuple(broken))


def watches(duty: Duty, begin: datetime, end: datetime) -> list[Watch]:
    """Who holds a duty through [begin, end): without holes, in order; neighbours differ."""
    turns = {begin}
    for roster in duty.rosters:
        try:
            shifts = roster.shifts(begin, end)
        except RosterError:
            continue
        turns |= {turn for one in shifts for turn in (one.begin, one.end) if begin <= turn < end}
    found: list[Watch] = []
    order = sorted(turns)
    for turn, following in zip(order, [*order[1:], end], strict=True):
        who = on_duty(duty, turn)
        if found and found[-1].who == who:
            found[-1] = replace(found[-1], end=following)
        elif turn < following:
            found.append(Watch(turn, following, who))
    return found


def gaps(duty: Duty, begin: datetime, end: datetime) -> list[Watch]:
    """When in [begin, end) no roster names anybody; who then holds the duty stands with it."""
    return [watch for watch in watches(duty, begin, end) if watch.who.gap]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which somebody wants no yellow warnings, on the wall clock of `zone`; begin > end
    goes over midnight. They are never the same."""

    begin: time
    end: time
    zone: ZoneInfo

    def until(self, at: datetime) -> datetime | None:
        """When the hours that `at` lies in end (UTC), None if it lies in none. An end that the wall
        clock shows twice is the next one, one that it skips is when the skipping is over."""
        local = at.astimezone(self.zone)
        now, over_midnight = local.time(), self.begin > self.end
        begun, unended = self.begin <= now, now < self.end
        if not (begun or unended if over_midnight else begun and unended):
            return None
        later = DAY if over_midnight and now >= self.begin else timedelta(0)
        end = datetime.combine(local.date() + later, self.end, self.zone)
        ends = (end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        return next((one for one in ends if one > at), None)
