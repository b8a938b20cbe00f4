"""The ladder: whom it tells, when, and what stops a clock."""

import tomllib
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case_notices import notices, warning_body
from alerts.escalation import begin, still_wanted
from alerts.people import Contact
from domain.alarms import notice_id
from domain.cases import CaseState, Duty, EscalationStep, Level, Outcome
from domain.escalation import LadderError, default, read
from domain.plant import Node
from domain.risk import Colour
from tests.support.builders import ENTERPRISE, PARK, SOURCE, START, registry
from tests.support.escalating import ControlRoom

BLUE, YELLOW, ORANGE, RED = Colour
MIN = 60.0
HOUR = 3600.0
HD = {"HD-operation", "HD-technical", "HD-main"}
AT_ONCE = {
    BLUE: set(),
    YELLOW: {"OP", "SM", "HD-operation"},
    ORANGE: {"OP", "SM", "PK", "CO"} | HD,
    RED: {"OP", "SM", "PK", "CO", "CI", "FR"} | HD,
}
"""Who hears at once, written down from the domain's table by hand."""


def room(colour: Colour) -> ControlRoom:
    opened = ControlRoom()
    opened.see(colour)
    return opened


def log(control: ControlRoom) -> dict[float, set[str]]:
    """Minutes to the roles told then."""
    said: dict[float, set[str]] = {}
    for when, role in control.told:
        said.setdefault(when / MIN, set()).add(role)
    return said


@pytest.mark.parametrize(
    ("colour", "climb"),
    [
        (YELLOW, {0: AT_ONCE[YELLOW], 10: {"HD-technical", "PK"}, 30: {"HD-main", "CO"}}),
        (ORANGE, {0: AT_ONCE[ORANGE], 5: {"LH", "CO-leader"}, 15: {"CI"}}),
        (RED, {0: AT_ONCE[RED], 3: {"PR", "CI-leader"}, 10: set(default().roles)}),
    ],
)
def test_ladder_climbs_on_time_while_nobody_answers(colour, climb):
    control = room(colour)
    control.wait(24 * HOUR)
    assert log(control) == climb


def test_nobody_hears_of_blue():
    control = room(BLUE)
    control.wait(24 * HOUR)
    assert control.told == []


def test_begin_tells_at_once_and_sets_up_the_rest_with_a_wall_time_for_people():
    control = room(ORANGE)
    begun = begin(default(), control.changes[0], 1, control.now).values()
    steps = [step for step in begun if step.duty is Duty.RECEIVE]
    told = {step.role for step in steps if step.outcome is Outcome.TOLD}
    due = {step.role: step.due for step in steps if step.outcome is Outcome.WAITING}
    assert told == AT_ONCE[ORANGE]
    assert due == {
        "LH": START + timedelta(minutes=5),
        "CO-leader": START + timedelta(minutes=5),
        "CI": START + timedelta(minutes=15),
    }


def test_enterprise_that_signs_a_yellow_in_time_keeps_it_to_itself():
    control = room(YELLOW)
    control.wait(9 * MIN)
    control.receive(Level.ENTERPRISE)
    control.wait(HOUR)
    assert log(control) == {0: AT_ONCE[YELLOW]}
    assert {(step.outcome, step.by) for step in control.signing} == {
        (Outcome.TOLD, None),
        (Outcome.RECEIVED, "li"),
    }


def test_enterprise_that_signs_after_the_park_was_asked_does_not_answer_for_the_park():
    control = room(YELLOW)
    control.wait(12 * MIN)
    control.receive(Level.ENTERPRISE)
    control.wait(HOUR)
    assert log(control)[30] == {"CO"}


def test_park_that_signs_unasked_is_not_told_and_the_county_only_for_the_enterprise_no_more():
    control = room(YELLOW)
    control.wait(5 * MIN)
    control.receive(Level.PARK)
    control.wait(HOUR)
    assert log(control) == {0: AT_ONCE[YELLOW], 10: {"HD-technical"}, 30: {"HD-main"}}


