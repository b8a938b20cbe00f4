"""What a site file may change of the alarm policy, and what it may not."""

import json
from dataclasses import replace
from itertools import product

import pytest

from domain import policy
from domain.alarms import Kind
from domain.effective_policy import Origin, effective
from domain.plant import Circumstance, TagKind
from domain.problem import DocumentError
from domain.site import TagEntry, read_site
from tests.support.builders import START
from tests.support.sites import enterprise, site_data, tag

GAS = {"kind": "gas_toxic", "unit": "ppm", "limits": {"H": 20, "HH": 40}}
TRIP = {"kind": "utility", "unit": "", "limits": {"H": 1}, "range": [0, 1]}
RULE = {"name": "停泵低流量", "parent": "XS-1", "kinds": ["H"]}
TAGS = "enterprises[0].sources[0].tags"


def problems(*tags: dict[str, object]) -> dict[str, str]:
    try:
        read_site(json.dumps(site_data(enterprise("e1", *tags))))
    except DocumentError as error:
        return {problem.path.removeprefix(TAGS): problem.text for problem in error.problems}
    return {}


def made(**members: object):
    return TagEntry.model_validate_json(json.dumps(tag("LT-1", **members))).tag(1, 1, 2, 3, START)


@pytest.mark.parametrize(
    ("members", "path", "text"),
    [
        (GAS | {"alarms": {"HH": {"latch": False}}}, "alarms.HH.latch", "stays latched"),
        (GAS | {"alarms": {"H": {"auto_ack": True}}}, "alarms.H.auto_ack", "call somebody"),
        (
            {"safety_critical": True, "alarms": {"H": {"auto_ack": True}}},
            "alarms.H.auto_ack",
            "call somebody",
        ),
        (
            {"safety_critical": True, "alarms": {"HH": {"latch": False}}},
            "alarms.HH.latch",
            "stays latched",
        ),
        (
            {"priorities": {"H": "P1"}, "alarms": {"H": {"auto_ack": True}}},
            "alarms.H.auto_ack",
            "P1",
        ),
        ({"alarms": {"L": {"latch": True}}}, "alarms.L", "the tag has no limits.L"),
        ({"alarms": {"ROC": {"latch": True}}}, "alarms.ROC", "no rate_per_min"),
        ({"alarms": {"H": {"re_alarm_s": 5}}}, "alarms.H.re_alarm_s", "60"),
        (
            {"alarms": {"H": {"re_alarm_s": 600, "auto_ack": True}}},
            "alarms.H.re_alarm_s",
            "never alarms again",
        ),
        (GAS | {"alarms": {"L": {"latch": True}}}, "alarms.L", "no low alarms"),
    ],
)
def test_what_the_policy_does_not_leave_to_the_site_file_is_named(members, path, text):
    found = problems(tag("LT-1", **members))
    assert list(found) == [f"[0].{path}"]
    assert text in found[f"[0].{path}"]


FIRE = {"kind": "fire", "unit": "", "range": [0, 1], "limits": {"H": 1}}
TRIPPED = FIRE | {"kind": "interlock"}
OXYGEN = {"kind": "oxygen", "unit": "%VOL", "range": [0, 30], "limits": {"L": 19.5, "H": 23.5}}
CRITICAL = {"safety_critical": True}
FIRST = {"H": 20}


@pytest.mark.parametrize(
    ("members", "path", "text"),
    [
        (GAS | {"priorities": {"HH": "P4"}}, "priorities.HH", "allowed: P1"),
        (GAS | {"priorities": {"H": "P3"}}, "priorities.H", "allowed: P1, P2"),
        (GAS | {"priorities": {"H": "P1", "HH": "P1"}}, "", ""),
        (GAS | {"priorities": {"OFFLINE": "P4"}}, "", ""),
        (GAS | CRITICAL | {"priorities": {"OFFLINE": "P4"}}, "priorities.OFFLINE", "P1, P2, P3"),
        (FIRE | {"priorities": {"H": "P2"}}, "priorities.H", "allowed: P1"),
        (TRIPPED | {"priorities": {"H": "P4"}}, "priorities.H", "allowed: P1"),
        (CRITICAL | {"priorities": {"HH": "P3"}}, "priorities.HH", "allowed: P1, P2"),
        ({"priorities": {"HH": "P4"}}, "", ""),
        (GAS | {"delay_on_s": 600}, "delay_on_s", "up to 2 s"),
        (GAS | {"delay_on_s": 2}, "", ""),
        (GAS | {"limits": FIRST, "delay_on_s": 3}, "", ""),
        (GAS | {"limits": FIRST, "delay_on_s": 3.5}, "delay_on_s", "up to 3 s"),
        (OXYGEN | {"delay_on_s": 6}, "delay_on_s", "up to 5 s"),
        (FIRE | {"delay_on_s": 1}, "delay_on_s", "up to 0 s"),
        (TRIPPED | {"delay_on_s": 1}, "delay_on_s", "up to 0 s"),
        ({"delay_on_s": 600}, "", ""),
    ],
)
def test_nothing_makes_gas_fire_trips_and_critical_tags_less_urgent_or_late(members, path, text):
    found = problems(tag("LT-1", **members))
    assert list(found) == ([f"[0].{path}"] if path else [])
    assert text in "".join(found.values())


