"""What senders say of their own values, and what no reading can be, from the wire to the findings.

A flagged value may start an alarm and never ends one; what is no value does neither.
"""

import math

import pytest

from domain.alarms import Edge, Kind
from domain.instant import moment
from domain.plant import TagKind
from domain.quality import Quality
from ingest.intake import Intake
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState, carry
from tests.support.builders import registry, tag
from tests.support.gateway_line import Line, us

LIMITS = {Kind.L: 1.0, Kind.H: 8.0, Kind.HH: 9.0}
PRESSURE = tag(1, "PT", kind=TagKind.PRESSURE, unit="MPa", range=(0.0, 10.0), limits=LIMITS)
TOXIC = tag(
    2, "GD", kind=TagKind.GAS_TOXIC, unit="ppm", range=(0.0, 100.0),
    limits={Kind.H: 20.0, Kind.HH: 40.0}, gas="NH3", delay_off_s=30.0,
)  # fmt: skip
FLAGGED = ["uncertain", "bad", "calibration", "maintenance", "simulated"]
OPC = [4, 67, 84, 87, 128, 191]
NOTHING = [None, -9999, 32767, 65535, 1e20, {"value": 32767, "unit": "kPa"}]


class Watched:
    """A gateway's line with the rules behind it, a message each second."""

    def __init__(self, *tags):
        self.registry = registry(*(tags or (PRESSURE, TOXIC)))
        self.line = Line(Intake(self.registry))
        self.plan = compile_plan(self.registry)
        self.state = RuleState.fresh(self.plan, us(0))
        self.second = 0
        self.edges: list[tuple[str, str]] = []

    def say(self, said, name="PT", times=1):
        """Edges of limits and detector faults that these messages bring, by kind."""
        found = []
        for _ in range(times):
            self.second += 1
            batch = self.line.say(self.second, (float(self.second), {name: said}))
            self.last = batch.frame
            found += step(self.plan, self.state, self.last.judged(), moment(us(self.second)))
        return [
            (one.kind.name, one.edge.name)
            for one in found
            if one.kind in (Kind.L, Kind.H, Kind.HH, Kind.DETECTOR_FAULT)
        ]

    def swap(self, *tags):
        """Another version of the site."""
        self.registry = registry(*tags, version=self.registry.version + 1)
        self.line.intake.update_registry(self.registry)
        plan = compile_plan(self.registry)
        self.state, found = carry(self.plan, self.state, plan, moment(us(self.second)))
        self.plan = plan
        return [(one.tag, one.kind.name, one.edge.name) for one in found]


@pytest.mark.parametrize("quality", [*FLAGGED, *OPC])
def test_a_flagged_value_starts_an_alarm_and_never_ends_one(quality):
    plant = Watched()
    assert plant.say(5, times=2) == []
    assert plant.say({"value": 8.5, "quality": quality}, times=2) == [("H", "RAISED")]
    assert plant.say({"value": 5, "quality": quality}, times=60) == []
    assert plant.say(5, times=40) == [("H", "RETURNED")]


def test_every_quality_byte_is_stored_as_it_came_limit_bits_and_sub_status_included():
    plant = Watched()
    for quality in range(256):
        plant.say({"value": 5, "quality": quality})
        assert plant.last.quality.tolist() == [quality]


@pytest.mark.parametrize(("quality", "kinds"), [(86, {"H", "HH"}), (85, {"L"})])
def test_a_sender_that_says_itself_that_its_value_is_at_a_limit_of_the_range_is_believed(
    quality, kinds
):
    plant = Watched()
    plant.say(5)
    assert {kind for kind, _ in plant.say({"value": 5, "quality": quality}, times=3)} == kinds


@pytest.mark.parametrize("quality", [193, 219, 255])
def test_any_good_byte_ends_an_alarm(quality):
    plant = Watched()
    assert plant.say(8.5, times=2) == [("H", "RAISED")]
    assert plant.say({"value": 5, "quality": quality}, times=40) == [("H", "RETURNED")]


