"""`Witness`: what the broker knows of who has the lease, for when the database can't be asked.

Whoever has taken the lease retains its epoch on one topic, before it takes the sessions of the one
before; and nobody takes a session without having looked there. MQTT 3.1.1 closes a session that
another takes over without a word, so the closing itself tells nothing. See decision 19.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from domain.clock import Clock
from ingest.backoff import Backoff
from ingest.connection import Address, Connection, ConnectionLostError
from ingest.wire import Delivery

log = structlog.get_logger(__name__)

LOOKS_S = 2.0
"""It looks for a broker that is away at least so often."""


class Said(msgspec.Struct, frozen=True):
    """What is retained. holder: the machine, for whoever reads the log."""

    epoch: int
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What we say, where, and who is told when somebody says that the lease has a later epoch."""

    topic: str
    said: Said
    doubted: Callable[[Said], None]


class Witness:
    """Says at the broker that the lease is ours, and hears who else says so, on a clean session of
    its own; reconnects by itself.

    name: its client id, which no other holder of the lease has.
    """

    def __init__(
        self,
        claim: Claim,
        address: Address,
        name: str,
        keepalive_s: int,
        clock: Clock,
        scratch: bytearray,
        backoff: Backoff,
    ) -> None:
        self.up_at: float | None = None
        """Since when it has looked and hears what changes, on the monotonic clock; None: it does
        not."""
        self._claim = claim
        self._address = address
        self._name = name
        self._keepalive_s = keepalive_s
        self._clock = clock
        self._scratch = scratch
        self._backoff = backoff
        self._backoff.most_s = min(backoff.most_s, LOOKS_S)
        self._connection: Connection | None = None
        self._overruled = False
        self._mid: int | None = None
        self._confirmed = asyncio.Event()
        self._ended = 0
        self._moved = asyncio.Event()
        self._again = asyncio.Event()

    async def looked(self) -> None:
        """Return when it has looked; and when an attempt came to nothing: a broker that lets others
        in but not the witness is used without it."""
        ended = self._ended
        self._again.set()
        while self.up_at is None and self._ended == ended:
            self._moved.clear()
            await self._moved.wait()

    def insist(self) -> None:
        """The lease is ours, whatever was said: say so now, or as soon as there is a connection."""
        self._overruled = False
        if self.up_at is not None:
            self._say()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        told = False
        while True:
            self._again.clear()
            try:
                await self._connected()
            except ConnectionLostError as lost:
                up = self.up_at is not None
                if up or not told:
                    log.warning("no witness at the broker", action="retry", error=str(lost))
                told = not up
                self._down()
            await self._pause()

    async def _pause(self) -> None:
        self._backoff.failed()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next_wait()):
                await self._again.wait()

    async def _connected(self) -> None:
        """One connection, from CONNECT to its loss."""
        claim = self._claim
        self._connection = connection = Connection(
            self._address,
            self._name,
            self._keepalive_s,
            self._clock,
            self._scratch,
            self._hear,
            self._confirm,
        )
        try:
            await connection.open(clean=True)
            await connection.subscribe([claim.topic])
            await connection.ping()
            if not self._overruled:
                self._say()
                await self._arrived(connection)
            self.up_at = self._clock.elapsed()
            self._moved.set()
            await connection.until_lost()
        finally:
            connection.abort()
            self._connection = None

    def _down(self) -> None:
        if self.up_at is not None:
            self._backoff.lasted(self._clock.elapsed() - self.up_at)
        self.up_at = None
        self._ended += 1
        self._moved.set()

    def _say(self) -> None:
        assert self._connection is not None
        body = msgspec.json.encode(self._claim.said)
        self._confirmed.clear()
        self._mid = self._connection.publish(self._claim.topic, body, 1, retain=True)

    def _confirm(self, mid: int) -> None:
        if mid == self._mid:
            self._confirmed.set()

    async def _arrived(self, connection: Connection) -> None:
        """Return when the broker has what we said."""
        loop = asyncio.get_running_loop()
        waiting = loop.create_task(self._confirmed.wait(), name="mqtt: lease said")
        try:
            await connection.until_lost(waiting)
        finally:
            waiting.cancel()

    def _hear(self, deliveries: list[Delivery]) -> None:
        assert self._connection is not None
        self._connection.acknowledge([one.mid for one in deliveries if one.mid])
        for one in deliveries:
            try:
                said = msgspec.json.decode(one.payload, type=Said)
            except (msgspec.DecodeError, UnicodeDecodeError):
                log.warning("nobody can read who has the lease", action="pass over")
                continue
            if said.epoch > self._claim.said.epoch and not self._overruled:
                self._overruled = True
                self._claim.doubted(said)