@pytest.mark.parametrize(
    ("level", "stopped"),
    [
        (Level.ENTERPRISE, {"LH"}),
        (Level.PARK, set()),
        (Level.COUNTY, {"CO-leader", "CI"}),
    ],
)
def test_orange_signed_by_a_level_stops_what_its_silence_sets_off(level, stopped):
    control = room(ORANGE)
    control.wait(2 * MIN)
    control.receive(level)
    control.wait(HOUR)
    assert control.roles_told(0.0) == {"LH", "CO-leader", "CI"} - stopped


def test_no_desk_silences_the_city_in_red():
    control = room(RED)
    control.wait(1 * MIN)
    for level in (Level.ENTERPRISE, Level.PARK, Level.COUNTY, Level.FIRE):
        control.receive(level, level.name)
    control.wait(HOUR)
    assert log(control)[3] == {"PR", "CI-leader"}
    assert log(control)[10] == {"CI", "CI-leader", "PR", "PR-leader"}


def test_a_rise_tells_the_new_at_once_and_restarts_only_their_clocks():
    control = room(ORANGE)
    control.wait(2 * MIN)
    control.receive(Level.ENTERPRISE)
    control.wait(1 * MIN)
    control.see(RED)
    assert log(control)[3] == {"CI", "FR"}
    control.wait(HOUR)
    assert log(control) == {
        0: AT_ONCE[ORANGE],
        3: {"CI", "FR"},
        5: {"CO-leader"},
        6: {"PR", "CI-leader"},
        13: set(default().roles),
    }


def test_signature_under_yellow_does_not_answer_for_orange():
    control = room(YELLOW)
    control.receive(Level.ENTERPRISE)
    control.receive(Level.CITY)
    control.wait(1 * MIN)
    control.see(ORANGE)
    control.wait(HOUR)
    assert log(control) == {
        0: AT_ONCE[YELLOW],
        1: AT_ONCE[ORANGE] - AT_ONCE[YELLOW],
        6: {"LH", "CO-leader"},
        16: {"CI"},
    }


def test_city_that_signed_the_yellow_unasked_is_told_of_orange_only_if_the_county_is_silent():
    control = room(YELLOW)
    control.receive(Level.CITY)
    control.see(ORANGE)
    control.receive(Level.COUNTY)
    control.wait(HOUR)
    assert "CI" not in control.roles_told()


def test_whoever_a_rise_tells_is_not_told_again_by_the_clock_of_the_colour_below():
    control = room(YELLOW)
    control.wait(9 * MIN)
    control.see(ORANGE)
    assert log(control)[9] == {"HD-technical", "HD-main", "PK", "CO"}
    superseded = {s.role for s in control.rows.values() if s.outcome is Outcome.SUPERSEDED}
    assert superseded == {"HD-technical", "HD-main", "PK", "CO"}
    control.wait(HOUR)
    assert log(control)[14] == {"LH", "CO-leader"}
    assert 10 not in log(control)


def test_those_whom_the_clock_of_yellow_told_hear_at_once_of_orange_all_the_same():
    control = room(YELLOW)
    control.wait(35 * MIN)
    for level in (Level.ENTERPRISE, Level.PARK, Level.COUNTY):
        control.receive(level)
    control.see(ORANGE)
    assert log(control)[35] == {"HD-technical", "HD-main", "PK", "CO"}
    assert control.case.state is CaseState.OPEN


