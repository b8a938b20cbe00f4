"""What people do with an alarm: acknowledge, see, reset, shelve, take out of service."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.alarm_rights import AlarmRights
from api.auth import Guard
from api.desk import Desk
from api.logins import Address
from api.metrics import ApiMetrics
from api.routes.actions import ACCEPTED, Key, Outcome, Remark, Signature, answered, decided
from api.schemas import Id, Moment
from api.second_person import Named, Second, SecondPassword, SecondPerson
from domain.instant import rfc3339
from storage.reading import Reading
from storage.sessions import Scope


class Shelf(BaseModel):
    """搁置: why, and until when."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000, examples=["现场已确认，等待检修"])
    until: Moment
    second: Second = None
    second_password: SecondPassword = None


class Removal(Remark):
    """停用 under a permit; left out: the open permit of its tag."""

    permit: Id | None = None
    second: Second = None
    second_password: SecondPassword = None


def handling_routes(
    reading: Reading, desk: Desk, guard: Guard, metrics: ApiMetrics, second: SecondPerson
) -> APIRouter:
    """POST on alarms: acknowledge, seen, reset, shelve, unshelve, remove-from-service,
    return-to-service."""
    router = APIRouter(tags=["alarms"])
    may = AlarmRights(reading, second)

    @router.post(
        "/alarms/{id}/acknowledge",
        operation_id="acknowledgeAlarm",
        response_model=Outcome,
        responses=ACCEPTED,
    )
    async def acknowledge(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        remark: Remark | None = None,
        key: Key = None,
    ) -> Response:
        """确认: say that the enterprise's desk has it in hand. Waits up to 2 s for the worker."""
        decision = decided("acknowledge", id, remark, key)
        return await answered(desk, metrics, scope, decision, may.acknowledge)

    @router.post(
        "/alarms/{id}/seen",
        operation_id="seeAlarm",
        response_model=Outcome,
        responses=ACCEPTED,
    )
    async def seen(
        id: UUID,
        scope: Annotated[Scope, Depends(guard.writer)],
        signature: Signature | None = None,
        key: Key = None,
    ) -> Response:
        """已阅: say that a desk above the enterprise has looked at it. Silences nobody."""
        decision = decided("see", id, signature, key)
        return await answered(desk, metrics, scope, decision, may.see)

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
        address: Address,
        key: Key = None,
    ) -> Response:
        """搁置: silence an alarm until an instant; then it is back, unacknowledged."""
        detail = {"until": rfc3339(shelf.until), "second": shelf.second}
        remark = Remark(comment=shelf.reason)
        decision = decided("shelve", id, remark, key, _said(detail))
        named = Named(shelf.second, shelf.second_password, address)
        look = partial(may.silence, named=named)
        return await answered(desk, metrics, scope, decision, look)

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
        address: Address,
        removal: Removal | None = None,
        key: Key = None,
    ) -> Response:
        """停用: silence an alarm that is active already, while a permit of its tag is open. What
        begins under the permit is out of service by itself."""
        asked = removal or Removal()
        detail = _said({"permit": asked.permit, "second": asked.second})
        decision = decided("remove_from_service", id, asked, key, detail)
        named = Named(asked.second, asked.second_password, address)
        look = partial(may.silence, named=named)
        return await answered(desk, metrics, scope, decision, look)

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
