"""A shelf in the worker's straight line: set by an action, kept over a kill, ended by time."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from domain.alarms import Alarm, Kind, OperatorAction, State
from domain.instant import rfc3339
from domain.plant import TagKind
from domain.risk import Colour
from tests.support.builders import at, registry, tag
from tests.support.works import Works


def test_a_shelf_survives_a_kill_and_comes_back_unacknowledged_by_a_tick():
    works = Works()
    works.run(60, LI1=8.7, LI2=5.0)
    (alarm,) = works.of(Kind.H)
    assert alarm.state is State.UNACK
    now = works.clock.now()
    until = (now + timedelta(seconds=120)).isoformat()
    shelve = OperatorAction(
        uuid4(), "shelve", alarm.id, "li", "浮子检修", now, None, {"until": until}
    )
    works.pump.act([shelve, OperatorAction(uuid4(), "acknowledge", alarm.id, "li", None, now)])
    (kept,) = works.of(Kind.H)
    assert (kept.state, kept.flags) == (State.ACKED, ("shelved",))
    works.run(60, LI1=8.7, LI2=5.0)
    works.kill()
    works.run(55, LI1=8.7, LI2=5.0)
    (kept,) = works.of(Kind.H)
    assert (kept.state, kept.flags) == (State.ACKED, ("shelved",))
    works.run(10, LI1=8.7, LI2=5.0)
    (loud,) = works.of(Kind.H)
    assert (loud.state, loud.flags, loud.acknowledged_by) == (State.UNACK, (), None)
    assert works.changes[-1].event == "unshelve"


GAS: dict[str, Any] = {
    "kind": TagKind.GAS_TOXIC,
    "unit": "mg/m3",
    "range": (0.0, 100.0),
    "limits": {Kind.H: 20.0, Kind.HH: 40.0},
}


def shelved_gas() -> tuple[Works, Alarm]:
    """One of two detectors at its first level and shelved by two, the source still yellow."""
    works = Works(registry(tag(1, "GT1", **GAS), tag(2, "GT2", **GAS)))
    works.run(60, GT1=0.0, GT2=0.0)
    works.run(20, GT1=25.0, GT2=0.0)
    (alarm,) = works.of(Kind.H)
    until = rfc3339(at(works.clock.seconds + 1790))
    works.acts("shelve", alarm, until=until, second="wang")
    assert works.pump.warnings.colour(alarm.node) is Colour.YELLOW
    assert works.alarms[alarm.id].flags == ("shelved",)
    return works, alarm


def test_gas_is_loud_again_when_the_warning_of_its_source_rises_to_orange():
    works, alarm = shelved_gas()
    works.run(30, GT1=25.0, GT2=0.0)
    assert works.alarms[alarm.id].flags == ("shelved",)
    works.run(30, GT1=25.0, GT2=90.0)
    assert works.pump.warnings.colour(alarm.node) is Colour.RED
    loud = works.alarms[alarm.id]
    assert (loud.state, loud.flags) == (State.UNACK, ())
    (change,) = [one for one in works.changes if one.event == "unshelve"]
    assert (change.by, "预警" in (change.comment or "")) == ("hazwatch", True)


def test_an_acknowledged_one_waits_again_and_its_next_occurrence_is_loud():
    works, alarm = shelved_gas()
    works.acts("acknowledge", works.alarms[alarm.id])
    works.run(30, GT1=25.0, GT2=90.0)
    assert works.alarms[alarm.id].state is State.UNACK
    works.acts("acknowledge", works.alarms[alarm.id])
    works.run(120, GT1=0.0, GT2=90.0)
    works.run(60, GT1=30.0, GT2=90.0)
    mine = [one for one in works.of(Kind.H) if one.tag == 1]
    assert [(one.state, one.flags) for one in mine] == [(State.NORM, ()), (State.UNACK, ())]


def test_a_shelf_without_an_open_occurrence_is_not_handed_over_in_red():
    works, alarm = shelved_gas()
    works.acts("acknowledge", works.alarms[alarm.id])
    works.run(120, GT1=0.0, GT2=0.0)
    assert (works.alarms[alarm.id].state, works.alarms[alarm.id].flags) == (
        State.NORM,
        ("shelved",),
    )
    works.run(30, GT1=0.0, GT2=90.0)
    works.run(60, GT1=30.0, GT2=90.0)
    mine = [one for one in works.of(Kind.H) if one.tag == 1]
    assert [(one.state, one.flags) for one in mine] == [(State.NORM, ()), (State.UNACK, ())]


def test_a_restart_in_red_leaves_no_shelf_of_gas():
    works, alarm = shelved_gas()
    works.run(30, GT1=25.0, GT2=90.0)
    before = works.alarms[alarm.id]
    works.kill()
    works.run(10, GT1=25.0, GT2=90.0)
    assert works.alarms[alarm.id] == before


def test_a_process_alarm_stays_shelved_whatever_the_colour():
    works = Works(registry(tag(1, "LI1", limits={Kind.H: 8.0}), tag(2, "GT2", **GAS)))
    works.run(60, LI1=8.7, GT2=0.0)
    (alarm,) = works.of(Kind.H)
    works.acts("shelve", alarm, until=rfc3339(at(works.clock.seconds + 3600)))
    works.run(60, LI1=8.7, GT2=90.0)
    assert works.pump.warnings.colour(alarm.node) is Colour.ORANGE
    assert works.alarms[alarm.id].flags == ("shelved",)