def test_the_telephone_tree_of_red_takes_no_signature_of_the_orange_for_an_answer():
    control = room(ORANGE)
    for level in (Level.ENTERPRISE, Level.PARK, Level.COUNTY):
        control.receive(level)
    control.wait(2 * MIN)
    control.see(RED)
    for level in (Level.CITY, Level.FIRE):
        control.receive(level)
    control.wait(20 * MIN)
    below = (Level.ENTERPRISE, Level.PARK, Level.COUNTY)
    assert log(control)[12] == {
        role.code for role in default().roles.values() if role.level in below
    }
    called = [step for step in control.signing if step.after_s == 10 * MIN and step.role == "OP"]
    assert [still_wanted(step, control.case) for step in called] == [True]
    control.restart()
    control.receive(Level.ENTERPRISE)
    assert not still_wanted(called[0], control.case)


def test_who_signs_the_red_is_not_called_by_the_telephone_tree():
    control = room(ORANGE)
    control.receive(Level.PARK)
    control.see(RED)
    for level in Level:
        control.receive(level)
    control.wait(HOUR)
    assert set(log(control)) == {0}


@given(st.lists(st.sampled_from(list(Colour)), max_size=8))
def test_every_rise_reaches_the_new_recipients_at_once(colours):
    control, before = ControlRoom(), BLUE
    for colour in colours:
        heard = len(control.told)
        control.see(colour)
        new = {role for _, role in control.told[heard:]}
        assert new == (AT_ONCE[colour] - AT_ONCE[before] if colour > before else set())
        before = colour
        control.wait(7 * MIN)


def test_neither_a_fall_nor_lost_data_stops_or_restarts_a_clock():
    control = room(ORANGE)
    control.wait(4 * MIN)
    control.see(ORANGE, unknown=True)
    control.wait(8 * MIN)
    control.see(YELLOW)
    control.wait(1 * MIN)
    control.see(ORANGE)
    control.wait(HOUR)
    assert log(control) == {
        0: AT_ONCE[ORANGE],
        5: {"LH", "CO-leader"},
        13: AT_ONCE[ORANGE] - AT_ONCE[YELLOW],
        15: {"CI"},
        18: {"LH", "CO-leader"},
    }


def test_back_at_blue_nobody_is_told_any_more_and_the_next_rise_begins_anew():
    control = room(ORANGE)
    control.wait(1 * MIN)
    control.see(BLUE)
    control.wait(HOUR)
    assert log(control) == {0: AT_ONCE[ORANGE]}
    assert {s.outcome for s in control.signing} == {Outcome.TOLD, Outcome.WITHDRAWN}
    control.see(YELLOW)
    control.wait(40 * MIN)
    assert log(control) == {
        0: AT_ONCE[ORANGE],
        61: AT_ONCE[YELLOW],
        71: {"HD-technical", "PK"},
        91: {"HD-main", "CO"},
    }
    assert control.case.number == 1


def test_levels_asked_before_the_source_was_back_at_blue_are_not_asked_now():
    control = room(YELLOW)
    control.wait(12 * MIN)
    control.see(BLUE)
    control.see(YELLOW)
    control.receive(Level.ENTERPRISE)
    control.wait(HOUR)
    assert log(control) == {
        0: AT_ONCE[YELLOW],
        10: {"HD-technical", "PK"},
        12: AT_ONCE[YELLOW],
    }


def told_step(control: ControlRoom, role: str) -> EscalationStep:
    return next(
        step for step in control.rows.values() if step.role == role and step.outcome is Outcome.TOLD
    )


def test_notice_that_waits_for_its_repeat_is_not_sent_after_the_signature():
    control = room(ORANGE)
    control.wait(5 * MIN)
    legal_head, bureau = told_step(control, "LH"), told_step(control, "CO-leader")
    assert still_wanted(legal_head, control.case)
    control.receive(Level.ENTERPRISE)
    assert not still_wanted(legal_head, control.case)
    assert still_wanted(bureau, control.case)


def test_notice_is_not_sent_once_blue_nor_in_the_next_time_away_from_blue():
    control = room(ORANGE)
    step = told_step(control, "PK")
    control.see(BLUE)
    assert not still_wanted(step, control.case)
    control.see(ORANGE)
    assert not still_wanted(step, control.case)


