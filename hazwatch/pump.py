"""`Pump`: messages → intake → rules → alarm book → one journal entry, in one straight line without
an await.

The state (engine arrays, open occurrences, ledgers) belongs to this object alone; the tasks of
`hazwatch.worker` call it from one event loop, so nothing here needs a lock, and the order of the
code is the order of things.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import nan
from time import perf_counter

import numpy as np
import structlog

from alerts.ack_overdue import AckWatch
from alerts.asking import asks, unanswered
from alerts.book import AlarmBook
from alerts.by_design import ByDesign, Silence
from alerts.handling import Around, Handling
from alerts.outgoing import Webhook
from alerts.parents import Parents
from alerts.plant_word import PlantWord, remark, who
from domain.alarms import (
    ActionDone,
    Alarm,
    Finding,
    Kind,
    Notice,
    OperatorAction,
    OutboxEvent,
    Transition,
)
from domain.clock import Clock, Stamps
from domain.desk_now import DeskNow
from domain.elapsed import ClockReading
from domain.frame import Frame
from domain.inputs import Input
from domain.inputs import modes as modes_of
from domain.instant import micros, moment
from domain.inventory import SourceInventory
from domain.modes import Kept, Modes, held_forecasts, held_limits, limits_in
from domain.pca_record import PcaNow
from domain.plant import Registry
from domain.self_test import told_elsewhere
from domain.signals import Signals
from hazwatch import copies
from hazwatch.edge import KINDS as EDGE_KINDS
from hazwatch.edge import EdgeWatch
from hazwatch.lost_gateways import KINDS as GATEWAY_KINDS
from hazwatch.lost_gateways import GatewayWatch
from hazwatch.metrics import WorkerMetrics
from hazwatch.own_alarms import KINDS as OWN_KINDS
from hazwatch.own_alarms import OwnAlarms
from hazwatch.planning import Unjudged, gone, marked, planned
from hazwatch.restore import together
from hazwatch.stance import Stance
from hazwatch.telling import Telling, clock_event, system_event
from hazwatch.ticks import TickTime
from hazwatch.told_desks import DeskMemory, ToldDesks
from hazwatch.told_groups import ToldGroups
from hazwatch.told_inventory import ToldInventory
from hazwatch.warnings import Told, Warnings
from ingest.batch import Batch, PlantAlarm, Raw
from ingest.edge_alarms import edge_alarms
from ingest.intake import Intake
from ingest.metrics import IngestMetrics
from ingest.sparkplug.desk import Desk, Sign, sign
from rules.active import active_limits, active_rules, foreseen
from rules.compiling import NO_MODES
from rules.engine import step
from rules.plan import Plan, PlanError
from rules.signals import flows_of, signals
from rules.state import RuleState, carry
from storage.journal import Entry

log = structlog.get_logger(__name__)

MODES_S = 1.0
"""Modes that people stated are looked at so often."""
LET_GO_S = 30.0
"""What is kept against a mode is looked at so often."""


class Pump:
    """Turns what came into what has to be kept. `emit` gets every journal entry, in order, and must
    not block."""

    def __init__(
        self,
        registry: Registry,
        plan: Plan,
        state: RuleState,
        book: AlarmBook,
        intake: Intake,
        clock: Clock,
        ticks: TickTime,
        stamps: Stamps,
        warnings: Warnings,
        emit: Callable[[Entry], None],
        hooks: tuple[Webhook, ...],
        metrics: WorkerMetrics,
        ingest_metrics: IngestMetrics,
        modes: Mapping[int, str] = NO_MODES,
        kept: Kept | None = None,
        unjudged: Unjudged | None = None,
        desk: Desk | None = None,
        stated: Sequence[Input] = (),
        reading: Callable[[], ClockReading] | None = None,
        desks: DeskMemory | None = None,
    ) -> None:
        self.registry = registry
        self.state = state
        self.book = book
        self.stamps = stamps
        self.warnings = warnings
        self._plan = plan
        self._flows = flows_of(registry, plan)
        self._intake = intake
        self._edge = EdgeWatch(registry, intake, lambda: (self._plan, self.state))
        self._gateways = GatewayWatch(registry, intake, lambda: (self._plan, self.state))
        self._plant = PlantWord()
        self._clock = clock
        self._ticks = ticks
        self._emit = emit
        self._metrics = metrics
        self._ingest_metrics = ingest_metrics
        self._number = 0
        self._inventories = ToldInventory()
        self._groups = ToldGroups()
        self._desks = ToldDesks(self._gateway_of)
        self._telling = Telling(hooks, self._desks, metrics)
        self._own = OwnAlarms()
        self._desk = desk
        self._modes = modes
        self._kept = kept or Kept()
        self._unjudged = unjudged or Unjudged()
        self._inputs: Sequence[Input] | None = None
        self._refused: Mapping[int, str] | None = None
        self._stated = stated
        self._reading = reading or (lambda: ClockReading(clock.now(), clock.elapsed(), ""))
        self._handling = Handling(book)
        self._acks = AckWatch()
        self._parents = Parents(registry, book)
        self._design = self._designed()
        book.use_silence(self._silence)
        self._desks.restore(registry, warnings.layout, desks or DeskMemory(), clock.now())
        self._followed = clock.elapsed()
        self._compiled = clock.elapsed()
        metrics.tags.set(len(plan))
        metrics.unjudged.set(len(self._unjudged))

    def take(self, messages: Sequence[Raw]) -> Iterator[None]:
        """Judge what the broker handed over, and put it into the journal with its acknowledgements.

        Stops after each batch: the caller may wait there, and everything else may happen meanwhile.
        """
        messages = messages if self._desk is None else self._desk.read(messages)
        for batch in self._intake.take(messages, self.stamps.next):
            at = self._clock.now()
            self._ingest_metrics.batch(batch)
            judged = batch.frame.judged()
            if len(judged):
                lag = moment(judged.received) - moment(int(judged.time.max()))
                self._ticks.saw(lag)
                self._metrics.lag_seconds.set(lag.total_seconds())
            findings = self._judge(judged, batch.plant_alarms)
            events = [clock_event(finding, at) for finding in batch.clocks]
            changes = self.book.apply(findings, at)
            changes += self._answered_in_plant(changes, batch.plant_alarms)
            self._put(changes, events=events, batch=batch)
            self._metrics.judged(batch.arrived, batch.sent, micros(self._clock.now()))
            self._ingest_metrics.members(self._intake.unknown_members)
            yield

    def tick(self) -> None:
        """Let time pass for what needs no sample: delays, silence, and rungs of the ladder."""
        at = self._clock.now()
        own = self._own.step(self.registry, at)
        self._count_findings(own)
        transitions = self.book.apply(self._judge(None) + own, at)
        transitions += self._answered_in_plant(transitions)
        transitions += self._handling.fire(self._around())
        inventories = self._inventories.news(
            self.registry, self._plan, self.state, self.stamps.now(), self._clock.elapsed()
        )
        groups = self._groups.news(
            self.registry, self._plan, self.state, self.stamps.now(), self._clock.elapsed()
        )
        told = self.warnings.tick(at)
        told.notices += self._left(at)
        self._put(transitions, told=told, inventories=inventories, groups=groups)
        desks, events = self._desks.news(self.registry, at, self._clock.elapsed())
        self._put([], events=events, desks=desks)
        self._follow_modes()
        self._let_go()

    def condition(
        self,
        kind: Kind,
        node: int,
        since: datetime | None,
        value: float = nan,
        limit: float = nan,
    ) -> None:
        """Say how it stands with hazwatch itself: `kind` (INGEST_LAG, NO_ROOM) of a node holds
        since then, or is over (`since` None).

        May be said as often as one likes, and again after a start: the first `since` counts. The
        next tick takes it to the alarm book, with the delays of the policy. What held before a
        restart and is not said again within a minute is over. value, limit: in the kind's own
        unit, NaN = none.
        """
        self._own.tell(kind, node, since, value, limit, at=self._clock.now())

    def act(self, actions: Iterable[OperatorAction]) -> None:
        """Apply what people decided."""
        at = self._clock.now()
        for action in actions:
            if action.verb in self._handling.verbs:
                done, transitions = self._handling.act(action, self._around())
                self._put(transitions, actions=(done,))
            else:
                done, told = self.warnings.act(action, self.book.open(), at)
                self._put([], told=told, actions=(done,))

    def wanted(self, notice: Notice) -> bool:
        """Whether a notice still has to go out, asked at the moment of sending."""
        if asks(notice):
            return unanswered(self.book.find(notice.occurrence))
        return self.warnings.wanted(notice)

    def heard(self, inputs: Sequence[Input]) -> None:
        """Take over what people have stated."""
        self._inputs = self._stated = inputs
        self._design = self._designed()
        self._followed = -MODES_S
        self.warnings.heard(inputs)
        self._put([])

    def _left(self, at: datetime) -> list[Notice]:
        """The notices of alarms that have waited too long for an acknowledgement; the canary's are
        nobody's."""
        late = self._acks.overdue(self.book.find, self._reading(), self._desks.lies)
        return [
            notice
            for alarm, since in late
            if not told_elsewhere(self.registry, alarm)
            for notice in self.warnings.unacknowledged(
                alarm, since, self._telling.late(self.registry, alarm, at), at
            )
        ]

    def _designed(self) -> ByDesign:
        now = self._reading()
        ruled = self._parents.in_force(self.book.timed(), now) if self._parents else frozenset()
        return ByDesign(self.warnings.layout, self._stated, now, ruled)

    def _silence(self, alarm: Alarm) -> Silence:
        """The flags with which an occurrence begins: by permit or mode, else by its parent."""
        found = self._design.of(alarm)
        if found.is_silent or not self._parents:
            return found
        return replace(found, suppressed=self._parents.flag(alarm, self._reading()))

    def _around(self) -> Around:
        """What decisions and timers meet now."""
        if self._stated or self._parents:
            self._design = self._designed()
        return Around(self._reading(), self._design, self.warnings.colour)

    def _follow_modes(self) -> None:
        """Change to the modes that hold now: what people stated begins and ends with time."""
        if self._inputs is None or self._clock.elapsed() - self._followed < MODES_S:
            return
        self._followed = self._clock.elapsed()
        wanted = modes_of(self._inputs, self._clock.now())
        if wanted not in (self._modes, self._refused):
            self._refused = None if self.swap(self.registry, wanted) else wanted

    def swap(self, registry: Registry, modes: Mapping[int, str] | None = None) -> bool:
        """Go on with another registry or other operating modes of units, by node id, None = as they
        are; what is unchanged keeps its state.

        What is active, or foretold, is kept against a mode until it has returned. What
        cannot be judged is left out, and that is said; its alarms stay open. A registry of which
        nothing can be made is refused (False), and that is said too.
        """
        at = self._clock.now()
        modes = self._modes if modes is None else modes
        kept = self._against(registry, modes)
        self._compiled = self._clock.elapsed()
        try:
            plan, unjudged = planned(registry, modes, kept)
        except PlanError as error:
            self.say("site not taken over", f"the rules go on with the site before: {error}")
            return False
        registry = marked(registry, unjudged, self.registry, at)
        self.state, findings = carry(self._plan, self.state, plan, self.stamps.now())
        findings = [one for one in findings if not unjudged.keeps(registry, one)]
        before, self._unjudged = self._unjudged, unjudged
        self._plan = plan
        self._flows = flows_of(registry, plan)
        self.registry = registry
        self._modes, self._kept = modes, kept
        self.book.update_registry(registry)
        self._parents.update_registry(registry)
        self._intake.update_registry(registry)
        if self._desk is not None:
            self._desk.update_registry(registry)
        self.warnings.update_registry(registry)
        self._design = self._designed()
        self._metrics.tags.set(len(plan))
        self._metrics.unjudged.set(len(unjudged))
        findings += self._edge.swap(registry, findings, at)
        findings = self._gateways.swap(registry, at) + findings
        findings += copies.gone(registry, self.copied(), at)
        self._put(self.book.apply(findings, at))
        if before or unjudged:
            self._agree(at)
        if before != unjudged:
            self._say_unjudged()
        return True

    def _agree(self, at: datetime) -> None:
        """Make the engine's conditions those of the book. What has no place in the plan stays open
        and is marked where it can't be judged, and ends where people took it away."""
        apart = (*EDGE_KINDS, *OWN_KINDS, *GATEWAY_KINDS, Kind.COPIED)
        active = [one for one in self.book.active() if one[0] not in apart]
        ended, kept = [], {}
        over = [one for one in self.book.ended() if one[0] not in apart]
        for orphan in self.state.adopt(self._plan, active, over):
            kind, subject, _ = orphan
            why = self._unjudged.why(self.registry, kind, subject)
            if why is None:
                ended.append(gone(self.registry, orphan, at))
            else:
                kept[kind, subject] = why
        self._put(self.book.apply(ended, at) + self.book.hold(kept, at))

    def _say_unjudged(self) -> None:
        told = self._unjudged
        text = told.sentence() if told else "everything is judged again 全部恢复判定"
        self.say("not judged" if told else "judged again", text)

    def _let_go(self) -> None:
        """Put limits and modes in force where what was kept against them has returned; now and
        then, as it takes a new plan."""
        if not self._kept or self._clock.elapsed() - self._compiled < LET_GO_S:
            return
        if self._against(self.registry, self._modes) != self._kept:
            self.swap(self.registry, self._modes)

    def _against(self, registry: Registry, modes: Modes) -> Kept:
        """What stays in force against these modes."""
        known = signals(self._plan, self._flows, self.state, micros(self.stamps.now()))
        soon = foreseen(self._plan, self.state, known)
        own = limits_in(self.registry, self._modes, soon)
        ahead = {id: self._kept.ahead.get(id, limits) for id, limits in own.items()}
        active = active_rules(self._plan, self.state)
        rules = {rule: self._kept.rules.get(rule, self._modes) for rule in active}
        return Kept(
            held_limits(registry, modes, active_limits(self._plan, self.state)),
            held_forecasts(registry, modes, ahead),
            {rule: began for rule, began in rules.items() if began != modes},
        )

    def settle(self, findings: Iterable[Finding], said: Sequence[PlantAlarm] = ()) -> None:
        """After a restart: apply what is new in `findings`, then make the engine agree with the
        book. said: what plants reported last."""
        at = self._clock.now()
        self._plant.restore(edge_alarms(said, self._intake.tag))
        self._put(self._handling.resume(self._reading()))
        changes = self.book.apply(findings, at, again=True)
        self._put(changes + self._answered_in_plant(changes))
        self._agree(at)
        ended = self._edge.restore(self.book.active(), self.book.open(), said, at)
        ended += copies.gone(self.registry, self.copied(), at)
        ended += self._gateways.restore(self.book.open(), at)
        self._put(self.book.apply(ended, at))
        self._own.restore(self.book.active(), at)
        self._acks.saw(self.registry, self.book.open(), self._reading())
        self.state.grace_from = micros(self.stamps.now())
        if self._unjudged:
            self._say_unjudged()

    def begin_sparkplug(self) -> None:
        """What came from edge nodes before a restart is STALE until they are born again."""
        if self._desk is not None:
            for gateway, tags in self._intake.edge_nodes():
                self._desk.seed(gateway, tags)
            at = micros(self.stamps.now())
            for _ in self.take([sign(node, Sign.LOST, at) for node in self._desk.nodes()]):
                pass

    def copied(self) -> dict[int, datetime]:
        """Tags of which COPIED is active, with its onset."""
        active = self.book.active()
        return {tag: onset for kind, tag, onset in active if kind is Kind.COPIED}

    def looked(self, findings: Iterable[Finding]) -> None:
        """Take what a job found in stored samples; tags may have left the registry meanwhile."""
        known = [finding for finding in findings if finding.tag in self.registry.tags]
        self._count_findings(known)
        self._put(self.book.apply(known, self._clock.now()))

    def snapshot(self) -> tuple[bytes, int]:
        """(memory of engine and intake with the modes that hold, stamp of the newest frame inside
        in microseconds)."""
        stance = Stance(self._modes, self._kept).to_bytes()
        body = together(self.state.to_bytes(self._plan), self._intake.snapshot(), stance)
        return body, micros(self.stamps.last)

    def say(self, what: str, text: str) -> None:
        """Tell operators something about hazwatch itself."""
        at = self._clock.now()
        log.error(what, action="system event", text=text)
        self._put([], events=[system_event(at, {"what": what, "text": text})])

    def _judge(self, frame: Frame | None, said: Sequence[PlantAlarm] = ()) -> list[Finding]:
        began = perf_counter()
        until = self._ticks.up_to(self.stamps.now(), self._clock.elapsed())
        findings = step(self._plan, self.state, frame, until)
        if self._unjudged:
            findings = [one for one in findings if not self._unjudged.keeps(self.registry, one)]
        findings += self._edge.step(findings, said, until)
        findings = self._gateways.step(findings, until) + findings  # the cause sounds first
        self._metrics.judge_seconds.observe(perf_counter() - began)
        self._count_findings(findings)
        return findings

    def _answered_in_plant(
        self, changes: Iterable[Transition], said: Sequence[PlantAlarm] = ()
    ) -> list[Transition]:
        """What an acknowledgement in the plant does to open alarms, and to those that begin."""
        alarms = edge_alarms(said, self._intake.tag)
        words = self._plant.answers(alarms, changes, self.book.open_of, self.registry.tags)
        made = [
            self._handling.answered(alarm, who(word), remark(word), self._reading())
            for alarm, word in words
        ]
        return [change for change in made if change is not None]

    def _signals(self) -> Signals:
        """Without the load of sources of which not every vessel counts."""
        known = signals(self._plan, self._flows, self.state, micros(self.stamps.now()))
        if not self._unjudged.weighed:
            return known
        partly = np.isin(known.sources, list(self._unjudged.weighed))
        return replace(known, fill=np.where(partly, np.nan, known.fill))

    def _count_findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._metrics.findings.labels(finding.kind.name, finding.edge.name).inc()

    def _put(
        self,
        transitions: list[Transition],
        *,
        events: Sequence[OutboxEvent] = (),
        actions: tuple[ActionDone, ...] = (),
        batch: Batch | None = None,
        told: Told | None = None,
        inventories: tuple[SourceInventory, ...] = (),
        groups: tuple[PcaNow, ...] = (),
        desks: tuple[DeskNow, ...] = (),
    ) -> None:
        """Put all of it, and what it means for risk and warnings, into one entry."""
        told = told or Told()
        self._desks.saw(self.registry, self.warnings.layout, transitions)
        self.warnings.saw(change.alarm for change in transitions)
        self._acks.saw(self.registry, (one.alarm for one in transitions), self._reading())
        if self.warnings.due():
            told += self.warnings.look(self.book.open(), self._clock.now(), self._signals())
        said = transitions, events, actions, batch, told, inventories, groups, desks
        if not any(said):
            return
        spoken, notices = self._telling.of(self.registry, transitions)
        self._number += 1
        self._telling.count(self.registry, transitions, len(self.book))
        self._emit(
            Entry(
                self._number,
                tuple(transitions),
                (*spoken, *events, *told.events),
                (*notices, *told.notices),
                actions,
                batch,
                tuple(told.cases),
                tuple(told.steps),
                tuple(told.risks),
                inventories,
                groups,
                desks,
            )
        )

    def _gateway_of(self, tag: int) -> int | None:
        """The one gateway that sends a tag; a number of its own where several do."""
        senders = self._intake.senders_of(tag)
        return senders[0] if len(senders) == 1 else -1 - tag if senders else None
