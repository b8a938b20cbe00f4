"""What hazwatch says of itself, through the whole pump: delays, restarts, a site that changes."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Edge, Kind, Priority, State
from domain.plant import Node
from hazwatch.own_alarms import OwnAlarms
from tests.support.builders import ENTERPRISE, PARK, at, registry
from tests.support.works import PLANT, Works

LAG = Kind.INGEST_LAG


def ticks(works: Works, seconds: int) -> None:
    for _ in range(seconds):
        works.clock.seconds += 1
        works.pump.tick()


def late(works: Works, since: datetime | None, value: float = 25.0) -> None:
    works.pump.condition(LAG, ENTERPRISE, since, value, 10.0)


def test_what_holds_for_its_delay_is_an_alarm_and_says_what_to_do():
    works = Works()
    late(works, works.clock.now())
    ticks(works, 9)
    assert works.of(LAG) == []
    ticks(works, 1)
    [alarm] = works.of(LAG)
    assert (alarm.state, alarm.priority, alarm.node) == (State.UNACK, Priority.P2, ENTERPRISE)
    assert (alarm.onset, alarm.effective, alarm.value, alarm.limit) == (at(0), at(10), 25.0, 10.0)
    for part in ("接入滞后", "judged late 25 s (limit 10 s)", "since 2026-11-21", "DCS"):
        assert part in alarm.text


def test_what_passes_sooner_is_none():
    works = Works()
    late(works, works.clock.now())
    ticks(works, 8)
    late(works, None)
    ticks(works, 60)
    assert works.of(LAG) == []


def test_it_returns_when_it_was_over_and_a_relapse_within_the_delay_is_no_return():
    works = Works()
    late(works, works.clock.now())
    ticks(works, 20)
    late(works, None)
    ticks(works, 20)
    late(works, works.clock.now())
    ticks(works, 40)
    assert works.of(LAG)[0].state is State.UNACK
    late(works, None)
    ticks(works, 31)
    [alarm] = works.of(LAG)
    assert (alarm.state, alarm.ended) == (State.RTNUN, at(80))


def test_it_is_told_again_when_it_has_doubled():
    works = Works()
    late(works, works.clock.now(), 12.0)
    ticks(works, 11)
    for value in (13.0, 23.0, 25.0, 49.0, 51.0, 3.0):
        late(works, works.clock.now(), value)
        ticks(works, 1)
    assert [one.event for one in works.changes] == ["raise", "worsen", "worsen"]
    assert works.of(LAG)[0].worst == 51.0


@pytest.mark.parametrize("said", [True, False])
def test_after_a_restart_what_is_gone_returns_whether_anybody_says_so_or_not(said: bool):
    works = Works()
    late(works, works.clock.now())
    ticks(works, 20)
    works.kill()
    if said:
        late(works, None)
    ticks(works, 29)
    assert works.of(LAG)[0].state is State.UNACK
    ticks(works, 32)
    [alarm] = works.of(LAG)
    assert (alarm.state, alarm.ended) == (State.RTNUN, at(20))


def test_after_a_restart_what_goes_on_is_the_same_occurrence():
    works = Works()
    late(works, works.clock.now())
    ticks(works, 20)
    works.kill()
    ticks(works, 5)
    late(works, works.clock.now())
    ticks(works, 300)
    [alarm] = works.of(LAG)
    assert (alarm.state, alarm.onset) == (State.UNACK, at(0))
    late(works, None)
    ticks(works, 31)
    assert works.of(LAG)[0].state is State.RTNUN


def test_a_node_that_leaves_the_site_ends_it_with_the_reason():
    works = Works(registry(*PLANT.tags.values(), nodes=[Node(9, PARK, "enterprise", "E9", "九")]))
    works.pump.condition(LAG, 9, works.clock.now())
    ticks(works, 12)
    assert works.of(LAG)[0].state is State.UNACK
    nodes = {id: one for id, one in works.plant.nodes.items() if id != 9}
    assert works.pump.swap(replace(works.plant, nodes=nodes))
    ticks(works, 1)
    [alarm] = works.of(LAG)
    assert (alarm.state, alarm.reason) == (State.RTNUN, "节点已移除 no longer in the site")


def test_no_room_is_urgent_and_belongs_to_the_root():
    works = Works()
    works.pump.condition(Kind.NO_ROOM, PARK, works.clock.now())
    ticks(works, 1)
    [alarm] = works.of(Kind.NO_ROOM)
    assert (alarm.priority, alarm.node, alarm.enterprise) == (Priority.P1, PARK, PARK)
    assert "无法存储" in alarm.text
    assert "HAZWATCH_DATA_DIR" in alarm.text


def slow(told: list[bool]) -> list[tuple[Edge, int]]:
    """Second by second, what is told at it; edges by their effective seconds. On 10 s, off 30 s."""
    edges: list[tuple[Edge, int]] = []
    since = over = None
    active = False
    for second, holds in enumerate(told):
        if holds:
            since, over = (second if since is None else since), None
        elif since is not None and over is None:
            over = second
        if since is None:
            continue
        if not active and (second if over is None else over) - since >= 10:
            active = True
            edges.append((Edge.RAISED, since + 10))
        elif not active and over is not None:
            since = over = None
        elif active and over is not None and second - over >= 30:
            edges.append((Edge.RETURNED, over))
            since, over, active = None, None, False
    return edges


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 45)), max_size=12))
def test_delays_are_those_of_the_slow_reference(spans: list[tuple[bool, int]]):
    own, plant, found = OwnAlarms(), registry(), []
    told = [holds for holds, seconds in spans for _ in range(seconds)]
    for second, holds in enumerate(told):
        own.tell(LAG, ENTERPRISE, at(second) if holds else None, at=at(second))
        found += own.step(plant, at(second))
    edges: list[Any] = [(one.edge, (one.effective - at(0)).total_seconds()) for one in found]
    assert edges == slow(told)
