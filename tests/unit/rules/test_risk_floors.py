"""Floors: each condition at its border, and what does not hold it."""

import pytest

from alerts.facts import compile_layout, remember
from domain.alarms import Kind
from domain.instant import micros
from domain.plant import TagKind
from domain.risk import Colour, Floor
from tests.support.builders import at
from tests.support.risk import (
    MINUTE,
    MODEL,
    SOURCE,
    alarm,
    assessed,
    gas,
    judged,
    site,
    tag,
)

AL, AH = Kind.H, Kind.HH
BLUE, YELLOW, ORANGE, RED = Colour
HOUR = 60 * MINUTE


def floor(which, *of, **more):
    return assessed(*of, **more).floors[0, which]


def one(kind, *, tag_kind=TagKind.LEVEL, grade=1, critical=False, **when):
    registry = site(tag(1, tag_kind, safety_critical=critical), grades={SOURCE: grade})
    return registry, [alarm(registry, 1, kind, **when)]


# F1


@pytest.mark.parametrize(("second", "colour"), [(4.999, BLUE), (5, RED)])
def test_f1_two_detectors_are_red_after_five_seconds_together(second, colour):
    registry = site(gas(1), gas(2))
    alarms = [alarm(registry, 1, AH), alarm(registry, 2, AL, 10, acknowledged=11)]
    assert floor(Floor.F1, registry, alarms, 10 + second) == colour


def test_f1_two_detectors_at_ah_at_once_are_red_at_once():
    registry = site(gas(1), gas(2))
    alarms = [alarm(registry, 1, AH), alarm(registry, 2, AH, 10)]
    assert floor(Floor.F1, registry, alarms, 10) == RED


def test_f1_two_detectors_below_ah_are_not_red():
    registry = site(gas(1), gas(2))
    assert floor(Floor.F1, registry, [alarm(registry, id, AL) for id in (1, 2)], 60) == BLUE


def test_f1_one_detector_with_both_levels_is_one_detector():
    registry = site(gas(1))
    assert floor(Floor.F1, registry, [alarm(registry, 1, kind) for kind in (AL, AH)], 60) == BLUE


@pytest.mark.parametrize(
    "other",
    [
        gas(2, zone="B"),
        tag(2, TagKind.GAS_COMBUSTIBLE, zone="A"),
        gas(2, source=4),
        gas(2, zone="B", position=(100.4600, 38.93)),
    ],
    ids=["another zone", "another gas", "another source", "farther than 50 m"],
)
def test_f1_detectors_that_do_not_belong_together_are_not_red(other):
    registry = site(gas(1, position=(100.4500, 38.93)), other, grades={SOURCE: 1, 4: 1})
    alarms = [alarm(registry, 1, AH), alarm(registry, 2, AL)]
    assert floor(Floor.F1, registry, alarms, 60) == BLUE


@pytest.mark.parametrize(("metres", "colour"), [(49.9, RED), (50.1, BLUE)])
@pytest.mark.parametrize("axis", [(1.0, 0.0), (0.0, 1.0), (-0.6, 0.8)])
def test_f1_detectors_of_two_sources_within_50_m_belong_together(metres, colour, axis):
    east, north = 1 / 86_495.0, 1 / 111_195.0
    there = (100.45 + axis[0] * metres * east, 38.93 + axis[1] * metres * north)
    registry = site(
        gas(1, position=(100.45, 38.93)),
        gas(2, position=there, source=4),
        grades={SOURCE: 1, 4: 1},
    )
    result = assessed(registry, [alarm(registry, 1, AH), alarm(registry, 2, AL)], 60)
    assert result.floors[:, Floor.F1].tolist() == [colour, colour]


def recent(registry, *alarms, now):
    return remember(compile_layout(registry), MODEL, alarms, micros(at(now)))


def pulse(registry, who, since, back):
    """An excursion above AH that is back below AL at `back`, seen and closed."""
    return [alarm(registry, who, kind, since, ended=back + 30, acknowledged=back + 30)
            for kind in (AL, AH)]  # fmt: skip


def test_f1_detector_is_held_until_30_s_below_al():
    registry = site(gas(1), gas(2))
    first, second = pulse(registry, 1, 0, 20), alarm(registry, 2, AL, 44)
    assert floor(Floor.F1, registry, [second], 49.9, recent=recent(registry, *first, now=49)) == RED
    assert floor(Floor.F1, registry, [second], 50, recent=recent(registry, *first, now=50)) == BLUE


