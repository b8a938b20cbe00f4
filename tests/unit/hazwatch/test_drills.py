"""Drills 演练 climb the real ladder with real people, and nothing real knows of them."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.case_book import CaseBook
from alerts.drill import MARK, REAL_MARK
from alerts.drill_book import DrillPolicy
from alerts.people import Contact, Directory, Person
from alerts.wording import Wording
from domain.alarms import NAMESPACE, Kind, OperatorAction
from domain.cases import Case, CaseState, DrillEnd, Level
from domain.plant import Registry, TagKind
from domain.risk import Colour
from domain.roster import Duty, Quiet
from hazwatch.wordings import shipped
from tests.support.builders import ENTERPRISE, PARK, SOURCE, START, registry, tag
from tests.support.warned import Watched

GAS, LEVEL = 2, 1
HALF_HOUR = 1800


def plant() -> Registry:
    gas: dict[str, Any] = {"kind": TagKind.GAS_TOXIC, "unit": "ppm", "range": (0.0, 100.0)}
    return registry(
        tag(LEVEL, limits={Kind.H: 8.0, Kind.HH: 9.0}, safety_critical=True),
        tag(GAS, limits={Kind.H: 20.0, Kind.HH: 40.0}, **gas),
    )


CONTACTS = {
    (role, node): (Contact("log", f"{role}-desk"),)
    for role, node in [("OP", ENTERPRISE), ("SM", ENTERPRISE), ("PK", PARK), ("LH", ENTERPRISE)]
}


UTC = ZoneInfo("UTC")


class Drilled(Watched):
    """A source under watch on which drills are ordered; `answers` are the worker's."""

    def __init__(self, **more: Any) -> None:
        super().__init__(plant(), contacts=CONTACTS, **more)
        self.orders = 0

    @property
    def drill(self) -> Case:
        """The newest drill."""
        return min(self.cases.values(), key=lambda case: case.number)

    @property
    def end(self) -> DrillEnd | None:
        """How the newest drill ended."""
        drill = self.drill.drill
        assert drill is not None
        return drill.end

    def order(
        self,
        colour: str = "red",
        seconds: float = HALF_HOUR,
        level: Level = Level.PARK,
        **more: Any,
    ) -> dict[str, Any]:
        self.orders += 1
        target = uuid5(NAMESPACE, f"test drill {self.orders}")
        detail = {"source": str(SOURCE), "colour": colour, "for_s": seconds} | more
        return self._decide("drill", target, level, "桌面推演", detail)

    def says(self, verb: str, level: Level = Level.PARK, by: str = "chen", **detail: object) -> Any:
        """What somebody decides about the newest drill."""
        return self._decide(verb, self.drill.id, level, f"说明 {self.seconds}", detail, by)

    def _decide(
        self,
        verb: str,
        target: UUID,
        level: Level,
        comment: str,
        detail: dict[str, object],
        by: str = "chen",
    ) -> dict[str, Any]:
        action = OperatorAction(
            UUID(int=3), verb, target, by, comment, self._at(), int(level), detail
        )
        done, told = self.warnings.act(action, self.book.open(), self._at())
        self._keep(told)
        return done.result

    def _keep(self, told: Any) -> None:
        self.changes += told.cases
        self.events += told.events
        self.cases |= {change.case.id: change.case for change in told.cases}
        self.steps |= {(step.case, step.no): step for step in told.steps}
        self.risks |= {risk.source: risk for risk in told.risks}
        self.told += [(self.seconds, str(notice.body["role"])) for notice in told.notices]
        self.notices |= {notice.id: notice for notice in told.notices}


@pytest.fixture
def watched() -> Drilled:
    return Drilled()


def test_a_drill_climbs_the_ladder_of_its_colour_and_is_marked_everywhere(watched: Drilled):
    answer = watched.order("orange")
    assert answer["transition"]["to"] == "open"
    assert answer["warning"] == str(watched.drill.id)
    watched.wait(301, pace=5)
    assert [role for _, role in watched.told if role in ("OP", "PK", "LH")] == ["OP", "PK", "LH"]
    assert all(notice.body["drill"] is True for notice in watched.notices.values())
    warnings: list[Any] = [event.body for event in watched.events if event.type == "warning"]
    assert {body["warning"]["drill"]["by"] for body in warnings} == {"chen"}
    words = Wording(*shipped(), UTC)
    for notice in watched.notices.values():
        for language in ("zh-CN", "en"):
            said = words.render(notice.body, START, language)
            for form in (said.title, said.short, said.body, said.markdown):
                assert form.replace("*", "").replace("\\", "").startswith(MARK)


