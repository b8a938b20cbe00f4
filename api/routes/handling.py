"""What people do with an alarm besides acknowledging it: reset, shelve, take out of service."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Guard
from api.desk import Decision, Desk, Standing
from api.metrics import ApiMetrics
from api.problems import EXPLANATIONS, Problem
from api.routes.actions import ACCEPTED, Key, Outcome, Remark, answered, decided
from api.schemas import Id, Moment
from api.secretary import wrong
from domain import policy
from domain.frame import Lane
from domain.instant import rfc3339
from storage.actions_api import find_alarm
from storage.inputs_api import input_place
from storage.people import password_of
from storage.reading import Reading, Row
from storage.sessions import Scope

Second = Annotated[str | None, Field(max_length=100, description="the second person's user name")]


class Shelf(BaseModel):
    """搁置: why, and until when."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000, examples=["现场已确认，等待检修"])
    until: Moment
    second: Second = None


class Removal(Remark):
    """停用 under a permit; left out: the open permit of its tag."""

    permit: Id | None = None
    second: Second = None


class Silencing:
    """Checks what needs no worker to be refused."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def reset(self, scope: Scope, decision: Decision) -> Standing:
        """What is reset is there, and live."""
        return Standing((await self._live(scope, decision))["enterprise"])

    async def silence(self, scope: Scope, decision: Decision) -> Standing:
        """Who silences speaks for a level that may, and the second person is there."""
        found = await self._live(scope, decision)
        place = await input_place(self._reading, scope, found["node"])
        path = () if place is None else place["path"]
        held = {level.name.lower() for level in scope.levels(found["enterprise"], path)}
        if not held & set(policy.who_may_shelve()):
            allowed = ", ".join(policy.who_may_shelve())
            raise Problem(403, f"An alarm is silenced by a person of the level: {allowed}.")
        second = decision.detail.get("second")
        if isinstance(second, str) and await password_of(self._reading, second) is None:
            raise wrong("/second", f"there is no user {second}")
        return Standing(found["enterprise"])

    async def _live(self, scope: Scope, decision: Decision) -> Row:
        found = await find_alarm(self._reading, scope, decision.target)
        if found is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        if found["lane"] != Lane.LIVE:
            raise Problem(409, "It was found afterwards in stored data; it is closed.")
        return found


def handling_routes(reading: Reading, desk: Desk, guard: Guard, metrics: ApiMetrics) -> APIRouter:
    """POST on alarms: reset, shelve, unshelve, remove-from-service, return-to-service."""
    router = APIRouter(tags=["alarms"])
    may = Silencing(reading)

    @router.post(
        "/alarms/{id}/reset",
        operation_id="resetAlarm",
        response_model=Outcome,
        responses=ACCEPTED,
    )
    async def reset(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        remark: Remark | None = None,
        key: Key = None,
    ) -> Response:
        """复位: let go of a latched alarm that is acknowledged and whose condition is gone."""
        return await answered(desk, metrics, scope, decided("reset", id, remark, key), may.reset)

    @router.post(
        "/alarms/{id}/shelve",
        operation_id="shelveAlarm",
        response_model=Outcome,
        responses=ACCEPTED,
    )
    async def shelve(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        shelf: Shelf,
        key: Key = None,
    ) -> Response:
        """搁置: silence an alarm until an instant; then it is back, unacknowledged."""
        detail = {"until": rfc3339(shelf.until), "second": shelf.second}
        remark = Remark(comment=shelf.reason)
        decision = decided("shelve", id, remark, key, _said(detail))
        return await answered(desk, metrics, scope, decision, may.silence)

    @router.post(
        "/alarms/{id}/unshelve",
        operation_id="unshelveAlarm",
        response_model=Outcome,
        responses=ACCEPTED,
    )
    async def unshelve(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        remark: Remark | None = None,
        key: Key = None,
    ) -> Response:
        """End a shelf now; while the condition holds the alarm is back, unacknowledged."""
        decision = decided("unshelve", id, remark, key)
        return await answered(desk, metrics, scope, decision, may.silence)

    @router.post(
        "/alarms/{id}/remove-from-service",
        operation_id="removeAlarmFromService",
        response_model=Outcome,
        responses=ACCEPTED,
    )
    async def remove(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        removal: Removal | None = None,
        key: Key = None,
    ) -> Response:
        """停用: silence an alarm that is active already, while a permit of its tag is open. What
        begins under the permit is out of service by itself."""
        asked = removal or Removal()
        detail = _said({"permit": asked.permit, "second": asked.second})
        decision = decided("remove_from_service", id, asked, key, detail)
        return await answered(desk, metrics, scope, decision, may.silence)

    @router.post(
        "/alarms/{id}/return-to-service",
        operation_id="returnAlarmToService",
        response_model=Outcome,
        responses=ACCEPTED,
    )
    async def put_back(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        remark: Remark | None = None,
        key: Key = None,
    ) -> Response:
        """End that for this alarm, though the permit is still open."""
        decision = decided("return_to_service", id, remark, key)
        return await answered(desk, metrics, scope, decision, may.silence)

    return router


def _said(detail: dict[str, str | None]) -> dict[str, object]:
    return {name: value for name, value in detail.items() if value is not None}
