"""Requests of one gateway, one after the other in the order in which they came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    """lock: whose turn it is; asyncio serves those who wait in their order."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    here: int = 0


class Turns:
    """A gateway has at most `most` requests here; the next is not let in (None)."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lines: dict[int, _Line] = {}

    @asynccontextmanager
    async def entered(self, gateway: int) -> AsyncIterator[asyncio.Lock | None]:
        """The lock of a gateway's line, while this request is one of those that are here."""
        line = self._lines.setdefault(gateway, _Line())
        if line.here >= self.most:
            yield None
            return
        line.here += 1
        try:
            yield line.lock
        finally:
            line.here -= 1
            if not line.here:
                del self._lines[gateway]
