"""Suppression by design 设计抑制: consequences are not called while their cause is."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from alerts.book import AlarmBook
from alerts.by_design import ByDesign, Silence
from alerts.facts import compile_layout
from alerts.handling import Around, Handling
from alerts.layout import Layout
from alerts.parents import Parents
from domain.alarms import Alarm, Edge, Finding, Flag, Kind, Priority, State
from domain.elapsed import ClockReading
from domain.plant import Registry, Suppression, TagKind
from tests.support.builders import at, registry, tag

FLOW, TRIP, COOLING, GAS = 1, 2, 3, 4
DAY = 86_400
RULE = Suppression("停泵低流量", "LI002", (Kind.L, Kind.LL), (Kind.H,), 60.0)


def plant(parent: TagKind = TagKind.UTILITY, **flow: Any) -> Registry:
    return registry(
        replace(tag(FLOW, kind=TagKind.FLOW, limits={Kind.L: 5.0}, **flow), suppressed_by=(RULE,)),
        tag(TRIP, kind=parent, limits={Kind.H: 1.0}),
        tag(COOLING, kind=TagKind.FLOW, limits={Kind.L: 5.0}),
        replace(
            tag(GAS, kind=TagKind.GAS_TOXIC, limits={Kind.H: 20.0}),
            suppressed_by=(replace(RULE, name="气体", kinds=(Kind.H,)),),
        ),
    )


class Plant:
    """A book under rules, a clock, and what a restart leaves."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.layout: Layout = compile_layout(registry)
        self.seconds = 0.0
        self.boot = "boot"
        self.known: list[Alarm] = []
        self.restart()

    @property
    def now(self) -> ClockReading:
        return ClockReading(at(self.seconds), self.seconds, self.boot)

    def restart(self) -> None:
        self.book = AlarmBook(self.registry, self.known)
        self.parents = Parents(self.registry, self.book)
        self.book.use_silence(lambda one: Silence(suppressed=self.parents.flag(one, self.now)))

    def raises(self, who: int, kind: Kind) -> Alarm:
        return self._find(Edge.RAISED, who, kind, at(self.seconds))

    def returns(self, who: int, kind: Kind) -> Alarm:
        onset = next(one.onset for one in self.book.open() if (one.tag, one.kind) == (who, kind))
        return self._find(Edge.RETURNED, who, kind, onset)

    def wait(self, seconds: float) -> list[str]:
        """Time passes; the events that it brings."""
        found: list[str] = []
        for _ in range(int(seconds)):
            self.seconds += 1
            ruled = self.parents.in_force(self.book.timed(), self.now)
            around = Around(self.now, ByDesign(self.layout, (), self.now, ruled))
            found += [change.event for change in Handling(self.book).fire(around)]
        self._remember()
        return found

    def _remember(self) -> None:
        """What is open, and what was closed in this run or in those before."""
        known = {one.id: one for one in self.known} | {one.id: one for one in self.book.open()}
        self.known = [self.book.find(id) or one for id, one in known.items()]

    def acknowledge(self, alarm: Alarm) -> None:
        around = Around(self.now, ByDesign(self.layout, (), self.now))
        Handling(self.book).answered(alarm, "li", None, around.now)

    def alarm(self, who: int) -> Alarm:
        return next(one for one in self.book.open() if one.tag == who)

    def flag(self, alarm: Alarm, **flags: Any) -> None:
        self.known = [
            one if one.id != alarm.id else replace(one, **flags) for one in self.book.open()
        ]
        self.restart()

    def _find(self, edge: Edge, who: int, kind: Kind, onset: datetime) -> Alarm:
        finding = Finding(edge, kind, who, None, onset, at(self.seconds), 1.0, 5.0)
        changes = self.book.apply([finding], at(self.seconds))
        self.known = [*self.known, *(one.alarm for one in changes)]
        self._remember()
        return changes[-1].alarm


@pytest.fixture
def pump() -> Plant:
    return Plant(plant())


def test_low_flow_of_a_tripped_pump_begins_suppressed_and_says_by_which_rule_and_why(pump):
    trip = pump.raises(TRIP, Kind.H)
    low = pump.raises(FLOW, Kind.L)
    assert (low.state, low.is_silent) == (State.UNACK, True)
    assert low.suppressed.rule.endswith("/停泵低流量")
    assert trip.text in low.suppressed.why
    assert not trip.is_silent


def test_to_acknowledge_the_parent_acknowledges_nothing_of_what_it_silences(pump):
    pump.acknowledge(pump.raises(TRIP, Kind.H))
    pump.raises(FLOW, Kind.L)
    pump.acknowledge(pump.alarm(TRIP))
    assert (pump.alarm(TRIP).state, pump.alarm(FLOW).state) == (State.ACKED, State.UNACK)
    pump.returns(TRIP, Kind.H)
    assert pump.wait(62) == ["unsuppress"]
    assert (pump.alarm(FLOW).state, pump.alarm(FLOW).is_silent) == (State.UNACK, False)


def test_without_the_trip_low_flow_is_loud_and_so_are_others_with_it(pump):
    assert not pump.raises(FLOW, Kind.L).is_silent
    pump.raises(TRIP, Kind.H)
    assert not pump.raises(COOLING, Kind.L).is_silent
    assert not pump.alarm(FLOW).is_silent


def test_what_still_holds_when_the_parent_has_returned_for_long_enough_is_loud_again(pump):
    pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    assert pump.wait(600) == []
    pump.returns(TRIP, Kind.H)
    assert pump.wait(59) == []
    assert pump.alarm(FLOW).is_silent
    assert pump.wait(3) == ["unsuppress"]
    assert (pump.alarm(FLOW).state, pump.alarm(FLOW).is_silent) == (State.UNACK, False)


