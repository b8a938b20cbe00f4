"""A small reader of server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Received:
    """One event, or a comment (`event` empty)."""

    event: str = ""
    id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Follower:
    """Reads one live stream, event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self, *, comments: bool = False) -> Received:
        """The next event (or comment); fails after 20 s of waiting, raises at the stream's end."""
        async with asyncio.timeout(20):
            while True:
                received = await self._block()
                if received.event or comments:
                    return received

    async def take(self, n: int) -> list[Received]:
        """The next n events."""
        return [await self.next() for _ in range(n)]

    async def _block(self) -> Received:
        members: dict[str, str] = {}
        async for line in self._lines:
            if not line and members:
                id = members.get("id")
                data = json.loads(members.get("data", "{}"))
                return Received(members.get("event", ""), int(id) if id else None, data)
            if line:
                name, _, value = line.partition(":")
                members[name] = value.strip()
        raise EOFError("the stream has ended")


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, *, last: int | None = None, **params: str
) -> AsyncIterator[Follower]:
    """A live stream that has begun."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with client.stream(
        "GET", "/api/v1/events", headers=headers, params=params, timeout=30
    ) as answer:
        if answer.status_code != 200:
            await answer.aread()
        yield Follower(answer)
