"""From open occurrences to the facts that the risk model looks at."""

from dataclasses import replace

import pytest

from alerts.book import AlarmBook
from alerts.facts import compile_layout, gather, remember
from domain.alarms import Edge, Finding, Kind, Priority, State
from domain.frame import Lane
from domain.instant import FAR, micros
from domain.plant import TagKind
from domain.risk import Floor
from domain.risk_facts import AlarmClass, Family, Function, Phase
from tests.support.builders import at
from tests.support.risk import MODEL, SOURCE, alarm, assessed, gas, site, tag

REGISTRY = site(gas(11), tag(12), tag(13, source=4), grades={SOURCE: 2, 4: None})
LAYOUT = compile_layout(REGISTRY)


def test_sources_have_the_grade_that_the_site_file_says():
    facts = gather(LAYOUT, [])
    assert facts.sources.ids.tolist() == [SOURCE, 4]
    assert facts.sources.grade.tolist() == [2, 0]
    assert facts.tags.source.tolist() == [0, 0, 1]
    assert facts.tags.function.tolist() == [Function.GAS, Function.LEVEL, Function.LEVEL]


def test_an_alarm_is_told_with_class_priority_and_age():
    open_alarm = alarm(REGISTRY, 11, Kind.HH, 20, acknowledged=50)
    found = gather(LAYOUT, [open_alarm]).alarms
    assert found.ids == (open_alarm.id,)
    assert (found.source[0], found.tag[0], found.priority[0]) == (0, 0, 0)
    assert found.alarm_class[0] == AlarmClass.GAS_L2
    assert (found.family[0], found.phase[0]) == (Family.TOXIC, Phase.ACTIVE)
    assert (found.since[0], found.acknowledged[0]) == (micros(at(20)), micros(at(50)))


def test_an_alarm_that_came_back_has_waited_since_it_first_began():
    book = AlarmBook(REGISTRY)

    def edge(what, onset, effective):
        found = Finding(what, Kind.H, 12, None, at(onset), at(effective), 1.0, 1.0)
        book.apply([found], at(effective))

    edge(Edge.RAISED, 0, 5)
    assert gather(LAYOUT, book.open()).alarms.since[0] == micros(at(5))
    edge(Edge.RETURNED, 0, 100)
    assert gather(LAYOUT, book.open()).alarms.phase[0] == Phase.RETURNED
    edge(Edge.RAISED, 110, 115)
    found = gather(LAYOUT, book.open()).alarms
    assert (found.since[0], found.phase[0]) == (micros(at(0)), Phase.ACTIVE)


def test_what_is_offline_by_itself_is_blind_and_a_silent_source_is_told_apart():
    offline, silent = alarm(REGISTRY, 12, Kind.OFFLINE, 3), alarm(REGISTRY, 4, Kind.SOURCE_OFFLINE)
    facts = gather(LAYOUT, [offline, silent])
    assert facts.tags.blind.tolist() == [FAR, micros(at(3)), FAR]
    assert facts.sources.silent.tolist() == [FAR, micros(at(0))]
    assert len(facts.alarms) == 0


@pytest.mark.parametrize("state", [State.RTNUN, State.NORM])
def test_what_is_heard_again_is_not_blind(state):
    gone = [
        replace(found, state=state)
        for found in (
            alarm(REGISTRY, 12, Kind.OFFLINE),
            alarm(REGISTRY, SOURCE, Kind.SOURCE_OFFLINE),
        )
    ]
    facts = gather(LAYOUT, gone)
    assert set(facts.tags.blind) == set(facts.sources.silent) == {FAR}


def test_the_replay_lane_and_unknown_sources_do_not_count():
    later = replace(alarm(REGISTRY, 11), lane=Lane.REPLAY)
    elsewhere = replace(alarm(REGISTRY, 12), tag=99, node=99)
    assert len(gather(LAYOUT, [later, elsewhere]).alarms) == 0


def test_an_occurrence_counts_where_its_tag_is_now_also_when_its_source_became_another_node():
    renamed = replace(alarm(REGISTRY, 11), node=99)
    facts = gather(LAYOUT, [renamed])
    assert facts.sources.ids[facts.alarms.source].tolist() == [SOURCE]


def test_alarm_of_a_removed_tag_counts_as_the_worst_it_can_have_been():
    before = [alarm(REGISTRY, 11, kind, ended=5) for kind in (Kind.H, Kind.HH)]
    registry = site(tag(12), grades={SOURCE: 2})
    found = gather(compile_layout(registry), before).alarms
    assert found.alarm_class.tolist() == [AlarmClass.UNREGISTERED, AlarmClass.GAS_L2]
    assert found.cause[0] == found.cause[1] != compile_layout(registry).tag_table.cause[0]
    ours, theirs = assessed(registry, before, 10), assessed(REGISTRY, before, 10)
    assert ours.score[0] == theirs.score[0]
    assert ours.floors[0, Floor.F4] == theirs.floors[0, Floor.F4]


def test_pulse_ends_when_the_value_came_back_not_when_the_delay_had_run_out():
    closed = alarm(REGISTRY, 11, Kind.HH, 0, acknowledged=70, ended=70)
    kept = remember(LAYOUT, MODEL, [closed], micros(at(70)))
    pulses = gather(LAYOUT, [], kept).pulses
    assert (pulses.since[0], pulses.back[0]) == (micros(at(0)), micros(at(40)))
    assert (pulses.high[0], pulses.alarm[0]) == (True, -1)


def test_only_gas_alarms_closed_of_late_are_remembered():
    gas_alarm = alarm(REGISTRY, 11, Kind.H, 0, acknowledged=1, ended=100)
    level = alarm(REGISTRY, 12, Kind.H, 0, acknowledged=1, ended=100)
    still = alarm(REGISTRY, 11, Kind.HH)
    assert remember(LAYOUT, MODEL, [gas_alarm, level, still], micros(at(1330))) == (gas_alarm,)
    assert remember(LAYOUT, MODEL, [gas_alarm], micros(at(1331))) == ()


def test_an_alarm_that_is_open_again_is_not_remembered_twice():
    closed = alarm(REGISTRY, 11, Kind.HH, 0, acknowledged=1, ended=100)
    opened = replace(closed, state=State.UNACK, ended=None, acknowledged_at=None)
    assert len(gather(LAYOUT, [opened], [closed]).pulses.tag) == 1


def test_tags_on_a_reactor_know_it():
    registry = site(tag(1, TagKind.TEMPERATURE, equipment="R-1"), tag(2, equipment="V-1"))
    assert compile_layout(registry).tag_table.reactor.tolist() == [1000 + SOURCE, -1]


def test_an_empty_plant_has_facts_too():
    empty = gather(compile_layout(site(grades={})), [])
    assert len(empty.sources.ids) == len(empty.tags.ids) == len(empty.alarms) == 0
    assert len(assessed(site(grades={}), []).score) == 0


def test_priority_of_the_site_file_is_the_one_that_counts():
    found = gather(LAYOUT, [alarm(REGISTRY, 12, Kind.H, priority=Priority.P1)]).alarms
    assert found.priority[0] == 0
