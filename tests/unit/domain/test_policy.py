"""Default priorities: what where a tag is makes of them (domain.md 4.4, written down by hand)."""

import json
from dataclasses import replace
from datetime import UTC
from math import inf, nan
from unittest.mock import patch
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.occurrences import fresh
from domain import policy
from domain.alarms import Edge, Finding, Kind, Priority
from domain.circumstances import circumstances
from domain.instant import micros
from domain.plant import Circumstance, TagKind
from domain.site import read_site
from tests.support.builders import at, registry, tag
from tests.support.sites import enterprise, site_data
from tests.support.sites import tag as entry
from tests.support.vessels import whole_registry

LEVEL, PRESSURE, TEMPERATURE = TagKind.LEVEL, TagKind.PRESSURE, TagKind.TEMPERATURE
REACTOR, HOLDER, LIQUEFIED, GRAVE, ROOFLESS = Circumstance
P1, P2, P3, P4 = Priority


@pytest.mark.parametrize(
    ("kind", "alarm", "where", "expected"),
    [
        (LEVEL, Kind.HH, (), P2),
        (LEVEL, Kind.HH, (GRAVE,), P1),
        (LEVEL, Kind.LL, (GRAVE,), P1),
        (LEVEL, Kind.LL, (LIQUEFIED,), P1),
        (LEVEL, Kind.HH, (REACTOR, HOLDER), P2),
        (LEVEL, Kind.H, (GRAVE, LIQUEFIED, REACTOR), P3),
        (PRESSURE, Kind.HH, (GRAVE,), P1),
        (PRESSURE, Kind.LL, (GRAVE,), P1),
        (PRESSURE, Kind.HH, (LIQUEFIED, REACTOR), P2),
        (TEMPERATURE, Kind.HH, (), P2),
        (TEMPERATURE, Kind.HH, (GRAVE, LIQUEFIED), P2),
        (TEMPERATURE, Kind.HH, (REACTOR,), P1),
        (TEMPERATURE, Kind.LL, (REACTOR,), P2),
        (TEMPERATURE, Kind.ROC, (), P3),
        (TEMPERATURE, Kind.ROC, (REACTOR,), P2),
        (PRESSURE, Kind.ROC, (REACTOR,), P3),
        (LEVEL, Kind.ROC, (HOLDER,), P2),
        (TagKind.GAS_TOXIC, Kind.H, tuple(Circumstance), P2),
    ],
)
def test_where_a_tag_is_makes_its_alarms_graver(kind, alarm, where, expected):
    own = replace(tag(kind=kind), circumstances=frozenset(where))
    assert policy.priority(own, alarm) is expected


@given(
    st.sampled_from(TagKind),
    st.sampled_from([Kind.HH, Kind.H, Kind.ROC, Kind.OFFLINE, Kind.PREDICT, Kind.FROZEN]),
    st.booleans(),
    st.frozensets(st.sampled_from(Circumstance)),
)
def test_no_circumstance_ever_lowers_a_priority_but_that_of_ll(kind, alarm, critical, where):
    plain = tag(kind=kind, safety_critical=critical)
    raised = policy.priority(replace(plain, circumstances=where), alarm)
    assert raised <= policy.priority(plain, alarm) <= policy.rule(kind, alarm).priority


def test_the_site_file_has_the_last_word():
    own = tag(priorities={Kind.HH: P3})
    assert policy.priority(replace(own, circumstances=frozenset(Circumstance)), Kind.HH) is P3


@pytest.mark.parametrize(
    ("left_s", "expected"), [(600.0, P2), (0.0, P2), (600.1, P3), (inf, P3), (nan, P3)]
)
def test_a_forecast_of_ten_minutes_or_less_is_graver(left_s, expected):
    assert policy.priority(tag(), Kind.PREDICT, left_s) is expected
    assert policy.priority(tag(), Kind.HH, left_s) is P2


@pytest.mark.parametrize(
    ("grade", "vessel", "expected"),
    [
        (None, None, set()),
        (1, None, {GRAVE}),
        (2, {}, {GRAVE}),
        (3, {"kind": "atmospheric_tank"}, set()),
        (None, {"kind": "reactor"}, {REACTOR}),
        (None, {"kind": "gas_holder"}, {HOLDER}),
        (None, {"kind": "tank", "shape": "gas_holder"}, {HOLDER}),
        (4, {"kind": "fixed_roof_tank"}, {ROOFLESS}),
        (4, {"kind": "pressure_tank"}, {LIQUEFIED, ROOFLESS}),
        (4, {"kind": "tank", "shape": "sphere"}, {LIQUEFIED, ROOFLESS}),
        (4, {"kind": "pressure_tank", "liquefied_gas": False}, {ROOFLESS}),
        (4, {"kind": "atmospheric_tank", "liquefied_gas": True}, {LIQUEFIED}),
    ],
)
def test_circumstances_follow_from_grade_and_vessel(grade, vessel, expected):
    assert circumstances(grade, vessel) == expected


def test_a_registered_tag_has_those_of_its_source_and_vessel():
    data = site_data(enterprise("e1", entry("LT-1", equipment="V-1"), entry("LT-2")))
    source = data["enterprises"][0]["sources"][0]
    source |= {"grade": 2, "equipment": [{"code": "V-1", "kind": "pressure_tank"}]}
    tags = {one.name: one for one in whole_registry(read_site(json.dumps(data))).tags.values()}
    assert tags["LT-1"].circumstances == {GRAVE, LIQUEFIED, ROOFLESS}
    assert tags["LT-2"].circumstances == {GRAVE}


@pytest.mark.parametrize(("eta_s", "expected"), [(600, P2), (601, P3), (inf, P3), (nan, P3)])
def test_an_occurrence_begins_with_what_its_forecast_leaves(eta_s, expected):
    """The forecast's `eta` is an instant in microseconds."""
    detail = {"eta": micros(at(60)) + 1e6 * eta_s}
    found = Finding(Edge.RAISED, Kind.PREDICT, 1, None, at(0), at(60), 2.3, 2.5, detail=detail)
    plant = registry(tag(1, limits={Kind.HH: 2.5}))
    with patch("alerts.occurrences.text.sentence", return_value=""):
        assert fresh(plant, UTC, uuid4(), found).priority is expected
