"""The life of a case reads like a shift log: what happened, what the record then shows."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import ANY
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import cases
from alerts.case_book import CaseBook
from alerts.case_evidence import plain
from alerts.cases import AT_BLUE, TABLE, Event, Verb, step
from domain.alarms import OperatorAction
from domain.cases import (
    Case,
    CaseState,
    CaseTransition,
    ClosingKind,
    Feedback,
    Level,
    Sight,
    case_id,
)
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
    return book.act(action(book, by=by), level, at(seconds))


def go(book: CaseBook, verb: str, by: str, comment: str | None = None, **detail: object):
    """What the worker answers to a step of the loop, for the park."""
    what = OperatorAction(UUID(int=9), verb, book.open()[0].id, by, comment, START, None, detail)
    return book.act(what, Level.PARK, at(60))[0].result


def loop(book: CaseBook, text: str = "关阀") -> None:
    """Everything up to the review, for a case that is signed for."""
    go(book, "handle", "li", "去现场")
    go(book, "feedback", "li", text)
    go(book, "review", "chen", approve=True)


def events(changes: list[CaseTransition]) -> list[str]:
    return [change.event for change in changes]


def event(case: Case, verb: Verb) -> Event:
    """An event of that verb that says something new of the case wherever one can."""
    colour = {
        Verb.RISE: min(case.colour + 1, RED),
        Verb.FALL: max(case.colour - 1, YELLOW),
    }.get(verb, BLUE)
    told = Feedback("", START, 0, Level.PARK, case.colour, text=f"report {case.n}")
    by = "chen" if verb in (Verb.APPROVE, Verb.SEND_BACK, Verb.CLOSE) else "li"
    return Event(
        verb,
        Colour(colour),
        level=Level.PARK,
        by=by,
        comment="because",
        alarms=(UUID(int=case.n + 1),),
        feedback=told,
        kind=ClosingKind.REAL,
    )


LOOP = (Verb.RECEIVE, Verb.HANDLE, Verb.FEED_BACK, Verb.APPROVE)
"""Everything but the closing."""


def walk(*verbs: Verb, case: Case = FRESH) -> Case:
    for minute, verb in enumerate(verbs):
        case, _ = step(case, event(case, verb), START + timedelta(minutes=minute))
    return case


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ((Verb.RISE,), CaseState.OPEN),
        ((Verb.RISE, Verb.RECEIVE), CaseState.RECEIVED),
        ((Verb.RISE, Verb.RECEIVE, Verb.CALM), CaseState.RECEIVED),
        ((Verb.RISE, Verb.CALM), CaseState.OPEN),
        ((Verb.RISE, Verb.CALM, Verb.RECEIVE), CaseState.RECEIVED),
        ((Verb.RISE, Verb.CALM, Verb.RISE), CaseState.OPEN),
        ((Verb.RISE, Verb.RECEIVE, Verb.RISE), CaseState.OPEN),
        ((Verb.RISE, Verb.HANDLE), CaseState.OPEN),
        ((Verb.RISE, Verb.RECEIVE, Verb.FEED_BACK), CaseState.RECEIVED),
        ((Verb.RISE, Verb.RECEIVE, Verb.HANDLE, Verb.APPROVE), CaseState.HANDLED),
        ((Verb.RISE, *LOOP[:3]), CaseState.FED_BACK),
        ((Verb.RISE, *LOOP[:3], Verb.SEND_BACK), CaseState.HANDLED),
        ((Verb.RISE, *LOOP[:3], Verb.CLOSE), CaseState.FED_BACK),
        ((Verb.RISE, *LOOP), CaseState.REVIEWED),
        ((Verb.RISE, *LOOP, Verb.FEED_BACK), CaseState.FED_BACK),
        ((Verb.RISE, *LOOP, Verb.CALM), CaseState.REVIEWED),
        ((Verb.RISE, *LOOP, Verb.CLOSE), CaseState.SETTLED),
        ((Verb.RISE, *LOOP, Verb.CLOSE, Verb.CALM), CaseState.CLOSED),
        ((Verb.RISE, *LOOP, Verb.CALM, Verb.CLOSE), CaseState.CLOSED),
        ((Verb.RISE, Verb.CALM, *LOOP, Verb.CLOSE), CaseState.CLOSED),
        ((Verb.RISE, *LOOP, Verb.CLOSE, Verb.RISE), CaseState.OPEN),
        ((Verb.RISE, *LOOP, Verb.CLOSE, Verb.RISE, Verb.CALM, Verb.CLOSE), CaseState.OPEN),
        ((Verb.RISE, Verb.RISE, Verb.RISE, *LOOP, Verb.CLOSE), CaseState.REVIEWED),
        ((Verb.RISE, Verb.RISE, Verb.RECEIVE, Verb.FALL), CaseState.RECEIVED),
        ((Verb.RISE, Verb.RISE, Verb.RECEIVE, Verb.FALL, Verb.RISE), CaseState.OPEN),
        ((Verb.RISE, Verb.RISE, Verb.RISE, *LOOP[:3], Verb.RELEASE), CaseState.FED_BACK),
        ((Verb.RISE, Verb.VERIFY), CaseState.OPEN),
        ((Verb.RISE, Verb.RISE, Verb.RISE, Verb.VERIFY, Verb.RECEIVE), CaseState.RECEIVED),
        ((Verb.RISE, Verb.RISE, Verb.RISE, *LOOP, Verb.VERIFY), CaseState.REVIEWED),
        ((Verb.RISE, Verb.LOSE, Verb.RECEIVE, Verb.CALM), CaseState.RECEIVED),
        ((Verb.RECEIVE,), CaseState.CLOSED),
        ((Verb.CALM,), CaseState.CLOSED),
    ],
)
def test_shift_log_ends_in_the_state_of_the_table(log, state):
    assert walk(*log).state is state


FORWARD = {
    CaseState.OPEN: Verb.RECEIVE,
    CaseState.RECEIVED: Verb.HANDLE,
    CaseState.HANDLED: Verb.FEED_BACK,
    CaseState.FED_BACK: Verb.APPROVE,
    CaseState.REVIEWED: Verb.CLOSE,
    CaseState.SETTLED: Verb.CALM,
    CaseState.CLOSED: Verb.RISE,
}
ON = st.none()
"""The step that leads on, so that most walks come to an end of the loop."""
STEPS = st.tuples(
    st.one_of(ON, ON, ON, st.sampled_from([Verb.PROPOSE, Verb.FALL]), st.sampled_from(list(Verb))),
    st.sampled_from(["li", "chen", "wu"]),
    st.sampled_from(list(ClosingKind)),
    st.booleans(),
)


@given(st.lists(STEPS, min_size=6, max_size=40))
def test_no_path_closes_a_case_but_the_whole_loop_since_its_last_rise_and_blue(log):
    case, since, gas = FRESH, list[tuple[Verb, str]](), False
    for drawn, by, kind, gas_l2 in log:
        before = case
        verb = FORWARD[case.state] if drawn is None else drawn
        what = replace(event(case, verb), by=by, kind=kind, gas_l2=gas_l2)
        case, change = step(case, what, START)
        if change is None:
            assert case == before
            continue
        since = [] if verb is Verb.RISE else [*since, (verb, by)]
        gas = gas or (gas_l2 and verb in (Verb.RISE, Verb.REFER))
        assert case.n == before.n + 1
        assert case.worst >= case.colour
        assert case.worst >= before.worst
        assert (case.closed is not None) == (case.state is CaseState.CLOSED)
        assert (case.state is CaseState.OPEN) == (Verb.RECEIVE not in (verb for verb, _ in since))
        if case.state not in (CaseState.SETTLED, CaseState.CLOSED):
            continue
        assert (case.state is CaseState.CLOSED) == (case.colour is BLUE and not case.unknown)
        assert in_order(since, LOOP)
        fed = max(k for k, (verb, _) in enumerate(since) if verb is Verb.FEED_BACK)
        (reviewer,) = [who for verb, who in since[fed:] if verb is Verb.APPROVE]
        assert reviewer not in {who for verb, who in since if verb is Verb.FEED_BACK}
        closing = case.loop.closing
        assert closing is not None
        assert (closing.second is not None) == (case.worst is RED or gas)
        assert closing.second != closing.by


def in_order(since: list[tuple[Verb, str]], wanted: tuple[Verb, ...]) -> bool:
    """Whether the wanted steps are among those since the rise, one after the other."""
    rest = iter(verb for verb, _ in since)
    return all(verb in rest for verb in wanted)


@given(st.lists(st.sampled_from([v for v in Verb if v not in (Verb.CALM, Verb.FALL)])), st.data())
def test_nothing_that_people_do_and_no_loss_of_data_lowers_the_colour(log, data):
    case = walk(Verb.RISE, Verb.RISE, *log)
    case = walk(data.draw(st.sampled_from([Verb.LOSE, Verb.RECEIVE, Verb.RELEASE])), case=case)
    assert case.colour >= ORANGE
    lost = walk(Verb.LOSE, case=case)
    assert walk(Verb.FALL, Verb.CALM, case=lost) == lost


def test_a_closed_case_never_opens_again():
    closed = walk(Verb.RISE, *LOOP, Verb.CLOSE, Verb.CALM)
    assert closed.closed is not None
    for verb in Verb:
        assert step(closed, event(closed, verb), START) == (closed, None)


def rows_of_the_docstring() -> set[tuple[CaseState, Verb, str, CaseState]]:
    rows = [line for line in (cases.__doc__ or "").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]
    return {
        (CaseState(a), Verb(verb), source, CaseState(b))
        for a, verbs, source, b, _ in cells
        for verb in verbs.split(", ")
    }


def test_docstring_shows_exactly_the_table():
    rows = rows_of_the_docstring()
    always = {(a, verb): b for a, verb, source, b in rows if source != "blue"}
    calmed = {(a, verb): b for a, verb, source, b in rows if verb is Verb.CALM}
    assert always | calmed == TABLE
    blue = {(a, verb): b for a, verb, source, b in rows if source == "blue"}
    assert {key: b for key, b in blue.items() if key not in calmed} == AT_BLUE


def test_diagram_in_the_docs_shows_exactly_the_table():
    text = (Path(__file__).parents[3] / "docs" / "warning-cases.md").read_text("utf-8")
    arrows = re.findall(r"^ +(\w+) --> (\w+): ([\w, ]+?)( at blue)?$", text, re.MULTILINE)
    drawn = [
        ((CaseState(a), Verb(verb)), CaseState(b), blue)
        for a, b, verbs, blue in arrows
        for verb in verbs.split(", ")
    ]
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
    loop(book)
    go(book, "close", "chen", kind="real")
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
    sign(book, seconds=701)
    loop(book)
    assert go(book, "close", "chen", kind="maintenance")["transition"]["to"] == "closed"
    done, change = book.act(late, Level.PARK, at(702))
    assert change is None
    assert done.result["already"] == {"by": "li", "at": "2026-11-21T08:11:41Z"}


def test_acting_on_what_is_not_here_is_refused():
    for verb in ("receive", "verify", "release", "handle", "feedback", "review", "close"):
        missing = OperatorAction(UUID(int=9), verb, UUID(int=5), "li", None, START)
        done, change = CaseBook().act(missing, Level.PARK, START)
        assert change is None
        assert done.result == {"refused": {"status": 404, "detail": ANY}}


@pytest.mark.parametrize(
    ("colour", "reported", "level", "held", "status"),
    [
        (RED, True, Level.ENTERPRISE, None, 403),
        (RED, True, Level.CITY, None, 403),
        (RED, False, Level.PARK, None, 409),
        (ORANGE, True, Level.PARK, None, 409),
        (RED, True, Level.PARK, "F1: two detectors at or above AH", 409),
    ],
)
def test_red_is_not_released_by(colour, reported, level, held, status):
    book = CaseBook()
    see(book, 0, colour)
    sign(book)
    if reported:
        loop(book)
    done, change = book.act(action(book, "release"), level, at(60), held)
    assert change is None
    assert done.result == {"refused": {"status": status, "detail": ANY}}


def test_red_is_released_once_by_park_or_county_and_a_new_red_needs_a_new_release():
    book = CaseBook()
    see(book, 0, RED)
    sign(book)
    loop(book)
    _, change = book.act(action(book, "release", "chen"), Level.COUNTY, at(60))
    assert change is not None
    assert (change.case.released, change.case.released_by) == (at(60), "chen")
    done, change = book.act(action(book, "release", "wu"), Level.PARK, at(61))
    assert change is None
    assert done.result == {"already": {"by": "chen", "at": "2026-11-21T08:01:00Z"}}
    see(book, 700, ORANGE)
    (risen,) = see(book, 800, RED)
    assert risen.case.released is None


@pytest.mark.parametrize("steps", range(5))
@pytest.mark.parametrize("level", [Level.PARK, Level.COUNTY, Level.CITY])
def test_red_is_verified_once_at_any_stage_and_its_loop_stays_where_it_is(steps, level):
    red = walk(Verb.RISE, Verb.RISE, Verb.RISE, *LOOP[:steps])
    book = CaseBook([red])
    done, change = book.act(action(book, "verify", "chen"), level, at(60))
    assert change is not None
    verified = change.case.loop.verified
    assert verified is not None
    assert (verified.by, verified.at, verified.level, verified.n) == (
        "chen",
        at(60),
        level,
        red.n + 1,
    )
    assert (verified.comment, change.event) == ("on it", "verify")
    assert (change.source, change.target) == (red.state, red.state)
    assert replace(change.case.loop, verified=None) == red.loop
    assert "transition" in done.result
    done, change = book.act(action(book, "verify", "wu"), Level.PARK, at(90))
    assert change is None
    assert done.result == {"already": {"by": "chen", "at": "2026-11-21T08:01:00Z"}}


@pytest.mark.parametrize(
    ("colour", "level", "status", "said"),
    [
        (RED, Level.ENTERPRISE, 403, "by a park, a county or a city"),
        (RED, Level.PROVINCE, 403, "by a park, a county or a city"),
        (RED, Level.FIRE, 403, "by a park, a county or a city"),
        (ORANGE, Level.PARK, 409, "only red is verified (核实), and the colour is orange"),
        (BLUE, Level.PARK, 409, "only red is verified (核实), and the colour is blue"),
    ],
)
def test_verifying_is_refused_with_what_to_do(colour, level, status, said):
    book = CaseBook()
    see(book, 0, RED)
    if colour is not RED:
        see(book, 10, colour)
    done, change = book.act(action(book, "verify"), level, at(60))
    assert change is None
    assert done.result == {"refused": {"status": status, "detail": ANY}}
    assert said in str(done.result["refused"])


def test_a_closed_case_is_not_verified():
    book = CaseBook()
    see(book, 0, YELLOW)
    late = action(book, "verify")
    see(book, 700, BLUE)
    sign(book, seconds=701)
    loop(book)
    go(book, "close", "chen", kind="maintenance")
    refused = {"status": 409, "detail": "the warning is closed (已销警)"}
    assert book.act(late, Level.PARK, at(702))[0].result == {"refused": refused}


def test_a_red_that_is_reached_anew_is_unverified_and_a_fall_keeps_who_verified():
    book = CaseBook()
    see(book, 0, RED)
    book.act(action(book, "verify", "chen"), Level.PARK, at(60))
    (fallen,) = see(book, 700, ORANGE)
    assert fallen.case.loop.verified is not None
    (risen,) = see(book, 800, RED)
    assert risen.case.loop.verified is None
    assert book.act(action(book, "verify", "wu"), Level.PARK, at(860))[1] is not None


def test_a_new_p1_after_the_feedback_makes_a_verified_red_unverified():
    red = walk(Verb.RISE, Verb.RISE, Verb.RISE, Verb.VERIFY, *LOOP[:3])
    assert red.loop.verified is not None
    again, change = step(red, Event(Verb.RISE, RED, alarms=(UUID(int=999),)), at(900))
    assert change is not None
    assert (again.colour, again.loop.verified) == (RED, None)


def test_sights_judged_again_after_a_crash_change_nothing_until_they_are_newer():
    book = CaseBook()
    see(book, 0, YELLOW)
    see(book, 10, ORANGE)
    restored = CaseBook(book.open())
    assert restored.see([sight(0, YELLOW), sight(10, ORANGE)], at(20), again=True) == []
    assert events(restored.see([sight(15, RED)], at(20), again=True)) == ["rise"]


DEEDS: list[tuple[str, str, str | None, dict[str, object]]] = [
    ("handle", "li", "去现场", {}),
    ("feedback", "li", "关阀", {}),
    ("feedback", "wu", "测氨", {"reading": "12 ppm"}),
    ("review", "chen", "看过", {"approve": True}),
    ("review", "chen", "缺照片", {"approve": False}),
    ("close", "chen", "真实", {"kind": "real"}),
    ("close", "wu", "真实", {"kind": "real"}),
]
COLOURS = st.lists(
    st.tuples(
        st.sampled_from(list(Colour)), st.booleans(), st.booleans(), st.sampled_from([None, *DEEDS])
    )
)


@given(COLOURS, st.integers(0, 20))
def test_history_is_the_same_when_the_worker_is_killed_and_judges_again(log, kill):
    def run(killed: bool) -> list[CaseTransition]:
        book, newest = CaseBook(), dict[int, Case]()
        done: list[CaseTransition] = []
        for k, (colour, unknown, signed, deed) in enumerate(log):
            if killed and k == kill:
                book = CaseBook(newest.values())
                past = [sight(j, c, unknown=u) for j, (c, u, *_) in enumerate(log[:k])]
                assert book.see(past, at(k), again=True) == []
            changes = see(book, k, colour, unknown=unknown)
            if signed and book.open():
                _, change = sign(book, seconds=k)
                changes += [change] if change else []
            if deed and book.open():
                verb, by, comment, detail = deed
                what = OperatorAction(
                    UUID(int=9), verb, book.open()[0].id, by, comment, at(k), None, detail
                )
                _, change = book.act(what, Level.PARK, at(k))
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


def ready(colour: Colour = ORANGE, *, gas_l2: bool = False) -> CaseBook:
    """Everything is done but the closing; the source is at blue again."""
    book = CaseBook()
    book.see([replace(sight(0, colour), gas_l2=gas_l2)], at(0))
    sign(book)
    loop(book)
    see(book, 700, BLUE)
    return book


@pytest.mark.parametrize(
    ("steps", "next_step"),
    [
        (0, "sign first"),
        (1, "record the handling"),
        (2, "give feedback"),
        (3, "another person has to"),
    ],
)
def test_who_closes_too_soon_is_told_which_step_comes_next(steps, next_step):
    book = CaseBook()
    see(book, 0, ORANGE)
    deeds = [
        lambda: sign(book),
        lambda: go(book, "handle", "li", "去现场"),
        lambda: go(book, "feedback", "li", "关阀"),
    ]
    for deed in deeds[:steps]:
        deed()
    refused = go(book, "close", "chen", kind="real")["refused"]
    assert refused["status"] == 409
    assert next_step in refused["detail"]


@pytest.mark.parametrize(
    ("verb", "detail", "status"),
    [
        ("handle", {}, 409),
        ("feedback", {}, 409),
        ("review", {"approve": True}, 409),
    ],
)
def test_no_step_is_taken_before_the_one_before_it(verb, detail, status):
    book = CaseBook()
    see(book, 0, ORANGE)
    assert go(book, verb, "chen", "text", **detail)["refused"]["status"] == status
    assert book.open()[0].state is CaseState.OPEN


def test_nobody_reviews_what_they_fed_back_themselves_nor_what_a_colleague_and_they_did():
    book = CaseBook()
    see(book, 0, ORANGE)
    sign(book)
    go(book, "handle", "li", "去现场")
    go(book, "feedback", "li", "关阀")
    go(book, "feedback", "wu", "测氨")
    for who in ("li", "wu"):
        assert go(book, "review", who, approve=True)["refused"]["status"] == 403
    assert go(book, "review", "chen", approve=False)["refused"]["status"] == 422
    assert go(book, "review", "chen", "缺照片", approve=False)["transition"]["to"] == "handled"
    assert book.open()[0].loop.feedback is None
    assert go(book, "feedback", "li", "照片", person="王班长")["transition"]["to"] == "fed_back"
    assert go(book, "review", "chen", approve=True)["transition"]["to"] == "reviewed"
    assert go(book, "review", "chen", approve=True)["already"]["by"] == "chen"


def test_one_person_closes_what_was_yellow_or_orange_and_real():
    assert go(ready(), "close", "chen", kind="real")["transition"]["to"] == "closed"


@pytest.mark.parametrize(
    ("colour", "gas", "kind"),
    [
        (RED, False, "real"),
        (RED, True, "false_alarm"),
        (ORANGE, True, "false_alarm"),
        (ORANGE, True, "maintenance"),
        (ORANGE, True, "real"),
    ],
)
def test_two_persons_close_what_was_red_and_gas_at_its_second_level(colour, gas, kind):
    book = ready(colour, gas_l2=gas)
    first = go(book, "close", "chen", "探头进水", kind=kind)
    assert first["transition"]["to"] == "reviewed"
    assert "another person" in first["note"]
    alone = go(book, "close", "chen", "探头进水", kind=kind)["refused"]
    assert (alone["status"], "second person" in alone["detail"]) == (409, True)
    (case,) = book.open()
    assert go(book, "close", "wu", kind=kind)["transition"]["to"] == "closed"
    found = book.get(case.id)
    assert found is not None
    closing = found.loop.closing
    assert closing is not None
    assert (closing.by, closing.second, closing.kind.value) == ("chen", "wu", kind)
    assert closing.reason == "探头进水"


def test_a_second_person_who_says_something_else_is_the_first_of_a_new_pair():
    book = ready(RED)
    go(book, "close", "chen", kind="real")
    assert go(book, "close", "wu", kind="maintenance")["transition"]["to"] == "reviewed"
    assert go(book, "close", "chen", kind="maintenance")["transition"]["to"] == "closed"


def test_a_false_alarm_needs_a_reason_and_a_closing_its_kind():
    book = ready()
    assert go(book, "close", "chen", "  ", kind="false_alarm")["refused"]["status"] == 422
    assert go(book, "close", "chen", kind="whatever")["refused"]["status"] == 422
    assert go(book, "close", "chen", "误碰", kind="false_alarm")["transition"]["to"] == "closed"


def test_red_is_released_before_it_is_closed():
    book = CaseBook()
    see(book, 0, RED)
    sign(book)
    loop(book)
    refused = go(book, "close", "wu", kind="real")["refused"]
    assert (refused["status"], "released" in refused["detail"]) == (409, True)


def test_fire_and_rescue_neither_reviews_nor_closes():
    book = ready()
    for verb in ("review", "close"):
        told = replace(action(book, verb, "fr"), detail={"kind": "real", "approve": True})
        refused = book.act(told, Level.FIRE, at(60))[0].result["refused"]
        assert refused == {"status": 403, "detail": ANY}


def test_gas_at_its_second_level_that_joins_later_marks_the_case_also_one_of_a_release_before():
    book = CaseBook()
    see(book, 0, ORANGE, alarms=[A])
    told = replace(sight(9, ORANGE, alarms=[A]), gas_l2=True)
    assert events(book.see([told], at(9))) == ["refer"]
    assert book.open()[0].loop.gas_l2
    assert book.see([told], at(10)) == []


def test_a_p1_that_begins_after_the_feedback_is_answered_by_a_loop_of_its_own():
    """The colour stays, so nothing rises: yet it is nobody's task otherwise."""
    book = CaseBook()
    see(book, 0, ORANGE, alarms=[A])
    sign(book)
    loop(book)
    go(book, "close", "chen", kind="real")
    fresh = replace(sight(900, ORANGE, alarms=[A, B]), gas_l2=True, p1=(B,))
    assert events(book.see([fresh], at(900))) == ["rise"]
    (case,) = book.open()
    assert (case.state, case.colour, case.loop.gas_l2) == (CaseState.OPEN, ORANGE, True)
    assert (case.loop.closing, case.loop.feedback) == (None, None)
    assert book.see([fresh], at(901)) == []
    sign(book, seconds=902)
    loop(book, "第二次关阀")
    assert book.see([fresh], at(1000)) == [], "it has been answered"


