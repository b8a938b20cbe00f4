"""Run the api inside our own task group: our stop event wins, not uvicorn's signal handlers."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.app import create_app
from api.options import ApiOptions
from domain.clock import Clock
from storage.outbox_reading import OutboxStream
from storage.reading import Reading

HEAD_S = 30.0
"""So long a connection may take for the head of its first request."""


class PromptHeads(H11Protocol):
    """HTTP/1.1, and connections that send no head are closed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn does, and look again in time."""
        super().connection_made(transport)
        self.loop.call_later(HEAD_S, self._look)

    def _look(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


class QuietServer(uvicorn.Server):
    """A server that leaves SIGINT and SIGTERM to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


async def serve(
    options: ApiOptions,
    database_url: str,
    clock: Clock,
    registry: CollectorRegistry,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda port: None,
    more: Sequence[APIRouter] = (),
) -> None:
    """Serve until `stop` is set, then send the live streams home and finish what is under way.

    The database need not be there. more: as `create_app` has it. listening: is told the port once
    connections are accepted, for port 0 too. Raises `OSError` where the port is taken,
    `RuntimeError` if the server ends by itself.
    """
    with _bound(options.host, options.port) as line:
        async with Reading(database_url) as reading:
            stream = OutboxStream(reading, clock)
            app = create_app(options, reading, stream, clock, registry, more)
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(stream.run(), name="api-stream")
                await _served(line, app, options, stop, listening, stream.close)
                following.cancel()


async def serve_app(
    app: FastAPI,
    options: ApiOptions,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve another application in the same way."""
    with _bound(options.host, options.port) as line:
        await _served(line, app, options, stop, listening, lambda: None)


async def _served(
    line: socket.socket,
    app: FastAPI,
    options: ApiOptions,
    stop: asyncio.Event,
    listening: Callable[[int], None],
    leave: Callable[[], None],
) -> None:
    server = QuietServer(_config(app, options))
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve([line]), name="http")
        stopping = tasks.create_task(_stopped(stop, leave, server), name="http stop")
        listening(line.getsockname()[1])
        await serving
        if not stop.is_set():
            raise RuntimeError("the HTTP server ended by itself")
        stopping.cancel()


async def _stopped(stop: asyncio.Event, leave: Callable[[], None], server: uvicorn.Server) -> None:
    await stop.wait()
    leave()
    server.should_exit = True


def _config(app: object, options: ApiOptions) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=PromptHeads,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=options.trusted_proxies or None,
        timeout_graceful_shutdown=max(1, round(options.stop_within_s)),
    )


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind((host, port))
        line.listen(128)
        yield line
