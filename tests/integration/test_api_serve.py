"""What the server itself bounds, before any path is known."""

import asyncio

from api import serve
from tests.support.api import listening_api


async def test_a_connection_that_never_says_what_it_wants_is_closed(timescale_url, monkeypatch):
    monkeypatch.setattr(serve, "HEAD_S", 0.2)
    async with listening_api(timescale_url) as url, asyncio.timeout(20):
        port = int(url.rsplit(":", 1)[1])
        dripping, silent, asking = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(3)
        ]
        dripping[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Drip: ")
        asking[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asking[0].readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        assert await dripping[0].read() == await silent[0].read() == b""
        asking[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await asking[0].readuntil(b"HTTP/1.1 200")
        for _, writer in (dripping, silent, asking):
            writer.close()
