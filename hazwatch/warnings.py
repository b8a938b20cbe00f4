"""`Warnings`: alarms and data health → risk → warning cases → ladder, and what has to be kept and
told of each step.

The only writer of colours, cases and rungs; it belongs to the pump and awaits nothing. Everything
that one call finds goes into one journal entry, so after a crash there is never a case without its
ladder, nor a rung that was told without its notice.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from uuid import UUID

import structlog

from alerts.ack_overdue import overdue_notices
from alerts.case_book import CaseBook
from alerts.case_endings import ending_notices, ending_quiet, ending_wanted, is_ending
from alerts.case_events import escalated_event, risk_event, warning_event
from alerts.case_notices import Behind, notices, permit_notices
from alerts.case_rises import is_rise, rise_notices, rise_wanted
from alerts.case_verified import is_verified, verified_notices, verified_wanted
from alerts.cases import ANSWERED, Verb
from alerts.drill_book import BEGIN, END, DrillBook, DrillPolicy
from alerts.escalation import Escalation, still_wanted
from alerts.gravest import behind
from alerts.layout import Layout
from alerts.outgoing import PERMIT_HOLDER
from alerts.people import Contacts
from alerts.sending import Sending, rise_sending, sending, verified_sending
from domain.alarms import ActionDone, Alarm, Notice, OperatorAction, OutboxEvent, Priority
from domain.cases import (
    Case,
    CaseTransition,
    ClockReading,
    EscalationStep,
    Level,
    Outcome,
    Sight,
)
from domain.escalation import Ladder
from domain.inputs import Input
from domain.ladders import Ladders, placed
from domain.plant import Registry
from domain.risk import Colour, RiskModel, SourceRisk
from domain.signals import Signals
from hazwatch.colouring import Colouring
from hazwatch.metrics import WarningMetrics
from rules.risk import ColourChange

log = structlog.get_logger(__name__)

ANYBODY = DrillPolicy()
"""Drills where an installation says nothing."""
LOOK_EVERY_S = 1.0
"""Risk ages with time alone, so it is assessed at least so often."""
MOVED_AT_ONCE = 250
"""So many timers taken over from another machine's run are written down in one step."""
SHARE = 10
"""After a look that took long, so many times as long passes before the next."""
SPARED = 3
"""Alarms go first: after a look so many times as long as it took is theirs, whatever changed …"""
LOOK_AT_LEAST_S = 10.0
"""… but no longer than this."""


