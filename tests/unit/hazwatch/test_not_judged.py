"""What the rules can't judge, at a start and when the site changes: it stays open, is said, and is
judged again once it can be."""

from dataclasses import replace
from typing import Any

import pytest

from alerts.book import NOT_JUDGED
from domain.alarms import Alarm, Kind, State
from domain.plant import Node, Registry
from domain.risk import Colour, Part
from rules.plan import PlanError
from tests.support.builders import ENTERPRISE, SOURCE, registry, tag
from tests.support.works import PLANT, Works

UNSOUND = {"delay_on_s": 1e11}
"""Longer than any delay may be."""


def with_tag(plant: Registry, id: int, **members: Any) -> Registry:
    changed = {id: replace(plant.tags[id], **members)}
    return replace(plant, tags={**plant.tags, **changed})


def only(works: Works, kind: Kind, tag: int | None = None, node: int | None = None) -> Alarm:
    [alarm] = [a for a in works.of(kind) if (a.tag == tag if node is None else a.node == node)]
    return alarm


def in_alarm(plant: Registry = PLANT) -> Works:
    works = Works(plant)
    works.run(60, LI1=8.5, LI2=8.5)
    return works


def taken_over(works: Works, plant: Registry, how: str) -> None:
    works.plant = plant
    if how == "start":
        works.kill()
    else:
        assert works.pump.swap(plant)


HOW = pytest.mark.parametrize("how", ["start", "swap"])


@HOW
def test_the_alarm_of_a_tag_that_cannot_be_judged_stays_open_and_says_so(how: str):
    works = in_alarm()
    taken_over(works, with_tag(PLANT, 1, **UNSOUND), how)
    alarm, other = only(works, Kind.H, 1), only(works, Kind.H, 2)
    assert alarm.state is State.UNACK
    assert alarm.reason.startswith(NOT_JUDGED)
    assert "delay_on_s is 1e+11" in alarm.reason
    assert (works.changes[-1].event, works.changes[-1].alarm) == ("hold", alarm)
    assert (other.state, other.reason) == (State.UNACK, "")
    assert works.system[-1]["what"] == "not judged"
    assert "'LI1'" in works.system[-1]["text"]
    works.run(120, LI1=1.0, LI2=1.0)
    assert only(works, Kind.H, 1).state is State.UNACK
    assert only(works, Kind.H, 2).state is State.RTNUN


@HOW
def test_it_is_judged_again_once_its_tag_can_be_and_then_returns(how: str):
    for first in ("start", "swap"):
        works = in_alarm()
        taken_over(works, with_tag(PLANT, 1, **UNSOUND), first)
        works.run(60, LI1=8.5, LI2=8.5)
        taken_over(works, PLANT, how)
        alarm = only(works, Kind.H, 1)
        assert (alarm.state, alarm.reason) == (State.UNACK, "")
        assert works.changes[-1].event == "judge"
        assert works.system[-1]["what"] == ("judged again" if how == "swap" else "not judged")
        works.run(60, LI1=8.5, LI2=8.5)
        assert only(works, Kind.H, 1).id == alarm.id
        works.run(60, LI1=1.0, LI2=8.5)
        assert only(works, Kind.H, 1).state is State.RTNUN


@HOW
def test_a_limit_that_people_take_away_meanwhile_ends_it_with_its_own_reason(how: str):
    works = in_alarm()
    taken_over(works, with_tag(PLANT, 1, **UNSOUND), "swap")
    taken_over(works, with_tag(PLANT, 1, limits={Kind.HH: 9.0}), how)
    alarm = only(works, Kind.H, 1)
    assert (alarm.state, alarm.reason) == (State.RTNUN, "限值已取消 the limit is no longer set")
    works = in_alarm()
    rest = {id: one for id, one in PLANT.tags.items() if id != 1}
    taken_over(works, replace(PLANT, tags=rest), how)
    assert "no longer registered" in only(works, Kind.H, 1).reason


