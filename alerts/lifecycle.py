"""The life of one alarm occurrence: the machine of ISA-18.2 as one table (domain.md 5.2, whose
numbers the rows have; `any` is every state, `same` the state it was in).

| #  | from  | event              | guard          | to    | what else                           |
|----|-------|--------------------|----------------|-------|-------------------------------------|
| 1  | NORM  | raise              | –              | UNACK | a new occurrence begins             |
| 2  | NORM  | raise              | auto-ack       | ACKED | for the journal alone               |
| 3  | UNACK | acknowledge        | –              | ACKED | who, when, comment                  |
| 4  | UNACK | return             | not latching   | RTNUN | the time of return                  |
| 5  | UNACK | return             | latching       | LATUN | the time of return                  |
| 6  | UNACK | worsen             | –              | UNACK | the worst value                     |
| 6  | ACKED | worsen             | –              | ACKED | the worst value                     |
| 6  | UNACK | upgrade            | eased          | UNACK | its mode is over: ordinary priority |
| 6  | ACKED | upgrade            | eased          | UNACK | the same, unacknowledged again      |
| 7  | ACKED | return             | not latching   | NORM  | the occurrence is closed            |
| 8  | ACKED | return             | latching       | LATAC | the time of return                  |
| 9  | ACKED | re_alarm           | –              | UNACK | counted                             |
| 10 | RTNUN | acknowledge        | –              | NORM  | the occurrence is closed            |
| 11 | RTNUN | raise              | –              | UNACK | it goes on; chatter counted         |
| 12 | LATUN | acknowledge        | –              | LATAC | who, when, comment                  |
| 13 | LATUN | raise              | –              | UNACK | it goes on                          |
| 14 | LATUN | reset              | –              | no    | acknowledge it first                |
| 15 | LATAC | reset              | –              | NORM  | the occurrence is closed            |
| 16 | LATAC | raise              | –              | UNACK | it goes on, unacknowledged again    |
| 17 | any   | shelve             | –              | same  | the flag, with expiry               |
| 18 | UNACK | unshelve           | shelved        | UNACK | the flag goes                       |
| 18 | ACKED | unshelve           | shelved        | UNACK | the flag goes, unacknowledged again |
| 18 | NORM  | unshelve           | shelved        | NORM  | the flag goes                       |
| 18 | RTNUN | unshelve           | shelved        | RTNUN | the flag goes                       |
| 18 | LATUN | unshelve           | shelved        | LATUN | the flag goes                       |
| 18 | LATAC | unshelve           | shelved        | LATAC | the flag goes                       |
| 18 | NORM  | hand_over          | shelved        | NORM  | the next occurrence has the flag    |
| 19 | any   | suppress           | –              | same  | the flag, with its rule             |
| 19 | any   | unsuppress         | suppressed     | same  | the flag goes                       |
| 20 | any   | remove_from_service | –             | same  | the flag, with permit and expiry    |
| 20 | any   | return_to_service  | out of service | same  | the flag goes                       |
| 22 | any   | lose               | not stale      | same  | the condition is held               |
| 22 | any   | find               | stale          | same  | its source speaks again             |
| 22 | UNACK | hold               | –              | UNACK | the reason: it can't be judged      |
| 22 | ACKED | hold               | –              | ACKED | the reason                          |
| 22 | UNACK | judge              | –              | UNACK | judged again: no reason any more    |
| 22 | ACKED | judge              | –              | ACKED | no reason any more                  |
| 23 | NORM  | acknowledge        | –              | no    | nothing to acknowledge              |
| 23 | ACKED | acknowledge        | –              | no    | nothing to acknowledge              |
| 23 | LATAC | acknowledge        | –              | no    | nothing to acknowledge              |
| –  | any   | resume             | –              | same  | timers go on on another clock       |
| –  | UNACK | see                | –              | UNACK | which desk above it, who, when      |
| –  | ACKED | see                | –              | ACKED | the same                            |
| –  | RTNUN | see                | –              | RTNUN | the same                            |
| –  | LATUN | see                | –              | LATUN | the same                            |
| –  | LATAC | see                | –              | LATAC | the same                            |
| –  | UNACK | close              | not latching   | RTNUN | its tag is gone, nobody has seen it |
| –  | UNACK | close              | latching       | LATUN | the same, to be reset               |
| –  | ACKED | close              | not latching   | NORM  | its tag is gone                     |
| –  | ACKED | close              | latching       | LATAC | its tag is gone, to be reset        |
| –  | RTNUN | close              | –              | RTNUN | the reason                          |
| –  | LATUN | close              | –              | LATUN | the reason                          |
| –  | LATAC | close              | –              | LATAC | the reason                          |

Anything else is no transition. The flags gate annunciation alone, so #21 needs no rows: a condition
moves the state under any of them. Who may set a flag is asked before, in `alerts.guards`. No path
leads from UNACK, RTNUN or LATUN to NORM without an acknowledgement, nor from a latched state
without a reset; none from an active state without the condition gone or the tag removed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from alerts.changes import CHANGES
from alerts.changes import SHELVES_KEPT as SHELVES_KEPT
from alerts.happenings import Event as Event
from alerts.happenings import Verb as Verb
from domain.alarms import Alarm, State, Transition


class Guard(StrEnum):
    """What a row asks of the occurrence, or of the event."""

    ALWAYS = "–"
    AUTO_ACK = "auto-ack"
    LATCHING = "latching"
    NOT_LATCHING = "not latching"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out of service"
    EASED = "eased"
    STALE = "stale"
    NOT_STALE = "not stale"


class Row(NamedTuple):
    """A row of the table. target: None = the event changes nothing, and `says` why."""

    number: int | None
    source: State
    verb: Verb
    guard: Guard
    target: State | None
    says: str = ""


def _rows() -> Iterator[Row]:
    norm, unack, acked, rtnun, latun, latac = State
    always, latching, plain = Guard.ALWAYS, Guard.LATCHING, Guard.NOT_LATCHING
    yield Row(2, norm, Verb.RAISE, Guard.AUTO_ACK, acked)
    yield Row(1, norm, Verb.RAISE, always, unack)
    yield Row(3, unack, Verb.ACKNOWLEDGE, always, acked)
    yield Row(4, unack, Verb.RETURN, plain, rtnun)
    yield Row(5, unack, Verb.RETURN, latching, latun)
    yield Row(7, acked, Verb.RETURN, plain, norm)
    yield Row(8, acked, Verb.RETURN, latching, latac)
    yield Row(9, acked, Verb.RE_ALARM, always, unack)
    yield Row(10, rtnun, Verb.ACKNOWLEDGE, always, norm)
    yield Row(11, rtnun, Verb.RAISE, always, unack)
    yield Row(12, latun, Verb.ACKNOWLEDGE, always, latac)
    yield Row(13, latun, Verb.RAISE, always, unack)
    yield Row(14, latun, Verb.RESET, always, None, "acknowledge it first")
    yield Row(15, latac, Verb.RESET, always, norm)
    yield Row(16, latac, Verb.RAISE, always, unack)
    yield Row(18, norm, Verb.HAND_OVER, Guard.SHELVED, norm)
    for state in State:
        back = unack if state is acked else state
        yield Row(17, state, Verb.SHELVE, always, state)
        yield Row(18, state, Verb.UNSHELVE, Guard.SHELVED, back)
        yield Row(19, state, Verb.SUPPRESS, always, state)
        yield Row(19, state, Verb.UNSUPPRESS, Guard.SUPPRESSED, state)
        yield Row(20, state, Verb.REMOVE, always, state)
        yield Row(20, state, Verb.PUT_BACK, Guard.OUT_OF_SERVICE, state)
        yield Row(22, state, Verb.LOSE, Guard.NOT_STALE, state)
        yield Row(22, state, Verb.FIND, Guard.STALE, state)
        yield Row(None, state, Verb.RESUME, always, state)
    for state in (unack, acked, rtnun, latun, latac):
        yield Row(None, state, Verb.SEE, always, state)
    for state in (unack, acked):
        yield Row(6, state, Verb.WORSEN, always, state)
        yield Row(6, state, Verb.UPGRADE, Guard.EASED, unack)
        yield Row(22, state, Verb.HOLD, always, state)
        yield Row(22, state, Verb.JUDGE, always, state)
    for state in (norm, acked, latac):
        yield Row(23, state, Verb.ACKNOWLEDGE, always, None, "nothing to acknowledge")
    for state, gone, kept in ((unack, rtnun, latun), (acked, norm, latac)):
        yield Row(None, state, Verb.CLOSE, plain, gone)
        yield Row(None, state, Verb.CLOSE, latching, kept)
    for state in (rtnun, latun, latac):
        yield Row(None, state, Verb.CLOSE, always, state)


TABLE = tuple(_rows())
_BY_PLACE = {
    (row.source, row.verb): tuple(
        other for other in TABLE if (other.source, other.verb) == (row.source, row.verb)
    )
    for row in TABLE
}
_HOLDS: dict[Guard, Callable[[Alarm, Event], bool]] = {
    Guard.ALWAYS: lambda alarm, event: True,
    Guard.AUTO_ACK: lambda alarm, event: event.auto_ack,
    Guard.LATCHING: lambda alarm, event: alarm.latching,
    Guard.NOT_LATCHING: lambda alarm, event: not alarm.latching,
    Guard.SHELVED: lambda alarm, event: alarm.shelved is not None,
    Guard.SUPPRESSED: lambda alarm, event: alarm.suppressed is not None,
    Guard.OUT_OF_SERVICE: lambda alarm, event: alarm.out_of_service is not None,
    Guard.EASED: lambda alarm, event: alarm.eased is not None,
    Guard.STALE: lambda alarm, event: alarm.stale,
    Guard.NOT_STALE: lambda alarm, event: not alarm.stale,
}


def row_of(alarm: Alarm, event: Event) -> Row | None:
    """The row of the table for `event`; None where it has none."""
    for row in _BY_PLACE.get((alarm.state, event.verb), ()):
        if _HOLDS[row.guard](alarm, event):
            return row
    return None


def step(alarm: Alarm, event: Event, at: datetime) -> tuple[Alarm, Transition | None]:
    """The occurrence after `event`, and the transition that says so; (alarm, None) where the table
    has no row, or one that changes nothing.

    `at` is when the worker learnt of it. A raise from NORM is only meant for an occurrence that
    never was open (n = 0); a flag that is set needs its expiry, or the rule that ends it.
    """
    row = row_of(alarm, event)
    if row is None or row.target is None or not _admitted(alarm, event):
        return alarm, None
    changed = CHANGES[event.verb](alarm, event, at) | {"state": row.target, "n": alarm.n + 1}
    if alarm.re_alarm is not None and row.target is not State.ACKED:
        changed["re_alarm"] = None
    if row.target is State.NORM and alarm.state is not State.NORM:
        # a shelf is of the alarm and outlives its occurrence, the others come anew with the next
        changed |= {"closed": at, "suppressed": None, "out_of_service": None, "stale": False}
        changed["eased"] = None
    after = replace(alarm, **changed)
    verb = event.verb.value
    return after, Transition(after, alarm.state, row.target, verb, at, event.by, event.comment)


def _admitted(alarm: Alarm, event: Event) -> bool:
    if event.verb is Verb.RAISE:
        return alarm.state is not State.NORM or alarm.n == 0
    if event.verb in (Verb.SHELVE, Verb.REMOVE) and (not event.flag or not event.flag.timer):
        return False
    if event.verb is Verb.SEE and event.level is None:
        return False
    if event.verb is Verb.SUPPRESS and (not event.flag or not event.flag.rule):
        return False
    return alarm.n > 0