@dataclass(slots=True)
class Told:
    """What has to be kept, and told, of one step."""

    cases: list[CaseTransition] = field(default_factory=list)
    steps: list[EscalationStep] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    events: list[OutboxEvent] = field(default_factory=list)
    risks: list[SourceRisk] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.cases, self.steps, self.notices, self.events, self.risks))

    def __add__(self, later: "Told") -> "Told":
        return Told(
            self.cases + later.cases,
            self.steps + later.steps,
            self.notices + later.notices,
            self.events + later.events,
            self.risks + later.risks,
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What people decided beforehand: the risk model, the ladder, and who can be reached where.

    drills: who may order a drill 演练. endings: falls and closings are told to those told before.
    """

    model: RiskModel
    ladder: Ladder | Ladders
    contacts: Callable[[Registry], Contacts]
    drills: DrillPolicy = ANYBODY
    endings: bool = True


@dataclass(frozen=True, slots=True)
class Memory:
    """What an earlier run left. alarms: those closed of late among them; steps: of open cases;
    inputs: what people have said."""

    cases: Sequence[Case] = ()
    steps: Sequence[EscalationStep] = ()
    alarms: Sequence[Alarm] = ()
    inputs: Sequence[Input] = ()


class Warnings:
    """Colours, cases and ladders of one shard. reading: what this worker's clock says."""

    def __init__(
        self,
        registry: Registry,
        rules: Rules,
        memory: Memory,
        reading: Callable[[], ClockReading],
        metrics: WarningMetrics,
    ) -> None:
        self._registry = registry
        self._rules = rules
        self._contacts = rules.contacts(registry)
        self._reading = reading
        self._metrics = metrics
        self._cases = CaseBook([case for case in memory.cases if case.drill is None])
        self._drills = DrillBook(memory.cases, rules.drills, reading())
        open_cases = self._cases.open()
        shown = {case.source: (case.colour, case.unknown) for case in open_cases}
        self._colours = Colouring(registry, rules.model, shown, memory.alarms, reading())
        self._colours.heard(memory.inputs)
        known = [*open_cases, *self._drills.open()]
        self._ladders = placed(rules.ladder, registry)
        self._escalation = Escalation(self._ladders, reading(), known, memory.steps)
        self._signals = Signals.none()
        self._moved = deque(self._escalation.moved)
        self._seen: dict[UUID, tuple[object, ...]] = {}
        self._turned: dict[int, Colour] = {}
        self._looked, self._took = -LOOK_EVERY_S, 0.0
        self._near_gas: set[str] | None = None
        metrics.open(case.colour.name.lower() for case in open_cases)

    def update_registry(self, registry: Registry) -> None:
        """Use another reading of the registry from the next look on."""
        self._registry = registry
        self._colours.update_registry(registry)
        self._contacts = self._rules.contacts(registry)
        self._ladders = placed(self._rules.ladder, registry, self._ladders)
        self._escalation.use(self._ladders)
        self._looked = -LOOK_EVERY_S

    @property
    def layout(self) -> Layout:
        """What the registry in use says."""
        return self._colours.layout

    def colour(self, node: int) -> Colour | None:
        """The colour of the open case of a node's source; None where there is none."""
        case = self._cases.newest(self.layout.home.get(node, node))
        return None if case is None or case.closed is not None else case.colour

    def saw(self, changed: Iterable[Alarm]) -> None:
        """These occurrences changed; the next look takes them in."""
        self._colours.saw(changed)

    def heard(self, inputs: Sequence[Input]) -> None:
        """These are all management inputs now; the next look, at once, takes them in."""
        self._colours.heard(inputs)
        self._looked = -LOOK_EVERY_S

    def due(self) -> bool:
        """Whether it is time to look: something changed, or a second has passed."""
        since = self._reading().elapsed - self._looked
        if since < min(SPARED * self._took, LOOK_AT_LEAST_S):
            return False
        return since >= LOOK_EVERY_S or (self._colours.behindhand and since >= SHARE * self._took)

    def tick(self, at: datetime) -> Told:
        """Tell the rungs whose time has come."""
        told, now = Told(steps=self._resumed()), self._reading()
        self._follow(self._drills.due(now), told)
        for step in self._escalation.fire(now):
            self._rung(step, told)
        self._count(told)
        return told

    def look(self, alarms: Iterable[Alarm], at: datetime, signals: Signals | None = None) -> Told:
        """Assess every source from its open occurrences, and follow what changed. signals: those of
        this moment; None = as at the last look."""
        self._signals = signals or self._signals
        began = perf_counter()
        told = Told(steps=self._resumed())
        changes = self._colours.assess(alarms, self._reading(), self._signals)
        seen = self._cases.see(self._sights(changes, at), at)
        self._follow(seen, told)
        left_blue = [one.case.source for one in seen if one.event == Verb.RISE]
        self._follow(self._drills.break_off(left_blue, at), told)
        self._stop_hot_work(at, told)
        self._risks({change.source: change.before for change in reversed(changes)}, at, told)
        self._count(told)
        self._took, self._looked = perf_counter() - began, self._reading().elapsed
        self._metrics.look_seconds.observe(self._took)
        return told

    def act(
        self, action: OperatorAction, alarms: Iterable[Alarm], at: datetime
    ) -> tuple[ActionDone, Told]:
        """What a person decided about a case: 签收, a step of the loop, 核实 or release of red."""
        if action.level is None:
            return _refused(action, 403, "no level of the ladder is spoken for", at), Told()
        level, told = Level(action.level), Told()
        if action.verb in (BEGIN, END) or self._drills.get(action.target) is not None:
            return self._drill(action, level, at)
        if action.verb == "release":
            told = self.look(alarms, at)
            done, change = self._release(action, level, at)
        else:
            done, change = self._cases.act(action, level, at)
        after = Told()
        if change is not None:
            self._follow([change], after)
            self._follow(self._cases.see(self._current([change.case.source], at), at), after)
            self._count(after)
        return done, told + after

    def wanted(self, notice: Notice) -> bool:
        """Whether a notice still has to go out: that of a rung may have become needless."""
        if notice.body.get("role") == PERMIT_HOLDER:
            return self._near_gas is None or notice.body.get("permit") in self._near_gas
        if is_rise(notice):
            return rise_wanted(notice, self._case(notice.occurrence))
        if is_verified(notice):
            return verified_wanted(notice, self._case(notice.occurrence))
        if notice.step is None:
            return ending_wanted(notice, self._case(notice.occurrence))
        case, step = self._rung_of(notice)
        return case is not None and step is not None and still_wanted(step, case)

    def sending(self, notice: Notice, at: datetime) -> Sending:
        """What is to be done with a notice that is wanted, by who holds its role at `at`."""
        case, step = self._rung_of(notice)
        if case is None or (step is None and not (is_rise(notice) or is_verified(notice))):
            return Sending(notice, ending_quiet(self._contacts, notice, at))
        known = self._ladders.of(case.source), self._registry, self._contacts, case
        around = self._behind(case, at)
        if step is None:
            anew = rise_sending if is_rise(notice) else verified_sending
            return anew(*known, self._escalation.steps(case.id), notice, at, around)
        return sending(*known, step, notice, at, around)

    def unacknowledged(
        self, alarm: Alarm, since: datetime, body: dict[str, object], at: datetime
    ) -> list[Notice]:
        """Whom the enterprise tells of an alarm that its console leaves, by the source's ladder.
        since, body: see `alerts.ack_overdue`."""
        ladder = self._ladders.of(self.layout.home.get(alarm.node, alarm.node))
        return overdue_notices(ladder, self._registry, self._contacts, alarm, since, body, at)

    def use_contacts(self) -> None:
        """Ask the rules for their contacts anew: they have changed."""
        self._contacts = self._rules.contacts(self._registry)

    def _rung_of(self, notice: Notice) -> tuple[Case | None, EscalationStep | None]:
        steps = self._escalation.steps(notice.occurrence)
        step = next((one for one in steps if one.no == notice.step), None)
        return self._case(notice.occurrence), step

    def _case(self, id: UUID) -> Case | None:
        return self._drills.get(id) or self._cases.get(id)

    def _behind(self, case: Case, at: datetime) -> Behind:
        """What a notice of a case says of its alarms; a drill has none."""
        if case.drill is not None:
            return Behind()
        drilled = self._drills.expected(case.source, at)
        return behind(self._registry, self._colours.open_among(case.alarms), drilled=drilled)

    def _drill(self, action: OperatorAction, level: Level, at: datetime) -> tuple[ActionDone, Told]:
        """What a person decided about a drill."""
        if action.verb == BEGIN:
            real = self._cases.newest(_source_of(action))
            known = self._registry, real, self._reading()
            done, changes = self._drills.begin(action, level, *known)
        else:
            done, changes = self._drills.decide(action, level, at)
        told = Told()
        self._follow(changes, told)
        self._count(told)
        return done, told

    def _sights(self, changes: Sequence[ColourChange], at: datetime) -> list[Sight]:
        """What changed, in order; then what else belongs to open cases."""
        moved = [self._sight(one.source, one.after, one.unknown, one.at) for one in changes]
        return moved + self._current(self._unseen(), at)

    def _unseen(self) -> list[int]:
        """Sources of open cases that do not stand as the book was last shown them."""
        seen: dict[UUID, tuple[object, ...]] = {}
        unseen: list[int] = []
        for case in self._cases.open():
            seen[case.id] = (case.n, *self._colours.stands(case.source))
            if self._seen.get(case.id) != seen[case.id]:
                unseen.append(case.source)
        self._seen = seen
        return unseen

    def _resumed(self) -> list[EscalationStep]:
        """Rungs whose timers came from another run, some at a time: alarms are kept in between."""
        return [self._moved.popleft() for _ in range(min(MOVED_AT_ONCE, len(self._moved)))]

    def _current(self, sources: Iterable[int], at: datetime) -> list[Sight]:
        """Sights of these sources as they are now; one that left the site is at blue."""
        return [self._sight(source, *self._colours.of(source), at) for source in sources]

    def _sight(self, source: int, colour: Colour, unknown: bool, at: datetime) -> Sight:
        newest = self._cases.newest(source)
        node = self._registry.nodes.get(source)
        owner = node.enterprise if node is not None else newest.enterprise if newest else None
        behind, gas = self._colours.behind(source), self._colours.gas_l2(source)
        asked = newest is not None and newest.state in ANSWERED
        open_ = self._colours.open_among(behind) if asked else []
        p1 = tuple(one.id for one in open_ if one.priority is Priority.P1)
        return Sight(source, owner or 0, colour, at, unknown, behind, gas, p1)

    def _release(
        self, action: OperatorAction, level: Level, at: datetime
    ) -> tuple[ActionDone, CaseTransition | None]:
        case = self._cases.get(action.target)
        held = None if case is None else self._colours.held(case.source)
        done, transition = self._cases.act(action, level, at, held)
        if transition is not None:
            self._colours.release(transition.case.source)
        return done, transition

    def _follow(self, changes: Iterable[CaseTransition], told: Told) -> None:
        now = self._reading()
        for change in changes:
            earlier = self._escalation.steps(change.case.id)
            ladder = {step.no: step for step in earlier}
            before = len(told.notices)
            moved = self._escalation.follow(change, now)
            for step in moved:
                sent = self._send(change.case, step, told)
                ladder[step.no] = sent
                told.steps.append(sent)
            told.notices += self._to_those_told(change, earlier, told.notices[before:])
            told.cases.append(self._scored(change))
            rungs = [ladder[no] for no in sorted(ladder)]
            told.events.append(warning_event(self._ladders.of(change.case.source), change, rungs))

    def _to_those_told(
        self, change: CaseTransition, earlier: Sequence[EscalationStep], at_once: Sequence[Notice]
    ) -> list[Notice]:
        """What those hear of a rise, a fall, a 核实 or the end who were told before, beside its
        rungs."""
        ends = self._rules.endings and is_ending(change)
        if not earlier or not (ends or change.event in (Verb.RISE, Verb.VERIFY)):
            return []
        ladder = self._ladders.of(change.case.source)
        known = ladder, self._registry, self._contacts
        around = self._behind(change.case, change.at)
        if change.event == Verb.VERIFY:
            return verified_notices(*known, change.case, earlier, change.at, around)
        if ends:
            return ending_notices(*known, change, earlier, around)
        return rise_notices(*known, change, earlier, at_once, around)

    def _scored(self, change: CaseTransition) -> CaseTransition:
        """The transition as the journal keeps it: with the score behind it."""
        if change.case.drill is not None:
            return change
        score, model = self._colours.score(change.case.source)
        return replace(change, case=replace(change.case, score=score, model=model))

    def _rung(self, step: EscalationStep, told: Told) -> None:
        case = self._case(step.case)
        assert case is not None, "rungs of closed cases are forgotten"
        sent = self._send(case, step, told)
        told.steps.append(sent)
        if sent.outcome is Outcome.TOLD:
            steps = self._escalation.steps(case.id)
            told.events.append(escalated_event(self._ladders.of(case.source), case, sent, steps))

    def _send(self, case: Case, step: EscalationStep, told: Told) -> EscalationStep:
        """Address the notices of a rung that is told now; the rung as it is then."""
        if step.outcome is not Outcome.TOLD:
            return step
        known = self._ladders.of(case.source), self._registry, self._contacts
        at = step.done or step.due
        made = notices(*known, case, step, behind=self._behind(case, at))
        self._escalation.mark(made[0])
        told.notices += made[1]
        return made[0]

    def _risks(self, before: Mapping[int, Colour], at: datetime, told: Told) -> None:
        self._turned = {**before, **self._turned}
        for risk, loud in self._colours.news(at):
            told.risks.append(risk)
            earlier = self._turned.pop(risk.source, None)
            if loud or earlier is not None:
                told.events.append(risk_event(risk, risk.colour if earlier is None else earlier))

    def _stop_hot_work(self, at: datetime, told: Told) -> None:
        """Tell those who work under a permit near gas, once for as long as that lasts."""
        near, known = set[str](), self._near_gas or ()
        for source, work in self._colours.hot_work():
            case = self._cases.newest(source)
            if case is None or case.closed is not None:
                continue
            near.add(str(work.permit.id))
            if str(work.permit.id) not in known:
                ladder = self._ladders.of(source)
                told.notices += permit_notices(
                    ladder, self._registry, self._contacts, case, work, at
                )
        self._near_gas = near

    def _count(self, told: Told) -> None:
        for change in told.cases:
            if change.case.drill is None:
                self._metrics.transitions.labels(change.event).inc()
            log.info(
                "warning",
                action=change.event,
                case=str(change.case.id),
                source=change.case.source,
                colour=change.case.colour.name.lower(),
                state=change.target.value,
                by=change.by,
                drill=change.case.drill is not None,
            )
        for step in told.steps:
            if self._drills.get(step.case) is not None:
                continue
            self._metrics.rungs.labels(step.outcome.value).inc()
        if told.cases:
            self._metrics.open(case.colour.name.lower() for case in self._cases.open())


def _source_of(action: OperatorAction) -> int:
    """The source that an action names; one that nobody has where it names none."""
    said = str(action.detail.get("source"))
    return int(said) if said.isascii() and said.isdigit() else -1


def _refused(action: OperatorAction, status: int, detail: str, at: datetime) -> ActionDone:
    return ActionDone(action.id, at, {"refused": {"status": status, "detail": detail}})
