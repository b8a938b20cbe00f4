"""Floors that look beyond alarms: corroboration of gas, stored amounts, inputs, incidents."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from domain.alarms import Kind, Priority
from domain.plant import Node, TagKind
from domain.risk import Colour, Floor
from rules.explaining import held_by
from tests.support.builders import at
from tests.support.risk import (
    ENTERPRISE,
    MINUTE,
    SOURCE,
    alarm,
    assessed,
    gas,
    judged,
    said,
    signals,
    site,
    tag,
)

AL, AH = Kind.H, Kind.HH
BLUE, YELLOW, ORANGE, RED = Colour
HERE = (100.45, 38.93)


def floor(which, *of, **more):
    return assessed(*of, **more).floors[0, which]


@pytest.mark.parametrize(("worst", "colour"), [(10.0, BLUE), (10.001, RED), (inf, RED)])
def test_f1_gas_beyond_the_range_of_its_detector(worst, colour):
    registry = site(gas(1, range=(0.0, 10.0)))
    found = replace(alarm(registry, 1, AH), worst=worst)
    assert floor(Floor.F1, registry, [found]) == colour
    assert floor(Floor.F1, registry, [replace(found, kind=AL)]) == BLUE


@pytest.mark.parametrize(
    ("kind", "what", "value", "apart", "colour"),
    [
        (TagKind.LEVEL, Kind.L, 1.0, 600, RED),
        (TagKind.PRESSURE, Kind.LL, 1.0, 0, RED),
        (TagKind.PRESSURE, Kind.ROC, -0.5, 0, RED),
        (TagKind.PRESSURE, Kind.ROC, 0.5, 0, BLUE),
        (TagKind.LEVEL, Kind.H, 1.0, 0, BLUE),
        (TagKind.TEMPERATURE, Kind.L, 1.0, 0, BLUE),
        (TagKind.LEVEL, Kind.L, 1.0, 601, BLUE),
    ],
)
def test_f1_gas_with_a_matching_fall_of_level_or_pressure(kind, what, value, apart, colour):
    registry = site(gas(1), tag(2, kind))
    high = alarm(registry, 1, AH, 700, acknowledged=700)
    fall = replace(alarm(registry, 2, what, 700 - apart), value=value)
    assert floor(Floor.F1, registry, [high, fall], 700) == colour


def test_f1_detector_with_a_fault_while_at_ah():
    registry = site(gas(1), gas(2))
    high = alarm(registry, 1, AH, acknowledged=1)
    own, other = (alarm(registry, id, Kind.DETECTOR_FAULT, 5) for id in (1, 2))
    assert floor(Floor.F1, registry, [high, own], 6) == RED
    assert floor(Floor.F1, registry, [high, other], 6) == BLUE


@pytest.mark.parametrize(
    ("substances", "colour"),
    [
        ([{"name": "甲醇", "cas": "67-56-1"}], YELLOW),
        ([{"name": "甲醇"}], YELLOW),
        ([{"name": "液氨", "cas": "7664-41-7"}], ORANGE),
        ([{"name": "硝酸铵", "cas": "6484-52-2"}], ORANGE),
        ([{"name": "甲醇"}, {"name": "氯", "cas": "7782-50-5"}], ORANGE),
        ([{"name": "中间体", "category": ["W5.3"]}], YELLOW),
        ([{"name": "中间体", "category": ["J3"]}], ORANGE),
        ([{"name": "something"}], ORANGE),
        ([], ORANGE),
    ],
    ids=["methanol", "by name", "ammonia", "explosive", "both", "flammable", "toxic by category",
         "not known", "not told"],
)  # fmt: skip
def test_f8_more_stored_than_designed_by_what_it_is(substances, colour):
    registry = site(tag(1), substances=substances)
    assert floor(Floor.F8, registry, [alarm(registry, SOURCE, Kind.INVENTORY)]) == colour


def test_f8_holds_for_a_tank_of_the_source_and_until_it_has_returned():
    registry = site(tag(1))
    tank = alarm(registry, 2000 + SOURCE, Kind.INVENTORY)
    assert floor(Floor.F8, registry, [tank]) == ORANGE
    assert floor(Floor.F8, registry, [replace(tank, node=99)]) == BLUE
    back = alarm(registry, SOURCE, Kind.INVENTORY, ended=5)
    assert floor(Floor.F8, registry, [back], 6) == BLUE


@pytest.mark.parametrize(("node", "colour"), [(SOURCE, YELLOW), (ENTERPRISE, YELLOW), (4, ORANGE)])
def test_f9_is_not_orange_while_being_offline_is_reported(node, colour):
    registry = site(tag(1), grades={SOURCE: 1, 4: 1})
    gone = alarm(registry, SOURCE, Kind.SOURCE_OFFLINE)
    report = [said("offline_report", node, until=20_000)]
    assert floor(Floor.F9, registry, [gone], 15_000, inputs=report) == colour
    assert floor(Floor.F9, registry, [gone], 20_000, inputs=report) == ORANGE


@pytest.mark.parametrize("colour", [YELLOW, ORANGE, RED])
def test_f11_an_officer_sets_the_colour_until_it_is_taken_back(colour):
    registry = site(tag(1))
    word = colour.name.lower()
    set_to = said("colour_set", since=10, revoked=100, colour=word)
    floors = [floor(Floor.F11, registry, [], t, inputs=[set_to]) for t in (9, 10, 99, 100)]
    assert floors == [BLUE, colour, colour, BLUE]


def test_f11_never_lowers():
    registry = site(gas(1))
    found = [alarm(registry, 1, AH)]
    before = assessed(registry, found, 1000)
    after = assessed(registry, found, 1000, inputs=[said("colour_set", colour="yellow")])
    assert before.wanted[0] == after.wanted[0] == RED


def incident(lost, critical=4, kind=Kind.HH, since=100.0):
    """A source with safety-critical tags, an alarm, and tags (id, last good sample) lost later."""
    registry = site(tag(1), *(tag(id, safety_critical=True) for id in range(2, 2 + critical)))
    grave = Priority.P2 if kind is Kind.HH else None
    found = [alarm(registry, 1, kind, since, acknowledged=since, priority=grave)]
    for id, gone in lost:
        offline = alarm(registry, id, Kind.OFFLINE, gone)
        found.append(replace(offline, effective=at(gone + 60)))
    return registry, found


@pytest.mark.parametrize(
    ("lost", "kind", "colour"),
    [
        ([(2, 200), (3, 300)], Kind.HH, ORANGE),
        ([(2, 200)], Kind.HH, BLUE),
        ([(2, 0), (3, 655)], Kind.ROC, ORANGE),
        ([(2, 0), (3, 656)], Kind.HH, BLUE),
        ([(2, 0), (3, 54)], Kind.HH, BLUE),
        ([(2, 200), (3, 300)], Kind.H, BLUE),
    ],
    ids=["half of them", "one of four", "within ten minutes", "later", "before", "only H"],
)
def test_f12_signals_lost_during_an_incident(lost, kind, colour):
    registry, found = incident(lost, kind=kind)
    assert floor(Floor.F12, registry, found, 800) == colour


def test_f12_is_one_colour_above_what_else_is_asked_for():
    registry, found = incident([(2, 200), (3, 300)])
    more = [alarm(registry, 4, Kind.HH, 700)]
    result = assessed(registry, found + more, 800)
    assert (result.floors[0, Floor.F5], result.floors[0, Floor.F12]) == (ORANGE, RED)


def test_f12_counts_a_link_that_is_cut_and_holds_until_the_signals_are_back():
    registry, found = incident([])
    gone = replace(alarm(registry, SOURCE, Kind.SOURCE_OFFLINE, 150), effective=at(270))
    first = assessed(registry, [*found, gone], 270)
    assert first.floors[0, Floor.F12] == ORANGE
    # the incident is over and forgotten, the signals are still away
    later = assessed(registry, [gone], 50_000, before=first.memory)
    assert later.floors[0, Floor.F12] > BLUE
    assert floor(Floor.F12, registry, [], 50_060, before=later.memory) == BLUE


def test_f12_an_incident_that_was_closed_just_before_counts():
    registry, found = incident([(2, 200), (3, 300)])
    closed = alarm(registry, 1, Kind.HH, 100, ended=150, acknowledged=150)
    assert floor(Floor.F12, registry, found[1:], 400, recent=[closed]) == ORANGE
    assert floor(Floor.F12, registry, found[1:], 400) == BLUE


def hot_work(**value):
    return said("special_work", SOURCE, work="hot_work", **value)


@pytest.mark.parametrize(("metres", "colour"), [(29.9, ORANGE), (30.1, BLUE)])
def test_f13_hot_work_within_30_m_of_gas(metres, colour):
    there = (HERE[0], HERE[1] + metres / 111_195.0)
    registry = site(gas(1, source=4, position=HERE), tag(2), grades={SOURCE: 4, 4: 4})
    found = [alarm(registry, 1, AL)]
    result = assessed(registry, found, 1, inputs=[hot_work(position=there)])
    assert result.floors[:, Floor.F13].tolist() == [colour, colour]


@pytest.mark.parametrize(
    ("work", "colour"),
    [
        (hot_work(), ORANGE),
        (said("special_work", 4, work="hot_work"), BLUE),
        (said("special_work", SOURCE, work="lifting"), BLUE),
        (said("special_work", SOURCE, until=5, work="hot_work"), BLUE),
    ],
    ids=["somewhere in the source", "in another source", "no hot work", "done"],
)
def test_f13_work_of_which_nobody_said_where_it_is(work, colour):
    registry = site(gas(1), tag(2, source=4), grades={SOURCE: 4, 4: 4})
    assert floor(Floor.F13, registry, [alarm(registry, 1, AL)], 10, inputs=[work]) == colour


COOLANT: dict[str, Any] = {"limits": {Kind.LL: 1.0}, "equipment": "R-1"}


@pytest.mark.parametrize(
    ("lost", "what", "dose", "still", "colour"),
    [
        (tag(1, TagKind.FLOW, **COOLANT), Kind.LL, "R-1", False, ORANGE),
        (tag(1, TagKind.STATE, equipment="R-1"), Kind.H, "R-1", False, ORANGE),
        (tag(1, TagKind.FLOW, **COOLANT), Kind.L, "R-1", False, BLUE),
        (tag(1, TagKind.VALVE, equipment="R-1"), Kind.H, "R-1", False, BLUE),
        (tag(1, TagKind.FLOW, **COOLANT), Kind.LL, "V-1", False, BLUE),
        (tag(1, TagKind.FLOW, **COOLANT), Kind.LL, "R-1", True, BLUE),
    ],
    ids=["coolant", "stirrer", "only L", "a valve", "dosed elsewhere", "nothing is dosed"],
)
def test_f14_coolant_or_stirrer_lost_while_a_reactor_is_dosed(lost, what, dose, still, colour):
    registry = site(lost, tag(2, TagKind.FLOW, equipment=dose))
    known = signals(still=[2]) if still else None
    assert floor(Floor.F14, registry, [alarm(registry, 1, what)], 1, signals=known) == colour


def test_f14_does_not_hold_where_the_unit_is_declared_empty():
    registry = site(tag(1, TagKind.FLOW, **COOLANT), tag(2, TagKind.FLOW, equipment="R-1"))
    found = [alarm(registry, 1, Kind.LL, 20)]
    for mode, colour in (("empty", BLUE), ("start_up", ORANGE)):
        declared = [said("mode", 1000 + SOURCE, 10, 900, mode=mode)]
        assert floor(Floor.F14, registry, found, 30, inputs=declared) == colour


def test_f15_a_report_from_the_field_holds_until_it_is_taken_back():
    registry = site(tag(1))
    report = said("manual", 2000 + SOURCE, since=5, revoked=50, what="video", event="smoke")
    floors = [floor(Floor.F15, registry, [], t, inputs=[report]) for t in (4, 5, 49, 50)]
    assert floors == [BLUE, ORANGE, ORANGE, BLUE]


def test_inputs_say_which_floors_they_hold():
    registry = site(gas(1), grades={SOURCE: 4})
    found = alarm(registry, 1, AL)
    work, officer = hot_work(), said("colour_set", colour="red")
    facts, result = judged(registry, [found], 1, inputs=[work, officer])
    assert held_by(result, facts, SOURCE) == (
        (Floor.F11, officer.id),
        (Floor.F13, found.id),
        (Floor.F13, work.id),
    )


def test_alarms_of_nodes_count_at_the_source_above_them():
    rule = Node(60, 1000 + SOURCE, "rule", "c1", "c1", ENTERPRISE)
    registry = site(tag(1), nodes=[rule])
    assert assessed(registry, [alarm(registry, 60, Kind.COMPOSITE)], MINUTE).parts[0, 1] > 0
