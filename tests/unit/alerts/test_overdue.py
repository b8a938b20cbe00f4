"""Deadlines of feedback, closing and 核实: whom they tell, when, and what stops them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.escalation import still_wanted
from domain.cases import CaseState, Duty, EscalationStep, Level, Outcome
from domain.escalation import default, read
from domain.risk import Colour
from tests.support.escalating import ControlRoom

BLUE, YELLOW, ORANGE, RED = Colour
MIN = 60.0
HOUR = 3600.0
UP = {YELLOW: ("HD-technical", "PK"), ORANGE: ("CO-leader", "LH"), RED: ("CI-leader", "PR")}
"""One level up, as without 签收 (domain.md 4.8), written down by hand."""
FEEDBACK = {YELLOW: 120 * MIN, ORANGE: 30 * MIN, RED: 15 * MIN}
CLOSE = {YELLOW: 24 * HOUR, ORANGE: 12 * HOUR, RED: 4 * HOUR}


def room(colour: Colour) -> ControlRoom:
    opened = ControlRoom()
    opened.see(colour)
    return opened


def signed(colour: Colour) -> ControlRoom:
    control = room(colour)
    for level in Level:
        control.receive(level, f"desk {level.name}")
    if colour is RED:
        control.act("verify", Level.PARK, "chen")
    return control


def log(control: ControlRoom) -> list[tuple[float, str, str]]:
    return sorted(control.overdue)


def both(when: float, duty: str, colour: Colour) -> list[tuple[float, str, str]]:
    return [(when, duty, role) for role in UP[colour]]


@pytest.mark.parametrize("colour", [YELLOW, ORANGE, RED])
def test_who_signs_and_then_does_nothing_is_told_one_level_up(colour):
    control = signed(colour)
    control.wait(24 * HOUR)
    first = both(FEEDBACK[colour], "feedback", colour) + both(CLOSE[colour], "close", colour)
    assert log(control)[:4] == first
    assert len(log(control)) == (4 if colour is not RED else 4 + 2 * 40)


@pytest.mark.parametrize("colour", [YELLOW, ORANGE, RED])
def test_feedback_in_time_tells_nobody_and_closing_in_time_neither(colour):
    control = signed(colour)
    control.wait(FEEDBACK[colour] - 1)
    control.loop()
    control.wait(HOUR)
    if colour is RED:
        control.release(Level.PARK)
        control.see(ORANGE)
    for by in ("chen", "wu"):
        control.act("close", Level.PARK, by, "处置完毕", kind="real")
    control.see(BLUE)
    assert control.case.state is CaseState.CLOSED
    control.wait(48 * HOUR)
    assert log(control) == []
    ends = {step.outcome for step in control.rows.values() if step.duty is not Duty.RECEIVE}
    assert ends == {Outcome.ANSWERED}
    closers = {step.by for step in control.rows.values() if step.duty is Duty.CLOSE}
    assert closers == ({"wu"} if colour is RED else {"chen"})
    verifiers = {step.by for step in control.rows.values() if step.duty is Duty.VERIFY}
    assert verifiers == ({"chen"} if colour is RED else set())


VERIFY = [(5 * MIN, "verify", role) for role in ("CO-leader", "PK")]
"""domain.md 4.8: 核实 within 5 min of the rise to red."""


def test_a_red_that_nobody_verifies_is_told_to_the_park_and_above_after_five_minutes():
    control = room(RED)
    control.wait(5 * MIN - 1)
    assert log(control) == []
    control.wait(1)
    assert log(control) == VERIFY
    control.wait(9 * MIN)
    assert log(control) == VERIFY, "once"


@pytest.mark.parametrize("colour", [YELLOW, ORANGE])
def test_other_colours_have_no_clock_of_verifying(colour):
    control = room(colour)
    assert not [step for step in control.rows.values() if step.duty is Duty.VERIFY]


def test_no_signature_and_no_feedback_stops_the_clock_of_verifying():
    control = room(RED)
    for level in Level:
        control.receive(level, f"desk {level.name}")
    control.loop()
    control.wait(6 * MIN)
    assert log(control) == VERIFY


def test_verifying_in_time_tells_nobody_and_stops_no_other_clock():
    control = room(RED)
    control.wait(5 * MIN - 1)
    assert control.act("verify", Level.PARK, "chen")["transition"]
    control.wait(11 * MIN)
    assert log(control) == both(15 * MIN, "feedback", RED)
    assert {role for _, role in control.told} >= {"PR", "CI-leader"}
    ends = {(s.outcome, s.by) for s in control.rows.values() if s.duty is Duty.VERIFY}
    assert ends == {(Outcome.ANSWERED, "chen")}


@pytest.mark.parametrize("to", [ORANGE, BLUE])
def test_a_fall_from_red_withdraws_the_clock_of_verifying_and_a_new_red_begins_another(to):
    control = room(RED)
    control.wait(4 * MIN)
    control.see(to)
    control.wait(4 * MIN)
    assert [line for line in log(control) if line[1] == "verify"] == []
    withdrawn = [s for s in control.rows.values() if s.duty is Duty.VERIFY]
    assert {step.outcome for step in withdrawn} == {Outcome.WITHDRAWN}
    control.see(RED)
    control.wait(6 * MIN)
    told = [line for line in log(control) if line[1] == "verify"]
    assert told == [(13 * MIN, "verify", role) for role in ("CO-leader", "PK")]


def test_a_kill_keeps_the_clock_of_verifying():
    control = room(RED)
    control.wait(4 * MIN)
    control.restart()
    control.wait(2 * MIN)
    control.restart()
    control.wait(4 * MIN)
    assert log(control) == VERIFY


def test_notice_of_an_unverified_red_is_not_sent_after_it_was_verified_or_has_fallen():
    control = room(RED)
    control.wait(6 * MIN)
    step = told_of(control, Duty.VERIFY)
    control.receive(Level.PARK)
    assert still_wanted(step, control.case)
    fallen = room(RED)
    fallen.wait(6 * MIN)
    fallen.see(ORANGE)
    assert not still_wanted(told_of(fallen, Duty.VERIFY), fallen.case)
    control.act("verify", Level.PARK, "chen")
    assert not still_wanted(step, control.case)


@pytest.mark.parametrize("text", ["", "  。", "!!"])
def test_empty_feedback_stops_no_clock_and_is_told_so(text):
    control = signed(ORANGE)
    control.act("handle", Level.ENTERPRISE, "li", "去现场")
    control.wait(29 * MIN)
    refused = control.act("feedback", Level.ENTERPRISE, "li", text, reading=" ", person="-")
    assert refused["refused"]["status"] == 422
    assert "stops no clock" in refused["refused"]["detail"]
    control.wait(2 * MIN)
    assert log(control) == both(30 * MIN, "feedback", ORANGE)


def test_repeated_feedback_stops_no_clock_and_more_evidence_does():
    control = signed(ORANGE)
    control.loop("阀门已关闭。")
    control.see(RED)
    for level in Level:
        control.receive(level, f"desk {level.name}")
    control.act("verify", Level.PARK, "chen")
    control.act("handle", Level.ENTERPRISE, "li", "再去现场")
    repeat = control.act("feedback", Level.ENTERPRISE, "li", " 阀门已关闭 ")
    assert repeat["refused"]["status"] == 409
    assert "repeats" in repeat["refused"]["detail"]
    control.wait(16 * MIN)
    assert log(control) == both(15 * MIN, "feedback", RED)
    assert control.act("feedback", Level.ENTERPRISE, "li", "阀门已关闭", reading="GD-1 12 ppm")[
        "transition"
    ]


PHOTO = {
    "id": "00000000-0000-0000-0000-000000000001",
    "name": "a.jpg",
    "type": "image/jpeg",
    "size": 3,
    "sha256": "ab",
}


@pytest.mark.parametrize(
    "evidence", [{"files": [PHOTO]}, {"reading": "压力 0.4 MPa"}, {"person": "王班长"}]
)
def test_each_piece_of_evidence_counts_once(evidence):
    control = signed(ORANGE)
    control.act("handle", Level.ENTERPRISE, "li", "去现场")
    again = [control.act("feedback", Level.ENTERPRISE, "li", None, **evidence) for _ in range(2)]
    assert "transition" in again[0]
    assert again[1]["refused"]["status"] == 409


def test_the_same_photograph_under_another_name_is_no_new_evidence():
    control = signed(ORANGE)
    control.act("handle", Level.ENTERPRISE, "li", "去现场")
    control.act("feedback", Level.ENTERPRISE, "li", "已到现场", files=[PHOTO])
    other = PHOTO | {"id": "00000000-0000-0000-0000-000000000002", "name": "b.jpg"}
    told = control.act("feedback", Level.ENTERPRISE, "li", None, files=[other])
    assert told["refused"]["status"] == 409


def test_feedback_that_is_sent_back_has_to_come_again_within_the_time_of_the_colour():
    control = signed(ORANGE)
    control.wait(10 * MIN)
    control.act("handle", Level.ENTERPRISE, "li", "去现场")
    control.act("feedback", Level.ENTERPRISE, "li", "处理中")
    control.wait(10 * MIN)
    control.act("review", Level.PARK, "chen", "缺照片", approve=False)
    control.wait(HOUR)
    assert log(control) == both(50 * MIN, "feedback", ORANGE)


def test_a_rise_asks_for_feedback_within_the_time_of_the_new_colour():
    control = signed(ORANGE)
    control.wait(20 * MIN)
    control.loop()
    control.see(RED)
    control.act("verify", Level.PARK, "chen")
    control.wait(20 * MIN)
    assert log(control) == both(35 * MIN, "feedback", RED)


def test_a_signature_stops_no_clock_of_feedback_and_feedback_none_of_the_signature():
    control = signed(YELLOW)
    control.wait(3 * HOUR)
    assert log(control) == both(2 * HOUR, "feedback", YELLOW)
    other = room(RED)
    other.receive(Level.ENTERPRISE)
    other.loop()
    other.wait(11 * MIN)
    assert {role for _, role in other.told} >= {"PR", "CI-leader", "PK"}


def test_red_that_lasts_is_explained_every_half_hour_until_it_is_downgraded():
    control = signed(RED)
    control.loop("一")
    control.wait(4 * HOUR)
    assert log(control) == both(4 * HOUR, "close", RED)
    # explained after 20 min: the next half hour counts from there
    control.wait(20 * MIN)
    control.act("feedback", Level.ENTERPRISE, "li", "二")
    control.wait(60 * MIN)
    told = both((4 * 60 + 50) * MIN, "explain", RED) + both((4 * 60 + 80) * MIN, "explain", RED)
    assert log(control)[2:] == told
    control.act("review", Level.PARK, "chen", approve=True)
    control.release(Level.PARK)
    control.see(ORANGE)
    control.wait(12 * HOUR)
    assert log(control)[2:] == told


def test_at_blue_nobody_is_asked_for_feedback_but_a_case_that_is_left_open_is_told():
    control = signed(ORANGE)
    control.wait(10 * MIN)
    control.see(BLUE)
    control.wait(24 * HOUR)
    assert log(control) == both(12 * HOUR, "close", ORANGE)


def told_of(control: ControlRoom, duty: Duty) -> EscalationStep:
    rows = control.rows.values()
    return next(one for one in rows if one.duty is duty and one.outcome is Outcome.TOLD)


def test_notice_that_waits_for_its_repeat_is_not_sent_after_the_feedback():
    control = signed(ORANGE)
    control.wait(31 * MIN)
    step = told_of(control, Duty.FEEDBACK)
    assert still_wanted(step, control.case)
    control.act("handle", Level.ENTERPRISE, "li", "去现场")
    assert still_wanted(step, control.case)
    control.act("feedback", Level.ENTERPRISE, "li", "已到现场")
    assert not still_wanted(step, control.case)


def test_notice_of_an_open_case_is_not_sent_after_an_explanation_and_is_at_blue():
    control = signed(ORANGE)
    control.loop()
    control.wait(13 * HOUR)
    step = told_of(control, Duty.CLOSE)
    assert still_wanted(step, control.case)
    explained = signed(ORANGE)
    explained.loop()
    explained.wait(13 * HOUR)
    explained.act("feedback", Level.ENTERPRISE, "li", "备件未到")
    assert not still_wanted(told_of(explained, Duty.CLOSE), explained.case)
    control.see(BLUE)
    assert still_wanted(step, control.case)
    control.act("close", Level.PARK, "chen", kind="real")
    assert not still_wanted(step, control.case)


def test_a_ladder_without_deadlines_of_feedback_sets_none():
    text = "\n".join(
        ['version = "own"', "[role]", 'OP = { level = "enterprise", name = "OP" }']
        + [f'R{n} = {{ level = "park", name = "R{n}" }}' for n in range(2)]
        + [
            f'[{colour}]\nat_once = {roles}\nreceive_within = {{ value = 1, unit = "min" }}'
            for colour, roles in (
                ("yellow", ["OP"]),
                ("orange", ["OP", "R0"]),
                ("red", ["OP", "R0", "R1"]),
            )
        ]
    )
    control = ControlRoom(ladder=read(text))
    control.see(RED)
    control.wait(48 * HOUR)
    assert control.overdue == []


SCRIPT = st.lists(
    st.one_of(
        st.tuples(st.just("see"), st.sampled_from(list(Colour))),
        st.tuples(st.just("receive"), st.sampled_from(["li", "chen"])),
        st.tuples(st.just("handle"), st.sampled_from(["li", "chen"])),
        st.tuples(st.just("feedback"), st.sampled_from(["a", "b", "c", ""])),
        st.tuples(st.just("review"), st.booleans()),
        st.tuples(st.just("close"), st.sampled_from(["chen", "wu"])),
        st.tuples(st.just("release"), st.none()),
        st.tuples(st.just("verify"), st.none()),
        st.tuples(st.just("wait"), st.sampled_from([290.0, 900.0, 1800.0, 7200.0, 14400.0])),
    ),
    min_size=4,
    max_size=20,
)
TROUBLE = st.lists(st.sampled_from(["none", "kill", "+1h", "-1h"]), min_size=20, max_size=20)


def play(script, trouble=("none",) * 20) -> ControlRoom:
    """The script from red on, with trouble before each line of it."""
    control = room(RED)
    for (verb, what), worry in zip(script, trouble, strict=False):
        control.jump_s += {"+1h": HOUR, "-1h": -HOUR}.get(worry, 0.0)
        if worry != "none":
            control.restart()
            control.tick()
        match verb:
            case "see":
                control.see(what)
            case "wait":
                control.wait(what)
            case "handle" | "receive":
                control.act(verb, Level.ENTERPRISE, what, "去现场")
            case "feedback":
                control.act(verb, Level.ENTERPRISE, "li", what)
            case "review":
                control.act(verb, Level.PARK, "chen", "看过", approve=what)
            case "close":
                control.act(verb, Level.PARK, what, "原因", kind="real")
            case _:
                control.act(verb, Level.PARK, "chen")
    return control


@given(SCRIPT, TROUBLE)
def test_kills_and_clock_jumps_at_any_instant_change_nothing(script, trouble):
    troubled, calm = play(script, trouble), play(script)
    assert (troubled.told, troubled.overdue) == (calm.told, calm.overdue)
    assert ends(troubled) == ends(calm)
    assert [c.event for c in troubled.changes] == [c.event for c in calm.changes]


def ends(control: ControlRoom) -> list[tuple[object, ...]]:
    rows = sorted(control.rows.items(), key=lambda item: (item[0][0].int, item[0][1]))
    return [(s.no, s.n, s.role, s.duty, s.outcome, s.by, s.since) for _, s in rows]


@given(SCRIPT)
def test_each_deadline_is_told_once_and_none_after_the_feedback_that_stops_it(script):
    control = play(script)
    control.wait(24 * HOUR)
    told = [
        step
        for step in control.rows.values()
        if step.outcome is Outcome.TOLD and step.duty is not Duty.RECEIVE
    ]
    assert len(told) == len(control.overdue)
    for step in told:
        assert step.done is not None
        before = [c for c in control.changes if c.case.id == step.case and c.at < step.done]
        given_since = [c for c in before if c.event == "feedback" and c.case.n > step.n]
        back = [c.case.n for c in before if c.event == "send_back"]
        void = max([before[-1].case.risen, *back])
        if step.duty is Duty.VERIFY:
            assert before[-1].case.colour is RED
            assert before[-1].case.loop.verified is None
        elif step.duty is not Duty.CLOSE:
            assert all(change.case.n < void for change in given_since)
        assert before[-1].case.state not in (CaseState.SETTLED, CaseState.CLOSED)


@given(SCRIPT)
def test_no_deadline_waits_for_a_case_that_is_closed(script):
    control = play(script)
    for (id, _), step in control.rows.items():
        if control.cases[id].state is CaseState.CLOSED:
            assert step.outcome is not Outcome.WAITING


def test_the_numbers_are_those_of_the_domain():
    for colour, rungs in default().colours.items():
        assert rungs.feedback is not None
        assert rungs.close is not None
        verify = None if rungs.verify is None else rungs.verify.within_s
        assert verify == (5 * MIN if colour is RED else None)
        assert (rungs.feedback.within_s, rungs.close.within_s) == (FEEDBACK[colour], CLOSE[colour])
        assert sorted(role.code for role in rungs.feedback.roles) == list(UP[colour])
        assert rungs.close.again_s == (30 * MIN if colour is RED else None)
