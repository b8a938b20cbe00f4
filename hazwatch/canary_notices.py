"""`CanaryNotices`: the channel of the canary's own notices: here they have arrived."""

import asyncio
from collections import deque
from uuid import UUID

from domain.alarms import Notice

KEPT = 100
"""So many of those that arrived are remembered; a breach asks for its own, which is new."""


class CanaryNotices:
    """A channel (`alerts.channels.channel.Channel`) that takes everything."""

    def __init__(self) -> None:
        self._arrived: deque[UUID] = deque(maxlen=KEPT)
        self._news = asyncio.Event()

    async def send(self, notice: Notice) -> None:
        """It has come as far as to a channel."""
        self._arrived.append(notice.occurrence)
        self._news.set()

    async def until(self, occurrence: UUID) -> None:
        """Return when the notice of an occurrence has arrived; waits for ever, the caller has the
        deadline."""
        while occurrence not in self._arrived:
            self._news.clear()
            await self._news.wait()
