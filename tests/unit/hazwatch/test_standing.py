"""What is asked of every open case at every look is put together once, and says the same."""

from dataclasses import replace

import numpy as np
import pytest

from domain.alarms import Kind
from domain.cases import ClockReading, Outcome
from domain.plant import Node, TagKind
from domain.risk import Colour
from domain.risk_facts import AlarmClass
from hazwatch.standing import BEHIND, Standing
from hazwatch.told_risk import NEW_AT_ONCE
from hazwatch.warnings import MOVED_AT_ONCE
from tests.support import risk
from tests.support.builders import ENTERPRISE, SOURCE, at, registry, tag
from tests.support.warned import Watched

MANY = 3 * NEW_AT_ONCE


def park(sources: int) -> Watched:
    """As many sources more, each with a detector of gas."""
    limits = {Kind.H: 20.0, Kind.HH: 40.0}
    gas = tag(1, kind=TagKind.GAS_TOXIC, unit="ppm", range=(0.0, 100.0), limits=limits)
    plain = registry(gas)
    more = range(1000, 1000 + sources)
    nodes = {id: Node(id, ENTERPRISE, "source", f"s{id}", "S", ENTERPRISE) for id in more}
    tags = {id: replace(gas, id=id, name=f"T{id}", source=id) for id in more}
    return Watched(replace(plain, nodes={**plain.nodes, **nodes}, tags={**plain.tags, **tags}))


@pytest.mark.parametrize("alarms", [0, 1, 7, 300])
def test_what_stands_behind_each_source_is_what_the_arrays_say(alarms):
    plant = risk.site(*(risk.gas(n, source=3 + n % 4) for n in range(1, 301)),
                      grades={3: 1, 4: 2, 5: 3, 6: 4})  # fmt: skip
    kinds = (Kind.H, Kind.HH, Kind.ROC)
    opened = [risk.alarm(plant, n, kinds[n % 3], float(n)) for n in range(1, alarms + 1)]
    facts, result = risk.judged(plant, opened, 400.0)
    known, table = Standing.of(facts, result), facts.alarms
    counts = (result.share > 0) | (result.holds != 0)
    for source in result.sources.tolist():
        mine = counts & (table.source == result.row(source))
        named = tuple(table.ids[k] for k in np.flatnonzero(mine)[:BEHIND])
        row = known.row[source]
        assert known.behind.get(row, ()) == named
        gas = table.alarm_class == AlarmClass.GAS_L2
        assert (row in known.gas_l2) == bool((mine & gas).any())


def test_sources_that_were_never_told_are_kept_in_portions_until_all_are():
    watched = park(MANY)
    watched.tick()
    assert len(watched.risks) == NEW_AT_ONCE
    watched.wait(5)
    assert watched.risks.keys() == {SOURCE, *range(1000, 1000 + MANY)}
    assert watched.events == []


def test_a_source_that_leaves_blue_before_it_was_ever_told_is_an_event_all_the_same():
    watched = park(MANY)
    watched.raises(Kind.HH, 1000 + MANY - 1, 45.0)
    watched.wait(5)
    told = [one for one in watched.events if one.type == "risk"]
    assert {one.node for one in told} == {1000 + MANY - 1}


def test_timers_of_another_machines_run_are_written_down_in_portions_and_fire_meanwhile():
    watched = park(150)
    for id in range(1000, 1150):
        watched.raises(Kind.HH, id, 45.0)
    waiting = {key for key, one in watched.steps.items() if one.outcome is Outcome.WAITING}
    assert len(waiting) > 2 * MOVED_AT_ONCE
    watched.boot = "boot-2"
    watched.kill()
    now = ClockReading(at(watched.seconds), watched.seconds, watched.boot)
    written = []
    while told := watched.warnings.tick(now.at).steps:
        assert len(told) <= MOVED_AT_ONCE
        written += [(step.case, step.no) for step in told]
    assert sorted(map(str, written)) == sorted(map(str, waiting))


def test_a_look_at_cases_that_stand_as_they_stood_makes_no_transition_and_no_sight():
    watched = park(3)
    watched.raises(Kind.HH, 1000, 45.0)
    watched.wait(2)
    before = watched.case
    assert watched.warnings._unseen() == []
    watched.wait(5)
    assert watched.case == before
    watched.raises(Kind.HH, 1, 45.0)
    assert watched.case.colour >= Colour.ORANGE
