"""What people state, as it reaches colours and cases; clocks that are set meanwhile."""

from dataclasses import replace

from domain.alarms import Kind
from domain.cases import ClockReading
from domain.risk import Colour, Part
from hazwatch.risktime import RiskTime
from tests.support.builders import at
from tests.support.risk import SOURCE, alarm, gas, said, signals, site, tag
from tests.support.warned import Watched


def test_an_officers_colour_opens_a_case_at_once_and_the_row_says_who_holds_it():
    watched = Watched(site(tag(1)))
    watched.tick()
    officer = said("colour_set", SOURCE, 0, colour="orange")
    watched.warnings.heard([officer])
    watched.wait(1)
    assert watched.case.colour is Colour.ORANGE
    risk = watched.risks[SOURCE]
    assert [id for _, id in risk.held_by] == [officer.id]


def test_a_permit_keeps_a_test_of_a_detector_quiet_and_ends_by_itself():
    watched = Watched(site(gas(1)))
    watched.warnings.heard([said("permit", SOURCE, 0, 600, tag=1, work="calibration")])
    watched.wait(5)
    watched.raises(Kind.HH, 1, 90.0)
    watched.wait(500)
    assert watched.cases == {}
    watched.wait(120)
    assert watched.case.worst >= Colour.ORANGE


def test_what_people_stated_is_there_at_the_first_look_after_a_restart():
    watched = Watched(site(gas(1)))
    permit = said("permit", SOURCE, 0, 1500, tag=1, work="calibration")
    watched.warnings.heard([permit])
    watched.wait(5)
    watched.raises(Kind.HH, 1, 90.0)
    watched.inputs = [permit]
    watched.kill()
    watched.wait(60)
    assert watched.cases == {}


def test_signals_reach_the_score_and_say_which_tag():
    watched = Watched(site(tag(1, name="LT-1")))
    known = signals({1: 60}, {SOURCE: 0.9})
    watched.warnings.look(watched.book.open(), at(0), known)
    told = watched.warnings.look([], at(1), signals({1: 60}, {SOURCE: 1.2}))
    [risk] = told.risks
    rows = {reason.part: reason for reason in risk.reasons}
    assert (rows[Part.P].points, rows[Part.P].tag) == (15, 1)
    ahead, load = rows[Part.P].note, rows[Part.V].note
    assert ahead is not None
    assert load is not None
    assert ahead[1].startswith("LT-1 limit in 1.0 min")
    assert load[1] == "u = 1.200, above the design"


def reading(seconds: float, jump: float = 0.0) -> ClockReading:
    return ClockReading(at(seconds + jump), seconds, "b")


def test_a_clock_that_is_set_lets_no_permit_begin_before_an_alarm():
    time = RiskTime(reading(0))
    permit = said("permit", SOURCE, 100, 900, tag=1)
    old = alarm(site(tag(1)), 1, since=50)
    for seconds, jump in ((120, 0), (130, -90), (140, 5000)):
        [placed] = time.place_inputs([permit], reading(seconds, jump))
        found = time.place([old], reading(seconds, jump))[old.id]
        assert found.onset < placed.begin == at(100)
    assert placed.until == at(900 - 5000)


def test_what_is_still_to_come_follows_the_wall_clock():
    time = RiskTime(reading(0))
    later = said("mode", SOURCE, 500, 900, mode="empty")
    assert time.place_inputs([later], reading(10))[0].begin == at(500)
    [moved] = time.place_inputs([later], reading(20, 100))
    assert (moved.begin, moved.end) == (at(400), at(800))
    revoked = replace(later, revoked=at(130))
    assert time.place_inputs([revoked], reading(40, 100))[0].end == at(30)
