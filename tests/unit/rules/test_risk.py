"""Score D of a hazard source, each part by itself; the goldens are in `test_risk_goldens`."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from alerts.facts import compile_layout, gather
from domain import policy
from domain.alarms import OF_NODES, Kind, Priority
from domain.plant import Node, TagKind
from domain.risk import Colour, Floor, Part
from domain.risk_facts import AlarmClass
from domain.risk_model import data
from rules.risk import assess, explain
from tests.support.builders import at
from tests.support.risk import (
    ENTERPRISE,
    MINUTE,
    MODEL,
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

L1 = Kind.H
BLUE, YELLOW, ORANGE, RED = Colour


def shown(result, *parts: Part) -> tuple[float, ...]:
    points = [round(float(result.parts[0, part]), 1) for part in parts]
    return (*points, round(float(result.score[0]), 1))


def quiet(grade):
    registry = site(tag(1), grades={SOURCE: grade})
    return registry, [], 0


def test_a_source_that_is_no_major_hazard_source_begins_at_nothing():
    assert assessed(*quiet(None)).score[0] == 0


def test_high_and_high_high_of_one_tag_count_once():
    registry = site(tag(1))
    alarms = [alarm(registry, 1, Kind.H), alarm(registry, 1, Kind.HH)]
    assert assessed(registry, alarms).score[0] == assessed(registry, alarms[1:]).score[0]


def test_gauges_of_one_quantity_count_once_but_voting_gas_detectors_each():
    tags = [tag(1, name="a"), tag(2, name="b"), gas(3, name="c"), gas(4, name="d")]
    groups = [{"members": ["a", "b"]}, {"members": ["c", "d"]}]
    registry = site(*tags, groups=groups)
    alarms = {id: alarm(registry, id, Kind.H, acknowledged=0) for id in range(1, 5)}
    both, one = ([alarms[1], alarms[2]], [alarms[1]])
    assert assessed(registry, both).score[0] == assessed(registry, one).score[0]
    both, one = ([alarms[3], alarms[4]], [alarms[3]])
    assert assessed(registry, both).score[0] > assessed(registry, one).score[0]


@pytest.mark.parametrize(
    ("kind", "minutes", "factor"),
    [
        (TagKind.LEVEL, 30, 1.5),
        (TagKind.LEVEL, 60, 2),
        (TagKind.LEVEL, 600, 2),
        (TagKind.GAS_TOXIC, 7.5, 2.25),
        (TagKind.GAS_COMBUSTIBLE, 15, 2.6),
        (TagKind.OXYGEN, 15, 2.6),
    ],
)
def test_unacknowledged_high_alarms_grow_to_double_weight(kind, minutes, factor):
    registry = site(tag(1, kind))
    found = alarm(registry, 1, Kind.H, priority=Priority.P2)
    result = assessed(registry, [found], minutes * MINUTE)
    assert result.parts[0, Part.A] == pytest.approx(70 * (1 - exp(-20 * factor / 45)))


def test_medium_alarms_do_not_grow():
    registry = site(tag(1))
    found = alarm(registry, 1, Kind.H)
    assert assessed(registry, [found], 9e5).score[0] == assessed(registry, [found], 0).score[0]


def test_acknowledged_alarm_stops_growing_and_keeps_its_weight():
    registry = site(gas(1))
    early = alarm(registry, 1, L1, acknowledged=300)
    assert shown(assessed(registry, [early], 9000), Part.A) == (41.2, 56.2)


def test_returned_unacknowledged_alarm_weighs_three_tenths():
    registry = site(tag(1))
    found = alarm(registry, 1, Kind.HH, ended=0, priority=Priority.P2)
    assert assessed(registry, [found]).parts[0, Part.A] == pytest.approx(70 * (1 - exp(-6 / 45)))


def test_high_alarms_together_weigh_60_at_most():
    registry = site(*(tag(id) for id in range(1, 9)))
    alarms = [alarm(registry, id, priority=Priority.P2) for id in range(1, 9)]
    assert assessed(registry, alarms).parts[0, Part.A] == pytest.approx(70 * (1 - exp(-60 / 45)))


def test_of_many_alarms_each_cause_group_counts_its_heaviest():
    registry = site(*(tag(id) for id in range(1, 201)))
    alarms = [alarm(registry, id, Kind.H) for id in range(1, 201)]
    alarms += [alarm(registry, id, priority=Priority.P2) for id in range(1, 3)]
    result = assessed(registry, alarms)
    assert result.parts[0, Part.A] == pytest.approx(70 * (1 - exp(-50 / 45)))
    assert result.share.sum() == pytest.approx(result.parts[0, Part.A])
    assert (result.share[:2] == 0).all()


@pytest.mark.parametrize("kind", [Kind.ROC, Kind.OFFLINE])
def test_rate_and_data_health_alarms_are_none_of_part_a(kind):
    registry = site(tag(1), tag(2))
    found = alarm(registry, 1, kind, priority=Priority.P1)
    assert assessed(registry, [found], 1e5).parts[0, Part.A] == 0


def test_score_without_evidence_of_red_is_held_below_it():
    registry = site(*(tag(id) for id in range(1, 6)))
    alarms = [alarm(registry, 1, priority=Priority.P1)]
    alarms += [alarm(registry, id, priority=Priority.P2) for id in range(2, 6)]
    result = assessed(registry, alarms, 3600)
    assert (result.score[0], result.held[0], result.by_score[0]) == (74.9, True, ORANGE)


@pytest.mark.parametrize(
    "evidence",
    [
        lambda: (tag(1, TagKind.GAS_COMBUSTIBLE), tag(2)),
        lambda: (tag(1, TagKind.FIRE), tag(2)),
        lambda: (tag(1, TagKind.TEMPERATURE, equipment="R-1"), tag(2)),
        lambda: (tag(1), tag(2, priorities={Kind.HH: Priority.P1})),
    ],
    ids=["gas", "fire", "reactor", "two cause groups"],
)
def test_score_with_evidence_reaches_red(evidence):
    registry = site(*evidence(), *(tag(id) for id in range(3, 8)))
    alarms = [alarm(registry, 1, priority=Priority.P1)]
    alarms += [alarm(registry, id) for id in range(2, 8)]
    result = assessed(registry, alarms, 3600)
    assert result.by_score[0] == RED
    assert not result.held[0]


@pytest.mark.parametrize(
    ("score", "colour"),
    [(29.999, BLUE), (30, YELLOW), (54.999, YELLOW), (55, ORANGE), (74.9, ORANGE), (75, RED)],
)
def test_thresholds_belong_to_the_higher_colour(score, colour):
    model = replace(MODEL, inherent=(0, score, 0, 0, 0))
    facts = gather(compile_layout(site(gas(1))), [])
    # A score of 75 takes evidence: an active gas P1 whose weight this model makes 0.
    if score >= 75:
        registry = site(gas(1))
        model = replace(model, alarms=replace(model.alarms, severity=(0, 0, 0, 0)))
        facts = gather(compile_layout(registry), [alarm(registry, 1)])
    assert assess(model, facts, at(0)).by_score[0] == colour


def test_safety_critical_tags_weigh_double_in_data_loss():
    registry = site(tag(1, safety_critical=True), tag(2), tag(3, TagKind.PRESSURE))
    result = assessed(registry, [alarm(registry, 1, Kind.OFFLINE)])
    assert result.parts[0, Part.L] == pytest.approx(10)


def test_zone_without_gas_detectors_is_yellow_after_a_minute():
    registry = site(gas(1), gas(2, zone="B"), tag(3), grades={SOURCE: 4})
    lost = [alarm(registry, 1, Kind.OFFLINE)]
    before, after = assessed(registry, lost, 59.9), assessed(registry, lost, 60)
    assert (before.parts[0, Part.L], before.wanted[0]) == (7.5, BLUE)
    assert (after.parts[0, Part.L], after.wanted[0]) == (15, YELLOW)
    assert after.floors[0, Floor.LOSS] == YELLOW


def test_silent_source_loses_14_9_and_stays_blue_by_score():
    registry = site(gas(1), tag(2))
    result = assessed(registry, [alarm(registry, SOURCE, Kind.SOURCE_OFFLINE)], 299)
    assert shown(result, Part.L) == (14.9, 29.9)
    assert result.wanted[0] == BLUE


def test_silent_source_keeps_the_loss_of_a_zone_that_it_had_before():
    registry = site(gas(1), tag(2))
    silent = alarm(registry, SOURCE, Kind.SOURCE_OFFLINE, 100)
    lost = alarm(registry, 1, Kind.OFFLINE)
    assert assessed(registry, [silent, lost], 5000).parts[0, Part.L] == 15
    late = alarm(registry, 1, Kind.OFFLINE, 50)
    assert assessed(registry, [silent, late], 5000).floors[0, Floor.LOSS] == BLUE


def test_explanation_adds_up_to_the_shown_score():
    registry = site(gas(1), tag(2), tag(3), tag(4))
    alarms = [alarm(registry, 1, L1), alarm(registry, 2, Kind.H), alarm(registry, 3)]
    facts, result = judged(registry, [*alarms, alarm(registry, 4, Kind.OFFLINE)], 200)
    reasons = explain(result, facts, SOURCE)
    assert round(sum(reason.points for reason in reasons), 1) == round(result.score[0], 1)
    assert {r.alarm for r in reasons if r.part is Part.A} == {found.id for found in alarms}


def test_explanation_says_what_was_cut_off():
    registry = site(*(tag(id) for id in range(1, 6)))
    alarms = [alarm(registry, id, priority=Priority.P1) for id in range(1, 2)]
    alarms += [alarm(registry, id, priority=Priority.P2) for id in range(2, 6)]
    facts, result = judged(registry, alarms, 3600)
    reasons = explain(result, facts, SOURCE)
    assert reasons[-1].part is None
    assert reasons[-1].points < 0
    assert round(sum(reason.points for reason in reasons), 1) == 74.9


def test_every_class_of_the_alarm_policy_is_known():
    assert {row["class"] for row in policy.data()["rule"]} <= {c.name for c in AlarmClass}


def test_every_number_says_where_it_comes_from():
    for section in data().values():
        for entry in section.values() if isinstance(section, dict) else ():
            assert set(entry) == {"value", "unit", "source", "confidence"}
    assert assessed(*quiet(1)).version == data()["version"]


# P, V and M


@pytest.mark.parametrize(
    ("seconds", "points"),
    [(-5, 15), (0, 15), (300, 15), (300.1, 10), (600, 10), (601, 6), (1200, 6), (1201, 3),
     (2400, 3), (2401, 0), (float("inf"), 0)],
)  # fmt: skip
def test_trend_by_the_ratio_of_the_time_left_to_the_time_that_acting_takes(seconds, points):
    registry = site(tag(1), tag(2))
    known = signals({1: seconds, 2: 2400}, action=600)
    expected = max(points, 3)
    assert assessed(registry, [], 0, (), known).parts[0, Part.P] == expected
    assert assessed(registry, [], 0, (), signals({1: seconds})).parts[0, Part.P] == points


def test_rate_of_change_brings_four_once_and_the_cap_holds():
    registry = site(tag(1), tag(2))
    rates = [alarm(registry, id, Kind.ROC) for id in (1, 2)]
    assert assessed(registry, rates).parts[0, Part.P] == 4
    assert assessed(registry, rates, 0, (), signals({1: 600})).parts[0, Part.P] == 14
    assert assessed(registry, rates, 0, (), signals({1: 0})).parts[0, Part.P] == 15
    back = [alarm(registry, 1, Kind.ROC, ended=1)]
    assert assessed(registry, back, 2).parts[0, Part.P] == 0


@pytest.mark.parametrize("kind", [k for k in Kind if k not in (Kind.LL, Kind.L, Kind.H, Kind.HH)])
def test_only_limits_votes_and_written_rules_score_as_alarms(kind):
    group = Node(50, SOURCE, "group", "g1", "g1", ENTERPRISE, None, {"members": ["a"]})
    registry = site(tag(1, name="a"), tag(2), nodes=[group])
    who = 50 if kind in OF_NODES - {Kind.SOURCE_OFFLINE} else SOURCE
    found = alarm(registry, who if kind in OF_NODES else 1, kind, priority=Priority.P1)
    points = assessed(registry, [found], 10).parts[0, Part.A]
    assert (points > 0) == (kind in (Kind.VOTE, Kind.COMPOSITE))


def grouped(kind, *tags):
    members = {"members": [one.name for one in tags]}
    return site(*tags, nodes=[Node(50, SOURCE, kind, "g1", "g1", ENTERPRISE, None, members)])


def test_a_vote_counts_with_its_most_urgent_member_and_is_evidence():
    registry = grouped("group", gas(1, name="a"), gas(2, name="b"))
    members = [alarm(registry, 1, Kind.H), alarm(registry, 2, Kind.H)]
    vote = alarm(registry, 50, Kind.VOTE)
    found = assessed(registry, [*members, vote])
    assert found.parts[0, Part.A] == pytest.approx(70 * (1 - exp(-(60 + 30) / 45)))
    alone = assessed(registry, [vote])
    assert alone.parts[0, Part.A] == pytest.approx(70 * (1 - exp(-60 / 45)))
    high = [alarm(registry, 1, Kind.HH), vote]
    assert assessed(registry, high).score[0] == assessed(registry, high[:1]).score[0]


def test_a_written_rule_counts_by_its_priority_and_as_process_unless_its_members_agree():
    mixed = grouped("rule", gas(1, name="a"), tag(2, name="b"))
    toxic = grouped("rule", gas(1, name="a"), gas(2, name="b"))
    for registry, factor in ((mixed, 1.0), (toxic, 1.5)):
        result = assessed(registry, [alarm(registry, 50, Kind.COMPOSITE)])
        assert result.parts[0, Part.A] == pytest.approx(70 * (1 - exp(-20 * factor / 45)))


@pytest.mark.parametrize(
    ("u", "points"), [(0.0, 0), (0.85, 0), (0.9, 8 / 3), (1.0, 8), (1.0001, 15), (9.0, 15)]
)
def test_inventory_by_its_share_of_the_design(u, points):
    result = assessed(site(tag(1)), [], 0, (), signals(fill={SOURCE: u}))
    assert result.parts[0, Part.V] == pytest.approx(points)


def test_inventory_above_the_design_is_over_until_two_per_cent_below_it():
    registry, memory, points = site(tag(1)), None, []
    for u in (0.99, 1.01, 0.99, float("nan"), 0.981, 0.98, 0.99):
        result = assessed(registry, [], 0, (), signals(fill={SOURCE: u}), (), memory)
        memory = result.memory
        points.append(round(float(result.parts[0, Part.V]), 2))
    assert points == [7.47, 15, 15, 15, 15, 6.93, 7.47]


def test_unknown_inventory_keeps_its_last_value_and_an_alarm_tells_it_after_a_restart():
    registry = site(tag(1))
    first = assessed(registry, [], 0, (), signals(fill={SOURCE: 0.9}))
    later = assessed(registry, [], 9, (), None, (), first.memory)
    assert later.parts[0, Part.V] == first.parts[0, Part.V] > 0
    full = alarm(registry, SOURCE, Kind.INVENTORY)
    assert assessed(registry, [full]).parts[0, Part.V] == 15


@pytest.mark.parametrize(
    ("what", "points"),
    [
        ([("commitment", {})], 5),
        ([("duty", {"role": "main"})], 3),
        ([("duty", {"role": role}) for role in ("main", "technical", "operation")], 6),
        ([("hidden_hazard", {"major": False, "title": str(n)}) for n in range(2)], 4),
        ([("hidden_hazard", {"major": False, "title": str(n)}) for n in range(9)], 6),
        ([("hidden_hazard", {"major": True})], 8),
        ([("hidden_hazard", {"major": True}), ("duty", {"role": "main"})], 10),
    ],
)
def test_management_counts_what_is_overdue(what, points):
    registry = site(tag(1))
    inputs = [said(kind, since=-10, until=100, **value) for kind, value in what]
    in_time = assessed(registry, [], 99.9, (), None, inputs)
    overdue = assessed(registry, [], 100, (), None, inputs)
    assert (in_time.parts[0, Part.M], overdue.parts[0, Part.M]) == (0, points)


def test_what_was_done_again_or_taken_back_is_not_overdue():
    registry = site(tag(1))
    late = said("duty", until=100, role="main")
    again = said("duty", since=150, until=900, role="main")
    assert assessed(registry, [], 200, (), None, [late]).parts[0, Part.M] == 3
    assert assessed(registry, [], 200, (), None, [late, again]).parts[0, Part.M] == 0
    done = said("hidden_hazard", until=100, revoked=200, major=True)
    points = [assessed(registry, [], t, (), None, [done]).parts[0, Part.M] for t in (199, 200)]
    assert points == [8, 0]


def test_a_commitment_of_an_enterprise_counts_for_each_of_its_sources():
    registry = site(tag(1), grades={SOURCE: 1, 4: 2})
    missing = [said("commitment", ENTERPRISE, until=1)]
    assert assessed(registry, [], 2, (), None, missing).parts[:, Part.M].tolist() == [5, 5]


# permits and modes


def permit(tag_id=1, since=10.0, until=1000.0, **more):
    return said("permit", SOURCE, since, until, tag=tag_id, **({"work": "calibration"} | more))


@pytest.mark.parametrize(
    ("began", "ended", "now", "counts"),
    [
        (20, None, 30, False),
        (10, None, 30, True),
        (20, None, 1000, True),
        (20, 900, 2000, False),
        (20, 1001, 2000, True),
    ],
    ids=["begins under it", "was there", "outlives it", "came and went under it", "ended late"],
)
def test_a_permit_spares_what_begins_under_it(began, ended, now, counts):
    registry = site(gas(1))
    found = alarm(registry, 1, Kind.HH, began, ended=ended)
    result = assessed(registry, [found], now, (), None, [permit()])
    assert (result.score[0] > 15, result.floors[0, Floor.F4] > 0) == (counts, counts)


def test_a_calibration_lasts_half_an_hour_and_no_more():
    registry = site(gas(1))
    found = alarm(registry, 1, Kind.HH, 20)
    long = [permit(until=90_000.0)]
    scores = [assessed(registry, [found], t, (), None, long).score[0] for t in (1809, 1810)]
    assert scores[0] == 15 < scores[1]


def test_one_detector_in_ten_is_calibrated_at_a_time():
    registry = site(*(gas(id) for id in range(1, 21)))
    found = [alarm(registry, id, Kind.H, 50) for id in (1, 2, 3)]
    three = [permit(id, since=10.0 + id) for id in (1, 2, 3)]
    result = assessed(registry, found, 60, (), None, three)
    assert (result.share > 0).tolist() == [True]
    facts, _ = judged(registry, found, 60, (), None, three)
    assert facts.tags.ids[facts.alarms.tag].tolist() == [3]


def test_a_permit_of_a_zone_spares_no_gas_or_fire_detector():
    registry = site(tag(1, zone="A"), gas(2), tag(3, TagKind.FIRE, zone="A"), tag(4, zone="B"))
    found = [alarm(registry, id, Kind.H, 50) for id in range(1, 5)]
    inputs = [said("permit", SOURCE, 10, 900, work="maintenance", zone="A")]
    facts, _ = judged(registry, found, 60, (), None, inputs)
    assert [registry.tags[int(facts.tags.ids[row])].id for row in facts.alarms.tag] == [2, 3, 4]


def test_a_permitted_detector_that_was_lost_before_stays_lost():
    registry = site(*(gas(id) for id in range(1, 6)), tag(6))
    lost = [alarm(registry, id, Kind.OFFLINE, 5) for id in (1, 2)]
    late = [alarm(registry, 3, Kind.OFFLINE, 50)]
    inputs = [permit(id, work="out_of_service") for id in (1, 2, 3)]
    result = assessed(registry, lost + late, 60, (), None, inputs)
    assert result.parts[0, Part.L] == pytest.approx(15 * 2 / 4)


def test_the_trend_of_a_permitted_tag_does_not_rise():
    registry = site(gas(1))
    first = assessed(registry, [], 5, (), signals({1: 2400}))
    under = assessed(registry, [], 20, (), signals({1: 0}), [permit()], first.memory)
    after = assessed(registry, [], 1001, (), signals({1: 0}), [permit()], under.memory)
    assert [r.parts[0, Part.P] for r in (first, under, after)] == [3, 3, 15]


def unit_mode(mode, node=SOURCE, since=10.0, until=900.0):
    return said("mode", node, since, until, mode=mode)


@pytest.mark.parametrize(
    ("mode", "since", "floor", "points"),
    [
        ("empty", 20, Colour.BLUE, 8.7),
        ("turnaround", 20, Colour.BLUE, 8.7),
        ("run", 20, Colour.ORANGE, 25.2),
        ("shutdown", 20, Colour.ORANGE, 25.2),
        ("empty", 5, Colour.ORANGE, 25.3),
    ],
)
def test_low_low_of_an_empty_tank_is_medium_and_has_no_floor(mode, since, floor, points):
    registry = site(tag(1, safety_critical=True))
    found = alarm(registry, 1, Kind.LL, since, priority=Priority.P2)
    result = assessed(registry, [found], 30, (), None, [unit_mode(mode)])
    assert result.floors[0, Floor.F5] == floor
    assert round(float(result.parts[0, Part.A]), 1) == points


def test_a_mode_never_quietens_gas_or_fire_and_of_interlocks_expects_only_trips():
    registry = site(gas(1), tag(2, TagKind.FIRE), tag(3, TagKind.INTERLOCK), tag(4))
    found = [alarm(registry, id, Kind.HH, 20) for id in range(1, 5)]
    for mode in ("empty", "shutdown", "turnaround", "start_up"):
        facts, result = judged(registry, found, 30, (), None, [unit_mode(mode)])
        spared = mode in ("shutdown", "turnaround")
        assert len(facts.alarms) == 4 - spared
        assert result.floors[0, Floor.F4] == ORANGE


def test_two_process_p1_of_a_declared_mode_are_no_evidence_for_red():
    registry = site(*(tag(id) for id in range(1, 8)))
    alarms = [alarm(registry, id, since=20, priority=Priority.P1) for id in (1, 2)]
    alarms += [alarm(registry, id, since=20) for id in range(3, 8)]
    plain = assessed(registry, alarms, 3620)
    declared = assessed(registry, alarms, 3620, (), None, [unit_mode("start_up", until=None)])
    assert (plain.by_score[0], declared.score[0]) == (RED, 74.9)


def test_the_mode_of_a_vessel_goes_before_that_of_its_source():
    registry = site(tag(1, safety_critical=True, equipment="V-1"))
    found = alarm(registry, 1, Kind.LL, 20)
    inputs = [unit_mode("empty"), unit_mode("run", 2000 + SOURCE)]
    assert assessed(registry, [found], 30, (), None, inputs).floors[0, Floor.F5] == ORANGE
    inputs = [unit_mode("run"), unit_mode("empty", 2000 + SOURCE)]
    assert assessed(registry, [found], 30, (), None, inputs).floors[0, Floor.F5] == BLUE


@pytest.mark.parametrize(("phase", "factor"), [(0, 1.0), (1, 0.7), (2, 0.3)])
def test_an_alarm_weighs_by_its_phase(phase, factor):
    registry = site(tag(1))
    facts = gather(compile_layout(registry), [alarm(registry, 1, priority=Priority.P2)])
    facts = replace(facts, alarms=replace(facts.alarms, phase=np.array([phase], np.int8)))
    result = assess(MODEL, facts, at(0))
    assert result.parts[0, Part.A] == pytest.approx(70 * (1 - exp(-20 * factor / 45)))
