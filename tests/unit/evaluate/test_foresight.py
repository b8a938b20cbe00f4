"""Which crossings could be foreseen, and when a limit is crossed."""

import numpy as np
import pytest

from domain.instant import SECOND
from domain.replay_map import read_map
from hazwatch.evaluate.feed import Feed
from hazwatch.evaluate.foresight import crossings, foreseeable, noise, shortest_s
from hazwatch.evaluate.score import MINUTE, REARM, Event

PLAN = read_map(
    "time: {column: t, format: iso}\npark: p\nenterprise: e\ngateway: g\n"
    "tags: {a: {name: LI, kind: level, unit: m, limits: {L: -10, H: 10}}}\n"
)


def feed(values: np.ndarray) -> Feed:
    noisy = values + 0.2 * np.random.default_rng(3).standard_normal(len(values))
    at = np.arange(len(values), dtype=np.int64) * 60 * SECOND
    return Feed(PLAN, at, noisy[:, None], ("LI",), ())


def event(minute: int) -> Event:
    return Event("x", minute * 60 * SECOND, (minute + 5) * 60 * SECOND, "LI", "crossing:H")


def test_a_slow_rise_could_be_foreseen_and_a_step_could_not():
    minute = np.arange(300.0)
    ramp, jump = np.clip((minute - 150) * 0.1, 0, 11), np.where(minute < 250, 0.0, 11.0)
    assert foreseeable(feed(ramp), event(250), 10)
    assert not foreseeable(feed(jump), event(250), 10)
    assert foreseeable(feed(-ramp), event(250), -10, falling=True)


def test_the_bound_is_that_of_the_page():
    """sigma 5 mm, a sample in 10 s, 20 mm/min, 1e6 samples between false alarms."""
    tau = (6 * np.log(86_400.0) * 25 * 10 / (20 / 60) ** 2) ** (1 / 3)
    assert shortest_s(25.0, 10.0, 20 / 60) == pytest.approx(tau)


def test_noise_does_not_see_a_slope():
    rng = np.random.default_rng(1)
    values = 0.5 * np.arange(2000) + 3 * rng.standard_normal(2000)
    assert noise(values) == pytest.approx(9, rel=0.15)


def test_a_crossing_lasts_until_the_value_is_back_by_the_deadband():
    value = np.array([0, 9, 10, 9.6, 10.2, 9.4, 11, 12.0])
    at = np.arange(len(value), dtype=np.int64) * REARM
    assert crossings(at, value, 10.0, 9.5) == [(2 * REARM, 5 * REARM), (6 * REARM, 7 * REARM)]


def test_the_second_peak_of_a_step_is_no_crossing_of_its_own():
    value = np.array([0, 0, 13.0, 9, 11, 0, 0])
    at = np.arange(len(value), dtype=np.int64) * MINUTE
    assert crossings(at, value, 10.0, 9.5) == [(2 * MINUTE, 5 * MINUTE)]
    far = at.copy()
    far[4:] += REARM
    assert crossings(far, value, 10.0, 9.5) == [(far[2], far[3]), (far[4], far[5])]


def test_what_the_first_reading_finds_beyond_the_limit_did_not_cross_it():
    value = np.array([12.0, 11, 0, 0, 11, 0])
    at = np.arange(len(value), dtype=np.int64) * REARM
    assert crossings(at, value, 10.0, 9.5) == [(4 * REARM, 5 * REARM)]
