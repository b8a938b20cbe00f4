"""Cancellations that nothing swallows."""

import asyncio

import pytest

from domain.tasks import apart, end
from tests.support.builders import START
from tests.support.clock import ManualClock

settle = ManualClock(START).settle


async def failing_group(began: asyncio.Event, cleaned: asyncio.Event) -> None:
    """A group of which one task fails, and another takes its time to end."""

    async def fail() -> None:
        raise OSError("away")

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            began.set()
            await cleaned.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(slow())
        await settle()
        tasks.create_task(fail())


async def test_a_cancellation_wins_over_a_group_that_fails_meanwhile():
    began, cleaned = asyncio.Event(), asyncio.Event()
    rounds = 0

    async def retry() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            try:
                await apart(failing_group(began, cleaned))
            except* OSError:
                pass

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(retry())
        await began.wait()
        task.cancel()
        await settle()
        cleaned.set()
    assert task.cancelled()
    assert rounds == 1


async def test_what_became_of_the_work_is_what_comes_back():
    async def right() -> int:
        return 7

    async def wrong() -> None:
        raise OSError("away")

    assert await apart(right()) == 7
    with pytest.raises(OSError, match="away"):
        await apart(wrong())


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch):
    monkeypatch.setattr("domain.tasks.AGAIN_S", 0.001)
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while lost < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1

    task = asyncio.ensure_future(deaf())
    await settle()
    await end(task)
    assert task.done()
    assert lost == 3


async def test_who_ends_a_task_and_is_cancelled_meanwhile_ends_it_all_the_same():
    gone = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await gone.wait()

    task = asyncio.ensure_future(slow())
    await settle()
    ending = asyncio.ensure_future(end(task))
    await settle()
    ending.cancel()
    gone.set()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert task.done()
