"""The life of a case reads like a shift log: what happened, what the record then shows."""

import re
from datetime import timedelta
from pathlib import Path
from unittest.mock import ANY
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import cases
from alerts.case_book import CaseBook
from alerts.cases import AT_BLUE, TABLE, Event, Verb, step
from domain.alarms import OperatorAction
from domain.cases import Case, CaseState, CaseTransition, Level, Sight, case_id
from domain.risk import Colour
from tests.support.builders import ENTERPRISE, SOURCE, START, at

BLUE, YELLOW, ORANGE, RED = Colour
FRESH = Case(case_id(SOURCE, 1), SOURCE, 1, ENTERPRISE, CaseState.CLOSED, BLUE, BLUE, START, START)
A, B = UUID(int=1), UUID(int=2)


def sight(seconds: float, colour: Colour, *, unknown: bool = False, alarms=()) -> Sight:
    return Sight(SOURCE, ENTERPRISE, colour, at(seconds), unknown, tuple(alarms))


def see(book: CaseBook, seconds: float, colour: Colour, **more) -> list[CaseTransition]:
    return book.see([sight(seconds, colour, **more)], at(seconds))


def action(book: CaseBook, verb: str = "receive", by: str = "li") -> OperatorAction:
    return OperatorAction(UUID(int=9), verb, book.open()[0].id, by, "on it", START)


def sign(book: CaseBook, level: Level = Level.ENTERPRISE, by: str = "li", seconds: float = 0):
    return book.receive(action(book, by=by), level, at(seconds))


def events(changes: list[CaseTransition]) -> list[str]:
    return [change.event for change in changes]


def event(case: Case, verb: Verb) -> Event:
    """An event of that verb that says something new of the case wherever one can."""
    colour = {
        Verb.RISE: min(case.colour + 1, RED),
        Verb.FALL: max(case.colour - 1, YELLOW),
    }.get(verb, BLUE)
    return Event(verb, Colour(colour), level=Level.PARK, by="li", alarms=(UUID(int=case.n + 1),))


def walk(*verbs: Verb, case: Case = FRESH) -> Case:
    for minute, verb in enumerate(verbs):
        case, _ = step(case, event(case, verb), START + timedelta(minutes=minute))
    return case


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ((Verb.RISE,), CaseState.OPEN),
        ((Verb.RISE, Verb.RECEIVE), CaseState.RECEIVED),
        ((Verb.RISE, Verb.RECEIVE, Verb.CALM), CaseState.CLOSED),
        ((Verb.RISE, Verb.CALM), CaseState.OPEN),
        ((Verb.RISE, Verb.CALM, Verb.RECEIVE), CaseState.CLOSED),
        ((Verb.RISE, Verb.CALM, Verb.RISE), CaseState.OPEN),
        ((Verb.RISE, Verb.RECEIVE, Verb.RISE), CaseState.OPEN),
        ((Verb.RISE, Verb.RISE, Verb.RECEIVE, Verb.FALL), CaseState.RECEIVED),
        ((Verb.RISE, Verb.RISE, Verb.RECEIVE, Verb.FALL, Verb.RISE), CaseState.OPEN),
        ((Verb.RISE, Verb.RISE, Verb.RISE, Verb.RECEIVE, Verb.RELEASE), CaseState.RECEIVED),
        ((Verb.RISE, Verb.LOSE, Verb.RECEIVE, Verb.CALM), CaseState.RECEIVED),
        ((Verb.RECEIVE,), CaseState.CLOSED),
        ((Verb.CALM,), CaseState.CLOSED),
    ],
)
def test_shift_log_ends_in_the_state_of_the_table(log, state):
    assert walk(*log).state is state


@given(st.lists(st.sampled_from(list(Verb)), max_size=20))
def test_no_path_closes_a_case_that_is_coloured_or_that_nobody_signed_since_its_last_rise(log):
    case = FRESH
    for verb in log:
        before = case
        case, change = step(case, event(case, verb), START)
        if change is None:
            assert case == before
            continue
        assert case.n == before.n + 1
        assert case.worst >= case.colour
        assert case.worst >= before.worst
        signed = max((one.n for one in case.receipts), default=0)
        assert (case.state is CaseState.CLOSED) == (case.colour is BLUE and signed > case.risen)
        assert (case.state is CaseState.OPEN) == (signed < case.risen)
        assert (case.closed is not None) == (case.state is CaseState.CLOSED)


@given(st.lists(st.sampled_from([v for v in Verb if v not in (Verb.CALM, Verb.FALL)])), st.data())
def test_nothing_that_people_do_and_no_loss_of_data_lowers_the_colour(log, data):
    case = walk(Verb.RISE, Verb.RISE, *log)
    case = walk(data.draw(st.sampled_from([Verb.LOSE, Verb.RECEIVE, Verb.RELEASE])), case=case)
    assert case.colour >= ORANGE
    lost = walk(Verb.LOSE, case=case)
    assert walk(Verb.FALL, Verb.CALM, case=lost) == lost


