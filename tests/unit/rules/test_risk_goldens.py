"""The golden examples of domain.md 4.6a: every part and D exact to a tenth, and the colour."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from domain.alarms import Alarm, Kind, Priority
from domain.inputs import Input
from domain.plant import Registry, TagKind
from domain.risk import Colour, Floor, Part
from domain.signals import Signals
from rules.risk import explain
from tests.support.risk import (
    ENTERPRISE,
    MINUTE,
    SOURCE,
    alarm,
    gas,
    judged,
    said,
    signals,
    site,
    tag,
)

L1, L2 = Kind.H, Kind.HH
BLUE, YELLOW, ORANGE, RED = Colour


@dataclass(frozen=True)
class Case:
    """A source and what happens there. when: seconds after `START`."""

    registry: Registry
    alarms: Sequence[Alarm] = ()
    when: float = 0.0
    signals: Signals | None = None
    inputs: Sequence[Input] = field(default_factory=list)


def quiet(grade: int) -> Case:
    return Case(site(tag(1), grades={SOURCE: grade}))


def fresh_high() -> Case:
    registry = site(tag(1))
    return Case(registry, [alarm(registry, 1, Kind.H)])


def standing_mediums() -> Case:
    registry = site(*(tag(id) for id in range(1, 16)))
    return Case(registry, [alarm(registry, id, Kind.H) for id in range(1, 16)], 36_000)


def methanol_tank() -> Case:
    registry = site(tag(1), grades={SOURCE: 3})
    known = signals({1: 25 * MINUTE}, {SOURCE: 0.90}, action=10 * MINUTE)
    return Case(registry, [alarm(registry, 1, Kind.H)], 0, known)


def methanol_tank_higher() -> Case:
    registry = site(tag(1), grades={SOURCE: 3})
    known = signals({1: 12 * MINUTE}, {SOURCE: 0.97}, action=10 * MINUTE)
    alarms = [alarm(registry, 1, Kind.H), alarm(registry, 1, Kind.HH)]
    return Case(registry, alarms, 12 * MINUTE, known)


def one_detector(grade: int, kind: Kind, minutes: float) -> Case:
    registry = site(gas(1), grades={SOURCE: grade})
    return Case(registry, [alarm(registry, 1, kind)], minutes * MINUTE)


def cloud() -> Case:
    registry = site(gas(1), gas(2), gas(3))
    alarms = [alarm(registry, 1, L2), alarm(registry, 2, L2), alarm(registry, 3, L1)]
    return Case(registry, [*alarms, alarm(registry, 1, Kind.ROC)], 3 * MINUTE)


def reactor() -> Case:
    hot = tag(1, TagKind.TEMPERATURE, equipment="R-1")
    registry = site(hot, tag(2, TagKind.FLOW, equipment="R-1"), grades={SOURCE: 2})
    alarms = [
        alarm(registry, 1, Kind.HH, MINUTE, priority=Priority.P1),
        alarm(registry, 2, Kind.LL),
    ]
    return Case(registry, alarms, 5 * MINUTE, signals({1: 150}, action=5 * MINUTE))


def detectors_lost() -> Case:
    registry = site(*(gas(id) for id in range(1, 6)), tag(6), grades={SOURCE: 2})
    alarms = [alarm(registry, id, Kind.OFFLINE) for id in (1, 2)]
    return Case(registry, alarms, 3600, None, [said("commitment", ENTERPRISE, -90_000, 3000)])


def standing_lows() -> Case:
    registry = site(*(tag(id) for id in range(1, 21)), grades={SOURCE: 4})
    alarms = [alarm(registry, id, Kind.H, priority=Priority.P4) for id in range(1, 21)]
    return Case(registry, alarms, 36_000)


def out_of_service() -> Case:
    registry = site(*(tag(id) for id in range(1, 101)))
    permits = [said("permit", tag=id, until=80_000, work="out_of_service") for id in range(1, 61)]
    alarms = [alarm(registry, id, Kind.OFFLINE, 120) for id in range(1, 61)]
    return Case(registry, alarms, 3600, None, permits)


def management() -> Case:
    inputs = [
        said("commitment", ENTERPRISE, -90_000, 0),
        said("duty", until=0, role="main"),
        said("duty", until=0, role="technical"),
        said("hidden_hazard", until=0, major=True),
    ]
    return Case(site(tag(1)), (), 60, None, inputs)


GOLDEN = [
    ("quiet 一级", quiet(1), (15, 0, 0, 0, 0, 0, 15.0), BLUE),
    ("一级, fresh H (P3)", fresh_high(), (15, 8.7, 0, 0, 0, 0, 23.7), BLUE),
    ("一级, 15 standing P3", standing_mediums(), (15, 13.9, 0, 0, 0, 0, 28.9), BLUE),
    ("三级 tank, H, 25 min, u 0.90", methanol_tank(), (8, 8.7, 3, 2.7, 0, 0, 22.4), BLUE),
    ("HH, u 0.97", methanol_tank_higher(), (8, 28.9, 6, 6.4, 0, 0, 49.3), ORANGE),
    ("一级, toxic L1 fresh", one_detector(1, L1, 0), (15, 34.1, 0, 0, 0, 0, 49.1), YELLOW),
    ("一级, toxic L1 5 min", one_detector(1, L1, 5), (15, 41.2, 0, 0, 0, 0, 56.2), ORANGE),
    ("四级, toxic L2 fresh", one_detector(4, L2, 0), (4, 51.5, 0, 0, 0, 0, 55.5), ORANGE),
    ("一级, toxic L2 fresh", one_detector(1, L2, 0), (15, 51.5, 0, 0, 0, 0, 66.5), ORANGE),
    ("一级, cloud and ROC", cloud(), (15, 68.7, 4, 0, 0, 0, 87.7), RED),
    ("二级 reactor", reactor(), (12, 53.2, 15, 0, 0, 0, 80.2), RED),
    ("二级, 40 % of gas lost", detectors_lost(), (12, 0, 0, 0, 6.0, 5, 23.0), BLUE),
    ("四级, 20 standing P4", standing_lows(), (4, 0, 0, 0, 0, 0, 4.0), BLUE),
    ("一级, 60 tags out of service", out_of_service(), (15, 0, 0, 0, 0, 0, 15.0), BLUE),
    ("一级, management overdue", management(), (15, 0, 0, 0, 0, 10, 25.0), BLUE),
]


@pytest.mark.parametrize(
    ("case", "points", "colour"),
    [row[1:] for row in GOLDEN],
    ids=[str(row[0]) for row in GOLDEN],
)
def test_golden_examples_are_exact_to_a_tenth(case, points, colour):
    facts, result = judged(
        case.registry, case.alarms, case.when, (), case.signals, case.inputs
    )  # fmt: skip
    shown = [round(float(result.parts[0, part]), 1) for part in Part]
    assert (*shown, round(float(result.score[0]), 1)) == points
    assert result.wanted[0] == colour
    reasons = explain(result, facts, SOURCE)
    assert round(sum(reason.points for reason in reasons), 1) == points[-1]


def test_the_golden_tank_is_orange_by_f6_alone():
    case = methanol_tank_higher()
    _, result = judged(case.registry, case.alarms, case.when, (), case.signals)
    assert result.by_score[0] == YELLOW
    assert result.floors[0, Floor.F6] == ORANGE


def test_explanation_of_the_golden_cap_of_management_shows_each_item_and_what_was_cut():
    case = management()
    facts, result = judged(case.registry, case.alarms, case.when, (), None, case.inputs)
    rows = [row for row in explain(result, facts, SOURCE) if row.part is Part.M]
    assert [row.points for row in rows] == [5, 3, 3, 8, -9]
    assert {row.input for row in rows} == {one.id for one in case.inputs} | {None}
