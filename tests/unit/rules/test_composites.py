"""Written rules: stories, what unknown does, and agreement with a walk through the tree."""

import operator
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import policy
from domain.alarms import Kind
from domain.frame import Frame
from domain.instant import NEVER, SECOND, micros, moment
from domain.plant import Node, Registry, Tag, TagKind
from rules import composites
from rules.compiling import compile_plan
from rules.composites import COMPOSITES
from rules.engine import step
from rules.expression.parser import parse
from rules.expression.tree import Binary, Call, Compare, For, Name, Named, Number, Of, Tree, Unary
from rules.layers import LAYERS
from rules.plan import PlanError
from rules.state import RuleState, carry
from tests.support.builders import ENTERPRISE, SOURCE, START, at, frame, registry, tag
from tests.support.reference_joint import (
    Condition,
    Plant,
    Reading,
    Row,
    Told,
    by_subject,
    told,
    us,
)
from tests.support.rule_log import RuleLog, tidy

KINDS = ("COMPOSITE", "COMPOSITE_UNKNOWN")
ZERO = micros(START)
RULE, TANK = 50, 20
VALVE = tag(9, "XV-101", kind=TagKind.VALVE, unit="", range=None, max_silence_s=600.0)


def level(id: int, **members) -> Tag:
    said: dict[str, Any] = {
        "limits": {Kind.H: 80.0, Kind.HH: 90.0},
        "deadband": 2.0,
        "interval_s": 5.0,
    } | members
    return tag(id, f"LT-{id}", unit="%", range=(0, 100), **said)


TAGS = (level(1), level(2), level(3), VALVE)


def rule(when: str, code: str = "R1", id: int = RULE, **detail) -> Node:
    return Node(id, SOURCE, "rule", code, f"rule {code}", ENTERPRISE, None, {"when": when} | detail)


def plant(*rules: Node, tags: Iterable[Tag] = TAGS) -> Registry:
    vessel = Node(TANK, SOURCE, "equipment", "V-1", "V-1", ENTERPRISE, None, {"kind": "tank"})
    return registry(*tags, nodes=[vessel, *rules])


def story(log: str, when: str, **detail) -> str:
    found = RuleLog(plant(rule(when, **detail))).replay(log).splitlines()
    return "\n".join(line for line in found if not line.startswith("=>") or "COMPOSITE" in line)


@pytest.mark.parametrize(
    ("when", "detail", "log"),
    [
        (
            'LT-1 > H and valve("XV-101") == open for 60 s',
            {},
            """
            08:00:00  LT-1 85 | XV-101 0
            08:00:10  XV-101 1
            08:00:40  LT-1 79
            08:01:05  LT-1 85
            08:01:10  tick
                      => node 50 COMPOSITE RAISED onset 08:00:10 effective 08:01:10
            08:01:20  LT-1 77.9
                      => node 50 COMPOSITE RETURNED onset 08:00:10 effective 08:01:20
            """,
        ),
        (
            "LT-1 - LT-2 > 10 % or abs(LT-1 - LT-3) > 10 %",
            {"for_s": 5, "off_s": 10},
            """
            08:00:00  LT-1 50 | LT-2 50 | LT-3 50
            08:00:05  LT-2 39
            08:00:09  LT-3 70
            08:00:12  tick
                      => node 50 COMPOSITE RAISED onset 08:00:05 effective 08:00:10
            08:00:15  LT-1 49 | LT-2 49 | LT-3 49
            08:00:20  LT-2 30
            08:00:25  LT-2 49
            08:00:40  tick
                      => node 50 COMPOSITE RETURNED onset 08:00:05 effective 08:00:35
            """,
        ),
        (
            "LT-1 > 50 % and LT-2 > 50 %",
            {},
            """
            08:00:00  LT-1 40
            08:00:50  LT-1 60
            08:01:01  tick
            08:01:40  LT-1 60
            08:01:50  tick
                      => node 50 COMPOSITE_UNKNOWN RAISED onset 08:00:50 effective 08:01:50
            08:01:55  LT-2 60
                      => node 50 COMPOSITE RAISED onset 08:01:55 effective 08:01:55
                      => node 50 COMPOSITE_UNKNOWN RETURNED onset 08:00:50 effective 08:01:55
            08:02:00  LT-1 10 bad
            08:02:20  LT-2 60 uncertain
            08:02:30  LT-2 - bad
            08:03:00  tick
                      => node 50 COMPOSITE_UNKNOWN RAISED onset 08:02:00 effective 08:03:00
            08:03:10  LT-2 40
                      => node 50 COMPOSITE RETURNED onset 08:01:55 effective 08:03:10
                      => node 50 COMPOSITE_UNKNOWN RETURNED onset 08:02:00 effective 08:03:10
            """,
        ),
        (
            "2 of (LT-1 > H, LT-2 > H, unknown(LT-3))",
            {},
            """
            08:00:00  LT-1 50 | LT-2 85 | LT-3 50
            08:00:30  LT-2 85
            08:00:59  LT-2 85 | LT-1 50
            08:01:01  tick
                      => node 50 COMPOSITE RAISED onset 08:01:00 effective 08:01:00
            08:01:05  LT-3 50
                      => node 50 COMPOSITE RETURNED onset 08:01:00 effective 08:01:05
            """,
        ),
        (
            'LT-1 > H and valve("XV-101") == open',
            {},
            """
            08:00:00  LT-1 50 | XV-101 1
            08:00:05  LT-1 5 over
                      => node 50 COMPOSITE RAISED onset 08:00:05 effective 08:00:05
            08:00:10  LT-1 50 uncertain | XV-101 0 bad
            08:00:15  LT-1 - bad
            08:00:20  LT-1 79 | XV-101 1
            08:00:25  LT-1 50 under
            08:00:30  LT-1 77
                      => node 50 COMPOSITE RETURNED onset 08:00:05 effective 08:00:30
            """,
        ),
        (
            "(LT-1 > H for 10 s) or not LT-2 > 20 %",
            {},
            """
            08:00:00  LT-1 50 | LT-2 50
            08:00:05  LT-1 85 uncertain
            08:00:10  LT-1 50 uncertain
            08:00:15  LT-1 79
                      => node 50 COMPOSITE RAISED onset 08:00:15 effective 08:00:15
            08:00:20  LT-1 50
                      => node 50 COMPOSITE RETURNED onset 08:00:15 effective 08:00:20
            08:00:25  LT-2 0 under
                      => node 50 COMPOSITE RAISED onset 08:00:25 effective 08:00:25
            08:00:30  LT-2 30 uncertain
            08:00:35  LT-2 30
                      => node 50 COMPOSITE RETURNED onset 08:00:25 effective 08:00:35
            """,
        ),
        (
            'LT-1 > H and valve("XV-101") == open',
            {},
            """
            08:00:00  LT-1 85 uncertain | XV-101 0
            08:01:30  XV-101 1
            08:01:35  LT-1 85 uncertain
                      => node 50 COMPOSITE RAISED onset 08:01:35 effective 08:01:35
            08:09:00  tick
            08:09:05  XV-101 0
                      => node 50 COMPOSITE RETURNED onset 08:01:35 effective 08:09:05
            """,
        ),
        (
            'LT-1 > H for 10 s and valve("XV-101") == open'.replace(
                "LT-1 > H for 10 s", "(LT-1 > H for 10 s)"
            )
            + " and not unknown(LT-2)",
            {},
            """
            08:00:00  LT-1 50 | LT-2 50 | XV-101 1
            08:00:05  LT-1 99 over
            08:00:15  tick
                      => node 50 COMPOSITE RAISED onset 08:00:15 effective 08:00:15
            """,
        ),
    ],
    ids=[
        "for and the limit's deadband",
        "for_s and off_s",
        "unknown",
        "M of N and unknown()",
        "flagged values start and end nothing",
        "flagged values count for times and break none",
        "a flagged value that has grown old starts nothing",
        "over-range runs a time out",
    ],
)
def test_a_story(when: str, detail, log: str):
    assert story(log, when, **detail) == tidy(log)


