"""`Handling`: what people decide about occurrences, and what timers and ended permits do to them.
Pure.

Timers run on elapsed time (`domain.elapsed`), so that no step of the wall clock ends a shelf early
or keeps it; after a start `resume` moves them onto the clock of this machine's run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerts.book import AlarmBook
from alerts.by_design import ByDesign, flag_of
from alerts.due import due, timers
from alerts.guards import Refusal, may_remove, may_shelve, stays_loud
from alerts.lifecycle import Event, Verb, row_of
from alerts.occurrences import ordinary
from domain import policy
from domain.alarms import ActionDone, Alarm, Flag, OperatorAction, State, Transition
from domain.cases import Level
from domain.elapsed import ClockReading, Timer
from domain.inputs import Input
from domain.instant import rfc3339
from domain.plant import Tag
from domain.risk import Colour

SEEN_TOO_LATE = "it is closed 已关闭: 已阅 seen marks what is open, the journal keeps the rest"
BY_TIMER = "hazwatch"
"""Who did what no person did."""
Outcome = tuple[ActionDone, list[Transition]]


@dataclass(frozen=True, slots=True)
class Around:
    """What a decision or a timer meets. design: what permits and modes say now; colour: of the open
    warning of a node's source, None = there is none."""

    now: ClockReading
    design: ByDesign
    colour: Callable[[int], Colour | None] = lambda _: None


