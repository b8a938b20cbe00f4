"""How late what the broker holds back is, by clocks that are wrong by up to a minute."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import SECOND
from ingest.clocks import GatewayClock, What
from ingest.lag import FRESH, Paces

NOW = 1_795_248_000 * SECOND


class Gateway:
    """Sends once a second by a clock that is `error` seconds fast; judged `late` seconds after."""

    def __init__(self, error: float = 0.0) -> None:
        self.error = error
        self.paces = Paces()
        self.at = 0.0

    def say(self, seconds: int, late: float, step: float = 0.0, **more) -> float:
        for _ in range(seconds):
            self.at += 1
            late += step
            sent = NOW + round((self.at - late + self.error) * SECOND)
            clock = replace(GatewayClock(sent=sent), **more)
            self.paces.heard(1, clock, NOW + round(self.at * SECOND))
        return self.late()

    def late(self, later: float = 0.0) -> float:
        return self.paces.late(1, NOW + round((self.at + later) * SECOND)) / SECOND


@pytest.mark.parametrize("error", [-55.0, 0.0, 55.0])
def test_a_clock_that_is_wrong_by_less_than_a_minute_is_no_lag(error: float):
    gateway = Gateway(error)
    assert gateway.say(600, 0.1) == pytest.approx(0, abs=0.2)
    assert gateway.say(40, 0.1, step=0.5) == pytest.approx(20, abs=0.2)
    assert gateway.say(10, 0.1) == pytest.approx(0, abs=0.2)


def test_an_old_backlog_after_a_start_is_late_by_what_no_clock_explains():
    assert Gateway().say(10, 3600) == pytest.approx(3540)


def test_a_clock_that_is_set_back_is_no_lag():
    gateway = Gateway(20.0)
    gateway.say(100, 0.1)
    gateway.error = 0.0
    assert gateway.say(100, 0.1) == pytest.approx(0, abs=0.2)


def test_a_lag_goes_on_where_a_clock_is_set_back_meanwhile():
    gateway = Gateway(20.0)
    gateway.say(100, 0.1)
    assert gateway.say(30, 0.1, step=0.5) == pytest.approx(15)
    gateway.error = 0.0
    assert gateway.say(5, 15.1) == pytest.approx(15, abs=1.1)


def test_of_a_wrong_clock_and_of_one_that_tells_nothing_nothing_is_known():
    gateway = Gateway()
    assert gateway.say(5, 500, held=What.WRONG) == 0
    assert gateway.say(5, 500, sent=None) == 0
    assert gateway.say(5, 500) == pytest.approx(440)


def test_who_says_no_more_is_late_no_longer():
    gateway = Gateway()
    gateway.say(5, 500)
    assert gateway.late(FRESH / SECOND) > 0
    assert gateway.late(FRESH / SECOND + 1) == 0


@given(
    st.floats(-55, 55),
    st.lists(st.tuples(st.integers(1, 200), st.floats(0, 100)), min_size=1, max_size=8),
)
def test_it_never_tells_more_than_there_is(error: float, spans: list[tuple[int, float]]):
    gateway = Gateway(error)
    for seconds, late in spans:
        assert gateway.say(seconds, late) <= late + 1e-3
