"""Limits by operating mode: a plan for each mode, and what a change of mode does to alarms."""

import json
from dataclasses import replace
from math import nan

import pytest

from domain.alarms import Kind
from domain.instant import micros
from domain.modes import held_limits
from domain.plant import Node, Registry, Tag, TagKind
from domain.problem import DocumentError
from hazwatch.commands.site import read_watchable
from rules.active import active_limits
from rules.compiling import compile_plan
from rules.engine import step
from rules.plan import PlanError
from rules.state import RuleState, carry
from tests.support.builders import ENTERPRISE, SOURCE, START, at, frame, registry, tag
from tests.support.sites import enterprise, site_data
from tests.support.sites import tag as tag_entry

TANK = 20
EMPTY = {"empty": {Kind.LL: nan, Kind.L: nan}, "start_up": {Kind.LL: 1.0}}


def level(**members) -> Tag:
    own = tag(1, "LT-1", limits={Kind.LL: 2.0, Kind.L: 3.0, Kind.H: 8.0}, deadband=0.2)
    return replace(own, **({"equipment": "V-1", "limits_by_mode": EMPTY} | members))


def plant(*tags: Tag) -> Registry:
    vessel = Node(TANK, SOURCE, "equipment", "V-1", "V-1", ENTERPRISE, None, {"kind": "tank"})
    return registry(*(tags or (level(),)), nodes=[vessel])


def edges(findings) -> list[tuple[str, str]]:
    return [(one.kind.name, one.edge.name) for one in findings]


def test_a_mode_has_its_own_limits_and_the_rest_from_the_tag():
    for modes, expected in (
        ({}, [2, 3, 8, nan]),
        ({TANK: "turnaround"}, [2, 3, 8, nan]),
        ({TANK: "empty"}, [nan, nan, 8, nan]),
        ({SOURCE: "start_up"}, [1, 3, 8, nan]),
    ):
        limits = compile_plan(plant(), modes).limits.limit[0]
        assert limits == pytest.approx(expected, nan_ok=True)


def test_the_mode_of_the_equipment_goes_before_that_of_the_source():
    plan = compile_plan(plant(), {SOURCE: "start_up", TANK: "run"})
    assert plan.limits.limit[0, Kind.LL] == 2


@pytest.mark.parametrize("kind", [TagKind.GAS_TOXIC, TagKind.FIRE, TagKind.OXYGEN])
def test_gas_and_fire_know_no_mode(kind: TagKind):
    limits = {Kind.H: 8.0}
    own = level(kind=kind, limits=limits, deadband=None, limits_by_mode={"empty": {Kind.H: nan}})
    assert compile_plan(plant(own), {TANK: "empty"}).limits.limit[0, Kind.H] == 8


def test_an_empty_tank_raises_no_low_alarm_and_back_in_run_the_held_value_is_judged():
    empty, run = compile_plan(plant(), {TANK: "empty"}), compile_plan(plant())
    state = RuleState.fresh(empty, micros(START))
    assert step(empty, state, frame((0, 1, 0.1), (10, 1, 0.1)), at(10)) == []
    state, closed = carry(empty, state, run, at(20))
    assert closed == []
    found = step(run, state, frame((30, 1, 0.1)), at(30))
    assert edges(found) == [("LL", "RAISED"), ("L", "RAISED")]
    assert {one.onset for one in found} == {at(20)}


def test_a_limit_that_a_mode_switches_off_closes_its_alarm_with_a_reason_and_others_stay():
    run, empty = compile_plan(plant()), compile_plan(plant(), {TANK: "empty"})
    state = RuleState.fresh(run, micros(START))
    found = step(run, state, frame((0, 1, 0.1), (10, 1, 0.1)), at(10))
    assert edges(found) == [("LL", "RAISED"), ("L", "RAISED")]
    state, closed = carry(run, state, empty, at(20))
    assert sorted(edges(closed)) == [("L", "CLOSED"), ("LL", "CLOSED")]
    assert all(one.reason for one in closed)
    high = step(empty, state, frame((30, 1, 9.0), (40, 1, 9.0)), at(40))
    assert edges(high) == [("H", "RAISED")]
    state, closed = carry(empty, state, run, at(50))
    assert closed == []
    assert edges(step(run, state, frame((60, 1, 5.0)), at(60))) == [("H", "RETURNED")]


