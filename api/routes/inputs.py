"""Management inputs: what people state of a plant, as facts that are revoked, never changed."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Body, Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api.auth import Guard
from api.logins import Address
from api.paging import Cursor, Limit, Page, by_moment, page
from api.problems import EXPLANATIONS, Problem
from api.routes.actions import Key
from api.schemas import Id, Instant, among, number_of
from api.second_person import SecondPerson
from api.secretary import Secretary, may_revoke
from api.statements import Said
from domain.alarms import NAMESPACE
from domain.clock import Clock
from domain.inputs import InputKind
from storage.inputs_api import (
    find_input,
    input_by_key,
    input_place,
    list_inputs,
    record_input,
    revoke_input,
)
from storage.reading import Reading, Row
from storage.sessions import Scope

KINDS = tuple(kind.value for kind in InputKind)


class InputItem(BaseModel):
    """A fact, and whether it is in force."""

    id: Id
    kind: InputKind
    enterprise: Id
    node: Id
    node_name: str
    tag: Id | None
    tag_name: str | None
    since: Instant
    until: Instant | None
    value: dict[str, Any]
    who: str
    second: str | None = Field(description="the second person, where one was asked for")
    recorded_at: Instant
    revoked_at: Instant | None
    revoked_by: str | None
    reason: str = Field(description="why it was revoked")
    open: bool = Field(description="neither revoked nor past its end")


def input_routes(reading: Reading, guard: Guard, clock: Clock, second: SecondPerson) -> APIRouter:
    """POST, GET and DELETE on inputs."""
    router = APIRouter(tags=["inputs"])
    secretary = Secretary(reading, second)

    @router.post(
        "/inputs",
        operation_id="stateInput",
        response_model=InputItem,
        status_code=201,
        responses={200: {"model": InputItem, "description": "stated before under the same key"}},
    )
    async def state(
        scope: Annotated[Scope, Depends(guard.writer)],
        said: Annotated[Said, Body()],
        address: Address,
        key: Key = None,
    ) -> Response:
        """State a fact: commitment, duty, hidden hazard, special work, mode, permit, report, colour
        or offline report. It counts from the worker's next look, within a second."""
        key, at = key or str(uuid4()), clock.now()
        known = await input_by_key(reading, scope.person, key)
        if known is None:
            id = uuid5(NAMESPACE, f"input/{scope.person}/{key}")
            fact = await secretary.heard(scope, said, id, at, address)
            await record_input(reading, fact, key)
        row = await find_input(
            reading, scope, known or uuid5(NAMESPACE, f"input/{scope.person}/{key}")
        )
        if row is None or row["kind"] != said.kind:
            raise Problem(409, "The key was used before, for something else.")
        body = input_item(row, at).model_dump(mode="json")
        return JSONResponse(body, 201 if known is None else 200)

    @router.get("/inputs", operation_id="listInputs")
    async def inputs(
        scope: Annotated[Scope, Depends(guard.reader)],
        kind: Annotated[str | None, Query(description="by commas: " + ", ".join(KINDS))] = None,
        node: Annotated[str | None, Query(description="only at or below this node")] = None,
        open: Annotated[bool, Query(description="only what has not ended")] = False,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[InputItem]:
        """Facts, the newest first."""
        at = clock.now()
        rows = await list_inputs(
            reading,
            scope,
            kinds=among("kind", kind, KINDS),
            node=number_of(node),
            open_at=at if open else None,
            before=by_moment(cursor),
            limit=limit + 1,
        )
        return page(
            rows,
            limit,
            lambda row: input_item(row, at),
            lambda row: (row["recorded_at"], row["id"]),
        )

    @router.get("/inputs/{id}", operation_id="readInput")
    async def one(id: UUID, scope: Annotated[Scope, Depends(guard.reader)]) -> InputItem:
        """One fact."""
        return input_item(await there(scope, id), clock.now())

    @router.delete("/inputs/{id}", operation_id="revokeInput")
    async def revoke(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        reason: Annotated[
            str, Query(min_length=1, max_length=1000, description="done, withdrawn, or wrong")
        ],
    ) -> InputItem:
        """End a fact now: put right, withdrawn, or never true. The row stays."""
        row = await there(scope, id)
        place = await input_place(reading, scope, row["node"])
        if place is not None:
            may_revoke(scope, place, row)
        at = clock.now()
        if not await revoke_input(reading, id, scope.person, reason, at):
            row = await there(scope, id)
            raise Problem(409, f"It was revoked before, by {row['revoked_by']}.")
        return input_item(await there(scope, id), at)

    async def there(scope: Scope, id: UUID) -> Row:
        row = await find_input(reading, scope, id)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        return row

    return router


def input_item(row: Row, at: datetime) -> InputItem:
    """A row of `list_inputs` as the wire has it, at an instant."""
    ended = row["revoked_at"] is not None or (row["until"] is not None and row["until"] <= at)
    ids = {name: str(row[name]) for name in ("id", "enterprise", "node")}
    tag = None if row["tag"] is None else str(row["tag"])
    return InputItem.model_validate(row | ids | {"tag": tag, "open": not ended})
