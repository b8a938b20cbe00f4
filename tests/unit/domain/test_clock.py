"""The time line of stamps never stands still and never jumps, whatever the wall clock does."""

from datetime import datetime, timedelta

from domain.clock import Stamps
from domain.instant import micros
from tests.support.builders import at


class Hands:
    """A clock whose hands the test moves: wall and elapsed apart."""

    def __init__(self) -> None:
        self.wall, self.mono = at(0), 0.0

    def now(self) -> datetime:
        return self.wall

    def elapsed(self) -> float:
        return self.mono

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")

    def go(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.mono += seconds


def test_stamps_follow_the_wall_clock_and_rise_strictly():
    hands = Hands()
    stamps = Stamps(hands, micros(at(-5)))
    first = stamps.next()
    assert first == micros(at(0))
    assert stamps.next() == first + 1
    hands.go(10)
    assert stamps.next() == micros(at(10))


def test_after_a_clock_that_was_ahead_time_goes_on_at_its_pace():
    hands = Hands()
    stamps = Stamps(hands, micros(at(3600)))
    begin = stamps.next()
    assert begin > micros(at(3600))
    hands.go(60)
    passed = (stamps.next() - begin) / 1e6
    assert 56 < passed <= 60, "and a little slower, to come back to the wall clock"
    for _ in range(25):
        hands.go(3600)
        last = stamps.next()
    assert abs(last - micros(hands.wall)) < 1_000_000


def test_a_step_of_the_wall_clock_is_approached_not_taken():
    hands = Hands()
    stamps = Stamps(hands, 0)
    stamps.next()
    hands.wall += timedelta(hours=8)
    hands.go(100)
    assert stamps.now() - at(100) <= timedelta(seconds=5)
    hands.wall -= timedelta(hours=16)
    before = stamps.next()
    hands.go(1)
    assert stamps.next() > before + 900_000
