"""Tasks that end when they are told to."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

AGAIN_S = 1.0
"""A task that is still there after so long is cancelled once more."""


async def apart(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises, from a task of its own.

    Cancelled, it ends `work` and is cancelled, whatever became of that. Needed where a failure is
    caught and tried again: `asyncio.TaskGroup` (before Python 3.13) forgets a cancellation that
    comes while one of its tasks fails, and a clean-up that fails takes its place.
    """
    # No TaskGroup: see above.
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task])
    finally:
        await end(task)
    return task.result()


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended, though this be cancelled meanwhile.

    Once is not enough: asyncio.wait_for (before Python 3.12) loses a cancellation that comes
    together with its result.
    """
    cancelled = False
    while not task.done():
        task.cancel()
        try:
            await asyncio.wait([task], timeout=AGAIN_S)
        except asyncio.CancelledError:
            cancelled = True
    if not task.cancelled():
        task.exception()  # seen: asyncio complains of one that nobody looked at
    if cancelled:
        raise asyncio.CancelledError
