"""CAP 1.2: an Atom feed of the newest messages, and each message as a document."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.atom import CAP_TYPE, FEED_TYPE, feed, newest_of
from api.auth import Guard
from api.conditional import conditional
from api.paging import Cursor, read_cursor, write_cursor
from api.problems import EXPLANATIONS, Problem
from domain.cap import CapOptions, Message, messages, parse_identifier
from domain.cap_xml import document
from storage.cap_reading import CapReading
from storage.reading import Reading, Row
from storage.sessions import Scope

FEED = 50
"""Messages of a page, unless the reader says otherwise."""


def cap_routes(reading: Reading, guard: Guard, options: CapOptions) -> APIRouter:
    """GET /cap.atom and GET /cap/{identifier}.xml."""
    router = APIRouter(tags=["warnings"])
    cases = CapReading(reading)

    @router.get(
        "/cap.atom",
        operation_id="capFeed",
        response_class=Response,
        responses=_is(FEED_TYPE, "an Atom 1.0 feed, newest first"),
    )
    async def newest(
        request: Request,
        scope: Annotated[Scope, Depends(guard.reader)],
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=200, description="messages per page")] = FEED,
    ) -> Response:
        """The newest CAP messages of all warnings that this person may see."""
        owners = scope.list_of_enterprises()
        rows = await cases.newest(owners, _key(cursor), limit + 1)
        made = await _made(cases, owners, rows[:limit], options)
        following = _after(rows[limit - 1]) if len(rows) > limit else None
        here = {"limit": str(limit)} if limit != FEED else {}
        here |= {"cursor": cursor} if cursor is not None else {}
        body = feed(made, options.sender, here, following)
        return conditional(request, body, FEED_TYPE, newest_of(made))

    @router.get(
        "/cap/{identifier}.xml",
        operation_id="capMessage",
        response_class=Response,
        responses=_is(CAP_TYPE, "a CAP 1.2 message"),
    )
    async def one(
        request: Request,
        scope: Annotated[Scope, Depends(guard.reader)],
        identifier: Annotated[str, Path(examples=["6639f4c7-05c6-5e3d-b171-5f716fe3da65.1"])],
    ) -> Response:
        """One CAP message; the same bytes at any time."""
        key = parse_identifier(identifier)
        rows = [{"case_id": key[0], "n": key[1]}] if key is not None else []
        made = await _made(cases, scope.list_of_enterprises(), rows, options)
        if not made:
            raise Problem(404, EXPLANATIONS["not-found"])
        return conditional(request, document(made[0]), CAP_TYPE, newest_of(made))

    return router


async def _made(
    cases: CapReading, owners: Sequence[int], rows: Sequence[Row], options: CapOptions
) -> list[Message]:
    """The messages of these rows, in their order; of those that are not there, none."""
    chains = await cases.chains(owners, {row["case_id"] for row in rows})
    issued = await cases.as_issued(options)
    known = {made.identifier: made for chain in chains.values() for made in messages(chain, issued)}
    wanted = [f"{row['case_id']}.{row['n']}" for row in rows]
    return [known[identifier] for identifier in wanted if identifier in known]


def _after(row: Row) -> str:
    return write_cursor(row["at"].isoformat(), row["case_id"], row["n"])


def _key(cursor: str | None) -> tuple[datetime, UUID, int] | None:
    key = read_cursor(cursor, datetime.fromisoformat, UUID, int)
    if key is None:
        return None
    at, case, n = key
    assert isinstance(at, datetime)
    assert isinstance(case, UUID)
    assert isinstance(n, int)
    if at.tzinfo is None or not 0 <= n < 2**31:
        raise Problem(422, "cursor: not a cursor of this list")
    return at, case, n


def _is(media_type: str, description: str) -> dict[int | str, dict[str, object]]:
    content = {media_type: {"schema": {"type": "string"}}}
    return {
        200: {"description": description, "content": content},
        304: {"description": "If-None-Match names what is there"},
    }
