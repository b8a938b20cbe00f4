"""The live stream (SSE)."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse

from api.auth import Guard, Token
from api.live import Live, Seats, Wish
from api.problems import FieldError, Problem
from storage.outbox_reading import newest
from storage.reading import Reading

AS_IT_COMES = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""No cache keeps it, and no proxy gathers it first."""
TOPICS = frozenset({"alarm", "desk", "risk", "system", "warning"})


class Stream(StreamingResponse):
    """Server-sent events; unlike `fastapi.sse.EventSourceResponse` one piece may hold several."""

    media_type = "text/event-stream"


def event_routes(reading: Reading, guard: Guard, live: Live, seats: Seats) -> APIRouter:
    """GET /events."""
    router = APIRouter(tags=["live"])

    async def wish(
        token: Token,
        last_event_id: Annotated[
            int | None, Header(ge=0, description="the last id you have; without it: from now on")
        ] = None,
        topics: Annotated[
            str | None, Query(description="types of events, by commas; all when left out")
        ] = None,
    ) -> AsyncIterator[Wish]:
        scope = await guard.scope(token)
        # decided before the headers go out: what a client lists after that, it misses nothing of
        cursor = await newest(reading) if last_event_id is None else last_event_id
        with seats.take(scope.person):
            yield Wish(token, scope, cursor, chosen(topics))

    @router.get("/events", operation_id="followEvents", response_class=Stream)
    async def events(made: Annotated[Wish, Depends(wish)]) -> Stream:
        """Every change that this person may see, as it is committed.

        `id` is the place in the sequence: reconnect with it as Last-Event-ID and nothing is missed
        (`event: reset` where that is too long ago: load the lists again). `event: degraded` tells
        that the database is away, or back. A comment comes at least every 10 s.
        """
        return Stream(live.follow(made), headers=AS_IT_COMES)

    return router


def chosen(topics: str | None) -> frozenset[str] | None:
    """The types asked for; an unknown one is a 422 problem."""
    if topics is None:
        return None
    given = frozenset(topics.split(","))
    if not given <= TOPICS:
        detail = f"allowed are {', '.join(sorted(TOPICS))}, by commas"
        raise Problem(422, detail, errors=[FieldError(parameter="topics", detail=detail)])
    return given