@pytest.mark.parametrize(
    ("when", "values", "holds"),
    [
        ("LT-1 > 5 %", {}, None),
        ("LT-1 > 5 % and LT-2 > 5 %", {1: 1}, False),
        ("LT-1 > 5 % and LT-2 > 5 %", {1: 9}, None),
        ("LT-1 > 5 % or LT-2 > 5 %", {1: 9}, True),
        ("LT-1 > 5 % or LT-2 > 5 %", {1: 1}, None),
        ("not LT-1 > 5 %", {}, None),
        ("2 of (LT-1 > 5 %, LT-2 > 5 %, LT-3 > 5 %)", {1: 9, 2: 9}, True),
        ("2 of (LT-1 > 5 %, LT-2 > 5 %, LT-3 > 5 %)", {1: 9, 2: 1}, None),
        ("2 of (LT-1 > 5 %, LT-2 > 5 %, LT-3 > 5 %)", {1: 1, 2: 1}, False),
        ("LT-1 + LT-2 > 5 %", {1: 9}, None),
        ("max(LT-1, LT-2) > 5 %", {1: 9}, None),
        ("LT-1 / LT-2 > 5", {1: 9, 2: 0}, None),
        ("LT-1 != LT-2", {1: 9}, None),
        ("unknown(LT-1)", {}, True),
        ("unknown(LT-1 > 5 % and LT-2 > 5 %)", {1: 1}, False),
        ("10 % < LT-1 < 20 %", {1: 15}, True),
        ("10 % < LT-1 < 20 %", {1: 20}, False),
        ("10 % <= LT-1 <= 20 %", {1: 20}, True),
        ("avg(LT-1, LT-2) == 10 %", {1: 9, 2: 11}, True),
        ("-LT-1 < -5 % and LT-1 * 2 >= 18 %", {1: 9}, True),
        ("LT-1 >= HH", {1: 90}, True),
        ("HH <= LT-1", {1: 89.9}, False),
        ('tag("XV-101") == closed', {9: 0}, True),
        ('valve("XV-101") != open', {9: 0.5}, True),
        ("LT-1 > 0 and mode(\"V-1\") == run", {1: 9}, True),
        ('mode("V-1") == empty and LT-1 > 0', {1: 9}, False),
        ('mode("S1") != empty and LT-1 > 0', {1: inf}, True),
        ("LT-1 - LT-2 > 0", {1: inf, 2: inf}, None),
        ("LT-1 * LT-1 / LT-1 > 0", {1: 1e308}, True),
    ],
)  # fmt: skip
def test_the_table_of_unknown(when: str, values: dict[int, float], holds: bool | None):
    """holds: True, False, or None where it is unknown for longer than its tags may be silent."""
    plan = compile_plan(plant(rule(when), rule(f"not ({when})", "R2", RULE + 1)))
    state = RuleState.fresh(plan, ZERO)
    found = []
    for second in (0, 50, 100, 150):
        samples = frame(*[(second, id, value) for id, value in values.items()], received=second)
        found += told(step(plan, state, samples, at(second)), KINDS)
    raised = {(node, one[1]) for node, one in found if one[0] == "RAISED"}
    assert ((RULE, "COMPOSITE") in raised) == (holds is True)
    assert ((RULE + 1, "COMPOSITE") in raised) == (holds is False)