def pulses(*spans):
    registry = site(gas(1), gas(2), gas(3))
    closed = [a for who, span in enumerate(spans, 1) for a in pulse(registry, who, *span)]
    now = max(back for _, back in spans) + 31
    return assessed(registry, [], now, recent(registry, *closed, now=now))


@pytest.mark.parametrize(
    ("spans", "colour"),
    [
        (((0, 120), (180, 300), (360, 480)), ORANGE),
        (((0, 180), (240, 300)), ORANGE),
        (((0, 181), (240, 300)), RED),
        (((0, 120), (120, 180)), RED),
        (((0, 60), (661, 700)), BLUE),
        (((0, 61), (661, 700)), ORANGE),
    ],
    ids=[
        "a test of three detectors one after another",
        "back within three minutes",
        "longer than three minutes",
        "overlapping",
        "more than ten minutes apart",
        "ten minutes apart",
    ],
)
def test_f1_two_detectors_at_ah_within_ten_minutes(spans, colour):
    result = pulses(*spans)
    assert result.floors[0, Floor.F1] == colour
    assert result.maybe_test[0] == (colour == ORANGE)


def test_f1_pulse_that_lasts_is_a_leak_after_three_minutes():
    registry = site(gas(1), gas(2))
    before = pulse(registry, 1, 0, 60)
    now = [alarm(registry, 2, kind, 120, acknowledged=130) for kind in (AL, AH)]
    for when, colour in ((300, ORANGE), (300.1, RED)):
        kept = recent(registry, *before, now=when)
        assert floor(Floor.F1, registry, now, when, recent=kept) == colour


def test_f1_pulses_are_forgotten_after_ten_minutes():
    registry = site(gas(1), gas(2))
    closed = [*pulse(registry, 1, 0, 60), *pulse(registry, 2, 30, 90)]
    for when, colour in ((690, RED), (691, BLUE)):
        kept = recent(registry, *closed, now=when)
        assert floor(Floor.F1, registry, [], when, recent=kept) == colour


def test_f1_signal_lost_while_at_ah():
    registry = site(gas(1), gas(2), tag(3))
    high = alarm(registry, 1, AH, acknowledged=1)
    lost = alarm(registry, 1, Kind.OFFLINE, 70)
    assert floor(Floor.F1, registry, [high, lost], 70) == RED
    assert floor(Floor.F1, registry, [high, alarm(registry, 2, Kind.OFFLINE)], 70) == BLUE
    silent = alarm(registry, SOURCE, Kind.SOURCE_OFFLINE, 70)
    assert floor(Floor.F1, registry, [high, silent], 70) == RED


def test_f1_gas_with_fire_in_the_same_source_or_near():
    there = (100.45, 38.93)
    registry = site(gas(1, position=there), tag(2, TagKind.FIRE), grades={SOURCE: 1, 4: 1})
    assert floor(Floor.F1, registry, [alarm(registry, 1, AH), alarm(registry, 2, AL)]) == RED
    assert floor(Floor.F1, registry, [alarm(registry, 1, AL), alarm(registry, 2, AL)]) == BLUE
    registry = site(
        gas(1, position=there),
        tag(2, TagKind.FIRE, source=4, position=there),
        grades={SOURCE: 1, 4: 1},
    )
    assert floor(Floor.F1, registry, [alarm(registry, 1, AH), alarm(registry, 2, AL)]) == RED


@pytest.mark.parametrize(
    ("when", "colour"),
    [
        ({"acknowledged": 300}, BLUE),
        ({"acknowledged": 300.1}, RED),
        ({}, RED),
        ({"ended": 400}, BLUE),
    ],
    ids=["answered in time", "answered late, still there", "unanswered", "returned"],
)
def test_f1_ah_unacknowledged_longer_than_five_minutes(when, colour):
    assert floor(Floor.F1, *one(AH, tag_kind=TagKind.GAS_TOXIC, **when), 500) == colour


# F2 to F6, F9


def test_f2_fire_is_confirmed_by_a_second_signal():
    registry = site(tag(1, TagKind.FIRE), tag(2, TagKind.FIRE))
    signals = [alarm(registry, 1, AL, ended=60), alarm(registry, 2, AL, 30)]
    assert floor(Floor.F2, registry, signals[:1], 60) == BLUE
    assert floor(Floor.F2, registry, signals, 60) == RED


