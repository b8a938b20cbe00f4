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
from alerts.events import is_news
from alerts.lifecycle import TABLE, Event, Guard, Row, Verb, row_of, step
from domain.alarms import ACTIVE, LATCHED, WAITING, Alarm, Flag, Kind, Priority, State
from domain.elapsed import ClockReading, Timer
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
LATCHING = replace(FRESH, latching=True)
TIMER = Timer(60.0, ClockReading(AT, 5.0, "boot"))
FLAG = Flag(AT, AT + timedelta(seconds=60), "li", "noise", rule="permit:1", timer=TIMER)
UP, BACK, ACK, RESET = Verb.RAISE, Verb.RETURN, Verb.ACKNOWLEDGE, Verb.RESET
SHELVE, UNSHELVE, SEE = Verb.SHELVE, Verb.UNSHELVE, Verb.SEE


def walk(*verbs: Verb, alarm: Alarm = FRESH) -> Alarm:
    for minute, verb in enumerate(verbs):
        event = Event(verb, effective=AT, by="li", flag=FLAG, level="park")
        alarm, _ = step(alarm, event, AT + timedelta(minutes=minute))
    return alarm


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ((UP,), State.UNACK),
        ((UP, ACK, BACK), State.NORM),
        ((UP, BACK), State.RTNUN),
        ((UP, BACK, ACK), State.NORM),
        ((UP, BACK, UP), State.UNACK),
        ((UP, ACK, ACK), State.ACKED),
        ((UP, Verb.WORSEN, ACK, Verb.WORSEN), State.ACKED),
        ((UP, Verb.CLOSE), State.RTNUN),
        ((UP, ACK, Verb.CLOSE), State.NORM),
        ((UP, ACK, Verb.RE_ALARM), State.UNACK),
        ((UP, RESET), State.UNACK),
        ((UP, BACK, RESET), State.RTNUN),
        ((UP, ACK, SHELVE, UNSHELVE), State.UNACK),
        ((UP, BACK, SHELVE, UNSHELVE), State.RTNUN),
        ((ACK,), State.NORM),
        ((BACK,), State.NORM),
        ((SHELVE,), State.NORM),
    ],
)
def test_shift_log_ends_in_the_state_of_the_table(log, state):
    assert walk(*log).state is state


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ((UP, BACK), State.LATUN),
        ((UP, BACK, RESET), State.LATUN),
        ((UP, BACK, ACK), State.LATAC),
        ((UP, BACK, ACK, RESET), State.NORM),
        ((UP, ACK, RESET), State.ACKED),
        ((UP, ACK, BACK), State.LATAC),
        ((UP, ACK, BACK, RESET), State.NORM),
        ((UP, ACK, BACK, UP), State.UNACK),
        ((UP, BACK, UP), State.UNACK),
        ((UP, Verb.CLOSE), State.LATUN),
        ((UP, ACK, Verb.CLOSE, RESET), State.NORM),
        ((UP, ACK, BACK, SHELVE, UNSHELVE), State.LATAC),
    ],
)
def test_a_latching_alarm_is_kept_until_it_is_acknowledged_and_reset(log, state):
    assert walk(*log, alarm=LATCHING).state is state


def test_acknowledgement_keeps_who_when_and_comment():
    raised = walk(UP)
    event = Event(ACK, by="wang", comment="on my way")
    after, transition = step(raised, event, AT)
    assert (after.acknowledged_by, after.acknowledged_at, after.comment) == (
        "wang",
        AT,
        "on my way",
    )
    assert transition is not None
    assert (transition.source, transition.target) == (State.UNACK, State.ACKED)


def test_the_newest_that_each_desk_has_seen_is_kept_and_only_that_changes():
    raised, later = walk(UP), AT + timedelta(minutes=9)
    seen = raised
    for level, by in (("park", "li"), ("county", "wang"), ("park", "zhao")):
        seen, transition = step(seen, Event(SEE, by=by, comment="看过", level=level), later)
        assert transition is not None
        assert (transition.event, transition.comment, is_news(transition)) == ("see", "看过", False)
    assert [(one.level, one.by) for one in seen.seen] == [("county", "wang"), ("park", "zhao")]
    assert replace(seen, seen=(), n=raised.n) == raised
    assert step(raised, Event(SEE, by="li"), later)[1] is None
    assert walk(SEE).seen == ()


def test_a_latched_alarm_that_comes_back_is_unseen_again():
    assert len(walk(UP, SEE, BACK, ACK, alarm=LATCHING).seen) == 1
    assert walk(UP, SEE, BACK, ACK, UP, alarm=LATCHING).seen == ()
    assert len(walk(UP, SEE, BACK, UP).seen) == 1


def test_alarm_that_comes_back_must_be_acknowledged_again():
    back = walk(UP, BACK, UP)
    assert back.acknowledged_by is None
    assert back.ended is None
    assert back.chatter == 1


def test_what_was_acknowledged_and_has_to_be_again_waits_as_long_as_it_did_before():
    again = walk(UP, ACK, Verb.WORSEN, Verb.RE_ALARM)
    assert (again.acknowledged_at, again.re_alarms, again.answered_s) == (None, 1, 120.0)
    assert walk(UP, ACK, SHELVE, UNSHELVE).answered_s == 120.0
    assert walk(UP, ACK, BACK, UP, alarm=LATCHING).answered_s == 120.0


def test_a_closed_occurrence_never_opens_again():
    closed = walk(UP, ACK, BACK)
    assert step(closed, Event(UP), AT) == (closed, None)