def test_units_are_converted_once_and_a_limit_that_is_reached_is_reached():
    tags = [
        tag(1, "A", unit="mm", range=None),
        tag(2, "T", kind=TagKind.TEMPERATURE, unit="°C", range=None),
        tag(3, "U", kind=TagKind.TEMPERATURE, unit="°F", range=None),
        tag(4, "P", kind=TagKind.PRESSURE, unit="MPaG", range=None),
        tag(5, "F", kind=TagKind.FLOW, unit="m3/h", range=None),
        tag(6, "G", kind=TagKind.GAS_TOXIC, unit="ppm", range=None),
    ]
    rules = [
        "A >= 2.3 m",
        "T >= 300 K and T <= 300 K",
        "U == 212 °F and U == 100 °C",
        "T - U < 0 K and abs(T - U) > 70 K",
        "P > 8 barg",
        "F * 30 min >= 5 m3",
        "G >= 0.1 %VOL",
        "avg(T, U) > 60 °C and U - 10 K < 95 °C",
        "A + 20 cm == 2.5 m",
    ]
    nodes = [rule(text, f"R{n}", RULE + n) for n, text in enumerate(rules)]
    plan = compile_plan(plant(*nodes, tags=tags))
    values = [2300.0, 26.85, 212.0, 0.81, 10.0, 1000.0]
    samples = frame(*[(0, n + 1, value) for n, value in enumerate(values)])
    found = step(plan, RuleState.fresh(plan, ZERO), samples, at(0))
    assert {(one.node or 0) - RULE for one in found if one.kind is Kind.COMPOSITE} == set(
        range(len(rules))
    )


def test_a_rule_may_name_another_and_holds_as_that_one_would():
    first = rule("LT-1 > 50 %", "R1", 51, for_s=10)
    second = rule('rule("R1") and not LT-2 > 50 %', "R2", 52)
    plan = compile_plan(plant(first, second))
    state = RuleState.fresh(plan, ZERO)
    found = []
    for second_, values in ((0, (40, 40)), (1, (60, 40)), (12, (60, 40)), (13, (60, 60))):
        samples = frame((second_, 1, values[0]), (second_, 2, values[1]))
        found += told(step(plan, state, samples, at(second_)), KINDS)
    assert [(node, one[0], (one[3] - ZERO) // SECOND) for node, one in found] == [
        (51, "RAISED", 11),
        (52, "RAISED", 11),
        (52, "RETURNED", 13),
    ]


def test_another_mode_is_judged_at_once_and_ends_nothing():
    """What was raised in a mode goes on by that mode until its condition is over."""
    plants = plant(rule('LT-1 < 5 % and mode("V-1") != empty', off_s=5))
    run, empty = compile_plan(plants), compile_plan(plants, {TANK: "empty"})
    state = RuleState.fresh(empty, ZERO)
    assert not told(step(empty, state, frame((0, 1, 1.0)), at(1)), KINDS)
    state, closed = carry(empty, state, run, at(2))
    found = told(step(run, state, None, at(3)), KINDS)
    assert not closed
    assert [one[:2] for _, one in found] == [("RAISED", "COMPOSITE")]
    state, closed = carry(run, state, empty, at(10))
    state = RuleState.from_bytes(empty, state.to_bytes(empty))
    assert not closed
    assert not told(step(empty, state, frame((11, 1, 2.0)), at(30)), KINDS)
    found = told(step(empty, state, frame((31, 1, 5.0)), at(40)), KINDS)
    assert [one[:2] for _, one in found] == [("RETURNED", "COMPOSITE")]
    assert not told(step(empty, state, frame((45, 1, 1.0)), at(50)), KINDS)
    state, _ = carry(empty, state, run, at(52))
    found = told(step(run, state, None, at(53)), KINDS)
    assert [one[:2] for _, one in found] == [("RAISED", "COMPOSITE")]


def test_a_rule_that_has_returned_by_the_old_mode_is_judged_by_the_new_one():
    plants = plant(rule('LT-1 < 5 % and mode("V-1") == run or LT-1 > 5 % and mode("V-1") == empty'))
    run, empty = compile_plan(plants), compile_plan(plants, {TANK: "empty"})
    state = RuleState.fresh(run, ZERO)
    step(run, state, frame((0, 1, 1.0)), at(1))
    state, _ = carry(run, state, empty, at(2))
    assert not told(step(empty, state, None, at(3)), KINDS)
    found = told(step(empty, state, frame((5, 1, 9.0)), at(5)), KINDS)
    assert [one[:2] for _, one in found] == [("RETURNED", "COMPOSITE"), ("RAISED", "COMPOSITE")]


def test_a_mode_that_comes_later_than_the_last_sample_counts_from_its_own_time():
    plants = plant(rule('LT-1 < 5 % and mode("V-1") != empty'), tags=[level(1, max_silence_s=900)])
    run, empty = compile_plan(plants), compile_plan(plants, {TANK: "empty"})
    state = RuleState.fresh(empty, ZERO)
    step(empty, state, frame((0, 1, 1.0)), at(2))
    state, _ = carry(empty, state, run, at(600))
    ((_, one),) = told(step(run, state, None, at(603)), KINDS)
    assert one[:2] == ("RAISED", "COMPOSITE")
    assert micros(at(600)) <= one[2] <= one[3] <= micros(at(603))


def test_samples_that_are_all_too_old_to_say_anything_raise_nothing():
    plan = compile_plan(plant(rule("LT-1 > H or LT-2 > H"), rule("LT-3 > H", "R2", 51)))
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((900, 1, 50.0), (900, 3, 50.0), received=900), at(900))
    assert not told(step(plan, state, frame((10, 2, 85.0), received=901), at(901)), KINDS)
    assert not told(step(plan, state, frame((905, 1, 50.0), received=905), at(905)), KINDS)


