"""The life cycle reads like a shift log: what happened, what the table then shows."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import lifecycle
from alerts.lifecycle import TABLE, Event, Verb, step
from domain.alarms import Alarm, Kind, Priority, State
from domain.frame import Lane

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
FRESH = Alarm(
    UUID(int=1),
    Lane.LIVE,
    Kind.HH,
    7,
    3,
    2,
    Priority.P2,
    State.NORM,
    AT,
    AT,
    91.0,
    90.0,
    91.0,
)


def walk(*verbs: Verb, alarm: Alarm = FRESH) -> Alarm:
    for minute, verb in enumerate(verbs):
        alarm, _ = step(alarm, Event(verb, effective=AT, by="li"), AT + timedelta(minutes=minute))
    return alarm


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ((Verb.RAISE,), State.UNACK),
        ((Verb.RAISE, Verb.ACKNOWLEDGE), State.ACKED),
        ((Verb.RAISE, Verb.ACKNOWLEDGE, Verb.RETURN), State.NORM),
        ((Verb.RAISE, Verb.RETURN), State.RTNUN),
        ((Verb.RAISE, Verb.RETURN, Verb.ACKNOWLEDGE), State.NORM),
        ((Verb.RAISE, Verb.RETURN, Verb.RAISE), State.UNACK),
        ((Verb.RAISE, Verb.ACKNOWLEDGE, Verb.ACKNOWLEDGE), State.ACKED),
        ((Verb.RAISE, Verb.WORSEN, Verb.ACKNOWLEDGE, Verb.WORSEN), State.ACKED),
        ((Verb.RAISE, Verb.CLOSE), State.RTNUN),
        ((Verb.RAISE, Verb.ACKNOWLEDGE, Verb.CLOSE), State.NORM),
        ((Verb.ACKNOWLEDGE,), State.NORM),
        ((Verb.RETURN,), State.NORM),
    ],
)
def test_shift_log_ends_in_the_state_of_the_table(log, state):
    assert walk(*log).state is state


def test_acknowledgement_keeps_who_when_and_comment():
    raised = walk(Verb.RAISE)
    event = Event(Verb.ACKNOWLEDGE, by="wang", comment="on my way")
    after, transition = step(raised, event, AT)
    assert (after.acknowledged_by, after.acknowledged_at, after.comment) == (
        "wang",
        AT,
        "on my way",
    )
    assert transition is not None
    assert (transition.source, transition.target) == (State.UNACK, State.ACKED)


def test_alarm_that_comes_back_must_be_acknowledged_again():
    back = walk(Verb.RAISE, Verb.RETURN, Verb.RAISE)
    assert back.acknowledged_by is None
    assert back.ended is None


def test_a_closed_occurrence_never_opens_again():
    closed = walk(Verb.RAISE, Verb.ACKNOWLEDGE, Verb.RETURN)
    assert step(closed, Event(Verb.RAISE), AT) == (closed, None)


@given(st.lists(st.sampled_from(list(Verb)), max_size=12))
def test_no_path_closes_an_occurrence_that_nobody_acknowledged(log):
    alarm, acknowledged = FRESH, False
    for verb in log:
        before = alarm
        alarm, transition = step(alarm, Event(verb, effective=AT, by="li"), AT)
        if transition is None:
            assert alarm == before
            continue
        assert alarm.n == before.n + 1
        acknowledged = (verb is Verb.ACKNOWLEDGE) or (acknowledged and verb is not Verb.RAISE)
        assert (alarm.state is State.NORM) <= acknowledged
        assert (alarm.closed is not None) == (alarm.state is State.NORM)


def test_docstring_shows_exactly_the_table():
    rows = [line for line in (lifecycle.__doc__ or "").splitlines() if line.startswith("| ")]
    said = {}
    for row in rows[1:]:
        source, event, target, _ = (cell.strip() for cell in row.strip("|").split("|"))
        said[State(source), Verb(event)] = State(target)
    assert said == TABLE


def test_worsening_keeps_the_worst_value():
    raised = walk(Verb.RAISE)
    after, _ = step(raised, Event(Verb.WORSEN, value=95.0), AT)
    assert after == replace(raised, worst=95.0, n=2)


def test_diagram_in_the_docs_shows_exactly_the_table():
    text = (Path(__file__).parents[3] / "docs" / "alarm-lifecycle.md").read_text("utf-8")
    arrows = re.findall(r"^ +(\w+) --> (\w+): (\w+)$", text, re.MULTILINE)
    assert {(State(a), Verb(event)): State(b) for a, b, event in arrows} == TABLE