def test_a_parent_that_comes_back_within_the_hold_begins_it_anew(pump):
    pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    pump.returns(TRIP, Kind.H)
    pump.wait(50)
    pump.raises(TRIP, Kind.H)
    assert pump.wait(100) == []
    pump.returns(TRIP, Kind.H)
    assert pump.wait(59) == []
    assert pump.wait(3) == ["unsuppress"]


def test_what_begins_within_the_hold_is_suppressed_and_later_it_is_not(pump):
    pump.raises(TRIP, Kind.H)
    pump.returns(TRIP, Kind.H)
    pump.wait(30)
    assert pump.raises(FLOW, Kind.L).is_silent
    pump.returns(FLOW, Kind.L)
    pump.wait(120)
    assert not pump.raises(FLOW, Kind.L).is_silent


def test_what_begins_within_the_hold_of_an_acknowledged_parent_is_suppressed_too():
    """Acknowledged, it closes by its return where it does not latch."""
    pump = Plant(plant(TagKind.LEVEL))
    pump.acknowledge(pump.raises(TRIP, Kind.H))
    assert pump.returns(TRIP, Kind.H).state is State.NORM
    pump.wait(30)
    assert pump.raises(FLOW, Kind.L).is_silent
    assert pump.wait(29) == []
    pump.returns(FLOW, Kind.L)
    pump.wait(2)
    assert not pump.raises(FLOW, Kind.LL).is_silent


@pytest.mark.parametrize("parent", [TagKind.UTILITY, TagKind.LEVEL])
@pytest.mark.parametrize("acknowledged", [True, False])
@pytest.mark.parametrize("restarts", [(0, 30, 59), (10,), (45, 46), ()])
def test_a_restart_makes_the_hold_no_longer_and_no_shorter(parent, acknowledged, restarts):
    pump = Plant(plant(parent))
    trip = pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    pump.wait(600)
    if acknowledged:
        pump.acknowledge(trip)
    pump.returns(TRIP, Kind.H)
    gone = []
    for second in range(1, 90):
        gone += [second] * len(pump.wait(1))
        if second in restarts:
            pump.restart()
    assert gone in ([60], [61])


def test_a_restart_on_another_machine_goes_on_with_the_hold(pump):
    pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    pump.returns(TRIP, Kind.H)
    pump.wait(30)
    pump.boot = "another"
    pump.restart()
    assert pump.wait(29) == []
    assert pump.wait(2) == ["unsuppress"]


def test_a_restart_keeps_the_flag_and_then_lets_it_go(pump):
    pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    pump.wait(1)
    pump.restart()
    assert pump.wait(30) == []
    pump.returns(TRIP, Kind.H)
    pump.restart()
    assert pump.alarm(FLOW).is_silent
    assert pump.wait(62) == ["unsuppress"]


@pytest.mark.parametrize(
    "flags",
    [
        {"shelved": Flag(at(0), at(900), "li", "x")},
        {"out_of_service": Flag(at(0), at(900), "li", "x", rule="permit:1")},
        {"suppressed": Flag(at(0), at(900), "li", "x", rule="mode:1")},
    ],
)
def test_a_parent_that_nobody_hears_silences_nothing(pump, flags):
    pump.flag(pump.raises(TRIP, Kind.H), **flags)
    assert not pump.raises(FLOW, Kind.L).is_silent


def test_what_is_suppressed_is_loud_once_its_parent_is_shelved(pump):
    trip = pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    pump.flag(trip, shelved=Flag(at(0), at(900), "li", "x"))
    assert pump.wait(1) == ["unsuppress"]


def test_gas_and_p1_are_never_suppressed(pump):
    pump.raises(TRIP, Kind.H)
    assert not pump.raises(GAS, Kind.H).is_silent
    urgent = Plant(plant(priorities={Kind.L: Priority.P1}))
    urgent.raises(TRIP, Kind.H)
    assert not urgent.raises(FLOW, Kind.L).is_silent


def test_a_rule_that_left_the_site_file_silences_no_more(pump):
    pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    tags = {id: replace(one, suppressed_by=()) for id, one in pump.registry.tags.items()}
    pump.parents.update_registry(replace(pump.registry, tags=tags))
    assert not pump.parents
    assert pump.wait(1) == ["unsuppress"]


def test_a_parent_of_which_nothing_is_heard_silences_for_a_day_at_most(pump):
    pump.acknowledge(pump.raises(TRIP, Kind.H))
    pump.seconds = 10
    low = pump.raises(FLOW, Kind.L)
    assert low.suppressed.until == at(10 + DAY)
    pump.raises(TRIP, Kind.OFFLINE)
    pump.seconds = 8 + DAY
    assert pump.wait(1) == []
    pump.restart()
    assert pump.wait(1) == ["unsuppress"]
    assert (pump.alarm(FLOW).state, pump.alarm(FLOW).is_silent) == (State.UNACK, False)


def test_what_comes_again_after_that_day_is_silent_for_another(pump):
    pump.raises(TRIP, Kind.H)
    pump.raises(FLOW, Kind.L)
    pump.seconds = DAY
    assert pump.wait(1) == ["unsuppress"]
    pump.acknowledge(pump.alarm(FLOW))
    pump.returns(FLOW, Kind.L)
    pump.seconds += 600
    assert pump.raises(FLOW, Kind.L).suppressed.until == at(pump.seconds + DAY)
