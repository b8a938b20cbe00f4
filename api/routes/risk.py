"""Dynamic risk 动态风险 of sources: colour, score, and what they are made of."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Limit, Page, by_id, page
from api.schemas import ColourWord, Id, Instant, colour_word, number_of
from domain.risk import Floor, Part, reason_text
from storage.reading import Reading, Row
from storage.sessions import Scope
from storage.warnings_reading import list_risks


class FloorItem(BaseModel):
    """A rule that sets the lowest colour."""

    floor: str = Field(examples=["F4"])
    colour: ColourWord
    text: str
    by: list[Id] = Field(description="the alarms and inputs that hold it")


class ReasonItem(BaseModel):
    """Points of the score and where they are from; all of them add up to it."""

    part: str | None = Field(description="null: what was cut off the sum", examples=["A"])
    points: float
    alarm: Id | None
    tag: Id | None = Field(description="whose limit is nearest, in part P")
    input: Id | None = Field(description="what is overdue, in part M")
    text: str


class RiskItem(BaseModel):
    """The risk of a source as it was last told."""

    source: Id
    source_name: str = Field(examples=["液氨罐区"])
    enterprise: Id
    enterprise_name: str = Field(examples=["华东化工"])
    at: Instant
    colour: ColourWord
    unknown: bool = Field(description="the source is not seen; the colour is held")
    score: float = Field(description="0 to 100")
    maybe_test: bool = Field(description="gas pulses that look like a test of detectors")
    floors: list[FloorItem]
    reasons: list[ReasonItem]
    version: str = Field(description="of the risk model")


def risk_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /risk."""
    router = APIRouter(tags=["warnings"])

    @router.get("/risk", operation_id="listRisk")
    async def risk(
        scope: Annotated[Scope, Depends(guard.reader)],
        node: Annotated[str | None, Query(description="only at or below this node")] = None,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[RiskItem]:
        """Every source whose risk was told, by id, with the reasons."""
        rows = await list_risks(reading, scope, number_of(node), by_id(cursor), limit + 1)
        return page(rows, limit, risk_item, lambda row: (row["source"],))

    return router


def risk_item(row: Row) -> RiskItem:
    """A row of `list_risks` as the wire has it."""
    return RiskItem.model_validate(
        row
        | {
            "source": str(row["source"]),
            "enterprise": str(row["enterprise"]),
            "colour": colour_word(row["colour"]),
            "score": round(row["score"], 1),
            "floors": [_floor(floor) for floor in row["floors"]],
            "reasons": [_reason(reason) for reason in row["reasons"]],
        }
    )


def _floor(stored: Mapping[str, Any]) -> dict[str, object]:
    name = stored["floor"]
    text = Floor[name].meaning if name in Floor.__members__ else ""
    colour = colour_word(stored["colour"])
    return {"floor": name, "colour": colour, "text": text, "by": stored.get("by", [])}


def _reason(stored: Mapping[str, Any]) -> dict[str, object]:
    """Rows of an earlier release have neither tag, input nor note."""
    name, tag = stored["part"], stored.get("tag")
    known = name is None or name in Part.__members__
    part = None if name is None or not known else Part[name]
    return {
        "part": name,
        "points": stored["points"],
        "alarm": stored["alarm"],
        "tag": None if tag is None else str(tag),
        "input": stored.get("input"),
        "text": reason_text(part, stored.get("note")) if known else "",
    }
