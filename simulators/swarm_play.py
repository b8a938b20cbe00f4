"""Playing a load: who sends when, as fast as told or as fast as it goes."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from domain.clock import Clock
from domain.instant import SECOND, micros, rfc3339
from simulators.broker import Broker
from simulators.swarm import Bodies, Swarm
from simulators.swarm_carrier import Carrier, RefusedError, Window
from simulators.swarm_score import Score
from simulators.swarm_truth import TruthFile

CHUNK = 50
"""Messages made before the socket gets its turn."""
SHORTEST_PAUSE_S = 0.001
REST_S = 90.0
"""After a breach a canary is left alone so long: sooner it would be the same occurrence again."""


class BrokerAwayError(Exception):
    """The broker can't be reached, or does not acknowledge."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how long. rate: values a second, 0 for as fast as it goes. settle_s: how long
    the last acknowledgements (and receipts) are waited for. breach_every_s: 0 for no canary."""

    rate: float
    for_s: float
    window: Window = field(default_factory=Window)
    breach_every_s: float = 0.0
    settle_s: float = 30.0


def canaries_for(breach_every_s: float) -> int:
    """How many canaries it takes that each rests long enough between its breaches."""
    return round(REST_S / breach_every_s) + 2 if breach_every_s else 0


class Player:
    """Plays a swarm once. `score` can be watched on the way."""

    def __init__(
        self,
        swarm: Swarm,
        broker: Broker,
        clock: Clock,
        pace: Pace,
        truth: TruthFile | None,
        boot: str,
    ) -> None:
        self.score = Score()
        self._swarm = swarm
        self._clock = clock
        self._pace = pace
        self._truth = truth
        self._bodies = Bodies(swarm, boot)
        self._moved = asyncio.Event()
        self._last = 0
        self._broker = broker
        self._carriers = [
            Carrier(broker, address, boot, pace.window, clock, self.score, self._moved)
            for address in swarm.carriers
        ]

    async def play(self) -> None:
        """From connecting to the last acknowledgement.

        Raises `BrokerAwayError`, or `swarm_carrier.RefusedError`.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                lines = [tasks.create_task(one.run(), name="load line") for one in self._carriers]
                await self._all_connected()
                began = self._clock.elapsed()
                canary = tasks.create_task(self._breach(began), name="load canary")
                await self._send(began)
                self.score.seconds = self._clock.elapsed() - began
                await canary
                settled = await self._settled()
                for line in lines:
                    line.cancel()
        except* (BrokerAwayError, RefusedError) as failed:
            raise failed.exceptions[0] from None
        if self._truth is not None:
            self._truth.end(self._unacknowledged())
        if not settled:
            raise BrokerAwayError(
                f"{len(self._unacknowledged())} messages without PUBACK, and {self._unreceipted()} "
                f"without the receipt that was asked for, after {self._pace.settle_s:g} s"
            )

    async def _all_connected(self) -> None:
        try:
            async with asyncio.timeout(self._pace.settle_s):
                for carrier in self._carriers:
                    await carrier.connected.wait()
        except TimeoutError:
            raise BrokerAwayError(f"no connection to the broker at {self._broker}") from None

    async def _send(self, began: float) -> None:
        """All parts in turn, one of each enterprise after the other, on an open-loop schedule."""
        turns = self._turns()
        rate, sent = self._pace.rate / self._swarm.values, 0
        while (elapsed := self._clock.elapsed() - began) < self._pace.for_s:
            due = min(CHUNK, int(elapsed * rate) + 1 - sent) if rate else CHUNK
            for _ in range(due):
                await self._one(*next(turns), began + self._pace.for_s)
            sent += max(due, 0)
            self._flush()
            next_due = sent / rate - elapsed if rate else 0.0
            await self._clock.sleep(max(next_due, SHORTEST_PAUSE_S) if next_due > 0 else 0.0)

    def _turns(self) -> Iterator[tuple[int, int]]:
        while True:
            for part in range(self._swarm.parts):
                for enterprise in range(self._swarm.enterprises):
                    yield enterprise, part

    async def _one(self, enterprise: int, part: int, until: float) -> None:
        carrier = self._carriers[enterprise]
        while not carrier.room:
            if self._clock.elapsed() >= until:
                return
            await self._move()
        at = self._now()
        payload = self._bodies.body(enterprise, part, carrier.seq, at)
        self._publish(enterprise, part, payload, at, len(self._swarm.part(enterprise, part)))

    async def _breach(self, began: float) -> None:
        """One canary after the other: a breach when its turn comes, calm half a turn later."""
        every = self._pace.breach_every_s
        n = round(self._now() / SECOND / every) if every else 0
        number = len(self._carriers) - 1
        due = began
        while every and due + every < began + self._pace.for_s:
            await self._clock.sleep(max(0.0, due - self._clock.elapsed()))
            for half in range(2):
                at = self._now()
                canary = n % self._swarm.canaries
                payload = self._bodies.canary(canary, self._carriers[number].seq, at)
                self._publish(number, canary, payload, at, 1)
                self._carriers[number].flush()
                self.score.breaches += 1 - half
                await self._clock.sleep(max(0.0, due + every / 2 - self._clock.elapsed()))
            due += every
            n += 1

    def _publish(self, number: int, part: int, payload: bytes, at: int, values: int) -> None:
        carrier = self._carriers[number]
        if self._truth is not None:
            self._truth.published(number, carrier.seq, part, at)
        carrier.send(payload)
        self.score.published += 1
        self.score.values += values

    def _now(self) -> int:
        """Microseconds since 1970, later than any time given out before."""
        self._last = max(self._last + 1, micros(self._clock.now()))
        return self._last

    def _flush(self) -> None:
        for carrier in self._carriers:
            carrier.flush()

    async def _move(self) -> None:
        """Let acknowledgements come; after half a second look again in any case."""
        self._flush()
        self._moved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._moved.wait()

    async def _settled(self) -> bool:
        until = self._clock.elapsed() + self._pace.settle_s
        while not all(carrier.settled for carrier in self._carriers):
            if self._clock.elapsed() >= until:
                return False
            await self._move()
        return True

    def _unreceipted(self) -> int:
        asked = self._pace.window.unreceipted > 0
        return sum(one.seq - 1 - one.receipt for one in self._carriers) if asked else 0

    def _unacknowledged(self) -> list[tuple[int, int]]:
        return [
            (number, seq)
            for number, carrier in enumerate(self._carriers)
            for seq in carrier.unacknowledged
        ]


def new_boot(clock: Clock) -> str:
    """A boot that no other load had."""
    return f"load-{rfc3339(clock.now())}"