def test_notice_for_the_city_is_dropped_when_the_silent_county_signs():
    control = room(ORANGE)
    control.wait(15 * MIN)
    city = told_step(control, "CI")
    control.receive(Level.ENTERPRISE)
    assert still_wanted(city, control.case)
    control.receive(Level.COUNTY)
    assert not still_wanted(city, control.case)


def test_notice_for_the_city_is_dropped_when_the_city_signs_itself():
    control = room(ORANGE)
    control.wait(15 * MIN)
    city = told_step(control, "CI")
    control.receive(Level.CITY)
    assert not still_wanted(city, control.case)


@pytest.mark.parametrize("jump_s", [HOUR, -HOUR])
def test_step_of_the_wall_clock_neither_fires_nor_stalls_a_rung(jump_s):
    control = room(ORANGE)
    control.wait(4 * MIN)
    control.jump_s = jump_s
    control.tick()
    control.restart()
    control.tick()
    assert log(control) == {0: AT_ONCE[ORANGE]}
    control.wait(HOUR)
    assert log(control) == {0: AT_ONCE[ORANGE], 5: {"LH", "CO-leader"}, 15: {"CI"}}


def test_time_without_a_worker_counts():
    control = room(YELLOW)
    control.elapsed += 12 * MIN
    control.restart()
    control.tick()
    control.wait(HOUR)
    assert log(control) == {
        0: AT_ONCE[YELLOW],
        12: {"HD-technical", "PK"},
        30: {"HD-main", "CO"},
    }


def test_another_machine_goes_on_by_the_wall_clock_once_and_then_by_its_own():
    control = room(ORANGE)
    control.wait(4 * MIN)
    control.elapsed += 30.0
    control.restart("boot-2")
    assert {(step.role, step.duty.value, step.left_s) for step in control.escalation.moved} == {
        ("LH", "receive", 30.0),
        ("CO-leader", "receive", 30.0),
        ("CI", "receive", 630.0),
        *((role, "feedback", 1530.0) for role in ("LH", "CO-leader")),
        *((role, "close", 12 * HOUR - 270) for role in ("LH", "CO-leader")),
    }
    assert {step.due for step in control.escalation.moved} == {
        START + timedelta(minutes=5),
        START + timedelta(minutes=15),
        START + timedelta(minutes=30),
        START + timedelta(hours=12),
    }
    control.jump_s -= HOUR
    control.restart("boot-2")
    assert control.escalation.moved == []
    control.wait(HOUR)
    assert log(control) == {0: AT_ONCE[ORANGE], 5: {"LH", "CO-leader"}, 15: {"CI"}}


def test_machine_whose_wall_clock_lies_behind_counts_that_time_as_none():
    control = room(ORANGE)
    control.wait(4 * MIN)
    control.jump_s = -HOUR
    control.restart("boot-2")
    control.wait(HOUR)
    assert log(control) == {0: AT_ONCE[ORANGE], 9: {"LH", "CO-leader"}, 19: {"CI"}}


def test_transition_that_was_followed_before_changes_nothing():
    control = room(RED)
    rows = dict(control.rows)
    for change in control.changes:
        assert control.escalation.follow(change, control.now) == []
    control.restart()
    for change in control.changes:
        assert control.escalation.follow(change, control.now) == []
    assert control.rows == rows


SCRIPT = st.lists(
    st.one_of(
        st.tuples(st.just("see"), st.sampled_from(list(Colour))),
        st.tuples(st.just("sign"), st.sampled_from(list(Level))),
        st.tuples(st.just("lose"), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([30.0, 170.0, 290.0, 600.0, 1500.0])),
    ),
    max_size=14,
)
TROUBLE = st.lists(st.sampled_from(["none", "kill", "+1h", "-1h"]), min_size=14, max_size=14)


