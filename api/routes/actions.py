"""What people decide: recorded here, applied by the worker, waited for a moment."""

from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api.auth import Guard
from api.live import happened
from api.metrics import ApiMetrics
from api.options import ApiOptions
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, Instant
from domain.alarms import NAMESPACE, OperatorAction, State
from domain.clock import Clock
from domain.frame import Lane
from domain.instant import rfc3339
from storage.actions_api import action_by_key, find_action, find_alarm, record_action
from storage.outbox_reading import OutboxStream
from storage.reading import Reading, Row
from storage.sessions import Scope

LOOK_AGAIN_S = 0.25
"""How often the result is looked for when no NOTIFY comes."""


class Remark(BaseModel):
    """What goes into the journal beside the action."""

    comment: str | None = Field(default=None, max_length=1000, examples=["已派人现场确认"])


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
    transition: TransitionMade | None = None
    already: First | None = None


class Action(BaseModel):
    """Something that a person asked for. result: null while no worker has taken it."""

    id: Id
    verb: str = Field(examples=["acknowledge"])
    target: Id
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


def action_routes(
    reading: Reading,
    stream: OutboxStream,
    guard: Guard,
    clock: Clock,
    options: ApiOptions,
    metrics: ApiMetrics,
) -> APIRouter:
    """POST /alarms/{id}/acknowledge and GET /actions/{id}."""
    router = APIRouter(tags=["alarms"])
    desk = Desk(reading, stream, clock, options)

    @router.post(
        "/alarms/{id}/acknowledge",
        operation_id="acknowledgeAlarm",
        response_model=Outcome,
        responses={202: {"model": Outcome, "description": "recorded; no worker has taken it yet"}},
    )
    async def acknowledge(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        remark: Remark | None = None,
        key: Key = None,
    ) -> Response:
        """Say that somebody has seen it. Waits up to 2 s for the worker."""
        status, body = await desk.acknowledge(
            scope, id, remark.comment if remark else None, key or str(uuid4())
        )
        metrics.actions.labels("acknowledge", next(iter(body.keys() - {"action"}), "open")).inc()
        headers = {"Location": f"/api/v1/actions/{body['action']}"} if status == 202 else None
        return JSONResponse(body, status, headers)

    @router.get("/actions/{id}", operation_id="readAction")
    async def action(id: UUID, scope: Annotated[Scope, Depends(guard.reader)]) -> Action:
        """What became of an action."""
        row = await find_action(reading, scope, id)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        return Action(**row | {"id": str(row["id"]), "target": str(row["target"])})

    return router


class Desk:
    """Records what a person decided and waits for what the worker makes of it."""

    def __init__(
        self, reading: Reading, stream: OutboxStream, clock: Clock, options: ApiOptions
    ) -> None:
        self._reading = reading
        self._stream = stream
        self._clock = clock
        self._options = options

    async def acknowledge(
        self, scope: Scope, id: UUID, comment: str | None, key: str
    ) -> tuple[int, dict[str, Any]]:
        """(status, body) of an acknowledgement; the same key again gives the same action."""
        action = await action_by_key(self._reading, scope.person, key)
        if action is None:
            alarm = await find_alarm(self._reading, scope, id)
            first = settled(alarm)
            if first is not None:
                return 200, first
            assert alarm is not None, "settled() refuses what is not there"
            decided = OperatorAction(
                uuid5(NAMESPACE, f"action/{scope.person}/{key}"),
                "acknowledge",
                id,
                scope.person,
                comment,
                self._clock.now(),
            )
            await record_action(self._reading, decided, key, alarm["enterprise"])
            # read back: the same key may have come at the same time, for something else
            action = await action_by_key(self._reading, scope.person, key)
            assert action is not None, "an action is never deleted"
        if (action["verb"], action["target"]) != ("acknowledge", id):
            raise Problem(409, f"The key was used before, for {action['verb']} {action['target']}.")
        return answer(str(action["id"]), await self._result(scope, action["id"]))

    async def _result(self, scope: Scope, id: UUID) -> dict[str, Any] | None:
        until = self._clock.elapsed() + self._options.action_wait_s
        while True:
            changed = self._stream.actions_changed
            row = await find_action(self._reading, scope, id)
            if row is not None and row["done_at"] is not None:
                return dict(row["result"])
            left = until - self._clock.elapsed()
            if left <= 0:
                return None
            await happened(changed, min(left, LOOK_AGAIN_S))


def settled(alarm: Row | None) -> dict[str, Any] | None:
    """Who was first, where that is known without asking the worker; refuses what cannot be done."""
    if alarm is None:
        raise Problem(404, EXPLANATIONS["not-found"])
    if alarm["lane"] != Lane.LIVE:
        raise Problem(409, "It was found afterwards in stored data; nobody has to acknowledge it.")
    if alarm["state"] not in (State.ACKED, State.NORM) or alarm["acknowledged_by"] is None:
        return None
    at = alarm["acknowledged_at"]
    return {"already": {"by": alarm["acknowledged_by"], "at": rfc3339(at) if at else None}}


def answer(action: str, result: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
    """(status, body) for what the worker made of an action; None: nothing yet."""
    if result is None:
        return 202, {"action": action}
    refused = result.get("refused")
    if refused is not None:
        raise Problem(int(refused.get("status", 409)), str(refused.get("detail", "refused")))
    return 200, {"action": action, **result}
