"""What a declared mode or a permit keeps silent, for how long, and whose word that takes."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from alerts.by_design import LOUD, ByDesign
from alerts.due import due
from alerts.facts import compile_layout
from alerts.guards import may_remove
from alerts.happenings import Verb
from alerts.permits import permits_of
from domain.alarms import Alarm, Kind, OperatorAction, Priority
from domain.elapsed import ClockReading
from domain.inputs import Input
from domain.instant import micros
from domain.plant import Registry, TagKind
from tests.support.builders import at
from tests.support.risk import SOURCE, alarm, gas, said, site, tag

HOUR, DAY = 3600, 86400
LEVEL, TRIP, CRITICAL = 1, 2, 3
VESSEL = 2000 + SOURCE
PLANT = site(
    tag(LEVEL, equipment="V-1", limits={Kind.LL: 1.0}),
    tag(TRIP, TagKind.INTERLOCK, equipment="V-1", limits={Kind.H: 1.0}),
    tag(CRITICAL, safety_critical=True, limits={Kind.H: 1.0}),
    grades={SOURCE: 3},
)


def now(seconds: float) -> ClockReading:
    return ClockReading(at(seconds), seconds, "boot")


def design(inputs: Sequence[Input], seconds: float, plant: Registry = PLANT) -> ByDesign:
    return ByDesign(compile_layout(plant), inputs, now(seconds))


def begun(one: Alarm, inputs: Sequence[Input], seconds: float) -> Alarm:
    """The occurrence with the flags under which it begins."""
    silence = design(inputs, seconds).of(one)
    return replace(one, suppressed=silence.suppressed, out_of_service=silence.out_of_service)


def over(one: Alarm, inputs: Sequence[Input], seconds: float) -> list[Verb]:
    return due(one, now(seconds), design(inputs, seconds).rules(one))


DOWN = said("mode", since=0, until=30 * DAY, mode="turnaround")
RUNS = said("mode", since=HOUR, until=60 * DAY, mode="run")


def test_what_a_mode_expected_is_loud_as_soon_as_a_newer_mode_of_the_unit_is_declared():
    trip = begun(alarm(PLANT, TRIP, Kind.H, 600), [DOWN], 600)
    assert trip.suppressed
    assert over(trip, [DOWN, RUNS], HOUR - 1) == []
    assert over(trip, [DOWN, RUNS], HOUR) == [Verb.UNSUPPRESS]


def test_a_vessels_own_mode_ends_what_that_of_its_source_kept_silent_and_of_no_other():
    own = said("mode", VESSEL, since=HOUR, until=60 * DAY, mode="run")
    other = said("mode", VESSEL - 1000, since=HOUR, until=60 * DAY, mode="run")
    trip = begun(alarm(PLANT, TRIP, Kind.H, 600), [DOWN], 600)
    assert over(trip, [DOWN, other], HOUR) == []
    assert over(trip, [DOWN, own], HOUR) == [Verb.UNSUPPRESS]


def test_a_mode_of_the_source_leaves_a_vessels_own_in_force():
    own = said("mode", VESSEL, since=0, until=30 * DAY, mode="turnaround")
    trip = begun(alarm(PLANT, TRIP, Kind.H, 600), [own], 600)
    assert over(trip, [own, RUNS], HOUR) == []


@pytest.mark.parametrize("newer", [RUNS, said("mode", VESSEL, HOUR, 60 * DAY, mode="run")])
def test_what_begins_after_the_newer_mode_is_loud(newer):
    silence = design([DOWN, newer], 2 * HOUR).of(alarm(PLANT, TRIP, Kind.H, HOUR + 60))
    assert silence == LOUD


def test_the_score_follows_a_vessels_own_mode_too():
    own = said("mode", VESSEL, since=HOUR, until=60 * DAY, mode="run")
    layout, trip = compile_layout(PLANT), alarm(PLANT, TRIP, Kind.H, 600)
    found = [
        permits_of(layout, [DOWN, own], micros(at(when))).mode(layout, trip, micros(at(when)))
        for when in (HOUR - 1, HOUR)
    ]
    assert found == ["turnaround", "run"]


URGENT = [(TRIP, Kind.H, Priority.P1), (LEVEL, Kind.LL, Priority.P2), (CRITICAL, Kind.H, None)]


@pytest.mark.parametrize(("who", "kind", "priority"), URGENT)
@pytest.mark.parametrize("work", ["calibration", "maintenance", "out_of_service"])
def test_a_permit_of_one_person_silences_no_urgent_and_no_safety_critical_alarm(
    who, kind, priority, work
):
    permit = said("permit", tag=who, until=1700, work=work, second=None)
    one = alarm(PLANT, who, kind, 600)
    assert priority in (None, one.priority)
    assert not begun(one, [permit], 600).is_silent
    assert begun(one, [replace(permit, second="wang")], 600).is_silent


@pytest.mark.parametrize(("second", "spared"), [(None, False), ("wang", True)])
@pytest.mark.parametrize("who", [LEVEL, CRITICAL])
def test_nor_does_it_take_weight_from_it(who, second, spared):
    permit = said("permit", tag=who, until=1700, work="maintenance", second=second)
    one = alarm(PLANT, who, Kind.LL if who == LEVEL else Kind.H, 600)
    found = permits_of(compile_layout(PLANT), [permit], micros(at(600)))
    assert found.quiet(one, micros(at(600))) is spared


def test_what_is_not_urgent_one_person_may_silence():
    permit = said("permit", tag=LEVEL, until=1700, work="maintenance", second=None)
    assert begun(alarm(PLANT, LEVEL, Kind.L, 600), [permit], 600).out_of_service


ZONE = site(gas(1, limits={Kind.HH: 40.0}), gas(2, limits={Kind.HH: 40.0}))


def removal(permit: Input, others: Sequence[Input] = ()) -> tuple[int, str] | None:
    one = alarm(ZONE, 1, Kind.HH, 100)
    action = OperatorAction(uuid4(), "remove_from_service", one.id, "li", None, at(600))
    refused = may_remove(ZONE, one, action, permit, [permit, *others], at(600))
    return None if refused is None else (refused.status, refused.detail)


def test_under_a_permit_to_calibrate_nothing_is_taken_out_of_service():
    permit = said("permit", tag=1, until=1700, work="calibration")
    status, detail = removal(permit) or (0, "")
    assert (status, "state one to maintain" in detail) == (409, True)
    assert removal(said("permit", tag=1, until=1700, work="maintenance")) is None


def test_of_two_permits_the_one_that_takes_out_of_service_counts():
    test = said("permit", tag=1, until=1700, work="calibration")
    work = said("permit", tag=1, until=1700, work="maintenance")
    for permits in ([test, work], [work, test]):
        assert design(permits, 600, ZONE).permit(alarm(ZONE, 1, Kind.HH, 100)) == work


@pytest.mark.parametrize("gone", ["maintenance", "calibration"])
def test_the_last_detector_of_a_zone_goes_by_a_permit_in_which_the_park_approved_just_that(gone):
    permit = said("permit", tag=1, until=1700, work="maintenance")
    other = said("permit", tag=2, until=1700, work=gone)
    status, detail = removal(permit, [other]) or (0, "")
    assert (status, "last detector of its zone" in detail) == (403, True)
    approved = {"work": "maintenance", "last_in_zone": True}
    assert removal(replace(permit, value=approved), [other]) is None


def test_of_two_permits_the_flag_names_the_one_of_two_persons():
    alone = said("permit", tag=TRIP, until=1700, work="calibration", second=None)
    agreed = said("permit", tag=TRIP, until=1800, work="maintenance")
    for permits in ([alone, agreed], [agreed, alone]):
        flag = begun(alarm(PLANT, TRIP, Kind.H, 600), permits, 600).out_of_service
        assert flag is not None
        assert flag.rule == f"permit:{agreed.id}"