@pytest.mark.parametrize(
    ("kind", "what", "equipment", "colour"),
    [
        (TagKind.TEMPERATURE, Kind.ROC, "R-1", RED),
        (TagKind.FLOW, Kind.LL, "R-1", RED),
        (TagKind.FLOW, Kind.L, "R-1", BLUE),
        (TagKind.LEVEL, Kind.ROC, "R-1", BLUE),
        (TagKind.FLOW, Kind.LL, "V-1", BLUE),
    ],
)
def test_f3_reactor_too_hot_with_heating_or_without_coolant(kind, what, equipment, colour):
    hot = tag(1, TagKind.TEMPERATURE, equipment="R-1")
    registry = site(hot, tag(2, kind, equipment=equipment))
    alarms = [alarm(registry, 1), alarm(registry, 2, what)]
    assert floor(Floor.F3, registry, alarms) == colour
    assert floor(Floor.F3, registry, alarms[:1]) == BLUE


@pytest.mark.parametrize("kind", [TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.INTERLOCK])
def test_f4_holds_until_returned_and_acknowledged(kind):
    for more in ({}, {"acknowledged": 5}, {"ended": 50}):
        assert floor(Floor.F4, *one(AH, tag_kind=kind, **more), 100) == ORANGE
    registry, _ = one(AH, tag_kind=kind)
    assert floor(Floor.F4, registry, [], 100) == BLUE


def test_f4_asks_for_the_second_level_of_gas():
    assert floor(Floor.F4, *one(AL, tag_kind=TagKind.GAS_TOXIC), 100) == BLUE


@pytest.mark.parametrize(
    ("grade", "colour"), [(1, ORANGE), (2, ORANGE), (3, YELLOW), (4, YELLOW), (None, YELLOW)]
)
def test_f5_safety_critical_limit_by_grade(grade, colour):
    for kind in (Kind.HH, Kind.LL):
        assert floor(Floor.F5, *one(kind, grade=grade, critical=True)) == colour
        assert floor(Floor.F5, *one(kind, grade=grade)) == BLUE
    assert floor(Floor.F5, *one(Kind.H, grade=grade, critical=True)) == BLUE
    assert floor(Floor.F5, *one(Kind.HH, grade=grade, critical=True, ended=0)) == BLUE


@pytest.mark.parametrize(
    ("kind", "tag_kind", "when", "more", "colour"),
    [
        (Kind.HH, TagKind.LEVEL, 600, {}, BLUE),
        (Kind.HH, TagKind.LEVEL, 600.1, {}, ORANGE),
        (Kind.LL, TagKind.PRESSURE, 601, {}, ORANGE),
        (Kind.H, TagKind.GAS_TOXIC, 601, {}, ORANGE),
        (Kind.H, TagKind.LEVEL, 9000, {}, BLUE),
        (Kind.HH, TagKind.LEVEL, 9000, {"acknowledged": 600}, BLUE),
        (Kind.HH, TagKind.LEVEL, 9000, {"acknowledged": 601}, ORANGE),
        (Kind.HH, TagKind.LEVEL, 9000, {"ended": 8000}, BLUE),
    ],
)
def test_f6_unacknowledged_longer_than_ten_minutes(kind, tag_kind, when, more, colour):
    assert floor(Floor.F6, *one(kind, tag_kind=tag_kind, **more), when) == colour


@pytest.mark.parametrize(
    ("grade", "seconds", "unknown", "colour"),
    [
        (1, 299, False, BLUE),
        (1, 300, True, BLUE),
        (4, 1799, True, BLUE),
        (4, 1800, True, YELLOW),
        (1, 4 * HOUR - 1, True, YELLOW),
        (2, 4 * HOUR, True, ORANGE),
        (3, 4 * HOUR, True, YELLOW),
    ],
)
def test_f9_source_without_data(grade, seconds, unknown, colour):
    registry = site(tag(1), grades={SOURCE: grade})
    result = assessed(registry, [alarm(registry, SOURCE, Kind.SOURCE_OFFLINE)], seconds)
    assert (result.unknown[0], result.floors[0, Floor.F9]) == (unknown, colour)


def test_source_without_tags_is_unknown():
    assert assessed(site(), []).unknown[0]


def test_alarms_say_which_floors_they_hold():
    registry = site(gas(1), gas(2), tag(3, safety_critical=True))
    alarms = [alarm(registry, 1, AH), alarm(registry, 2, AL), alarm(registry, 3)]
    _, result = judged(registry, alarms, 60)
    assert result.holds.tolist() == [
        1 << Floor.F1 | 1 << Floor.F4,
        1 << Floor.F1,
        1 << Floor.F5,
    ]
