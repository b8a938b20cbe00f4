"""One gateway of a load: a light MQTT 3.1.1 publisher with a bounded window, and its receipts."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from domain.clock import Clock
from simulators import swarm_packets as packets
from simulators.broker import Broker
from simulators.gateway import receipt_of
from simulators.message import Address
from simulators.swarm_score import Score

LAST_MID = 65_535
CONNECT_S = 10.0
RETRY_S = 0.5


class RefusedError(Exception):
    """The broker does not let this gateway in."""


@dataclass(frozen=True, slots=True)
class Window:
    """How much may be under way, in messages of one gateway.

    unacknowledged: without a PUBACK, below 65,535. unreceipted: without a receipt of hazwatch, 0
    asks for no receipts.
    """

    unacknowledged: int = 500
    unreceipted: int = 0


class _Line(asyncio.Protocol):
    """A connection from CONNACK to its loss."""

    def __init__(self, hear: Callable[[int, bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[Exception | None] = loop.create_future()
        self._hear = hear
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for kind, body in packets.split(self._buffer):
            self._hear(kind, body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(exc)


class Carrier:
    """Publishes in order, and after a loss publishes again what was not acknowledged.

    When a window is full there is no `room`; `send` must not be called then. `moved` is set when
    acknowledgements or receipts come.
    """

    def __init__(
        self,
        broker: Broker,
        address: Address,
        boot: str,
        window: Window,
        clock: Clock,
        score: Score,
        moved: asyncio.Event,
    ) -> None:
        self.connected = asyncio.Event()
        self.seq = 0
        """Of the next message."""
        self.receipt = -1
        self._broker = broker
        self._address = address
        self._boot = boot
        self._topic = packets.text(address.topic("data"))
        self._window = window
        self._clock = clock
        self._score = score
        self._moved = moved
        self._flying: dict[int, tuple[int, float, bytes]] = {}
        self._mid = 1  # of SUBSCRIBE
        self._out: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None
        self._welcome: asyncio.Future[int]

    @property
    def room(self) -> bool:
        """Whether one more message may be sent."""
        bound = self._window.unreceipted
        return len(self._flying) < self._window.unacknowledged and not (
            bound and self.seq - self.receipt > bound
        )

    @property
    def settled(self) -> bool:
        """Whether everything is acknowledged, and receipted if that was asked for."""
        receipted = self.receipt == self.seq - 1 or not self._window.unreceipted
        return receipted and not self._flying

    @property
    def unacknowledged(self) -> list[int]:
        """The `seq` of messages without PUBACK."""
        return [seq for seq, _, _ in self._flying.values()]

    def send(self, payload: bytes) -> None:
        """Number and queue a message; it leaves with the next `flush`, or when connected again."""
        while True:
            self._mid = self._mid % LAST_MID + 1
            if self._mid not in self._flying:
                break
        packet = packets.publish(self._topic, self._mid, payload)
        self._flying[self._mid] = self.seq, self._clock.elapsed(), packet
        self._out.append(packet)
        self.seq += 1

    def flush(self) -> None:
        """Hand what is queued to the socket."""
        if self._transport is not None and self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    async def run(self) -> None:
        """Stay connected until cancelled; `RefusedError` where the broker says no."""
        while True:
            with suppress(OSError):
                await self._session()
            self._score.losses += 1
            await self._clock.sleep(RETRY_S)

    async def _session(self) -> None:
        loop = asyncio.get_running_loop()
        self._welcome = loop.create_future()
        context = ssl.create_default_context() if self._broker.tls else None
        async with asyncio.timeout(CONNECT_S):
            transport, line = await loop.create_connection(
                lambda: _Line(self._hear), self._broker.host, self._broker.port, ssl=context
            )
        try:
            await self._enter(transport, line)
            await line.lost
        finally:
            self._transport = None
            self.connected.clear()
            transport.write(packets.disconnect())
            transport.close()

    async def _enter(self, transport: asyncio.WriteTransport, line: _Line) -> None:
        who = f"{self._address.enterprise}.{self._address.gateway}"
        transport.write(packets.connect(who, self._broker.user, self._broker.password))
        async with asyncio.timeout(CONNECT_S):
            await asyncio.wait((self._welcome, line.lost), return_when=asyncio.FIRST_COMPLETED)
        if not self._welcome.done():
            raise ConnectionError("the broker hung up instead of CONNACK")
        if code := self._welcome.result():
            raise RefusedError(f"{self._broker} refuses {who} (CONNACK {code})")
        if self._window.unreceipted:
            transport.write(packets.subscribe(self._address.topic("receipt")))
        self._transport = transport
        self._out = [packet for _, _, packet in self._flying.values()]
        self.flush()
        self.connected.set()

    def _hear(self, kind: int, body: bytes) -> None:
        if kind == packets.PUBACK:
            flown = self._flying.pop(int.from_bytes(body), None)
            if flown is not None:
                self._score.acknowledged(self._clock.elapsed() - flown[1])
        elif kind == packets.PUBLISH:
            receipt = receipt_of(packets.published(body), self._boot)
            if receipt is not None:
                self._score.receipted += max(0, receipt - self.receipt)
                self.receipt = max(self.receipt, receipt)
        elif kind == packets.CONNACK and not self._welcome.done():
            self._welcome.set_result(body[1])
        self._moved.set()
