"""Drills 演练: begun and ended by people, with the ladder and the loop of a real warning."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import AwareDatetime, Field, model_validator

from api.auth import Guard
from api.desk import Decision, Desk, Standing, spoken
from api.metrics import ApiMetrics
from api.problems import EXPLANATIONS, Problem
from api.routes.actions import ACCEPTED, Key, Outcome, Signature, answered, decided
from api.schemas import Id, number_of
from domain.alarms import NAMESPACE
from domain.cases import Level
from domain.instant import rfc3339
from storage.reading import Reading
from storage.sessions import Scope
from storage.warnings_reading import case_to_act_on, source_to_act_on

LASTING_S = 3600.0
"""How long a drill lasts where nobody says."""


class DrillOrder(Signature):
    """A drill 演练 on a hazard source. It ends at `until`, or `for_s` seconds after it was ordered;
    an hour where neither is said."""

    source: Id = Field(description="node id of the hazard source", examples=["11"])
    colour: Literal["yellow", "orange", "red"] = Field(description="that is supposed")
    until: AwareDatetime | None = None
    for_s: float | None = Field(default=None, gt=0, examples=[1800])

    @model_validator(mode="after")
    def _one_end(self) -> "DrillOrder":
        if self.until is not None and self.for_s is not None:
            raise ValueError("until and for_s exclude each other")
        return self


def drill_decision(
    person: str,
    source: int,
    colour: str,
    until: datetime | None,
    for_s: float | None,
    key: str | None,
    comment: str | None,
    level: Level | None,
) -> Decision:
    """An order as it is recorded; its target is the id of the case to come."""
    key = key or str(uuid4())
    end: dict[str, object] = {"for_s": for_s or LASTING_S}
    if until is not None:
        end = {"until": rfc3339(until)}
    target = uuid5(NAMESPACE, f"drill/{person}/{key}")
    detail = {"source": str(source), "colour": colour, **end}
    return Decision("drill", target, comment, key, level, detail)


def drill_routes(reading: Reading, desk: Desk, guard: Guard, metrics: ApiMetrics) -> APIRouter:
    """POST /warnings/drill and POST /warnings/{id}/end_drill."""
    router = APIRouter(tags=["warnings"])
    shape: dict[str, Any] = {"response_model": Outcome, "responses": ACCEPTED}

    async def place(scope: Scope, decision: Decision) -> Standing:
        source = int(str(decision.detail["source"]))
        return spoken(scope, await source_to_act_on(reading, scope, source), decision.level)

    async def case(scope: Scope, decision: Decision) -> Standing:
        found = await case_to_act_on(reading, scope, decision.target)
        return spoken(scope, found, decision.level)

    @router.post("/warnings/drill", operation_id="beginDrill", **shape)
    async def begin(
        scope: Annotated[Scope, Depends(guard.writer)], order: DrillOrder, key: Key = None
    ) -> Response:
        """Begin a drill 演练: a case of its own that climbs the same ladder, with the same people,
        and is marked everywhere. The source's own colour and its real warnings know nothing of it.
        One at a time for a source, none beside a real warning. Waits up to 2 s for the worker."""
        source = number_of(order.source)
        if source is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        level = None if order.level is None else Level[order.level.upper()]
        asked = order.colour, order.until, order.for_s, key, order.comment, level
        decision = drill_decision(scope.person, source, *asked)
        return await answered(desk, metrics, scope, decision, place)

    @router.post("/warnings/{id}/end_drill", operation_id="endDrill", **shape)
    async def end(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        signature: Signature | None = None,
        key: Key = None,
    ) -> Response:
        """End a drill 结束演练, however far its loop has come. A real warning is not ended so."""
        decision = decided("end_drill", id, signature, key)
        return await answered(desk, metrics, scope, decision, case)

    return router
