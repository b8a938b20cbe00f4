"""What can fake a rate of change, and what cannot: wild readings, steps, ramps with both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Kind
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from rules.compiling import compile_plan
from rules.engine import step
from rules.plan import Plan
from rules.state import RuleState
from tests.support.builders import START, registry, tag

LIMIT, WINDOW_S = 2.0, 30
"""Kelvin per minute: 1 K from window to window."""
WINDOWS = 12
SIZES = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([1.0, -1.0, 1.3, 2.0, -2.6, 4.0, 40.0, 1e300, -1e300])
)


def plan_of(samples: int) -> Plan:
    """A temperature with so many readings in each window of 30 s."""
    interval = WINDOW_S / samples
    one = tag(1, rate_per_min=LIMIT, rate_window_s=float(WINDOW_S), interval_s=interval, range=None)
    return compile_plan(registry(one))


PLANS = {samples: plan_of(samples) for samples in (1, 2, 3, 5, 10)}


def rates(samples: int, values: np.ndarray) -> list[tuple[Edge, float]]:
    """What a series finds of ROC: (edge, windows from the start to its effective time)."""
    plan, state = PLANS[samples], RuleState.fresh(PLANS[samples], micros(START))
    at = micros(START) + np.arange(len(values)) * (WINDOW_S * SECOND // samples)
    end = int(at[-1]) + 2 * WINDOW_S * SECOND
    frame = Frame.of(np.ones(len(values), np.int32), at, values, received=int(at[-1]))
    found = step(plan, state, frame, moment(end))
    return [
        (f.edge, (micros(f.effective) - micros(START)) / SECOND / WINDOW_S)
        for f in found
        if f.kind is Kind.ROC
    ]


def calm(samples: int, slope: float) -> np.ndarray:
    """Readings that change by a share of the limit."""
    return 60.0 + slope * np.arange(samples * WINDOWS) / samples


@given(st.sampled_from([2, 3, 5, 10]), st.integers(10, 40), SIZES, st.integers(1, 3))
@settings(max_examples=300)
def test_a_spike_of_up_to_three_readings_is_no_rate(
    samples: int, first: int, size: float, length: int
):
    values = calm(samples, 0.0)
    begin = first % (len(values) - 4)
    values[begin : begin + length] += size
    assert rates(samples, values) == []


@given(st.sampled_from([3, 5, 10]), st.integers(1, 8), st.data())
@settings(max_examples=300)
def test_wild_readings_in_less_than_half_of_two_neighbouring_windows_are_no_rate(
    samples: int, window: int, data: st.DataObject
):
    values = calm(samples, 0.0)
    for begin in (window * samples, (window + 1) * samples):
        places = st.sets(st.integers(begin, begin + samples - 1), max_size=(samples - 1) // 2)
        for place in data.draw(places):
            values[place] += data.draw(SIZES)
    assert rates(samples, values) == []


@given(st.sampled_from([1, 2, 3, 5, 10]), SIZES, st.integers(4, 40))
@settings(max_examples=200)
def test_one_wild_reading_is_no_rate_whatever_the_window(samples: int, size: float, place: int):
    values = calm(samples, 0.0)
    values[place % len(values)] += size
    assert rates(samples, values) == []


@given(st.sampled_from([2, 3, 5, 10]), st.integers(0, 60), st.sampled_from([5.0, -5.0, 40.0, -1e6]))
@settings(max_examples=200)
def test_a_step_that_stays_is_told_or_is_over_within_one_window(
    samples: int, place: int, size: float
):
    """A step is a change of one window, or of two where it falls inside of one: never of three."""
    values = calm(samples, 0.0)
    place = samples + place % (samples * (WINDOWS - 6))
    values[place:] += size
    found = rates(samples, values)
    assert [edge for edge, _ in found] in ([], [Edge.RAISED, Edge.RETURNED])
    if found:
        assert found[0][1] <= place // samples + 2


@given(st.sampled_from([1, 2, 3, 5, 10]), st.floats(1.05, 50), st.sampled_from([1, -1]))
@settings(max_examples=200)
def test_a_ramp_is_told_by_its_third_window(samples: int, slope: float, sign: int):
    values = calm(samples, 0.0)
    begin = 3 * samples
    values[begin:] += sign * slope * np.arange(len(values) - begin) / samples
    found = rates(samples, values)
    assert found[0][0] is Edge.RAISED
    assert found[0][1] <= 6


@given(st.sampled_from([3, 5, 10]), st.floats(1.2, 20), st.sampled_from([1, -1]), SIZES, st.data())
@settings(max_examples=200)
def test_a_wild_reading_delays_the_alarm_of_a_ramp_by_two_windows_at_the_most(
    samples: int, slope: float, sign: int, size: float, data: st.DataObject
):
    values = calm(samples, 0.0)
    begin = 3 * samples
    values[begin:] += sign * slope * np.arange(len(values) - begin) / samples
    values[data.draw(st.integers(begin, begin + 3 * samples - 1))] += size
    found = rates(samples, values)
    assert found
    assert found[0][0] is Edge.RAISED
    assert found[0][1] <= 8


@pytest.mark.parametrize("samples", [2, 3, 10])
@pytest.mark.parametrize("slope", [0.85, -0.85])
def test_a_ramp_below_the_limit_is_none_with_a_spike_on_top_either(samples: int, slope: float):
    for first in range(samples, samples * 3):
        for size in (3.0, -3.0, 100.0):
            values = calm(samples, slope)
            values[first] += size
            assert rates(samples, values) == []


@given(st.floats(0.9, 1.85), st.integers(0, 9))
def test_slow_steps_of_a_coarse_gauge_are_no_rate(height: float, phase: int):
    """A step each five windows, as a coarse converter makes of a slow rise: height below 1 K."""
    values = 60.0 + height * ((np.arange(10 * WINDOWS) + phase) // 50)
    assert rates(10, values) == []
