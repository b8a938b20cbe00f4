from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instant import SECOND
from rules import thinning
from rules.thinning import enough
from tests.support.uncompiled import uncompiled

NAN = float("nan")
LONGEST = 60 * SECOND
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.1, 1.2, 5.0, NAN, float("inf"), 1e-300, 1e200]),
    st.floats(-10, 10),
    st.floats(-1e9, 1e9),
)
STEPS = st.sampled_from([1, 7, SECOND, SECOND, SECOND, 5 * SECOND, 61 * SECOND, 3600 * SECOND])
ODD = st.lists(
    st.tuples(STEPS, VALUES, st.sampled_from([192, 192, 192, 192, 64]), st.booleans()),
    min_size=1,
    max_size=60,
)
WALKS = st.lists(st.integers(-2, 2), min_size=3, max_size=30).map(
    lambda moves: [(SECOND, v / 2, 192, False) for v in [99, -99, *np.cumsum(moves).tolist()]]
)
"""After two extremes that stay in any case."""
SERIES = st.one_of(ODD, WALKS)
WIDTHS = st.sampled_from([0.0, 0.0, 0.05, 1.0, 1.0, 3.0, 1e6])


@pytest.fixture(autouse=True, scope="module")
def compiled_already():
    """Compiling takes longer than a test may."""
    enough(
        np.arange(1), np.zeros(1), np.zeros(1, np.int32), np.zeros(1, np.bool_),
        deadband=0.0, deviation=0.0, longest=1,
    )  # fmt: skip


def thinned(series, deadband: float, deviation: float):
    steps, values, kinds, wanted = zip(*series, strict=True)
    time = np.cumsum(np.array(steps, np.int64))
    value, kind = np.array(values), np.array(kinds, np.int32)
    always = np.array(wanted) & (np.arange(len(wanted)) % 7 == 0)
    keep = enough(
        time, value, kind, always, deadband=deadband, deviation=deviation, longest=LONGEST
    )
    return time, value, kind, always, keep


def off(time, value, keep, i: int) -> Fraction:
    """How far the line between the kept neighbours passes from a sample, in exact numbers."""
    left = int(np.flatnonzero(keep[:i])[-1])
    right = i + 1 + int(np.flatnonzero(keep[i + 1 :])[0])
    begin, end = Fraction(value[left]), Fraction(value[right])
    share = Fraction(int(time[i] - time[left]), int(time[right] - time[left]))
    return abs(begin + (end - begin) * share - Fraction(value[i]))


@given(SERIES, WIDTHS, WIDTHS)
@settings(max_examples=1500)
def test_what_goes_is_never_further_from_the_line_between_kept_samples_than_was_said(
    series, deadband, deviation
):
    time, value, kind, always, keep = thinned(series, deadband, deviation)
    bound = Fraction(deadband) + Fraction(deviation)
    for i in np.flatnonzero(~keep).tolist():
        neighbours = np.flatnonzero(keep[:i])[-1], i + 1 + np.flatnonzero(keep[i + 1 :])[0]
        assert all(kind[n] == kind[i] for n in neighbours)
        assert all(np.isfinite(value[n]) == np.isfinite(value[i]) for n in neighbours)
        if np.isfinite(value[i]):
            assert off(time, value, keep, i) <= bound
    assert keep[always].all()


@given(SERIES, WIDTHS, WIDTHS)
def test_ends_extremes_changes_and_gaps_stay_and_none_appears(series, deadband, deviation):
    time, value, kind, _, keep = thinned(series, deadband, deviation)
    assert keep[0]
    assert keep[-1]
    finite = np.isfinite(value)
    if finite.any():
        assert value[keep & finite].min() == value[finite].min()
        assert value[keep & finite].max() == value[finite].max()
    changed = np.flatnonzero((np.diff(kind) != 0) | (np.diff(finite.astype(int)) != 0))
    assert keep[changed].all()
    assert keep[changed + 1].all()
    gaps = np.diff(time) > LONGEST
    assert (np.diff(time[keep]) > LONGEST).sum() == gaps.sum()


def test_a_slow_sine_with_noise_below_the_deviation_needs_few_samples():
    n = 86_400
    time = np.arange(n, dtype=np.int64) * SECOND
    rng = np.random.default_rng(3)
    value = 5 + np.sin(np.arange(n) / 3000) + rng.normal(0, 0.01, n)
    keep = enough(
        time, value, np.zeros(n, np.int32), np.zeros(n, np.bool_),
        deadband=0.0, deviation=0.1, longest=600 * SECOND,
    )  # fmt: skip
    drawn = np.interp(time, time[keep], value[keep])
    assert np.abs(drawn - value).max() <= 0.1 + 1e-12
    assert keep.sum() < n / 100


def test_switches_keep_both_sides_of_every_change():
    time = np.arange(100, dtype=np.int64) * SECOND
    value = np.where((np.arange(100) // 30) % 2, 1.0, 0.0)
    keep = enough(
        time, value, np.zeros(100, np.int32), np.zeros(100, np.bool_),
        deadband=0.0, deviation=0.0, longest=3600 * SECOND,
    )  # fmt: skip
    assert np.flatnonzero(keep).tolist() == [0, 29, 30, 59, 60, 89, 90, 99]


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_what_is_short_stays(values):
    n = len(values)
    keep = enough(
        np.arange(n), np.array(values, float), np.zeros(n, np.int32), np.zeros(n, np.bool_),
        deadband=9.0, deviation=9.0, longest=LONGEST,
    )  # fmt: skip
    assert keep.all()


@given(SERIES, WIDTHS, WIDTHS)
def test_the_compiled_loop_is_the_plain_one(series, deadband, deviation):
    keep = thinned(series, deadband, deviation)[-1]
    with uncompiled(thinning):
        plain = thinned(series, deadband, deviation)[-1]
    assert keep.tolist() == plain.tolist()