def play(script, trouble=("none",) * 14) -> ControlRoom:
    """The script, with trouble before each line of it."""
    control, colour, unknown = ControlRoom(), BLUE, False
    for (verb, what), worry in zip(script, trouble, strict=False):
        control.jump_s += {"+1h": HOUR, "-1h": -HOUR}.get(worry, 0.0)
        if worry != "none":
            control.restart()
            control.tick()
        if verb == "wait":
            control.wait(what)
        elif verb == "sign":
            if control.cases:
                control.receive(what, what.name)
        else:
            colour, unknown = (what, unknown) if verb == "see" else (colour, what)
            control.see(colour, unknown=unknown)
    return control


@given(SCRIPT, TROUBLE)
def test_kills_and_clock_jumps_at_any_instant_change_nothing(script, trouble):
    troubled, calm = play(script, trouble), play(script)
    assert troubled.told == calm.told
    assert outcomes(troubled) == outcomes(calm)


def outcomes(control: ControlRoom) -> list[tuple[object, ...]]:
    steps = sorted(control.rows.items(), key=lambda item: (item[0][0].int, item[0][1]))
    return [(s.no, s.n, s.role, s.outcome, s.by, s.clock, s.since) for _, s in steps]


@given(SCRIPT)
def test_each_rung_is_told_once_at_most_and_none_after_its_level_has_signed(script):
    control = play(script)
    control.wait(24 * HOUR)
    told = [step for step in control.signing if step.outcome is Outcome.TOLD]
    assert len(told) == len(control.told)
    for step in told:
        assert step.done is not None
        for change in control.changes:
            signed = change.event == "receive" and change.case.id == step.case
            if signed and change.at < step.done and change.case.n > (step.since or 0):
                assert change.case.receipts[-1].level not in (step.level, step.clock)


@given(SCRIPT)
def test_no_clock_tells_a_level_that_has_signed_since_the_last_rise(script):
    control = play(script)
    control.wait(24 * HOUR)
    for step in control.signing:
        if step.outcome is not Outcome.TOLD or step.after_s == 0:
            continue
        assert step.done is not None
        known = [
            change.case
            for change in control.changes
            if change.case.id == step.case and change.at < step.done
        ][-1]
        signed = {one.level for one in known.receipts if one.n > known.risen}
        assert step.level not in signed


@given(SCRIPT)
def test_no_rung_waits_for_ever(script):
    control = play(script)
    control.wait(24 * HOUR)
    assert all(step.outcome is not Outcome.WAITING for step in control.signing)


CITY = Node(9, None, "city", "3207", "City")
BOOK = {
    ("OP", SOURCE): [Contact("webhook", "http://e1/op")],
    ("PK", PARK): [Contact("webhook", "http://park/desk"), Contact("mqtt", "park/siren")],
    ("PK", ENTERPRISE + 100): [Contact("webhook", "http://elsewhere")],
}


def sent(control: ControlRoom, role: str):
    step = told_step(control, role)
    return notices(default(), registry(nodes=[CITY]), BOOK, control.case, step)


def test_role_is_found_at_the_source_or_nearest_above_and_told_at_each_address():
    control = room(ORANGE)
    assert [notice.recipient for notice in sent(control, "OP")[1]] == ["http://e1/op"]
    step, made = sent(control, "PK")
    assert [(one.channel, one.recipient) for one in made] == [
        ("webhook", "http://park/desk"),
        ("mqtt", "park/siren"),
    ]
    assert not step.unnamed
    assert made[0].id == notice_id(
        control.case.id, 1, f"rung {step.no}", "http://park/desk", "webhook"
    )


def test_role_that_nobody_holds_goes_to_the_log_and_is_shown():
    control = room(ORANGE)
    step, (notice,) = sent(control, "CO")
    assert (notice.channel, notice.recipient) == ("log", "CO")
    assert "nobody is named for CO" in str(notice.body["text"])
    control.escalation.mark(step)
    assert [rung["role"] for rung in rungs_shown(control) if rung["unnamed"]] == ["CO"]


