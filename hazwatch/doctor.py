"""The doctor: looks at everything that hazwatch needs, says what is wrong and what to do.

A check is an async function that answers with diagnoses. Each has its own deadline, all run at
once, none leaves anything behind.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class Outcome(StrEnum):
    """unknown: it can't be told from here."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one look brought: what is there, and what to do where it is not good.

    away: a server can't be reached, as opposed to: it is there and something is wrong with it.
    """

    area: str
    check: str
    outcome: Outcome
    found: str
    todo: str = ""
    away: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """One kind of thing to look at. Below an area `look` names its checks as it goes."""

    name: str

    def ok(self, check: str, found: str) -> Diagnosis:
        """It is as it should be."""
        return Diagnosis(self.name, check, Outcome.OK, found)

    def unknown(self, check: str, found: str, todo: str = "") -> Diagnosis:
        """It can't be told from here."""
        return Diagnosis(self.name, check, Outcome.UNKNOWN, found, todo)

    def warning(self, check: str, found: str, todo: str) -> Diagnosis:
        """It works, but will not for ever or not as it should."""
        return Diagnosis(self.name, check, Outcome.WARNING, found, todo)

    def failed(self, check: str, found: str, todo: str) -> Diagnosis:
        """It does not work."""
        return Diagnosis(self.name, check, Outcome.FAILED, found, todo)

    def away(self, check: str, found: str, todo: str) -> Diagnosis:
        """The server can't be reached."""
        return Diagnosis(self.name, check, Outcome.FAILED, found, todo, away=True)


@dataclass(frozen=True, slots=True)
class Check:
    """What to look at, in at most `within_s` seconds. server: silence means that it is away."""

    area: Area
    name: str
    look: Callable[[], Awaitable[Sequence[Diagnosis]]]
    within_s: float
    server: bool = False


async def examine(checks: Sequence[Check]) -> list[Diagnosis]:
    """Do all of them at once; the answers come in the order of the checks."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_in_time(check), name=check.name) for check in checks]
    return [diagnosis for task in running for diagnosis in task.result()]


async def _in_time(check: Check) -> Sequence[Diagnosis]:
    try:
        async with asyncio.timeout(check.within_s):
            return await check.look()
    except TimeoutError:
        found = f"no answer within {check.within_s:g} s"
        todo = "look at the machine that it runs on, and at the way there"
        tell = check.area.away if check.server else check.area.failed
        return [tell(check.name, found, todo)]


def exit_code(diagnoses: Sequence[Diagnosis]) -> int:
    """0: nothing failed. 3: a server is away. 1: something else failed."""
    if any(one.away for one in diagnoses):
        return 3
    return int(any(one.outcome is Outcome.FAILED for one in diagnoses))


async def aside(work: Callable[[], T]) -> T:
    """The result of a call that blocks, in a thread that nobody waits for in the end: a disk or a
    name server that hangs shall not hold the doctor up."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            done = work()
        except Exception as error:  # it is raised where the result is waited for
            _tell(loop, result, partial(result.set_exception, error))
        else:
            _tell(loop, result, partial(result.set_result, done))

    threading.Thread(target=run, daemon=True).start()
    return await result


def _tell(
    loop: asyncio.AbstractEventLoop, result: "asyncio.Future[T]", say: Callable[[], None]
) -> None:
    def unless_given_up() -> None:
        if not result.done():
            say()

    if not loop.is_closed():
        loop.call_soon_threadsafe(unless_given_up)
