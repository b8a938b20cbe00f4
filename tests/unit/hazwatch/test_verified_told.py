"""Who was told of a red as 待核实 is told once that it was verified; nobody else is."""

from dataclasses import replace
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from alerts.outgoing import ON_ONE, Outgoing
from alerts.people import Contact, Directory, Person
from alerts.wording import Wording
from domain.alarms import Notice
from domain.cases import CaseState, Level
from domain.escalation import read
from domain.risk import Colour
from domain.roster import Duty, Quiet
from hazwatch.wordings import shipped
from tests.support.builders import START, at
from tests.support.risk import ENTERPRISE, PARK, SOURCE, gas, said, site
from tests.support.warned import Watched

UTC = ZoneInfo("UTC")
LADDER = files("domain").joinpath("data/escalation.toml").read_text("utf-8")
ALL_DAY = Quiet(START.replace(hour=0).time(), START.replace(hour=23).time(), UTC)


def person(code: str) -> Person:
    return Person(code, code, ways=(Contact("log", code),), quiet=ALL_DAY)


def duty(role: str, code: str) -> list[Duty]:
    return [Duty(role, ("acme",), (code,))]


def directory() -> Directory:
    """wang is the park; the liaison of fire and rescue is a desk and liu, who is the city, too."""
    desks = {
        ("OP", ENTERPRISE): [Contact("log", "OP-desk")],
        ("FR", PARK): [Contact("log", "FR-desk")],
    }
    duties = {
        ("PK", PARK): duty("PK", "wang"),
        ("CI", PARK): duty("CI", "liu"),
        ("FR", PARK): duty("FR", "liu"),
    }
    return Directory(desks, {code: person(code) for code in ("wang", "liu")}, duties)


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


def lines(watched: Watched) -> list[Notice]:
    """What was told of a 核实."""
    return [one for one in watched.notices.values() if one.body.get("reason") == "verified"]


def marked(watched: Watched) -> set[str]:
    return {one.recipient for one in watched.notices.values() if one.body["unverified"]}


def test_who_was_told_as_unverified_is_told_once_that_it_is_so_and_nobody_else(watched: Watched):
    colour(watched, "red")
    assert marked(watched) == {"FR-desk", "liu"}
    watched.wait(60)
    assert watched.act("verify", Level.PARK, "chen", "现场确认泄漏")["transition"]
    made = lines(watched)
    assert {one.recipient for one in made} == marked(watched)
    for one in made:
        assert one.step is None
        body = one.body
        assert (body["role"], body["colour"], body["n"]) == ("FR", "red", watched.case.n)
        assert (body["by"], body["level"], body["comment"]) == ("chen", "park", "现场确认泄漏")
        assert body["unverified"] is False
        assert "sign_by" not in body
        assert "红色预警已核实 red warning verified" in str(body["text"])
    watched.act("verify", Level.COUNTY, "zhao")
    watched.kill()
    watched.wait(5)
    assert lines(watched) == made


def test_who_is_told_after_that_is_told_without_the_mark_and_hears_no_line():
    later = LADDER.replace('"CI", "FR"]', '"CI"]')
    assert later != LADDER
    watched = Watched(site(gas(1), gas(2)), ladder=read(later))
    watched.rules = replace(watched.rules, contacts=lambda _: directory())
    watched.kill()
    watched.tick()
    colour(watched, "red")
    watched.wait(60)
    watched.act("verify", Level.PARK, "chen")
    assert lines(watched) == []
    watched.wait(600)
    told = [one for one in watched.notices.values() if one.recipient == "FR-desk"]
    assert [one.body["unverified"] for one in told] == [False], "by the telephone tree"


def test_the_line_of_a_rise_has_the_mark_in_its_words_and_a_new_red_is_verified_anew():
    at_orange = LADDER.replace('"PK", "CO"]', '"PK", "CO", "FR"]', 1)
    at_orange = at_orange.replace('"CO", "CI", "FR"]', '"CO", "FR", "CI"]')
    watched = Watched(site(gas(1), gas(2)), ladder=read(at_orange))
    watched.rules = replace(watched.rules, contacts=lambda _: directory())
    watched.kill()
    watched.tick()
    colour(watched, "orange")
    assert marked(watched) == set(), "orange is not verified"
    colour(watched, "red")
    assert marked(watched) == {"FR-desk"}, "liu hears of red as the city, by a rung"
    (rise,) = (one for one in watched.notices.values() if one.body["unverified"])
    assert rise.body["reason"] == "risen"
    assert str(rise.body["text"]).startswith("【待核实 unverified】预警升为红色")
    watched.act("verify", Level.PARK, "chen")
    first = lines(watched)
    assert "FR-desk" in {one.recipient for one in first}