def test_a_change_of_the_site_takes_over_all_that_can_be_judged():
    works = in_alarm()
    broken = with_tag(PLANT, 1, **UNSOUND)
    taken_over(works, broken, "start")
    third = tag(3, "LI3", limits={Kind.H: 2.0})
    more = replace(broken, tags={**broken.tags, 3: third}, version=2)
    taken_over(works, with_tag(more, 2, limits={Kind.H: 9.5}), "swap")
    works.run(60, LI1=8.5, LI2=9.0, LI3=3.0)
    assert only(works, Kind.H, 3).state is State.UNACK
    assert only(works, Kind.H, 2).state is State.RTNUN
    assert works.pump._plan.version == 2
    assert [told["what"] for told in works.system].count("not judged") == 1
    mended = replace(more, tags={**more.tags, 1: PLANT.tags[1]})
    taken_over(works, mended, "swap")
    assert works.system[-1]["what"] == "judged again"
    works.run(60, LI1=1.0, LI2=1.0, LI3=1.0)
    assert all(alarm.state is State.RTNUN for alarm in works.of(Kind.H))


def test_what_cannot_be_judged_is_stored_and_counts_as_lost_from_sight():
    works = in_alarm()
    before = works.risks[SOURCE]
    taken_over(works, with_tag(PLANT, 1, **UNSOUND), "swap")
    works.run(60, LI1=1.0, LI2=8.5)
    risk = works.risks[SOURCE]
    assert risk.score > before.score
    assert any(reason.part is Part.L for reason in risk.reasons)
    both = with_tag(with_tag(PLANT, 1, **UNSOUND), 2, **UNSOUND)
    taken_over(works, both, "swap")
    works.run(360, LI1=1.0, LI2=1.0)
    assert works.risks[SOURCE].unknown
    assert works.risks[SOURCE].score >= risk.score
    assert works.risks[SOURCE].colour >= Colour.BLUE


def grouped(**detail: object) -> Registry:
    nodes = [
        Node(40, SOURCE, "group", "G", "G", ENTERPRISE, None, {
            "kind": "vote", "vote": "2oo2", "members": ["LI1", "LI2"], "level": "H"} | detail),
        Node(50, SOURCE, "rule", "R", "R", ENTERPRISE, None, {
            "when": "LI1 > H and LI2 > H"} | detail),
    ]  # fmt: skip
    return registry(*PLANT.tags.values(), nodes=nodes)


@HOW
def test_groups_and_rules_that_cannot_be_judged_stay_open_and_are_judged_again(how: str):
    works = in_alarm(grouped())
    vote, rule = only(works, Kind.VOTE, node=40), only(works, Kind.COMPOSITE, node=50)
    taken_over(works, grouped(vote="3oo2", when="LI1 > "), how)
    for before, kind in ((vote, Kind.VOTE), (rule, Kind.COMPOSITE)):
        alarm = only(works, kind, node=before.node)
        assert alarm.state is State.UNACK
        assert alarm.reason.startswith(NOT_JUDGED)
        assert f"(node {before.node})" in alarm.reason
    works.run(60, LI1=1.0, LI2=1.0)
    assert only(works, Kind.COMPOSITE, node=50).state is State.UNACK
    taken_over(works, grouped(), how)
    assert not only(works, Kind.VOTE, node=40).reason
    works.run(180, LI1=1.0, LI2=1.0)
    for before, kind in ((vote, Kind.VOTE), (rule, Kind.COMPOSITE)):
        assert only(works, kind, node=before.node).state is State.RTNUN


def test_a_rule_that_names_a_tag_which_was_left_out_stays_open_and_the_group_goes_on():
    works = in_alarm(grouped())
    taken_over(works, with_tag(grouped(), 1, **UNSOUND), "swap")
    assert only(works, Kind.COMPOSITE, node=50).reason.startswith(NOT_JUDGED)
    vote = only(works, Kind.VOTE, node=40)
    assert (vote.state, vote.reason) == (State.UNACK, "")
    assert "votes 1oo1 without LI1" in works.system[-1]["text"]


def test_a_rule_that_people_take_away_ends_with_its_own_reason():
    works = in_alarm(grouped())
    works.plant = replace(grouped(), nodes=PLANT.nodes)
    works.kill()
    rule = only(works, Kind.COMPOSITE, node=50)
    assert (rule.state, rule.reason) == (State.RTNUN, "规则已取消 the rule is no longer set")


def test_a_site_of_which_nothing_can_be_made_is_refused_and_said(monkeypatch):
    works = in_alarm()

    def never(*_: object) -> None:
        raise PlanError(["the sky falls"])

    monkeypatch.setattr("hazwatch.planning.compile_plan", never)
    assert not works.pump.swap(PLANT)
    assert works.system[-1]["what"] == "site not taken over"
    assert only(works, Kind.H, 1).state is State.UNACK
