from dataclasses import fields
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from storage.history_plan import HOUR, MINUTE, Plan, Reach, planned, unit_for
from tests.support.builders import START, at

LONG_AGO = START - timedelta(days=9000)
INSTANTS = st.integers(-30 * 86_400, 86_400).flatmap(
    lambda s: st.sampled_from([0.0, 0.25, 59.999999]).map(lambda part: at(s // 60 * 60 + part))
)
REACHES = st.integers(-40 * 24, 24).map(lambda h: Reach(START + h * HOUR, LONG_AGO, LONG_AGO))
POINTS = st.integers(2, 3000)


def spans(plan: Plan) -> list[tuple[datetime, datetime]]:
    found = [getattr(plan, field.name) for field in fields(plan)[2:]]
    return sorted((begin, end) for begin, end in found if begin < end)


def drawn(one: datetime, other: datetime) -> tuple[datetime, datetime]:
    start, end = sorted((one, other))
    return start, max(end, start + timedelta(microseconds=1))


@given(INSTANTS, INSTANTS, POINTS, REACHES)
def test_every_instant_is_answered_once_from_whole_minutes_and_hours(one, other, points, reach):
    start, end = drawn(one, other)
    plan = planned(start, end, points, reach, unit_for(start, end, points, reach))
    edges = spans(plan)
    assert (edges[0][0], edges[-1][1]) == (start, end)
    assert all(left[1] == right[0] for left, right in pairwise(edges))
    for unit, of in ((MINUTE, (plan.minutes, plan.more_minutes)), (HOUR, (plan.hours,))):
        for begin, until in of:
            assert begin >= until or (begin - LONG_AGO) % unit == (until - LONG_AGO) % unit
            assert begin >= until or until <= reach.hours


@given(INSTANTS, INSTANTS, POINTS, REACHES)
def test_there_are_at_most_as_many_buckets_as_points_and_a_row_of_a_roll_up_lies_in_one(
    one, other, points, reach
):
    start, end = drawn(one, other)
    unit = unit_for(start, end, points, reach)
    plan = planned(start, end, points, reach, unit)
    assert plan.origin <= start
    assert -(-(end - plan.origin) // plan.width) <= points
    assert unit is None or plan.width % unit == timedelta(0)
    assert unit is None or (plan.origin - LONG_AGO) % unit == timedelta(0)


@given(INSTANTS, INSTANTS, POINTS)
def test_where_samples_are_gone_edges_are_taken_whole(one, other, points):
    start, end = drawn(one, other)
    reach = Reach(START + 48 * HOUR, START + 47 * HOUR, LONG_AGO)
    plan = planned(start, end, points, reach, unit_for(start, end, points, reach))
    edges = spans(plan)
    assert plan.raw[0] >= plan.raw[1]
    assert plan.more_raw[0] >= plan.more_raw[1]
    assert edges[0][0] <= start < edges[0][0] + MINUTE
    assert edges[-1][1] - MINUTE < end <= edges[-1][1]
    oldest = Reach(START + 48 * HOUR, START + 47 * HOUR, START + 46 * HOUR)
    plan = planned(start, end, points, oldest, unit_for(start, end, points, oldest))
    (only,) = spans(plan)
    assert only == plan.hours
    assert only[0] <= start
    assert end <= only[1]


def test_a_month_comes_from_minutes_and_a_year_from_hours():
    reach = Reach(START, LONG_AGO, LONG_AGO)
    assert unit_for(START - timedelta(days=30), START, 2000, reach) == MINUTE
    assert unit_for(START - timedelta(days=365), START, 2000, reach) == HOUR
    assert unit_for(START - timedelta(hours=1), START, 2000, reach) is None
    assert unit_for(START, START + timedelta(days=365), 2000, reach) is None
