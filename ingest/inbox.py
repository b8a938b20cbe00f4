"""`Inbox`: messages between the socket and the pump."""

import asyncio
from collections import deque

from ingest.batch import Raw

OVERHEAD = 300
"""Bytes that a message takes beside its topic and payload, roughly."""


class Inbox:
    """First in, first out, bounded by bytes.

    It refuses nothing: a message that is here was sent and waits for its acknowledgement. Who
    fills it has to stop when it is `full`, may go on when it is `low` (half of the bound), and
    gives up the connection when it is `overfull` (twice the bound).
    """

    def __init__(self, bound: int) -> None:
        self.bytes = 0
        """What it holds now."""
        self._bound = bound
        self._messages: deque[Raw] = deque()
        self._some = asyncio.Event()
        self._low = asyncio.Event()
        self._low.set()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def full(self) -> bool:
        """Whether the socket should not be read."""
        return self.bytes >= self._bound

    @property
    def low(self) -> bool:
        """Whether there is room again."""
        return self._low.is_set()

    @property
    def overfull(self) -> bool:
        """Whether even a braked socket brought too much."""
        return self.bytes >= 2 * self._bound

    def put(self, raw: Raw) -> None:
        """Take a message in."""
        self._messages.append(raw)
        self.bytes += _size(raw)
        self._some.set()
        if self.bytes > self._bound // 2:
            self._low.clear()

    async def get(self, most: int) -> list[Raw]:
        """All that is here, up to `most` messages; waits for the first."""
        await self._some.wait()
        taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
        self.bytes -= sum(map(_size, taken))
        if not self._messages:
            self._some.clear()
        if self.bytes <= self._bound // 2:
            self._low.set()
        return taken

    async def until_low(self) -> None:
        """Wait until there is room again."""
        await self._low.wait()


def _size(raw: Raw) -> int:
    return len(raw.payload) + len(raw.topic) + OVERHEAD
