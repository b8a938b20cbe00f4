"""One connection to an MQTT broker: bytes and packets, no policy.

It is an asyncio protocol of its own. The libraries acknowledge what nobody has seen yet, drop what
their queues can't hold, and read byte by byte; see decision 14.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from domain.clock import Clock
from ingest import wire
from ingest.wire import Answer, Delivery

CONNECT_S = 30.0
"""How long a broker may take to let us in; a busy Mosquitto that saves all changes takes some."""
SETTLE_S = 2.0
"""How long a last answer of the broker is waited for."""
LEAST = 4096
"""Bytes that a reading takes at least."""
MAX_MID = 0xFFFF
HELD_BACK = 20
"""A broker that waits for so many acknowledgements may hold back more: the smallest limit that is
usual (Mosquitto's default of `max_inflight_messages`)."""

T = TypeVar("T")


class ConnectionLostError(Exception):
    """The connection to the MQTT broker is gone, or could not be made."""


class HungUpError(ConnectionLostError):
    """The other end has closed it, or the network between."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and who we are there. tls None: in the clear."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str, ca_file: str | None = None) -> "Address":
        """From mqtt://user:password@host:port; mqtts:// is TLS, ca_file whom to trust then."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("an MQTT URL is like mqtt://user:password@host:port, or mqtts://…")
        secure = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            parts.port or (8883 if secure else 1883),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            ssl.create_default_context(cafile=ca_file) if secure else None,
        )


class Handle(NamedTuple):
    """What it takes to acknowledge a message: message ids belong to one connection."""

    connection: "Connection"
    mid: bytes


