from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from api.throttle import PER_ADDRESS, PER_NAME, LoginThrottle
from tests.support.builders import START, at


def test_after_the_burst_a_name_waits_for_one_more_try():
    throttle = LoginThrottle()
    assert [throttle.take("li", "10.0.0.1", START) for _ in range(PER_NAME.burst)] == [0] * 5
    assert throttle.take("li", "10.0.0.1", START) == PER_NAME.refill_s
    assert throttle.take("li", "10.0.0.1", at(PER_NAME.refill_s)) == 0


def test_somebody_elsewhere_is_not_locked_out_by_it():
    throttle = LoginThrottle()
    for _ in range(9):
        throttle.take("li", "10.0.0.1", START)
    assert throttle.take("li", "10.0.0.2", START) == 0


def test_many_names_from_one_address_are_braked_too():
    throttle = LoginThrottle()
    waits = [throttle.take(f"name{n}", "10.0.0.1", START) for n in range(PER_ADDRESS.burst + 1)]
    assert waits[:-1] == [0] * PER_ADDRESS.burst
    assert waits[-1] == PER_ADDRESS.refill_s


def test_logins_that_succeed_use_nothing_up():
    throttle = LoginThrottle()
    for _ in range(200):
        assert throttle.take("li", "10.0.0.1", START) == 0
        throttle.succeeded("li", "10.0.0.1", START)


def test_memory_is_bounded():
    throttle = LoginThrottle(keep=100)
    for n in range(1000):
        throttle.take(f"name{n}", f"10.0.{n // 250}.{n % 250}", START)
    assert len(throttle) <= 100


@given(st.lists(st.floats(0, 100), max_size=60))
def test_tries_never_exceed_burst_and_refill(pauses: list[float]):
    throttle, now, allowed = LoginThrottle(), START, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        allowed += throttle.take("li", "10.0.0.1", now) == 0
    elapsed = (now - START).total_seconds()
    assert allowed <= PER_NAME.burst + elapsed / PER_NAME.refill_s + 1e-6