def rungs_shown(control: ControlRoom) -> list[dict[str, object]]:
    shown = warning_body(control.ladder, control.case, control.escalation.steps(control.case.id))[
        "ladder"
    ]
    assert isinstance(shown, list)
    return shown


def test_same_rung_gives_the_same_ids_and_no_two_rungs_share_one():
    control = room(RED)
    control.wait(HOUR)
    told = [step for step in control.rows.values() if step.outcome is Outcome.TOLD]
    ids = [
        notice.id
        for step in told
        for notice in notices(default(), registry(), BOOK, control.case, step)[1]
    ]
    again = [
        notice.id
        for step in told
        for notice in notices(default(), registry(), BOOK, control.case, step)[1]
    ]
    assert ids == again
    assert len(set(ids)) == len(ids)


def test_notice_says_colour_source_since_when_why_and_what_to_do():
    control = room(RED)
    control.wait(3 * MIN)
    _, (notice,) = sent(control, "PR")
    text = str(notice.body["text"])
    assert (
        "红色预警 red warning: Park 1 Enterprise 1 Tank farm 1, since 2026-11-21T08:00:00Z" in text
    )
    assert "3 分钟无人签收 no 签收 by the city for 3 min" in text
    assert "请在 3 分钟内签收 sign within 3 min" in text


def test_fire_and_rescue_is_told_that_nobody_has_verified_it():
    control = room(RED)
    assert sent(control, "FR")[1][0].body["unverified"] is True
    assert "待核实" in str(sent(control, "FR")[1][0].body["text"])
    assert sent(control, "CI")[1][0].body["unverified"] is False


def test_the_mark_is_gone_once_the_park_has_verified_and_back_with_the_next_red():
    control = room(RED)
    control.act("verify", Level.PARK, "chen")
    body = sent(control, "FR")[1][0].body
    assert body["unverified"] is False
    assert "待核实" not in str(body["text"])
    control.see(ORANGE)
    assert sent(control, "FR")[1][0].body["unverified"] is False
    control.see(RED)
    assert sent(control, "FR")[1][0].body["unverified"] is True


def test_what_falls_from_red_unverified_is_told_without_the_mark():
    control = room(RED)
    control.see(ORANGE)
    assert sent(control, "FR")[1][0].body["unverified"] is False


def test_who_is_told_that_nobody_verified_reads_what_to_do():
    control = room(RED)
    control.wait(5 * MIN)
    step = next(s for s in control.rows.values() if s.duty is Duty.VERIFY and s.role == "PK")
    notice, *_ = notices(default(), registry(), BOOK, control.case, step)[1]
    assert notice.body["duty"] == "verify"
    assert "5 分钟未核实 not verified (核实) for 5 min" in str(notice.body["text"])
    assert "请立即核实" in str(notice.body["text"])


def test_only_red_has_a_clock_of_verifying():
    table = 'within = { value = 5, unit = "min" }\nroles = ["PK"]\n'
    with pytest.raises(LadderError, match="only red is verified"):
        read(ladder_text() + f"\n[orange.verify]\n{table}")
    without = ladder_text().partition("[red.verify]")[0]
    assert read(without).colours[RED].verify is None
    again = 'again = { value = 5, unit = "min" }\n'
    with pytest.raises(LadderError, match="'again'"):
        read(f"{without}[red.verify]\n{table}{again}")


def test_the_wire_says_who_verified_and_until_when_it_has_to_be():
    control = room(RED)

    def loop():
        steps = control.escalation.steps(control.case.id)
        return warning_body(control.ladder, control.case, steps)["loop"]

    def asked():
        return [one for one in loop()["deadlines"] if one["duty"] == "verify"]

    assert loop()["verified"] is None
    (due,) = asked()
    assert (due["due"], due["done"]) == ("2026-11-21T08:05:00Z", None)
    control.see(ORANGE)
    assert asked() == [], "what has fallen is not asked for"
    control.see(RED)
    control.wait(MIN)
    control.act("verify", Level.PARK, "chen", "已到现场")
    assert loop()["verified"] == {
        "by": "chen",
        "at": "2026-11-21T08:01:00Z",
        "level": "park",
        "comment": "已到现场",
    }
    assert asked()[0]["done"] == "2026-11-21T08:01:00Z"
    control.see(ORANGE)
    assert asked()[0]["done"] == "2026-11-21T08:01:00Z"


