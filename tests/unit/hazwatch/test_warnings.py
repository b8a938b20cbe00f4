"""From occurrences to colours, cases and rungs, as the worker composes them."""

from dataclasses import replace
from itertools import groupby, pairwise

import pytest

from domain.alarms import Kind
from domain.cases import CaseState, Level
from domain.plant import Registry, TagKind
from domain.risk import Colour, Floor
from tests.support.builders import SOURCE, registry, tag
from tests.support.warned import Watched

LEVEL, GAS = 1, 2
CRITICAL = {"safety_critical": True}


@pytest.fixture
def plant() -> Registry:
    return registry(
        tag(LEVEL, limits={Kind.H: 8.0, Kind.HH: 9.0}, safety_critical=True),
        tag(
            GAS,
            kind=TagKind.GAS_TOXIC,
            unit="ppm",
            range=(0.0, 100.0),
            limits={Kind.H: 20.0, Kind.HH: 40.0},
        ),
    )


@pytest.fixture
def watched(plant: Registry) -> Watched:
    return Watched(plant)


def by_second(told: list[tuple[float, str]]) -> list[tuple[float, set[str]]]:
    return [(s, {role for _, role in group}) for s, group in groupby(told, key=lambda t: t[0])]


def test_a_quiet_plant_is_kept_as_blue_and_told_to_nobody(watched):
    watched.wait(60)
    assert watched.risks[SOURCE].colour is Colour.BLUE
    assert (watched.cases, watched.events, watched.notices) == ({}, [], {})


