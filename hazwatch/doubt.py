"""`Doubt`: what a worker does when somebody says at the broker that the lease is theirs."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from domain.clock import Clock
from ingest.witness import Said
from storage.database import DatabaseAway, DatabaseOptions, link
from storage.lease import Fence, check_stands

log = structlog.get_logger(__name__)

AGAIN_S = 1.0
"""How often a database that is away is asked."""
ANSWER_S = 5.0
"""A database that says nothing for so long counts as away."""


class Doubt:
    """Only the database knows whose the lease is. Until it has said so the worker stands down: it
    hears nobody, tells nobody, and what it judges waits.

    A database that is away raises no doubt by itself. hold: is called with True when we stand down,
    with False when we go on.
    """

    def __init__(
        self, database: DatabaseOptions, fence: Fence, clock: Clock, hold: Callable[[bool], None]
    ) -> None:
        self.holding = False
        """Whether we stand down now."""
        self._database = replace(database, answer_s=ANSWER_S)
        self._fence = fence
        self._clock = clock
        self._hold = hold
        self._raised = asyncio.Event()

    def raised(self, said: Said) -> None:
        """Somebody says so: stand down at once."""
        log.warning(
            "another worker says at the broker that it has the lease",
            action="ask the database",
            epoch=said.epoch,
            holder=said.holder,
            our_epoch=self._fence.epoch,
        )
        self.holding = True
        self._hold(True)
        self._raised.set()

    async def run(self) -> None:
        """Ask the database whenever there is a doubt; `LeaseLost` where the lease is not ours any
        more."""
        while True:
            await self._raised.wait()
            self._raised.clear()
            await self._settle()
            if not self._raised.is_set():
                log.warning("the database says that the lease is ours", action="go on")
                self.holding = False
                self._hold(False)

    async def _settle(self) -> None:
        told = False
        async with link(self._database) as line:
            while True:
                try:
                    await line.run(partial(check_stands, fence=self._fence))
                    return
                except DatabaseAway as away:
                    if not told:
                        log.error(
                            "the broker's session was taken over, and the database can't say by "
                            "whom",
                            action="stand down",
                            shard=self._fence.shard,
                            to_do="bring this machine's way to the database back, or end this "
                            "worker if another one works",
                            error=str(away),
                        )
                        told = True
                await self._clock.sleep(AGAIN_S)
