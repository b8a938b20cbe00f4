"""The past of one tag."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.problems import EXPLANATIONS, FieldError, Problem
from api.raw import RawValue, RawValues
from api.schemas import Id, Instant, Moment, number_of
from domain.clock import Clock
from domain.instant import rfc3339
from domain.policy import silence_after
from domain.quality import word
from domain.site import TagEntry
from storage.history import History, read_history
from storage.plant_reading import find_tag
from storage.reading import Reading, Row
from storage.sessions import Scope

SPAN = timedelta(hours=1)
"""How far back, when it is not said."""

Cell = str | float | int | None


class TagHistory(BaseModel):
    """Samples of [from, to), at most `points` rows. What was not stored has no row."""

    tag: Id
    unit: str
    kind: Literal["raw", "aggregate"]
    since: Instant = Field(alias="from")
    until: Instant = Field(alias="to")
    width_s: float | None = Field(description="of a bucket; null for raw")
    gap_s: float = Field(description="rows further apart than this have a gap between them")
    rows: list[list[Cell]] = Field(
        description="raw: [time, value, quality]; aggregate: [time of the bucket's begin, min, max,"
        " mean, count of values, worst quality]",
        examples=[[["2026-11-21T08:00:00Z", 7.31, "good"]]],
    )
    raw: list[list[Cell]] = Field(
        description="[time, value, unit] that came, of each raw row where that is another number",
        examples=[[["2026-11-21T08:00:00Z", 731.0, "cm"]]],
    )


def history_routes(reading: Reading, guard: Guard, clock: Clock) -> APIRouter:
    """GET /tags/{id}/history."""
    router = APIRouter(tags=["plant"])

    @router.get("/tags/{id}/history", operation_id="readHistory")
    async def history(
        id: str,
        scope: Annotated[Scope, Depends(guard.reader)],
        since: Annotated[Moment | None, Query(alias="from")] = None,
        until: Annotated[Moment | None, Query(alias="to")] = None,
        points: Annotated[int, Query(ge=2, le=10_000, description="rows at most")] = 1000,
    ) -> TagHistory:
        """Raw samples while they are few, else buckets that keep every extreme; gaps stay gaps."""
        tag = await find_tag(reading, scope, number_of(id) or -1)
        if tag is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        end = until or clock.now()
        start = since or end - SPAN
        if start >= end:
            errors = [FieldError(parameter="from", detail="must lie before `to`")]
            raise Problem(422, "from: must lie before `to`", errors=errors)
        found = await read_history(reading, tag["id"], start, end, points)
        coded = [{**tag, **row} for row in found.rows if row.get("flags")]
        came = await RawValues.of(reading, scope, coded)
        raw = [(row["time"], one) for row in coded if (one := came.one(row)) is not None]
        return tag_history(tag, start, end, found, raw)

    return router


def tag_history(
    tag: Row,
    start: datetime,
    end: datetime,
    found: History,
    raw: Sequence[tuple[datetime, RawValue]] = (),
) -> TagHistory:
    """The answer for one tag; two rows of buckets are apart by their width even without a gap."""
    entry = TagEntry.model_validate(tag["spec"], strict=False)
    silence_s = silence_after(entry.tag(tag["id"], 1, tag["enterprise"], tag["source"], start))
    width_s = None if found.width is None else found.width.total_seconds()
    return TagHistory.model_validate(
        {
            "tag": str(tag["id"]),
            "unit": tag["unit"],
            "kind": "raw" if width_s is None else "aggregate",
            "from": start,
            "to": end,
            "width_s": width_s,
            "gap_s": max(silence_s, 1.5 * (width_s or 0.0)),
            "rows": [_raw(row) if width_s is None else _bucket(row) for row in found.rows],
            "raw": [[rfc3339(time), one.value, one.unit] for time, one in raw],
        }
    )


def _raw(row: Row) -> list[Cell]:
    return [rfc3339(row["time"]), row["value"], word(row["quality"])]


def _bucket(row: Row) -> list[Cell]:
    numbers = [row["low"], row["high"], row["mean"], row["count"]]
    return [rfc3339(row["time"]), *numbers, word(row["quality"])]
