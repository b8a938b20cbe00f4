from fractions import Fraction
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from domain.instant import SECOND
from ingest.quota import Allowance, Quota

RATES = st.sampled_from([1.0, 3.0, 1000.0, 50_000.0, 7.5])
STEPS = st.lists(
    st.tuples(st.integers(0, 30 * SECOND), st.integers(0, 100_000), st.integers(0, 1_000_000)),
    max_size=40,
)


def bucket_waits(rates, burst_s, steps):
    """Two buckets in exact fractions that may go into debt: the wait before each step, in µs."""
    levels, waits = [Fraction(rate) * Fraction(burst_s) for rate in rates], []
    full = list(levels)
    for passed, *amounts in steps:
        for n, (rate, amount) in enumerate(zip(rates, amounts, strict=True)):
            levels[n] = min(full[n], levels[n] + Fraction(rate) * passed / SECOND)
            levels[n] -= amount
        debts = [
            max(Fraction(0), -level) / Fraction(rate)
            for level, rate in zip(levels, rates, strict=True)
        ]
        waits.append(max(debts) * SECOND)
    return waits


@given(RATES, RATES, st.sampled_from([0.5, 1.0, 20.0]), STEPS)
def test_it_is_a_pair_of_buckets_that_may_go_into_debt(values, size, burst_s, steps):
    quota, at, waits = Quota(Allowance(values, size, burst_s)), 0, []
    for passed, some, more in steps:
        at += passed
        quota.charge(at, values=some, size=more)
        waits.append(quota.wait(at))
    expected = bucket_waits((values, size), burst_s, steps)
    assert all(
        0 <= wait - exact <= len(steps) + 1 for wait, exact in zip(waits, expected, strict=True)
    )


@given(RATES, STEPS)
def test_after_the_wait_that_was_told_there_is_none(rate, steps):
    quota, at = Quota(Allowance(rate, rate, 2.0)), 0
    for passed, values, size in steps:
        at += passed
        quota.charge(at, values=values, size=size)
        wait = quota.wait(at)
        assert quota.wait(at + wait) == 0
        assert wait == 0 or quota.wait(at + wait - 1) == 1


@given(RATES, st.lists(st.integers(1, 5000), min_size=1, max_size=50))
def test_one_who_waits_as_told_gets_everything_in_and_no_more_than_allowed(rate, messages):
    quota, at, came = Quota(Allowance(rate, 1e12, 2.0)), 0, []
    for values in messages:
        at += quota.wait(at)
        quota.charge(at, values=values)
        came.append((at, values))
    for (when, _), sent in zip(came[1:], accumulate(values for _, values in came), strict=False):
        # All before this message fit into what had been allowed when it was let in.
        assert sent <= rate * (2.0 + when / SECOND) + 1e-6


def test_a_message_larger_than_the_burst_passes_and_the_next_one_pays():
    quota = Quota(Allowance(100, 1e9, 1.0))
    assert quota.wait(0) == 0
    quota.charge(0, values=1000)
    assert quota.wait(0) == 9 * SECOND
    assert quota.wait(9 * SECOND) == 0


def test_silence_saves_up_no_more_than_the_burst():
    quota = Quota(Allowance(100, 1e9, 1.0))
    quota.charge(1000 * SECOND, values=100)
    assert quota.wait(1000 * SECOND) == 0
    quota.charge(1000 * SECOND, values=100)
    assert quota.wait(1000 * SECOND) == SECOND
