"""Waiting for servers, and not for longer than is good."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from domain.clock import Clock
from storage.database import DatabaseAway

log = structlog.get_logger(__name__)
T = TypeVar("T")

AGAIN_S = 1.0
"""How often a database that is away is asked for."""


async def when_there(work: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """The result of `work`, tried again every second while the database is away."""
    told = False
    while True:
        try:
            return await work()
        except DatabaseAway as away:
            if not told:
                log.warning("database away", action="wait", error=str(away))
                told = True
        await clock.sleep(AGAIN_S)


async def within(work: Awaitable[object], seconds: float) -> None:
    """Wait for `work`, but not longer."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        return