def test_what_is_p1_by_where_it_is_never_acknowledges_itself_and_is_never_suppressed():
    rule = RULE | {"kinds": ["HH"]}
    child = tag("LT-1", suppressed_by=[rule], alarms={"HH": {"auto_ack": True}})
    data = site_data(enterprise("e1", child, tag("XS-1", **TRIP)))
    read_site(json.dumps(data))
    data["enterprises"][0]["sources"][0]["grade"] = 2
    with pytest.raises(DocumentError) as error:
        read_site(json.dumps(data))
    found = {problem.path.removeprefix(TAGS): problem.text for problem in error.value.problems}
    assert list(found) == ["[0].alarms.HH.auto_ack", "[0].suppressed_by[0].kinds[0]"]
    assert all("P1" in text for text in found.values())


def test_what_a_site_file_says_is_in_effect_and_shown_with_its_origin():
    own = {"H": {"re_alarm_s": 600, "latch": True}, "HH": {"latch": False}}
    assert problems(tag("LT-1", alarms=own)) == {}
    found = made(alarms=own)
    high = policy.of(found, Kind.H)
    assert (high.latch, high.re_alarm_s, policy.of(found, Kind.HH).latch) == (True, 600, False)
    shown = {one.kind: one.members for one in effective(found)}
    assert (shown[Kind.H]["latch"].value, shown[Kind.H]["latch"].origin) == (True, Origin.SITE)
    assert shown[Kind.H]["re_alarm"].origin is Origin.SITE
    assert shown[Kind.H]["auto_ack"].origin is Origin.POLICY
    assert shown[Kind.HH]["latch"].value is False


def test_for_the_journal_alone_is_a_process_tags_choice():
    assert problems(tag("LT-1", alarms={"H": {"auto_ack": True}})) == {}
    assert policy.of(made(alarms={"H": {"auto_ack": True}}), Kind.H).auto_ack


def test_no_kind_of_tag_breaks_the_check():
    for kind, word in product(TagKind, ("LL", "L", "H", "HH", "ROC", "OFFLINE")):
        own = {"kind": kind, "unit": "", "limits": {"LL": 1, "L": 2, "H": 3, "HH": 4}}
        said = {word: {"latch": False, "auto_ack": True}}
        problems(tag("LT-1", **own | {"alarms": said}))


@pytest.mark.parametrize(
    ("child", "parent", "path", "text"),
    [
        ({}, {}, "", ""),
        ({"rule": {"parent": "XS-2"}}, {}, "[0].suppressed_by[0].parent", 'did you mean "XS-1"'),
        ({"rule": {"kinds": ["L"]}}, {}, "[0].suppressed_by[0].kinds[0]", "no such alarm"),
        (
            {"rule": {"parent_kinds": ["HH"]}},
            {},
            "[0].suppressed_by[0].parent",
            "no limit HH: it never alarms so",
        ),
        ({"rule": {"parent": "LT-1"}}, {}, "[0].suppressed_by[0].parent", "no circles"),
        ({"priorities": {"H": "P1"}}, {}, "[0].suppressed_by[0].kinds[0]", "never suppressed"),
        (GAS, {}, "[0].suppressed_by[0].kinds", "never suppressed"),
        (
            {},
            {"kind": "state", "alarms": {"H": {"auto_ack": True}}},
            "[0].suppressed_by[0].parent",
            "nobody would hear",
        ),
    ],
)
def test_rules_of_suppression_by_design_fit_together(child, parent, path, text):
    rule = RULE | child.get("rule", {})
    own = {name: said for name, said in child.items() if name != "rule"}
    found = problems(tag("LT-1", **own, suppressed_by=[rule]), tag("XS-1", **TRIP | parent))
    assert list(found) == ([path] if path else [])
    assert text in "".join(found.values())


