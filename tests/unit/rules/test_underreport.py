"""UNDERREPORT and THRESHOLD_MISMATCH against a slow reference, and case by case."""

from collections.abc import Collection, Iterable
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.edge_alarm import EdgeAlarm, edge_policy
from domain.instant import micros
from domain.plant import Tag, TagKind
from rules import underreport
from rules.edge_state import EdgeState, Held
from rules.thresholds import REMOVED, reregister
from tests.support.builders import at, tag

POLICY = edge_policy()
LIMITS = {Kind.LL: 1.0, Kind.L: 2.0, Kind.H: 8.0, Kind.HH: 9.0}
BEYOND = {Kind.LL: 0.5, Kind.L: 1.5, Kind.H: 8.5, Kind.HH: 9.5}


def us(seconds: float) -> int:
    return micros(at(seconds))


class Plant:
    """Tag 1 (and 2) of gateway 7; the centre's findings and the plant's reports, by the second."""

    def __init__(self, *tags: Tag, sends: bool = True) -> None:
        self.tags = {one.id: one for one in tags or (tag(1, limits=LIMITS), tag(2, limits=LIMITS))}
        self.state = EdgeState()
        self.held: dict[int, float] = {}
        self.silent = False
        self.log: list[Finding] = []
        if sends:
            self.report(-3600, Kind.H, False, of=2)

    def value(self, tag: int) -> float:
        return self.held.get(tag, nan)

    def speaks(self, tag: int, at: int) -> bool:
        return not self.silent

    def senders(self, tag: int) -> Collection[int]:
        return (7,)

    def step(
        self, second: float, findings: Iterable[Finding] = (), alarms: Iterable[EdgeAlarm] = ()
    ) -> list[str]:
        found = underreport.step(self.state, self.tags, POLICY, self, findings, alarms, us(second))
        self.log += found
        return [f"{one.edge.name} {one.kind.name}" for one in found]

    def over(
        self, second: float, kind: Kind = Kind.H, of: int = 1, delay: float = 0.0
    ) -> list[str]:
        self.held[of] = BEYOND[kind]
        finding = Finding(
            Edge.RAISED, kind, of, None, at(second - delay), at(second), BEYOND[kind],
            LIMITS[kind],
        )  # fmt: skip
        return self.step(second, [finding])

    def back(
        self, second: float, kind: Kind = Kind.H, of: int = 1, edge: Edge = Edge.RETURNED
    ) -> list[str]:
        self.held[of] = 5.0
        return self.step(
            second, [Finding(edge, kind, of, None, at(0), at(second), 5.0, LIMITS[kind], "why")]
        )

    def report(
        self, second: float, kind: Kind | None = Kind.H, active: bool = True, of: int = 1,
        limit: float | None = None,
    ) -> list[str]:  # fmt: skip
        alarm = EdgeAlarm(7, "a", of, kind, active, us(second), us(second), limit=limit)
        return self.step(second, alarms=[alarm])


