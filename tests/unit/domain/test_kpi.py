"""KPIs of a hand-made journal, against numbers worked out by hand and slow references."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarm_noise import graded, kpi_targets, noise_rules
from domain.instant import FAR, SECOND, micros, moment
from domain.kpi import DAY, HOUR, TEN_MIN, alarm_kpi, quantiles
from domain.kpi_account import account, chart, heat, verdicts
from domain.kpi_cases import Limits, cases_kpi
from domain.kpi_journal import Journal, Period, What, next_of, per_step
from domain.kpi_noise import chatter, fleeting, floods, stale_per_day
from domain.risk import Colour
from tests.support.builders import START, at
from tests.support.noise import flashes, spells
from tests.support.noise import floods as slow_floods
from tests.support.reference_kpi import ACK, BACK, DONE, HEARD, journal, story, us

RULES, TARGETS = noise_rules(), kpi_targets()
SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [SHANGHAI, *(ZoneInfo(name) for name in ("Asia/Kathmandu", "Asia/Kolkata", "UTC"))]
NOTHING = np.empty(0, np.int64), np.empty(0, np.int64)


def period(begin: float, end: float, zone=SHANGHAI) -> Period:
    return Period(us(begin), us(end), zone)


def kpi(rows, begin=0.0, end=86_400.0, standing=NOTHING):
    return alarm_kpi(journal(*rows), standing, period(begin, end), RULES, TARGETS)


# --- a shift by hand -----------------------------------------------------------------------------


def test_a_day_by_hand():
    """08:00 UTC on; 12 alarms of LT-1 in five minutes, one of the pump that waits for an hour."""
    rows = [
        *((20.0 * n, n, 1, 3, HEARD) for n in range(12)),
        *((20.0 * n + 5, n, 1, 3, BACK) for n in range(12)),
        *((20.0 * n + 8, n, 1, 3, ACK | DONE) for n in range(12)),
        (7200, 50, 2, 2, HEARD),
        (7200 + 3600, 50, 2, 2, ACK),
        (7200 + 5400, 50, 2, 2, BACK | DONE),
        (9000, 51, 3, 1, HEARD),
    ]
    found = kpi(rows)
    assert (found.annunciated, found.muted, found.enough, found.days) == (14, 0, False, 1.0)
    assert found.rates.per_day == 14
    assert found.rates.per_hour == pytest.approx(14 / 24)
    assert found.rates.per_10_min == pytest.approx(14 / 144)
    assert (found.rates.max_day, found.rates.max_hour, found.rates.max_10_min) == (14, 12, 12)
    assert found.rates.busy_hours == 0
    assert found.rates.busy_10_min == pytest.approx(1 / 144)
    assert [(actor.subject, actor.count) for actor in found.top] == [(1, 12), (2, 1), (3, 1)]
    assert found.top_share == 1
    # the tenth came at 180 s; of 12, the fifth-newest came at 140 s: over at 740 s
    assert (found.floods.number, found.floods.seconds) == (1, 560)
    assert found.floods.share == pytest.approx(560 / 86_400)
    assert (found.floods.worst_upset, found.floods.upset) == (12, "难以应对 hard")
    assert [(one.subject, one.spells, one.repeats) for one in found.chattering] == [(1, 1, 12)]
    assert found.priorities == (1, 1, 12, 0)
    assert found.shares == (1 / 14, 1 / 14, 12 / 14, 0)
    times = found.acknowledge
    assert (times["all"].number, times["all"].open) == (13, 1)
    assert (times["P3"].p50, times["P3"].p90) == (8, 8)
    assert (times["P2"].number, times["P2"].p50) == (1, 3600)
    assert (times["P1"].number, times["P1"].open) == (0, 1)
    assert isnan(times["P1"].p50)
    assert found.close["P2"].p50 == 5400
    assert found.eemua == "可接受 acceptable"


def test_what_is_muted_is_no_load_but_counted():
    muted = What.ACTIVATED | What.MUTED
    found = kpi([(0, 1, 1, 3, muted), (10, 2, 2, 3, HEARD)])
    assert (found.annunciated, found.muted) == (1, 1)


def test_a_re_alarm_is_heard_again_but_is_no_activation():
    rows = [(10.0 * n, 1, 1, 3, HEARD if n == 0 else What.ANNUNCIATED) for n in range(4)]
    found = kpi(rows)
    assert found.annunciated == 4
    assert found.chattering == ()


def test_the_clock_of_an_acknowledgement_runs_from_the_first_time_nobody_answered():
    rows = [
        (0, 1, 1, 3, HEARD),
        (10, 1, 1, 3, BACK),
        (30, 1, 1, 3, HEARD),
        (100, 1, 1, 3, ACK),
        (200, 1, 1, 3, What.ANNUNCIATED),
        (205, 1, 1, 3, ACK),
    ]
    found = kpi(rows).acknowledge["all"]
    assert (found.number, found.open, found.p50) == (2, 0, (100 + 5) / 2)


def test_nothing_to_divide_by_is_not_a_number():
    found = kpi([])
    assert found.annunciated == 0
    assert found.rates.per_day == 0
    assert isnan(found.top_share)
    assert all(isnan(share) for share in found.shares)
    assert isnan(found.acknowledge["all"].p50)
    said = {one["kpi"]: one for one in verdicts(found, TARGETS)}
    assert said["top_ten"]["met"] is None
    assert said["per_day"]["met"] is True
    empty = kpi([], 0, 0)
    assert isnan(empty.rates.per_day)
    assert isnan(empty.floods.share)
    assert empty.eemua is None
    assert {one["met"] for one in verdicts(empty, TARGETS)} == {None}, "no data is no success"
    assert chart(empty.heard, period(0, 0)) == {"step_s": 600, "times": [], "counts": []}
    assert heat(empty.heard, period(0, 0)) == []


def test_less_than_thirty_days_say_so():
    assert not kpi([], 0, 30 * 86_400 - 1).enough
    assert kpi([], 0, 30 * 86_400).enough


@pytest.mark.parametrize(
    ("rate", "word"),
    [(0.5, "acceptable"), (1.5, "manageable"), (5, "over-demanding"), (11, "unacceptable")],
)
def test_eemua_191_in_words(rate, word):
    assert graded(TARGETS.eemua, rate).split()[1] == word


def test_the_priority_split_is_held_against_80_15_5_and_one():
    rows = [(100.0 * n, n, n, 4 if n < 16 else 3 if n < 19 else 2, HEARD) for n in range(20)]
    said = {one["kpi"]: one for one in verdicts(kpi(rows), TARGETS)}
    split = {
        name: (said[name]["value"], said[name]["met"])
        for name in ("low", "medium", "high", "highest")
    }
    assert split == {
        "low": (0.8, True), "medium": (0.15, False), "high": (0.05, False), "highest": (0.0, True),
    }  # fmt: skip


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40))
def test_quantiles_are_those_of_numpy(seconds):
    found = quantiles(np.array(seconds, np.float64), 0)
    assert [found.p50, found.p90] == np.quantile(seconds, (0.5, 0.9)).tolist()


# --- midnight ------------------------------------------------------------------------------------


def test_days_begin_at_midnight_where_the_plant_is():
    """15:59 and 16:01 UTC are two days in Shanghai, and one in London."""
    rows = [(8 * 3600 - 60, 1, 1, 3, HEARD), (8 * 3600 + 60, 2, 2, 3, HEARD)]
    here = alarm_kpi(journal(*rows), NOTHING, period(0, 86_400), RULES, TARGETS)
    there = alarm_kpi(
        journal(*rows), NOTHING, period(0, 86_400, ZoneInfo("Europe/London")), RULES, TARGETS
    )
    assert (here.rates.max_day, there.rates.max_day) == (1, 2)
    strip = heat(here.heard, period(0, 86_400))
    assert [(row["day"], sum(n or 0 for n in row["hours"])) for row in strip] == [
        ("2026-11-21", 1),
        ("2026-11-22", 1),
    ]
    assert strip[0]["hours"][23] == 1
    assert strip[1]["hours"][0] == 1
    assert strip[0]["hours"][15] is None, "the period begins at 16:00"


def test_a_day_of_25_hours_has_the_hour_that_comes_twice_once():
    berlin = ZoneInfo("Europe/Berlin")
    begin, end = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
    day = Period(micros(begin), micros(end), berlin)
    assert day.midnights()[1].tolist() == [micros(begin), micros(end)]
    twice = np.array([micros(begin + timedelta(hours=h, minutes=30)) for h in (2, 3)], np.int64)
    (row,) = heat(twice, day)
    assert row["hours"][2] == 2
    assert None not in row["hours"]


@given(st.lists(st.integers(-3600, 90_000), max_size=30), st.sampled_from(ZONES))
def test_the_heat_strip_counts_each_alarm_in_the_hour_on_the_wall(seconds, zone):
    heard = np.array(sorted(us(s) for s in seconds), np.int64)
    span = period(0, 86_400, zone)
    counted = {
        (row["day"], hour): n
        for row in heat(heard, span)
        for hour, n in enumerate(row["hours"])
        if n
    }
    midnights = span.midnights()[1]
    walls = [moment(one).astimezone(zone) for one in heard if midnights[0] <= one < midnights[-1]]
    assert counted == Counter((wall.date().isoformat(), wall.hour) for wall in walls)


# --- stale ---------------------------------------------------------------------------------------


def test_stale_is_more_than_24_hours_and_counts_on_every_day_it_lasts():
    day = 86_400
    begin = np.array([us(0), us(0), us(0)])
    end = np.array([us(day), us(3 * day), FAR])
    edges = np.array([us(n * day) for n in range(6)])
    assert stale_per_day(begin, end, edges, RULES).tolist() == [0, 2, 2, 1, 1]
    found = kpi([], 0, 5 * day, (begin, end))
    assert (found.stale_on_a_day, found.stale_at_end) == (2, 1)


# --- against slow references ---------------------------------------------------------------------

TIMES = st.lists(st.integers(0, 4000) | st.integers(0, 20).map(lambda n: 100 * n), max_size=60).map(
    sorted
)


@given(TIMES)
def test_floods_are_those_of_the_slow_reference(seconds):
    table = floods(np.array([us(s) for s in seconds], np.int64), RULES.flood)
    expected = slow_floods([at(s) for s in seconds], at(10_000))
    assert [(moment(b), moment(e)) for b, e in zip(table.begin, table.end, strict=True)] == expected


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 900), st.integers(1, 120)), max_size=40)
)
def test_chattering_and_fleeting_are_those_of_the_slow_reference(steps):
    spans: dict[int, list[tuple[datetime, datetime]]] = {0: [], 1: [], 2: []}
    rows, now = [], 0
    for number, (subject, pause, lasts) in enumerate(steps):
        begin, end = now + pause, now + pause + lasts
        rows += [(begin, number, subject, 3, HEARD), (end, number, subject, 3, BACK)]
        spans[subject].append((at(begin), at(end)))
        now = end
    told = journal(*rows)
    table = chatter(told, RULES)
    found = sorted(
        zip(table.subject.tolist(), map(moment, table.since), table.repeats.tolist(), strict=True)
    )
    expected = sorted(
        (subject, since, n)
        for subject, mine in spans.items()
        for since, n in spells([begin for begin, _ in mine])
    )
    assert found == expected
    flashed = [moment(one) for one in told.at[fleeting(told, RULES)]]
    assert sorted(flashed) == sorted(when for mine in spans.values() for when in flashes(mine))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=40))
def test_the_next_row_of_a_group_is_found(rows):
    group = np.array([g for g, _, _ in rows], np.int32)
    of = np.array([a for _, a, _ in rows], np.bool_)
    wanted = np.array([b for _, _, b in rows], np.bool_)
    expected = [
        next((m for m in range(n + 1, len(rows)) if rows[m][0] == g and rows[m][2]), -1)
        if a
        else -1
        for n, (g, a, _) in enumerate(rows)
    ]
    assert next_of(group, of, wanted).tolist() == expected


@given(
    st.lists(st.tuples(st.integers(0, 7200), st.integers(0, 5), st.integers(1, 4)), max_size=50),
    st.integers(1, 11),
)
def test_a_period_in_two_parts_counts_what_the_whole_counts(alarms, cut):
    rows = [(s, n, subject, priority, HEARD) for n, (s, subject, priority) in enumerate(alarms)]
    middle = 600 * cut
    whole, one, two = kpi(rows, 0, 7200), kpi(rows, 0, middle), kpi(rows, middle, 7200)
    assert whole.annunciated == one.annunciated + two.annunciated
    assert whole.priorities == tuple(
        a + b for a, b in zip(one.priorities, two.priorities, strict=True)
    )
    steps = [chart(part.heard, period(*span))["counts"] for part, span in
             ((one, (0, middle)), (two, (middle, 7200)), (whole, (0, 7200)))]  # fmt: skip
    assert steps[0] + steps[1] == steps[2]
    assert whole.floods.seconds == pytest.approx(one.floods.seconds + two.floods.seconds)
    for name in whole.acknowledge:
        parts = one.acknowledge[name], two.acknowledge[name]
        assert whole.acknowledge[name].open == sum(part.open for part in parts)


@given(st.integers(0, 10**6), st.integers(0, 3 * 10**6), st.sampled_from([TEN_MIN, HOUR, DAY]))
def test_every_instant_of_a_period_lies_in_one_step_of_its_grid(begin, length, width):
    span = Period(begin * SECOND, (begin + length) * SECOND, UTC)
    at_ = np.array([span.begin, max(span.begin, span.end - 1)], np.int64)
    if length:
        assert per_step(at_, span.grid(width)).sum() == 2


def test_the_account_says_everything_without_a_not_a_number():
    limits = Limits(dict.fromkeys(Colour, 60.0), dict.fromkeys(Colour, 60.0))
    nothing = cases_kpi([], [], START, at(86_400), START, lambda _: limits)
    told = account(kpi([*story((0, 5, 9))]), nothing, period(0, 86_400), TARGETS,
                   lambda n: {"name": str(n)})  # fmt: skip
    assert "NaN" not in json.dumps(told)
    assert told["top"] == [{"name": "0", "count": 1, "share": 1.0, "advice": None}]
    assert told["warnings"]["all"]["signed"] == {"of": 0, "done": 0, "share": None}
    assert isinstance(Journal.empty(), Journal)
