"""What people do in the loop of a case: handling, feedback, review, closing. Pure.

`alerts.cases` says when; here is who may, and what the loop shows then.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from alerts.case_evidence import evidence, joined
from domain.cases import Case, Closing, ClosingKind, Deed, Feedback, Level, Loop
from domain.risk import Colour


class Verb(StrEnum):
    """What can happen to a case."""

    RISE = "rise"
    FALL = "fall"
    CALM = "calm"
    RECEIVE = "receive"
    HANDLE = "handle"
    FEED_BACK = "feedback"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    PROPOSE = "propose"
    CLOSE = "close"
    RELEASE = "release"
    VERIFY = "verify"
    LOSE = "lose"
    FIND = "find"
    REFER = "refer"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    colour, alarms, gas_l2, effective: of the sight behind it; level, by, comment: of the person;
    feedback: what is fed back (its n counts for nothing); kind: of a closing.
    """

    verb: Verb
    colour: Colour = Colour.BLUE
    effective: datetime | None = None
    alarms: tuple[UUID, ...] = ()
    level: Level | None = None
    by: str | None = None
    comment: str | None = None
    gas_l2: bool = False
    feedback: Feedback | None = None
    kind: ClosingKind | None = None


def needs_second(case: Case) -> bool:
    """Whether two persons have to close, of whatever kind: a case that was red, or with a GAS_L2
    (domain.md 4.8 rule 7 asks it of a false alarm; a kind chosen otherwise is no way round it)."""
    return case.worst is Colour.RED or case.loop.gas_l2


def seconds(case: Case, kind: ClosingKind | None, by: str | None) -> bool:
    """Whether `by` says the same as the first of two persons, and is another one."""
    first = case.loop.closing
    return first is not None and first.kind is kind and first.by != by


def spoken(event: Event) -> bool:
    """Whether a person says it, for a level."""
    return event.level is not None and bool(event.by)


def may_close(case: Case, event: Event) -> bool:
    """Whether a closing, or its proposal by the first of two persons, is one here."""
    if event.kind is None or case.colour is Colour.RED:
        return False
    both = seconds(case, event.kind, event.by)
    if event.kind is ClosingKind.FALSE_ALARM and not (event.comment or both):
        return False
    if event.verb is Verb.CLOSE:
        return both or not needs_second(case)
    first = case.loop.closing
    same = first is not None and first.kind is event.kind
    return needs_second(case) and not same


def further(case: Case, event: Event, at: datetime) -> Loop:
    """The loop after what a person did in it."""
    assert event.level is not None, "a person speaks for a level"
    assert event.by, "a person says it"
    loop = case.loop
    deed = Deed(event.by, at, case.n + 1, event.level, event.comment)
    match event.verb:
        case Verb.HANDLE:
            return replace(loop, handled=deed)
        case Verb.FEED_BACK:
            return _fed_back(case, event, deed)
        case Verb.APPROVE:
            return replace(loop, review=deed)
        case Verb.SEND_BACK:
            return replace(loop, feedback=None)
        case Verb.VERIFY:
            return replace(loop, verified=deed)
        case _:
            return replace(loop, closing=_closing(loop, event, deed))


def _fed_back(case: Case, event: Event, deed: Deed) -> Loop:
    assert event.feedback is not None, "asked in _is_news"
    told = replace(
        event.feedback, by=deed.by, at=deed.at, n=deed.n, level=deed.level, colour=case.colour
    )
    return replace(
        case.loop,
        feedback=told,
        feeders=tuple(dict.fromkeys((*case.loop.feeders, deed.by))),
        said=joined(case.loop.said, evidence(told)),
        review=None,
        closing=None,
    )


def _closing(loop: Loop, event: Event, deed: Deed) -> Closing:
    first = loop.closing
    assert event.kind is not None, "asked in _is_news"
    if event.verb is Verb.CLOSE and first is not None and first.kind is event.kind:
        return replace(first, second=deed.by, second_at=deed.at)
    return Closing(event.kind, deed.by, deed.at, deed.n, deed.level, deed.comment)