def test_a_sample_from_the_future_sets_no_clock_ahead():
    """Neither where the rule begins anew, nor on a tick: the others would seem silent."""
    other = compile_plan(plant(rule("LT-1 > H or LT-2 > HH"), tags=TAGS))
    plan = compile_plan(plant(rule("LT-1 > H or LT-2 > H"), tags=TAGS))
    state = RuleState.fresh(other, ZERO)
    step(other, state, frame((1e6, 1, 50.0), (0, 2, 50.0), received=0), at(0))
    state, _ = carry(other, state, plan, at(1))
    assert not told(step(plan, state, None, at(50)), KINDS)
    found = told(step(plan, state, frame((55, 2, 85.0), received=55), at(55)), KINDS)
    assert [one[:2] for _, one in found] == [("RAISED", "COMPOSITE")]


def test_a_deadband_that_a_mode_takes_away_leaves_those_of_other_comparisons_alone():
    """LT-2 is held in its deadband by its own memory, whatever becomes of the H of LT-1."""
    off = {"empty": {Kind.H: nan, Kind.HH: nan}}
    tags = [replace(level(1), limits_by_mode=off), level(2)]
    plants = plant(rule("LT-1 > H or LT-2 > H"), tags=tags)
    run, empty = compile_plan(plants), compile_plan(plants, {TANK: "empty", SOURCE: "empty"})
    state = RuleState.fresh(run, ZERO)
    assert told(step(run, state, frame((0, 1, 50.0), (0, 2, 85.0)), at(1)), KINDS)
    step(run, state, frame((5, 2, 79.0)), at(5))
    state, _ = carry(run, state, empty, at(6))
    assert not told(step(empty, state, frame((10, 2, 79.0), (10, 1, 50.0)), at(11)), KINDS)
    other = RuleState.fresh(run, ZERO)
    step(run, other, frame((0, 1, 85.0), (0, 2, 79.0)), at(1))
    other, _ = carry(run, other, empty, at(2))
    found = told(step(empty, other, frame((5, 1, 85.0), (5, 2, 79.0)), at(6)), KINDS)
    assert [one[:2] for _, one in found] == [("RETURNED", "COMPOSITE")]


@given(st.floats(1e-9, 1e9))
def test_the_average_of_three_that_are_alike_is_theirs(value: float):
    tags = [replace(level(n), range=None, limits={}, deadband=None) for n in (1, 2, 3)]
    plan = compile_plan(plant(rule(f"avg(LT-1, LT-2, LT-3) == {value!r} %"), tags=tags))
    samples = frame(*[(0, n, value) for n in (1, 2, 3)])
    assert told(step(plan, RuleState.fresh(plan, ZERO), samples, at(0)), KINDS)


def test_a_limit_that_the_mode_switches_off_is_not_reached():
    tank = level(1, limits={Kind.H: 80.0})
    tank = type(tank)(**{name: getattr(tank, name) for name in tank.__slots__}
                      | {"limits_by_mode": {"empty": {Kind.H: nan}}})  # fmt: skip
    plan = compile_plan(plant(rule("LT-1 > H"), tags=[tank]), {SOURCE: "empty"})
    assert not told(step(plan, RuleState.fresh(plan, ZERO), frame((0, 1, 99.0)), at(0)), KINDS)


def test_a_rule_that_changes_begins_anew_from_what_is_known_and_what_is_active_stays():
    one, other = plant(rule("LT-1 > 50 %")), plant(rule("LT-1 > 60 %"))
    plan, changed = compile_plan(one), compile_plan(other)
    state = RuleState.fresh(plan, ZERO)
    assert told(step(plan, state, frame((0, 1, 70.0)), at(0)), KINDS)
    state, closed = carry(plan, state, changed, at(1))
    assert not closed
    assert not told(step(changed, state, None, at(2)), KINDS)
    found = told(step(changed, state, frame((5, 1, 55.0)), at(5)), KINDS)
    assert [one[0] for _, one in found] == ["RETURNED"]
    gone = compile_plan(plant())
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((0, 1, 70.0)), at(0))
    _, closed = carry(plan, state, gone, at(1))
    assert [(one.kind.name, one.edge.name) for one in closed] == [("COMPOSITE", "CLOSED")]


def test_the_alarm_carries_tags_values_and_priority():
    plan = compile_plan(plant(rule("LT-2 > 50 % or LT-1 > 50 %", priority="P1")))
    found = step(plan, RuleState.fresh(plan, ZERO), frame((0, 1, 70.0)), at(0))
    (one,) = [one for one in found if one.kind is Kind.COMPOSITE]
    assert one.detail["priority"] == 1
    assert (one.detail["tag_0"], one.detail["tag_1"]) == (2, 1)
    assert (one.detail["value_1"], one.detail["out"]) == (70.0, 0b01)