def test_a_lesser_alarm_after_the_feedback_only_joins():
    book = CaseBook()
    see(book, 0, ORANGE, alarms=[A])
    sign(book)
    loop(book)
    assert events(see(book, 900, ORANGE, alarms=[A, B])) == ["refer"]


def test_what_is_unknown_is_not_blue_for_a_closing_either():
    book = ready()
    see(book, 710, BLUE, unknown=True)
    assert go(book, "close", "chen", kind="real")["transition"]["to"] == "settled"
    assert events(see(book, 720, BLUE)) == ["find"]
    assert book.open() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [("1.5 ppm", "15 ppm"), ("-20 ℃", "20 ℃"), ("−20 ℃", "20 ℃"), ("NH3 < 20", "NH3 > 20")],
)
def test_another_number_is_new(before, after):
    assert plain(before) != plain(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("阀门 已关闭。", "阀门已关闭"),
        ("LT-101", "lt 101"),
        ("1.5 ppm.", "１．５ ppm"),
        ("−3 ℃", "-3℃"),
    ],
)
def test_what_differs_in_blanks_width_and_punctuation_is_the_same(before, after):
    assert plain(before) == plain(after)


def test_feedback_keeps_who_when_colour_and_evidence():
    book = CaseBook()
    see(book, 0, ORANGE)
    sign(book)
    go(book, "handle", "li", "带班去现场")
    go(book, "feedback", "li", " 关阀 ", reading="12 ppm", person="王班长")
    loop_ = book.open()[0].loop
    assert loop_.handled is not None
    assert (loop_.handled.by, loop_.handled.comment) == ("li", "带班去现场")
    told = loop_.feedback
    assert told is not None
    assert (told.by, told.at, told.colour, told.level) == ("li", at(60), ORANGE, Level.PARK)
    assert (told.text, told.reading, told.person) == ("关阀", "12 ppm", "王班长")
