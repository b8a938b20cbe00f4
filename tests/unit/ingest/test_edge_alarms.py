"""From messages of the `alarm` topic to `EdgeAlarm`s."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Kind
from ingest.edge_alarms import edge_alarms
from ingest.intake import Intake
from tests.support.gateway_line import Line, plant, raw, us, written

TOPIC = "hw/v1/P1/E1/G1/alarm"


def heard(line: Line, **members: Any):
    told = {"id": "a1", "time": written(0), "tag": "T1", "kind": "H", "active": True} | members
    (batch,) = line.take(1, raw(json.dumps(told).encode(), TOPIC))
    return edge_alarms(batch.plant_alarms, line.intake.tag)


def test_every_member_of_the_wire_profile_is_understood():
    (one,) = heard(
        Line(Intake(plant())), value=9.1, limit=9, acknowledged=True, by="li", shelved=False,
        fault=False, colour="red",
    )  # fmt: skip
    assert (one.gateway, one.id, one.tag, one.kind, one.active) == (1, "a1", 1, Kind.H, True)
    assert (one.time, one.received) == (us(0), us(1))
    assert (one.value, one.limit) == (9.1, 9.0)
    assert (one.acknowledged, one.by, one.shelved, one.fault) == (True, "li", False, False)


@pytest.mark.parametrize(
    ("kind", "understood"),
    [("HH", Kind.HH), ("hh", Kind.HH), (" ll ", Kind.LL), ("ROC", None), ("高报", None)],
)
def test_kinds(kind, understood):
    (one,) = heard(Line(Intake(plant())), kind=kind)
    assert one.kind is understood


def test_a_tag_that_is_not_registered_gives_none():
    assert heard(Line(Intake(plant())), tag="XX") == []


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
))  # fmt: skip
def test_a_member_of_another_type_is_not_said(said):
    members = ("value", "limit", "acknowledged", "by", "shelved", "fault")
    for one in heard(Line(Intake(plant())), **dict.fromkeys(members, said)):
        assert one.limit is None or abs(one.limit) < float("inf")
        assert one.acknowledged in (None, True, False)


def test_who_sends_a_tag_is_known_and_survives_a_restart():
    line = Line(Intake(plant()))
    line.say(1, (1.0, {"T1": 1.0}))
    assert line.intake.senders_of(1) == [1]
    assert line.intake.senders_of(2) == []
    again = Intake(plant())
    again.restore(line.intake.snapshot())
    assert again.senders_of(1) == [1]
