"""Scoring, worked by hand."""

import json
from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.replay_map import read_map
from hazwatch.evaluate.families import Run
from hazwatch.evaluate.report import Report, add_runs
from hazwatch.evaluate.score import (
    DAY,
    MINUTE,
    Event,
    Manner,
    Outcome,
    Unit,
    Warned,
    binomial,
    episodes,
    median_interval,
    observed,
    poisson,
    quantile,
    quiet,
    score,
)

DAYS = ((0, 10 * DAY),)


def release(name: str, start: int, end: int) -> Event:
    return Event(name, start * MINUTE, end * MINUTE, "*", "release")


def crossing(name: str, start: int, end: int) -> Event:
    return Event(name, start * MINUTE, end * MINUTE, "LI", "crossing:H")


def warned(begin: int, end: int, subject: str = "A", kind: str = "PREDICT") -> Warned:
    return Warned(subject, kind, begin * MINUTE, end * MINUTE)


def test_a_release_is_found_by_the_first_warning_that_begins_in_it():
    unit = Unit(
        "*", DAYS, (release("r", 100, 200),), (warned(50, 120), warned(130, 140), warned(150, 160))
    )
    (outcome,) = score([unit], Manner()).outcomes
    assert outcome.by == warned(130, 140)
    assert outcome.seconds == 30 * 60


def test_a_warning_from_before_a_release_does_not_find_it_and_is_false():
    unit = Unit("*", DAYS, (release("r", 100, 200),), (warned(50, 250),))
    found = score([unit], Manner())
    assert found.found == 0
    assert found.outcomes[0].seconds == inf
    assert found.false == ((50 * MINUTE, 250 * MINUTE),)


@pytest.mark.parametrize(
    ("begin", "end", "lead_min"),
    [
        (80, 101, 20),  # still on
        (80, 100, None),  # cleared at the crossing
        (80, 95, None),  # cleared before it
        (100, 130, None),  # came with it
        (105, 130, None),  # late
    ],
)
def test_a_crossing_is_warned_of_only_by_what_is_on_when_it_comes(begin, end, lead_min):
    unit = Unit("LI", DAYS, (crossing("x", 100, 150),), (warned(begin, end),))
    (outcome,) = score([unit], Manner()).outcomes
    assert outcome.seconds == (-inf if lead_min is None else lead_min * 60)


def test_the_earliest_of_those_that_are_on_gives_the_lead():
    unit = Unit("LI", DAYS, (crossing("x", 100, 150),), (warned(60, 120), warned(80, 120)))
    assert score([unit], Manner()).outcomes[0].seconds == 40 * 60


def test_a_warning_that_cleared_before_the_crossing_is_a_miss_and_false():
    found = score([Unit("LI", DAYS, (crossing("x", 100, 150),), (warned(60, 80),))], Manner())
    assert (found.found, len(found.false)) == (0, 1)


def test_a_warning_that_came_back_within_the_rearm_time_is_no_false_one():
    unit = Unit("LI", DAYS, (crossing("x", 100, 150),), (warned(60, 80), warned(85, 120)))
    found = score([unit], Manner())
    assert (found.found, found.outcomes[0].seconds, found.false) == (1, 15 * 60, ())
    assert (found.raises, found.episodes) == (2, 1)


def test_episodes_merge_below_the_gap_and_not_at_it():
    spans = [(0, 5), (14, 20), (30, 31), (2, 3)]
    assert episodes(spans, 10) == [(0, 20), (30, 31)]


def test_an_alarm_in_the_afterglow_is_not_false_and_one_after_it_is():
    manner = Manner(afterglow=30 * MINUTE)
    unit = Unit("*", DAYS, (release("r", 100, 200),), (warned(230, 231), warned(260, 261)))
    assert score([unit], manner).false == ((260 * MINUTE, 261 * MINUTE),)


def test_what_begins_while_nothing_was_observed_is_not_counted():
    unit = Unit("*", ((0, 10 * MINUTE), (90 * MINUTE, DAY)), (), (warned(40, 41), warned(95, 96)))
    assert len(score([unit], Manner()).false) == 1


