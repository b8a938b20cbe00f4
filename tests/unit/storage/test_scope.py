"""For whom a grant speaks in a warning."""

from datetime import UTC, datetime

import pytest

from domain.cases import Level
from domain.site_rules import KNOWN_KINDS
from storage.sessions import Scope

NOBODYS = {"country"}
"""Kinds of areas that no 签收 comes from."""


def scope(kind: str, role: str = "operator") -> Scope:
    grant = {"role": role, "node": 7, "kind": kind, "name": "x", "code": "x"}
    return Scope("li", datetime(2026, 11, 22, tzinfo=UTC), (grant,), (), (), (), True)


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("park", Level.PARK),
        ("county", Level.COUNTY),
        ("regiment", Level.COUNTY),
        ("city", Level.CITY),
        ("division", Level.CITY),
        ("province", Level.PROVINCE),
        ("corps", Level.PROVINCE),
        ("fire", Level.FIRE),
    ],
)
def test_an_area_speaks_for_the_level_of_its_kind_below_it_alone(kind, level):
    assert scope(kind).levels(1, [1, 7]) == {level}
    assert scope(kind).levels(1, [1, 8]) == frozenset()
    assert scope(kind, "enterprise").levels(1, [1, 7]) == frozenset()


@pytest.mark.parametrize("kind", KNOWN_KINDS)
def test_whoever_holds_an_area_of_a_known_kind_can_sign(kind):
    assert bool(scope(kind).levels(1, [1, 7])) == (kind not in NOBODYS)
