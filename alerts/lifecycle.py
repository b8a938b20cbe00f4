"""The life of one alarm occurrence, ISA-18.2 without latches and flags (they come with their own
table).

| from  | event       | to    | what else                                              |
|-------|-------------|-------|--------------------------------------------------------|
| NORM  | raise       | UNACK | a new occurrence begins                                |
| UNACK | acknowledge | ACKED | who, when, comment                                     |
| UNACK | return      | RTNUN | the time of return                                     |
| UNACK | worsen      | UNACK | the worst value                                        |
| UNACK | hold        | UNACK | the reason: it can't be judged, so it isn't over       |
| UNACK | judge       | UNACK | it is judged again: no reason any more                 |
| UNACK | close       | RTNUN | the reason: its tag is gone, but nobody has seen it    |
| ACKED | return      | NORM  | the occurrence is closed                               |
| ACKED | worsen      | ACKED | the worst value                                        |
| ACKED | hold        | ACKED | the reason                                             |
| ACKED | judge       | ACKED | no reason any more                                     |
| ACKED | close       | NORM  | the reason                                             |
| RTNUN | acknowledge | NORM  | the occurrence is closed                               |
| RTNUN | raise       | UNACK | the same occurrence goes on (sooner than `rejoin_s`)   |
| RTNUN | close       | RTNUN | the reason                                             |

Anything else is no transition. No path leads from UNACK or RTNUN to NORM without an
acknowledgement, and none from an active state to NORM without the condition gone or the tag
removed.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.alarms import Alarm, State, Transition


class Verb(StrEnum):
    """What can happen to an occurrence."""

    RAISE = "raise"
    RETURN = "return"
    WORSEN = "worsen"
    ACKNOWLEDGE = "acknowledge"
    HOLD = "hold"
    JUDGE = "judge"
    CLOSE = "close"


TABLE: dict[tuple[State, Verb], State] = {
    (State.NORM, Verb.RAISE): State.UNACK,
    (State.UNACK, Verb.ACKNOWLEDGE): State.ACKED,
    (State.UNACK, Verb.RETURN): State.RTNUN,
    (State.UNACK, Verb.WORSEN): State.UNACK,
    (State.UNACK, Verb.HOLD): State.UNACK,
    (State.UNACK, Verb.JUDGE): State.UNACK,
    (State.UNACK, Verb.CLOSE): State.RTNUN,
    (State.ACKED, Verb.RETURN): State.NORM,
    (State.ACKED, Verb.WORSEN): State.ACKED,
    (State.ACKED, Verb.HOLD): State.ACKED,
    (State.ACKED, Verb.JUDGE): State.ACKED,
    (State.ACKED, Verb.CLOSE): State.NORM,
    (State.RTNUN, Verb.ACKNOWLEDGE): State.NORM,
    (State.RTNUN, Verb.RAISE): State.UNACK,
    (State.RTNUN, Verb.CLOSE): State.RTNUN,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. onset, effective, value: of the finding behind it; by, comment: of
    the person."""

    verb: Verb
    onset: datetime | None = None
    effective: datetime | None = None
    value: float | None = None
    by: str | None = None
    comment: str | None = None
    reason: str = ""


def step(alarm: Alarm, event: Event, at: datetime) -> tuple[Alarm, Transition | None]:
    """The occurrence after `event`, and the transition that says so; (alarm, None) where the table
    has no row.

    `at` is when the worker learnt of it. A raise from NORM is only meant for an occurrence that
    never was open (n = 0).
    """
    target = TABLE.get((alarm.state, event.verb))
    if target is None or (alarm.state is State.NORM and alarm.n > 0):
        return alarm, None
    after = replace(_changed(alarm, event, at), state=target, n=alarm.n + 1)
    if target is State.NORM:
        after = replace(after, closed=at)
    return after, Transition(
        after, alarm.state, target, event.verb.value, at, event.by, event.comment
    )


def _changed(alarm: Alarm, event: Event, at: datetime) -> Alarm:
    match event.verb:
        case Verb.RAISE:
            return replace(
                alarm,
                onset_last=event.onset or alarm.onset,
                effective=event.effective or alarm.effective,
                ended=None,
                acknowledged_by=None,
                acknowledged_at=None,
            )
        case Verb.RETURN:
            return replace(alarm, ended=event.effective)
        case Verb.WORSEN:
            return alarm if event.value is None else replace(alarm, worst=event.value)
        case Verb.ACKNOWLEDGE:
            return replace(
                alarm, acknowledged_by=event.by, acknowledged_at=at, comment=event.comment
            )
        case Verb.HOLD | Verb.JUDGE:
            return replace(alarm, reason=event.reason)
        case Verb.CLOSE:
            return replace(alarm, ended=alarm.ended or event.effective or at, reason=event.reason)
