"""The whole machine under everything at once: conditions, people, flags, timers, permits, lost
data, restarts. After every step the invariants of domain.md 5.2 hold."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan
from uuid import UUID, uuid5

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alerts.book import DOUBTED, AlarmBook
from alerts.by_design import ByDesign
from alerts.events import is_news
from alerts.facts import gather
from alerts.handling import Around, Handling
from alerts.layout import compile_layout
from alerts.plant_word import PlantWord, remark, who
from domain.alarms import (
    ACTIVE,
    NAMESPACE,
    WAITING,
    ActionDone,
    Alarm,
    Edge,
    Finding,
    Kind,
    OperatorAction,
    Priority,
    State,
    Transition,
)
from domain.cases import Level
from domain.edge_alarm import EdgeAlarm
from domain.elapsed import ClockReading
from domain.inputs import Input, InputKind, declared
from domain.instant import SECOND, micros
from domain.plant import Node, Registry, Tag, TagKind
from domain.risk import Colour
from rules.risk import assess
from storage.entry import Entry, Spooled, decode, encode
from tests.support.risk import MODEL

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ENTERPRISE, SOURCE = 2, 3
GAS, LEVEL, FLOW, LOCK = 1, 2, 3, 4
LIMITS = {Kind.H: 80.0, Kind.HH: 90.0}


def _tag(id: int, kind: TagKind, **more: object) -> Tag:
    plain = Tag(id, 1, ENTERPRISE, SOURCE, f"T-{id}", kind, "%", T0, (0.0, 100.0), LIMITS)
    return replace(plain, **more)  # type: ignore[arg-type]


REGISTRY = Registry(
    1,
    {
        1: Node(1, None, "park", "p1", "Park"),
        ENTERPRISE: Node(ENTERPRISE, 1, "enterprise", "e1", "Plant", ENTERPRISE),
        SOURCE: Node(SOURCE, ENTERPRISE, "source", "s1", "Tanks", ENTERPRISE, detail={"grade": 3}),
    },
    (),
    {
        GAS: _tag(GAS, TagKind.GAS_TOXIC, zone="A"),
        LEVEL: _tag(LEVEL, TagKind.LEVEL, limits={Kind.LL: 5.0, Kind.H: 80.0}),
        FLOW: _tag(FLOW, TagKind.FLOW, priorities={Kind.H: Priority.P4}),
        LOCK: _tag(LOCK, TagKind.INTERLOCK, priorities={Kind.H: Priority.P3}),
    },
)
LAYOUT = compile_layout(REGISTRY)
SUBJECTS = ((Kind.HH, GAS), (Kind.H, GAS), (Kind.H, LEVEL), (Kind.LL, LEVEL), (Kind.H, FLOW),
            (Kind.H, LOCK))  # fmt: skip
WHICH = st.sampled_from(SUBJECTS)
PEOPLE = st.sampled_from(["li", "wang"])
MINUTES = st.sampled_from([1, 20, 31, 61, 400])


class Machine(RuleBasedStateMachine):
    """One book, its journal, and what a plant and its people do."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed, self.ahead, self.boot = 0.0, timedelta(), "one"
        self.inputs: list[Input] = []
        self.colour: Colour | None = None
        self.journal: list[Transition] = []
        self.holds: dict[tuple[Kind, int], datetime] = {}
        self.lost: set[tuple[Kind, int]] = set()
        self.asked = 0
        self.plant = PlantWord()
        self.book = AlarmBook(REGISTRY)
        self._begin(self.book)

    # --- the clock ------------------------------------------------------------------------------

    @property
    def now(self) -> ClockReading:
        at = T0 + timedelta(seconds=self.elapsed) + self.ahead
        return ClockReading(at, self.elapsed, self.boot)

    @property
    def plants_time(self) -> datetime:
        """Event time: no clock of ours moves it."""
        return T0 + timedelta(seconds=self.elapsed)

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.elapsed += minutes * 60
        self._tell(self.handling.fire(self._around()))
        mode = declared(self.inputs, self.now.at).get(SOURCE)
        for alarm in self.book.timed():
            if alarm.shelved is not None and alarm.tag == GAS:
                assert self.colour not in (Colour.ORANGE, Colour.RED)
            if alarm.suppressed is not None and alarm.suppressed.rule.startswith("mode:"):
                assert mode is not None
                assert alarm.suppressed.rule == f"mode:{mode.id}"
            if alarm.eased is not None and alarm.state in ACTIVE:
                assert mode is not None
                assert alarm.eased.rule == f"mode:{mode.id}"
            by_permit = [one for one in (alarm.suppressed, alarm.out_of_service) if one is not None]
            for flag in by_permit:
                if flag.rule.startswith("permit:") and alarm.priority in (Priority.P1, Priority.P2):
                    assert flag.second is not None

    @rule(minutes=st.sampled_from([-60, 60]))
    def clock_is_set(self, minutes: int) -> None:
        # by no whole second, so that nothing ever begins twice at one instant
        self.ahead += timedelta(minutes=minutes, seconds=0.37)
        if not any(self._rest_on_inputs()):
            assert self.handling.fire(self._around()) == []

    # --- the plant ------------------------------------------------------------------------------

    @rule(which=WHICH)
    def begins(self, which: tuple[Kind, int]) -> None:
        kind, tag = which
        if which not in self.holds:
            when = self.holds[which] = self.plants_time
            finding = Finding(Edge.RAISED, kind, tag, None, when, when, 91.0, 90.0)
            self._tell(self.book.apply([finding, finding], self.now.at))
            if not any(
                (one.kind, one.tag) == which and one.state in ACTIVE for one in self.book.open()
            ):
                self.elapsed += DOUBTED.total_seconds()  # at the instant that a run before knew
                self._tell(self.book.apply([], self.now.at))

    @rule(which=WHICH, edge=st.sampled_from([Edge.RETURNED, Edge.CLOSED, Edge.WORSE]))
    def goes_on(self, which: tuple[Kind, int], edge: Edge) -> None:
        kind, tag = which
        if which in self.holds:
            onset = self.holds[which] if edge is Edge.WORSE else self.holds.pop(which)
            self.elapsed += 1
            value = 92.0 + self.elapsed
            finding = Finding(edge, kind, tag, None, onset, self.plants_time, value, 90.0)
            self._tell(self.book.apply([finding], self.now.at))

    @rule(what=st.sampled_from([(Kind.OFFLINE, GAS), (Kind.OFFLINE, LEVEL),
                                (Kind.SOURCE_OFFLINE, SOURCE)]))  # fmt: skip
    def data_are_lost_or_found(self, what: tuple[Kind, int]) -> None:
        kind, who = what
        before = self._processes()
        edge = Edge.RETURNED if what in self.lost else Edge.RAISED
        self.lost ^= {what}
        self.elapsed += 1
        tag, node = (who, None) if kind is Kind.OFFLINE else (None, who)
        finding = Finding(edge, kind, tag, node, self.now.at, self.now.at, nan, nan)
        self._tell(self.book.apply([finding], self.now.at))
        assert self._processes() == before, "lost data moved a state"

    # --- people ---------------------------------------------------------------------------------

    @rule(data=st.data(), by=PEOPLE)
    def acknowledge(self, data: st.DataObject, by: str) -> None:
        self._keeps_score(data, "acknowledge", by)

    @rule(data=st.data(), by=PEOPLE, level=st.sampled_from(list(Level)))
    def see(self, data: st.DataObject, by: str, level: Level) -> None:
        alarm = self._some(data)
        score, said = self._assessed(), len(self.journal)
        done = self._act("see", alarm, by, level)
        allowed = level not in (Level.ENTERPRISE, Level.FIRE)
        if alarm is None or alarm.state is State.NORM or not allowed:
            assert "refused" in done.result
            return
        after = self._now(alarm)
        assert replace(after, seen=alarm.seen, n=alarm.n) == alarm
        assert any((one.level, one.by) == (level.name.lower(), by) for one in after.seen)
        assert len({one.level for one in after.seen}) == len(after.seen) <= 4
        assert not any(is_news(one) for one in self.journal[said:])
        assert all((a == b).all() for a, b in zip(score, self._assessed(), strict=True))

    @rule(which=WHICH, late=st.sampled_from([0, 100, 150]))
    def acknowledged_in_the_plant(self, which: tuple[Kind, int], late: int) -> None:
        kind, tag = which
        self.asked += 1
        time = micros(self.plants_time) - late * SECOND
        said = EdgeAlarm(1, f"A-{self.asked}", tag, kind, True, time, time, acknowledged=True)
        for alarm, word in self.plant.answers([said], [], self.book.open_of, REGISTRY.tags):
            assert alarm.state in WAITING
            assert tag not in (GAS, LOCK)
            assert time >= micros(alarm.onset_last or alarm.onset) - 120 * SECOND
            change = self.handling.answered(alarm, who(word), remark(word), self.now)
            assert change is not None
            self._tell([change])
            assert self._now(alarm).state not in WAITING

    @rule(data=st.data(), by=PEOPLE)
    def reset(self, data: st.DataObject, by: str) -> None:
        alarm = self._some(data)
        done = self._act("reset", alarm, by)
        if alarm is not None and alarm.state is State.LATUN:
            assert "refused" in done.result

    @rule(data=st.data(), by=PEOPLE, minutes=MINUTES, second=st.none() | PEOPLE)
    def shelve(self, data: st.DataObject, by: str, minutes: int, second: str | None) -> None:
        until = (self.now.at + timedelta(minutes=minutes)).isoformat()
        done = self._keeps_score(data, "shelve", by, until=until, second=second)
        if done is None or "transition" not in done.result:
            return
        alarm = self.journal[-1].alarm
        tag = REGISTRY.tags.get(alarm.tag or 0)
        assert alarm.priority is not Priority.P1
        assert len([at for at in alarm.shelves if self.now.at - at < timedelta(days=1)]) <= 3
        longest = {"P2": 60, "P3": 480, "P4": 1440}[alarm.priority.value]
        if tag is not None and tag.kind is TagKind.GAS_TOXIC:
            assert second not in (None, by)
            assert self.colour not in (Colour.ORANGE, Colour.RED)
            longest = 30
        assert minutes <= longest

    @rule(data=st.data(), by=PEOPLE)
    def unshelve(self, data: st.DataObject, by: str) -> None:
        shelved = [one for one in self.book.timed() if one.shelved is not None]
        alarm = data.draw(st.sampled_from(shelved)) if shelved else self._some(data)
        self._act("unshelve", alarm, by)
        if alarm is not None and alarm.shelved is not None and alarm.state in ACTIVE:
            assert self._now(alarm).state is State.UNACK

    @rule(data=st.data(), by=PEOPLE)
    def remove_from_service(self, data: st.DataObject, by: str) -> None:
        done = self._keeps_score(data, "remove_from_service", by)
        if done is not None and "transition" in done.result:
            assert any(
                one.kind is InputKind.PERMIT and one.holds(self.now.at) for one in self.inputs
            )

    @rule(data=st.data(), by=PEOPLE)
    def return_to_service(self, data: st.DataObject, by: str) -> None:
        self._act("return_to_service", self._some(data), by)

    @rule(colour=st.sampled_from([None, Colour.YELLOW, Colour.ORANGE, Colour.RED]))
    def case_changes(self, colour: Colour | None) -> None:
        self.colour = colour

    @rule(tag=st.sampled_from([GAS, LEVEL, FLOW]), minutes=MINUTES, second=st.none() | PEOPLE,
          work=st.sampled_from(["calibration", "maintenance", "out_of_service"]))  # fmt: skip
    def permit(self, tag: int, minutes: int, second: str | None, work: str) -> None:
        if second or REGISTRY.tags[tag].kind is not TagKind.GAS_TOXIC:
            self._state(InputKind.PERMIT, tag, minutes, second, work=work)

    @rule(mode=st.sampled_from(["run", "empty", "turnaround"]), minutes=MINUTES)
    def mode(self, mode: str, minutes: int) -> None:
        self._state(InputKind.MODE, None, minutes, "wang", mode=mode)

    @precondition(lambda self: self.inputs)
    @rule()
    def revoke(self) -> None:
        self.inputs[-1] = replace(self.inputs[-1], revoked=self.now.at)
        self._tell(self.handling.fire(self._around()))

    # --- the machine ----------------------------------------------------------------------------

    @rule(reboot=st.booleans(), away=st.sampled_from([0, 600]))
    def restart(self, reboot: bool, away: int) -> None:
        """What the journal has is all that there is."""
        self.elapsed += away
        if reboot:
            self.boot += "+"
        newest: dict[UUID, Alarm] = {}
        for change in self._through_the_spool():
            newest[change.alarm.id] = change.alarm
        fresh = AlarmBook(REGISTRY, newest.values())
        assert _by_id(fresh.open()) == _by_id(self.book.open())
        assert _by_id(fresh.timed()) == _by_id(self.book.timed())
        left = {one.id: self._left(one) for one in self.book.timed()}
        self._begin(fresh)
        for alarm in fresh.timed():
            assert self._left(alarm) <= left[alarm.id] + 1e-6 or reboot
        self._tell(self.handling.fire(self._around()))

    # --- invariants -----------------------------------------------------------------------------

    @invariant()
    def one_open_and_one_close_each(self) -> None:
        by_id: dict[UUID, list[Transition]] = defaultdict(list)
        for change in self.journal:
            by_id[change.alarm.id].append(change)
        for changes in by_id.values():
            assert [change.alarm.n for change in changes] == list(range(1, len(changes) + 1))
            born = [one for one in changes if one.source is State.NORM is not one.target]
            shut = [one for one in changes if one.target is State.NORM is not one.source]
            assert len(born) == 1
            assert len(shut) <= 1
            waits = [one for one in changes if one.source in WAITING and one.target not in WAITING]
            assert all(one.event == "acknowledge" for one in waits)
            loud = [one for one in changes if one.event == "unshelve" and one.source in ACTIVE]
            assert all(one.target is State.UNACK for one in loud)
            assert all(one.event == "reset" for one in shut if one.alarm.latching)

    @invariant()
    def at_most_one_is_active_and_it_is_what_holds(self) -> None:
        active = [one for one in self.book.open() if one.state in ACTIVE and one.kind < Kind.ROC]
        assert sorted((one.kind, one.tag or 0) for one in active) == sorted(self.holds)

    @invariant()
    def every_silence_ends(self) -> None:
        for alarm in self.book.timed():
            for flag in (alarm.shelved, alarm.suppressed, alarm.out_of_service, alarm.eased):
                assert flag is None or flag.timer is not None
            if alarm.suppressed is not None and alarm.suppressed.rule.startswith("mode:"):
                assert alarm.tag == LOCK

    @invariant()
    def a_mode_eases_what_it_expects_and_nothing_else(self) -> None:
        for alarm in self.book.open():
            ordinary = Priority.P2, True
            if alarm.kind is Kind.LL:
                expected = (Priority.P3, False) if alarm.eased else ordinary
                assert (alarm.priority, alarm.latching) == expected
            else:
                assert alarm.eased is None

    @invariant()
    def what_is_not_heard_is_stale(self) -> None:
        for alarm in self.book.open():
            if alarm.kind < Kind.ROC:
                silent = {(Kind.OFFLINE, alarm.tag), (Kind.SOURCE_OFFLINE, SOURCE)} & self.lost
                assert alarm.stale == bool(silent)

    # --- how ------------------------------------------------------------------------------------

    def _begin(self, book: AlarmBook) -> None:
        self.book, self.handling = book, Handling(book)
        self._tell(self.handling.resume(self.now))
        book.use_silence(lambda alarm: self._around().design.of(alarm))

    def _around(self) -> Around:
        design = ByDesign(LAYOUT, self.inputs, self.now)
        return Around(self.now, design, lambda node: self.colour if node == SOURCE else None)

    def _state(
        self, kind: InputKind, tag: int | None, minutes: int, second: str | None, **value: object
    ) -> None:
        self.elapsed += 1
        at, id = self.now.at, uuid5(NAMESPACE, f"{len(self.inputs)}")
        until = at + timedelta(minutes=minutes)
        one = Input(id, kind, ENTERPRISE, SOURCE, tag, at, until, value, "li", at, second)
        self.inputs.append(one)
        self._tell(self.handling.fire(self._around()))
        self.elapsed += 1

    def _some(self, data: st.DataObject) -> Alarm | None:
        known = list({one.id: one for one in (*self.book.open(), *self.book.timed())}.values())
        return data.draw(st.sampled_from(known)) if known else None

    def _now(self, alarm: Alarm) -> Alarm:
        found = self.book.find(alarm.id)
        assert found is not None
        return found

    def _act(
        self,
        verb: str,
        alarm: Alarm | None,
        by: str,
        desk: Level | None = None,
        /,
        **detail: object,
    ) -> ActionDone:
        self.asked += 1
        target = UUID(int=1) if alarm is None else alarm.id
        id = uuid5(NAMESPACE, str(self.asked))
        said = OperatorAction(id, verb, target, by, "why", self.now.at, desk, detail)
        done, changes = self.handling.act(said, self._around())
        self._tell(changes)
        assert len(done.result) == 1
        return done

    def _keeps_score(
        self, data: st.DataObject, verb: str, by: str, **detail: object
    ) -> ActionDone | None:
        """Do it; if its condition holds, D and the floors must not fall (domain.md 4.5)."""
        alarm = self._some(data)
        before = self._assessed()
        done = self._act(verb, alarm, by, None, **detail)
        if alarm is None:
            return None
        if alarm.state is not State.RTNUN:
            after = self._assessed()
            assert (after[0] >= before[0]).all()
            assert (after[1] >= before[1]).all()
        return done

    def _assessed(self):
        now = self.now.at
        facts = gather(LAYOUT, self.book.open(), (), None, self.inputs, micros(now))
        result = assess(MODEL, facts, now, None)
        return result.score, result.floors

    def _tell(self, changes: list[Transition]) -> None:
        self.journal += changes
        for change in changes:
            loud = change.event in ("shelve", "suppress", "remove_from_service")
            assert loud or not (is_news(change) and change.alarm.is_silent)

    def _processes(self) -> dict[UUID, State]:
        return {one.id: one.state for one in self.book.open() if one.kind < Kind.ROC}

    def _left(self, alarm: Alarm) -> float:
        flags = (alarm.shelved, alarm.suppressed, alarm.out_of_service, alarm.eased)
        timers = [flag.timer for flag in flags if flag is not None and flag.timer is not None]
        return min(timer.remaining_s(self.now) for timer in timers)

    def _rest_on_inputs(self) -> list[Alarm]:
        return [
            one for one in self.book.timed() if one.suppressed or one.out_of_service or one.eased
        ]

    def _through_the_spool(self) -> tuple[Transition, ...]:
        found = decode(encode(Spooled(1, Entry(1, tuple(self.journal)))))
        return found.entry.transitions


def _by_id(alarms: list[Alarm]) -> dict[UUID, bytes]:
    return {one.id: msgspec.msgpack.encode(one) for one in alarms}


Machine.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestMachine = Machine.TestCase
