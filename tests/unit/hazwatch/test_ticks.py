"""Ticks stand still while samples may be on their way, and never fall far behind."""

from datetime import timedelta

from hazwatch.ticks import DEAF, SLACK, TickTime
from tests.support.builders import at


class Line:
    """A connection that the test switches."""

    def __init__(self, *, up: bool = False, unheard_s: float = 0.0) -> None:
        self.up = up
        self.unheard_s = unheard_s

    def __call__(self) -> timedelta | None:
        return timedelta(seconds=self.unheard_s) if self.up else None


def run(ticks: TickTime, until: float, begin: float = 0.0) -> float:
    """Ask four times a second; how far behind the present the last answer was."""
    now = begin
    while now < until:
        now += 0.25
        reached = ticks.up_to(at(now), now)
    return (at(now) - reached).total_seconds()


def test_after_a_start_ticks_wait_for_the_backlog_and_then_keep_a_second_behind():
    line = Line()
    ticks = TickTime(line, reached=at(-3), now=at(0))
    line.up = True
    assert ticks.up_to(at(2), 2.0) == at(-3)
    ticks.saw(timedelta(seconds=30))
    assert ticks.up_to(at(3.5), 3.5) == at(-3)
    ticks.saw(timedelta(seconds=0.1))
    assert ticks.up_to(at(4), 4.0) == at(4) - SLACK


def test_where_nobody_sends_ticks_go_on_after_ten_seconds():
    line = Line()
    line.up = True
    assert run(TickTime(line, reached=at(-5), now=at(0)), until=11) <= 1


def test_a_connection_that_flaps_holds_ticks_back_by_no_more_than_the_bound():
    line = Line()
    ticks = TickTime(line, reached=at(0), now=at(0))
    worst, now = 0.0, 0.0
    while now < 600:
        line.up = not line.up
        behind = run(ticks, now + 1.0, now)
        worst, now = max(worst, behind), now + 1.0
    assert worst <= (DEAF + SLACK).total_seconds() + 0.5


def test_a_lost_connection_stands_ticks_still_for_a_while_only():
    line = Line()
    line.up = True
    ticks = TickTime(line, reached=at(0), now=at(0))
    ticks.saw(timedelta(0))
    ticks.up_to(at(1), 1.0)
    ticks.saw(timedelta(0))
    assert ticks.up_to(at(20), 20.0) == at(19)
    line.up = False
    assert ticks.up_to(at(25), 25.0) == at(19)
    assert ticks.up_to(at(30), 30.0) == at(19)
    assert ticks.up_to(at(30.25), 30.25) == at(29.25)
    assert ticks.up_to(at(30.5), 30.5) == at(29.5)


def test_a_wire_that_is_silent_stands_ticks_still_although_it_counts_as_connected():
    line = Line(up=True)
    ticks = TickTime(line, reached=at(0), now=at(0))
    ticks.up_to(at(1), 1.0)
    ticks.saw(timedelta(0))
    assert ticks.up_to(at(20), 20.0) == at(19)
    line.unheard_s = 2.5
    assert ticks.up_to(at(22.5), 22.5) == at(19)
    line.unheard_s = 0.25
    assert ticks.up_to(at(23), 23.0) == at(21.75)


def test_a_tick_never_runs_backwards():
    line = Line()
    line.up = True
    ticks = TickTime(line, reached=at(100), now=at(100))
    assert ticks.up_to(at(90), 1.0) == at(100)


def test_no_time_passes_that_has_not_come_yet():
    """What is measured by a wall clock that was set back is negative for a moment."""
    line = Line(up=True, unheard_s=0.0)
    ticks = TickTime(line, reached=at(0), now=at(0))
    run(ticks, until=20)
    line.unheard_s = -3600.0
    assert run(ticks, until=22, begin=20) == SLACK.total_seconds()