def test_a_circle_of_rules_is_named_at_each_of_them():
    def turn(name: str, parent: str) -> dict[str, object]:
        rule = {"name": f"{name} after {parent}", "parent": parent, "kinds": ["H"]}
        return tag(name, suppressed_by=[rule])

    found = problems(turn("A", "B"), turn("B", "C"), turn("C", "A"), turn("D", "A"))
    assert list(found) == [f"[{k}].suppressed_by[0].parent" for k in range(3)]


def test_a_name_of_a_rule_is_used_once_in_an_enterprise():
    other = tag("LT-2", suppressed_by=[RULE])
    found = problems(tag("LT-1", suppressed_by=[RULE]), other, tag("XS-1", **TRIP))
    assert list(found) == ["[1].suppressed_by[0].name"]


def test_a_rule_is_shown_in_the_effective_policy():
    found = made(suppressed_by=[RULE])
    assert found.suppressed_by[0].parent_kinds is None
    shown = {one.kind: one.members for one in effective(found)}
    assert shown[Kind.H]["suppressed_by"].value == "停泵低流量"
    assert "suppressed_by" not in shown[Kind.HH]


HEALTH = [Kind.FROZEN, Kind.NOISE, Kind.DRIFT, Kind.CLIPPED, Kind.COPIED]
REPORTED = [Kind.UNDERREPORT, Kind.THRESHOLD_MISMATCH]
OF_GAS = [Kind.INTERMITTENT, *REPORTED, Kind.DETECTOR_FAULT]


@pytest.mark.parametrize(
    ("members", "kinds"),
    [
        (
            {"rate_per_min": 2},
            [
                Kind.H,
                Kind.HH,
                Kind.ROC,
                Kind.OFFLINE,
                Kind.PREDICT,
                Kind.CHANGE,
                *HEALTH,
                *REPORTED,
            ],
        ),
        (
            GAS,
            [Kind.H, Kind.HH, Kind.OFFLINE, Kind.PREDICT, *HEALTH, *OF_GAS],
        ),
        (TRIP, [Kind.H, Kind.OFFLINE, *HEALTH, *REPORTED]),
        ({"limits": {}}, [Kind.OFFLINE, Kind.CHANGE, *HEALTH]),
    ],
)
def test_the_effective_policy_has_every_kind_of_alarm_that_a_tag_may_have(members, kinds):
    shown = {one.kind: one.members for one in effective(made(**members))}
    assert list(shown) == kinds
    for own in shown.values():
        assert {"priority", "latch", "ack", "shelve", "who_acknowledges", "who_shelves"} <= set(own)


def test_the_effective_policy_says_who_may_and_what_where_a_tag_is_does():
    where = frozenset({Circumstance.GRADE_1_2, Circumstance.REACTOR})
    shown = {one.kind: one.members for one in effective(replace(made(), circumstances=where))}
    high = shown[Kind.HH]
    assert (high["who_acknowledges"].value, high["who_shelves"].value) == ("enterprise",) * 2
    assert (high["priority"].value, high["priority"].origin) == ("P1", Origin.POLICY)
    assert high["raised_by"].value == "grade_1_2"
    assert "raised_by" not in shown[Kind.H]
    soon = shown[Kind.PREDICT]
    assert (soon["priority"].value, soon["priority_soon"].value) == ("P3", "P2")
    assert (soon["soon"].value, soon["soon"].unit, soon["soon"].confidence) == (600, "s", "P")


def test_a_priority_of_the_site_file_was_raised_by_nothing():
    where = frozenset({Circumstance.GRADE_1_2})
    own = replace(made(priorities={"HH": "P3"}), circumstances=where)
    high = {one.kind: one.members for one in effective(own)}[Kind.HH]
    assert (high["priority"].value, high["priority"].origin) == ("P3", Origin.SITE)
    assert "raised_by" not in high