def test_gas_at_the_second_level_opens_a_case_with_its_ladder_in_the_same_step(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    case = watched.case
    assert case.colour >= Colour.ORANGE
    assert case.state is CaseState.OPEN
    assert case.alarms == tuple(watched.alarms)
    assert Floor.F4 in dict(watched.risks[SOURCE].floors)
    assert {event.type for event in watched.events} == {"warning", "risk"}
    assert [role for _, role in watched.told][:2] == ["OP", "SM"]


def test_rows_of_an_explanation_add_up_to_its_score(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    watched.raises(Kind.HH, LEVEL, 9.1)
    watched.wait(120)
    risk = watched.risks[SOURCE]
    assert sum(reason.points for reason in risk.reasons) == pytest.approx(risk.score, abs=0.051)


@pytest.mark.parametrize("killed", [False, True])
def test_nobody_answers_and_every_rung_is_told_once_and_on_time(watched, killed):
    watched.raises(Kind.HH, GAS, 45.0)
    watched.acknowledge()
    for _ in range(20 * 60 // 7):
        if killed:
            watched.kill()
        watched.wait(7)
    enterprise = {"OP", "SM", "HD-main", "HD-operation", "HD-technical"}
    assert by_second(watched.told) == [
        (0.0, enterprise | {"PK", "CO"}),
        (300.0, {"CO-leader", "LH"}),
        (900.0, {"CI"}),
    ]


def test_a_receipt_stops_the_clock_of_its_level_and_withdraws_what_was_not_sent(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    notice = next(n for n in watched.notices.values() if n.body["role"] == "PK")
    assert watched.act("receive", Level.PARK)["transition"]
    assert not watched.warnings.wanted(notice)
    assert watched.act("receive", Level.PARK, "wang")["already"] == {
        "by": "chen",
        "at": "2026-11-21T08:00:00Z",
    }


def test_without_a_level_nobody_signs(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    assert watched.act("receive", None)["refused"]["status"] == 403


def test_after_a_kill_the_colour_that_was_told_stands_and_falls_no_sooner(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    colour = watched.case.colour
    watched.kill()
    watched.wait(2)
    assert watched.case.colour is colour
    assert len(watched.cases) == 1
    watched.settle()
    watched.returns(Kind.HH, GAS)
    watched.acknowledge()
    watched.reset()
    watched.wait(9 * 60)
    assert watched.case.colour is colour
    watched.wait(60 * 60)
    assert watched.case.state is CaseState.CLOSED


def test_a_second_time_away_from_blue_is_another_case(watched):
    for number in (1, 2):
        watched.raises(Kind.HH, GAS, 45.0)
        watched.settle()
        watched.returns(Kind.HH, GAS)
        watched.acknowledge()
        watched.reset()
        watched.wait(60 * 60)
        assert (watched.case.number, watched.case.state) == (number, CaseState.CLOSED)


def test_red_is_released_by_a_park_once_nothing_holds_it(plant):
    two = registry(*plant.tags.values(), replace(plant.tags[GAS], id=3, name="LI003"))
    watched = Watched(two)
    watched.raises(Kind.HH, GAS, 45.0)
    watched.raises(Kind.HH, 3, 45.0)
    watched.wait(10)
    assert watched.case.colour is Colour.RED
    watched.act("receive", Level.PARK)
    watched.loop()
    assert "refused" in watched.act("release", Level.PARK)
    for detector in (GAS, 3):
        watched.returns(Kind.HH, detector)
    watched.acknowledge()
    watched.wait(45 * 60)
    assert watched.case.colour is Colour.RED
    assert "refused" in watched.act("release", Level.ENTERPRISE)
    assert watched.act("release", Level.PARK)["transition"]
    assert watched.cases[watched.case.id].colour.name == "ORANGE"
    assert [change.event for change in watched.changes][-2:] == ["release", "fall"]


def test_a_source_that_leaves_the_site_calms_down_and_its_case_closes_with_the_loop(watched, plant):
    watched.raises(Kind.HH, GAS, 45.0)
    nodes = {id: node for id, node in plant.nodes.items() if id != SOURCE}
    watched.warnings.update_registry(Registry(2, nodes, plant.gateways, {}))
    watched.wait(2)
    assert watched.case.colour is Colour.BLUE
    watched.settle()
    assert watched.case.state is CaseState.CLOSED


def test_a_score_that_creeps_is_kept_now_and_then_and_told_when_it_is_a_point_away(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    scores = []
    for _ in range(300):
        watched.wait(1)
        scores.append(watched.risks[SOURCE].score)
    told = [event for event in watched.events if event.type == "risk"]
    said = [event.body["risk"]["score"] for event in told]
    assert 2 < len(told) < 30
    assert all(later - earlier >= 0.9 for earlier, later in pairwise(said))
    assert len(set(scores)) > 2 * len(said)


@pytest.mark.parametrize("jump_s", [0, -300, -3600, -8 * 3600, 3600])
def test_a_wall_clock_that_is_set_neither_delays_nor_hastens_red(watched, jump_s):
    watched.wait(20)
    watched.jump_s = jump_s
    watched.wait(5)
    watched.raises(Kind.HH, GAS, 45.0)
    watched.wait(298)
    assert watched.case.colour is Colour.ORANGE
    watched.wait(5)
    assert watched.case.colour.name == "RED"


def test_a_clock_that_is_set_while_an_alarm_waits_changes_nothing_of_its_age(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    watched.wait(200)
    watched.jump_s = -3600
    watched.wait(98)
    assert watched.case.colour is Colour.ORANGE
    watched.wait(5)
    assert watched.case.colour.name == "RED"


def test_a_gateway_whose_clock_is_ahead_holds_no_colour_back(watched):
    watched.raises(Kind.HH, GAS, 45.0, ahead_s=55)
    watched.wait(303)
    assert watched.case.colour is Colour.RED


def test_a_source_that_becomes_another_node_keeps_its_alarms_and_gets_its_case_at_once(
    watched, plant
):
    watched.raises(Kind.HH, GAS, 45.0)
    other = replace(plant.nodes[SOURCE], id=77, code="S1-renamed")
    nodes = {id: node for id, node in plant.nodes.items() if id != SOURCE} | {77: other}
    tags = {id: replace(one, source=77) for id, one in plant.tags.items()}
    watched.warnings.update_registry(Registry(2, nodes, plant.gateways, tags))
    watched.wait(2)
    colours = {case.source: case.colour for case in watched.cases.values()}
    assert colours == {SOURCE: Colour.BLUE, 77: Colour.ORANGE}


def test_a_chattering_detector_does_not_make_a_case_endless(watched):
    watched.raises(Kind.HH, LEVEL, 9.5)
    for _ in range(250):
        watched.raises(Kind.H, GAS, 25.0)
        watched.wait(1)
        watched.returns(Kind.H, GAS)
        watched.acknowledge()
        watched.wait(1)
    assert len(watched.case.alarms) == 200


def test_what_nobody_knows_how_to_do_is_refused_and_changes_no_colour(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    assert watched.act("applaud", Level.PARK)["refused"]["status"] == 409


@pytest.mark.parametrize("jump_s", [0, 3600, -3600])
def test_after_a_release_orange_falls_in_its_time_whatever_the_wall_clock_was_set_to(plant, jump_s):
    third = replace(plant.tags[GAS], id=3, name="LI003")
    watched = Watched(registry(*plant.tags.values(), third))
    for detector in (GAS, 3):
        watched.raises(Kind.HH, detector, 45.0)
    watched.wait(10)
    watched.act("receive", Level.PARK)
    watched.loop()
    for detector in (GAS, 3):
        watched.returns(Kind.HH, detector)
    watched.acknowledge()
    watched.reset()
    watched.jump_s = jump_s
    watched.wait(45 * 60)
    assert watched.act("release", Level.PARK)["transition"]
    watched.wait(599)
    assert watched.case.colour is Colour.ORANGE
    watched.wait(3)
    assert watched.case.colour.name == "YELLOW"


def test_gas_at_its_second_level_that_was_false_is_closed_by_two(watched):
    watched.raises(Kind.HH, GAS, 45.0)
    assert watched.case.loop.gas_l2
    watched.act("receive", Level.ENTERPRISE, "li")
    watched.loop()
    first = watched.act("close", Level.PARK, "chen", "探头进水", kind="false_alarm")
    assert (first["transition"]["to"], "another person" in first["note"]) == ("reviewed", True)
    watched.kill()
    watched.wait(1)
    assert "refused" in watched.act("close", Level.PARK, "chen", "探头进水", kind="false_alarm")
    done = watched.act("close", Level.COUNTY, "wu", kind="false_alarm")
    assert done["transition"]["to"] == "settled"


def test_a_high_level_alone_is_no_gas(watched):
    watched.raises(Kind.HH, LEVEL, 9.5)
    assert not watched.case.loop.gas_l2


@pytest.mark.parametrize("killed", [False, True])
def test_feedback_that_does_not_come_is_told_one_level_up_once_and_on_time(watched, killed):
    watched.raises(Kind.HH, GAS, 45.0)
    watched.act("receive", Level.ENTERPRISE, "li")
    for _ in range(40 * 60 // 60):
        if killed:
            watched.kill()
        watched.wait(60, 60)
    # red after 6 min, for nobody acknowledged: to be verified within 5 min of that, feedback within
    # 15 min of it, and within 30 min of orange
    assert watched.overdue == [
        *((660.0, role) for role in ("PK", "CO-leader")),
        *((1260.0, role) for role in ("PR", "CI-leader")),
        *((1800.0, role) for role in ("LH", "CO-leader")),
    ]
