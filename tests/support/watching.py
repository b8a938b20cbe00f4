"""Both ends of hazwatch at once: somebody who follows the stream, and an address that gets notices.

Each keeps what came as bytes with its instant; reading it can wait until the rush is over.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from domain.clock import Clock, SystemClock
from tests.support.bench import Running, command

READ_S = 30.0
RAISE = re.compile(rb'"event": ?"raise"[,}]')


@dataclass(slots=True)
class Sink:
    """An HTTP address that keeps the line open and answers 204 after `pause_s`.

    got: (instant, Idempotency-Key, body) of each request, in order.
    """

    clock: Clock
    pause_s: float = 0.0
    got: list[tuple[datetime, str, bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"http://127.0.0.1:{self.port}/hook"

    def bodies(self) -> list[tuple[datetime, dict[str, Any]]]:
        """What was told, with when."""
        return [(at, json.loads(body)) for at, _, body in self.got]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the other side ends it."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = (line.partition(":") for line in head.split("\r\n")[1:])
                members = {name.lower(): value.strip() for name, _, value in lines}
                body = await reader.readexactly(int(members["content-length"]))
                self.got.append((self.clock.now(), members["idempotency-key"], body))
                await self.clock.sleep(self.pause_s)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the end of the other side, or of the whole
        finally:
            writer.close()


@asynccontextmanager
async def sink(pause_s: float = 0.0) -> AsyncIterator[Sink]:
    """Such an address that really listens, until the block ends."""
    made = Sink(SystemClock(), pause_s)
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@dataclass(slots=True)
class Stream:
    """The live stream as it came in."""

    clock: Clock
    chunks: list[tuple[datetime, bytes]] = field(default_factory=list)
    raised: int = 0
    """Events that say "raise" so far, by a look at their bytes."""

    def events(self) -> list[tuple[datetime, int, dict[str, Any]]]:
        """(instant, place, body) of each alarm event, in order."""
        found, rest = [], b""
        for at, chunk in self.chunks:
            *blocks, rest = (rest + chunk).split(b"\n\n")
            for block in blocks:
                lines = (line.partition(b": ") for line in block.splitlines())
                members = {name: value for name, _, value in lines}
                if members.get(b"event") == b"alarm":
                    body = json.loads(members[b"data"])
                    found.append((at, int(members[b"id"]), body))
        return found

    async def follow(self, answer: httpx.Response) -> None:
        """Take everything in, until cancelled."""
        rest = b""
        async for chunk in answer.aiter_bytes():
            self.chunks.append((self.clock.now(), chunk))
            *blocks, rest = (rest + chunk).split(b"\n\n")
            self.raised += sum(RAISE.search(block) is not None for block in blocks)


@asynccontextmanager
async def streaming(service: Running) -> AsyncIterator[Stream]:
    """Somebody who follows the live stream until the block ends."""
    name, park = "bench", service.swarm.park
    words = ("user", "add", name, "--role", "operator", "--node", park, "--generate")
    password = command(*words, "--database-url", service.database_url).strip()
    base = f"http://127.0.0.1:{service.service.port}/api/v1"
    made = Stream(SystemClock())
    async with httpx.AsyncClient(base_url=base, timeout=READ_S) as client:
        said = await client.post("/session", json={"user": name, "password": password})
        client.headers["Authorization"] = f"Bearer {said.raise_for_status().json()['token']}"
        client.cookies.clear()
        async with client.stream("GET", "/events") as answer, asyncio.TaskGroup() as tasks:
            answer.raise_for_status()
            following = tasks.create_task(made.follow(answer))
            yield made
            following.cancel()
