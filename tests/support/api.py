"""The api for tests: in the loop over ASGI, or really listening."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.options import ApiOptions
from api.serve import serve
from domain.clock import Clock, SystemClock
from storage.outbox_reading import OutboxStream
from storage.reading import Reading
from tests.support.seed import PASSWORD


@dataclass(frozen=True)
class Api:
    """An api in the loop. `client` is not logged in."""

    client: httpx.AsyncClient
    reading: Reading
    stream: OutboxStream

    async def login(self, name: str, password: str = PASSWORD) -> httpx.AsyncClient:
        """A client with the bearer token of this person."""
        answer = await self.client.post(
            "/api/v1/session", json={"user": name, "password": password}
        )
        answer.raise_for_status()
        self.client.cookies.clear()
        return httpx.AsyncClient(
            transport=self.client._transport,
            base_url=self.client.base_url,
            headers={"Authorization": f"Bearer {answer.json()['token']}"},
        )


@asynccontextmanager
async def api_in_loop(
    url: str, options: ApiOptions | None = None, clock: Clock | None = None
) -> AsyncIterator[Api]:
    """An api over ASGI; what it answers comes whole, so streams need `listening_api`."""
    clock = clock or SystemClock()
    async with Reading(url) as reading, asyncio.TaskGroup() as tasks:
        stream = OutboxStream(reading, clock)
        following = tasks.create_task(stream.run())
        app = create_app(options or ApiOptions(), reading, stream, clock, CollectorRegistry())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Api(client, reading, stream)
        following.cancel()


@asynccontextmanager
async def listening_api(url: str, options: ApiOptions | None = None) -> AsyncIterator[str]:
    """The base URL of an api that really listens, on a free port, with the machine's clock."""
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve(
                options or ApiOptions(port=0),
                url,
                SystemClock(),
                CollectorRegistry(),
                stop,
                port.set_result,
            )
        )
        yield f"http://127.0.0.1:{await port}"
        stop.set()
