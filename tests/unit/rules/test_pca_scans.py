"""Stored samples become the very scans that the layer judges; and what an account of them says."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frame import Frame
from domain.instant import SECOND, moment
from domain.pca import number
from rules.compiling import compile_plan
from rules.engine import step
from rules.pca_account import account
from rules.pca_fit import independent
from rules.pca_scans import Samples, last_of, scanning, scans
from rules.pca_statistics import statistics
from rules.state import RuleState
from tests.unit.rules.test_pca import EVERY, MODEL, ZERO, P, plant, running

INTERVAL = round(EVERY * SECOND)


@st.composite
def histories(draw: st.DrawFn) -> list[Samples]:
    """Good samples of each member: most every minute, some with gaps, one slow."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    gap = draw(st.sampled_from([0.0, 0.1, 0.6]))
    out = []
    for member in range(P):
        every = 300 if member == P - 1 else 60
        at = np.arange(0, 3600, every) + rng.integers(0, 50, 3600 // every)
        if draw(st.booleans()):
            at = np.union1d(at, at + rng.integers(1, 50, len(at)))
        at = at[rng.random(len(at)) >= gap]
        times = ZERO // INTERVAL * INTERVAL + at * SECOND + member
        out.append((times, 50 + rng.standard_normal(len(at))))
    return out


def judged(history: list[Samples]) -> np.ndarray:
    """What the layer hands to its statistics, fed sample by sample and ended by a tick."""
    members = [replace(one, interval_s=EVERY) for one in plant().tags.values()]
    members[-1] = replace(members[-1], interval_s=300.0)
    registry = replace(plant(), tags={one.id: one for one in members})
    plan = compile_plan(registry)
    state = RuleState.fresh(plan, ZERO)
    seen: list[np.ndarray] = []

    def spied(model: Any, values: np.ndarray, there: np.ndarray) -> Any:
        seen.append(np.where(there, values, np.nan))
        return statistics(model, values, there)

    stream = sorted(
        (int(t), m, float(v)) for m in range(P) for t, v in zip(*history[m], strict=True)
    )
    with patch("rules.pca.statistics", spied):
        for at, member, value in stream:
            step(plan, state, Frame.of([member + 1], [at], [value], received=at), moment(at))
        if stream:
            step(plan, state, None, moment(stream[-1][0] + 10 * INTERVAL))
    return np.array(seen).reshape(-1, P)


@given(histories())
@settings(max_examples=40)
def test_they_are_the_scans_that_the_layer_judges(history):
    tags = [replace(one, interval_s=EVERY) for one in plant().tags.values()]
    tags[-1] = replace(tags[-1], interval_s=300.0)
    how = scanning(tags)
    first = ZERO // INTERVAL
    whole = scans(how, history, first, 62)
    few = np.isnan(whole).sum(axis=1) > number("statistic", "missing") * P
    np.testing.assert_array_equal(judged(history), whole[~few])


@given(histories(), st.integers(1, 59))
@settings(max_examples=30)
def test_they_are_the_same_in_parts(history, cut):
    how = scanning(list(plant().tags.values()))
    first = ZERO // INTERVAL
    held: list[Samples] = [(np.zeros(0, np.int64), np.zeros(0))] * P
    parts = []
    for begin, count in ((0, cut), (cut, 60 - cut)):
        low, high = (first + begin) * INTERVAL, (first + begin + count) * INTERVAL
        for n, (at, value) in enumerate(history):
            inside = (at >= low) & (at < high)
            held[n] = last_of(held[n], at[inside], value[inside])
        parts.append(scans(how, held, first + begin, count))
    np.testing.assert_array_equal(np.concatenate(parts), scans(how, history, first, 60))


def test_no_samples_are_no_scans():
    how = scanning(list(plant().tags.values()))
    nothing: list[Samples] = [(np.zeros(0, np.int64), np.zeros(0))] * P
    assert scans(how, nothing, 0, 100).shape == (0, P)


def test_an_account_of_normal_running_has_what_the_model_kept_and_no_alarm():
    told = account(MODEL, running(1500))
    assert told.scans == 1500
    assert len(told.explained) == 2
    assert 0.8 < sum(told.explained) < 1
    assert told.alarmed == 0
    assert told.t2.max() < 1 > told.spe.max()


def test_an_account_tells_what_would_have_alarmed_and_leaves_gaps_out():
    scans_ = running(1500)
    scans_[700:800, 3] += 6.0
    scans_[5, 0] = np.nan
    told = account(MODEL, scans_)
    assert told.scans == 1499
    assert 0.05 < told.alarmed < 0.1


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9, 0.99])
def test_independent_scans_are_counted_as_by_the_textbook(memory):
    rng = np.random.default_rng(3)
    values = np.zeros(2000)
    for n in range(1, 2000):
        values[n] = memory * values[n - 1] + rng.standard_normal()
    away, longest = values - values.mean(), 1.0
    for lag in range(1, 500):
        r = sum(away[n] * away[n - lag] for n in range(lag, 2000)) / sum(away**2)
        if r < 0.05:
            break
        longest += 2 * r
    assert independent(values) == pytest.approx(2000 / longest)
    assert independent(np.ones(50)) == 50
