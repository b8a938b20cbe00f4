"""Who may shelve: alarms of several gas detectors, or of a tag that has gone, as those of one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from alerts.guards import may_shelve
from domain.alarms import Alarm, Kind, OperatorAction, Priority
from domain.plant import Node, Registry
from domain.risk import Colour
from tests.support.builders import at
from tests.support.risk import ENTERPRISE, SOURCE, alarm, gas, site, tag

GROUP = 77


def voting(*members: str) -> Registry:
    detail = {"vote": "2oo2", "members": list(members)}
    node = Node(GROUP, SOURCE, "group", "G", "G", ENTERPRISE, None, detail)
    return site(gas(1, name="GD1"), gas(2, name="GD2"), tag(3, name="LI3"), nodes=[node])


def refused(
    registry: Registry,
    of: Alarm,
    minutes: int = 20,
    second: str | None = "wang",
    colour: Colour | None = None,
) -> int | None:
    """The status of the refusal, None: it may be shelved."""
    detail: dict[str, Any] = {} if second is None else {"second": second}
    action = OperatorAction(uuid4(), "shelve", of.id, "li", "x", at(600), None, detail)
    until = at(600) + timedelta(minutes=minutes)
    found = may_shelve(registry, of, action, until, colour, at(600))
    return None if found is None else found.status


GRAVE = [
    (voting("GD1", "GD2"), GROUP, Kind.VOTE_UNKNOWN),
    (voting("GD1", "LI3"), GROUP, Kind.VOTE_UNKNOWN),
    (voting("LI3", "removed"), GROUP, Kind.VOTE_UNKNOWN),
    (voting("GD1", "GD2"), GROUP, Kind.VOTE),
    (voting(), 999, Kind.VOTE_UNKNOWN),
    (voting(), 1, Kind.H),
]


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(("registry", "who", "kind"), GRAVE)
def test_what_gas_detectors_say_is_shelved_by_two_for_half_an_hour_and_not_in_orange(
    registry, who, kind, gone
):
    one = replace(alarm(registry, who, kind), priority=Priority.P2)
    if gone:
        registry = replace(registry, tags={}, nodes={})
    assert refused(registry, one) is None
    assert refused(registry, one, second=None) == 422
    assert refused(registry, one, minutes=31) == 403
    assert refused(registry, one, colour=Colour.ORANGE) == 409


@pytest.mark.parametrize(("who", "kind"), [(GROUP, Kind.VOTE_UNKNOWN), (3, Kind.HH)])
def test_process_alarms_one_person_shelves_in_any_colour(who, kind):
    registry = voting("LI3", "LI3")
    one = replace(alarm(registry, who, kind), priority=Priority.P2)
    assert refused(registry, one, 55, None, Colour.RED) is None