@pytest.mark.parametrize(("said", "kinds"), [(10.5, {"H", "HH"}), (-0.5, {"L"})])
def test_a_value_out_of_range_starts_an_alarm_and_never_ends_one(said, kinds):
    plant = Watched()
    plant.say(5)
    assert {kind for kind, _ in plant.say(said, times=3)} == kinds
    assert plant.last.quality.tolist()[0] in (Quality.OVER_RANGE, Quality.UNDER_RANGE)
    # on the other side of the range: beyond too, but no end of what there is
    other = 10.5 if said < 0 else -0.5
    assert ("RETURNED" in {edge for _, edge in plant.say(other, times=60)}) is False
    assert {edge for _, edge in plant.say(5, times=60)} == {"RETURNED"}


@pytest.mark.parametrize("said", NOTHING, ids=str)
def test_what_is_no_value_neither_starts_nor_ends_an_alarm(said):
    plant = Watched()
    plant.say(5)
    assert plant.say(said, times=60) == []
    assert math.isnan(plant.last.value[0])
    assert plant.say(8.5, times=2) == [("H", "RAISED")]
    assert plant.say(said, times=60) == []
    assert plant.say(5, times=40) == [("H", "RETURNED")]


def test_a_number_that_is_no_value_is_no_sign_of_life():
    plant, found = Watched(), []
    plant.say(5)
    for second in range(2, 200):
        batch = plant.line.say(second, (float(second), {"PT": -9999}))
        found += step(plant.plan, plant.state, batch.frame.judged(), moment(us(second)))
    # the source has no other tag that speaks
    assert Kind.SOURCE_OFFLINE in {one.kind for one in found if one.edge is Edge.RAISED}


@pytest.mark.parametrize("said", [-9999, 32767, 65535, 1e20])
def test_a_detector_that_says_no_value_is_a_detector_at_fault_at_once(said):
    plant = Watched()
    plant.say(3, "GD")
    assert plant.say(said, "GD") == [("DETECTOR_FAULT", "RAISED")]
    assert plant.say(said, "GD", times=60) == []
    assert plant.say(3, "GD", times=40) == [("DETECTOR_FAULT", "RETURNED")]
    assert plant.say(None, "GD", times=3) == []


def test_in_a_leak_no_value_holds_the_alarm_and_says_that_nobody_watches():
    plant = Watched()
    assert ("HH", "RAISED") in plant.say(60, "GD", times=5)
    assert plant.say(32767, "GD", times=90) == [("DETECTOR_FAULT", "RAISED")]


def test_a_value_in_another_unit_meets_the_limits_of_the_registered_one():
    plant = Watched()
    assert plant.say({"value": 7990, "unit": "kPa"}, times=3) == []
    assert plant.say({"value": 8000, "unit": "kPa"}, times=2) == [("H", "RAISED")]
    assert plant.say({"value": 50, "unit": "bar"}, times=40) == [("H", "RETURNED")]
    # NH3: 20 ppm are 13.9 mg/m3
    assert plant.say({"value": 13.8, "unit": "mg/m3"}, "GD", times=5) == []
    assert plant.say({"value": 14.0, "unit": "mg/m³"}, "GD", times=5) == [("H", "RAISED")]


def test_a_unit_change_is_a_new_tag_with_limits_of_its_own_and_old_units_still_convert():
    plant = Watched()
    assert plant.say({"value": 8.5, "unit": "MPa"}, times=2) == [("H", "RAISED")]
    renewed = tag(
        9, "PT", version=2, kind=TagKind.PRESSURE, unit="kPa", range=(0.0, 10_000.0),
        limits={Kind.H: 7000.0},
    )  # fmt: skip
    plant.swap(renewed, TOXIC)
    # in flight across the change: what says its unit is right whatever is registered
    assert plant.say({"value": 6.9, "unit": "MPa"}, times=3) == []
    assert (plant.last.tag.tolist(), plant.last.value.tolist()) == ([9], [6900.0])
    assert plant.say({"value": 7.0, "unit": "MPa"}, times=2) == [("H", "RAISED")]
    assert plant.say(6000, times=40) == [("H", "RETURNED")]
    late = plant.line.say(plant.second, (plant.second - 30.0, {"PT": {"value": 5, "unit": "MPa"}}))
    assert (late.frame.tag.tolist(), late.frame.value.tolist()) == ([9], [5000.0])
    assert len(late.frame.judged()) == 0
