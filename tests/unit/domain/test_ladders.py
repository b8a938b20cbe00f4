"""Ladders of several jurisdictions: the nearest one above a source is its own."""

from dataclasses import replace

import pytest

from domain.escalation import default
from domain.ladders import Ladders, placed
from domain.plant import Registry
from tests.unit.alerts.test_holes import SITE

SHIPPED = default()
COUNTY, PARK, ONE = (replace(SHIPPED, version=word) for word in ("county", "park", "one"))


@pytest.mark.parametrize(
    ("by_node", "first", "second"),
    [
        ({}, SHIPPED, SHIPPED),
        ({("c",): COUNTY}, COUNTY, COUNTY),
        ({("c",): COUNTY, ("p",): PARK}, PARK, PARK),
        ({("c", "p"): PARK, ("e1",): ONE}, ONE, PARK),
        ({("p", "e1"): ONE, ("e1",): PARK}, ONE, SHIPPED),
        ({("e1", "s"): ONE}, ONE, SHIPPED),
        ({("x", "p"): PARK}, SHIPPED, SHIPPED),
    ],
)
def test_the_nearest_ladder_above_a_source_is_its_own(by_node, first, second):
    found = placed(Ladders(SHIPPED, by_node), SITE)
    assert (found.of(4).version, found.of(6).version) == (first.version, second.version)
    assert found.of(99) is SHIPPED


def test_a_source_that_has_left_the_site_keeps_the_ladder_that_it_had():
    ladders = Ladders(SHIPPED, {("e1",): ONE})
    before = placed(ladders, SITE)
    assert before.of(4) is ONE
    gone = Registry(2, {}, (), {})
    assert placed(ladders, gone, before).of(4) is ONE
    assert placed(ladders, gone).of(4) is SHIPPED


def test_a_node_that_no_place_has_is_found():
    ladders = Ladders(SHIPPED, {("p",): PARK, ("my-prak",): ONE})
    assert ladders.lost([("c",), ("c", "p")]) == [("my-prak",)]


def test_the_roles_are_those_of_all_ladders():
    other = replace(SHIPPED.roles["PK"], code="TD", name="团场值班")
    ladders = Ladders(SHIPPED, {("p",): replace(SHIPPED, roles={"TD": other})})
    assert set(ladders.roles) == {*SHIPPED.roles, "TD"}
