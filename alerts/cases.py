"""The life of a warning case 预警. Pure.

| from     | event   | source   | to       | what else                                         |
|----------|---------|----------|----------|---------------------------------------------------|
| closed   | rise    | coloured | open     | a case begins: the source has left blue           |
| open     | rise    | coloured | open     | 签收 is asked for anew; a release is void         |
| open     | fall    | coloured | open     | the colour; the worst is kept                     |
| open     | calm    | blue     | open     | back at blue, but nobody has signed               |
| open     | receive | coloured | received | who, when, for which level                        |
| open     | receive | blue     | closed   | the loop is complete                              |
| open     | lose    | any      | open     | the source is unknown, its colour held            |
| open     | find    | any      | open     | the source is seen again                          |
| open     | refer   | any      | open     | more occurrences belong to the case               |
| received | rise    | coloured | open     | 签收 is asked for anew; a release is void         |
| received | fall    | coloured | received | the colour; the worst is kept                     |
| received | calm    | blue     | closed   | the loop is complete                              |
| received | receive | coloured | received | another level signs                               |
| received | release | coloured | received | a person gives red free: the risk model may fall  |
| received | lose    | coloured | received | the source is unknown, its colour held            |
| received | find    | coloured | received | the source is seen again                          |
| received | refer   | coloured | received | more occurrences belong to the case               |

Anything else is no transition, nor is an event that says nothing new, nor a fall or calm while the
source is unknown. A case closes only at blue and after a 签收 that is newer than its last rise; a
closed case never opens again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.cases import Case, CaseState, CaseTransition, Level, Receipt
from domain.risk import Colour

ALARMS = 200
"""A case names so many occurrences, the newest; a chattering detector makes many more."""


class Verb(StrEnum):
    """What can happen to a case."""

    RISE = "rise"
    FALL = "fall"
    CALM = "calm"
    RECEIVE = "receive"
    RELEASE = "release"
    LOSE = "lose"
    FIND = "find"
    REFER = "refer"


TABLE: dict[tuple[CaseState, Verb], CaseState] = {
    (CaseState.CLOSED, Verb.RISE): CaseState.OPEN,
    (CaseState.OPEN, Verb.RISE): CaseState.OPEN,
    (CaseState.OPEN, Verb.FALL): CaseState.OPEN,
    (CaseState.OPEN, Verb.CALM): CaseState.OPEN,
    (CaseState.OPEN, Verb.RECEIVE): CaseState.RECEIVED,
    (CaseState.OPEN, Verb.LOSE): CaseState.OPEN,
    (CaseState.OPEN, Verb.FIND): CaseState.OPEN,
    (CaseState.OPEN, Verb.REFER): CaseState.OPEN,
    (CaseState.RECEIVED, Verb.RISE): CaseState.OPEN,
    (CaseState.RECEIVED, Verb.FALL): CaseState.RECEIVED,
    (CaseState.RECEIVED, Verb.CALM): CaseState.CLOSED,
    (CaseState.RECEIVED, Verb.RECEIVE): CaseState.RECEIVED,
    (CaseState.RECEIVED, Verb.RELEASE): CaseState.RECEIVED,
    (CaseState.RECEIVED, Verb.LOSE): CaseState.RECEIVED,
    (CaseState.RECEIVED, Verb.FIND): CaseState.RECEIVED,
    (CaseState.RECEIVED, Verb.REFER): CaseState.RECEIVED,
}
AT_BLUE: dict[tuple[CaseState, Verb], CaseState] = {
    (CaseState.OPEN, Verb.RECEIVE): CaseState.CLOSED,
}
"""Rows that hold instead while the source is at blue."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    colour, alarms, effective: of the sight behind it; level, by, comment: of the person.
    """

    verb: Verb
    colour: Colour = Colour.BLUE
    effective: datetime | None = None
    alarms: tuple[UUID, ...] = ()
    level: Level | None = None
    by: str | None = None
    comment: str | None = None


def step(case: Case, event: Event, at: datetime) -> tuple[Case, CaseTransition | None]:
    """The case after `event`, and the transition that says so; (case, None) where there is none.

    `at` is when the worker learnt of it.
    """
    key = case.state, event.verb
    target = TABLE.get(key)
    if case.colour is Colour.BLUE:
        target = AT_BLUE.get(key, target)
    over = case.state is CaseState.CLOSED and case.n > 0
    if target is None or over or not _is_news(case, event):
        return case, None
    after = replace(_changed(case, event, at), state=target, n=case.n + 1)
    if event.effective is not None:
        after = replace(after, seen=event.effective)
    if target is CaseState.CLOSED:
        after = replace(after, closed=at)
    return after, CaseTransition(
        after, case.state, target, event.verb.value, case.colour, at, event.by, event.comment
    )


def colour_verb(before: Colour, after: Colour) -> Verb | None:
    """What a change of colour is to a case; None if it is no change."""
    if after == before:
        return None
    if after > before:
        return Verb.RISE
    return Verb.CALM if after is Colour.BLUE else Verb.FALL


def receipt(case: Case, level: Level) -> Receipt | None:
    """The level's newest 签收 of this case."""
    return next((one for one in case.receipts if one.level is level), None)


def _is_news(case: Case, event: Event) -> bool:
    match event.verb:
        case Verb.FALL | Verb.CALM if case.unknown:
            return False
        case Verb.RISE | Verb.FALL | Verb.CALM:
            return colour_verb(case.colour, event.colour) is event.verb
        case Verb.RECEIVE:
            signed = receipt(case, event.level) if event.level is not None else None
            return event.level is not None and (signed is None or signed.n < case.risen)
        case Verb.RELEASE:
            return case.colour is Colour.RED and case.released is None
        case Verb.LOSE:
            return not case.unknown
        case Verb.FIND:
            return case.unknown
        case Verb.REFER:
            return not set(event.alarms) <= set(case.alarms)


def _changed(case: Case, event: Event, at: datetime) -> Case:
    match event.verb:
        case Verb.RISE:
            return _risen(case, event)
        case Verb.FALL | Verb.CALM:
            return replace(case, colour=event.colour)
        case Verb.RECEIVE:
            assert event.level is not None, "a 签收 speaks for a level"
            who = event.by or ""
            new = Receipt(event.level, who, at, case.colour, case.n + 1, event.comment)
            others = tuple(one for one in case.receipts if one.level is not event.level)
            return replace(case, receipts=(*others, new))
        case Verb.RELEASE:
            return replace(case, released=at, released_by=event.by)
        case Verb.LOSE | Verb.FIND:
            return replace(case, unknown=event.verb is Verb.LOSE)
        case Verb.REFER:
            return replace(case, alarms=_joined(case, event))


def _risen(case: Case, event: Event) -> Case:
    n = case.n + 1
    return replace(
        case,
        colour=event.colour,
        worst=max(case.worst, event.colour),
        risen=n,
        left_blue=n if case.colour is Colour.BLUE else case.left_blue,
        alarms=_joined(case, event),
        released=None,
        released_by=None,
    )


def _joined(case: Case, event: Event) -> tuple[UUID, ...]:
    earlier = (id for id in case.alarms if id not in event.alarms)
    return (*earlier, *event.alarms)[-ALARMS:]
