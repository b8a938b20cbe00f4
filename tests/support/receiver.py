"""The other end of a gateway's wire, as little of it as a test needs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiomqtt

from domain.tasks import end
from simulators.message import Address


class Receiver:
    """Collects what one gateway publishes; gives receipts when told to, or for all at once."""

    def __init__(self, client: aiomqtt.Client, address: Address, prompt: bool) -> None:
        self.data: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self._client = client
        self._address = address
        self._prompt = prompt
        self._news = asyncio.Condition()

    async def until_data(self, n: int) -> list[dict[str, Any]]:
        """The data messages once there are `n`."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.data) >= n)
        return self.data

    async def until_state(self, online: bool) -> dict[str, Any]:
        """The newest state, once it says so."""
        async with self._news:
            await self._news.wait_for(
                lambda: self.states[-1:] and self.states[-1]["online"] == online
            )
        return self.states[-1]

    async def give_receipt(self, boot: str, seq: int) -> None:
        """Say that everything up to `seq` is durable."""
        body = json.dumps({"boot": boot, "seq": seq})
        await self._client.publish(self._address.topic("receipt"), body, qos=1, retain=True)

    async def listen(self) -> None:
        """Take everything in, until cancelled."""
        async for message in self._client.messages:
            body = json.loads(message.payload)
            async with self._news:
                kept = self.data if message.topic.value.endswith("/data") else self.states
                kept.append(body)
                self._news.notify_all()
            if self._prompt and kept is self.data:
                await self.give_receipt(body["boot"], body["seq"])


@asynccontextmanager
async def receiver(url: str, address: Address, *, prompt: bool = False) -> AsyncIterator[Receiver]:
    """A receiver that listens until the block ends; `prompt` gives a receipt for every message."""
    parts = urlsplit(url)
    async with aiomqtt.Client(parts.hostname or "", parts.port or 1883) as client:
        await client.subscribe([(address.topic("data"), 1), (address.topic("state"), 1)])
        found = Receiver(client, address, prompt)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(found.listen())
            yield found
            await end(listening)
