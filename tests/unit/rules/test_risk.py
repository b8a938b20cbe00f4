"""Score D of a hazard source: the golden examples of the domain, and each part by itself."""

from dataclasses import replace
from math import exp

import pytest

from alerts.facts import compile_layout, gather
from domain import policy
from domain.alarms import Kind, Priority
from domain.plant import TagKind
from domain.risk import AlarmClass, Colour, Floor, Part
from domain.risk_model import data
from rules.risk import assess, explain
from tests.support.builders import at
from tests.support.risk import MINUTE, MODEL, SOURCE, alarm, assessed, gas, judged, site, tag

L1, L2 = Kind.H, Kind.HH
BLUE, YELLOW, ORANGE, RED = Colour


def shown(result, *parts: Part) -> tuple[float, ...]:
    points = [round(float(result.parts[0, part]), 1) for part in parts]
    return (*points, round(float(result.score[0]), 1))


def quiet(grade):
    registry = site(tag(1), grades={SOURCE: grade})
    return registry, [], 0


def fresh_high(grade):
    registry = site(tag(1), grades={SOURCE: grade})
    return registry, [alarm(registry, 1, Kind.H)], 0


def standing_mediums():
    registry = site(*(tag(id) for id in range(1, 16)))
    return registry, [alarm(registry, id, Kind.H) for id in range(1, 16)], 36_000


def one_detector(grade, kind, minutes):
    registry = site(gas(1), grades={SOURCE: grade})
    return registry, [alarm(registry, 1, kind)], minutes * MINUTE


def standing_lows():
    registry = site(*(tag(id) for id in range(1, 21)), grades={SOURCE: 4})
    alarms = [alarm(registry, id, Kind.H, priority=Priority.P4) for id in range(1, 21)]
    return registry, alarms, 36_000


@pytest.mark.parametrize(
    ("case", "points", "colour"),
    [
        (quiet(1), (15, 0, 0, 15.0), BLUE),
        (fresh_high(1), (15, 8.7, 0, 23.7), BLUE),
        (standing_mediums(), (15, 13.9, 0, 28.9), BLUE),
        (one_detector(1, L1, 0), (15, 34.1, 0, 49.1), YELLOW),
        (one_detector(1, L1, 5), (15, 41.2, 0, 56.2), ORANGE),
        (one_detector(4, L2, 0), (4, 51.5, 0, 55.5), ORANGE),
        (one_detector(1, L2, 0), (15, 51.5, 0, 66.5), ORANGE),
        (standing_lows(), (4, 0, 0, 4.0), BLUE),
    ],
    ids=[
        "quiet 一级",
        "一级, fresh H",
        "一级, 15 standing P3",
        "一级, toxic L1 fresh",
        "一级, toxic L1 5 min unacknowledged",
        "四级, toxic L2 fresh",
        "一级, toxic L2 fresh",
        "四级, 20 standing P4",
    ],
)
def test_golden_examples_are_exact_to_a_tenth(case, points, colour):
    result = assessed(*case)
    assert shown(result, Part.B, Part.A, Part.L) == points
    assert result.wanted[0] == colour


def test_golden_tank_at_high_high_unacknowledged_is_orange_by_f6():
    registry = site(tag(1), grades={SOURCE: 3})
    alarms = [alarm(registry, 1, Kind.H), alarm(registry, 1, Kind.HH)]
    result = assessed(registry, alarms, 12 * MINUTE)
    assert shown(result, Part.B, Part.A)[:2] == (8, 28.9)
    assert result.floors[0, Floor.F6] == result.wanted[0] == ORANGE


def test_golden_gas_cloud_has_68_7_points_of_alarms_and_is_red():
    registry = site(gas(1), gas(2), gas(3))
    alarms = [alarm(registry, 1, L2), alarm(registry, 2, L2), alarm(registry, 3, L1)]
    result = assessed(registry, alarms, 3 * MINUTE)
    assert shown(result, Part.B, Part.A) == (15, 68.7, 83.7)
    assert result.wanted[0] == RED


def test_golden_reactor_has_53_2_points_of_alarms_and_is_red():
    registry = site(
        tag(1, TagKind.TEMPERATURE, equipment="R-1"),
        tag(2, TagKind.FLOW, equipment="R-1"),
        grades={SOURCE: 2},
    )
    hot = alarm(registry, 1, Kind.HH, MINUTE, priority=Priority.P1)
    result = assessed(registry, [hot, alarm(registry, 2, Kind.LL)], 5 * MINUTE)
    assert shown(result, Part.B, Part.A)[:2] == (12, 53.2)
    assert result.floors[0, Floor.F3] == RED


def test_golden_loss_of_two_fifths_of_the_gas_detectors_costs_six_points():
    registry = site(*(gas(id) for id in range(1, 6)), grades={SOURCE: 2})
    result = assessed(registry, [alarm(registry, id, Kind.OFFLINE) for id in (1, 2)], 600)
    assert shown(result, Part.B, Part.A, Part.L) == (12, 0, 6.0, 18.0)
    assert result.wanted[0] == BLUE


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
    found = alarm(registry, 1, Kind.HH, ended=0)
    assert assessed(registry, [found]).parts[0, Part.A] == pytest.approx(70 * (1 - exp(-6 / 45)))


def test_high_alarms_together_weigh_60_at_most():
    registry = site(*(tag(id) for id in range(1, 9)))
    alarms = [alarm(registry, id) for id in range(1, 9)]
    assert assessed(registry, alarms).parts[0, Part.A] == pytest.approx(70 * (1 - exp(-60 / 45)))


def test_of_many_alarms_each_cause_group_counts_its_heaviest():
    registry = site(*(tag(id) for id in range(1, 201)))
    alarms = [alarm(registry, id, Kind.H) for id in range(1, 201)]
    alarms += [alarm(registry, id) for id in range(1, 3)]
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
    alarms += [alarm(registry, id) for id in range(2, 6)]
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
    alarms += [alarm(registry, id) for id in range(2, 6)]
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
