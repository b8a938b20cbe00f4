"""The start of the demonstration ends where it is told to, and leaves nothing half begun."""

import asyncio
import io
import threading

import pytest
from rich.console import Console

from hazwatch.demo_screen import Screen
from hazwatch.demo_servers import DemoError, to_the_end
from hazwatch.demo_start import Start, Stopped
from tests.support.builders import START
from tests.support.clock import ManualClock


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def start(out: io.StringIO) -> Start:
    return Start(Screen(Console(file=out), ManualClock(START)))


async def test_a_signal_ends_the_phase_that_is_under_way(start):
    asyncio.get_running_loop().call_soon(start.cut_short)
    with pytest.raises(Stopped):
        async with start.phase("database", 60):
            await asyncio.Event().wait()
    assert start.stop.is_set()


async def test_after_a_signal_no_phase_begins(start):
    start.cut_short()
    began = False
    with pytest.raises(Stopped):
        async with start.phase("broker", 60):
            began = True
    assert not began


async def test_a_phase_that_takes_too_long_ends_the_start_with_its_name(start):
    with pytest.raises(DemoError, match="worker: not up within 0 s"):
        async with start.phase("worker", 0):
            await asyncio.Event().wait()


async def test_a_signal_after_a_phase_only_tells_that_it_is_time_to_stop(start):
    async with start.phase("page", 60):
        pass
    start.cut_short()
    assert start.stop.is_set()


async def test_a_phase_is_told_with_the_time_it_took(start, out):
    async with start.phase("schema", 60):
        pass
    assert out.getvalue() == "schema    up after  0.0 s\n"


async def test_work_in_a_thread_is_finished_before_a_cancellation_goes_on():
    begun, go, done = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        go.wait()
        done.set()

    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(to_the_end(work))
        await begun.wait()
        working.cancel()
        go.set()
        await asyncio.wait([working])
        assert done.is_set()
        assert working.cancelled()
