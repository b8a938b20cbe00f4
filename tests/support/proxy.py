"""A wire between a client and a server that can be cut, fall silent, or lose one of its ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from urllib.parse import urlsplit, urlunsplit

from tests.support.clock import turns

TURNS_TO_A_TRANSPORT = 3
"""Turns of the event loop from a connection that is accepted to one that can be closed: asyncio
loses, and never closes, what it has accepted when its server is closed meanwhile."""


class Wire(Enum):
    """What becomes of what is sent."""

    SOUND = "all of it arrives"
    CUT = "connections are reset, and refused"
    HALF_OPEN = "the server's end is gone, and the client does not hear of it"
    SILENT = "connections stand, and take a while of bytes that never arrive"


class Proxy:
    """Listens on `port` of this machine for the server at `host`:`to`."""

    def __init__(self, host: str, to: int) -> None:
        self.port = 0
        self._host, self._to = host, to
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._sound = asyncio.Event()
        self._sound.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def become(self, wire: Wire) -> None:
        """From now on. Made sound again, connections of before are lost if they were broken."""
        broken = not self._sound.is_set()
        if wire is Wire.SOUND:
            if broken:
                self._drop()
            self._sound.set()
            await self._listen()
            return
        self._sound.clear()
        if wire is Wire.CUT:
            await self._refuse()
            self._drop()
        elif wire is Wire.HALF_OPEN:
            for _, up in self._pairs:
                up.transport.abort()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            for line in self._server.sockets:
                asyncio.get_running_loop().remove_reader(line.fileno())
            await turns(TURNS_TO_A_TRANSPORT)
            self._server.close()
            self._server = None

    def _drop(self) -> None:
        for pair in list(self._pairs):
            for end in pair:
                end.transport.abort()
        self._pairs.clear()

    def _accept(self, here: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._clients.add(client)
        task = asyncio.get_running_loop().create_task(self._serve(here, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, here: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            await self._sound.wait()
            there, up = await asyncio.open_connection(self._host, self._to)
        except OSError:
            self._end(client)
            return
        pair = (client, up)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(here, up))
                tasks.create_task(self._carry(there, client))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._pairs.discard(pair)
            up.transport.abort()
            self._end(client)

    def _end(self, client: asyncio.StreamWriter) -> None:
        self._clients.discard(client)
        client.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            await self._sound.wait()
            to.write(data)
            await to.drain()
        # Who hung up on a wire that is broken is not heard at the other end either.
        await self._sound.wait()
        raise ConnectionResetError

    async def close(self) -> None:
        """Nothing is left."""
        await self._refuse()
        self._drop()
        for task in list(self._tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in list(self._clients):
            self._end(client)
        await turns(1)


@asynccontextmanager
async def proxy(url: str, default_port: int) -> AsyncIterator[tuple[Proxy, str]]:
    """A sound wire to the server of `url`, and the url that goes by it."""
    parts = urlsplit(url)
    wire = Proxy(parts.hostname or "127.0.0.1", parts.port or default_port)
    await wire.become(Wire.SOUND)
    account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    try:
        yield wire, urlunsplit(parts._replace(netloc=f"{account}127.0.0.1:{wire.port}"))
    finally:
        await wire.close()
