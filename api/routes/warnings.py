"""Warning cases 预警: lists, one with its journal; each with its ladder and what it sent."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Limit, Page, by_moment, page
from api.problems import EXPLANATIONS, Problem
from api.schemas import (
    ColourWord,
    Id,
    Instant,
    LevelWord,
    among,
    colour_word,
    level_word,
    number_of,
)
from domain.addresses import presentable
from domain.cases import CaseState
from domain.escalation import Ladder
from domain.risk import Colour
from storage.reading import Reading, Row
from storage.sessions import Scope
from storage.warnings_reading import CaseFilter, case_journal, find_case, ladders, list_cases

COLOURS = {colour.name.lower(): colour for colour in Colour}


class Receipt(BaseModel):
    """The newest 签收 of one level."""

    level: LevelWord
    by: str
    at: Instant


class RungNotice(BaseModel):
    """A message of a rung. withdrawn: nobody needed it any more when its turn came."""

    channel: str = Field(examples=["webhook"])
    recipient: str = Field(
        description="of a web address the server only: the rest may be a secret",
        examples=["https://oa.example.com/…"],
    )
    created: Instant
    delivered: Instant | None
    failed: Instant | None
    withdrawn: Instant | None
    attempts: int
    error: str | None


class Rung(BaseModel):
    """A rung of the ladder 升级阶梯: a role that is told `after_s` seconds after a rise.

    done: when it came to its outcome; by: whose 签收 stopped it.
    """

    step: int
    role: str = Field(examples=["PK"])
    role_name: str = Field(examples=["园区值班 park duty desk"])
    level: LevelWord
    colour: ColourWord = Field(description="that the source rose to")
    after_s: float
    due: Instant
    done: Instant | None
    by: str | None
    outcome: Literal["waiting", "told", "received", "superseded", "withdrawn"]
    unnamed: bool = Field(description="nobody is named for the role; the log was told")
    notices: list[RungNotice]


class WarningItem(BaseModel):
    """A case: from where a source left blue until it is back there and somebody has signed."""

    id: Id
    number: int = Field(description="counts the cases of the source")
    source: Id
    source_name: str = Field(examples=["液氨罐区"])
    enterprise: Id
    enterprise_name: str = Field(examples=["华东化工"])
    colour: ColourWord
    worst: ColourWord
    unknown: bool = Field(description="the source is not seen; the colour is held")
    state: CaseState = Field(description="open: nobody has signed since the last rise")
    opened: Instant
    closed: Instant | None
    released: Instant | None = Field(description="when a person gave the present red free")
    released_by: str | None
    sign_within_s: float | None = Field(description="of the colour, from a rise; null at blue")
    receipts: list[Receipt]
    alarms: list[Id]
    ladder: list[Rung]


class CaseChange(BaseModel):
    """One transition of a case. before, colour: of the source, around it."""

    n: int
    at: Instant
    event: str = Field(examples=["rise"])
    source: CaseState = Field(alias="from")
    target: CaseState = Field(alias="to")
    before: ColourWord
    colour: ColourWord
    by: str | None
    comment: str | None


class WarningDetail(WarningItem):
    """One case with its journal."""

    transitions: list[CaseChange]


def warning_routes(reading: Reading, guard: Guard, ladder: Ladder) -> APIRouter:
    """GET /warnings and GET /warnings/{id}."""
    router = APIRouter(tags=["warnings"])

    @router.get("/warnings", operation_id="listWarnings")
    async def warnings(
        scope: Annotated[Scope, Depends(guard.reader)],
        open: Annotated[bool | None, Query(description="true: not closed yet")] = None,
        colour: Annotated[
            str | None, Query(description="of now, by commas", examples=["red,orange"])
        ] = None,
        node: Annotated[str | None, Query(description="only at or below this node")] = None,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[WarningItem]:
        """Warning cases, newest opened first."""
        words = among("colour", colour, COLOURS.keys())
        which = CaseFilter(
            open=open,
            colours=None if words is None else tuple(COLOURS[word] for word in words),
            node=number_of(node),
        )
        rows = await list_cases(reading, scope, which, before=by_moment(cursor), limit=limit + 1)
        rungs = await ladders(reading, scope, [row["id"] for row in rows[:limit]])
        return page(
            rows,
            limit,
            lambda row: WarningItem.model_validate(warning_members(row, rungs[row["id"]], ladder)),
            lambda row: (row["opened"], row["id"]),
        )

    @router.get("/warnings/{id}", operation_id="readWarning")
    async def warning(id: UUID, scope: Annotated[Scope, Depends(guard.reader)]) -> WarningDetail:
        """One case, open or closed, with its newest 1000 transitions."""
        row = await find_case(reading, scope, id)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        rungs = await ladders(reading, scope, [id])
        changes = [change_members(change) for change in await case_journal(reading, scope, id)]
        members = warning_members(row, rungs[id], ladder) | {"transitions": changes}
        return WarningDetail.model_validate(members)

    return router


def warning_members(row: Row, rungs: Sequence[Row], ladder: Ladder) -> dict[str, object]:
    """The members of a case, named as on the wire; rungs: with their notices."""
    duties = ladder.colours.get(Colour(row["colour"]))
    return row | {
        "id": str(row["id"]),
        "source": str(row["source"]),
        "enterprise": str(row["enterprise"]),
        "colour": colour_word(row["colour"]),
        "worst": colour_word(row["worst"]),
        "sign_within_s": None if duties is None else duties.receive_within_s,
        "receipts": [one | {"level": level_word(one["level"])} for one in row["receipts"]],
        "alarms": [str(id) for id in row["alarms"]],
        "ladder": [rung_members(rung, ladder) for rung in rungs],
    }


def rung_members(row: Row, ladder: Ladder) -> dict[str, object]:
    """The members of a rung; a role that the ladder no longer has is called by its code."""
    role = ladder.roles.get(row["role"])
    return row | {
        "step": row["no"],
        "role_name": row["role"] if role is None else role.name,
        "level": level_word(row["level"]),
        "colour": colour_word(row["colour"]),
        "notices": [
            notice | {"recipient": presentable(notice["recipient"])} for notice in row["notices"]
        ],
    }


def change_members(row: Row) -> dict[str, object]:
    """The members of a transition."""
    return row | {
        "from": row["from_state"],
        "to": row["to_state"],
        "before": colour_word(row["before"]),
        "colour": colour_word(row["colour"]),
    }
