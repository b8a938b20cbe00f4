"""A mode that begins or ends lowers nothing: what is behind an alarm or a forecast stays until it
has returned, over a restart too."""

from dataclasses import replace
from datetime import timedelta
from math import nan
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Alarm, Kind, State
from domain.inputs import Input, InputKind
from domain.modes import Kept
from domain.plant import Node, Registry
from domain.risk import Part, RiskResult
from hazwatch.stance import Stance
from tests.support.builders import ENTERPRISE, SOURCE, registry, tag
from tests.support.works import PLANT, Works

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


def ruled(when: str, **modes: dict[Kind, float]) -> Registry:
    rule = Node(50, SOURCE, "rule", "R", "R", ENTERPRISE, None, {"when": when, "priority": "P1"})
    tags = [replace(one, limits_by_mode=modes) for one in PLANT.tags.values()]
    return registry(*tags, nodes=[rule])


def risk(works: Works) -> RiskResult:
    """As it is at this instant."""
    pump = works.pump
    pump.warnings.look(pump.book.open(), works.clock.now(), pump._signals())
    return pump.warnings._colours._result


def parted(works: Works, part: Part) -> float:
    return float(risk(works).parts[0, part])


def ruling(works: Works) -> list[str]:
    return [one.state.value for one in works.of(Kind.COMPOSITE)]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize(
    ("when", "before", "after"),
    [
        ('mode("S1") == run and LI1 > 7.5 m', {}, {SOURCE: "empty"}),
        ('mode("S1") == empty and LI1 > 7.5 m', {SOURCE: "empty"}, {}),
        ("LI1 > H for 1 s", {}, {SOURCE: "empty"}),
        ("LI1 > H for 1 s", {SOURCE: "shutdown"}, {}),
    ],
)
def test_a_written_rule_that_holds_outlives_the_modes_in_which_it_began(
    when, before, after, killed
):
    works = Works(ruled(when, empty={Kind.H: nan}, shutdown={Kind.H: 7.0}))
    value = 7.8 if before else 8.5
    assert works.pump.swap(works.plant, before)
    works.run(60, LI1=value, LI2=1.0)
    assert ruling(works) == ["UNACK"]
    had = parted(works, Part.A)
    assert works.pump.swap(works.plant, after)
    if killed:
        works.kill()
    works.run(120, LI1=value, LI2=1.0)
    assert ruling(works) == ["UNACK"]
    assert parted(works, Part.A) >= had
    works.run(240, LI1=1.0, LI2=1.0)
    assert ruling(works) == ["RTNUN"]
    assert works.pump._kept == Kept()
    works.run(60, LI1=value, LI2=1.0)
    assert ruling(works) == ["RTNUN"]


@pytest.mark.parametrize("killed", [False, True])
def test_points_for_what_is_foretold_outlive_the_mode_that_switches_the_limit_off(killed: bool):
    off = {"empty": {Kind.H: nan, Kind.HH: nan}, "turnaround": {Kind.HH: 30.0}}
    for mode in off:
        works = Works(registry(tag(1, "LI1", limits={Kind.HH: 9.0}, interval_s=5.0,
                                   range=(0.0, 40.0))))  # fmt: skip
        works.plant = replace(
            works.plant, tags={1: replace(works.plant.tags[1], limits_by_mode=off)}
        )
        works.start()
        for n in range(120):
            works.run(5, LI1=2.0 + 0.05 * n)
        had = parted(works, Part.P)
        assert had > 0
        assert works.pump.swap(works.plant, {SOURCE: mode})
        assert parted(works, Part.P) >= had
        if killed:
            works.kill()
        for n in range(6):
            works.run(5, LI1=8.0 + 0.05 * n)
        assert parted(works, Part.P) >= had
        works.run(30, LI1=9.5)
        assert not works.of(Kind.HH)
        works.run(900, LI1=2.0)
        assert parted(works, Part.P) == 0
        assert works.pump._kept == Kept()


LIMIT = st.sampled_from([nan, 1.0, 6.0, 7.0, 8.5, 9.5])
OWN = st.fixed_dictionaries({}, optional={Kind.H: LIMIT.filter(lambda v: not 8.5 < v < 99),
                                          Kind.HH: st.sampled_from([nan, 8.9, 9.5])})  # fmt: skip
MODE = st.sampled_from([{}, {SOURCE: "empty"}, {SOURCE: "shutdown"}, {SOURCE: "run"}])
WHEN = st.sampled_from(
    ["LI1 > H", 'mode("S1") != run and LI2 > 5 m', 'LI1 < HH and mode("S1") == run', "LI2 > HH"]
)


@settings(max_examples=15)
@given(st.data())
def test_at_the_instant_of_a_change_no_mode_lowers_score_or_floors(data):
    modes = {"empty": data.draw(OWN), "shutdown": data.draw(OWN)}
    vote = {"kind": "vote", "vote": "2oo2", "members": ["LI1", "LI2"], "level": "H"}
    plant = ruled(data.draw(WHEN), **modes)
    group = Node(40, SOURCE, "group", "G", "G", ENTERPRISE, None, vote)
    works = Works(replace(plant, nodes={**plant.nodes, 40: group}))
    level = st.sampled_from([0.5, 5.0, 7.5, 8.5, 9.2])
    for _ in range(data.draw(st.integers(2, 4))):
        first, second = data.draw(level), data.draw(level)
        for n in range(6):
            works.run(5, LI1=first + n * data.draw(st.sampled_from([0.0, 0.1])), LI2=second)
        before = risk(works)
        assert works.pump.swap(works.plant, data.draw(MODE))
        works.pump.tick()
        after = risk(works)
        assert (after.score >= before.score - 1e-9).all()
        assert (after.floors >= before.floors).all()
        if data.draw(st.booleans()):
            works.kill()
            again = risk(works)
            assert (again.parts[:, Part.A] >= after.parts[:, Part.A] - 1e-9).all()
            assert (again.floors >= after.floors).all()


def test_the_stance_outlives_a_restart_exactly_and_forgets_what_left_the_site():
    kept = Kept(
        {1: {Kind.H: 0.1}, 7: {Kind.L: 1.0}}, {2: {Kind.HH: 9.0}}, {SOURCE: {SOURCE: "empty"}}
    )
    body = Stance({SOURCE: "empty", 99: "run"}, kept).to_bytes()
    found = Stance.of(body, PLANT)
    assert found == Stance({SOURCE: "empty"}, replace(kept, limits={1: {Kind.H: 0.1}}))
    assert Stance.of(b"?", PLANT) is None
    assert Stance.of(b"[]", PLANT) is None
    assert Stance.of(None, PLANT) is None
