"""`CaseBook`: the single writer's memory of the warning cases. Pure: sights and actions in,
transitions out."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from alerts.case_actions import already, asked
from alerts.case_refusals import refused
from alerts.cases import Event, Verb, colour_verb, step
from domain.alarms import ActionDone, OperatorAction
from domain.cases import Case, CaseState, CaseTransition, Level, Sight, case_id
from domain.instant import rfc3339
from domain.risk import Colour

SECOND = "another person has to close it, too, with the same kind"
"""What is told to the first of two persons."""


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

    def act(
        self, action: OperatorAction, level: Level, at: datetime, held: str | None = None
    ) -> tuple[ActionDone, CaseTransition | None]:
        """What a person decided, for a level: 签收, 核实, 处置, 反馈, 审核, 销警, the
        release of red.

        Who comes second is told who was first; what can't be done now, what to do instead. held:
        why the risk model says that red still holds, None if it does not.
        """
        case = self.get(action.target)
        if case is None:
            return _refused(action, 404, f"no warning {action.target} here", at), None
        event = asked(case, action, level)
        if event is None:
            return _refused(action, 409, f"nobody here knows how to {action.verb}", at), None
        why = refused(case, event, held)
        if why is not None:
            return _refused(action, *why, at), None
        after, transition = step(case, event, at)
        if transition is None:
            return ActionDone(action.id, at, {"already": already(case, event)}), None
        self._keep(after)
        return ActionDone(action.id, at, _told(transition, action, at)), transition

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
    gas = sight.gas_l2
    changes = [Event(verb, sight.colour, when, alarms, gas_l2=gas)] if verb is not None else []
    axis = [Event(Verb.LOSE if sight.unknown else Verb.FIND, effective=when)]
    return [
        *(changes + axis if begins else axis + changes),
        Event(Verb.RISE, sight.colour, when, sight.p1, gas_l2=gas),
        Event(Verb.REFER, effective=when, alarms=alarms, gas_l2=gas),
    ]


def _told(change: CaseTransition, action: OperatorAction, at: datetime) -> dict[str, object]:
    made = {
        "from": change.source.value,
        "to": change.target.value,
        "at": rfc3339(at),
        "by": action.by,
    }
    note = {"note": SECOND} if change.event == Verb.PROPOSE else {}
    return {"transition": made, **note}


def _refused(action: OperatorAction, status: int, detail: str, at: datetime) -> ActionDone:
    return ActionDone(action.id, at, {"refused": {"status": status, "detail": detail}})
