"""Warning cases 预警: lists, one with its journal; each with its ladder and what it sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.auth import Guard
from api.case_schemas import WarningDetail, WarningItem
from api.paging import Cursor, Limit, Page, by_moment, page
from api.problems import EXPLANATIONS, Problem
from api.schemas import among, colour_word, level_word, number_of
from domain.addresses import presentable
from domain.case_shown import drill_body, feedback_body, first_signed, loop_body, overdue
from domain.cases import CaseState
from domain.clock import Clock
from domain.escalation import Ladder
from domain.ladders import Ladders
from domain.risk import Colour
from storage.ladders import ladders_of_sources
from storage.reading import Reading, Row
from storage.sessions import Scope
from storage.warnings_reading import (
    CaseFilter,
    case_feedback,
    case_journal,
    ending_notices,
    find_case,
    list_cases,
    receive_median,
)
from storage.warnings_reading import ladders as case_ladders

COLOURS = {colour.name.lower(): colour for colour in Colour}
HOT_WORK = "动火作业 hot work"


def warning_routes(reading: Reading, guard: Guard, ladders: Ladders, clock: Clock) -> APIRouter:
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
        drill: Annotated[
            bool | None, Query(description="true: drills 演练 alone; false: what is real alone")
        ] = None,
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[WarningItem]:
        """Warning cases, newest opened first; drills 演练 are among them, marked by `drill`."""
        words = among("colour", colour, COLOURS.keys())
        which = CaseFilter(
            open=open,
            colours=None if words is None else tuple(COLOURS[word] for word in words),
            node=number_of(node),
            drill=drill,
        )
        rows = await list_cases(reading, scope, which, before=by_moment(cursor), limit=limit + 1)
        rungs = await case_ladders(reading, scope, [row["id"] for row in rows[:limit]])
        of = (await ladders_of_sources(reading, ladders, (row["source"] for row in rows))).of
        return page(
            rows,
            limit,
            lambda row: WarningItem.model_validate(
                warning_members(row, rungs[row["id"]], of(row["source"]))
            ),
            lambda row: (row["opened"], row["id"]),
        )

    @router.get("/warnings/{id}", operation_id="readWarning")
    async def warning(id: UUID, scope: Annotated[Scope, Depends(guard.reader)]) -> WarningDetail:
        """One case, open or closed, with its newest 1000 transitions."""
        row = await find_case(reading, scope, id)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        rungs = await case_ladders(reading, scope, [id])
        by_source = await ladders_of_sources(reading, ladders, [row["source"]])
        ladder = by_source.of(row["source"])
        changes = [change_members(change) for change in await case_journal(reading, scope, id)]
        members = warning_members(row, rungs[id], ladder)
        endings = await ending_notices(reading, scope, id)
        told = await case_feedback(reading, scope, id)
        median = await receive_median(reading, scope, id)
        return WarningDetail.model_validate(
            members
            | {
                "transitions": changes,
                "told": [_told(one) for one in endings],
                "overdue": overdue(members["loop"]["deadlines"], clock.now()),
                "feedback": [feedback_body(one) for one in told],
                "receive_median_s": median,
                "receive_too_quick": median is not None and median < (ladder.receive_median_s or 0),
            }
        )

    return router


def warning_members(row: Row, rungs: Sequence[Row], ladder: Ladder) -> dict[str, Any]:
    """The members of a case, named as on the wire; rungs: with their notices."""
    signed = first_signed(
        ((one["n"], datetime.fromisoformat(one["at"])) for one in row["receipts"]), row["risen"]
    )
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
        "drill": drill_body(row["loop"].drill),
        "loop": loop_body(
            ladder, CaseState(row["state"]), Colour(row["colour"]), row["loop"], signed
        ),
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
        "notices": [_presented(notice) for notice in row["notices"]],
    }


def _presented(notice: Row) -> Row:
    return notice | {"recipient": presentable(notice["recipient"])}


def _told(notice: Row) -> Row:
    """One that has no rung; no ladder names those who do hot work."""
    return _presented(notice) | {"role_name": notice["role_name"] or HOT_WORK}


def change_members(row: Row) -> dict[str, object]:
    """The members of a transition."""
    return row | {
        "from": row["from_state"],
        "to": row["to_state"],
        "before": colour_word(row["before"]),
        "colour": colour_word(row["colour"]),
    }
