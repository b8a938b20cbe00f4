"""Tags 位号 and their newest values."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Limit, Page, by_id, page, read_cursor
from api.raw import RawValue, came_of
from api.schemas import Id, Instant, Sample, number_of
from domain.quality import word
from storage.plant_reading import list_latest, list_tags
from storage.reading import Reading, Row
from storage.sessions import Scope


class TagLimits(BaseModel):
    """Alarm limits in the tag's unit; null = none."""

    LL: float | None = None
    L: float | None = None
    H: float | None = None
    HH: float | None = None


class TagItem(BaseModel):
    """A registered tag with its newest sample."""

    id: Id
    name: str = Field(examples=["TK101.LI"])
    enterprise: Id
    source: Id
    kind: str = Field(examples=["level"])
    unit: str = Field(examples=["m"])
    range: tuple[float, float] | None
    limits: TagLimits
    safety_critical: bool
    latest: Sample | None = Field(description="null: never heard of")


class LatestItem(BaseModel):
    """The newest sample of one tag."""

    tag: Id
    time: Instant
    received: Instant
    value: float | None
    quality: str
    raw: RawValue | None = Field(
        description="with `?raw=true` what came, where it is another number than `value`"
    )


def tag_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /tags and GET /latest."""
    router = APIRouter(tags=["plant"])

    @router.get("/tags", operation_id="listTags")
    async def tags(
        scope: Annotated[Scope, Depends(guard.reader)],
        node: Annotated[str | None, Query(description="only below this node")] = None,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[TagItem]:
        """Tags by name."""
        key = read_cursor(cursor, str, int)
        after = None if key is None else (str(key[0]), int(str(key[1])))
        rows = await list_tags(reading, scope, number_of(node), after, limit + 1)
        return page(rows, limit, tag_item, lambda row: (row["name"], row["id"]))

    @router.get("/latest", operation_id="listLatest")
    async def latest(
        scope: Annotated[Scope, Depends(guard.reader)],
        tags: Annotated[
            str | None, Query(description="ids, by commas; all when left out", max_length=20_000)
        ] = None,
        raw: Annotated[bool, Query(description="tell what came, too")] = False,
        cursor: Cursor = None,
        limit: Limit = 1000,
    ) -> Page[LatestItem]:
        """The newest sample of each tag by event time; a tag that never spoke has none."""
        ids = None if tags is None else [number_of(id.strip()) or -1 for id in tags.split(",")]
        rows = await list_latest(reading, scope, ids, by_id(cursor), limit + 1)
        came = await came_of(reading, scope, rows) if raw else {}
        return page(
            rows, limit, lambda row: latest_item(row, came.get(row["tag"])), lambda r: (r["tag"],)
        )

    return router


def tag_item(row: Row) -> TagItem:
    """A row of `list_tags` as the wire has it."""
    spec = row["spec"]
    return TagItem(
        id=str(row["id"]),
        name=row["name"],
        enterprise=str(row["enterprise"]),
        source=str(row["source"]),
        kind=row["kind"],
        unit=row["unit"],
        range=spec.get("range"),
        limits=TagLimits(**(spec.get("limits") or {})),
        safety_critical=bool(spec.get("safety_critical")),
        latest=Sample.of(row),
    )


def latest_item(row: Row, raw: RawValue | None) -> LatestItem:
    """A row of `list_latest` as the wire has it."""
    return LatestItem(
        tag=str(row["tag"]),
        time=row["time"],
        received=row["received_at"],
        value=row["value"],
        quality=word(row["quality"]),
        raw=raw,
    )