def test_a_limit_that_a_mode_moves_lets_its_alarm_go_on_or_return_by_the_held_value():
    run, start = compile_plan(plant()), compile_plan(plant(), {TANK: "start_up"})
    state = RuleState.fresh(run, micros(START))
    step(run, state, frame((0, 1, 1.5), (10, 1, 1.5)), at(10))
    state, closed = carry(run, state, start, at(20))
    assert closed == []
    assert edges(step(start, state, None, at(21))) == [("LL", "RETURNED")]


def test_limits_of_active_alarms_and_votes_are_held_against_a_mode_even_where_they_cross():
    modes = {"empty": {Kind.LL: nan, Kind.L: nan, Kind.H: 1.0}}
    tank, two = level(limits_by_mode=modes), level(id=2, name="LT-2", limits_by_mode=modes)
    said = {"vote": "2oo2", "level": "LL", "members": ["LT-1", "LT-2"]}
    group = Node(40, SOURCE, "group", "G", "G", ENTERPRISE, None, said)
    both = registry(tank, two, nodes=[*plant().nodes.values(), group])
    run = compile_plan(both)
    state = RuleState.fresh(run, micros(START))
    found = step(run, state, frame(*[(s, i, 1.5) for s in (0, 10) for i in (1, 2)]), at(10))
    assert ("VOTE", "RAISED") in edges(found)
    held = held_limits(both, {TANK: "empty"}, active_limits(run, state))
    assert held == {1: {Kind.LL: 2.0, Kind.L: 3.0}, 2: {Kind.LL: 2.0, Kind.L: 3.0}}
    empty = compile_plan(both, {TANK: "empty"}, held)
    state, closed = carry(run, state, empty, at(20))
    assert closed == []
    found = step(empty, state, frame(*[(s, i, 1.5) for s in (30, 40) for i in (1, 2)]), at(40))
    assert edges(found) == [("H", "RAISED")] * 2
    found = step(empty, state, frame(*[(s, i, 5.0) for s in (50, 150) for i in (1, 2)]), at(150))
    returned = {kind for kind, edge in edges(found) if edge == "RETURNED"}
    assert returned == {"L", "LL", "VOTE"}
    assert held_limits(both, {TANK: "empty"}, active_limits(empty, state)) == {}


def test_limits_of_a_mode_that_cross_each_other_are_no_plan():
    bad = level(limits_by_mode={"empty": {Kind.LL: 5.0}})
    compile_plan(plant(bad))
    with pytest.raises(PlanError, match=r"LL 5 is not below L 3"):
        compile_plan(plant(bad), {TANK: "empty"})


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"limits_by_mode": {"empty": {"LL": 85}}}, "is not below H 80"),
        ({"limits_by_mode": {"emty": {"LL": 5}}}, "limits_by_mode"),
        ({"limits_by_mode": {"empty": {"LL": "of"}}}, "LL"),
        ({"kind": "gas_toxic", "unit": "ppm", "limits_by_mode": {"empty": {"H": "off"}}},
         "a gas_toxic tag has one set of limits in every mode"),
    ],
)  # fmt: skip
def test_the_site_check_names_what_is_wrong_in_a_mode(members, sentence):
    data = site_data(enterprise("e1", tag_entry("LT-1", **members)))
    with pytest.raises(DocumentError) as caught:
        read_watchable(json.dumps(data))
    assert any(sentence in str(problem) for problem in caught.value.problems)


def test_off_switches_a_limit_off():
    own = tag_entry("LT-1", limits_by_mode={"empty": {"H": "off"}})
    entry = read_watchable(json.dumps(site_data(enterprise("e1", own))))
    found = entry.enterprises[0].sources[0].tags[0].tag(1, 1, ENTERPRISE, SOURCE, START)
    plan = compile_plan(registry(found), {SOURCE: "empty"})
    assert plan.limits.limit[0] == pytest.approx([nan, nan, nan, 90], nan_ok=True)
