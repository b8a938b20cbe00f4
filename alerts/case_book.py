"""`CaseBook`: the single writer's memory of the warning cases. Pure: sights and actions in,
transitions out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from alerts.cases import Event, Verb, colour_verb, receipt, step
from domain.alarms import ActionDone, OperatorAction
from domain.cases import Case, CaseState, CaseTransition, Level, Sight, case_id
from domain.instant import rfc3339
from domain.risk import Colour

RELEASERS = (Level.PARK, Level.COUNTY)
"""Who may give red free (domain.md 4.6)."""


class CaseBook:
    """The cases of one shard: of each source the newest, and with it the number of the next.

    `see` takes what the risk model says and gives only what changes by it, so a sight may be shown
    any number of times. known: the open cases and the newest closed one of every source.
    """

    def __init__(self, known: Iterable[Case] = ()) -> None:
        self._newest: dict[int, Case] = {}
        self._sources: dict[UUID, int] = {}
        for case in sorted(known, key=lambda case: case.number):
            self._keep(case)

    def open(self) -> list[Case]:
        """Every case that is not closed."""
        return [case for case in self._newest.values() if case.state is not CaseState.CLOSED]

    def get(self, id: UUID) -> Case | None:
        """The case of that id, open or the newest closed one of its source."""
        return self._newest[self._sources[id]] if id in self._sources else None

    def newest(self, source: int) -> Case | None:
        """The newest case of a source, open or closed."""
        return self._newest.get(source)

    def see(
        self, sights: Iterable[Sight], at: datetime, *, again: bool = False
    ) -> list[CaseTransition]:
        """The transitions that these sights make, in order.

        again: stored samples are being judged again after a crash; a sight that is not newer than
        what the book has already seen of its source changes nothing.
        """
        done: list[CaseTransition] = []
        for sight in sights:
            newest = self._newest.get(sight.source)
            if again and newest is not None and sight.effective <= newest.seen:
                continue
            done += self._one(newest, sight, at)
        return done

    def receive(
        self, action: OperatorAction, level: Level, at: datetime
    ) -> tuple[ActionDone, CaseTransition | None]:
        """签收 for a level; a second one of the same level since the last rise is told who was
        first."""
        case = self.get(action.target)
        if case is None:
            return _refused(action, 404, f"no warning {action.target} here", at), None
        return self._act(case, Event(Verb.RECEIVE, level=level), action, at)

    def release(
        self, action: OperatorAction, level: Level, held: str | None, at: datetime
    ) -> tuple[ActionDone, CaseTransition | None]:
        """Give red free, for a park or a county, after a 签收. held: why the risk model says that
        red still holds, None if it does not."""
        case = self.get(action.target)
        if case is None:
            return _refused(action, 404, f"no warning {action.target} here", at), None
        if level not in RELEASERS:
            return _refused(action, 403, "red is released by a park or a county", at), None
        if case.state is CaseState.OPEN:
            return _refused(action, 409, "nobody has signed (签收) since the last rise", at), None
        if case.colour is not Colour.RED:
            return _refused(action, 409, f"the colour is {case.colour.name.lower()}", at), None
        if held is not None and case.released is None:
            return _refused(action, 409, f"red still holds: {held}", at), None
        return self._act(case, Event(Verb.RELEASE), action, at)

    def _act(
        self, case: Case, event: Event, action: OperatorAction, at: datetime
    ) -> tuple[ActionDone, CaseTransition | None]:
        event = replace(event, by=action.by, comment=action.comment)
        after, transition = step(case, event, at)
        if transition is None:
            return ActionDone(action.id, at, {"already": _first(case, event)}), None
        self._keep(after)
        told = {
            "from": transition.source.value,
            "to": transition.target.value,
            "at": rfc3339(at),
            "by": action.by,
        }
        return ActionDone(action.id, at, {"transition": told}), transition

    def _one(self, case: Case | None, sight: Sight, at: datetime) -> list[CaseTransition]:
        if case is None or case.state is CaseState.CLOSED:
            case = _fresh(sight, 1 if case is None else case.number + 1, at)
        done: list[CaseTransition] = []
        for event in _events(case, sight):
            case, transition = step(case, event, at)
            if transition is not None:
                self._keep(case)
                done.append(transition)
        return done

    def _keep(self, case: Case) -> None:
        before = self._newest.get(case.source)
        if before is not None:
            self._sources.pop(before.id, None)
        self._newest[case.source] = case
        self._sources[case.id] = case.source


def _fresh(sight: Sight, number: int, at: datetime) -> Case:
    """A case that never was open, and comes to nothing unless the source has left blue."""
    return Case(
        case_id(sight.source, number),
        sight.source,
        number,
        sight.enterprise,
        CaseState.CLOSED,
        Colour.BLUE,
        Colour.BLUE,
        at,
        sight.effective,
    )


def _events(case: Case, sight: Sight) -> Iterable[Event]:
    # A lost source is lost before its colour moves, and a found one found before it.
    when, alarms = sight.effective, sight.alarms
    verb = colour_verb(case.colour, sight.colour)
    begins = case.n == 0 and verb is not None
    changes = [Event(verb, sight.colour, when, alarms)] if verb is not None else []
    axis = [Event(Verb.LOSE if sight.unknown else Verb.FIND, effective=when)]
    return [
        *(changes + axis if begins else axis + changes),
        Event(Verb.REFER, effective=when, alarms=alarms),
    ]


def _first(case: Case, event: Event) -> dict[str, str | None]:
    """Who did the same before."""
    if event.verb is Verb.RELEASE:
        return {"by": case.released_by, "at": rfc3339(case.released) if case.released else None}
    signed = receipt(case, event.level) if event.level is not None else None
    first = signed or max(case.receipts, key=lambda one: one.n)
    return {"by": first.by, "at": rfc3339(first.at)}


def _refused(action: OperatorAction, status: int, detail: str, at: datetime) -> ActionDone:
    return ActionDone(action.id, at, {"refused": {"status": status, "detail": detail}})
