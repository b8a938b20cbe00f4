"""`Broker`: the MQTT broker as the worker sees it, whether it is there or not."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from domain.clock import Clock
from domain.instant import micros
from ingest.batch import Raw
from ingest.connection import Address, Connection, ConnectionLostError, Enterprise, Handle
from ingest.inbox import Inbox
from ingest.metrics import BrokerMetrics
from ingest.outgoing import Letter, Outgoing

log = structlog.get_logger(__name__)

STEADY_S = 30.0
"""A connection that lasted so long was a sound one: the next is tried for without delay."""


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """How to hear the broker.

    name: the client id, one per shard, by which the broker keeps what comes while we are away.
    inbox_bytes: above this the socket is not read; at twice this the connection is given up.
    outgoing: publishes kept while the broker is away. Waits between attempts to connect double
    from retry_min_s to retry_max_s, with jitter, until a connection has lasted for `STEADY_S`.
    """

    url: str
    name: str
    ca_file: str | None = None
    keepalive_s: int = 30
    inbox_bytes: int = 32 * 1024 * 1024
    outgoing: int = 10_000
    retry_min_s: float = 0.2
    retry_max_s: float = 10.0


class Broker:
    """Messages of some enterprises in, acknowledgements and publishes out; reconnects by itself.

    absent_since: from when on messages may have waited for us, in microseconds: our last
    disconnection, or the last time that the inbox was full; at first what is handed in. For
    `Intake.take`.
    """

    def __init__(
        self,
        options: BrokerOptions,
        enterprises: Iterable[Enterprise],
        clock: Clock,
        metrics: BrokerMetrics,
        absent_since: int | None = None,
    ) -> None:
        self.connected = False
        """Whether messages can come in now."""
        self.since: datetime = clock.now()
        """From when on that is so."""
        self._options = options
        self._address = Address.of(options.url, options.ca_file)
        self._enterprises = frozenset(enterprises)
        self._clock = clock
        self._metrics = metrics
        self._absent_since = absent_since
        self._inbox = Inbox(options.inbox_bytes)
        self._outgoing = Outgoing(options.outgoing)
        self._connection: Connection | None = None
        self._connections = 0
        self._failures = 0
        self._up_since: float | None = None
        self._up_once = asyncio.Event()

    async def until_connected(self) -> None:
        """Return when messages could come in for the first time."""
        await self._up_once.wait()

    @property
    def absent_since(self) -> int | None:
        """As in the class; None: we were never away."""
        return self._absent_since

    async def run(self) -> None:
        """Stay connected until cancelled. Only the broker's absence is mended, nothing else."""
        while True:
            await self._inbox.until_low()
            try:
                await self._connect_once()
            except ConnectionLostError as lost:
                self._lost(lost)
            await self._clock.sleep(self._next_wait())

    async def messages(self, most: int = 10_000) -> list[Raw]:
        """All that came, up to `most`; waits for the first."""
        taken = await self._inbox.get(most)
        connection = self._connection
        if connection is not None:
            if connection.braked_at is not None:
                self._absent_since = micros(connection.braked_at)
            connection.release()
        self._metrics.inbox_bytes.set(self._inbox.bytes)
        return taken

    def ack(self, handles: Iterable[object]) -> None:
        """Tell the broker that these messages are safe.

        Handles of an earlier connection are passed over: the broker sends those messages again.
        """
        for handle in handles:
            if self._connection is not None and isinstance(handle, Handle):
                self._connection.ack(handle)

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publish at least once; never waits for a connection, see `Outgoing`."""
        self._post(Letter(topic, payload, qos, retain))

    async def deliver(self, topic: str, payload: bytes) -> None:
        """Publish, and return when the broker has confirmed it. Cancelled, it goes out only if it
        is on its way already."""
        arrived = asyncio.get_running_loop().create_future()
        self._post(Letter(topic, payload, 1, False, arrived))
        await arrived

    def _post(self, letter: Letter) -> None:
        dropped = self._outgoing.dropped
        self._outgoing.put(letter)
        self._metrics.outgoing.set(len(self._outgoing))
        self._metrics.dropped.inc(self._outgoing.dropped - dropped)

    def set_enterprises(self, enterprises: Iterable[Enterprise]) -> None:
        """Hear these enterprises from now on, and no others."""
        self._enterprises = frozenset(enterprises)
        if self._connection is not None:
            self._connection.want(self._enterprises)

    async def _connect_once(self) -> None:
        self._connections += 1
        self._connection = Connection(
            self._address,
            self._options.name,
            self._connections,
            self._options.keepalive_s,
            self._inbox,
            self._outgoing,
            self._enterprises,
            self._clock,
        )
        try:
            await self._connection.run(self._up)
        finally:
            self._down(self._connection)

    def _up(self) -> None:
        self.connected, self.since = True, self._clock.now()
        self._up_since = self._clock.elapsed()
        self._up_once.set()
        self._metrics.connected.set(1)
        self._metrics.connections.inc()
        log.info("connected to the broker", action="broker_connected", host=self._address.host)

    def _down(self, connection: Connection) -> None:
        if self.connected:
            self.connected, self.since = False, self._clock.now()
            self._absent_since = micros(connection.heard_at)
        self._connection = None
        lasted = 0.0 if self._up_since is None else self._clock.elapsed() - self._up_since
        self._up_since = None
        if lasted >= STEADY_S:
            self._failures = 0
        self._metrics.connected.set(0)

    def _lost(self, lost: ConnectionLostError) -> None:
        self._failures += 1
        log.warning(
            "no connection to the broker",
            action="broker_lost",
            host=self._address.host,
            failures=self._failures,
            error=str(lost),
        )

    def _next_wait(self) -> float:
        """Seconds until the next attempt: doubled by each failure, capped, with jitter."""
        longest = self._options.retry_min_s * 2.0 ** min(self._failures, 16)
        return random.uniform(0.5, 1) * min(self._options.retry_max_s, longest)
