"""By when a console has to have acknowledged (domain.md 4.4 `ack`, 5.2 #1 and #3)."""

from dataclasses import replace

import pytest

from alerts.events import alarm_body
from domain.acknowledging import acknowledge_by, waits_since
from domain.alarms import Alarm, Flag, Kind, State
from domain.frame import Lane
from domain.instant import rfc3339
from domain.plant import TagKind
from tests.support.builders import at, registry, tag
from tests.support.risk import alarm

PLANT = registry(
    tag(1, limits={Kind.HH: 9.0}),
    tag(2, kind=TagKind.GAS_TOXIC, limits={Kind.HH: 9.0}),
    tag(3, limits={Kind.H: 8.0}),
)
SHELF = Flag(at(0), at(60), "li", "test")


def told(one: Alarm) -> object:
    return alarm_body(PLANT, one)["ack_by"]


@pytest.mark.parametrize(
    ("who", "kind", "seconds"), [(1, Kind.HH, 180), (2, Kind.HH, 60), (3, Kind.H, 600)]
)
def test_the_time_of_the_policy_runs_from_the_end_of_the_delay(who, kind, seconds):
    one = replace(alarm(PLANT, who, kind), onset=at(5), onset_last=at(5), effective=at(10))
    assert told(one) == rfc3339(at(10 + seconds))


@pytest.mark.parametrize("state", State)
def test_only_what_waits_has_such_a_time(state):
    waits = state in (State.UNACK, State.RTNUN, State.LATUN)
    assert (told(replace(alarm(PLANT, 1), state=state)) is not None) == waits


def test_what_is_silent_or_was_found_afterwards_waits_for_nobody():
    one = alarm(PLANT, 1)
    assert told(replace(one, shelved=SHELF)) is None
    assert told(replace(one, stale=True)) is not None
    assert told(replace(one, lane=Lane.REPLAY)) is None


def test_what_was_acknowledged_for_an_hour_and_is_not_any_more_waits_on():
    one = replace(alarm(PLANT, 1), effective=at(0), onset_last=None, answered_s=3600.0)
    assert told(one) == rfc3339(at(3600 + 180))


def test_what_comes_back_before_anybody_acknowledged_has_waited_from_the_start():
    one = replace(alarm(PLANT, 1), onset=at(0), onset_last=at(170), effective=at(175))
    assert waits_since(one.onset, one.onset_last, one.effective, 0.0) == at(0)
    assert told(one) == rfc3339(at(180))


def test_an_alarm_of_a_node_has_the_time_of_its_kind():
    since = at(0)
    assert acknowledge_by(Kind.SOURCE_OFFLINE, None, since) == at(600)