def test_a_closed_case_never_opens_again():
    closed = walk(Verb.RISE, Verb.RECEIVE, Verb.CALM)
    for verb in Verb:
        assert step(closed, event(closed, verb), START) == (closed, None)


def rows_of_the_docstring() -> set[tuple[CaseState, Verb, str, CaseState]]:
    rows = [line for line in (cases.__doc__ or "").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]
    return {(CaseState(a), Verb(verb), source, CaseState(b)) for a, verb, source, b, _ in cells}


def test_docstring_shows_exactly_the_table():
    rows = rows_of_the_docstring()
    blue = {(a, verb): b for a, verb, source, b in rows if (a, verb, source) == (a, verb, "blue")}
    other = {(a, verb): b for a, verb, source, b in rows if source != "blue"}
    assert other | {k: b for k, b in blue.items() if k not in AT_BLUE} == TABLE
    assert {k: b for k, b in blue.items() if k[1] is not Verb.CALM} == AT_BLUE


def test_diagram_in_the_docs_shows_exactly_the_table():
    text = (Path(__file__).parents[3] / "docs" / "warning-cases.md").read_text("utf-8")
    arrows = re.findall(r"^ +(\w+) --> (\w+): (\w+)( at blue)?$", text, re.MULTILINE)
    drawn = [((CaseState(a), Verb(verb)), CaseState(b), blue) for a, b, verb, blue in arrows]
    assert {key: target for key, target, blue in drawn if not blue} == TABLE
    assert {key: target for key, target, blue in drawn if blue} == AT_BLUE


def test_case_opens_when_the_source_leaves_blue_and_not_before():
    book = CaseBook()
    assert see(book, 0, BLUE) == []
    assert see(book, 1, BLUE, unknown=True) == []
    (opened,) = see(book, 2, ORANGE, alarms=[A])
    assert (opened.event, opened.source, opened.target) == (
        "rise",
        CaseState.CLOSED,
        CaseState.OPEN,
    )
    case = opened.case
    assert (case.id, case.number, case.opened) == (case_id(SOURCE, 1), 1, at(2))
    assert (case.colour, case.worst, case.alarms) == (ORANGE, ORANGE, (A,))


def test_same_sight_changes_nothing_however_often_it_is_shown():
    book = CaseBook()
    see(book, 0, YELLOW, alarms=[A])
    assert see(book, 0, YELLOW, alarms=[A]) == []
    assert see(book, 9, YELLOW) == []


def test_worst_colour_is_kept_and_more_alarms_join():
    book = CaseBook()
    see(book, 0, RED, alarms=[A])
    assert events(see(book, 900, ORANGE, alarms=[A, B])) == ["fall", "refer"]
    (case,) = book.open()
    assert (case.colour, case.worst, case.alarms) == (ORANGE, RED, (A, B))
    see(book, 1800, YELLOW)
    see(book, 1900, ORANGE)
    assert book.open()[0].worst is RED


def test_unknown_is_an_axis_of_its_own_and_holds_the_colour():
    book = CaseBook()
    see(book, 0, ORANGE)
    assert events(see(book, 60, YELLOW, unknown=True)) == ["lose"]
    assert book.open()[0].colour is ORANGE
    assert events(see(book, 90, RED, unknown=True)) == ["rise"]
    assert events(see(book, 120, YELLOW)) == ["find", "fall"]


def test_case_that_opens_by_silence_says_that_its_source_is_unknown():
    book = CaseBook()
    assert events(see(book, 1800, YELLOW, unknown=True)) == ["rise", "lose"]
    assert book.open()[0].unknown


def test_next_time_is_the_next_case_and_the_number_survives_a_restart():
    book = CaseBook()
    see(book, 0, YELLOW)
    sign(book)
    (closed,) = see(book, 700, BLUE)
    assert closed.target is CaseState.CLOSED
    again = CaseBook([closed.case])
    (opened,) = see(again, 800, YELLOW)
    assert (opened.case.number, opened.case.id) == (2, case_id(SOURCE, 2))
    assert again.get(closed.case.id) is None


def test_each_level_signs_once_and_the_second_is_told_who_was_first():
    book = CaseBook()
    see(book, 0, RED)
    done, change = sign(book, seconds=5)
    assert change is not None
    assert done.result["transition"] == {
        "from": "open",
        "to": "received",
        "at": "2026-11-21T08:00:05Z",
        "by": "li",
    }
    done, change = sign(book, by="wang", seconds=6)
    assert change is None
    assert done.result == {"already": {"by": "li", "at": "2026-11-21T08:00:05Z"}}
    done, change = sign(book, Level.PARK, "chen", 7)
    assert change is not None
    assert {one.level: one.by for one in change.case.receipts} == {
        Level.ENTERPRISE: "li",
        Level.PARK: "chen",
    }


