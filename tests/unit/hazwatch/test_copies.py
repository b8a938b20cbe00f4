"""COPIED is found by a job: it must outlive restarts and new sites like all other alarms."""

from math import nan

from domain.alarms import Edge, Finding, Kind
from domain.plant import Registry
from tests.support.builders import START, at
from tests.support.works import PLANT, Works


def found(edge: Edge, tag: int, second: float) -> Finding:
    return Finding(edge, Kind.COPIED, tag, None, START, at(second), nan, nan, "", {"minutes": 360})


def test_it_is_active_until_the_job_says_otherwise_whatever_restarts():
    works = Works()
    works.pump.looked([found(Edge.RAISED, 1, 60)])
    (alarm,) = works.alarms.values()
    assert "COPIED" in alarm.kind.name
    assert "疑似复制数据" in alarm.text
    works.run(60, LI1=5.0, LI2=5.0)
    works.kill()
    assert works.pump.copied() == {1: START}
    works.pump.looked([found(Edge.RAISED, 1, 120)])
    assert len(works.alarms) == 1
    works.pump.looked([found(Edge.RETURNED, 1, 180)])
    assert works.pump.copied() == {}


def test_it_ends_with_its_tag():
    works = Works()
    works.pump.looked([found(Edge.RAISED, 1, 60), found(Edge.RAISED, 2, 60)])
    smaller = Registry(2, PLANT.nodes, PLANT.gateways, {2: PLANT.tags[2]})
    assert works.pump.swap(smaller)
    assert works.pump.copied() == {2: START}
    (closed,) = (alarm for alarm in works.alarms.values() if alarm.tag == 1)
    assert "位号已移除" in closed.reason


def test_a_tag_that_left_while_the_job_looked_is_passed_over():
    works = Works()
    works.pump.looked([found(Edge.RAISED, 99, 60)])
    assert works.alarms == {}
