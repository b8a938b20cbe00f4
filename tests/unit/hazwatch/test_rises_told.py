"""Whoever was told of a warning is told when it rises, though no clock of his begins anew."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from alerts.outgoing import ON_ONE, Outgoing
from alerts.people import Contact, Directory, Person
from alerts.wording import Wording
from domain.alarms import Kind, Notice
from domain.cases import Level
from domain.risk import Colour
from domain.roster import Duty, Quiet
from hazwatch.wordings import shipped
from tests.support.builders import START, at
from tests.support.risk import ENTERPRISE, PARK, SOURCE, gas, said, site
from tests.support.warned import Watched

UTC = ZoneInfo("UTC")
ALL_DAY = Quiet(START.replace(hour=0).time(), START.replace(hour=23).time(), UTC)


def person(code: str) -> Person:
    return Person(code, code, ways=(Contact("log", code),), quiet=ALL_DAY)


def duty(role: str, code: str) -> list[Duty]:
    return [Duty(role, ("acme",), (code,))]


def directory(enterprise: int = ENTERPRISE, park: int = PARK) -> Directory:
    """zhang holds two roles of orange; liu one of orange and one of red; wang one of orange."""
    desks = {("OP", enterprise): [Contact("log", "OP-desk")]}
    people = {code: person(code) for code in ("zhang", "wang", "liu")}
    duties = {
        ("SM", enterprise): duty("SM", "zhang"),
        ("HD-main", enterprise): duty("HD-main", "zhang"),
        ("PK", park): duty("PK", "wang"),
        ("CO", park): duty("CO", "liu"),
        ("CI", park): duty("CI", "liu"),
    }
    return Directory(desks, people, duties)


def colour(watched: Watched, word: str) -> None:
    """An officer sets the colour."""
    officer = said("colour_set", SOURCE, watched.seconds, colour=word)
    watched.inputs = [officer]
    watched.warnings.heard([officer])
    watched.wait(1)


@pytest.fixture
def watched() -> Watched:
    made = Watched(site(gas(1), gas(2)))
    made.rules = replace(made.rules, contacts=lambda _: directory())
    made.kill()
    made.tick()
    return made


def risen(watched: Watched) -> list[Notice]:
    """The lines to those told before; rungs have a step."""
    return [
        one
        for one in watched.notices.values()
        if one.body.get("reason") == "risen" and one.step is None
    ]


def test_who_signed_the_orange_is_told_once_that_it_is_red(watched: Watched):
    colour(watched, "orange")
    for level in (Level.ENTERPRISE, Level.PARK, Level.COUNTY):
        watched.act("receive", level)
    colour(watched, "red")
    assert watched.case.colour is Colour.RED
    lines = risen(watched)
    assert sorted(one.recipient for one in lines) == ["OP-desk", "wang", "zhang"]
    assert [one.body["roles"] for one in lines if one.person == "zhang"] == [["SM", "HD-main"]]
    told = [one for one in watched.notices.values() if one.person == "liu"]
    assert [(one.body["role"], one.body["colour"]) for one in told] == [
        ("CO", "orange"),
        ("CI", "red"),
    ]
    for one in lines:
        body = one.body
        assert (body["colour"], body["before"], body["n"]) == ("red", "orange", watched.case.n)
        assert body["role_name"]
        assert "sign_by" not in body
        assert "sign_within_s" not in body
        assert "红色" in str(body["text"])
        assert "red" in str(body["text"])


def test_the_line_of_a_rise_is_read_in_both_languages_without_a_time_to_sign(watched: Watched):
    colour(watched, "orange")
    colour(watched, "red")
    words = Wording(*shipped(), UTC)
    for language, wanted in (("zh-CN", "升为红色预警"), ("en", "Risen to red warning")):
        form = words.render(risen(watched)[0].body, START, language)
        assert wanted in form.short
        assert wanted in form.title
        assert "签收时限" not in form.body
        assert "Sign within" not in form.body


def test_a_first_rise_has_no_line_and_nobody_hears_twice_after_a_kill(watched: Watched):
    colour(watched, "yellow")
    assert risen(watched) == []
    colour(watched, "orange")
    lines = risen(watched)
    assert {one.recipient for one in lines} == {"OP-desk"}, "zhang hears of orange by his new rung"
    watched.kill()
    watched.wait(5)
    assert risen(watched) == lines


def test_a_line_is_withdrawn_when_it_rises_again_or_falls_or_is_closed(watched: Watched):
    colour(watched, "yellow")
    colour(watched, "orange")
    orange = risen(watched)
    assert all(watched.warnings.wanted(one) for one in orange)
    colour(watched, "red")
    red = [one for one in risen(watched) if one not in orange]
    assert not any(watched.warnings.wanted(one) for one in orange)
    assert red
    watched.kill()
    assert all(watched.warnings.wanted(one) for one in red)
    case = watched.case
    watched.cases = {case.id: replace(case, colour=Colour.ORANGE)}
    watched.kill()
    assert not any(watched.warnings.wanted(one) for one in red)
    watched.cases = {
        case.id: replace(case, closed=at(watched.seconds), state=type(case.state)("closed"))
    }
    watched.kill()
    assert not any(watched.warnings.wanted(one) for one in red)


def test_quiet_hours_hold_no_line_of_orange_or_red(watched: Watched):
    colour(watched, "yellow")
    watched.wait(1900, pace=30)
    colour(watched, "orange")
    colour(watched, "red")
    people = [one for one in risen(watched) if one.person]
    assert people
    for one in people:
        assert watched.warnings.sending(one, at(watched.seconds)).held_until is None


def test_a_line_is_as_urgent_as_the_rungs_of_its_colour_and_is_not_given_up(watched: Watched):
    colour(watched, "orange")
    colour(watched, "red")
    line = replace(risen(watched)[0], recipient="desk")
    rung = next(one for one in watched.notices.values() if one.step and one.body["colour"] == "red")
    orange = next(
        one for one in watched.notices.values() if one.step and one.body["colour"] == "orange"
    )
    out = Outgoing()
    for one in (orange, line, rung):
        out.put(replace(one, recipient="desk", ways=()), 0.0)
    assert [one.id for one in out.take(0.0)] == [line.id, rung.id, orange.id]
    last = [out.failed(line, "no network", 0.0) for _ in range(ON_ONE + 3)][-1]
    assert last.retry_s == 120.0


def test_an_installation_without_notices_of_falls_is_told_of_rises_all_the_same(watched: Watched):
    watched.rules = replace(watched.rules, endings=False)
    watched.kill()
    colour(watched, "orange")
    colour(watched, "red")
    assert risen(watched)


def test_a_second_p1_after_the_feedback_reaches_those_whom_the_clocks_told(watched: Watched):
    """It is a rise to the same colour: those at once hear by rungs, the others by a line."""
    late = directory()
    late.duties[("LH", ENTERPRISE)] = duty("LH", "wang")  # type: ignore[index]
    del late.duties[("PK", PARK)]  # type: ignore[attr-defined]
    watched.rules = replace(watched.rules, contacts=lambda _: late)
    watched.kill()
    watched.raises(Kind.HH, 1, 90.0)
    watched.wait(301, pace=5)
    told = {one.person for one in watched.notices.values()}
    assert "wang" in told
    watched.act("receive", Level.ENTERPRISE, "li")
    watched.act("handle", Level.ENTERPRISE, "li", "去现场")
    watched.act("feedback", Level.ENTERPRISE, "li", "已关阀")
    n = watched.case.risen
    watched.raises(Kind.HH, 2, 90.0)
    assert watched.case.risen > n
    newest = [one for one in risen(watched) if one.body["n"] == watched.case.n]
    assert {one.person for one in newest} == {"wang"}
