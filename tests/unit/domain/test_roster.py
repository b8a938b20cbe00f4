"""Who is on duty: always somebody, or it is said that nobody is."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.roster import (
    Duty,
    OnDuty,
    Quiet,
    RosterError,
    Shift,
    Watch,
    Why,
    gaps,
    on_duty,
    watches,
)

DAY = datetime(2026, 11, 2, tzinfo=UTC)
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


class Table:
    """A roster as a list of (person, begin, end) in minutes after `DAY`."""

    def __init__(self, name: str, *rows: tuple[str, int, int]) -> None:
        self.name = name
        self.rows = [Shift(who, minute(begin), minute(end)) for who, begin, end in rows]

    def shifts(self, begin: datetime, end: datetime) -> list[Shift]:
        return [one for one in self.rows if one.begin < end and one.end > begin]


class Torn:
    name = "torn.ics"

    def shifts(self, begin: datetime, end: datetime) -> list[Shift]:
        raise RosterError("torn")


def minute(number: int) -> datetime:
    return DAY + timedelta(minutes=number)


def duty(*rosters, fallback: str | None = None, persons: tuple[str, ...] = ()) -> Duty:
    return Duty("PK", ("P1",), persons, rosters, fallback)


WEEK = Table("week", ("zhang", 0, 600), ("li", 570, 1200))
HOLIDAY = Table("holiday", ("wang", 100, 200))


def test_the_holiday_roster_stands_before_that_of_the_week():
    both = duty(HOLIDAY, WEEK)
    assert on_duty(both, minute(99)) == OnDuty(("zhang",), Why.ROSTER, "week")
    assert on_duty(both, minute(100)) == OnDuty(("wang",), Why.ROSTER, "holiday")
    assert on_duty(both, minute(200)) == OnDuty(("zhang",), Why.ROSTER, "week")


def test_in_the_overlap_of_two_shifts_both_hold_the_duty():
    assert on_duty(duty(WEEK), minute(569)).persons == ("zhang",)
    assert on_duty(duty(WEEK), minute(570)).persons == ("zhang", "li")
    assert on_duty(duty(WEEK), minute(600)).persons == ("li",)


def test_a_gap_falls_to_the_fallback_and_is_said():
    assert on_duty(duty(WEEK, fallback="chen"), minute(1200)) == OnDuty(("chen",), Why.FALLBACK)
    assert on_duty(duty(WEEK), minute(1200)) == OnDuty((), Why.NOBODY)
    assert gaps(duty(WEEK), minute(0), minute(1440)) == [
        Watch(minute(1200), minute(1440), OnDuty((), Why.NOBODY))
    ]


def test_a_roster_that_cannot_tell_is_passed_over_and_named():
    assert on_duty(duty(Torn(), WEEK), minute(0)) == OnDuty(
        ("zhang",), Why.ROSTER, "week", ("torn.ics",)
    )
    assert on_duty(duty(Torn()), minute(0)).gap
    assert watches(duty(Torn(), WEEK), minute(0), minute(60))[0].who.persons == ("zhang",)


def test_named_persons_are_always_there():
    assert on_duty(duty(persons=("zhang", "li")), minute(0)) == OnDuty(("zhang", "li"), Why.NAMED)


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 200), st.integers(1, 80)).map(
        lambda row: (row[0], row[1], row[1] + row[2])
    ),
    max_size=5,
)


@given(st.lists(rows, max_size=3), st.sampled_from([None, "f"]), st.integers(0, 300))
def test_somebody_is_always_on_duty_or_it_is_said_that_nobody_is(tables, fallback, when):
    one = duty(*(Table(str(n), *table) for n, table in enumerate(tables)), fallback=fallback)
    who = on_duty(one, minute(when))
    assert who == on_duty(one, minute(when))
    assert bool(who.persons) == (who.why is not Why.NOBODY)
    expected = _slowly(tables, fallback, when)
    assert set(who.persons) == expected


def _slowly(tables, fallback, when) -> set[str]:
    """The reference: the first table with anybody, by looking at every row."""
    for table in tables:
        here = {who for who, begin, end in table if begin <= when < end}
        if here:
            return here
    return {fallback} if fallback else set()


@given(st.lists(rows, max_size=3), st.sampled_from([None, "f"]))
def test_watches_leave_no_hole_and_say_at_every_minute_what_on_duty_says(tables, fallback):
    one = duty(*(Table(str(n), *table) for n, table in enumerate(tables)), fallback=fallback)
    found = watches(one, minute(0), minute(300))
    assert [found[0].begin, *(watch.end for watch in found)] == [
        *(watch.begin for watch in found),
        minute(300),
    ]
    assert all(one.who != two.who for one, two in pairwise(found))
    for watch in found:
        here = watch.begin
        while here < watch.end:
            assert on_duty(one, here) == watch.who
            here += timedelta(minutes=1)


@pytest.mark.parametrize(
    ("begin", "end", "now", "until"),
    [
        ("22:00", "06:00", "2026-11-20T21:59", None),
        ("22:00", "06:00", "2026-11-20T22:00", "2026-11-21T06:00"),
        ("22:00", "06:00", "2026-11-21T05:59", "2026-11-21T06:00"),
        ("22:00", "06:00", "2026-11-21T06:00", None),
        ("12:00", "14:00", "2026-11-21T13:00", "2026-11-21T14:00"),
        ("12:00", "14:00", "2026-11-21T23:00", None),
    ],
)
def test_quiet_hours_begin_and_end_on_the_wall_clock(begin, end, now, until):
    hours = Quiet(time.fromisoformat(begin), time.fromisoformat(end), SHANGHAI)
    there = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)
    found = hours.until(there)
    assert found == (until and datetime.fromisoformat(until).replace(tzinfo=SHANGHAI))


@given(st.times(), st.times(), st.integers(0, 400 * 1440))
def test_quiet_hours_end_later_but_within_a_day_and_then_are_over(begin, end, when):
    """Also in the nights in which the clock is changed: within 26 hours, never in the past."""
    if begin == end:
        return
    at = minute(when)
    until = Quiet(begin, end, BERLIN).until(at)
    if until is not None:
        assert at < until <= at + timedelta(hours=26)
        local = until.astimezone(BERLIN).time()
        skipped = local != end
        assert not skipped or local.hour == 3
