"""What is missing 缺失台账: gaps of gateways, tags and numbered messages, and what filled them."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Limit, Page, by_id, page, read_cursor
from api.problems import Problem
from api.schemas import Id, Instant, Moment, among, number_of
from domain.clock import Clock
from storage.gaps_reading import completeness, gap_totals, list_gaps, state_of
from storage.reading import Reading, Row
from storage.sessions import Scope

KINDS = ("gateway", "tag", "messages")
DAY = timedelta(days=1)
Kind = Literal["gateway", "tag", "messages"]


class GapItem(BaseModel):
    """A stretch in which data are missing. to: null while it goes on."""

    id: Id
    kind: Kind = Field(
        description="gateway: all its tags were silent at once; tag: this one alone; messages: "
        "numbers of its counting that did not come"
    )
    enterprise: Id
    gateway: Id | None
    gateway_code: str | None = Field(examples=["g1"])
    tag: Id | None
    tag_name: str | None = Field(examples=["LT-201"])
    from_: Instant = Field(alias="from")
    to: Instant | None
    state: Literal["open", "missing", "filled", "lost"] = Field(
        description="open: it goes on; lost: the gateway no longer has the messages"
    )
    cause: str = Field(description="gateway, tag (or what is behind it), broker or hazwatch")
    seen_at: Instant = Field(description="when it was entered")
    filled_at: Instant | None = Field(description="when the last of it came")
    filled_by: str | None = Field(
        description="late (live, but late), backfill, import or redelivery; also of a part"
    )
    tags: int = Field(description="tags that it stands for")
    remaining: list[tuple[Instant, Instant | None]] = Field(
        description="what is still missing, at most 100 pieces; of a gateway: of a tag of which "
        "nothing has come since"
    )
    missing_s: float = Field(description="seconds still missing, summed over its tags")
    boot: str | None = Field(description="of messages")
    seq: tuple[int, int] | None = Field(description="of messages: first and last number")
    messages: int = Field(description="how many messages are still missing")


class GapTotal(BaseModel):
    """What is missing of a gateway's data in a period; seconds are summed over its tags."""

    gateway: Id
    code: str
    enterprise: Id
    tags: int = Field(description="tags that it sends")
    expected_s: float
    missing_s: float
    completeness: float | None = Field(
        description="data completeness 数据完整率, 0 to 1; null where nothing was expected"
    )
    gaps: int = Field(description="gaps that are not filled")
    filled: int = Field(description="gaps that have been filled")
    messages: int = Field(description="messages that are missing")


def gap_routes(reading: Reading, guard: Guard, clock: Clock) -> APIRouter:
    """GET /gaps and GET /gaps/totals."""
    router = APIRouter(tags=["integration"])

    @router.get("/gaps", operation_id="listGaps")
    async def gaps(
        scope: Annotated[Scope, Depends(guard.reader)],
        kind: Annotated[str | None, Query(description="by commas: " + ", ".join(KINDS))] = None,
        gateway: str | None = None,
        tag: Annotated[
            str | None, Query(description="its own gaps, and those of its gateway")
        ] = None,
        node: Annotated[str | None, Query(description="only at or below this node")] = None,
        open: Annotated[
            bool | None, Query(description="true: what is still missing; false: what is not")
        ] = None,
        begin: Annotated[Moment | None, Query(alias="from", description="touching from–to")] = None,
        end: Annotated[Moment | None, Query(alias="to")] = None,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[GapItem]:
        """Missing data, the newest first."""
        rows = await list_gaps(
            reading,
            scope.list_of_enterprises(),
            at=clock.now(),
            kinds=among("kind", kind, KINDS),
            gateway=number_of(gateway),
            tag=number_of(tag),
            node=number_of(node),
            open=open,
            begin=begin,
            end=end,
            before=_place(cursor),
            limit=limit + 1,
        )
        return page(rows, limit, gap_item, lambda row: (row["time_from"], row["id"]))

    @router.get("/gaps/totals", operation_id="readGapTotals")
    async def totals(
        scope: Annotated[Scope, Depends(guard.reader)],
        begin: Annotated[
            Moment | None, Query(alias="from", description="default: 24 h before `to`")
        ] = None,
        end: Annotated[Moment | None, Query(alias="to", description="default: now")] = None,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[GapTotal]:
        """What is missing of each gateway's data in a period, and how complete they are."""
        now = clock.now()
        until = min(end or now, now)
        since = begin or until - DAY
        if since >= until:
            raise Problem(422, "from: must lie before `to`, and before the present")
        rows = await gap_totals(
            reading, scope.list_of_enterprises(), since, until, by_id(cursor), limit + 1
        )
        return page(rows, limit, gap_total, lambda row: (row["gateway"],))

    return router


def gap_item(row: Row) -> GapItem:
    """A row of `list_gaps` as the wire has it."""
    ids = {name: None if row[name] is None else str(row[name]) for name in ("gateway", "tag")}
    seq = None if row["seq_from"] is None else (row["seq_from"], row["seq_to"])
    said = row | ids | {"enterprise": str(row["enterprise"]), "seq": seq, "state": state_of(row)}
    return GapItem.model_validate(said | {"from": row["time_from"], "to": row["time_to"]})


def gap_total(row: Row) -> GapTotal:
    """A row of `gap_totals` as the wire has it."""
    ids = {name: str(row[name]) for name in ("gateway", "enterprise")}
    return GapTotal.model_validate(row | ids | {"completeness": completeness(row)})


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    key = read_cursor(cursor, datetime.fromisoformat, str)
    if key is None:
        return None
    moment, id = key
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise Problem(422, "cursor: not a cursor of this list")
    return moment, str(id)