def test_a_drill_that_was_ordered_while_no_worker_ran_lasts_no_longer_than_people_meant(
    watched: Drilled,
):
    ordered = watched._at()
    watched.wait(HALF_HOUR + 60, pace=60)
    detail = {"source": str(SOURCE), "colour": "red", "for_s": HALF_HOUR}
    target, level = uuid5(NAMESPACE, "late"), int(Level.PARK)
    late = OperatorAction(UUID(int=3), "drill", target, "chen", "", ordered, level, detail)
    done, told = watched.warnings.act(late, watched.book.open(), watched._at())
    assert done.result["refused"]["status"] == 422  # type: ignore[index]
    assert told.cases == []


def test_nothing_real_knows_of_a_drill(watched: Drilled):
    watched.wait(5)
    before = dict(watched.risks)
    watched.order("red")
    watched.wait(60, pace=10)
    assert watched.warnings.colour(SOURCE) is None
    assert watched.risks == before
    assert not [event for event in watched.events if event.type == "risk"]
    assert (watched.drill.number, watched.drill.score, watched.drill.alarms) == (-1, None, ())


def test_a_drill_ends_at_its_time_whatever_the_wall_clock_does(watched: Drilled):
    watched.order("yellow", seconds=HALF_HOUR)
    watched.jump_s = 7200
    watched.wait(HALF_HOUR - 2, pace=20)
    assert watched.drill.closed is None
    watched.kill()
    watched.jump_s = -7200
    watched.wait(3)
    assert watched.drill.state is CaseState.CLOSED
    assert watched.end is DrillEnd.TIME
    assert not watched.warnings.wanted(
        next(notice for notice in watched.notices.values() if notice.step is not None)
    )


def test_a_person_ends_a_drill_and_those_who_were_told_hear_of_it(watched: Drilled):
    watched.order("orange")
    told = {notice.recipient for notice in watched.notices.values()}
    begun = set(watched.notices)
    assert watched.says("end_drill")["transition"]["to"] == "closed"
    ended = [notice for id, notice in watched.notices.items() if id not in begun]
    assert {notice.recipient for notice in ended} == told & {"OP-desk", "SM-desk", "PK-desk"}
    assert {notice.body["reason"] for notice in ended} == {"closed"}
    assert all(notice.body["drill"] is True for notice in ended)
    assert watched.says("end_drill")["refused"]["status"] == 409


def test_the_whole_loop_of_a_red_drill_can_be_practised(watched: Drilled):
    watched.order("red")
    watched.says("receive")
    watched.says("handle", Level.ENTERPRISE, "li")
    watched.says("feedback", Level.ENTERPRISE, "li")
    watched.says("review", approve=True)
    assert watched.says("close", kind="real")["refused"]["status"] == 409
    assert watched.says("release")["transition"]
    assert watched.drill.colour is Colour.BLUE
    watched.says("close", kind="real", by="chen")
    assert watched.says("close", kind="real", by="wang")["transition"]["to"] == "closed"
    assert watched.end is DrillEnd.DONE


def test_the_whole_loop_of_a_yellow_drill_closes_it(watched: Drilled):
    watched.order("yellow")
    watched.says("receive")
    watched.says("handle", Level.ENTERPRISE, "li")
    watched.says("feedback", Level.ENTERPRISE, "li")
    watched.says("review", approve=True)
    watched.says("close", kind="real")
    assert (watched.drill.state, watched.end) == (CaseState.CLOSED, DrillEnd.DONE)


def test_a_real_warning_breaks_the_drill_off_and_says_that_it_is_real(watched: Drilled):
    watched.order("red")
    watched.wait(5)
    known = set(watched.notices)
    watched.raises(Kind.HH, GAS, 45.0)
    fresh = [notice for id, notice in watched.notices.items() if id not in known]
    real = [notice for notice in fresh if notice.occurrence == watched.case.id]
    over = [notice for notice in fresh if notice.occurrence == watched.drill.id]
    assert watched.case.number == 1
    assert watched.end is DrillEnd.REAL
    assert real
    assert all(notice.body["not_drill"] for notice in real)
    assert all(str(notice.body["text"]).startswith(REAL_MARK) for notice in real)
    assert {notice.body["drill_end"] for notice in over} == {"real"}
    known |= {notice.id for notice in fresh}
    watched.wait(HALF_HOUR, pace=20)
    later = [notice for id, notice in watched.notices.items() if id not in known]
    assert all(notice.occurrence == watched.case.id for notice in later)
    assert "not_drill" not in later[-1].body