class Connection(asyncio.BufferedProtocol):
    """From connecting to losing it; used once.

    scratch: where the socket is read to; connections of one loop share it, as a reading is over
    before the next begins. deliver: gets the messages of a reading. confirm: gets the id of a
    publish that the broker has confirmed. room: how many bytes the next reading may take.
    """

    def __init__(
        self,
        address: Address,
        name: str,
        keepalive_s: int,
        clock: Clock,
        scratch: bytearray,
        deliver: Callable[[list[Delivery]], None],
        confirm: Callable[[int], None] = lambda mid: None,
        room: Callable[[], int] = lambda: LEAST,
    ) -> None:
        self.heard_at: datetime = clock.now()
        """When the broker last sent anything."""
        self.delivered_at = self.heard_at
        """When the last message came."""
        self.braked_at: datetime | None = None
        """Since when the socket is not read, None if it is."""
        self.delivered = 0
        """Messages so far."""
        self.unacknowledged = 0
        """Messages at QoS 1 that came and were not acknowledged."""
        self.busy_at = -inf
        """When they were last acknowledged while they were `HELD_BACK`, on the monotonic clock."""
        self._address = address
        self._name = name
        self._keepalive_s = keepalive_s
        self._clock = clock
        self._scratch = memoryview(scratch)
        self._deliver = deliver
        self._confirm = confirm
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._skip = 0
        self._mid = 0
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._in: asyncio.Future[bytes] | None = None
        self._pings: list[asyncio.Future[bytes]] = []
        self._beat: asyncio.TimerHandle | None = None
        self._answered_at = 0.0

    async def open(self, *, clean: bool = False, will: tuple[str, str] | None = None) -> bool:
        """Connect; whether the broker had kept a session. clean: that it shall not keep one. will:
        as in `wire.connect`.

        Raises `ConnectionLostError`, as everything here that waits.
        """
        to = self._address
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._loop.create_connection(lambda: self, to.host, to.port, ssl=to.tls)
        except (OSError, TimeoutError) as error:
            raise ConnectionLostError(f"{to.host}:{to.port}: {error or 'no answer'}") from error
        self._in = self._loop.create_future()
        who = self._name, to.user, to.password, self._keepalive_s
        self._write(wire.connect(*who, clean=clean, will=will))
        try:
            async with asyncio.timeout(CONNECT_S):
                body = await self._answer(self._in)
        except TimeoutError:
            raise ConnectionLostError("the broker does not answer") from None
        if len(body) != 2 or body[1]:
            why = wire.SAID.get(body[-1], "it says no") if body else "an empty answer"
            raise ConnectionLostError(f"the broker does not let us in: {why}")
        self._beat = self._loop.call_later(self._keepalive_s / 2, self._pulse)
        return bool(body[0] & 1)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Hear these at QoS 1; `ConnectionLostError` where the broker refuses one."""
        codes = await self._ask(lambda mid: wire.subscribe(mid, filters))
        refused = [one for one, code in zip(filters, codes, strict=False) if code >= wire.REFUSED]
        if refused or len(codes) != len(filters):
            told = ", ".join(refused[: wire.MANY])
            raise ConnectionLostError(f"the broker refuses to let us hear {told}")

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Hear these no longer; what the broker has kept of them still comes."""
        await self._ask(lambda mid: wire.unsubscribe(mid, filters))

    async def ping(self) -> None:
        """Return when the broker has answered, and so has seen all that was sent before."""
        answer = self._loop.create_future()
        self._pings.append(answer)
        self._write(wire.PINGREQ)
        await self._answer(answer)

    def ask(self) -> None:
        """Have the broker say something, if it has not been asked to: a silent wire shows by
        that."""
        if not self._pings:
            self._pings.append(self._loop.create_future())
            self._write(wire.PINGREQ)

    async def until_lost(self, *others: "asyncio.Future[Any]") -> None:
        """Return when one of `others` is done; raise when the connection is lost."""
        await asyncio.wait((self._gone, *others), return_when=asyncio.FIRST_COMPLETED)
        if self._gone.done():
            self._gone.result()

    async def close(self) -> None:
        """Disconnect in order: the broker has seen every acknowledgement before.

        Mosquitto 2.0 overlooks the last packets before a DISCONNECT, so it has to answer first.
        """
        if self.braked_at is None and self._beat is not None:
            with contextlib.suppress(ConnectionLostError, TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await self.ping()
        self._write(wire.DISCONNECT)
        self._end()

    def abort(self) -> None:
        """Leave at once; nothing happens where it is closed."""
        self._fail("closed")
        if self._transport is not None:
            self._transport.abort()

    def acknowledge(self, mids: Sequence[bytes]) -> None:
        """Tell the broker that these messages are safe, in one packet of the network."""
        if not self._gone.done():
            if self.unacknowledged >= HELD_BACK:
                self.busy_at = self._clock.elapsed()
            self.unacknowledged -= len(mids)
            self._write(wire.acknowledged(mids))

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> int:
        """Send; the id under which the broker will confirm it."""
        mid = self._next_mid()
        self._write(wire.publish(topic, payload, qos, mid, retain=retain))
        return mid

    def brake(self) -> None:
        """Read no more until `release`; the keep-alive goes on."""
        if self.braked_at is None and self._transport is not None:
            self.braked_at = self._clock.now()
            self._transport.pause_reading()

    def release(self) -> None:
        """Read again."""
        if self.braked_at is not None and self._transport is not None:
            self.braked_at = None
            self._answered_at = self._loop.time()
            self._transport.resume_reading()

    def connection_made(self, transport: Any) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = transport
        self._answered_at = self._loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = None
        why = "the broker has closed the connection" if exc is None else str(exc)
        self._fail(why, HungUpError)

    def get_buffer(self, sizehint: int) -> memoryview:
        """See `asyncio.BufferedProtocol`."""
        return self._scratch[: max(LEAST, self._room())]

    def buffer_updated(self, nbytes: int) -> None:
        """See `asyncio.BufferedProtocol`."""
        self.heard_at, self._answered_at = self._clock.now(), self._loop.time()
        data = bytes(self._scratch[:nbytes])
        if self._skip:
            self._skip, data = max(0, self._skip - nbytes), data[self._skip :]
        if self._rest:
            data = self._rest + data
        try:
            found = wire.split(data)
        except wire.MalformedError as error:
            self._fail(str(error))
            self.abort()
            return
        self._skip += found.skip
        self._rest = data[found.used :]
        if self._skip:
            self._skip, self._rest = max(0, self._skip - len(self._rest)), b""
        if found.deliveries:
            self.delivered += len(found.deliveries)
            self.delivered_at = self.heard_at
            self.unacknowledged += sum(1 for one in found.deliveries if one.mid)
            self._deliver(found.deliveries)
        for answer in found.answers:
            self._heard(answer)

    def _heard(self, answer: Answer) -> None:
        kind, body = answer
        if kind == wire.PUBACK:
            self._confirm(int.from_bytes(body[:2]))
        elif kind in (wire.SUBACK, wire.UNSUBACK):
            self._settle(self._asked.pop(int.from_bytes(body[:2]), None), body[2:])
        elif kind == wire.CONNACK:
            self._settle(self._in, body)
        elif kind == wire.PINGRESP and self._pings:
            self._settle(self._pings.pop(0), body)

    def _settle(self, asked: "asyncio.Future[bytes] | None", body: bytes) -> None:
        if asked is not None and not asked.done():
            asked.set_result(body)

    async def _ask(self, packet: Callable[[int], bytes]) -> bytes:
        mid = self._next_mid()
        answer = self._asked[mid] = self._loop.create_future()
        self._write(packet(mid))
        return await self._answer(answer)

    async def _answer(self, answer: "asyncio.Future[bytes]") -> bytes:
        """Wait for it. A broker that is there may take its time; one that is not is noticed by the
        keep-alive."""
        await self.until_lost(answer)
        return answer.result()

    def _next_mid(self) -> int:
        self._mid = self._mid % MAX_MID + 1
        return self._mid

    def _pulse(self) -> None:
        """Now and then: a sign of life to the broker, and a look for one of its own."""
        silent = self._loop.time() - self._answered_at
        if self.braked_at is None and silent > 1.5 * self._keepalive_s:
            self._fail(f"the broker has said nothing for {silent:.0f} s")
            self.abort()
            return
        self._pings.append(self._loop.create_future())
        self._write(wire.PINGREQ)
        self._beat = self._loop.call_later(self._keepalive_s / 2, self._pulse)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and data:
            self._transport.write(data)

    def _end(self) -> None:
        self._fail("closed")
        if self._transport is not None:
            self._transport.close()

    def _fail(self, why: str, kind: type[ConnectionLostError] = ConnectionLostError) -> None:
        if self._beat is not None:
            self._beat.cancel()
        if not self._gone.done():
            self._gone.set_exception(kind(why))
            self._gone.exception()  # whoever waits is told; that nobody does is no error


def acknowledge(handles: Iterable[object]) -> None:
    """Acknowledge messages, those of each connection at once; what is no `Handle` is passed over.

    Those of an earlier connection too: the broker sends these messages again.
    """
    mids: dict[Connection, list[bytes]] = {}
    for handle in handles:
        if type(handle) is Handle:
            mids.setdefault(handle.connection, []).append(handle.mid)
    for connection, own in mids.items():
        connection.acknowledge(own)
