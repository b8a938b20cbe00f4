"""签收率, 处置率 and 及时率 of warnings by hand, and what a duty desk really heard."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.cases import Level
from domain.kpi_cases import Asked, CaseStep, Limits, Share, cases_kpi
from domain.kpi_desk import desk_journal
from domain.kpi_journal import What
from domain.risk import Colour
from tests.support.builders import at

ONE, TWO = UUID(int=1), UUID(int=2)
LIMITS = Limits(
    {Colour.YELLOW: 600, Colour.ORANGE: 300, Colour.RED: 180},
    {Colour.YELLOW: 7200, Colour.ORANGE: 1800, Colour.RED: 900},
    5,
)


def rise(case, n, seconds, colour):
    return CaseStep(case, n, at(seconds), "rise", colour)


def signs(case, n, seconds, level, colour=Colour.YELLOW):
    return CaseStep(case, n, at(seconds), "receive", colour, level)


def step(case, n, seconds, what, colour=Colour.YELLOW):
    return CaseStep(case, n, at(seconds), what, colour)


def kpi(steps, asked=(), begin=0, end=86_400, now=86_400, level=None):
    return cases_kpi(steps, asked, at(begin), at(end), at(now), lambda _: LIMITS, level)


STORY = [
    rise(ONE, 1, 0, Colour.YELLOW),
    signs(ONE, 2, 60, Level.ENTERPRISE),
    rise(ONE, 3, 1000, Colour.ORANGE),
    signs(ONE, 4, 1400, Level.ENTERPRISE, Colour.ORANGE),
    signs(ONE, 5, 1150, Level.PARK, Colour.ORANGE),
    step(ONE, 6, 2000, "feedback", Colour.ORANGE),
    step(ONE, 7, 9000, "close", Colour.BLUE),
    rise(TWO, 1, 5000, Colour.YELLOW),
]
"""Yellow, signed in a minute; it rises to orange, which the enterprise signs after 400 s of 300 and
the park 150 s after it was told. The other one nobody signs."""
TOLD = [Asked(ONE, 3, Level.PARK, at(1000)), Asked(ONE, 3, Level.COUNTY, at(1000))]


def test_rates_by_hand():
    found = kpi(STORY, TOLD)
    assert found.cases == 2
    yellow, orange = found.by_colour[Colour.YELLOW], found.by_colour[Colour.ORANGE]
    assert (yellow.rises, yellow.signed, yellow.signed_in_time) == (2, Share(2, 1), Share(2, 1))
    # asked: enterprise, park, county; signed by two, by the park alone in time
    assert (orange.rises, orange.signed, orange.signed_in_time) == (1, Share(3, 2), Share(3, 1))
    assert (orange.disposed, orange.disposed_in_time) == (Share(1, 1), Share(1, 1))
    assert yellow.disposed == Share(1, 0), "orange took the place of the first in time"
    assert (orange.receive.p50, orange.feedback.p50) == (275, 1000)
    assert (yellow.close.number, yellow.close.p50, yellow.close.open) == (1, 9000, 1)
    assert found.by_level[Level.COUNTY].signed == Share(1, 0)
    assert found.by_level[Level.PARK].receive.p50 == 150
    assert found.all.signed.share == pytest.approx(3 / 5)


def test_what_is_not_late_yet_is_not_due():
    assert kpi([rise(ONE, 1, 0, Colour.YELLOW)], now=600).all.signed == Share(0, 0)
    assert kpi([rise(ONE, 1, 0, Colour.YELLOW)], now=601).all.signed == Share(1, 0)


def test_only_rises_of_the_period_count_and_what_follows_later_counts_for_them():
    found = kpi(STORY, TOLD, begin=500, end=1500)
    assert found.cases == 0
    assert found.all.rises == 1
    assert found.all.feedback.p50 == 1000


def test_a_median_of_less_than_five_seconds_is_a_finding():
    fast = [rise(ONE, 1, 0, Colour.RED), signs(ONE, 2, 4, Level.ENTERPRISE, Colour.RED)]
    assert kpi(fast).by_colour[Colour.RED].too_fast
    slow = [rise(ONE, 1, 0, Colour.RED), signs(ONE, 2, 5, Level.ENTERPRISE, Colour.RED)]
    assert not kpi(slow).by_colour[Colour.RED].too_fast
    assert not kpi([]).all.too_fast


def test_each_case_is_judged_by_the_limits_of_its_own_jurisdiction():
    slow = replace(LIMITS, receive_s={**LIMITS.receive_s, Colour.RED: 400}, floor_s=0)
    steps = [
        step
        for case in (ONE, TWO)
        for step in (
            rise(case, 1, 0, Colour.RED),
            signs(case, 2, 300, Level.ENTERPRISE, Colour.RED),
        )
    ]
    limits = {ONE: LIMITS, TWO: slow}.__getitem__
    found = cases_kpi(steps, [], at(0), at(86_400), at(86_400), limits).all
    assert (found.signed, found.signed_in_time) == (Share(2, 2), Share(2, 1))
    quick = [replace(one, at=at(3)) if one.what == "receive" else one for one in steps]
    for case, finding in ((ONE, True), (TWO, False)):
        mine = [one for one in quick if one.case == case]
        found = cases_kpi(mine, [], at(0), at(86_400), at(86_400), limits).all
        assert found.too_fast is finding


def test_a_signature_for_another_level_is_none_and_one_after_a_rise_that_did_not_ask_again_is():
    found = kpi(STORY, TOLD, level=Level.PARK)
    assert found.all.signed == Share(1, 1)
    assert found.by_level[Level.COUNTY].signed == Share(1, 0)
    story = [
        rise(ONE, 1, 0, Colour.ORANGE),
        rise(ONE, 2, 20, Colour.RED),
        signs(ONE, 3, 60, Level.PARK, Colour.RED),
        signs(ONE, 4, 61, Level.ENTERPRISE, Colour.RED),
    ]
    told = [Asked(ONE, 1, Level.PARK, at(0)), Asked(ONE, 2, Level.CITY, at(20))]
    by_level = kpi(story, told).by_level
    assert [by_level[level].signed for level in (Level.PARK, Level.ENTERPRISE, Level.CITY)] == [
        Share(1, 1),
        Share(1, 1),
        Share(1, 0),
    ]


def test_what_a_rise_takes_the_place_of_is_due_only_if_it_was_late_already():
    late = [
        rise(ONE, 1, 0, Colour.YELLOW),
        rise(ONE, 2, 100, Colour.ORANGE),
        signs(ONE, 3, 200, Level.ENTERPRISE, Colour.ORANGE),
    ]
    assert kpi(late).by_colour[Colour.YELLOW].signed == Share(0, 0)
    assert kpi(late).by_colour[Colour.ORANGE].signed == Share(1, 1)
    slow = [late[0], replace(late[1], at=at(601)), replace(late[2], at=at(700))]
    assert kpi(slow).by_colour[Colour.YELLOW].signed == Share(1, 0)
    assert kpi(slow).by_colour[Colour.YELLOW].disposed == Share(0, 0)


def test_a_park_desk_hears_what_arrived_and_nothing_else():
    told = [Asked(ONE, 3, Level.PARK, at(1002)), Asked(ONE, 3, Level.COUNTY, at(1003))]
    journal = desk_journal(told, STORY, {ONE: 7, TWO: 8}, Level.PARK)
    heard = journal.of(journal.is_(What.ANNUNCIATED))
    assert (heard.subject.tolist(), heard.priority.tolist()) == ([7], [2])
    signed = journal.of(journal.is_(What.ACKNOWLEDGED))
    assert len(signed) == 1
    assert len(desk_journal([], [], {}, Level.CITY)) == 0
