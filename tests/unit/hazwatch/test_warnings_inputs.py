"""What people state, as it reaches colours and cases; clocks that are set meanwhile."""

from dataclasses import replace

from alerts.people import Contact
from domain.alarms import Kind, Notice
from domain.cases import ClockReading
from domain.risk import Colour, Part
from hazwatch.risktime import RiskTime
from tests.support.builders import at
from tests.support.risk import ENTERPRISE, PARK, SOURCE, alarm, gas, said, signals, site, tag
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


def managed(watched: Watched) -> float:
    """Points of part M as they were last told."""
    reasons = watched.risks[SOURCE].reasons
    return sum(reason.points for reason in reasons if reason.part is Part.M)


def test_what_expires_without_a_new_one_is_overdue_by_itself_the_second_it_is_due():
    watched = Watched(site(tag(1)))
    watched.inputs = [
        said("commitment", ENTERPRISE, 0, 600),
        said("duty", SOURCE, 0, 600, role="main"),
        said("hidden_hazard", SOURCE, 0, 700, title="x", major=False),
    ]
    watched.warnings.heard(watched.inputs)
    watched.wait(599)
    assert managed(watched) == 0
    watched.events.clear()
    watched.wait(1)
    assert managed(watched) == 8
    assert [event.type for event in watched.events] == ["risk"]
    watched.wait(101)
    assert managed(watched) == 10
    watched.inputs.append(said("commitment", ENTERPRISE, 701, 9000))
    watched.warnings.heard(watched.inputs)
    watched.wait(1)
    assert managed(watched) == 5


def test_what_fell_due_while_nobody_was_there_is_overdue_at_the_first_look_after_it():
    watched = Watched(site(tag(1)))
    watched.inputs = [said("commitment", ENTERPRISE, 0, 600)]
    watched.warnings.heard(watched.inputs)
    watched.wait(300)
    watched.seconds = 900
    watched.kill()
    watched.tick()
    assert managed(watched) == 5
    watched.kill()
    watched.wait(300)
    assert managed(watched) == 5


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


def test_who_works_under_a_permit_near_gas_is_told_at_once_which_permit_it_is():
    contacts = {
        ("OP", ENTERPRISE): (Contact("mqtt", "hw/v1/events/p1/e1/op"),),
        ("HD-main", ENTERPRISE): (Contact("mqtt", "hw/v1/events/p1/e1/op"),),
        ("SM", SOURCE): (Contact("webhook", "https://sm.example.org"),),
        ("PK", PARK): (Contact("webhook", "https://park.example.org"),),
    }
    watched = Watched(site(gas(1)), contacts=contacts)
    work = said("special_work", SOURCE, 0, 9000, work="hot_work", level="1", holder="王")
    watched.inputs = [work]
    watched.warnings.heard([work])
    watched.wait(60)
    assert not watched.notices
    watched.raises(Kind.H, 1, 25.0)
    watched.wait(5)

    def told() -> list[Notice]:
        return [one for one in watched.notices.values() if one.body["role"] == "permit"]

    assert sorted(one.recipient for one in told()) == [
        "https://sm.example.org",
        "hw/v1/events/p1/e1/op",
    ]
    for notice in told():
        assert notice.body["permit"] == str(work.id)
        assert (notice.body["priority"], notice.body["holder"]) == ("P1", "王")
        assert notice.occurrence == watched.case.id
        assert "hot work permit 1 by li, holder 王" in str(notice.body["text"])
        assert watched.warnings.wanted(notice)
    watched.wait(300)
    assert len(told()) == 2
    earlier = told()
    watched.returns(Kind.H, 1)
    watched.wait(120)
    assert not any(watched.warnings.wanted(one) for one in earlier), "the gas is gone"
    watched.raises(Kind.H, 1, 25.0)
    watched.wait(5)
    assert len(told()) == 4


def test_without_contacts_the_log_says_that_hot_work_is_near_gas_also_after_a_restart():
    watched = Watched(site(gas(1)))
    watched.inputs = [said("special_work", SOURCE, 0, 9000, work="hot_work")]
    watched.warnings.heard(watched.inputs)
    watched.raises(Kind.H, 1, 25.0)
    watched.wait(5)
    [told] = [one for one in watched.notices.values() if one.body["role"] == "permit"]
    assert (told.channel, told.body["unnamed"]) == ("log", True)
    del watched.notices[told.id]
    watched.kill()
    watched.wait(5)
    assert told.id in watched.notices


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
