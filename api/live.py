"""The live stream as one follower sees it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi.sse import format_sse_event

from api.auth import Guard
from api.metrics import ApiMetrics
from api.options import ApiOptions
from api.problems import EXPLANATIONS, Problem
from domain.clock import Clock
from domain.instant import rfc3339
from storage.database import DatabaseAway
from storage.outbox_reading import Event, OutboxStream, Page, read_after
from storage.reading import Reading
from storage.sessions import Scope

HEARTBEAT = format_sse_event(comment="heartbeat")
AT_ONCE = 128
"""Events that go out as one piece: a rush would wait for the loop at each of them, and a slow
follower has one piece waiting, some 150 kB."""


class Seats:
    """How many streams are open, in all and for each person."""

    def __init__(self, options: ApiOptions, metrics: ApiMetrics) -> None:
        self._options = options
        self._metrics = metrics
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, person: str) -> Iterator[None]:
        """A seat for as long as the block runs, or a 429 problem."""
        if (
            self._taken.total() >= self._options.streams
            or self._taken[person] >= self._options.streams_per_person
        ):
            detail = EXPLANATIONS["too-many-streams"]
            raise Problem(429, detail, slug="too-many-streams", headers={"Retry-After": "10"})
        self._taken[person] += 1
        self._metrics.streams.inc()
        try:
            yield
        finally:
            self._taken[person] -= 1
            self._taken += Counter()
            self._metrics.streams.dec()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a follower asked for. cursor: the last event it has; topics: types, None = all."""

    token: str
    scope: Scope
    cursor: int
    topics: frozenset[str] | None = None


class Live:
    """Everything that a follower needs besides its wish."""

    def __init__(
        self,
        reading: Reading,
        stream: OutboxStream,
        guard: Guard,
        clock: Clock,
        options: ApiOptions,
        metrics: ApiMetrics,
    ) -> None:
        self._reading = reading
        self._stream = stream
        self._guard = guard
        self._clock = clock
        self._options = options
        self._metrics = metrics

    async def follow(self, wish: Wish) -> AsyncIterator[bytes]:
        """Every event after the cursor that this person may see, for as long as the session lasts;
        some of them together.

        What the memory of the stream no longer holds is read from the database. While that is away
        the follower is told so once, and once more when it is back; it loses nothing.
        """
        yield HEARTBEAT
        cursor, scope, degraded = wish.cursor, wish.scope, False
        checked = self._clock.elapsed()
        while not self._stream.closed and self._clock.now() < scope.expires:
            changed = self._stream.changed
            if (self._stream.degraded_since is not None) != degraded:
                degraded = not degraded
                yield self._degraded(degraded)
            page = await self._page(cursor)
            if page.reset_to is not None:
                cursor = page.reset_to
                yield reset(cursor)
            for first in range(0, len(page.events), AT_ONCE):
                some = page.events[first : first + AT_ONCE]
                cursor = some[-1].seq
                said = [
                    format_sse_event(data_str=event.data, event=event.type, id=str(event.seq))
                    for event in some
                    if scope.sees(event.enterprise, event.node) and wanted(event, wish.topics)
                ]
                if said:
                    self._metrics.stream_events.inc(len(said))
                    yield b"".join(said)
                    await self._clock.sleep(0)  # others come between, and an end is heard of
            if self._clock.elapsed() - checked >= self._options.session_check_s:
                checked = self._clock.elapsed()
                renewed = await self._still(wish.token, scope)
                if renewed is None:
                    return
                scope = renewed
            if not page.events and not await happened(changed, self._options.heartbeat_s):
                yield HEARTBEAT

    async def _page(self, cursor: int) -> Page:
        events = self._stream.after(cursor)
        if events is not None:
            return Page(events)
        try:
            return await read_after(self._reading, cursor, self._options.stream_page)
        except DatabaseAway:
            return Page([])

    async def _still(self, token: str, scope: Scope) -> Scope | None:
        try:
            return await self._guard.scope(token)
        except Problem:
            return None
        except DatabaseAway:
            return scope

    def _degraded(self, degraded: bool) -> bytes:
        since = self._stream.degraded_since or self._clock.now()
        body = {"type": "degraded", "at": rfc3339(since), "degraded": degraded}
        detail = "the database is away" if degraded else "the database is back"
        return format_sse_event(event="degraded", data_str=json.dumps(body | {"detail": detail}))


def reset(cursor: int) -> bytes:
    """Tell a follower that events are missing: load the lists again, then go on from `cursor`."""
    body = {"type": "reset", "detail": "older events are gone; load the lists again"}
    return format_sse_event(event="reset", id=str(cursor), data_str=json.dumps(body))


def wanted(event: Event, topics: frozenset[str] | None) -> bool:
    """Whether the follower asked for this type."""
    return topics is None or event.type in topics


async def happened(event: asyncio.Event, within_s: float) -> bool:
    """Wait for an event; False if it did not come in time."""
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