@pytest.mark.parametrize(
    ("level", "more", "status"),
    [
        (Level.FIRE, {}, 403),
        (Level.PARK, {"colour": "blue"}, 422),
        (Level.PARK, {"for_s": 9 * 3600}, 422),
        (Level.PARK, {"for_s": "long"}, 422),
        (Level.PARK, {"for_s": True}, 422),
        (Level.PARK, {"until": "2026-11-21T07:00:00Z"}, 422),
        (Level.PARK, {"until": "tomorrow"}, 422),
        (Level.PARK, {"source": "404"}, 404),
        (Level.PARK, {"source": str(ENTERPRISE)}, 404),
    ],
)
def test_what_is_no_drill_is_refused(watched: Drilled, level, more, status):
    assert watched.order(level=level, **more)["refused"]["status"] == status
    assert watched.cases == {}


def test_one_drill_at_a_time_and_none_beside_a_real_warning(watched: Drilled):
    watched.order("yellow")
    assert watched.order("red")["refused"]["status"] == 409
    watched.says("end_drill")
    assert "transition" in watched.order("red")
    assert watched.drill.number == -2
    watched.raises(Kind.HH, GAS, 45.0)
    assert watched.order("yellow")["refused"]["status"] == 409


def test_the_policy_says_who_may_order(watched: Drilled):
    watched.rules = replace(watched.rules, drills=DrillPolicy(frozenset({Level.COUNTY})))
    watched.kill()
    assert watched.order(level=Level.PARK)["refused"]["status"] == 403
    assert watched.order(level=Level.COUNTY)["transition"]
    assert watched.says("end_drill", Level.PARK)["refused"]["status"] == 403


def test_the_same_order_after_a_crash_is_the_same_drill(watched: Drilled):
    watched.order("yellow")
    watched.kill()
    watched.orders = 0
    assert watched.order("yellow")["already"]["by"] == "chen"
    assert len(watched.cases) == 1


def test_a_real_case_is_not_ended_as_a_drill(watched: Drilled):
    watched.raises(Kind.HH, GAS, 45.0)
    answer = watched.act("end_drill", Level.PARK)
    assert answer["refused"]["status"] == 404
    assert watched.case.state is CaseState.OPEN


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([1, 20, 200, 700])),
        st.tuples(st.just("raise"), st.sampled_from([GAS, LEVEL])),
        st.tuples(st.just("return"), st.sampled_from([GAS, LEVEL])),
        st.tuples(st.just("sign"), st.sampled_from([Level.ENTERPRISE, Level.PARK])),
        st.tuples(st.just("ack"), st.just(0)),
        st.tuples(st.just("kill"), st.just(0)),
        st.tuples(st.just("order"), st.sampled_from(["yellow", "orange", "red"])),
        st.tuples(st.just("drill"), st.sampled_from(["receive", "release", "end_drill"])),
    ),
    max_size=16,
)
DRILLS = ("order", "drill")


def play(steps: list[tuple[str, Any]], *, drills: bool) -> Drilled:
    """The same shift, with its drills or without."""
    watched = Drilled()
    active: set[int] = set()
    for step, what in steps:
        match step:
            case "wait":
                watched.wait(what, pace=min(what, 100))
            case "raise" if what not in active:
                active.add(what)
                watched.raises(Kind.HH, what, 45.0)
            case "return" if what in active:
                active.remove(what)
                watched.returns(Kind.HH, what)
            case "sign" if any(case.number > 0 for case in watched.cases.values()):
                watched.act("receive", what)
            case "ack":
                watched.acknowledge()
            case "kill":
                watched.kill()
                watched.tick()
            case "order" if drills:
                watched.order(what)
            case "drill" if drills and any(case.number < 0 for case in watched.cases.values()):
                watched.says(what)
    return watched


def real(watched: Drilled) -> tuple[object, ...]:
    """Everything that is not a drill; marks that say so are left out."""
    cases = {id: case for id, case in watched.cases.items() if case.number > 0}
    notices = {
        id: {name: said for name, said in notice.body.items() if name not in ("not_drill", "text")}
        for id, notice in watched.notices.items()
        if not notice.body.get("drill")
    }
    steps = {key: step for key, step in watched.steps.items() if key[0] in cases}
    changes = [change for change in watched.changes if change.case.number > 0]
    bodies: list[Any] = [event.body for event in watched.events]
    events = [
        body for body in bodies if body["type"] != "warning" or body["warning"]["drill"] is None
    ]
    return cases, notices, steps, changes, events, watched.risks, watched.warnings.colour(SOURCE)


@settings(max_examples=25)
@given(STEPS)
def test_a_drill_never_changes_anything_real(steps):
    assert real(play(steps, drills=True)) == real(play(steps, drills=False))