class Handling:
    """Decisions and timers on one book."""

    def __init__(self, book: AlarmBook) -> None:
        self._book = book
        self._verbs: dict[str, Callable[[Alarm, OperatorAction, Around], Outcome]] = {
            "acknowledge": self._acknowledge,
            "see": self._see,
            "reset": self._reset,
            "shelve": self._shelve,
            "unshelve": self._unshelve,
            "remove_from_service": self._remove,
            "return_to_service": self._put_back,
        }

    @property
    def verbs(self) -> frozenset[str]:
        """What people can do with an occurrence."""
        return frozenset(self._verbs)

    def act(self, action: OperatorAction, around: Around) -> Outcome:
        """Apply a decision. What was done before is told (`already`), what may not be is refused
        with what to do instead."""
        alarm = self._book.find(action.target)
        if alarm is None:
            detail = f"no open alarm {action.target} here; it may have been closed long ago"
            return _refused(action, Refusal(404, detail), around), []
        return self._verbs[action.verb](alarm, action, around)

    def resume(self, now: ClockReading) -> list[Transition]:
        """After a start: go on with every timer where it was. Changes what counts on the clock of
        another run of a machine."""
        event = Event(Verb.RESUME, by=BY_TIMER, now=now)
        found = [
            self._book.change(alarm, event, now.at)
            for alarm in self._book.timed()
            if any(timer.mark.boot != now.boot for timer in timers(alarm))
        ]
        return [transition for transition in found if transition is not None]

    def fire(self, around: Around) -> list[Transition]:
        """What timers, permits and modes that have ended, and orange and red warnings do by now."""
        now = around.now
        found: list[Transition | None] = []
        for alarm in self._book.timed():
            for verb in due(alarm, now, around.design.rules(alarm)):
                current = self._book.find(alarm.id) or alarm
                is_now = ordinary(current, self._tag(current))
                event = Event(verb, by=BY_TIMER, priority=is_now.priority, latching=is_now.latching)
                found.append(self._book.change(current, event, now.at))
            found += self._called_back(alarm, around)
        return [transition for transition in found if transition is not None]

    def _called_back(self, alarm: Alarm, around: Around) -> list[Transition | None]:
        """No shelf of a grave alarm outlasts the rise of its source to orange."""
        current, colour = self._book.find(alarm.id) or alarm, self._colour(alarm, around)
        if current.shelved is None or not stays_loud(self._book.registry, alarm, colour):
            return []
        assert colour is not None, "blue holds no alarm"
        comment = f"预警{colour.chinese}色 {colour.name.lower()} warning"
        event = Event(Verb.UNSHELVE, by=BY_TIMER, comment=comment)
        return [self._book.change(current, event, around.now.at)]

    def answered(
        self, alarm: Alarm, by: str, comment: str | None, now: ClockReading
    ) -> Transition | None:
        """Acknowledge it in the name of somebody who told it otherwise than by an action; None
        where there is nothing to acknowledge."""
        return self._book.change(alarm, self._acknowledging(alarm, by, comment, now), now.at)

    def _acknowledging(
        self, alarm: Alarm, by: str, comment: str | None, now: ClockReading
    ) -> Event:
        wait = policy.of(self._tag(alarm), alarm.kind).re_alarm_s
        timer = None if wait is None else Timer(wait, now)
        return Event(Verb.ACKNOWLEDGE, by=by, comment=comment, timer=timer)

    def _acknowledge(self, alarm: Alarm, action: OperatorAction, around: Around) -> Outcome:
        event = self._acknowledging(alarm, action.by, action.comment, around.now)
        return self._done([alarm], event, action, around)

    def _see(self, alarm: Alarm, action: OperatorAction, around: Around) -> Outcome:
        if alarm.state is State.NORM:
            return _refused(action, Refusal(409, SEEN_TOO_LATE), around), []
        level = None if action.level is None else Level(action.level).name.lower()
        if level not in policy.who_may_see():
            detail = "已阅 seen is for the desks above the enterprise; yours acknowledges 确认"
            return _refused(action, Refusal(403, detail), around), []
        before = next((one for one in alarm.seen if one.level == level), None)
        if before is not None and before.by == action.by:
            already = {"by": before.by, "at": rfc3339(before.at)}
            return ActionDone(action.id, around.now.at, {"already": already}), []
        event = Event(Verb.SEE, by=action.by, comment=action.comment, level=level)
        return self._done([alarm], event, action, around)

    def _reset(self, alarm: Alarm, action: OperatorAction, around: Around) -> Outcome:
        event = Event(Verb.RESET, by=action.by, comment=action.comment)
        row = row_of(alarm, event)
        if row is not None and row.target is None:
            return _refused(action, Refusal(409, f"{row.says} 请先确认"), around), []
        if row is None and alarm.state is not State.NORM:
            detail = "nothing to reset: its condition holds, or it does not latch"
            return _refused(action, Refusal(409, detail), around), []
        return self._done([alarm], event, action, around)

    def _shelve(self, alarm: Alarm, action: OperatorAction, around: Around) -> Outcome:
        at, until = around.now.at, _instant(action.detail.get("until"))
        colour = self._colour(alarm, around)
        if alarm.state is State.NORM:
            refused: Refusal | None = Refusal(409, "it is closed: shelve its next occurrence")
        else:
            refused = may_shelve(self._book.registry, alarm, action, until, colour, at)
        if refused is not None or until is None:
            assert refused is not None, "a shelf without end is refused"
            return _refused(action, refused, around), []
        timer = Timer((until - at).total_seconds(), around.now)
        second = action.detail.get("second")
        flag = Flag(at, until, action.by, action.comment or "", _text(second), timer=timer)
        event = Event(Verb.SHELVE, by=action.by, comment=action.comment, flag=flag)
        same = [one for one in self._book.of_subject(alarm) if one.state is not State.NORM]
        return self._done(_first(alarm, same), event, action, around)

    def _unshelve(self, alarm: Alarm, action: OperatorAction, around: Around) -> Outcome:
        event = Event(Verb.UNSHELVE, by=action.by, comment=action.comment)
        return self._done(_first(alarm, self._book.of_subject(alarm)), event, action, around)

    def _remove(self, alarm: Alarm, action: OperatorAction, around: Around) -> Outcome:
        permit = self._permit(alarm, action, around)
        permits = around.design.permits
        refused = may_remove(self._book.registry, alarm, action, permit, permits, around.now.at)
        if alarm.state is State.NORM:
            refused = Refusal(409, "it is closed: its next occurrence begins under the permit")
        if refused is not None or permit is None:
            assert refused is not None, "without a permit it is refused"
            return _refused(action, refused, around), []
        second = permit.second or _text(action.detail.get("second"))
        flag = replace(flag_of(permit, around.now), second=second)
        event = Event(Verb.REMOVE, by=action.by, comment=action.comment, flag=flag)
        return self._done([alarm], event, action, around)

    def _put_back(self, alarm: Alarm, action: OperatorAction, around: Around) -> Outcome:
        event = Event(Verb.PUT_BACK, by=action.by, comment=action.comment)
        return self._done([alarm], event, action, around)

    def _done(
        self, alarms: Iterable[Alarm], event: Event, action: OperatorAction, around: Around
    ) -> Outcome:
        """Apply `event` to the first, of which the answer speaks, and to the others."""
        made = [(alarm, self._book.change(alarm, event, around.now.at)) for alarm in alarms]
        changes = [change for _, change in made if change is not None]
        result: dict[str, object] = {"already": _already(made[0][0], event.verb)}
        if changes:
            told = changes[0]
            result = {
                "transition": {
                    "from": told.source.value,
                    "to": told.target.value,
                    "at": rfc3339(around.now.at),
                    "by": action.by,
                }
            }
        return ActionDone(action.id, around.now.at, result), changes

    def _colour(self, alarm: Alarm, around: Around) -> Colour | None:
        tag = self._tag(alarm)
        return around.colour(alarm.node if tag is None else tag.source)

    def _tag(self, alarm: Alarm) -> Tag | None:
        return None if alarm.tag is None else self._book.registry.tags.get(alarm.tag)

    def _permit(self, alarm: Alarm, action: OperatorAction, around: Around) -> Input | None:
        named = action.detail.get("permit")
        if named is None:
            return around.design.permit(alarm)
        wanted = str(named)
        return next((one for one in around.design.permits if str(one.id) == wanted), None)


def _already(alarm: Alarm, verb: Verb) -> dict[str, Any]:
    """Who did the same before; nobody where there was nothing to do."""
    by, at = alarm.acknowledged_by, alarm.acknowledged_at
    if verb is not Verb.ACKNOWLEDGE:
        by, at = None, alarm.closed if verb is Verb.RESET else None
    return {"by": by, "at": rfc3339(at) if at else None}


def _first(alarm: Alarm, same: Iterable[Alarm]) -> list[Alarm]:
    return [alarm, *(one for one in same if one.id != alarm.id)]


def _refused(action: OperatorAction, why: Refusal, around: Around) -> ActionDone:
    refused: dict[str, object] = {"refused": {"status": why.status, "detail": why.detail}}
    return ActionDone(action.id, around.now.at, refused)


def _instant(said: object) -> datetime | None:
    if not isinstance(said, str):
        return None
    try:
        when = datetime.fromisoformat(said)
    except ValueError:
        return None
    return when if when.tzinfo is not None else None


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and said else None
