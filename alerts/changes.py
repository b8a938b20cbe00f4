"""What each row of the table in `alerts.lifecycle` does to an occurrence beside its state. Pure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from alerts.happenings import Event, Verb
from domain.alarms import LATCHED, SILENCING, Alarm, Flag, Seen, State

AUTOMATIC = "hazwatch"
"""Who acknowledges what is for the journal alone."""
SHELVES_KEPT = timedelta(days=1)
"""So long it is remembered that an alarm was shelved (domain.md 5.2 #17)."""
Changes = dict[str, Any]
"""New values of members of an occurrence, by name."""


def _raised(alarm: Alarm, event: Event, at: datetime) -> Changes:
    again = alarm.state is not State.NORM
    return {
        "onset_last": event.onset or alarm.onset,
        "effective": event.effective or alarm.effective,
        "ended": None,
        "acknowledged_by": AUTOMATIC if event.auto_ack and not again else None,
        "acknowledged_at": at if event.auto_ack and not again else None,
        "chatter": alarm.chatter + (alarm.state is State.RTNUN),
        "answered_s": _answered_s(alarm, at),
        "seen": () if alarm.state in LATCHED else alarm.seen,
        "suppressed": event.suppressed or (alarm.suppressed if again else None),
        "out_of_service": event.out_of_service or (alarm.out_of_service if again else None),
    }


def _answered_s(alarm: Alarm, at: datetime) -> float:
    """Seconds for which it was acknowledged, up to now: it waits again from here on, as if it had
    waited all the time but these."""
    if alarm.acknowledged_at is None:
        return alarm.answered_s
    return alarm.answered_s + max(0.0, (at - alarm.acknowledged_at).total_seconds())


def _again(alarm: Alarm, at: datetime) -> Changes:
    """Unacknowledged again, though the condition never went."""
    return {
        "acknowledged_by": None,
        "acknowledged_at": None,
        "answered_s": _answered_s(alarm, at),
    }


def _seen(alarm: Alarm, event: Event, at: datetime) -> Changes:
    assert event.level is not None, "somebody sees for a desk"
    others = [one for one in alarm.seen if one.level != event.level]
    return {"seen": (*others, Seen(event.level, event.by or "", at))}


def _shelved(alarm: Alarm, event: Event, at: datetime) -> Changes:
    recent = tuple(when for when in alarm.shelves if at - when < SHELVES_KEPT)
    return {"shelved": event.flag, "shelves": (*recent, at)}


def _unshelved(alarm: Alarm, event: Event, at: datetime) -> Changes:
    again = _again(alarm, at) if alarm.state is State.ACKED else {}
    return {"shelved": None} | again


def _upgraded(alarm: Alarm, event: Event, at: datetime) -> Changes:
    again = _again(alarm, at) if alarm.state is State.ACKED else {}
    ordinary = {"priority": event.priority or alarm.priority, "latching": event.latching}
    return ordinary | {"eased": None} | again


def _closed(alarm: Alarm, event: Event, at: datetime) -> Changes:
    return {"ended": alarm.ended or event.effective or at, "reason": event.reason}


def _resumed(alarm: Alarm, event: Event, at: datetime) -> Changes:
    assert event.now is not None, "timers go on on some clock"
    changed: Changes = {}
    for name in (*SILENCING, "eased"):
        flag: Flag | None = getattr(alarm, name)
        if flag is not None and flag.timer is not None:
            changed[name] = replace(flag, timer=flag.timer.resumed(event.now))
    if alarm.re_alarm is not None:
        changed["re_alarm"] = alarm.re_alarm.resumed(event.now)
    return changed


CHANGES: dict[Verb, Callable[[Alarm, Event, datetime], Changes]] = {
    Verb.RAISE: _raised,
    Verb.RETURN: lambda alarm, event, at: {"ended": event.effective},
    Verb.WORSEN: lambda alarm, event, at: {} if event.value is None else {"worst": event.value},
    Verb.UPGRADE: _upgraded,
    Verb.ACKNOWLEDGE: lambda alarm, event, at: {
        "acknowledged_by": event.by,
        "acknowledged_at": at,
        "comment": event.comment,
        "re_alarm": event.timer if alarm.state is State.UNACK else None,
    },
    Verb.SEE: _seen,
    Verb.RE_ALARM: lambda alarm, event, at: _again(alarm, at) | {"re_alarms": alarm.re_alarms + 1},
    Verb.RESET: lambda alarm, event, at: {},
    Verb.SHELVE: _shelved,
    Verb.UNSHELVE: _unshelved,
    Verb.HAND_OVER: lambda alarm, event, at: {"shelved": None, "shelves": ()},
    Verb.SUPPRESS: lambda alarm, event, at: {"suppressed": event.flag},
    Verb.UNSUPPRESS: lambda alarm, event, at: {"suppressed": None},
    Verb.REMOVE: lambda alarm, event, at: {"out_of_service": event.flag},
    Verb.PUT_BACK: lambda alarm, event, at: {"out_of_service": None},
    Verb.LOSE: lambda alarm, event, at: {"stale": True},
    Verb.FIND: lambda alarm, event, at: {"stale": False},
    Verb.HOLD: lambda alarm, event, at: {"reason": event.reason},
    Verb.JUDGE: lambda alarm, event, at: {"reason": event.reason},
    Verb.CLOSE: _closed,
    Verb.RESUME: _resumed,
}
