"""Gateways and what was not understood of them: for those who connect a plant."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Limit, Page, by_id, by_moment, page
from api.schemas import Id, Instant, number_of
from storage.plant_reading import list_gateways, list_quarantine
from storage.reading import Reading, Row
from storage.sessions import Scope


class GatewayItem(BaseModel):
    """A sender. online: as it said last; null: it never said."""

    id: Id
    enterprise: Id
    code: str = Field(examples=["gw1"])
    online: bool | None
    boot: str | None
    said_at: Instant | None
    last_seen: Instant | None
    clock_error_s: float = Field(description="its clock minus ours, where it was found wrong")
    counts: dict[str, int] | None = Field(description="what became of its messages and values")


class QuarantineItem(BaseModel):
    """A message, or one value of it, that was not understood."""

    id: Id
    received: Instant
    topic: str
    gateway: Id | None
    enterprise: Id | None
    reason: str = Field(examples=["unknown_tag"])
    detail: str
    tag: str | None
    time: str | None
    size: int = Field(description="bytes")
    payload: str = Field(description="its beginning; bytes that are no text are replaced")


def gateway_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /gateways and GET /quarantine."""
    router = APIRouter(tags=["integration"])

    @router.get("/gateways", operation_id="listGateways")
    async def gateways(
        scope: Annotated[Scope, Depends(guard.reader)], cursor: Cursor = None, limit: Limit = 200
    ) -> Page[GatewayItem]:
        """Gateways with their last sign of life, their clock and their counts."""
        rows = await list_gateways(reading, scope, by_id(cursor), limit + 1)
        return page(rows, limit, gateway_item, lambda row: (row["id"],))

    @router.get("/quarantine", operation_id="listQuarantine")
    async def quarantine(
        scope: Annotated[Scope, Depends(guard.reader)],
        reason: Annotated[str | None, Query(examples=["unknown_tag"])] = None,
        gateway: str | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[QuarantineItem]:
        """What was not understood, newest first; what is nobody's is for operators."""
        rows = await list_quarantine(
            reading,
            scope,
            reason=reason,
            gateway=number_of(gateway),
            before=by_moment(cursor),
            limit=limit + 1,
        )
        return page(rows, limit, quarantine_item, lambda row: (row["received_at"], row["id"]))

    return router


def gateway_item(row: Row) -> GatewayItem:
    """A row of `list_gateways` as the wire has it."""
    return GatewayItem(**row | {"id": str(row["id"]), "enterprise": str(row["enterprise"])})


def quarantine_item(row: Row) -> QuarantineItem:
    """A row of `list_quarantine` as the wire has it."""
    known = {name: str(row[name]) for name in ("gateway", "enterprise") if row[name] is not None}
    return QuarantineItem(
        **row
        | {"gateway": None, "enterprise": None, **known}
        | {
            "id": str(row["id"]),
            "received": row["received_at"],
            "payload": bytes(row["payload"]).decode("utf-8", "replace"),
        }
    )