def test_fault_free_time_leaves_out_events_their_afterglow_and_gaps():
    unit = Unit(
        "*",
        ((0, 100 * MINUTE), (200 * MINUTE, 300 * MINUTE)),
        (release("r", 50, 60), release("s", 90, 205)),
        (),
        (release("other", 240, 250),),
    )
    left = quiet(unit, Manner(afterglow=5 * MINUTE))
    assert left == [
        (0, 50 * MINUTE),
        (65 * MINUTE, 90 * MINUTE),
        (210 * MINUTE, 240 * MINUTE),
        (255 * MINUTE, 300 * MINUTE),
    ]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 80)), max_size=8))
def test_fault_free_time_is_what_a_count_minute_by_minute_gives(spans):
    events = tuple(release(str(n), a, a + d) for n, (a, d) in enumerate(spans))
    unit = Unit("*", ((0, 600 * MINUTE),), events, ())
    total = sum(b - a for a, b in quiet(unit, Manner())) // MINUTE
    free = [m for m in range(600) if not any(a <= m < a + d for a, d in spans)]
    assert total == len(free)


@pytest.mark.parametrize(("n", "low", "high"), [(0, 0.0, 2.996), (7, 2.814, 14.423)])
def test_poisson_intervals(n, low, high):
    assert list(poisson(n)) == pytest.approx([low, high], abs=1e-3)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(17, 17, 0.805, 1.0), (0, 10, 0.0, 0.3085), (10, 14, 0.419, 0.916)]
)
def test_exact_binomial_intervals(k, n, low, high):
    assert list(binomial(k, n)) == pytest.approx([low, high], abs=1e-3)


def test_quantiles_with_misses():
    assert quantile([1.0, 2.0, inf], 0.5) == 2.0
    assert quantile([1.0, inf], 0.5) == inf
    assert quantile([1.0, 3.0], 0.5) == 2.0
    assert isnan(quantile([], 0.5))
    assert median_interval([float(n) for n in range(1, 18)]) == (5.0, 13.0)


def test_gaps_part_what_was_observed():
    at = np.array([0, 1, 2, 10, 11, 30]) * MINUTE
    assert observed(at, 5 * MINUTE) == (
        (0, 2 * MINUTE),
        (10 * MINUTE, 11 * MINUTE),
        (30 * MINUTE, 30 * MINUTE),
    )


PLAN = read_map(
    """
time: {column: time, format: iso}
park: p1
enterprise: e
gateway: g1
tags:
  LI: {name: LI, kind: level, unit: m, limits: {H: 5}, action_min: 15}
  L2: {name: L2, kind: level, unit: m, limits: {H: 5}}
  TI: {name: TI, kind: temperature, unit: °C}
"""
)


def test_the_document_of_crossings_has_the_agreed_shape_and_counts_other_tags_too():
    run = Run(
        PLAN,
        DAYS,
        (crossing("x", 100, 150), crossing("y", 400, 410)),
        (warned(80, 120, "LI"), warned(1000, 1005, "L2"), warned(1100, 1105, "TI")),
    )
    report = Report("golden")
    add_runs(report, [run])
    document = json.loads(json.dumps(report.document()))
    assert document["set"] == "golden"
    assert document["events"][0] == {
        "event": "x", "warned_at": "1970-01-01T01:20:00Z", "lead_s": 1200.0, "by": "LI PREDICT"
    }  # fmt: skip
    assert document["events"][1] == {"event": "y", "warned_at": None, "lead_s": None, "by": None}
    assert document["false_alarms"]["episodes"] == 1
    days = 20 - 60 / 1440
    assert document["fault_free_days"] == pytest.approx(days, abs=1e-6)
    assert document["false_alarms"]["per_tag_day"] == pytest.approx(1 / days, abs=1e-6)
    rows = {row["measure"]: row for row in document["rows"]}
    assert rows["share of 2 crossings warned"]["value"] == 0.5
    assert rows["share of 2 crossings warned"]["met"] is False
    assert rows["median lead of the warned, min"]["value"] == 20
    assert rows["share warned at least the action time ahead"]["value"] == 0.5
    assert set(document["rows"][0]) >= {"goal", "measure", "value", "interval", "target", "met"}


def test_a_missed_event_has_no_time():
    assert Outcome(crossing("x", 1, 2), None).seconds == -inf
