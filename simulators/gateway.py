"""A well-behaved gateway: it keeps what it has not been given a receipt for, and sends it again."""

import asyncio
import contextlib
import json
import logging
import random
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import aiomqtt

from domain.clock import Clock
from domain.instant import rfc3339
from domain.tasks import apart
from simulators.broker import Broker
from simulators.message import Address, Message, Sample, encode

log = logging.getLogger(__name__)

STATE_EVERY_S = 60.0
"""How often `state` is repeated."""
BACKFILL_AFTER_S = 60.0
"""What goes out this long after it was made is marked historical: it is no sign of life."""
RETRY_S = (0.5, 15.0)
"""First and longest pause between attempts to connect."""


class Gateway:
    """One boot of one gateway. `run` it in a task; give it samples with `offer` or `put`.

    capacity: messages held that have no receipt yet. When it is full, `offer` lets the oldest go
    (counted in `dropped`; `oldest` on the wire tells), `put` waits for a receipt. announce: whether
    it tells its `state`; a pure backfill is no sign of life. At most `window` publications are
    under way at once. client_id: by default its address; a broker keeps one client of a name.
    `published` counts publications that the broker took, `redelivered` messages sent once more.
    """

    def __init__(
        self,
        broker: Broker,
        address: Address,
        clock: Clock,
        *,
        boot: str,
        capacity: int = 10_000,
        window: int = 20,
        announce: bool = True,
        client_id: str | None = None,
    ) -> None:
        self.address = address
        self.boot = boot
        self.dropped = 0
        self.published = 0
        self.redelivered = 0
        self.receipt: int | None = None
        self.connected = asyncio.Event()
        self.trouble: Exception | None = None
        self._broker = broker
        self._clock = clock
        self._capacity = capacity
        self._window = window
        self._announce = announce
        self._client_id = client_id or f"{address.park}.{address.enterprise}.{address.gateway}"
        self._held: deque[tuple[Message, datetime]] = deque()
        self._seq = 0
        self._next = 0
        self._sent = -1
        self._moved = asyncio.Condition()
        self._line = asyncio.Event()
        self._line.set()
        self._client: aiomqtt.Client | None = None

    @property
    def held(self) -> int:
        """Messages without a receipt."""
        return len(self._held)

    async def offer(self, samples: Sequence[Sample]) -> None:
        """Take samples for one live message; when full, the oldest message goes."""
        async with self._moved:
            if len(self._held) >= self._capacity:
                self._held.popleft()
                self.dropped += 1
            self._take(samples, historical=False)

    async def put(self, samples: Sequence[Sample], *, historical: bool = False) -> None:
        """Take samples for one message; when full, wait until a receipt makes room."""
        async with self._moved:
            await self._moved.wait_for(lambda: len(self._held) < self._capacity)
            self._take(samples, historical)

    async def drained(self) -> None:
        """Return when every message has its receipt."""
        async with self._moved:
            await self._moved.wait_for(lambda: not self._held)

    def cut(self) -> None:
        """Break the line without a goodbye, so that the will speaks; it is gone until `mend`."""
        self._line.clear()
        line = None if self._client is None else self._client._client.socket()
        if isinstance(line, socket.socket):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """The line is there again; without a `cut` it always is."""
        self._line.set()

    async def run(self) -> None:
        """Stay connected until cancelled; after each loss send everything above the receipt."""
        pause, longest = RETRY_S
        while True:
            await self._line.wait()
            try:
                await apart(self._session())
            except* (aiomqtt.MqttError, OSError) as lost:
                self.trouble = _first(lost)
                log.info("gateway lost its broker", extra={"action": "gateway_lost"})
            pause = RETRY_S[0] if self.connected.is_set() else min(2 * pause, longest)
            self.connected.clear()
            # Many gateways lose a broker together; they shall not come back together.
            await self._clock.sleep(pause * random.uniform(0.5, 1.0))

    def _take(self, samples: Sequence[Sample], historical: bool) -> None:
        message = Message(self._seq, tuple(samples), historical)
        self._held.append((message, self._clock.now()))
        self._seq += 1
        self._moved.notify_all()

    async def _session(self) -> None:
        async with self._connection() as client:
            self._client = client
            if not self._line.is_set():
                self.cut()
            client.pending_calls_threshold = self._window + 1
            await client.subscribe(self.address.topic("receipt"), qos=1)
            self._next = 0
            self.trouble = None
            self.connected.set()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen(client), name="gateway receipts")
                    group.create_task(self._publish(client), name="gateway data")
                    if self._announce:
                        group.create_task(self._tell(client), name="gateway state")
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):
                    if self._announce:
                        await self._say(client, online=False)
                raise

    def _connection(self) -> aiomqtt.Client:
        topic = self.address.topic("state")
        will = aiomqtt.Will(topic, self._state(online=False), qos=1, retain=True)
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._broker.password,
            tls_context=ssl.create_default_context() if self._broker.tls else None,
            will=will if self._announce else None,
            identifier=self._client_id,
            logger=log,
        )

    async def _listen(self, client: aiomqtt.Client) -> None:
        topic = self.address.topic("receipt")
        async for message in client.messages:
            # Some brokers hand out retained messages of topics that were not asked for.
            if message.topic.value == topic and isinstance(message.payload, bytes):
                seq = receipt_of(message.payload, self.boot)
                if seq is not None:
                    await self._receive(seq)

    async def _receive(self, seq: int) -> None:
        async with self._moved:
            self.receipt = max(seq, -1 if self.receipt is None else self.receipt)
            while self._held and self._held[0][0].seq <= seq:
                self._held.popleft()
            self._moved.notify_all()

    async def _publish(self, client: aiomqtt.Client) -> None:
        while True:
            async with self._moved:
                await self._moved.wait_for(
                    lambda: self._line.is_set() and self._seq > self._next and bool(self._held)
                )
                first = self._held[0][0].seq
                start = max(0, self._next - first)
                due = list(islice(self._held, start, start + self._window))
                self._next = max(self._next, first) + len(due)
            # Tasks start in order, and paho queues before the first wait: the order stays.
            async with asyncio.TaskGroup() as sending:
                for message, made in due:
                    sending.create_task(
                        self._send(client, message, made, first), name="gateway publication"
                    )

    async def _send(
        self, client: aiomqtt.Client, message: Message, made: datetime, oldest: int
    ) -> None:
        sent = self._clock.now()
        late = (sent - made).total_seconds() > BACKFILL_AFTER_S
        body = message.body(self.boot, oldest, sent, late)
        self.redelivered += message.seq <= self._sent
        self._sent = max(self._sent, message.seq)
        await client.publish(self.address.topic("data"), encode(body), qos=1)
        self.published += 1

    async def _tell(self, client: aiomqtt.Client) -> None:
        while True:
            await self._say(client, online=True)
            await self._clock.sleep(STATE_EVERY_S)

    async def _say(self, client: aiomqtt.Client, *, online: bool) -> None:
        topic = self.address.topic("state")
        await client.publish(topic, self._state(online=online), qos=1, retain=True)

    def _state(self, *, online: bool) -> bytes:
        return encode({"online": online, "time": rfc3339(self._clock.now()), "boot": self.boot})


def receipt_of(payload: bytes, boot: str) -> int | None:
    """The number up to which a receipt speaks of this boot; None for anything else."""
    try:
        body = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(body, dict) or body.get("boot") != boot:
        return None
    seq = body.get("seq")
    return seq if isinstance(seq, int) else None


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """The first plain exception inside."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