@settings(max_examples=10)
@given(STEPS)
def test_every_drill_ends_and_every_notice_of_it_is_marked(steps):
    watched = play([*steps, ("wait", 1900)], drills=True)
    assert all(case.closed for case in watched.cases.values() if case.number < 0)
    drills = {case.id for case in watched.cases.values() if case.number < 0}
    for notice in watched.notices.values():
        assert bool(notice.body.get("drill")) == (notice.occurrence in drills)


def test_falls_and_closings_are_told_to_those_told_of_the_rise_and_quiet_hours_hold_yellow():
    quiet = Quiet(START.time(), START.replace(hour=23).time(), UTC)
    zhang = Person("zhang", "张伟", ways=(Contact("log", "zhang"),), quiet=quiet)
    directory = Directory(
        CONTACTS, {"zhang": zhang}, {("SM", ENTERPRISE): [Duty("SM", ("acme",), ("zhang",))]}
    )
    watched = Drilled()
    watched.rules = replace(watched.rules, contacts=lambda _: directory)
    watched.kill()
    watched.raises(Kind.HH, GAS, 45.0)
    assert watched.case.colour is Colour.ORANGE
    watched.settle()
    watched.returns(Kind.HH, GAS)
    watched.acknowledge()
    watched.reset()
    watched.wait(3600, pace=30)
    assert watched.case.state is CaseState.CLOSED
    endings = [n for n in watched.notices.values() if n.body.get("reason") in ("fallen", "closed")]
    fallen = [n for n in endings if n.body["reason"] == "fallen"]
    assert {n.recipient for n in endings} == {"OP-desk", "SM-desk", "PK-desk", "zhang"}
    for notice in (n for n in endings if n.person == "zhang"):
        held = watched.warnings.sending(notice, watched._at()).held_until
        assert (held is not None) == (notice.body["before"] in ("yellow", "blue"))
    assert len({n.id for n in endings}) == len(endings)
    assert fallen or {n.body["reason"] for n in endings} == {"closed"}
    watched.raises(Kind.HH, GAS, 45.0)
    assert watched.case.number == 2


def test_a_fall_is_not_told_any_more_once_the_colour_has_risen_again():
    watched = Drilled()
    watched.raises(Kind.HH, GAS, 45.0)
    watched.returns(Kind.HH, GAS)
    watched.acknowledge()
    watched.reset()
    watched.wait(3600, pace=30)
    fallen = [n for n in watched.notices.values() if n.body.get("reason") == "fallen"]
    assert fallen
    assert watched.warnings.wanted(fallen[-1])
    watched.raises(Kind.HH, GAS, 45.0)
    assert not watched.warnings.wanted(fallen[-1])


def test_an_installation_may_do_without_notices_of_falls_and_closings():
    watched = Drilled()
    watched.rules = replace(watched.rules, endings=False)
    watched.kill()
    watched.order("yellow")
    watched.says("end_drill")
    assert "closed" not in {n.body.get("reason") for n in watched.notices.values()}


def test_a_notice_names_the_gravest_open_alarm_and_how_many_besides(watched: Drilled):
    watched.raises(Kind.HH, LEVEL, 9.1)
    watched.raises(Kind.HH, GAS, 45.0)
    watched.wait(400, pace=10)
    notice = list(watched.notices.values())[-1]
    worst: Any = notice.body["worst_alarm"]
    assert (worst["name"], worst["value"], worst["unit"], worst["limit"]) == (
        watched.registry.tags[GAS].name,
        45.0,
        "ppm",
        1.0,
    )
    assert notice.body["further"] == 1
    assert worst["text"] in str(notice.body["text"])
    said = Wording(*shipped(), UTC).render(notice.body, START, "zh-CN")
    for part in (worst["name"], "45 ppm", "气体二级报警"):
        assert part in said.body
    assert "另有未消除报警：1 条" in said.body
    watched.kill()
    assert CaseBook(watched.cases.values()).open()


def test_a_red_drill_is_verified_as_in_earnest_and_marked_as_a_drill(watched: Drilled):
    people = CONTACTS | {("FR", PARK): (Contact("log", "FR-desk"),)}
    watched.rules = replace(watched.rules, contacts=lambda _: people)
    watched.kill()
    watched.order()
    (told,) = (one for one in watched.notices.values() if one.body["role"] == "FR")
    assert told.body["unverified"] is True
    assert watched.says("verify")["transition"]
    (line,) = (one for one in watched.notices.values() if one.body.get("reason") == "verified")
    assert (line.recipient, line.body["drill"], line.body["unverified"]) == ("FR-desk", True, False)
    form = Wording(*shipped(), UTC).render(line.body, START, "zh-CN")
    assert form.short.startswith("【演练 DRILL】")
    assert watched.warnings.wanted(line)
    watched.says("end_drill")
    assert not watched.warnings.wanted(line)
