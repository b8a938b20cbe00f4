"""One breach's way to the broker and back: a connection of its own, so that the next one finds
whatever this one left."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from domain.clock import Clock
from domain.self_test import ENTERPRISE, EVENTS, GATEWAY, PARK, TAG
from ingest import topics
from ingest.connection import Address, Connection
from ingest.wire import Delivery
from simulators.message import Message, Sample, encode

KEEPALIVE_S = 15
SCRATCH = 64 * 1024


class SelfTestLine:
    """The canary as a gateway: it publishes samples and hears the events that come of them.

    address: of the broker. name: the client id, with which nobody else connects. boot: of this run.
    """

    def __init__(self, address: Address, name: str, boot: str, clock: Clock) -> None:
        self._address = address
        self._name = name
        self._boot = boot
        self._clock = clock
        self._seq = 0
        self._scratch = bytearray(SCRATCH)
        self._connection: Connection | None = None
        self._heard: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Connect and listen; raises `ConnectionLostError`."""
        self._heard.clear()
        connection = Connection(
            *(self._address, self._name, KEEPALIVE_S, self._clock, self._scratch, self._take)
        )
        self._connection = connection
        await connection.open(clean=True)
        await connection.subscribe([topics.events(PARK, ENTERPRISE, EVENTS)])

    def say(self, *samples: tuple[datetime, float]) -> None:
        """Publish samples of the canary's tag in one message; lost where the connection is."""
        assert self._connection is not None, "opened before"
        message = Message(self._seq, [Sample(at, {TAG: value}) for at, value in samples])
        body = message.body(self._boot, self._seq, self._clock.now(), False)
        self._seq += 1
        topic = topics.data(PARK, ENTERPRISE, GATEWAY)
        self._connection.publish(topic, encode(body), 1, retain=False)

    async def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that is wanted; raises `ConnectionLostError`."""
        assert self._connection is not None, "opened before"
        while True:
            for event in self._heard:
                if wanted(event):
                    return event
            self._news.clear()
            news = asyncio.ensure_future(self._news.wait())
            try:
                await self._connection.until_lost(news)
            finally:
                news.cancel()

    async def close(self) -> None:
        """Leave in order; what was said has arrived at the broker then, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
            connection.abort()

    def _take(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            with suppress(ValueError):
                event = json.loads(bytes(delivery.payload))
                if isinstance(event, dict):
                    self._heard.append(event)
        if self._connection is not None:
            self._connection.acknowledge([one.mid for one in deliveries if one.mid])
        self._news.set()
