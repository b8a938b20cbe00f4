"""The life of a warning case 预警, and its loop 闭环. Pure.

| from | event | source | to | what else |
|---|---|---|---|---|
| closed | rise | coloured | open | a case begins: the source has left blue |
| open | rise | any | open | 签收 is asked for anew; a release is void |
| open | receive | any | received | who, when, for which level |
| open | verify, fall, calm, lose, find, refer | any | open | 核实: red is found to be so; the worst colour is kept |
| received | rise | any | open | the loop begins anew: 签收 and feedback for the new colour |
| received | handle | any | handled | 处置: somebody deals with it |
| received | verify, receive, fall, calm, lose, find, refer | any | received | another level signs |
| handled | rise | any | open | the loop begins anew |
| handled | feedback | any | fed_back | 反馈: what was done, with evidence that is new |
| handled | handle, verify, receive, fall, calm, lose, find, refer | any | handled | more is done |
| fed_back | rise | any | open | the loop begins anew |
| fed_back | send_back | any | handled | 审核: not enough, somebody else asks for more |
| fed_back | approve | any | reviewed | 审核: somebody else approves |
| fed_back | feedback, release, verify, receive, fall, calm, lose, find, refer | any | fed_back | more is reported; red may be given free |
| reviewed | rise | any | open | the loop begins anew |
| reviewed | feedback | any | fed_back | what is reported later is reviewed, too |
| reviewed | close | coloured | settled | 销警: the loop is complete; blue is waited for |
| reviewed | close | blue | closed | 销警: blue and complete |
| reviewed | propose, release, verify, receive, fall, calm, lose, find, refer | any | reviewed | the first of two persons closes |
| settled | rise | any | open | the loop begins anew |
| settled | calm | blue | closed | complete and blue |
| settled | find | blue | closed | it is known again, and it was blue and complete |
| settled | receive, fall, lose, find, refer | any | settled | |

Anything else is no transition, nor is an event that says nothing new, nor a fall or calm while the
source is unknown; what is unknown is not blue. A case closes only at blue and after the whole loop,
every part of it newer than its last rise; red is released before it is closed, and may be verified
once for each rise, which nothing else waits for. Nobody reviews what they fed back themselves.
A P1 alarm
that begins after the feedback is a rise, too, though the colour stays: nobody has answered it.
Where two persons have to close (`needs_second`), the second says the same as the first. A closed
case never opens again.
"""  # noqa: E501 - a row of the table is a line

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from alerts.case_evidence import evidence
from alerts.case_loop import Event, Verb, further, may_close, spoken
from domain.cases import Case, CaseState, CaseTransition, Level, Loop, Receipt
from domain.risk import Colour

__all__ = ["AT_BLUE", "TABLE", "Event", "Verb", "colour_verb", "receipt", "step"]

ALARMS = 200
"""A case names so many occurrences, the newest; a chattering detector makes many more."""


Table = dict[tuple[CaseState, Verb], CaseState]

ANSWERED = frozenset({CaseState.FED_BACK, CaseState.REVIEWED, CaseState.SETTLED})
"""States in which people have said what they found: a P1 alarm that comes now is not in it."""
ANYWHERE = (Verb.RECEIVE, Verb.FALL, Verb.CALM, Verb.LOSE, Verb.FIND, Verb.REFER)
"""What may happen in every state of an open case, and leaves it where it is."""
STAGES = tuple(state for state in CaseState if state is not CaseState.CLOSED)
TABLE: Table = {
    **{(state, verb): state for state in STAGES for verb in ANYWHERE},
    **{(state, Verb.RISE): CaseState.OPEN for state in CaseState},
    **{(state, Verb.VERIFY): state for state in STAGES if state is not CaseState.SETTLED},
    (CaseState.OPEN, Verb.RECEIVE): CaseState.RECEIVED,
    (CaseState.RECEIVED, Verb.HANDLE): CaseState.HANDLED,
    (CaseState.HANDLED, Verb.HANDLE): CaseState.HANDLED,
    (CaseState.HANDLED, Verb.FEED_BACK): CaseState.FED_BACK,
    (CaseState.FED_BACK, Verb.FEED_BACK): CaseState.FED_BACK,
    (CaseState.FED_BACK, Verb.SEND_BACK): CaseState.HANDLED,
    (CaseState.FED_BACK, Verb.APPROVE): CaseState.REVIEWED,
    (CaseState.FED_BACK, Verb.RELEASE): CaseState.FED_BACK,
    (CaseState.REVIEWED, Verb.FEED_BACK): CaseState.FED_BACK,
    (CaseState.REVIEWED, Verb.RELEASE): CaseState.REVIEWED,
    (CaseState.REVIEWED, Verb.PROPOSE): CaseState.REVIEWED,
    (CaseState.REVIEWED, Verb.CLOSE): CaseState.SETTLED,
    (CaseState.SETTLED, Verb.CALM): CaseState.CLOSED,
}
AT_BLUE: Table = {
    (CaseState.REVIEWED, Verb.CLOSE): CaseState.CLOSED,
    (CaseState.SETTLED, Verb.FIND): CaseState.CLOSED,
}
"""Rows that hold instead where the source is known to be at blue."""