def test_the_line_is_withdrawn_when_the_red_is_over_or_has_begun_anew(watched: Watched):
    colour(watched, "red")
    watched.act("verify", Level.PARK, "chen")
    made = lines(watched)
    case = watched.case
    rung = next(one for one in watched.notices.values() if one.recipient == "FR-desk")
    assert watched.warnings.wanted(rung)
    for became in (
        replace(case, colour=Colour.ORANGE),
        replace(case, closed=at(watched.seconds), state=CaseState.CLOSED),
        replace(case, risen=case.n + 1, loop=replace(case.loop, verified=None)),
    ):
        watched.cases = {case.id: case}
        watched.kill()
        assert all(watched.warnings.wanted(one) for one in made)
        watched.cases = {case.id: became}
        watched.kill()
        assert not any(watched.warnings.wanted(one) for one in made)


def test_a_rung_that_leaves_after_the_verifying_has_no_mark_any_more(watched: Watched):
    colour(watched, "red")
    (rung,) = (one for one in watched.notices.values() if one.recipient == "FR-desk")
    watched.act("verify", Level.PARK, "chen")
    leaving = watched.warnings.sending(rung, at(watched.seconds)).notice
    assert rung.body["unverified"] is True
    assert leaving.body["unverified"] is False
    assert "待核实" not in str(leaving.body["text"])


def test_quiet_hours_hold_no_line_and_it_is_as_urgent_as_red(watched: Watched):
    colour(watched, "red")
    watched.act("verify", Level.PARK, "chen")
    for one in lines(watched):
        assert watched.warnings.sending(one, at(watched.seconds)).held_until is None
    outgoing = Outgoing()
    (line,) = (one for one in lines(watched) if one.recipient == "FR-desk")
    outgoing.put(line, 0.0)
    elapsed = 0.0
    for _ in range(2 * ON_ONE):
        (taken,) = outgoing.take(elapsed)
        assert outgoing.failed(taken, "503", elapsed).retry_s is not None
        elapsed += 120


def test_after_a_shift_change_the_line_goes_to_the_relief(watched: Watched):
    colour(watched, "red")
    watched.act("verify", Level.PARK, "chen")
    line = next(one for one in lines(watched) if one.person == "liu")
    desk = next(one for one in lines(watched) if one.recipient == "FR-desk")
    before = directory()
    relief = replace(
        before,
        people={**before.people, "zhou": person("zhou")},
        duties={**before.duties, ("FR", PARK): duty("FR", "zhou")},
    )
    watched.warnings._contacts = relief
    handed = watched.warnings.sending(line, at(watched.seconds))
    assert [one.person for one in handed.heirs] == [None, "zhou"]
    assert handed.heirs[0].id == desk.id, "who was told already is not told again"
    assert watched.warnings.wanted(handed.heirs[1])
    assert watched.warnings.sending(handed.heirs[1], at(watched.seconds)).heirs == ()
    assert watched.warnings.sending(desk, at(watched.seconds)).heirs == ()
    watched.warnings._contacts = replace(before, contacts={}, duties={})
    assert watched.warnings.sending(line, at(watched.seconds)).notice == line


def test_it_is_read_in_both_languages(watched: Watched):
    colour(watched, "red")
    watched.act("verify", Level.PARK, "chen", "现场确认泄漏")
    words = Wording(*shipped(), UTC)
    line = lines(watched)[0]
    chinese = words.render(line.body, START, "zh-CN")
    assert "红色预警已核实" in chinese.short
    assert "核实：园区 chen，现场确认泄漏" in chinese.body
    assert "待核实】" not in chinese.title
    english = words.render(line.body, START, "en")
    assert "VERIFIED, red warning" in english.short
    assert "Verified by: chen (park)" in english.body
    for form in (chinese, english):
        assert "$" not in form.body


def test_a_ladder_without_the_table_has_no_clock_and_its_red_is_verified_still():
    without = LADDER.partition("[red.verify]")[0]
    made = Watched(site(gas(1), gas(2)), ladder=read(without))
    made.rules = replace(made.rules, contacts=lambda _: directory())
    made.kill()
    made.tick()
    colour(made, "red")
    made.wait(360)
    assert made.overdue == []
    assert made.act("verify", Level.PARK, "chen")["transition"]
    assert lines(made)
