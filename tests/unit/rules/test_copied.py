"""COPIED: two days that are equal while they move; and the plain reading of it agrees."""

from math import isfinite, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.health import health_model
from rules.copied import compare, suspects

RULE = health_model().copied
DAY = 1440
rng = np.random.default_rng(11)


def noisy(n: int = DAY, sigma: float = 0.1) -> np.ndarray:
    return 50 + 5 * np.sin(np.arange(n) / 200) + rng.normal(0, sigma, n)


def verdict(today: np.ndarray, before: np.ndarray) -> str:
    found = compare(today[None], before[None], RULE)
    return "copied" if found.copied[0] else "differs" if found.differs[0] else "unknown"


def test_the_day_before_again_is_found():
    day = noisy()
    assert verdict(day, day) == "copied"
    assert suspects(day[None, -RULE.probe :], day[None, -RULE.probe :], RULE)[0]


def test_a_process_on_a_schedule_is_none():
    assert verdict(noisy(), noisy()) == "differs"
    assert not suspects(noisy(RULE.probe)[None], noisy(RULE.probe)[None], RULE)[0]


def test_a_schedule_that_is_almost_without_noise_is_none():
    assert verdict(noisy(sigma=0.001), noisy(sigma=0.001)) == "differs"


def test_standing_still_says_nothing():
    assert verdict(np.full(DAY, 50.0), np.full(DAY, 50.0)) == "unknown"
    steps = np.repeat([10.0, 20.0, 15.0, 30.0], DAY // 4)
    assert verdict(steps, steps) == "unknown"


def test_gaps_of_either_day_do_not_matter():
    today, before = (day := noisy()).copy(), day.copy()
    today[rng.random(DAY) < 0.3] = nan
    before[rng.random(DAY) < 0.2] = nan
    assert verdict(today, before) == "copied"


def test_too_few_minutes_say_nothing():
    day = noisy()
    few = np.where(np.arange(DAY) < DAY - 200, nan, day)
    assert verdict(few, day) == "unknown"
    assert verdict(np.full(DAY, nan), day) == "unknown"


def test_values_rounded_once_more_on_the_way_are_the_same():
    day = noisy()
    assert verdict(day.astype(np.float32).astype(np.float64), day) == "copied"


def test_it_begins_where_the_days_begin_to_be_equal():
    before = noisy()
    today = before.copy()
    today[:700] += 1.0
    found = compare(today[None], before[None], RULE)
    assert found.copied[0]
    assert found.since[0] == 700


def test_two_hours_of_its_own_end_it():
    before = noisy()
    today = before.copy()
    today[-90:] += 1.0
    assert verdict(today, before) == "differs"
    today[-90:-50] = before[-90:-50]
    assert verdict(today, before) == "unknown"


@pytest.mark.parametrize("wild", [np.inf, -np.inf, 1e308, -1e308])
def test_wild_readings_raise_nothing_by_themselves(wild: float):
    day = noisy()
    day[::7] = wild
    assert verdict(day, day) in ("copied", "unknown")
    assert verdict(day, noisy()) != "copied"


def slow(today: list[float], before: list[float]) -> str:
    """One minute after the other, from the newest back."""
    largest = max(
        (abs(b) for t, b in zip(today, before, strict=True) if isfinite(t) and isfinite(b)),
        default=0,
    )
    rounding = RULE.rounding * largest
    matched = same = moved = recent = differ = 0
    for n in reversed(range(len(today))):
        if not (isfinite(today[n]) and isfinite(before[n])):
            continue
        equal = abs(today[n] - before[n]) <= rounding
        if n >= len(today) - RULE.recent:
            recent += 1
            differ += not equal
        if matched < RULE.matched:
            matched += 1
            same += equal
            moved += (
                n > 0
                and isfinite(before[n - 1])
                and abs(before[n] - before[n - 1]) > (4 * rounding)
            )
    if recent >= RULE.recent // 2 and recent - differ < (1 - RULE.differs) * recent:
        return "differs"
    enough = matched >= RULE.matched and moved >= RULE.moves
    return "copied" if enough and same >= RULE.equal * matched else "unknown"


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 0.5, 0.75]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_it_agrees_with_the_reference(seed: int, gaps: float, is_copy: bool):
    chance = np.random.default_rng(seed)
    before = np.cumsum(chance.integers(-2, 3, DAY) * (chance.random(DAY) < 0.5)).astype(float)
    today = before.copy() if is_copy else chance.permutation(before)
    today[chance.random(DAY) < chance.choice([0.0, 0.005, 0.02, 0.6])] += 1
    today[chance.random(DAY) < gaps] = nan
    before[chance.random(DAY) < gaps / 2] = nan
    assert verdict(today, before) == slow(today.tolist(), before.tolist())
