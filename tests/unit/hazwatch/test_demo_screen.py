"""What the demonstration says into a log file: plain lines, each moment of the story in time."""

import asyncio
import io

from rich.console import Console

from hazwatch.demo_screen import Screen, welcome
from simulators.park import Moment
from tests.support.builders import START
from tests.support.clock import ManualClock

STORY = (Moment(90.0, "the line is cut"), Moment(20.0, "the pump does not stop"))


async def test_each_moment_of_the_story_is_told_when_it_comes():
    out, clock = io.StringIO(), ManualClock(START)
    screen = Screen(Console(file=out), clock)
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(screen.tell(STORY, lambda: None))
        await clock.advance(19.4)
        assert out.getvalue() == ""
        await clock.advance(1.0)
        assert out.getvalue() == "0:20  the pump does not stop\n"
        await clock.advance(80.0)
        telling.cancel()
    assert out.getvalue().splitlines()[1:] == ["1:30  the line is cut"]


async def test_in_a_log_file_a_bar_is_one_line():
    out = io.StringIO()
    screen = Screen(Console(file=out), ManualClock(START))
    async with screen.playing(60.0) as move:
        move()
    assert out.getvalue() == "playing for 60 s\n"


def test_in_a_log_file_the_welcome_is_a_line_for_each_thing():
    out = io.StringIO()
    welcome(Console(file=out), "ready", [("page", "http://127.0.0.1:8080/"), ("user", "[x]")])
    assert out.getvalue() == "ready\npage: http://127.0.0.1:8080/\nuser: [x]\n"
