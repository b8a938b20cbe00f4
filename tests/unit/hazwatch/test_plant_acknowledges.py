"""An acknowledgement in the plant, from its `alarm` topic to the list, and what that spares."""

from domain.alarms import Kind, State
from domain.instant import rfc3339
from domain.plant import TagKind
from domain.risk import Floor
from tests.support.builders import registry, tag
from tests.support.works import Works

LIMITS = {Kind.H: 8.0, Kind.HH: 9.0}
GAS = tag(2, "LI2", kind=TagKind.GAS_TOXIC, unit="ppm", limits=LIMITS)
PLANT = registry(tag(1, "LI1", limits=LIMITS), GAS)


def acknowledged(works: Works, name: str) -> None:
    when = rfc3339(works.clock.now())
    works.report(name, "HH", acknowledged=True, by="li.wei", time=when)


def test_who_acknowledged_in_the_plant_stands_in_the_list_and_f6_never_comes():
    works = Works(PLANT)
    works.run(30, LI1=9.7, LI2=1.0)
    acknowledged(works, "LI1")
    works.run(1, LI1=9.7, LI2=1.0)
    (alarm,) = works.of(Kind.HH)
    assert (alarm.state, alarm.acknowledged_by) == (State.ACKED, "厂内 plant: li.wei")
    (event,) = [
        one.body
        for one in works.events
        if one.type == "alarm" and one.body["transition"]["event"] == "acknowledge"  # type: ignore[index]
    ]
    assert event["alarm"]["acknowledged_by"] == "厂内 plant: li.wei"  # type: ignore[index]
    works.clock.seconds += 660
    works.run(15, LI1=9.7, LI2=1.0)
    assert Floor.F6 not in dict(works.risks[3].floors)
    works.kill()
    works.run(5, LI1=9.7, LI2=1.0)
    (alarm,) = works.of(Kind.HH)
    assert alarm.state is State.ACKED


def test_without_it_f6_comes_and_of_gas_it_spares_nothing():
    works = Works(PLANT)
    works.run(30, LI1=9.7, LI2=1.0)
    works.clock.seconds += 660
    works.run(15, LI1=9.7, LI2=1.0)
    assert Floor.F6 in dict(works.risks[3].floors)
    works = Works(PLANT)
    works.run(10, LI1=1.0, LI2=9.7)
    acknowledged(works, "LI2")
    works.run(5, LI1=1.0, LI2=9.7)
    (alarm,) = works.of(Kind.HH)
    assert (alarm.state, alarm.acknowledged_by) == (State.UNACK, None)
