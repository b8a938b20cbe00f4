"""`DrillBook`: the drills 演练 of one shard. Pure.

A drill is a case of its own with the same loop and ladder, beside whatever the source really is:
no colour, score, or real case knows of it. One at a time for a source, none where a real warning
is open. It ends when its loop is complete, by a person, at its time, or when the source leaves
blue in earnest: people must not have to ask which of two is meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.case_book import CaseBook
from alerts.cases import Event, Verb, step
from domain.alarms import ActionDone, OperatorAction
from domain.cases import (
    Case,
    CaseState,
    CaseTransition,
    ClockReading,
    Drill,
    DrillEnd,
    Level,
    Sight,
)
from domain.elapsed import Timer
from domain.instant import rfc3339
from domain.plant import Registry
from domain.risk import Colour

BEGIN, END = "drill", "end_drill"
"""Verbs of people. The action that begins a drill has the id of the case to come as its target."""
BY_TIMER = "hazwatch"
COLOURS = {colour.name.lower(): colour for colour in (Colour.YELLOW, Colour.ORANGE, Colour.RED)}
ORDERING = (Level.ENTERPRISE, Level.PARK, Level.COUNTY, Level.CITY, Level.PROVINCE)
LONGEST_S = 8 * 3600.0


@dataclass(frozen=True, slots=True)
class DrillPolicy:
    """Who may order and end a drill, an enterprise for its own sources; and its longest time."""

    levels: frozenset[Level] = frozenset(ORDERING)
    longest_s: float = LONGEST_S


class DrillBook(CaseBook):
    """Of each source the newest drill. known: open cases and the newest closed drill of every
    source; real cases among them are passed over."""

    def __init__(self, known: Iterable[Case], policy: DrillPolicy, now: ClockReading) -> None:
        newest: dict[int, Case] = {}
        for case in known:
            drill = case.drill
            if drill is None or abs(case.number) < abs(newest.get(case.source, case).number):
                continue
            again = replace(drill, timer=drill.timer.resumed(now))
            newest[case.source] = replace(case, loop=replace(case.loop, drill=again))
        super().__init__(newest.values())
        self._policy = policy

    def begin(
        self, action: OperatorAction, level: Level, registry: Registry, real: Case | None,
        now: ClockReading,
    ) -> tuple[ActionDone, list[CaseTransition]]:  # fmt: skip
        """Open a drill as an action asks. real: the newest real case of the source.

        detail: `source`, `colour`, and `until` (RFC 3339) or `for_s`.
        """
        source = _number(action.detail.get("source"))
        node = None if source is None else registry.nodes.get(source)
        if node is None or node.kind != "source" or node.enterprise is None:
            return _refused(action, 404, "no hazard source of that id", now.at), []
        before = self.newest(node.id)
        if before is not None and before.id == action.target:
            assert before.drill is not None, "the book has drills alone"
            first = {"by": before.drill.by, "at": rfc3339(before.opened)}
            known: dict[str, object] = {"already": first, "warning": str(before.id)}
            return ActionDone(action.id, now.at, known), []
        colour = COLOURS.get(str(action.detail.get("colour")))
        left = _seconds(action, now.at)
        why = self._against(level, colour, left, before, real)
        if why is not None or colour is None or left is None:
            return _refused(action, *(why or (422, "it says too little")), now.at), []
        until, timer = now.at + timedelta(seconds=left), Timer(left, now)
        drill = Drill(colour, action.by, level, until, timer, _comment(action))
        number = -1 if before is None else before.number - 1
        fresh = _fresh(action, node.id, number, node.enterprise, drill, now.at)
        rise = Event(Verb.RISE, colour, now.at, by=action.by, comment=_comment(action))
        case, change = step(fresh, rise, now.at)
        assert change is not None, "from blue everything is a rise"
        self._keep(case)
        done = _done(action, change, now.at)
        return replace(done, result=done.result | {"warning": str(case.id)}), [change]

    def decide(
        self, action: OperatorAction, level: Level, at: datetime
    ) -> tuple[ActionDone, list[CaseTransition]]:
        """What a person decided about a drill: its end, or a step of its loop."""
        if action.verb == END:
            return self._ended(action, level, at)
        done, change = self.act(action, level, at)
        if change is None:
            return done, []
        case, changes = change.case, [change]
        if case.state is CaseState.SETTLED or (case.released and case.colour is Colour.RED):
            changes += self.see([Sight(case.source, case.enterprise, Colour.BLUE, at)], at)
        return done, [*changes[:-1], self._complete(changes[-1])]

    def due(self, now: ClockReading) -> list[CaseTransition]:
        """End what has come to the end of its time."""
        over = [
            case
            for case in self.open()
            if case.drill is not None and case.drill.timer.remaining_s(now) <= 0
        ]
        return [self._end(case, DrillEnd.TIME, BY_TIMER, None, now.at) for case in over]

    def break_off(self, sources: Iterable[int], at: datetime) -> list[CaseTransition]:
        """End the drills of sources that have left blue in earnest."""
        open_drills = {case.source: case for case in self.open()}
        real = [open_drills[source] for source in dict.fromkeys(sources) if source in open_drills]
        return [
            self._end(case, DrillEnd.REAL, BY_TIMER, "真实预警 a real warning", at) for case in real
        ]

    def expected(self, source: int, at: datetime) -> bool:
        """Whether people may take a real warning of a source for a drill: one goes on, or was
        broken off before its time."""
        newest = self.newest(source)
        drill = None if newest is None else newest.drill
        return drill is not None and drill.end in (None, DrillEnd.REAL) and at < drill.until

    def _against(
        self,
        level: Level,
        colour: Colour | None,
        left: float | None,
        before: Case | None,
        real: Case | None,
    ) -> tuple[int, str] | None:
        if level not in self._policy.levels:
            allowed = ", ".join(one.name.lower() for one in sorted(self._policy.levels))
            return 403, f"drills are ordered by: {allowed or 'nobody'}"
        if colour is None:
            return 422, f"the colour of a drill is one of {', '.join(COLOURS)}"
        longest = self._policy.longest_s
        if left is None or not 0 < left <= longest:
            return 422, f"a drill ends within {longest / 60:g} min: say until, or for_s"
        if before is not None and before.state is not CaseState.CLOSED:
            return 409, f"a drill of this source goes on: {before.id}; end that first"
        if real is not None and real.state is not CaseState.CLOSED:
            return 409, f"the source has a real warning, {real.id}: no drill beside it 真实预警未销"
        return None

    def _complete(self, change: CaseTransition) -> CaseTransition:
        """The transition, with the mark that the whole loop was gone through, where it was."""
        case = change.case
        if case.state is not CaseState.CLOSED or case.drill is None:
            return change
        done = replace(case.drill, end=DrillEnd.DONE)
        case = replace(case, loop=replace(case.loop, drill=done))
        self._keep(case)
        return replace(change, case=case)

    def _ended(
        self, action: OperatorAction, level: Level, at: datetime
    ) -> tuple[ActionDone, list[CaseTransition]]:
        case = self.get(action.target)
        if case is None or case.drill is None:
            return _refused(action, 404, f"no drill {action.target} here", at), []
        if level not in self._policy.levels:
            return _refused(action, 403, "who may not order a drill does not end one", at), []
        if case.state is CaseState.CLOSED:
            return _refused(action, 409, "the drill is over 演练已结束", at), []
        change = self._end(case, DrillEnd.PERSON, action.by, _comment(action), at)
        return _done(action, change, at), [change]

    def _end(
        self, case: Case, how: DrillEnd, by: str, comment: str | None, at: datetime
    ) -> CaseTransition:
        assert case.drill is not None, "asked of drills alone"
        over = replace(
            case,
            state=CaseState.CLOSED,
            colour=Colour.BLUE,
            n=case.n + 1,
            seen=at,
            closed=at,
            loop=replace(case.loop, drill=replace(case.drill, end=how)),
        )
        self._keep(over)
        return CaseTransition(over, case.state, CaseState.CLOSED, END, case.colour, at, by, comment)


def _fresh(
    action: OperatorAction, source: int, number: int, enterprise: int, drill: Drill, at: datetime
) -> Case:
    empty = Case(
        action.target,
        source,
        number,
        enterprise,
        CaseState.CLOSED,
        Colour.BLUE,
        Colour.BLUE,
        at,
        at,
    )
    return replace(empty, loop=replace(empty.loop, drill=drill))


def _seconds(action: OperatorAction, at: datetime) -> float | None:
    """How long it is to last, from now; None where the action does not say. `for_s` counts from the
    order, as people mean it."""
    until, lasting = action.detail.get("until"), action.detail.get("for_s")
    if isinstance(until, str):
        try:
            end = datetime.fromisoformat(until)
        except ValueError:
            return None
        return None if end.tzinfo is None else (end - at).total_seconds()
    if isinstance(lasting, bool) or not isinstance(lasting, int | float):
        return None
    return float(lasting) - max(0.0, (at - action.at).total_seconds())


def _number(said: object) -> int | None:
    text = str(said)
    return int(text) if text.isascii() and text.isdigit() else None


def _comment(action: OperatorAction) -> str | None:
    return (action.comment or "").strip() or None


def _done(action: OperatorAction, change: CaseTransition, at: datetime) -> ActionDone:
    made = {
        "from": change.source.value,
        "to": change.target.value,
        "at": rfc3339(at),
        "by": action.by,
    }
    return ActionDone(action.id, at, {"transition": made})


def _refused(action: OperatorAction, status: int, detail: str, at: datetime) -> ActionDone:
    return ActionDone(action.id, at, {"refused": {"status": status, "detail": detail}})
