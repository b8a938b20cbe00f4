"""What an operating mode expects is P3 and heard, not silent; when the mode ends it is what it
would have been outside (domain.md 4.5a)."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.book import AlarmBook
from alerts.by_design import ByDesign, Silence, flag_of
from alerts.events import is_news
from alerts.facts import compile_layout
from alerts.handling import Around, Handling
from alerts.occurrences import eased
from alerts.permits import permits_of
from domain import policy
from domain.alarms import (
    Alarm,
    Edge,
    Finding,
    Kind,
    OperatorAction,
    Priority,
    State,
    Transition,
)
from domain.elapsed import ClockReading
from domain.inputs import Input
from domain.instant import micros, rfc3339
from domain.modes import MODES
from domain.plant import Node, OwnPolicy, Registry, TagKind
from storage.entry import Entry, Spooled, decode, encode
from tests.support.builders import at
from tests.support.risk import ENTERPRISE, SOURCE, alarm, said, site, tag

P1, P2, P3, P4 = Priority
HOUR, DAY = 3600, 86400
LEVEL, FLOW, LOCK, SPHERE, LOW, KEPT, MOVES = 1, 2, 3, 4, 5, 6, 7
LIMITS = {Kind.LL: 1.0, Kind.HH: 9.0}
BALL = Node(777, SOURCE, "equipment", "SP-1", "SP-1", ENTERPRISE, None, {"kind": "sphere"})
PLANT = site(
    tag(LEVEL, equipment="V-1", limits=LIMITS),
    tag(FLOW, TagKind.FLOW, equipment="R-1", limits=LIMITS),
    tag(LOCK, TagKind.INTERLOCK, limits={Kind.H: 1.0}),
    tag(SPHERE, equipment="SP-1", limits=LIMITS),
    tag(LOW, equipment="V-1", limits=LIMITS, priorities={Kind.LL: P4}),
    tag(KEPT, equipment="V-1", limits=LIMITS, alarms={Kind.LL: OwnPolicy(latch=True)}),
    tag(MOVES, TagKind.STATE, equipment="R-1", limits={Kind.H: 1.0}, priorities={Kind.H: P2}),
    grades={SOURCE: 3},
    nodes=[BALL],
)
EMPTY = said("mode", since=0, until=90 * DAY, mode="empty")
RUNS = said("mode", since=HOUR, until=60 * DAY, mode="run")


class Desk:
    """A book, what people have stated, and a clock."""

    def __init__(self, inputs: Sequence[Input] = (EMPTY,), registry: Registry = PLANT) -> None:
        self.inputs, self.seconds, self.boot = list(inputs), 600.0, "one"
        self.layout = compile_layout(registry)
        self.book = AlarmBook(registry)
        self.journal: list[Transition] = []
        self.restart(registry, ())

    @property
    def now(self) -> ClockReading:
        return ClockReading(at(self.seconds), self.seconds, self.boot)

    def restart(self, registry: Registry, known: Sequence[Alarm]) -> None:
        self.book = AlarmBook(registry, known)
        self.book.use_silence(lambda one: self.around.design.of(one))
        self.handling = Handling(self.book)

    @property
    def around(self) -> Around:
        return Around(self.now, ByDesign(self.layout, self.inputs, self.now))

    def find(self, who: int, kind: Kind = Kind.LL, edge: Edge = Edge.RAISED) -> list[str]:
        onset = at(self.seconds)
        if edge is not Edge.RAISED:
            onset = next(one.onset for one in self.book.open() if one.tag == who)
        found = Finding(edge, kind, who, None, onset, at(self.seconds), 0.5, 1.0)
        return self.told(self.book.apply([found], at(self.seconds)))

    def act(self, one: Alarm, verb: str, **detail: object) -> dict[str, object]:
        action = OperatorAction(
            uuid4(), verb, one.id, "li", "for work", at(self.seconds), detail=detail
        )
        done, changes = self.handling.act(action, self.around)
        self.told(changes)
        return done.result

    def until(self, seconds: float) -> list[str]:
        self.seconds = seconds
        return self.told(self.handling.fire(self.around))

    def told(self, changes: list[Transition]) -> list[str]:
        self.journal += changes
        return [change.event for change in changes]

    def the(self, who: int) -> Alarm:
        return next(one for one in self.book.open() if one.tag == who)


def test_the_low_level_of_an_empty_tank_is_p3_and_heard_and_does_not_latch():
    desk = Desk()
    desk.find(LEVEL)
    low = desk.the(LEVEL)
    assert (low.priority, low.latching, low.is_silent, low.state) == (P3, False, False, State.UNACK)
    assert is_news(desk.journal[-1])
    assert low.eased is not None
    assert (low.eased.rule, low.eased.why, low.eased.by) == (f"mode:{EMPTY.id}", "empty", "li")
    assert low.eased.until == EMPTY.until


def test_the_low_level_of_a_sphere_is_p3_in_every_mode_and_does_not_latch():
    for inputs in ([], [EMPTY]):
        desk = Desk(inputs)
        desk.find(SPHERE)
        low = desk.the(SPHERE)
        assert (low.priority, low.latching, low.is_silent, low.eased) == (P3, False, False, None)
        assert desk.until(80 * DAY) == []


@pytest.mark.parametrize(
    ("who", "kind", "priority", "latching"),
    [
        (LEVEL, Kind.HH, P2, True),
        (FLOW, Kind.LL, P3, False),
        (FLOW, Kind.HH, P2, False),
        (LOW, Kind.LL, P4, True),
        (KEPT, Kind.LL, P3, True),
        (MOVES, Kind.H, P3, False),
    ],
)
def test_a_mode_eases_what_it_expects_to_p3_and_nothing_else(who, kind, priority, latching):
    desk = Desk()
    desk.find(who, kind)
    one = desk.the(who)
    assert (one.priority, one.latching, one.is_silent) == (priority, latching, False)


def test_a_planned_interlock_test_stays_suppressed():
    desk = Desk([said("mode", since=0, until=30 * DAY, mode="turnaround")])
    desk.find(LOCK, Kind.H)
    one = desk.the(LOCK)
    assert (one.priority, one.suppressed is not None, one.eased) == (P1, True, None)


def test_what_a_release_before_this_one_silenced_by_a_mode_is_loud():
    desk = Desk()
    desk.find(LEVEL, Kind.HH)
    flag = flag_of(EMPTY, desk.now)
    desk.restart(PLANT, [replace(desk.the(LEVEL), suppressed=flag)])
    assert desk.until(700) == ["unsuppress"]


def test_when_the_mode_ends_it_is_what_it_would_have_been_and_people_hear_it():
    desk = Desk([EMPTY, RUNS])
    desk.find(LEVEL)
    assert desk.until(HOUR - 1) == []
    assert desk.until(HOUR) == ["upgrade"]
    low = desk.the(LEVEL)
    assert (low.priority, low.latching, low.eased, low.state) == (P2, True, None, State.UNACK)
    assert is_news(desk.journal[-1])
    assert desk.until(HOUR + 1) == []


def test_it_ends_by_time_and_when_it_is_revoked():
    for until, revoked in ((HOUR, None), (90 * DAY, HOUR)):
        desk = Desk([said("mode", since=0, until=until, revoked=revoked, mode="empty")])
        desk.find(LEVEL)
        assert desk.until(HOUR) == ["upgrade"]


def test_who_acknowledged_a_p3_has_not_acknowledged_a_p2():
    desk = Desk([EMPTY, RUNS])
    desk.find(LEVEL)
    desk.act(desk.the(LEVEL), "acknowledge")
    assert desk.until(HOUR) == ["upgrade"]
    low = desk.the(LEVEL)
    assert (low.state, low.acknowledged_by, low.priority) == (State.UNACK, None, P2)


def test_a_shelf_of_a_p3_does_not_outlast_the_mode():
    desk = Desk([EMPTY, RUNS])
    desk.find(LEVEL)
    desk.act(desk.the(LEVEL), "shelve", until=rfc3339(at(8 * HOUR)))
    assert desk.the(LEVEL).is_silent
    assert desk.until(HOUR) == ["upgrade", "unshelve"]
    assert not desk.the(LEVEL).is_silent
    assert [is_news(change) for change in desk.journal[-2:]] == [False, True]


def test_nor_does_it_go_over_to_a_graver_occurrence():
    desk = Desk([EMPTY, RUNS])
    desk.find(LEVEL)
    desk.act(desk.the(LEVEL), "shelve", until=rfc3339(at(8 * HOUR)))
    desk.act(desk.the(LEVEL), "acknowledge")
    desk.find(LEVEL, edge=Edge.RETURNED)
    desk.until(2 * HOUR)
    assert desk.find(LEVEL) == ["hand_over", "raise", "unshelve"]
    assert (desk.the(LEVEL).priority, desk.the(LEVEL).is_silent) == (P2, False)


def test_a_mode_that_begins_later_changes_nothing_of_what_was_active():
    later = said("mode", since=HOUR, until=9 * DAY, mode="empty")
    desk = Desk([later])
    desk.find(LEVEL)
    assert desk.until(2 * HOUR) == []
    assert (desk.the(LEVEL).priority, desk.the(LEVEL).eased) == (P2, None)


def test_nor_of_what_comes_back_as_the_same_occurrence():
    later = said("mode", since=700, until=9 * DAY, mode="empty")
    desk = Desk([later])
    desk.find(LEVEL)
    desk.find(LEVEL, edge=Edge.RETURNED)
    desk.seconds = 800
    desk.find(LEVEL)
    assert (desk.the(LEVEL).priority, desk.the(LEVEL).latching) == (P2, True)


def test_what_comes_back_after_the_mode_as_the_same_occurrence_is_of_ordinary_priority():
    desk = Desk([EMPTY, RUNS])
    desk.seconds = HOUR - 20
    desk.find(LEVEL)
    desk.find(LEVEL, edge=Edge.RETURNED)
    assert desk.until(HOUR + 10) == []
    assert desk.the(LEVEL).state is State.RTNUN
    assert desk.find(LEVEL) == ["raise"]
    low = desk.the(LEVEL)
    assert (low.priority, low.latching, low.eased, low.chatter) == (P2, True, None, 1)


def test_it_is_eased_over_a_restart_and_no_longer_than_the_mode():
    desk = Desk([EMPTY, RUNS])
    desk.find(LEVEL)
    spooled = Spooled(1, Entry(1, (desk.journal[-1],)))
    kept = decode(encode(spooled)).entry.transitions[0].alarm
    desk.boot = "two"
    desk.restart(PLANT, [kept])
    desk.told(desk.handling.resume(desk.now))
    again = desk.the(LEVEL).eased
    assert again is not None
    assert again.timer is not None
    assert again.timer.mark.boot == "two"
    assert desk.until(HOUR) == ["upgrade"]


@pytest.mark.parametrize(("second", "silent"), [(None, False), ("wang", True)])
def test_a_permit_of_one_person_silences_nothing_that_is_urgent_outside_the_mode(second, silent):
    work = said("permit", tag=LEVEL, until=1700, work="maintenance", second=second)
    desk = Desk([EMPTY, work])
    desk.find(LEVEL)
    assert desk.the(LEVEL).is_silent is silent
    spared = permits_of(desk.layout, desk.inputs, micros(at(600)))
    assert spared.quiet(desk.the(LEVEL), micros(at(600))) is silent


def test_nor_does_one_person_take_it_out_of_service():
    work = said("permit", tag=LEVEL, since=700, until=9000, work="maintenance", second=None)
    desk = Desk([EMPTY, work])
    desk.find(LEVEL)
    desk.seconds = 800
    refused = desk.act(desk.the(LEVEL), "remove_from_service")["refused"]
    assert isinstance(refused, dict)
    assert refused["status"] == 422
    assert "transition" in desk.act(desk.the(LEVEL), "remove_from_service", second="wang")


@given(st.sampled_from(Priority), st.booleans(), st.sampled_from(policy.LIMITS))
def test_easing_raises_no_priority_and_makes_nothing_latch(priority, latching, kind):
    flag = Desk().around.design.of(alarm(PLANT, LEVEL, Kind.LL, 600)).eased
    assert flag is not None
    plain = replace(alarm(PLANT, KEPT, kind, 600, priority=priority), latching=latching)
    found = eased(plain, PLANT.tags[KEPT], flag)
    assert found.priority is max(priority, P3)
    assert found.latching <= latching


def test_a_returned_one_stays_as_it_is_when_the_mode_ends():
    desk = Desk([EMPTY, RUNS])
    desk.find(LEVEL)
    desk.act(desk.the(LEVEL), "shelve", until=rfc3339(at(8 * HOUR)))
    desk.find(LEVEL, edge=Edge.RETURNED)
    assert desk.until(HOUR) == []
    assert (desk.the(LEVEL).priority, desk.the(LEVEL).shelved is not None) == (P3, True)


KINDS = st.sampled_from(TagKind)
ASKED = st.dictionaries(st.sampled_from(policy.LIMITS), st.sampled_from(Priority), max_size=4)
MODE = st.sampled_from(MODES)


@given(KINDS, st.sampled_from(policy.LIMITS), ASKED, st.booleans(), MODE, MODE)
def test_whatever_the_mode_nothing_is_lost(kind, limit, asked, critical, mode, then):
    """Of any alarm in any mode: never more urgent than it would be outside, gas and fire just as
    outside, only trips silent; and in the end what it would have been."""
    if kind in (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE) and limit in (Kind.LL, Kind.L):
        return
    own = tag(9, kind, equipment="V-1", priorities=asked, safety_critical=critical)
    plant = site(replace(own, limits=dict.fromkeys(policy.LIMITS, 5.0)))
    placed = plant.tags[9]
    ordinary = policy.priority(placed, limit), policy.of(placed, limit).latch
    stated = [said("mode", since=0, until=30 * DAY, mode=mode)]
    stated += [said("mode", since=HOUR, until=30 * DAY, mode=then)] if then != mode else []
    desk = Desk(stated, plant)
    desk.find(9, limit)
    begun = desk.the(9)
    assert begun.priority >= ordinary[0]
    assert begun.priority <= max(ordinary[0], P3)
    assert begun.latching <= ordinary[1]
    assert begun.is_silent <= (kind is TagKind.INTERLOCK)
    if kind in policy.GAS_AND_FIRE:
        assert (begun.priority, begun.latching, begun.flags) == (*ordinary, ())
    desk.until(31 * DAY)
    after = desk.the(9)
    assert (after.priority, after.latching, after.is_silent) == (*ordinary, False)


def test_rules_of_silence_meet_its_ordinary_priority():
    desk, asked = Desk(), list[Priority]()

    def silence(one: Alarm) -> Silence:
        asked.append(one.priority)
        return desk.around.design.of(one)

    desk.book.use_silence(silence)
    desk.find(LEVEL)
    desk.find(LEVEL, edge=Edge.RETURNED)
    desk.seconds += 10
    desk.find(LEVEL)
    assert (asked, desk.the(LEVEL).priority) == ([P2, P2], P3)
