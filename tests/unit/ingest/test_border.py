"""Values at the border: units, numbers that mean no value, and what is told of both."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frame import CODE_SHIFT, Flag
from domain.plant import Node, TagKind
from domain.quality import Quality
from domain.raw_values import raw_value
from domain.sentinels import sentinels
from domain.wire_units import wire_unit
from ingest.findings import NO_VALUE, VALUE_AGAIN
from ingest.intake import Intake
from tests.support.builders import ENTERPRISE, SOURCE, registry, tag
from tests.support.gateway_line import Line, body, plant, raw

PRESSURE = tag(1, "PT", kind=TagKind.PRESSURE, unit="MPa", range=(0.0, 1.6))
LEVEL = tag(2, "LT", unit="m", range=(0.0, 10.0))
TOXIC = tag(3, "GD", kind=TagKind.GAS_TOXIC, unit="ppm", range=(0.0, 100.0), gas="NH3")
COUNTER = tag(4, "FQ", kind=TagKind.OTHER, unit="件", range=None)
WIDE = tag(5, "LZ", kind=TagKind.OTHER, unit="mm", range=(0.0, 50_000.0))
OWN = tag(6, "TT", kind=TagKind.TEMPERATURE, unit="°C", range=(-50.0, 200.0), sentinels=(850.0,))
OFF = tag(7, "TX", kind=TagKind.TEMPERATURE, unit="°C", range=(-50.0, 200.0), sentinels=())
TAGS = (PRESSURE, LEVEL, TOXIC, COUNTER, WIDE, OWN, OFF)


def line(*tags, **more) -> Line:
    return Line(Intake(registry(*(tags or TAGS), **more)))


def one(said, name="PT", **more):
    """The batch of a single value."""
    return line(**more).say(1, (1.0, {name: said}))


def code(batch):
    return int(batch.frame.flags[0]) >> CODE_SHIFT


def code_of(unit):
    found = wire_unit(unit)
    assert found is not None
    return found.code


def told(batch, unit="MPa", kind=TagKind.PRESSURE):
    value = None if math.isnan(batch.frame.value[0]) else float(batch.frame.value[0])
    return raw_value(int(batch.frame.flags[0]), value, unit, kind, None)


def test_a_value_in_another_unit_is_stored_in_the_registered_one_and_told_as_it_came():
    batch = one({"value": 1234, "unit": "kPa"})
    assert batch.frame.value.tolist() == [1.234]
    assert batch.frame.quality.tolist() == [Quality.GOOD]
    assert told(batch) == (1234.0, "kPa")
    assert batch.quarantined == ()


@pytest.mark.parametrize("unit", ["MPa", "Mpa", "兆帕", " MPa", "", "  ", None])
def test_the_registered_unit_however_it_is_spelt_leaves_the_value_alone(unit):
    batch = one({"value": 0.9, "unit": unit})
    assert (batch.frame.value.tolist(), batch.frame.flags.tolist()) == ([0.9], [0])


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("furlong", ["which is not known", "registered in 'MPa'", "kPa"]),
        ("MPaG", ["registered in 'MPa'", "allowed: MPa, kPa"]),
        ("m", ["registered in 'MPa'"]),
        ("KPaa", ["which is not known", "did you mean"]),
    ],
)
def test_a_unit_that_leads_nowhere_is_quarantined_with_what_is_allowed(unit, words):
    batch = one({"value": 7, "unit": unit})
    (refused,) = batch.quarantined
    assert (refused.reason, refused.tag) == ("unit_mismatch", "PT")
    assert all(word in refused.detail for word in words), refused.detail
    assert json.loads(refused.payload) == {"value": 7.0, "unit": unit}
    assert len(batch.frame) == 0


def test_a_unit_of_the_plants_own_is_known_by_its_very_name_only():
    assert len(one({"value": 7, "unit": "件"}, "FQ").frame) == 1
    (refused,) = one({"value": 7, "unit": "kg"}, "FQ").quarantined
    assert "allowed: 件" in refused.detail


def test_no_value_has_no_unit_to_be_wrong():
    batch = one({"value": None, "unit": "furlong"})
    assert (batch.quarantined, batch.frame.quality.tolist()) == ((), [Quality.BAD])


def test_what_becomes_too_large_is_quarantined_and_costs_its_neighbours_nothing():
    batch = line().say(1, (1.0, {"LZ": {"value": 1.7e308, "unit": "m"}, "LT": 3, "XX": 1}))
    assert batch.frame.value.tolist() == [3.0]
    assert sorted(q.reason for q in batch.quarantined) == ["not_a_number", "unknown_tag"]


def test_values_find_their_rows_whatever_stands_before_them():
    foot, metre = {"value": 1, "unit": "furlong"}, {"value": 300, "unit": "cm"}
    batch = line().say(1, (1.0, {"XX": 1, "PT": foot, "GD": 5, "LT": metre}))
    assert (batch.frame.tag.tolist(), batch.frame.value.tolist()) == ([2, 3], [3.0, 5.0])
    assert [one.tag for one in batch.quarantined] == ["XX", "PT"]


def test_a_gas_is_converted_by_its_molar_mass_where_it_is_known():
    batch = one({"value": 20, "unit": "mg/m³"}, "GD")
    assert batch.frame.value[0] == pytest.approx(28.7, abs=0.05)
    unnamed = tag(3, "GD", kind=TagKind.GAS_TOXIC, unit="ppm", range=(0.0, 100.0))
    (refused,) = line(unnamed).say(1, (1.0, {"GD": {"value": 20, "unit": "mg/m3"}})).quarantined
    assert "`gas`" in refused.detail
    held = Node(
        SOURCE, ENTERPRISE, "source", "S1", "Tanks", ENTERPRISE,
        detail={"substances": [{"name": "液氨", "cas": "7664-41-7"}]},
    )  # fmt: skip
    by_source = line(unnamed, nodes=[held]).say(1, (1.0, {"GD": {"value": 20, "unit": "mg/m3"}}))
    assert by_source.frame.value.tolist() == batch.frame.value.tolist()


def test_the_code_survives_every_way_in_which_a_sample_is_placed():
    said = {"PT": {"value": 900, "unit": "kPa"}, "LT": 5}
    cases: dict[str, tuple[Any, dict[str, Any], Flag]] = {
        "historical": ((-5000.0, said), {"historical": True}, Flag.HISTORY | Flag.HISTORICAL),
        "wrong": ((-28800.0, said), {"sent": -28800.0}, Flag.SHIFTED | Flag.AT_RECEIVED),
        "ahead": ((500.0, said), {"sent": 1.0}, Flag.SHIFTED | Flag.AT_RECEIVED),
    }
    for name, (sample, head, flags) in cases.items():
        batch = line().say(1, sample, **head)
        units = {"PT": code_of("kPa"), "LT": 0}
        found = (batch.frame.flags >> CODE_SHIFT).tolist()
        assert found == [units["PT"], units["LT"]], name
        assert {int(one) & 0xFF & ~int(flags) for one in batch.frame.flags} == {0}, name
        assert batch.frame.value.tolist() == [0.9, 5.0]
    stuck = line()
    for n in range(4):
        batch = stuck.say(n, (0.0, {"PT": {"value": 900 + n, "unit": "kPa"}}), sent=0.0)
    assert int(batch.frame.flags[0]) & Flag.STUCK
    assert code(batch) == code_of("kPa")
    assert stuck.intake.judged_again(batch.frame).value.tolist() == [0.903]


def test_a_range_is_held_against_the_registered_unit():
    assert one({"value": 1700, "unit": "kPa"}).frame.quality.tolist() == [Quality.OVER_RANGE]
    assert one({"value": 1.2, "unit": "MPa"}).frame.quality.tolist() == [Quality.GOOD]
    assert one({"value": 1600, "unit": "kPa"}).frame.quality.tolist() == [Quality.GOOD]


def test_a_sender_that_says_the_same_in_two_units_says_the_same():
    at_once = line()
    for said in ({"value": 1234, "unit": "kPa"}, 1.234, {"value": 12.34, "unit": "bar"}):
        batch = at_once.say(1, (1.0, {"PT": said}), numbered=False)
        assert batch.frame.value.tolist() == [1.234]


# numbers that mean no value


@pytest.mark.parametrize("said", [one.value for one in sentinels()])
def test_a_number_that_means_no_value_is_stored_as_none_and_never_as_a_reading(said):
    batch = one(said)
    assert math.isnan(batch.frame.value[0])
    assert batch.frame.quality.tolist() == [Quality.BAD]
    assert told(batch) == (said, None)
    assert batch.quarantined == ()


@pytest.mark.parametrize(
    ("name", "said", "reading"),
    [
        ("LZ", 32767, True),
        ("LZ", 65535, False),
        ("LZ", 40000.5, True),
        ("FQ", 65535, True),
        ("FQ", 32767, True),
        ("FQ", -9999, False),
        ("FQ", 1e20, False),
        ("TT", 850, False),
        ("TT", -9999, True),
        ("TX", -9999, True),
        ("TX", 32767, True),
        ("LT", -9998.999, True),
        ("LT", 0, True),
    ],
)
def test_only_what_no_reading_of_the_tag_can_be_counts_as_no_value(name, said, reading):
    batch = one(said, name)
    assert math.isnan(batch.frame.value[0]) != reading
    assert bool(int(batch.frame.flags[0]) & Flag.SENTINEL) != reading


def test_a_sentinel_in_another_unit_is_known_as_it_came():
    for said in (-9999, 32767, 1.7976931348623157e308):
        batch = one({"value": said, "unit": "kPa"})
        assert math.isnan(batch.frame.value[0])
        assert told(batch) == (float(said), None)
        assert batch.quarantined == ()
    # what only looks like one after its conversion is a reading beyond the range
    assert one({"value": -9999000, "unit": "Pa"}).frame.quality.tolist() == [Quality.UNDER_RANGE]
    batch = one({"value": -9.999, "unit": "m"}, "LZ")
    assert (batch.frame.value.tolist(), code(batch)) == ([-9999.0], code_of("m"))


def test_a_sentinel_keeps_a_worse_quality_that_its_sender_said():
    assert one({"value": -9999, "quality": "maintenance"}).frame.quality.tolist() == [28]
    assert one({"value": -9999, "quality": 216}).frame.quality.tolist() == [Quality.BAD]
    assert one({"value": -9999, "quality": "uncertain"}).frame.quality.tolist() == [Quality.BAD]


def test_a_tag_of_its_own_sentinel_is_told_without_the_number():
    assert told(one(850, "TT")) is None


def test_beginning_and_end_are_told_once_for_each_gateway():
    talk = line()
    first = talk.say(1, (1.0, {"LT": -9999, "PT": 32767, "GD": 3}))
    (finding,) = first.clocks
    assert (finding.what, finding.gateway, finding.error_s) == (NO_VALUE, 1, 2.0)
    assert "'PT', 'LT'" in finding.text
    assert [talk.say(n, (float(n), {"LT": -9999})).clocks for n in (2, 3)] == [(), ()]
    assert talk.say(4, (4.0, {"LT": 5, "PT": 1})).clocks == ()
    (over,) = talk.say(700, (700.0, {"LT": 5})).clocks
    assert (over.what, over.error_s) == (VALUE_AGAIN, 1.0)
    assert talk.say(701, (701.0, {"LT": 5, "GD": 3})).clocks == ()
    assert len(talk.say(702, (702.0, {"LT": -9999})).clocks) == 1


def test_a_whole_gateway_without_values_is_one_finding():
    tags = [tag(n, f"T{n}") for n in range(1, 3001)]
    (finding,) = line(*tags).say(1, (1.0, {one.name: -9999 for one in tags})).clocks
    assert finding.error_s == 3000
    assert len(finding.text) < 250


def slow(value: float, tag_) -> float:
    """The rule in three lines: NaN where the number is no reading."""
    known = {s.value for s in sentinels() if tag_.range is not None or s.always}
    inside = tag_.range is not None and tag_.range[0] <= value <= tag_.range[1]
    mine = known if tag_.sentinels is None else set(tag_.sentinels)
    return math.nan if value in mine and not inside else value


NUMBERS = st.sampled_from([s.value for s in sentinels()]) | st.sampled_from([850.0, 5.0, -1.0])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(TAGS), NUMBERS | st.floats(allow_nan=False,
                allow_infinity=False)), min_size=1, max_size=20))  # fmt: skip
def test_sentinels_of_a_frame_are_those_of_a_slow_reference(said):
    values = {one.name: value for one, value in said}
    by_name = {one.name: one for one in TAGS}
    batch = line().say(1, (1.0, values))
    names = {one.id: one.name for one in TAGS}
    for row, tag_id in enumerate(batch.frame.tag.tolist()):
        expected = slow(values[names[tag_id]], by_name[names[tag_id]])
        np.testing.assert_equal(batch.frame.value[row], expected)


def test_the_ordinary_way_and_the_patient_one_treat_sentinels_alike():
    values = {"T1": -9999, "T2": 50.0, "T3": 32767}
    ordinary, patient = Line(Intake(plant())), Line(Intake(plant()))
    ordinary.take(1, *(raw(body((n / 10, values), seq=n)) for n in range(5)))
    patient.take(1, *(raw(body((n / 10, values | {"X": 1}), seq=n)) for n in range(5)))
    for name in ("tag", "time", "value", "quality", "flags"):
        np.testing.assert_array_equal(
            np.concatenate([getattr(b.frame, name) for b in ordinary.batches]),
            np.concatenate([getattr(b.frame, name) for b in patient.batches]),
        )


@pytest.mark.parametrize("own", [None, (-9999.0,)])
def test_a_sentinel_of_a_tag_without_a_range_is_known_in_whatever_unit_it_came(own):
    free = tag(1, "PT", kind=TagKind.PRESSURE, unit="MPa", range=None, sentinels=own)
    batch = line(free).say(1, (1.0, {"PT": {"value": -9999, "unit": "kPa"}}))
    assert np.isnan(batch.frame.value).all()
    assert batch.frame.quality.tolist() == [Quality.BAD]
    assert batch.frame.flags[0] & Flag.SENTINEL
    sound = line(free).say(1, (1.0, {"PT": {"value": -9998, "unit": "kPa"}}))
    assert sound.frame.value.tolist() == [-9.998]
