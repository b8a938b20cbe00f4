"""What an operator's desk is in: floods 报警泛滥, what lies folded, what chatters."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Limit
from api.problems import FieldError, Problem
from api.schemas import Id, Instant, Moment
from domain.clock import Clock
from storage.reading import Reading
from storage.sessions import Scope

LAST = timedelta(days=30)
"""The period of floods, when it is not said."""


class Fold(BaseModel):
    """Alarms of one cause in a flood."""

    first: Id = Field(description="the occurrence under which the others lie")
    worst: Id = Field(description="the most urgent occurrence")
    count: int = Field(description="how many sounded, with the first")
    name: str = Field(description="tag or place of the first", examples=["P-301"])


class FloodState(BaseModel):
    """A flood that goes on."""

    since: Instant
    heard: int = Field(description="alarms that sounded in it")
    folds: list[Fold] = Field(description="of more than one alarm, the largest first, at most 50")


class DeskItem(BaseModel):
    """The desk of one enterprise. Nothing here changes state, colour, journal or counts."""

    enterprise: Id
    name: str = Field(examples=["华东化工"])
    flood: FloodState | None
    suppressed: int = Field(description="open, and folded or suppressed by design")
    chattering: int = Field(description="alarms that chatter 抖动报警")


class FloodItem(BaseModel):
    """One flood of one desk."""

    enterprise: Id
    name: str
    since: Instant
    until: Instant | None = Field(description="null: it goes on")
    heard: int = Field(description="alarms that sounded in it")


def desk_routes(reading: Reading, guard: Guard, clock: Clock) -> APIRouter:
    """GET /desks and /desks/floods."""
    router = APIRouter(tags=["alarms"])

    @router.get("/desks", operation_id="listDesks")
    async def desks(scope: Annotated[Scope, Depends(guard.reader)]) -> list[DeskItem]:
        """Every enterprise that this person may see, by name."""
        rows = await reading.rows("list_desks", enterprises=scope.list_of_enterprises())
        return [
            DeskItem.model_validate(row | {"enterprise": str(row["enterprise"])}) for row in rows
        ]

    @router.get("/desks/floods", operation_id="listFloods")
    async def floods(
        scope: Annotated[Scope, Depends(guard.reader)],
        begin: Annotated[
            Moment | None, Query(alias="from", description="default: 30 days before `to`")
        ] = None,
        end: Annotated[Moment | None, Query(alias="to", description="default: now")] = None,
        limit: Limit = 200,
    ) -> list[FloodItem]:
        """Floods that lasted into a period, the newest first."""
        until = end or clock.now()
        since = begin or until - LAST
        _check(since, until)
        rows = await reading.rows(
            "list_floods",
            enterprises=scope.list_of_enterprises(),
            **{"from": since, "to": until},
            limit=limit,
        )
        return [
            FloodItem.model_validate(row | {"enterprise": str(row["enterprise"])}) for row in rows
        ]

    return router


def _check(since: datetime, until: datetime) -> None:
    if since >= until:
        detail = "must lie before `to`"
        errors = [FieldError(parameter="from", detail=detail)]
        raise Problem(422, f"from: {detail}", errors=errors)
