"""`Parents`: suppression by design 设计抑制 through rules of the site file (domain.md 5.2, 5.4).
Pure.

An alarm that begins while an alarm of its parent holds, or within `hold_s` of the parent's return,
begins suppressed; what began before stays as it was. The flag goes `hold_s` after the parent has
returned, or after the policy's `suppression.longest`, and what still holds then is loud. A parent
silences only while it can be heard itself: not from a shelf, out of service, or suppressed by a
permit or a mode. Gas, fire and P1 never.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from alerts.book import AlarmBook
from domain import policy
from domain.alarms import Alarm, Flag, Kind, Priority, State
from domain.elapsed import ClockReading, Timer, passed_s
from domain.plant import Registry, Suppression, Tag

PREFIX = "rule:"
BY = "hazwatch"
"""Who sets a flag that no person sets."""
ACTIVE = (State.UNACK, State.ACKED)


class Parents:
    """The rules of one reading of the registry, over the alarms of a book.

    What it remembers is since when a parent has been silent; after a start that is when its alarm
    ended, as the book has it.
    """

    def __init__(self, registry: Registry, book: AlarmBook) -> None:
        self._book = book
        self._silent: dict[str, ClockReading] = {}
        self._started = False
        self.update_registry(registry)

    def __bool__(self) -> bool:
        """Whether there are rules."""
        return bool(self._rules)

    def update_registry(self, registry: Registry) -> None:
        """Use the rules of another reading of the registry."""
        self._tags = registry.tags
        ruled = [tag for tag in registry.tags.values() if tag.suppressed_by]
        parents = {(tag.enterprise, one.parent) for tag in ruled for one in tag.suppressed_by}
        named = {
            (tag.enterprise, tag.name): tag
            for tag in registry.tags.values()
            if (tag.enterprise, tag.name) in parents
        }
        self._rules: dict[str, tuple[Tag, Suppression]] = {
            rule_id(tag, one): (named[tag.enterprise, one.parent], one)
            for tag in ruled
            for one in tag.suppressed_by
            if (tag.enterprise, one.parent) in named
        }

    def flag(self, alarm: Alarm, now: ClockReading) -> Flag | None:
        """The flag with which an occurrence begins, None: it is loud."""
        tag = None if alarm.tag is None else self._tags.get(alarm.tag)
        if tag is None or tag.kind in policy.GAS_AND_FIRE or alarm.priority is Priority.P1:
            return None
        for one in tag.suppressed_by:
            id = rule_id(tag, one)
            if alarm.kind not in one.kinds or id not in self._rules:
                continue
            parent = self._rules[id][0]
            cause = self._cause(parent, one, alarm)
            if cause is not None:
                self._silent.pop(id, None)
                why = f"{one.name}: {cause.text}"
                longest = policy.number("suppression", "longest")
                end = now.at + timedelta(seconds=longest)
                return Flag(now.at, end, BY, why, None, id, Timer(longest, now))
        return None

    def in_force(self, flagged: Iterable[Alarm], now: ClockReading) -> frozenset[str]:
        """The rules on which the flags of these occurrences still rest."""
        asked = {
            one.suppressed.rule
            for one in flagged
            if one.suppressed is not None and one.suppressed.rule.startswith(PREFIX)
        }
        self._silent = {id: since for id, since in self._silent.items() if id in asked}
        if not self._started:
            self._started = True
            self._silent = {id: self._silence(id, now) for id in asked if id in self._rules}
        return frozenset(id for id in asked if self._holds(id, now))

    def _silence(self, id: str, now: ClockReading) -> ClockReading:
        """Since when a parent that returned in an earlier run is silent."""
        ends = [one.ended for one in self._returned(*self._rules[id]) if one.ended is not None]
        ended = min(max(ends, default=now.at), now.at)
        return replace(now, at=ended, elapsed=now.elapsed - (now.at - ended).total_seconds())

    def _holds(self, id: str, now: ClockReading) -> bool:
        if id not in self._rules:
            return False
        parent, rule = self._rules[id]
        if any(_is_heard(one) for one in self._active(parent, rule)):
            self._silent.pop(id, None)
            return True
        if any(True for _ in self._active(parent, rule)):
            return False
        return passed_s(self._silent.setdefault(id, now), now) < rule.hold_s

    def _cause(self, parent: Tag, rule: Suppression, alarm: Alarm) -> Alarm | None:
        """The parent's alarm that silences it: one that holds, or returned not long before."""
        for one in self._active(parent, rule):
            return one if _is_heard(one) else None
        hold = timedelta(seconds=rule.hold_s)
        for one in self._returned(parent, rule):
            if one.ended is not None and alarm.effective < one.ended + hold and _is_heard(one):
                return one
        return None

    def _active(self, parent: Tag, rule: Suppression) -> Iterator[Alarm]:
        """What holds of the parent, what can be heard first."""
        found = [one for one in self._open(parent, rule) if one.state in ACTIVE]
        yield from sorted(found, key=lambda one: not _is_heard(one))

    def _open(self, parent: Tag, rule: Suppression) -> Iterator[Alarm]:
        for kind in _kinds(rule):
            yield from self._book.open_of(kind, parent.id)

    def _returned(self, parent: Tag, rule: Suppression) -> Iterator[Alarm]:
        """What has returned of the parent: what is open still, and what was closed last."""
        closed = (self._book.closed_last(kind, parent.id) for kind in _kinds(rule))
        both = (*self._open(parent, rule), *closed)
        yield from (one for one in both if one is not None and one.ended is not None)


def _kinds(rule: Suppression) -> tuple[Kind, ...]:
    return rule.parent_kinds or policy.LIMITS


def rule_id(tag: Tag, rule: Suppression) -> str:
    """What a flag rests on: the rule's name, which is unique within the enterprise."""
    return f"{PREFIX}{tag.enterprise}/{rule.name}"


def _is_heard(alarm: Alarm) -> bool:
    """Whether people hear of it, itself or what silences it by a rule in turn."""
    if alarm.shelved is not None or alarm.out_of_service is not None:
        return False
    return alarm.suppressed is None or alarm.suppressed.rule.startswith(PREFIX)
