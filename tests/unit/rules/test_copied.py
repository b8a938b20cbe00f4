"""COPIED: two days that are equal while they move; and the plain reading of it agrees."""

from math import isfinite, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.health import health_model
from rules.copied import compare, suspects
from tests.support.clean_plant import INTERVAL_S, CleanPlant

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


@pytest.mark.parametrize("tick", [0.01, 0.05])
def test_a_copy_that_was_rounded_once_more_is_found(tick: float):
    before = noisy()
    today = np.round(before / tick) * tick
    assert verdict(today, before) == "copied"
    assert suspects(today[None, -RULE.probe :], before[None, -RULE.probe :], RULE)[0]


@pytest.mark.parametrize("shift", [-10, -3, 1, 10])
def test_a_copy_that_comes_some_minutes_earlier_or_later_is_found(shift: int):
    both = noisy(DAY + 20)
    before, today = both[10:-10], both[10 - shift : DAY + 10 - shift]
    found = compare(today[None], before[None], RULE)
    assert found.copied[0]
    assert found.shift[0] == shift
    assert suspects(today[None, -RULE.probe :], before[None, -RULE.probe :], RULE)[0]


def timer(period: int) -> np.ndarray:
    """Switched by the clock, so that it is alike each day: noise is small beside the pulses."""
    return 10.0 * (np.arange(DAY) % period < period // 2) + rng.normal(0, 0.02, DAY)


@pytest.mark.parametrize("period", [2, 3, 5, 15, 60, 240, 720])
def test_a_timer_is_none_unless_it_is_copied_exactly(period: int):
    day = timer(period)
    assert verdict(timer(period), day) != "copied"
    assert verdict(np.round(timer(period), 1), np.round(timer(period), 1)) != "copied"
    assert verdict(day, day) == "copied"


@pytest.mark.parametrize("digits", [0, 1, 2, 3])
def test_healthy_gauges_of_any_resolution_are_none(digits: int):
    """A slow wave and noise of 0.1, rounded: alike each day where little is left of the noise."""
    assert verdict(np.round(noisy(), digits), np.round(noisy(), digits)) != "copied"


def test_two_days_of_a_healthy_plant_are_none():
    minute = int(60 / INTERVAL_S)
    values = CleanPlant(3, 2, seed=8).values
    means = values.reshape(2, DAY, minute, -1).mean(axis=2)
    before, today = means.transpose(0, 2, 1)
    assert not compare(today, before, RULE).copied.any()
    assert compare(today, today, RULE).copied.mean() > 0.5


def slow(today: list[float], before: list[float]) -> str:
    """Of all shifts the one with the most equal minutes; one minute after the other."""
    nothing = [nan] * RULE.shift
    best, said = -1, ""
    tolerance, moves = tolerances(before)
    turned = [n > 1 and isfinite(turn(before, n)) and turn(before, n) > moves for n in range(DAY)]
    for shift in sorted(range(-RULE.shift, RULE.shift + 1), key=abs):
        away = slice(RULE.shift - shift, RULE.shift - shift + DAY)
        then = (nothing + before + nothing)[away]
        moved = ([False] * RULE.shift + turned + [False] * RULE.shift)[away]
        same, verdict = shifted(today, then, moved, tolerance)
        if same > best:
            best, said = same, verdict
    return said


def turn(values: list[float], n: int) -> float:
    return abs(values[n] - 2 * values[n - 1] + values[n - 2])


def tolerances(before: list[float]) -> tuple[float, float]:
    """How far equal minutes may differ, and how far one that moved turns at least."""
    exact = RULE.rounding * max((abs(b) for b in before if isfinite(b)), default=0)
    turns = sorted(t for n in range(2, DAY) if isfinite(t := turn(before, n)))
    tick = RULE.tick * turns[len(turns) // 2] if turns else 0
    for period in range(1, RULE.cycle + 1):
        apart = [abs(before[n] - before[n - period]) for n in range(period, DAY)]
        apart = [one for one in apart if isfinite(one)]
        if sum(one <= tick for one in apart) >= RULE.periodic * max(len(apart), 1):
            return exact, 4 * exact
    return max(exact, tick), max(4 * exact, 2 * tick)


def shifted(
    today: list[float], before: list[float], moves: list[bool], tolerance: float
) -> tuple[int, str]:
    matched = same = moved = recent = differ = 0
    for n in reversed(range(DAY)):
        if not (isfinite(today[n]) and isfinite(before[n])):
            continue
        equal = abs(today[n] - before[n]) <= tolerance
        if n >= DAY - RULE.recent:
            recent += 1
            differ += not equal
        if matched < RULE.matched:
            matched += 1
            same += equal
            moved += moves[n]
    if recent >= RULE.recent // 2 and recent - differ < (1 - RULE.differs) * recent:
        return same, "differs"
    enough = matched >= RULE.matched and moved >= RULE.moves
    return same, "copied" if enough and same >= RULE.equal * matched else "unknown"


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 0.5, 0.75]), st.booleans())
@settings(max_examples=60)
def test_it_agrees_with_the_reference(seed: int, gaps: float, is_copy: bool):
    chance = np.random.default_rng(seed)
    before = np.cumsum(chance.integers(-2, 3, DAY) * (chance.random(DAY) < 0.5)).astype(float)
    if chance.random() < 0.5:
        before += chance.normal(0, 0.5, DAY)
    today = before.copy() if is_copy else chance.permutation(before)
    today = np.roll(today, chance.integers(-3, 4))
    today += chance.normal(0, 0.02, DAY) * (chance.random() < 0.5)
    today[chance.random(DAY) < chance.choice([0.0, 0.005, 0.02, 0.6])] += 1
    today[chance.random(DAY) < gaps] = nan
    before[chance.random(DAY) < gaps / 2] = nan
    assert verdict(today, before) == slow(today.tolist(), before.tolist())