def test_a_shelf_outlives_its_occurrence_and_what_permits_and_modes_do_comes_anew():
    closed = walk(UP, SHELVE, Verb.SUPPRESS, Verb.REMOVE, ACK, BACK)
    assert closed.state is State.NORM
    assert closed.flags == ("shelved",)
    assert walk(UNSHELVE, alarm=closed).flags == ()


def test_no_flag_without_an_end():
    raised = walk(UP)
    for verb in (SHELVE, Verb.REMOVE):
        for flag in (None, replace(FLAG, timer=None)):
            assert step(raised, Event(verb, flag=flag), AT)[1] is None
    assert step(raised, Event(Verb.SUPPRESS, flag=replace(FLAG, rule="")), AT)[1] is None


def test_what_is_for_the_journal_alone_waits_for_nobody():
    alarm, _ = step(FRESH, Event(UP, auto_ack=True), AT)
    assert (alarm.state, alarm.acknowledged_by, alarm.acknowledged_at) == (
        State.ACKED,
        "hazwatch",
        AT,
    )


def test_rows_that_change_nothing_say_why():
    unseen = walk(UP, BACK, alarm=LATCHING)
    row = row_of(unseen, Event(RESET))
    assert row is not None
    assert (row.target, row.says) == (None, "acknowledge it first")
    for alarm in (walk(UP, ACK), walk(UP, ACK, BACK), walk(UP, ACK, BACK, alarm=LATCHING)):
        row = row_of(alarm, Event(ACK))
        assert row is not None
        assert (row.target, row.says) == (None, "nothing to acknowledge")


@given(st.booleans(), st.lists(st.sampled_from(list(Verb)), max_size=24))
def test_no_path_closes_an_occurrence_that_nobody_acknowledged_or_that_is_latched(latching, log):
    alarm, acknowledged, opened = replace(FRESH, latching=latching), False, 0
    for verb in log:
        before = alarm
        event = Event(verb, effective=AT, by="li", flag=FLAG, now=TIMER.mark, level="park")
        alarm, transition = step(alarm, event, AT)
        if transition is None:
            assert alarm == before
            continue
        assert alarm.n == before.n + 1
        if verb is SEE:
            assert replace(alarm, seen=before.seen, n=before.n) == before
        opened += before.state is State.NORM and alarm.state is not State.NORM
        if verb is ACK:
            acknowledged = True
        elif alarm.state in WAITING and before.state not in WAITING:
            acknowledged = False
        if alarm.state is State.NORM and before.state is not State.NORM:
            assert acknowledged
            assert not latching or verb is RESET
        if before.state in ACTIVE and alarm.state not in ACTIVE:
            assert verb in (BACK, Verb.CLOSE)
        if alarm.state in LATCHED:
            assert latching
        assert (alarm.closed is not None) == (alarm.state is State.NORM)
    assert opened <= 1


def test_docstring_shows_exactly_the_table():
    lines = [line for line in (lifecycle.__doc__ or "").splitlines() if line.startswith("| ")]
    said = set()
    for line in lines[1:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        number, source, event, guard, target, _ = cells
        for state in State if source == "any" else [State(source)]:
            to = None if target == "no" else state if target == "same" else State(target)
            said.add((number, state, Verb(event), Guard(guard), to))
    assert said == {_plain(row) for row in TABLE}
    assert len(said) == len(TABLE)


def _plain(row: Row) -> tuple[str, State, Verb, Guard, State | None]:
    return (str(row.number or "–"), row.source, row.verb, row.guard, row.target)


def test_every_row_of_the_domain_has_its_number_here():
    assert {row.number for row in TABLE} - {None} == set(range(1, 24)) - {21}


def test_worsening_keeps_the_worst_value():
    raised = walk(UP)
    after, _ = step(raised, Event(Verb.WORSEN, value=95.0), AT)
    assert after == replace(raised, worst=95.0, n=2)


FLAGGING = {
    SHELVE: ("loud", "shelved"),
    UNSHELVE: ("shelved", "loud"),
    Verb.HAND_OVER: ("shelved", "loud"),
    Verb.RESUME: ("shelved", "shelved"),
    Verb.SUPPRESS: ("loud", "suppressed"),
    Verb.UNSUPPRESS: ("suppressed", "loud"),
    Verb.REMOVE: ("loud", "out_of_service"),
    Verb.PUT_BACK: ("out_of_service", "loud"),
    Verb.LOSE: ("heard", "stale"),
    Verb.FIND: ("stale", "heard"),
}
SILENT_GUARDS = {Guard.ALWAYS, Guard.SHELVED}


def test_diagrams_in_the_docs_show_exactly_the_table():
    text = (Path(__file__).parents[3] / "docs" / "alarm-lifecycle.md").read_text("utf-8")
    _, states, flags, *_ = re.split(r"^```mermaid\n", text, flags=re.MULTILINE)
    arrow = r"^ +(\w+) --> (\w+): (\w+)(?: \[(.+)\])?$"
    drawn = {
        (State(a), State(b), Verb(verb), guard)
        for a, b, verb, guard in re.findall(arrow, states, re.MULTILINE)
    }
    moves = [row for row in TABLE if row.verb not in FLAGGING or row.source is not row.target]
    assert drawn == {
        (row.source, row.target, row.verb, "" if row.guard in SILENT_GUARDS else row.guard.value)
        for row in moves
        if row.target is not None
    }
    shown = {Verb(verb): (a, b) for a, b, verb, _ in re.findall(arrow, flags, re.MULTILINE)}
    assert shown == FLAGGING
