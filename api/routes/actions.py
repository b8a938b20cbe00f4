"""What people decide: recorded here, applied by the worker, waited for a moment."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api.auth import Guard
from api.desk import Decision, Desk, Look, Standing, spoken
from api.metrics import ApiMetrics
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, Instant, LevelWord, level_word
from domain.cases import Level
from storage.actions_api import find_action
from storage.reading import Reading, Row
from storage.sessions import Scope
from storage.warnings_reading import case_to_act_on


class Remark(BaseModel):
    """What goes into the journal beside the action."""

    comment: str | None = Field(default=None, max_length=1000, examples=["已派人现场确认"])


class Signature(Remark):
    """A remark in the name of a level."""

    level: LevelWord | None = Field(
        default=None,
        description="for whom the person speaks; left out: the highest level that its roles give",
        examples=["park"],
    )


class TransitionMade(BaseModel):
    """What the worker did."""

    source: str = Field(alias="from", examples=["UNACK"])
    target: str = Field(alias="to", examples=["ACKED"])
    at: Instant
    by: str


class First(BaseModel):
    """Who was first, and when."""

    by: str | None
    at: Instant | None


class Outcome(BaseModel):
    """Either the transition, or who was first; neither while no worker has taken it (202)."""

    action: Id | None = None
    warning: Id | None = Field(default=None, description="of the drill that was begun")
    transition: TransitionMade | None = None
    already: First | None = None
    note: str | None = Field(default=None, description="what still has to be done")


class Action(BaseModel):
    """Something that a person asked for. result: null while no worker has taken it."""

    id: Id
    verb: str = Field(examples=["acknowledge"])
    target: Id
    level: LevelWord | None = Field(
        description="for whom the person spoke: of see, and in a warning"
    )
    by: str
    comment: str | None
    requested_at: Instant
    done_at: Instant | None
    result: dict[str, Any] | None


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="repeat with the same key and it is done once",
    ),
]
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": Outcome, "description": "recorded; no worker has taken it yet"}
}


def action_routes(reading: Reading, desk: Desk, guard: Guard, metrics: ApiMetrics) -> APIRouter:
    """POST on warnings, and GET /actions/{id}."""
    router = APIRouter()

    async def case(scope: Scope, decision: Decision) -> Standing:
        found = await case_to_act_on(reading, scope, decision.target)
        return spoken(scope, found, decision.level)

    async def taken(scope: Scope, decision: Decision, look: Look) -> Response:
        return await answered(desk, metrics, scope, decision, look)

    @router.post(
        "/warnings/{id}/receive",
        operation_id="receiveWarning",
        response_model=Outcome,
        responses=ACCEPTED,
        tags=["warnings"],
    )
    async def receive(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        signature: Signature | None = None,
        key: Key = None,
    ) -> Response:
        """签收: sign for a warning in the name of a level. Waits up to 2 s for the worker."""
        return await taken(scope, decided("receive", id, signature, key), case)

    @router.post(
        "/warnings/{id}/release",
        operation_id="releaseWarning",
        response_model=Outcome,
        responses=ACCEPTED,
        tags=["warnings"],
    )
    async def release(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        signature: Signature | None = None,
        key: Key = None,
    ) -> Response:
        """Give red free, as a park or a county, after a 签收. Waits up to 2 s for the worker."""
        return await taken(scope, decided("release", id, signature, key), case)

    @router.post(
        "/warnings/{id}/verify",
        operation_id="verifyWarning",
        response_model=Outcome,
        responses=ACCEPTED,
        tags=["warnings"],
    )
    async def verify(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        signature: Signature | None = None,
        key: Key = None,
    ) -> Response:
        """核实: find that a red is so, as a park, a county or a city. Waits up to 2 s for the
        worker."""
        return await taken(scope, decided("verify", id, signature, key), case)

    @router.get("/actions/{id}", operation_id="readAction", tags=["alarms"])
    async def action(id: UUID, scope: Annotated[Scope, Depends(guard.reader)]) -> Action:
        """What became of an action."""
        row = await find_action(reading, scope, id)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        return action_item(row)

    return router


async def answered(
    desk: Desk, metrics: ApiMetrics, scope: Scope, decision: Decision, look: Look
) -> Response:
    """What became of a decision, or that no worker has taken it yet."""
    status, body = await desk.take(scope, decision, look)
    outcome = next(iter(body.keys() - {"action", "note"}), "open")
    metrics.actions.labels(decision.verb, outcome).inc()
    headers = {"Location": f"/api/v1/actions/{body['action']}"} if status == 202 else None
    return JSONResponse(body, status, headers)


def decided(
    verb: str,
    id: UUID,
    remark: Remark | None,
    key: str | None,
    detail: Mapping[str, object] | None = None,
) -> Decision:
    """The decision of a request; one without a key is a new one each time."""
    word = remark.level if isinstance(remark, Signature) else None
    level = None if word is None else Level[word.upper()]
    comment = remark.comment if remark else None
    return Decision(verb, id, comment, key or str(uuid4()), level, detail or {})


def action_item(row: Row) -> Action:
    """A row of `find_action` as the wire has it."""
    level = None if row["level"] is None else level_word(row["level"])
    return Action.model_validate(
        row | {"id": str(row["id"]), "target": str(row["target"]), "level": level}
    )
