"""A mode that begins ends no alarm: the limit behind it stays until it has returned."""

from dataclasses import replace
from datetime import timedelta
from math import nan
from uuid import uuid4

from domain.alarms import Alarm, Kind, State
from domain.inputs import Input, InputKind
from domain.plant import Registry
from tests.unit.hazwatch.test_edge import PLANT, Works

UNIT = 20
OFF = {"empty": {Kind.H: nan}, "start_up": {Kind.H: 8.5}}


def plant() -> Registry:
    tags = {id: replace(one, limits_by_mode=OFF) for id, one in PLANT.tags.items()}
    return replace(PLANT, tags=tags)


def active(works: Works) -> list[Alarm]:
    return [one for one in works.of(Kind.H) if one.state in (State.UNACK, State.ACKED)]


def in_force(works: Works, tag: int) -> float:
    plan = works.pump._plan
    return float(plan.limits.limit[plan.slot_of(tag), Kind.H])


def test_an_active_alarm_outlives_the_mode_that_switches_its_limit_off_and_then_it_is_off():
    for mode, then in (("empty", nan), ("start_up", 8.5)):
        works = Works(plant())
        source = next(iter(works.plant.tags.values())).source
        (name, id), (calm, other) = [(t.name, t.id) for t in works.plant.tags.values()][:2]
        limit = in_force(works, id)
        works.run(60, **{name: limit + 0.2, calm: 1.0})
        (alarm,) = active(works)
        assert works.pump.swap(works.plant, {source: mode})
        works.run(120, **{name: limit + 0.2, calm: 1.0})
        assert [one.id for one in active(works)] == [alarm.id]
        assert in_force(works, id) == limit
        assert str(in_force(works, other)) == str(then)
        works.run(120, **{name: 1.0, calm: 1.0})
        assert not active(works)
        assert str(in_force(works, id)) == str(then)
        works.run(60, **{name: limit + 0.2, calm: 1.0})
        assert not active(works)


def test_a_limit_that_people_take_away_is_not_held():
    works = Works(plant())
    name, id = next((t.name, t.id) for t in works.plant.tags.values())
    works.run(60, **{name: in_force(works, id) + 0.2})
    assert active(works)
    tags = {i: replace(t, limits={}, limits_by_mode={}) for i, t in works.plant.tags.items()}
    assert works.pump.swap(replace(works.plant, tags=tags))
    assert not active(works)


def test_a_stated_mode_begins_and_ends_with_time():
    works = Works(plant())
    tag = next(iter(works.plant.tags.values()))
    limit, now = in_force(works, tag.id), works.clock.now()
    begins, ends = now + timedelta(seconds=42), now + timedelta(seconds=102)
    mode = {"mode": "empty"}
    said = (InputKind.MODE, tag.enterprise, tag.source, None, begins, ends, mode, "wang", now, "li")
    works.pump.heard([Input(uuid4(), *said)])
    shown = []
    for _ in range(4):
        works.run(30, **{tag.name: 1.0})
        shown.append(str(in_force(works, tag.id)))
    assert shown == [str(limit), "nan", "nan", str(limit)]
