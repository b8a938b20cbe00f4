"""The demonstration park at play: its gateways at a real broker, a sample of every tag a second.

What they read is in `simulators.park_readings`, what goes wrong in `simulators.park_story`.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from domain.clock import Clock
from domain.instant import rfc3339
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.message import Sample
from simulators.park_readings import ADDRESSES, values
from simulators.park_story import STORY, Moment, cut

__all__ = ["ADDRESSES", "STORY", "Moment", "Tally", "play_park"]

log = logging.getLogger(__name__)

INTERVAL_S = 1.0
KEPT = 1800
"""Messages that a gateway keeps: half an hour. A full one takes no more samples until a receipt
comes, so that nothing that was counted is lost."""
SETTLE_S = 15.0
"""How long the end waits for receipts."""


@dataclass(slots=True)
class Tally:
    """What the park has sent so far.

    published: values given to gateways for sending, each once. messages: distinct messages.
    redelivered: how often a message was sent again, for want of a receipt.
    """

    published: int = 0
    messages: int = 0
    redelivered: int = 0


async def play_park(
    broker: Broker, clock: Clock, tally: Tally, stop: asyncio.Event, *, seed: int
) -> None:
    """Play until `stop` is set; then send what is kept and wait for its receipts.

    After `stop` no samples are made, and a line that is cut comes back. Returns when every message
    has its receipt, or after `SETTLE_S` without. seed: at least 0.
    """
    began = clock.now()
    boot = rfc3339(began)
    gateways = tuple(Gateway(broker, one, clock, boot=boot, capacity=KEPT) for one in ADDRESSES)
    park = _Park(gateways, clock, began, seed, tally)
    async with asyncio.TaskGroup() as lines:
        running = [lines.create_task(one.run(), name="gateway") for one in gateways]
        async with asyncio.TaskGroup() as players:
            playing = [players.create_task(park.play(one), name="plant") for one in gateways]
            await stop.wait()
            _cancel(playing)
        await park.settle()
        _cancel(running)


def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


@dataclass(frozen=True, slots=True)
class _Park:
    gateways: tuple[Gateway, ...]
    clock: Clock
    began: datetime
    seed: int
    tally: Tally

    async def play(self, gateway: Gateway) -> None:
        """Give a gateway its readings every second, until cancelled; what is late is left out."""
        elapsed_s = 0.0
        while True:
            if cut(gateway.address, elapsed_s):
                gateway.cut()
            else:
                gateway.mend()
            read = values(gateway.address, elapsed_s, self.seed)
            at = self.began + timedelta(seconds=elapsed_s)
            await gateway.put([Sample(at, read)])
            self._count(len(read))
            passed_s = (self.clock.now() - self.began).total_seconds()
            elapsed_s = max(elapsed_s + INTERVAL_S, float(floor(passed_s)))
            await self.clock.sleep(max(0.0, elapsed_s - passed_s))

    async def settle(self) -> None:
        """Every line is there; return when all is confirmed, or when patience ends."""
        for gateway in self.gateways:
            gateway.mend()
        try:
            async with asyncio.timeout(SETTLE_S):
                for gateway in self.gateways:
                    await gateway.drained()
        except TimeoutError:
            held = sum(gateway.held for gateway in self.gateways)
            log.warning("receipts are missing", extra={"action": "park_unsettled", "held": held})
        self._recount()

    def _count(self, values: int) -> None:
        """No await between a message that is held and its count: a cancelled task counts too."""
        self.tally.published += values
        self.tally.messages += 1
        self._recount()

    def _recount(self) -> None:
        self.tally.redelivered = sum(gateway.redelivered for gateway in self.gateways)