class TestUnderreport:
    def test_what_stays_over_for_a_minute_without_a_word_is_missed(self):
        plant = Plant()
        assert plant.over(0) == []
        assert plant.step(59.9) == []
        assert plant.step(60) == ["RAISED UNDERREPORT"]
        (found,) = plant.log
        assert (found.onset, found.effective) == (at(0), at(60))
        assert (found.value, found.limit, found.detail) == (8.5, 8.0, {"kind": 2.0})
        assert plant.step(600) == []
        assert plant.back(700) == ["RETURNED UNDERREPORT"]
        assert plant.log[-1].onset == at(0)

    @pytest.mark.parametrize("when", [-119, -1, 0, 30, 59])
    def test_a_report_in_time_is_enough(self, when):
        plant = Plant()
        if when < 0:
            plant.report(when)
        plant.over(0)
        if when >= 0:
            plant.report(when)
        assert plant.step(3600) == []

    def test_an_old_report_that_was_ended_is_not_of_this_condition(self):
        plant = Plant()
        plant.report(-300)
        plant.report(-200, active=False)
        plant.over(0)
        assert plant.step(60) == ["RAISED UNDERREPORT"]

    def test_a_standing_alarm_of_the_plant_counts_for_a_day(self):
        for ago, found in ((80_000, []), (90_000, ["RAISED UNDERREPORT"])):
            plant = Plant()
            plant.report(-ago)
            plant.report(-100, of=2)
            plant.over(0)
            assert plant.step(60) == found

    def test_a_report_of_the_graver_kind_counts_and_of_the_lesser_does_not(self):
        for reported, over, missed in (
            (Kind.HH, Kind.H, False), (Kind.H, Kind.HH, True), (Kind.LL, Kind.L, False),
            (Kind.L, Kind.LL, True), (Kind.L, Kind.H, True), (Kind.H, Kind.H, False),
        ):  # fmt: skip
            plant = Plant()
            plant.report(0, reported)
            plant.over(0, over)
            assert plant.step(60) == (["RAISED UNDERREPORT"] if missed else [])

    def test_a_late_report_ends_it(self):
        plant = Plant()
        plant.over(0)
        plant.step(60)
        assert plant.report(90) == ["RETURNED UNDERREPORT"]
        assert plant.step(900) == []

    def test_what_is_back_within_the_minute_is_not_missed(self):
        plant = Plant()
        plant.over(0)
        assert plant.back(59) == []
        assert plant.step(60) == []

    def test_a_value_that_is_back_but_not_for_long_enough_waits(self):
        plant = Plant()
        plant.over(0)
        plant.held[1] = 5.0
        assert plant.step(60) == []
        plant.held[1] = 8.2
        assert plant.step(61) == ["RAISED UNDERREPORT"]
        assert plant.log[-1].effective == at(61)
        assert plant.log[-1].value == 8.2

    def test_no_value_ends_nothing(self):
        plant = Plant()
        plant.over(0)
        plant.held[1] = nan
        assert plant.step(60) == ["RAISED UNDERREPORT"]

    def test_while_the_tag_is_silent_the_report_may_be_on_its_way(self):
        plant = Plant()
        plant.over(0)
        plant.silent = True
        assert plant.step(60) == plant.step(70) == []
        plant.silent = False
        assert plant.report(75) == []
        assert plant.step(600) == []

    def test_a_gateway_that_never_sends_alarms_misses_none(self):
        plant = Plant(sends=False)
        for of in (1, 2):
            plant.over(0, of=of)
        assert plant.step(3600) == []
        plant.report(3700, of=2)
        assert plant.step(7200) == []

    def test_a_gateway_that_stopped_a_month_ago_is_not_one_that_sends(self):
        plant = Plant(sends=False)
        plant.report(-31 * 86_400, of=2)
        plant.over(0)
        assert plant.step(60) == []

    def test_with_a_long_on_delay_there_are_ten_seconds_left(self):
        plant = Plant()
        plant.over(90, delay=90)
        assert plant.step(99) == []
        assert plant.step(100) == ["RAISED UNDERREPORT"]
        assert plant.log[-1].onset == at(0)

    def test_two_limits_of_a_tag_are_one_condition(self):
        plant = Plant()
        plant.over(0, Kind.H)
        plant.over(1, Kind.HH)
        assert plant.step(61) == ["RAISED UNDERREPORT"]
        assert plant.back(70, Kind.HH) == []
        assert plant.back(80, Kind.H) == ["RETURNED UNDERREPORT"]

    def test_a_report_of_the_lesser_kind_does_not_excuse_the_graver_one(self):
        plant = Plant()
        plant.over(0, Kind.H)
        plant.over(1, Kind.HH)
        plant.report(2, Kind.H)
        assert plant.step(61) == ["RAISED UNDERREPORT"]
        assert plant.back(70, Kind.HH) == ["RETURNED UNDERREPORT"]

    def test_a_limit_that_is_taken_away_closes_it(self):
        plant = Plant()
        plant.over(0)
        plant.step(60)
        assert plant.back(70, edge=Edge.CLOSED) == ["CLOSED UNDERREPORT"]
        assert plant.log[-1].reason == "why"

    def test_whatever_a_fire_alarm_is_called_it_is_a_report(self):
        fire = tag(1, kind=TagKind.FIRE, unit="", limits={Kind.H: 8.0})
        plant = Plant(fire, tag(2, limits=LIMITS))
        plant.report(0, None)
        plant.over(1)
        assert plant.step(120) == []

    def test_an_end_is_never_before_the_beginning(self):
        plant = Plant()
        ahead = Finding(Edge.RAISED, Kind.H, 1, None, at(50), at(50), 8.5, 8.0)
        plant.held[1] = 8.5
        plant.step(0, [ahead])
        plant.step(60)
        plant.report(61)
        raised, returned = plant.log
        assert raised.effective == at(110)
        assert returned.effective == at(110)