def test_warning_on_the_wire_has_the_members_of_the_profile():
    control = room(ORANGE)
    control.receive(Level.PARK, "chen")
    body = warning_body(control.ladder, control.case, control.escalation.steps(control.case.id))
    members = {"id", "source", "enterprise", "colour", "worst", "state", "opened", "closed"}
    assert members | {"alarms", "ladder"} <= body.keys()
    assert (body["state"], body["colour"], body["closed"]) == ("received", "orange", None)
    assert body["sign_within_s"] == 300
    assert rungs_shown(control)[0].keys() >= {"step", "role", "due", "done", "by", "after_s"}
    assert (rungs_shown(control)[0]["role"], rungs_shown(control)[0]["level"]) == (
        "OP",
        "enterprise",
    )


def ladder_text() -> str:
    return files("domain").joinpath("data/escalation.toml").read_text("utf-8")


def test_every_number_of_the_ladder_has_a_confidence_mark():
    def numbers(entry):
        if isinstance(entry, dict) and "value" in entry:
            yield entry
        elif isinstance(entry, (dict, list)):
            for inner in entry.values() if isinstance(entry, dict) else entry:
                yield from numbers(inner)

    found = list(numbers(tomllib.loads(ladder_text())))
    assert len(found) == 18
    assert all({"unit", "source", "confidence"} <= number.keys() for number in found)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('["OP", "SM", "HD", "PK", "CO"]', '["OP", "SM"]'),
        ('["OP", "SM", "HD", "PK", "CO"]', '["OP", "SM", "HD-operation"]'),
        ('roles = ["CI"]', 'roles = ["XX"]'),
        ('level = "park"', 'level = "village"'),
        ("value = 15", "value = 0"),
        ("value = 15", 'value = "soon"'),
        ("value = 15", "value = inf"),
        ("value = 15", "value = nan"),
        ("value = 15", "value = 99999999999"),
        ("[[orange.rung]]", "[[orange.rungs]]"),
        ("at_once =", "at_onse ="),
        ('level = "park"', "level = 1"),
        ("[orange]", "[green]"),
        ("[group]", "[group"),
        ("[red.feedback]", "[red.feedbacks]"),
        ("again = {", "agane = {"),
        ('value = 4, unit = "h"', 'value = 4, unit = "d"'),
        ('value = 30, unit = "min"', 'value = 0, unit = "min"'),
    ],
)
def test_file_that_describes_no_ladder_is_refused(right, wrong):
    text = ladder_text()
    assert right in text
    with pytest.raises(LadderError, match="escalation file"):
        read(text.replace(right, wrong))


def test_jurisdiction_may_have_its_own_minutes():
    own = read(ladder_text().replace("value = 15,", "value = 20,"))
    control = ControlRoom(ladder=own)
    control.see(ORANGE)
    control.wait(HOUR)
    assert log(control)[20] == {"CI"}


def test_rows_outlive_a_change_of_the_ladder():
    control = room(ORANGE)
    control.ladder = replace(default(), version="other")
    control.restart()
    control.wait(HOUR)
    assert log(control)[15] == {"CI"}


def test_rows_of_other_cases_are_left_alone():
    control = room(ORANGE)
    stray = replace(next(iter(control.rows.values())), case=UUID(int=3))
    control.rows[stray.case, stray.no] = stray
    control.restart()
    assert control.escalation.steps(stray.case) == ()
