"""The book of open occurrences: one active per subject, idempotent for findings seen before."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan
from unittest.mock import ANY
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alerts.book import AlarmBook
from alerts.by_design import ByDesign
from alerts.events import alarm_body, alarm_event
from alerts.handling import Around, Handling
from alerts.layout import compile_layout
from domain.alarms import (
    ActionDone,
    Edge,
    Finding,
    Kind,
    OperatorAction,
    Priority,
    State,
    Transition,
    occurrence_id,
)
from domain.elapsed import ClockReading
from domain.frame import Lane
from domain.plant import Circumstance, Node, OwnPolicy, Registry, Tag, TagKind

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TAG = Tag(7, 1, 2, 3, "LT-101", TagKind.LEVEL, "%", T0, (0.0, 100.0), {Kind.H: 80.0, Kind.HH: 90.0})
REGISTRY = Registry(
    1,
    {
        1: Node(1, None, "park", "p1", "Park"),
        2: Node(2, 1, "enterprise", "e1", "Plant", 2),
        3: Node(3, 2, "source", "s1", "Tanks", 2),
    },
    (),
    {7: TAG},
)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def raised(onset: float, kind: Kind = Kind.HH, after: float = 5) -> Finding:
    return Finding(Edge.RAISED, kind, 7, None, at(onset), at(onset + after), 91.0, 90.0)


def returned(onset: float, when: float, kind: Kind = Kind.HH) -> Finding:
    return Finding(Edge.RETURNED, kind, 7, None, at(onset), at(when), 70.0, 90.0)


def acknowledge(target: UUID, by: str = "li") -> OperatorAction:
    return OperatorAction(UUID(int=9), "acknowledge", target, by, None, T0)


def acts(
    book: AlarmBook, action: OperatorAction, when: datetime
) -> tuple[ActionDone, Transition | None]:
    now = ClockReading(when, 0.0, "boot")
    design = ByDesign(compile_layout(book.registry), (), now)
    done, changes = Handling(book).act(action, Around(now, design))
    return done, changes[0] if changes else None


def states(book: AlarmBook) -> list[State]:
    return [alarm.state for alarm in book.open()]


def test_alarm_says_tag_value_limit_and_since_when():
    book = AlarmBook(REGISTRY)
    (transition,) = book.apply([raised(0)], at(5))
    assert transition.alarm.text.startswith("LT-101: 91 % ≥ 90")
    assert "2026-11-21 03:00:00" in transition.alarm.text
    assert transition.alarm.priority is Priority.P2
    assert transition.alarm.id == occurrence_id(Lane.LIVE, 7, Kind.HH, T0)


def test_what_is_p1_by_where_it_is_calls_somebody_though_the_site_file_was_loaded_before():
    quiet = replace(TAG, alarms={Kind.HH: OwnPolicy(auto_ack=True)})
    grave = replace(quiet, circumstances=frozenset({Circumstance.GRADE_1_2}))
    for tag, expected in ((quiet, State.ACKED), (grave, State.UNACK)):
        book = AlarmBook(replace(REGISTRY, tags={7: tag}))
        book.apply([raised(0)], at(5))
        assert states(book) == [expected]


def test_alarm_comes_once_however_often_it_is_found():
    book = AlarmBook(REGISTRY)
    assert len(book.apply([raised(0), raised(0)], at(5))) == 1
    assert book.apply([raised(0)], at(6)) == []


def test_condition_back_within_a_minute_is_the_same_occurrence():
    book = AlarmBook(REGISTRY)
    changes = book.apply([raised(0), returned(0, 40), raised(60)], at(70))
    assert [change.event for change in changes] == ["raise", "return", "raise"]
    assert len({change.alarm.id for change in changes}) == 1
    assert states(book) == [State.UNACK]


def test_condition_back_after_a_minute_is_a_new_occurrence_beside_the_unacknowledged_one():
    book = AlarmBook(REGISTRY)
    book.apply([raised(0, Kind.H), returned(0, 40, Kind.H), raised(120, Kind.H)], at(130))
    assert states(book) == [State.RTNUN, State.UNACK]
    assert [alarm.chatter for alarm in book.open()] == [0, 1]


def cycles(*onsets: float) -> list[Finding]:
    return [
        edge
        for onset in onsets
        for edge in (raised(onset, Kind.H, 1), returned(onset, onset + 3, Kind.H))
    ]


def test_cycles_that_the_run_before_made_known_come_again_and_change_nothing():
    before = AlarmBook(REGISTRY)
    before.apply(cycles(0, 10, 20), at(24))
    book = AlarmBook(REGISTRY, before.open())
    assert book.apply(cycles(10, 20), at(25)) == []
    assert [change.event for change in book.apply(cycles(30), at(34))] == ["raise", "return"]
    assert len(book.open()) == 1


def test_a_raise_that_looks_known_is_raised_all_the_same_if_nothing_ends_it():
    before = AlarmBook(REGISTRY)
    before.apply(cycles(100), at(104))
    book = AlarmBook(REGISTRY, before.open())
    # the wall clock was set back meanwhile
    assert book.apply([raised(50, Kind.H, 1)], at(51)) == []
    assert book.apply([], at(52)) == []
    assert [change.event for change in book.apply([], at(53))] == ["raise"]
    assert states(book) == [State.UNACK]


def test_a_doubted_raise_is_raised_as_soon_as_it_proves_to_go_on():
    before = AlarmBook(REGISTRY)
    before.apply(cycles(0, 10), at(14))
    book = AlarmBook(REGISTRY, before.open())
    again = [raised(9, Kind.H, 1), returned(9, 15, Kind.H)]
    assert [change.event for change in book.apply(again, at(16))] == ["raise", "return"]


def test_a_latched_condition_that_is_back_is_the_same_occurrence_however_late():
    book = AlarmBook(REGISTRY)
    changes = book.apply([raised(0), returned(0, 40), raised(7200)], at(7200))
    assert [change.target for change in changes] == [State.UNACK, State.LATUN, State.UNACK]
    assert len({change.alarm.id for change in changes}) == 1


def test_second_acknowledgement_is_told_who_was_first():
    book = AlarmBook(REGISTRY)
    book.apply([raised(0)], at(5))
    (alarm,) = book.open()
    done, transition = acts(book, acknowledge(alarm.id), at(8))
    assert transition is not None
    assert done.result["transition"] == {
        "from": "UNACK",
        "to": "ACKED",
        "at": "2026-11-21T03:00:08Z",
        "by": "li",
    }
    done, transition = acts(book, acknowledge(alarm.id, "wang"), at(9))
    assert transition is None
    assert done.result == {"already": {"by": "li", "at": "2026-11-21T03:00:08Z"}}


def test_acknowledging_what_is_not_here_is_refused():
    done, transition = acts(AlarmBook(REGISTRY), acknowledge(UUID(int=5)), at(8))
    assert transition is None
    assert done.result == {"refused": {"status": 404, "detail": ANY}}


def test_redelivered_sample_does_not_open_a_closed_occurrence_again():
    book = AlarmBook(REGISTRY)
    book.apply([raised(0, Kind.H)], at(5))
    acts(book, acknowledge(book.open()[0].id), at(6))
    book.apply([returned(0, 10, Kind.H)], at(10))
    assert len(book) == 0
    assert book.apply([raised(0, Kind.H)], at(11)) == []


def test_after_a_crash_findings_older_than_the_book_change_nothing():
    book = AlarmBook(REGISTRY)
    story = [raised(0), returned(0, 20), raised(30), returned(30, 50), raised(70)]
    book.apply(story, at(80))
    restored = AlarmBook(REGISTRY, book.open())
    assert restored.apply(story, at(90), again=True) == []
    newer = returned(70, 100)
    assert [change.event for change in restored.apply([*story, newer], at(100), again=True)] == [
        "return"
    ]


def test_a_worst_value_that_is_known_is_not_told_again():
    book = AlarmBook(REGISTRY)
    worse = Finding(Edge.WORSE, Kind.HH, 7, None, at(0), at(8), 95.0, 90.0)
    assert len(book.apply([raised(0), worse], at(8))) == 2
    assert AlarmBook(REGISTRY, book.open()).apply([worse], at(9), again=True) == []
    assert book.apply([worse], at(9)) == []


def test_a_return_older_than_the_raise_that_followed_it_changes_nothing():
    book = AlarmBook(REGISTRY)
    book.apply([raised(0), returned(0, 40), raised(60)], at(70))
    assert book.apply([returned(0, 40)], at(71)) == []
    assert states(book) == [State.UNACK]


def test_active_conditions_are_handed_to_the_engine_with_their_newest_onset():
    book = AlarmBook(REGISTRY)
    book.apply([raised(0), returned(0, 40), raised(60), raised(61, Kind.H)], at(70))
    assert sorted(book.active()) == [(Kind.H, 7, at(61)), (Kind.HH, 7, at(60))]


def test_source_alarm_belongs_to_its_node():
    book = AlarmBook(REGISTRY)
    finding = Finding(Edge.RAISED, Kind.SOURCE_OFFLINE, None, 3, T0, at(120), nan, nan)
    (transition,) = book.apply([finding], at(120))
    event = alarm_event(REGISTRY, transition)
    assert (event.node, event.tag, event.enterprise) == (3, None, 2)
    body = alarm_body(REGISTRY, transition.alarm)
    assert event.body["alarm"] == body
    assert (body["value"], body["name"]) == (None, "Tanks")


@given(st.lists(st.sampled_from(["raise", "return", "ack"]), max_size=20))
def test_an_occurrence_opens_once_and_closes_once(log):
    book, journal, onset = AlarmBook(REGISTRY), [], 0.0
    for second, what in enumerate(log):
        now = second * 25.0
        if what == "raise":
            onset = now
            journal += book.apply([raised(now, after=0)], at(now))
        elif what == "return":
            journal += book.apply([returned(onset, now)], at(now))
        elif book.open():
            transition = acts(book, acknowledge(book.open()[0].id), at(now))[1]
            journal += [transition] if transition else []
    by_id: dict[UUID, list[Transition]] = {}
    for change in journal:
        by_id.setdefault(change.alarm.id, []).append(change)
    for changes in by_id.values():
        assert [change.alarm.n for change in changes] == list(range(1, len(changes) + 1))
        assert sum(change.source is State.NORM for change in changes) == 1
        assert sum(change.target is State.NORM for change in changes) <= 1
        assert all(a.target is b.source for a, b in itertools.pairwise(changes))
    active = [alarm for alarm in book.open() if alarm.state in (State.UNACK, State.ACKED)]
    assert len(active) <= 1