class TestThreshold:
    @pytest.mark.parametrize(
        ("said", "differs"),
        [(8.0, False), (8.009, False), (8.02, True), (7.98, True), (1e308, True), (None, False)],
    )
    def test_a_set_point_may_differ_by_a_thousandth_of_the_span(self, said, differs):
        found = Plant().report(0, limit=said)
        assert found == (["RAISED THRESHOLD_MISMATCH"] if differs else [])

    def test_it_tells_both_and_ends_when_they_agree(self):
        plant = Plant()
        plant.report(0, Kind.HH, limit=9.5)
        (found,) = plant.log
        assert (found.value, found.limit, found.detail) == (9.5, 9.0, {"kind": 3.0})
        assert plant.report(10, Kind.HH, limit=9.6) == []
        assert plant.report(20, Kind.H, limit=8.0) == []
        assert plant.report(30, Kind.HH, False, limit=9.0) == ["RETURNED THRESHOLD_MISMATCH"]

    def test_a_report_without_its_set_point_changes_nothing(self):
        plant = Plant()
        plant.report(0, limit=8.5)
        assert plant.report(10, active=False) == []

    def test_a_set_point_that_is_not_registered_differs(self):
        plant = Plant(tag(1, limits={Kind.HH: 9.0}), tag(2, limits=LIMITS))
        assert plant.report(0, Kind.H, limit=8.0) == ["RAISED THRESHOLD_MISMATCH"]

    def test_the_set_point_of_any_mode_will_do(self):
        from dataclasses import replace

        moded = replace(tag(1, limits=LIMITS), limits_by_mode={"start_up": {Kind.H: 8.5}})
        plant = Plant(moded, tag(2, limits=LIMITS))
        assert plant.report(0, limit=8.5) == []
        assert plant.report(1, limit=8.0) == []
        assert plant.report(2, limit=8.7) == ["RAISED THRESHOLD_MISMATCH"]

    def test_another_registry_is_compared_at_once(self):
        plant = Plant()
        plant.report(0, limit=8.5)
        mended = {1: tag(1, limits=LIMITS | {Kind.H: 8.5}), 2: plant.tags[2]}
        (ended,) = reregister(plant.state, mended, POLICY, us(10))
        assert (ended.edge, ended.effective) == (Edge.RETURNED, at(10))
        (again,) = reregister(plant.state, plant.tags, POLICY, us(20))
        assert again.edge is Edge.RAISED
        (closed,) = reregister(plant.state, {2: plant.tags[2]}, POLICY, us(30))
        assert (closed.edge, closed.reason) == (Edge.CLOSED, REMOVED)
        assert reregister(plant.state, plant.tags, POLICY, us(40)) == []