@pytest.mark.parametrize(
    ("rules", "sentences"),
    [
        ({"R1": 'rule("R1")'}, ["rules go in a circle: R1 → R1"]),
        ({"R1": 'rule("R2")', "R2": 'not rule("R1")'}, ["circle: R1 → R2 → R1", "R2 → R1 → R2"]),
        ({"R1": 'rule("R3") and LT-1 > H'}, ["no rule 'R3' in the source; allowed: R1"]),
        ({"R1": "LT-1 > H", "R2": "LT-1 >"}, ["'R2' (node 51): line 1, column 7: found the end"]),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_judged_is_no_plan(rules: dict[str, str], sentences: list[str]):
    nodes = [rule(text, code, RULE + n) for n, (code, text) in enumerate(rules.items())]
    with pytest.raises(PlanError) as caught:
        compile_plan(plant(*nodes))
    for sentence in sentences:
        assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


# --- the reference: a walk through the tree -------------------------------------------------------

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
         "==": operator.eq, "!=": operator.ne}  # fmt: skip
WORDS = {"open": 1.0, "closed": 0.0}


SURE, MAYBE, KEEP = range(3)


@dataclass
class Walk:
    """Values of one rule: numbers, or True, False, None = unknown. No unit but %.

    A condition has three of them: by good values; by flagged ones as well; and by good values with
    the memory of the second.
    """

    limits: dict[str, dict[str, tuple[float, float]]]
    latched: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    timers: dict[tuple[int, int], list[Any]] = field(default_factory=dict)
    soonest: list[int] = field(default_factory=list)
    awaited: bool = False

    def number(self, tree: Tree, known: dict[str, float]) -> Any:
        match tree:
            case Number():
                return float(tree.value)
            case Name() | Named():
                return WORDS.get(tree.name, known.get(tree.name))
            case Unary():
                value = self.number(tree.operand, known)
                return None if value is None else -value
            case Binary():
                pair: Any = (self.number(tree.left, known), self.number(tree.right, known))
                if None in pair or (tree.sign == "/" and pair[1] == 0):
                    return None
                do = {"+": operator.add, "-": operator.sub, "*": operator.mul}
                found = {**do, "/": operator.truediv}[tree.sign](*pair)
                return None if isnan(found) else found
            case Call():
                values: list[Any] = [self.number(item, known) for item in tree.arguments]
                if None in values:
                    return None
                if tree.name == "avg":
                    mean = sum(values[1:], values[0]) / len(values)
                    return None if isnan(mean) else max(min(mean, max(values)), min(values))
                functions: dict[str, Any] = {"abs": lambda v: abs(v[0]), "min": min, "max": max}
                return functions[tree.name](values)
        raise AssertionError(tree)

    def holds(self, tree: Tree, known: list[dict[str, float]], now: int) -> list[Any]:
        match tree:
            case Unary():
                values = self.holds(tree.operand, known, now)
                return [None if value is None else not value for value in values]
            case Binary():
                left, right = (self.holds(side, known, now) for side in (tree.left, tree.right))
                decides = tree.sign == "or"
                return [
                    decides if decides in pair else None if None in pair else not decides
                    for pair in zip(left, right, strict=True)
                ]
            case Of():
                items = [self.holds(item, known, now) for item in tree.items]
                return [_of(tree.needed, each) for each in zip(*items, strict=True)]
            case Compare():
                return [self.compare(tree, known[r], r) for r in (SURE, MAYBE, KEEP)]
            case For():
                return self.lasted(tree, self.holds(tree.condition, known, now), now)
            case Call():
                blank = self.number(tree.arguments[0], known[SURE]) is None
                return [(None if self.awaited else True) if blank else False] * 3
        raise AssertionError(tree)

    def compare(self, tree: Compare, known: dict[str, float], reading: int) -> Any:
        latched = self.latched[min(reading, MAYBE)]
        left: Any = tree.left
        right: Any = tree.right
        band = 0.0
        if isinstance(right, Name) and right.name in ("H", "HH"):
            limit, band = self.limits[left.name][right.name]
            x: Any = self.number(left, known)
            y: Any = limit
        else:
            x, y = self.number(left, known), self.number(right, known)
        if tree.deadband is not None:
            band = float(tree.deadband.value)
        if tree.sign not in ("<", "<=", ">", ">="):
            band = 0.0
        if isinstance(right, Name) and right.name in ("H", "HH") and tree.sign in ("<", "<="):
            band = 0.0
        if x is None or y is None:
            return None
        if band and tree.at in latched:
            held = x <= y + band if tree.sign[0] == "<" else x >= y - band
            if not held and reading != MAYBE:
                latched.discard(tree.at)
            return held
        result = SIGNS[tree.sign](x, y)
        if result and band:
            latched.add(tree.at)
        return result

    def lasted(self, tree: For, values: list[Any], now: int) -> list[Any]:
        sure, _, keep = values
        lasting = [self.timed(SURE, tree, sure, now, True)]
        lasting.append(self.timed(MAYBE, tree, together(values), now, True))
        lasting.append(self.timed(MAYBE, tree, keep, now, False))
        return [False if v is False else t for v, t in zip(values, lasting, strict=True)]

    def timed(self, memory: int, tree: For, value: bool | None, now: int, learns: bool) -> Any:
        """[when it was last false ("now": still, None: never), true since then from (None: not)]"""
        timer = self.timers.setdefault((memory, tree.at), [None, None])
        if value is False:
            if learns:
                timer[:] = [-1, None]
            return False
        if timer[0] == -1:
            timer[0] = now
        if value and timer[1] is None:
            timer[1] = now
        if value and now - timer[1] >= tree.lasting:
            return True
        if value:
            self.soonest.append(timer[1] + tree.lasting)
        if timer[0] is None or now - timer[0] >= tree.lasting:
            return None
        self.soonest.append(timer[0] + tree.lasting)
        return False


def _of(needed: int, items: Sequence[bool | None]) -> bool | None:
    if items.count(True) >= needed:
        return True
    return None if items.count(True) + items.count(None) >= needed else False


def together(values: list[Any]) -> bool | None:
    """True if good values, or flagged ones, say so; false only if good ones do."""
    if values[SURE] is True or values[MAYBE] is True:
        return True
    return False if values[SURE] is False and values[KEEP] is False else None


@dataclass
class RuleRow(Row):
    """A written rule in plain Python."""

    tree: Tree = field(default_factory=lambda: Name("", 0))
    names: dict[int, str] = field(default_factory=dict)
    walk: Walk = field(default_factory=lambda: Walk({}))
    values: dict[int, float] = field(default_factory=dict)
    flagged: dict[int, float] = field(default_factory=dict)
    composite: Condition = field(default_factory=lambda: Condition("COMPOSITE"))
    unknown: Condition = field(default_factory=lambda: Condition("COMPOSITE_UNKNOWN"))

    def hear(self, reading: Reading) -> None:
        self.gone.discard(reading.tag)
        self.values.pop(reading.tag, None)
        self.flagged.pop(reading.tag, None)
        if reading.good:
            self.values[reading.tag] = reading.value
        elif not isnan(reading.value):
            self.flagged[reading.tag] = reading.starting
        else:
            self.gone.add(reading.tag)

    def look(self, when: int) -> list[Told]:
        good = {self.names[tag]: v for tag, v in self.values.items() if tag not in self.gone}
        flagged = {self.names[tag]: v for tag, v in self.flagged.items() if tag not in self.gone}
        self.walk.soonest.clear()
        self.walk.awaited = bool(set(self.silence) - self.gone - set(self.values | self.flagged))
        holds = together(self.walk.holds(self.tree, [good, good | flagged, good], when))
        out = self.composite.look(when, holds is True, holds is not False)
        if isinstance(self.tree, For) and out and out[0][0] == "RAISED":
            known = [self.walk.timers[memory, self.tree.at][1] for memory in (SURE, MAYBE)]
            began = min(one for one in known if one is not None)
            self.composite.onset = began
            out = [("RAISED", "COMPOSITE", began, out[0][3])]
        return out + self.unknown.look(when, holds is None, holds is None)

    def own(self) -> int | None:
        dues = [one.due for one in (self.composite, self.unknown) if one.due is not None]
        return min([*dues, *self.walk.soonest], default=None)


def lastings(tree: Tree) -> list[int]:
    own = [tree.lasting] if isinstance(tree, For) else []
    parts = [
        getattr(tree, n) for n in ("left", "right", "operand", "condition") if hasattr(tree, n)
    ]
    parts += [*getattr(tree, "items", ()), *getattr(tree, "arguments", ())]
    return own + [us_ for part in parts for us_ in lastings(part)]


def names_in(tree: Tree) -> set[str]:
    if isinstance(tree, Name | Named):
        return {tree.name}
    parts = [
        getattr(tree, n) for n in ("left", "right", "operand", "condition") if hasattr(tree, n)
    ]
    parts += [*getattr(tree, "items", ()), *getattr(tree, "arguments", ())]
    return {name for part in parts for name in names_in(part)}


def reference(registry: Registry, grace: int) -> Plant:
    rows: dict[int, Row] = {}
    for node in registry.nodes.values():
        if node.kind != "rule":
            continue
        tree = parse(str(node.detail["when"]))
        own = [one for one in registry.tags.values() if one.name in names_in(tree)]
        silence = {one.id: us(policy.silence_after(one)) for one in own}
        limits = {
            one.name: {k.name: (v, policy.deadband(one, k)) for k, v in one.limits.items()}
            for one in own
        }
        patience = max(silence.values()) + max(lastings(tree), default=0)
        rows[node.id] = RuleRow(
            silence,
            grace,
            tree=tree,
            names={one.id: one.name for one in own},
            walk=Walk(limits),
            composite=Condition("COMPOSITE", off=us(float(str(node.detail.get("off_s", 0))))),
            unknown=Condition("COMPOSITE_UNKNOWN", on=patience),
        )
    return Plant(rows)


numbers = st.recursive(
    st.sampled_from(["LT-1", "LT-2", "LT-3"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-"), inner).map(lambda p: f"({' '.join(p)})"),
        st.tuples(inner, st.sampled_from(["2", "0.5"])).map(lambda p: f"{p[0]} * {p[1]}"),
        inner.map(lambda x: f"abs({x})"),
        st.tuples(inner, inner).map(lambda p: f"max({p[0]}, {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"avg({p[0]}, {p[1]})"),
    ),
    max_leaves=3,
)
comparisons = st.one_of(
    st.tuples(
        numbers,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from(["40 %", "80 %", "0 %"]),
    ).map(" ".join),
    st.tuples(numbers, st.sampled_from(["<", ">="]), st.sampled_from(["40 % deadband 5 %"])).map(
        " ".join
    ),
    st.tuples(numbers, st.just("<"), numbers).map(" ".join),
    st.tuples(st.sampled_from(["LT-1", "LT-2"]), st.sampled_from([">", ">=", "<="]),
              st.sampled_from(["H", "HH"])).map(" ".join),
    st.just('valve("XV-101") == open'),
    st.just("unknown(LT-2)"),
)  # fmt: skip
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({' '.join(p)})"),
        inner.map(lambda x: f"not ({x})"),
        st.tuples(inner, st.sampled_from(["2 s", "5 s", "1 min"])).map(
            lambda p: f"({' for '.join(p)})"
        ),
        st.tuples(st.integers(1, 3), inner, inner, inner).map(
            lambda p: f"{p[0]} of ({p[1]}, {p[2]}, {p[3]})"
        ),
    ),
    max_leaves=5,
).filter(lambda text: text.count(" for ") <= 4)  # fmt: skip


@st.composite
def plants(draw: st.DrawFn) -> Registry:
    silence = st.sampled_from([4.0, 40.0, 200.0])
    tags = [level(n, max_silence_s=draw(silence)) for n in (1, 2, 3)] + [VALVE]
    texts = draw(st.lists(conditions, min_size=1, max_size=4))
    rules = [
        rule(text, f"R{n}", RULE + n, off_s=draw(st.sampled_from([0, 3])))
        for n, text in enumerate(texts)
    ]
    return plant(*rules, tags=tags)


@st.composite
def streams(draw: st.DrawFn, plant: Registry, alike: bool = False) -> list[tuple[int, Reading]]:
    late = {id: us(draw(st.sampled_from([0, 0.5, 3]))) for id in plant.tags}
    if alike:
        late = dict.fromkeys(late, min(late.values()))
    now = ZERO + us(1)
    out = [(now + id, Reading(id, now + id - late[id], 1.0)) for id in plant.tags]
    for _ in range(draw(st.integers(1, 30))):
        now += us(draw(st.sampled_from([0.5, 0.5, 1, 2, 7, 50])))
        one = draw(st.sampled_from(list(plant.tags)))
        values = (
            [0.0, 1.0] if one == VALVE.id else [0.0, 36.0, 40.0, 45.0, 78.0, 80.0, 85.0, 90.0, nan]
        )
        quality = draw(st.sampled_from([192, 192, 192, 192, 192, 64, 0, 86, 85]))
        out.append((now, Reading(one, now - late[one], draw(st.sampled_from(values)), quality)))
    return out


def frame_of(readings: Iterable[Reading], received: int) -> Frame:
    some = list(readings)
    return Frame.of(
        [one.tag for one in some],
        [one.at for one in some],
        [one.value for one in some],
        received=received,
        quality=[one.quality for one in some],
    )


def run(plant: Registry, stream, cuts: Iterable[int], ticks: Iterable[int]):
    plan = compile_plan(plant)
    state = RuleState.fresh(plan, ZERO)
    edges = [0, *sorted(n for n in set(cuts) if 0 < n < len(stream)), len(stream)]
    parts = [stream[begin:end] for begin, end in pairwise(edges)]
    walls: dict[int, list] = {stream[-1][0] + us(9000): []}
    walls |= {w: [] for w in ticks if not any(p[0][0] <= w <= p[-1][0] for p in parts)}
    walls |= {part[-1][0]: part for part in parts}
    out = []
    for wall, part in sorted(walls.items()):
        by_tag = sorted((one for _, one in part), key=lambda one: one.tag)
        samples = frame_of(by_tag, wall) if part else None
        out += told(step(plan, state, samples, moment(wall)), KINDS)
    return by_subject(out)


@given(st.data())
@settings(max_examples=80)
def test_it_agrees_with_the_reference_and_no_cut_and_no_tick_changes_anything(data):
    """Frames are sorted by tag, as ours are; where tags are late by different times, samples of one
    frame pass in the order of their event times, so there only single samples are compared."""
    plant = data.draw(plants())
    alike = data.draw(st.booleans())
    stream = data.draw(streams(plant, alike))
    slow = reference(plant, ZERO)
    expected = []
    for arrived, reading in stream:
        expected += slow.frame([reading], arrived) + slow.tick(arrived)
    expected += slow.tick(stream[-1][0] + us(9000))
    assert run(plant, stream, range(len(stream)), []) == by_subject(expected)
    if not alike:
        return
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    ticks = data.draw(st.sets(st.integers(ZERO + us(5), ZERO + us(60))))
    assert run(plant, stream, cuts, ticks) == by_subject(expected)
    assert run(plant, stream, [], []) == by_subject(expected)


@given(st.data())
@settings(max_examples=40)
def test_a_snapshot_and_a_plan_that_is_swapped_for_its_like_change_nothing(data):
    plant = data.draw(plants())
    stream = data.draw(streams(plant))
    where = data.draw(st.integers(0, len(stream)))
    plan = compile_plan(plant)
    state, again = RuleState.fresh(plan, ZERO), RuleState.fresh(plan, ZERO)
    out: list[tuple[int, Told]] = []
    other: list[tuple[int, Told]] = []
    for n, (arrived, reading) in enumerate(stream):
        if n == where:
            again = RuleState.from_bytes(plan, again.to_bytes(plan))
            again, closed = carry(plan, again, compile_plan(plant), moment(arrived))
            assert not closed
        for into, one in ((out, state), (other, again)):
            found = step(plan, one, frame_of([reading], arrived), moment(arrived))
            into += told(found, KINDS)
    assert other == out


@given(st.data())
@settings(max_examples=40)
def test_no_data_never_ends_a_rule(data):
    """What holds stays while samples are bad or flagged, or do not come."""
    plant = data.draw(plants())
    if any("unknown" in str(node.detail.get("when")) for node in plant.nodes.values()):
        return
    plan = compile_plan(plant)
    state = RuleState.fresh(plan, ZERO)
    end = ZERO
    for arrived, reading in data.draw(streams(plant)):
        end = arrived
        step(plan, state, frame_of([reading], arrived), moment(arrived))
    step(plan, state, None, moment(end + us(4)))
    bad = [Reading(id, end + us(20), nan, 0) for id in plant.tags]
    found = told(step(plan, state, frame_of(bad, end + us(20)), moment(end + us(20))), KINDS)
    value, quality = st.sampled_from([nan, 0.0, 1.0, 50.0, 99.0]), st.sampled_from([0, 64, 85, 86])
    for n in (30, 31, 40):
        flag = [Reading(id, end + us(n), data.draw(value), data.draw(quality)) for id in plant.tags]
        found += told(step(plan, state, frame_of(flag, end + us(n)), moment(end + us(n))), KINDS)
    found += told(step(plan, state, None, moment(end + us(9000))), KINDS)
    late = [
        one for _, one in found if one[:2] == ("RETURNED", "COMPOSITE") and one[3] > end + us(24)
    ]
    assert not late


def test_the_loop_is_compiled_once_and_finds_the_same_uncompiled():
    texts = ("LT-1 > H or (LT-2 > 50 % for 5 s)", 'unknown(LT-1) or valve("XV-101") == open',
             "1 of (abs(LT-1 / LT-2) > 2, LT-3 < 5 %, not LT-1 == LT-2)")  # fmt: skip
    plan = compile_plan(plant(*(rule(text, f"R{n}", RULE + n) for n, text in enumerate(texts))))
    found = []
    compiled: Any = composites.follow
    for loop in (compiled, compiled.py_func):
        state, out = RuleState.fresh(plan, ZERO), []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(composites, "follow", loop)
            for n, quality in enumerate([192, 192, 86, 64, 192, 85, 192] * 3):
                some = [(9 * n, id, WILD[(n * id) % len(WILD)]) for id in (1, 2, 3, 9)]
                out += step(plan, state, frame(*some, quality=quality), at(9 * n + n % 3))
            state = RuleState.from_bytes(plan, state.to_bytes(plan))
            out += step(plan, state, None, at(9000))
        found.append(told(out, KINDS))
        assert len(compiled.signatures) == 1
    assert found[0] == found[1]
    assert len(found[0]) > 9


LITERALS = ["0", "1e300 %", "40 %", "-40 %", "1e-300 %", "5 m", "50 °C", "280 K", "1 MPaG", "3"]
TEXTS = st.recursive(
    st.sampled_from([
        *("LT-1 > H", "LT-1 < HH", "TT-1 - TT-2 > 5 K", "1 / LT-2 > 0", "LT-1 * LT-2 > 0"),
        *('rule("R0")', 'rule("R1") and LT-1 > H', 'mode("V-1") == empty', "unknown(PT-1)"),
        *('valve("XV-101") == open', "GONE-1 > 5 %", "PT-1 > 1 barg", "avg(TT-1, TT-2) > 50 °C"),
        *(f"{name} {sign} {literal}" for name in ("LT-1", "TT-1", "PT-1") for sign in ("<", "!=")
          for literal in LITERALS),
    ]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({' '.join(p)})"),
        inner.map(lambda x: f"not ({x})"),
        inner.map(lambda x: f"({x} for 5 s)"),
        st.tuples(inner, inner).map(lambda p: f"1 of ({p[0]}, {p[1]})"),
    ),
    max_leaves=4,
)  # fmt: skip
UNITS = {1: ["%", "m", "mm", "kg"], 4: ["°C", "K", "°F"], 5: ["°C", "K"], 6: ["MPaG", "kPa", "x"]}
WILD = [nan, inf, -inf, 1e308, -1e308, 5e-324, 0.0, -0.0, 50.0, 85.0]


@st.composite
def wild_plants(draw: st.DrawFn) -> Registry:
    """Members missing, units that do not fit, rules that name each other."""
    made = {
        id: replace(level(id), unit=draw(st.sampled_from(UNITS.get(id, ["%"])))) for id in (1, 2)
    }
    for id, name, kind in ((4, "TT-1", "temperature"), (5, "TT-2", "temperature"),
                           (6, "PT-1", "pressure")):  # fmt: skip
        unit = draw(st.sampled_from(UNITS[id]))
        made[id] = tag(id, name, kind=TagKind(kind), unit=unit, range=None, interval_s=5.0)
    missing = draw(st.sets(st.sampled_from([1, 4, 6]), max_size=1))
    tags = [one for id, one in made.items() if id not in missing] + [VALVE]
    texts = draw(st.lists(TEXTS, min_size=1, max_size=3))
    return plant(*(rule(text, f"R{n}", RULE + n) for n, text in enumerate(texts)), tags=tags)


def watchable(plant: Registry) -> Registry:
    """Without the rules that the compiler refuses, each for a reason that has a place."""
    while True:
        try:
            compile_plan(plant)
        except PlanError as error:
            place = re.compile(r"rule 'R\d' \(node \d+\): line 1, column \d+: .")
            unplaced = [problem for problem in error.problems if not place.match(problem)]
            if unplaced or not error.nodes:
                raise AssertionError(unplaced) from error
            left = {id: node for id, node in plant.nodes.items() if id not in error.nodes}
            plant = replace(plant, nodes=left)
        else:
            return plant


@given(st.data())
@settings(max_examples=40)
def test_no_rule_raises_an_exception_or_is_silently_normal(data):
    """Whatever is written, measured or changed: what is wrong is told with its place, and every
    change of a rule has its edge, also where it is of no plan any more."""
    active: set[int] = set()
    state, plan, plants_ = None, None, []
    for n in range(data.draw(st.integers(1, 3))):
        plants_.append(watchable(data.draw(wild_plants())))
        new = compile_plan(plants_[-1], {TANK: data.draw(st.sampled_from(["run", "empty"]))})
        when = 100 * n
        if state is None or plan is None:
            state = RuleState.fresh(new, ZERO)
        else:
            state, closed = carry(plan, state, new, at(when))
            active -= {one.node or 0 for one in closed if one.kind is Kind.COMPOSITE}
        plan = new
        for second in data.draw(st.lists(st.sampled_from([0, 1, 1, 20, 6e7, -5]), max_size=6)):
            when += second
            ids = data.draw(st.lists(st.sampled_from([1, 2, 4, 5, 6, 9]), min_size=1, max_size=6))
            some = [(when, id, data.draw(st.sampled_from(WILD))) for id in ids]
            quality = data.draw(st.sampled_from([192, 64, 0, 85, 86]))
            samples = frame(*some, received=when, quality=quality)
            found = [one for one in step(plan, state, samples, at(when)) if one.kind.name in KINDS]
            for _, (edge, kind, onset, effective) in told(found, KINDS):
                assert onset <= effective or edge == "CLOSED", kind
            raised = {one.node for one in found if one.kind is Kind.COMPOSITE}
            number = LAYERS.index(COMPOSITES)
            memory, table = state.layers[number], plan.layers[number]
            now = set(table.keys[memory.onset[:, 0] != NEVER].tolist())
            assert now ^ active <= raised, "an edge for every change"
            active = now
