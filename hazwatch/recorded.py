"""`Recorded`: which alarms and cases somebody has decided on in this very moment."""

import asyncio
from collections.abc import Collection
from uuid import UUID

from storage.actions import pending_targets
from storage.database import Connection, DatabaseAway, DatabaseOptions, link
from storage.lease import Fence

ANSWER_WITHIN_S = 0.5
"""A notice waits no longer for the database."""
STOOD_STILL_S = 2 * ANSWER_WITHIN_S
"""A wait that took longer than that says that this process stood still, and nothing of the
database: it is asked once more."""
Targets = frozenset[UUID]


class Recorded:
    """Asks the database for decisions that are recorded there, and that the worker has not applied
    yet. Whoever asks while a query is under way shares the next one, so every answer is newer than
    its question.

    While the database is away nobody can record a decision: the answer is none, at once. Where
    another worker has taken over, nobody gets an answer any more, and `run` raises `LeaseLost`.
    """

    def __init__(self, database: DatabaseOptions, fence: Fence | None = None) -> None:
        self._database = database
        self._fence = fence
        self._waiting: list[asyncio.Future[Targets]] = []
        self._asked = asyncio.Event()
        self._away = False

    async def targets(self) -> Collection[UUID]:
        """Occurrences and cases with such a decision."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        found = await self._answer()
        if found is None and loop.time() - began > STOOD_STILL_S:
            found = await self._answer()
        if found is None:
            self._away = True
        return found or frozenset()

    async def _answer(self) -> Targets | None:
        """None: there was none in time."""
        answer: asyncio.Future[Targets] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._asked.set()
        if self._away:
            return frozenset()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await answer
        except TimeoutError:
            return None

    async def run(self) -> None:
        """Answer until cancelled."""
        async with link(self._database) as line:
            while True:
                await self._asked.wait()
                self._asked.clear()
                answers, self._waiting = self._waiting, []
                try:
                    found = frozenset(await line.run(self._look))
                    self._away = False
                except DatabaseAway:
                    found, self._away = frozenset(), True
                for answer in answers:
                    if not answer.done():
                        answer.set_result(found)

    async def _look(self, conn: Connection) -> list[UUID]:
        if self._fence is not None:
            await self._fence.check(conn)
        return await pending_targets(conn)
