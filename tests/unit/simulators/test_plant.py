"""The demonstration plant: sound physics, the same for the same seed, one incident a cycle."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Kind
from domain.plant import TagKind
from domain.policy import deadband
from domain.site import read_site
from simulators import signals
from simulators.plant import CYCLE_S, OPERATOR_REACTS_S, readings, values
from tests.support.builders import START

SITE = read_site((Path(__file__).parents[3] / "deploy/sites/demo.yaml").read_text("utf-8"))
TAGS = {
    entry.name: entry.tag(n, 1, 1, 1, START)
    for n, entry in enumerate(tag for source in SITE.enterprises[0].sources for tag in source.tags)
}
T = np.arange(0.0, 2 * CYCLE_S)


def test_it_sends_exactly_the_tags_of_its_site():
    assert set(readings(T[:1], 1)) == set(TAGS) == set(values(0.0, 1))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_reading_stays_within_the_range_of_its_instrument(seed):
    for name, shown in readings(T, seed).items():
        span = TAGS[name].range
        if span is not None:
            assert shown.min() >= span[0], name
            assert shown.max() <= span[1], name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_but_the_day_tank_leaves_its_limits_in_a_day(seed):
    day = np.arange(0.0, 86_400.0, 7.0)
    for name, shown in readings(day, seed).items():
        limits = TAGS[name].limits
        if name != "LT-101":
            assert all(shown.max() < limits[kind] for kind in (Kind.H, Kind.HH) if kind in limits)
            assert all(shown.min() > limits[kind] for kind in (Kind.L, Kind.LL) if kind in limits)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_day_tank_passes_h_then_hh_and_returns_after_the_operator_reacts(seed):
    level = readings(T[T < CYCLE_S], seed)["LT-101"]
    tag = TAGS["LT-101"]
    above = {kind: np.flatnonzero(level >= tag.limits[kind]) for kind in (Kind.H, Kind.HH)}
    clear = {kind: level < tag.limits[kind] - deadband(tag, kind) for kind in above}
    assert above[Kind.H][0] < above[Kind.HH][0] < OPERATOR_REACTS_S
    for kind, when in above.items():
        assert len(when) > 20, "long enough for a delay of 5 s, with margin"
        assert np.all(np.diff(when) <= 2), "one passage, not several"
        assert clear[kind][when[-1] + 3 :].all()
    assert level[-1] == pytest.approx(level[0], abs=0.5)


def test_levels_follow_from_the_flows():
    shown = readings(T[T < CYCLE_S], 1)
    balance = np.cumsum(shown["FT-101"] - shown["FT-102"]) / 3600 / 1.0 / 2.0 * 100
    assert np.abs(shown["LT-101"] - shown["LT-101"][0] - balance).max() < 3


@given(st.floats(0, 1e6), st.integers(0, 2**40))
def test_a_reading_depends_on_time_and_seed_alone(elapsed, seed):
    alone = readings(np.array([elapsed]), seed)
    among = readings(np.array([3.0, elapsed, 7.0]), seed)
    assert all(alone[name][0] == among[name][1] for name in alone)


def test_states_are_sent_as_bools_and_quantities_as_numbers():
    sent = values(10.0, 1)
    digital = {TagKind.FIRE, TagKind.INTERLOCK, TagKind.STATE, TagKind.VALVE}
    assert all(isinstance(sent[name], bool) == (TAGS[name].kind in digital) for name in sent)


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
