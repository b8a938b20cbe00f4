"""The live stream as it is read: the newest events in memory once, a follower keeps only a number.

One task of a process listens and reads the outbox. A follower that is slower than the memory is
long reads what it missed from the database; nobody has a queue of his own, so nobody can fill one.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile

from domain.clock import Clock
from storage.database import DatabaseAway
from storage.queries import query
from storage.reading import Reading, Row, RowConnection

OUTBOX = "hazwatch_outbox"
ACTION_DONE = "hazwatch_action_done"


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the outbox; `data` is its JSON as it goes out."""

    seq: int
    type: str
    enterprise: int | None
    node: int | None
    data: str


@dataclass(frozen=True, slots=True)
class Page:
    """Events after a cursor, in order. reset_to: the cursor is not kept; go on from here."""

    events: list[Event]
    reset_to: int | None = None


class OutboxStream:
    """The newest `keep` events of the outbox. `run` fills it until it is cancelled.

    poll_s: how often the table is looked at when no NOTIFY comes. patience_s: how long the database
    may take to answer before it counts as away. While it is away, `degraded_since` says since when.
    """

    def __init__(
        self,
        reading: Reading,
        clock: Clock,
        *,
        keep: int = 4096,
        poll_s: float = 1.0,
        patience_s: float = 5.0,
    ) -> None:
        self._reading = reading
        self._clock = clock
        self._poll_s = poll_s
        self._patience_s = patience_s
        self._events: deque[Event] = deque(maxlen=keep)
        self._floor: int | None = None
        self._head = 0
        self._changed = asyncio.Event()
        self._actions = asyncio.Event()
        self.degraded_since: datetime | None = None
        self.closed = False

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next event, change of state, or end. Take it before looking what there is."""
        return self._changed

    @property
    def actions_changed(self) -> asyncio.Event:
        """Set when the worker has dealt with some action."""
        return self._actions

    def after(self, cursor: int) -> list[Event] | None:
        """Events after `cursor` from memory; None where only the database can tell."""
        if self._floor is None or not self._floor <= cursor <= self._head:
            return None
        return list(dropwhile(lambda event: event.seq <= cursor, self._events))

    def close(self) -> None:
        """Send every follower home."""
        self.closed = True
        self._wake()

    async def run(self) -> None:
        """Follow the outbox for ever; a database that is away is waited for."""
        while True:
            try:
                async with self._reading.listener(OUTBOX, ACTION_DONE) as connection:
                    await self._follow(connection)
            except (DatabaseAway, TimeoutError):
                self._degrade(self._clock.now())
            await self._clock.sleep(self._poll_s)

    async def _follow(self, connection: RowConnection) -> None:
        while True:
            async with asyncio.timeout(self._patience_s):
                await self._read(connection)
            self._degrade(None)
            async for notify in connection.notifies(timeout=self._poll_s, stop_after=1):
                if notify.channel == ACTION_DONE:
                    self._actions = _renew(self._actions)

    async def _read(self, connection: RowConnection) -> None:
        if self._floor is None:
            bounds = await (await connection.execute(query("outbox_bounds"))).fetchone()
            assert bounds is not None, "an aggregate without GROUP BY has one row"
            self._floor = self._head = bounds["newest"]
        room = self._events.maxlen or 1
        cursor = await connection.execute(
            query("outbox_after"), {"after": self._head, "limit": room}
        )
        while rows := await cursor.fetchall():
            self._take(rows)
            cursor = await connection.execute(
                query("outbox_after"), {"after": self._head, "limit": room}
            )

    def _take(self, rows: list[Row]) -> None:
        for row in rows:
            if len(self._events) == self._events.maxlen:
                self._floor = self._events[0].seq
            self._events.append(Event(**row))
        self._head = self._events[-1].seq
        self._wake()

    def _degrade(self, since: datetime | None) -> None:
        if (since is None) != (self.degraded_since is None):
            self.degraded_since = since
            self._wake()

    def _wake(self) -> None:
        self._changed = _renew(self._changed)


async def newest(reading: Reading) -> int:
    """The sequence number of the newest event, 0 while there is none."""
    return (await _bounds(reading))[1]


async def read_after(reading: Reading, cursor: int, limit: int) -> Page:
    """Events after `cursor` from the database, or word that they are not all there."""
    events = [Event(**row) for row in await reading.rows("outbox_after", after=cursor, limit=limit)]
    # looked at afterwards: what is pruned between the two statements shows, and is never skipped
    oldest, last = await _bounds(reading)
    if cursor > last or cursor < oldest - 1:
        return Page([], reset_to=last)
    return Page(events)


async def _bounds(reading: Reading) -> tuple[int, int]:
    row = await reading.row("outbox_bounds")
    assert row is not None, "an aggregate without GROUP BY has one row"
    return row["oldest"], row["newest"]


def _renew(event: asyncio.Event) -> asyncio.Event:
    event.set()
    return asyncio.Event()
