"""Physics and noise: hand-calculated cases, and what every other simulation may rely on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import signals


def test_a_tank_of_the_handbook_fills_at_the_rate_of_the_handbook():
    # domain research 7.2, S1: A = 103.9 m², H = 10.7 m; 100 m³/h net raises it by 0.96 m/h
    t = np.array([0.0, 3600.0, 7200.0])
    level = signals.tank_level(t, np.array([0.0]), np.array([150.0]), np.array([50.0]), 103.9, 9.1)
    assert np.diff(level) == pytest.approx([0.9625, 0.9625], abs=1e-3)


def test_a_tank_with_changing_flows_is_continuous_and_stands_still_before_its_start():
    starts = np.array([10.0, 20.0])
    level = signals.tank_level(
        np.array([0.0, 10.0, 15.0, 20.0, 30.0]),
        starts, np.array([3600.0, 0.0]), np.array([0.0, 1800.0]), 2.0, 1.0,
    )  # fmt: skip
    assert level == pytest.approx([1.0, 1.0, 3.5, 6.0, 3.5])


def test_a_detector_shows_nine_tenths_of_a_step_after_its_t90():
    shown = signals.first_order(np.array([0.0, 5.0, 65.0]), 5.0, 60 / 2.3, 0.0, 100.0)
    assert shown == pytest.approx([0.0, 0.0, 90.0], abs=0.1)


def test_noise_has_the_asked_size_and_no_memory():
    noise = signals.white_noise(np.arange(50_000.0), 5, 2.0)
    assert noise.mean() == pytest.approx(0, abs=0.05)
    assert noise.std() == pytest.approx(2.0, rel=0.02)
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.02
    assert not np.array_equal(noise, signals.white_noise(np.arange(50_000.0), 6, 2.0))


def test_noise_is_never_louder_than_it_says():
    assert np.sqrt(-2 * np.log(2.0**-53)) < signals.LOUDEST


@given(st.floats(0, 1e6), st.integers(0, 2**40))
def test_the_noise_of_many_instruments_together_is_that_of_each_alone(elapsed, seed):
    t, seeds, sigmas = np.array([elapsed, 7.0]), seed + np.arange(3), np.array([0.1, 1.0, 5.0])
    together = signals.white_noise(t[:, None], seeds, sigmas)
    for n, (own, sigma) in enumerate(zip(seeds, sigmas, strict=True)):
        alone = signals.white_noise(t, int(own), float(sigma))
        assert together[:, n] == pytest.approx(alone, rel=1e-12)