def test_a_rise_asks_everybody_anew_also_back_to_a_colour_it_had():
    book = CaseBook()
    see(book, 0, ORANGE)
    sign(book)
    see(book, 700, YELLOW)
    assert book.open()[0].state is CaseState.RECEIVED
    see(book, 800, ORANGE)
    assert book.open()[0].state is CaseState.OPEN
    assert sign(book, seconds=801)[1] is not None


def test_signing_a_case_that_is_closed_is_told_who_closed_it():
    book = CaseBook()
    see(book, 0, YELLOW)
    late = action(book, by="wang")
    see(book, 700, BLUE)
    _, change = sign(book, seconds=701)
    assert change is not None
    assert change.target is CaseState.CLOSED
    done, change = book.receive(late, Level.PARK, at(702))
    assert change is None
    assert done.result["already"] == {"by": "li", "at": "2026-11-21T08:11:41Z"}


def test_acting_on_what_is_not_here_is_refused():
    missing = OperatorAction(UUID(int=9), "receive", UUID(int=5), "li", None, START)
    for done, change in (
        CaseBook().receive(missing, Level.PARK, START),
        CaseBook().release(missing, Level.PARK, None, START),
    ):
        assert change is None
        assert done.result == {"refused": {"status": 404, "detail": ANY}}


@pytest.mark.parametrize(
    ("colour", "signed", "level", "held", "status"),
    [
        (RED, True, Level.ENTERPRISE, None, 403),
        (RED, True, Level.CITY, None, 403),
        (RED, False, Level.PARK, None, 409),
        (ORANGE, True, Level.PARK, None, 409),
        (RED, True, Level.PARK, "F1: two detectors at or above AH", 409),
    ],
)
def test_red_is_not_released_by(colour, signed, level, held, status):
    book = CaseBook()
    see(book, 0, colour)
    if signed:
        sign(book)
    done, change = book.release(action(book, "release"), level, held, at(60))
    assert change is None
    assert done.result == {"refused": {"status": status, "detail": ANY}}


def test_red_is_released_once_by_park_or_county_and_a_new_red_needs_a_new_release():
    book = CaseBook()
    see(book, 0, RED)
    sign(book)
    _, change = book.release(action(book, "release", "chen"), Level.COUNTY, None, at(60))
    assert change is not None
    assert (change.case.released, change.case.released_by) == (at(60), "chen")
    done, change = book.release(action(book, "release", "wu"), Level.PARK, None, at(61))
    assert change is None
    assert done.result == {"already": {"by": "chen", "at": "2026-11-21T08:01:00Z"}}
    see(book, 700, ORANGE)
    (risen,) = see(book, 800, RED)
    assert risen.case.released is None


def test_sights_judged_again_after_a_crash_change_nothing_until_they_are_newer():
    book = CaseBook()
    see(book, 0, YELLOW)
    see(book, 10, ORANGE)
    restored = CaseBook(book.open())
    assert restored.see([sight(0, YELLOW), sight(10, ORANGE)], at(20), again=True) == []
    assert events(restored.see([sight(15, RED)], at(20), again=True)) == ["rise"]


COLOURS = st.lists(st.tuples(st.sampled_from(list(Colour)), st.booleans(), st.booleans()))


@given(COLOURS, st.integers(0, 20))
def test_history_is_the_same_when_the_worker_is_killed_and_judges_again(log, kill):
    def run(killed: bool) -> list[CaseTransition]:
        book, newest = CaseBook(), dict[int, Case]()
        done: list[CaseTransition] = []
        for k, (colour, unknown, signed) in enumerate(log):
            if killed and k == kill:
                book = CaseBook(newest.values())
                past = [sight(j, c, unknown=u) for j, (c, u, _) in enumerate(log[:k])]
                assert book.see(past, at(k), again=True) == []
            changes = see(book, k, colour, unknown=unknown)
            if signed and book.open():
                _, change = sign(book, seconds=k)
                changes += [change] if change else []
            newest |= {change.case.source: change.case for change in changes}
            done += changes
        return done

    assert run(killed=True) == run(killed=False)


def test_receipt_keeps_who_when_colour_and_comment():
    book = CaseBook()
    see(book, 0, ORANGE)
    _, change = sign(book, Level.PARK, seconds=30)
    assert change is not None
    (one,) = change.case.receipts
    assert (one.by, one.at, one.colour, one.comment) == ("li", at(30), ORANGE, "on it")