def step(case: Case, event: Event, at: datetime) -> tuple[Case, CaseTransition | None]:
    """The case after `event`, and the transition that says so; (case, None) where there is none.

    `at` is when the worker learnt of it.
    """
    key = case.state, event.verb
    target = TABLE.get(key)
    unknown = case.unknown and event.verb is not Verb.FIND
    if case.colour is Colour.BLUE and not unknown:
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
    loop = case.loop
    match event.verb:
        case Verb.FALL | Verb.CALM if case.unknown:
            return False
        case Verb.RISE if event.colour is case.colour:
            answered = case.state in ANSWERED and case.colour > Colour.BLUE
            return answered and not set(event.alarms) <= set(case.alarms)
        case Verb.RISE | Verb.FALL | Verb.CALM:
            return colour_verb(case.colour, event.colour) is event.verb
        case Verb.RECEIVE:
            signed = receipt(case, event.level) if event.level is not None else None
            return event.level is not None and (signed is None or signed.n < case.risen)
        case Verb.HANDLE:
            return spoken(event)
        case Verb.FEED_BACK:
            told = event.feedback
            return spoken(event) and told is not None and bool(set(evidence(told)) - {*loop.said})
        case Verb.APPROVE | Verb.SEND_BACK:
            return spoken(event) and event.by not in loop.feeders
        case Verb.PROPOSE | Verb.CLOSE:
            return spoken(event) and may_close(case, event)
        case Verb.RELEASE:
            return case.colour is Colour.RED and case.released is None
        case Verb.VERIFY:
            return spoken(event) and case.colour is Colour.RED and loop.verified is None
        case Verb.LOSE:
            return not case.unknown
        case Verb.FIND:
            return case.unknown
        case Verb.REFER:
            return not set(event.alarms) <= set(case.alarms) or event.gas_l2 > loop.gas_l2


def _changed(case: Case, event: Event, at: datetime) -> Case:
    match event.verb:
        case Verb.RISE:
            return _risen(case, event, at)
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
            loop = replace(case.loop, gas_l2=case.loop.gas_l2 or event.gas_l2)
            return replace(case, alarms=_joined(case, event), loop=loop)
        case _:
            return replace(case, loop=further(case, event, at))


def _risen(case: Case, event: Event, at: datetime) -> Case:
    n = case.n + 1
    loop = Loop(
        rose=at,
        rose_to=event.colour,
        said=case.loop.said,
        gas_l2=case.loop.gas_l2 or event.gas_l2,
        drill=case.loop.drill,
    )
    return replace(
        case,
        colour=event.colour,
        worst=max(case.worst, event.colour),
        risen=n,
        left_blue=n if case.colour is Colour.BLUE else case.left_blue,
        alarms=_joined(case, event),
        released=None,
        released_by=None,
        loop=loop,
    )


def _joined(case: Case, event: Event) -> tuple[UUID, ...]:
    earlier = (id for id in case.alarms if id not in event.alarms)
    return (*earlier, *event.alarms)[-ALARMS:]