class TestRestart:
    def restarted(self, second: float, *active: tuple[Kind, int, float], alarms=()) -> Plant:
        plant = Plant(sends=False)
        held = [
            Held(kind, of, at(onset), at(onset), LIMITS.get(kind, nan))
            for kind, of, onset in active
        ]
        sends = EdgeAlarm(7, "a", 2, Kind.H, False, us(-3600), us(-3600))
        plant.log = underreport.restore(
            plant.state, plant.tags, POLICY, held, [sends, *alarms], us(second)
        )
        plant.held[1] = 8.5
        return plant

    def test_a_wait_goes_on(self):
        plant = self.restarted(30, (Kind.H, 1, 0))
        assert plant.step(59) == []
        assert plant.step(60) == ["RAISED UNDERREPORT"]
        assert plant.log[-1].onset == at(0)

    def test_a_report_that_was_stored_counts(self):
        said = EdgeAlarm(7, "a", 1, Kind.H, True, us(5), us(5))
        assert self.restarted(30, (Kind.H, 1, 0), alarms=[said]).step(600) == []

    def test_what_is_missed_stays_missed_and_ends_once(self):
        plant = self.restarted(100, (Kind.H, 1, 0), (Kind.UNDERREPORT, 1, 0))
        assert plant.log == []
        assert plant.step(200) == []
        assert plant.back(300) == ["RETURNED UNDERREPORT"]

    def test_what_ended_meanwhile_is_told(self):
        plant = self.restarted(100, (Kind.UNDERREPORT, 1, 0))
        assert [(one.edge, one.kind) for one in plant.log] == [(Edge.RETURNED, Kind.UNDERREPORT)]

    def test_a_mismatch_goes_on_until_they_agree(self):
        said = EdgeAlarm(7, "a", 1, Kind.H, True, us(5), us(5), limit=8.5)
        plant = self.restarted(100, (Kind.THRESHOLD_MISMATCH, 1, 5), alarms=[said])
        assert plant.log == []
        assert plant.report(110, limit=8.0) == ["RETURNED THRESHOLD_MISMATCH"]


EVENTS = st.lists(
    st.tuples(st.integers(0, 600), st.sampled_from(["over", "back", "on", "off"])), max_size=14
)


def reference(events: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """(second, edge) by going through the seconds: what is over since s and has no report from
    s - 120 on, nor a standing one, is missed at s + 60."""
    found, since, asked, missed = [], None, False, False
    reports: list[int] = []
    standing = False
    for second in range(700):
        for _, what in [one for one in events if one[0] == second]:
            if what in ("on", "off"):
                reports, standing = [*reports, second], what == "on"
            elif what == "over" and since is None:
                since, asked = second, True
            elif what == "back" and since is not None:
                found += [(second, "RETURNED")] * missed
                since, missed = None, False
        told = standing or (since is not None and any(one >= since - 120 for one in reports))
        if missed and told:
            found, missed = [*found, (second, "RETURNED")], False
        if since is not None and asked and second >= since + 60:
            asked = False
            if not told:
                found, missed = [*found, (second, "RAISED")], True
    return found


@given(EVENTS)
def test_the_slow_reference_agrees_with_ticks_in_between(events):
    events = sorted(events, key=lambda one: one[0])
    plant, over, found = Plant(), False, []
    for second in range(700):
        for _, what in [one for one in events if one[0] == second]:
            if what in ("on", "off"):
                told = plant.report(second, active=what == "on")
            elif what == "over" and not over:
                over, told = True, plant.over(second)
            elif what == "back" and over:
                over, told = False, plant.back(second)
            else:
                told = []
            found += [(second, one.split()[0]) for one in told]
        found += [(second, one.split()[0]) for one in plant.step(second)]
    assert found == reference(events)


@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6), st.sampled_from(list(Kind)[:4]), st.integers(0, 3),
            st.floats(allow_nan=True, allow_infinity=True),
        ),
        max_size=20,
    )
)  # fmt: skip
def test_times_that_run_back_and_odd_numbers_never_fail(events):
    plant = Plant()
    for second, kind, what, number in events:
        plant.held[1] = number
        if what == 0:
            plant.step(second, [Finding(Edge.RAISED, kind, 1, None, at(second), at(second), number,
                                        number)])  # fmt: skip
        elif what == 1:
            plant.back(second, kind)
        else:
            plant.report(second, kind, what == 2, limit=number if abs(number) < 1e308 else None)
        plant.step(second)
