"""What is in effect for the alarms of a tag, and who said so."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.auth import Guard
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, number_of
from domain.circumstances import circumstances
from domain.clock import Clock
from domain.effective_policy import Effective, effective, version
from domain.site import TagEntry
from storage.plant_reading import find_tag
from storage.reading import Reading
from storage.sessions import Scope


class PolicyMember(BaseModel):
    """One member, and where it comes from."""

    value: str | float | bool | None = Field(description="null: not at all")
    unit: str
    origin: str = Field(description="`site`: the site file says so; `policy`: the policy file")
    source: str
    confidence: str = Field(description="V2, V1, K, K? or P, of the policy file")


class AlarmPolicy(BaseModel):
    """What is in effect for one kind of alarm of a tag."""

    kind: str = Field(examples=["HH"])
    alarm_class: str = Field(alias="class", examples=["GAS_L2"])
    name: str = Field(examples=["二级报警"])
    members: dict[str, PolicyMember] = Field(
        description="priority, raised_by, eased_by, eased_in, priority_eased, latch_eased, soon, "
        "priority_soon, limit, deadband, on, off, latch, ack, re_alarm, auto_ack, shelve, "
        "suppressed_by, who_acknowledges, who_shelves"
    )


class TagPolicies(BaseModel):
    """The policies of a tag. version: of the policy file."""

    tag: Id
    name: str
    version: str
    policies: list[AlarmPolicy]


def policy_routes(reading: Reading, guard: Guard, clock: Clock) -> APIRouter:
    """GET /tags/{id}/policies."""
    router = APIRouter(tags=["plant"])

    @router.get("/tags/{id}/policies", operation_id="readPolicies")
    async def policies(id: str, scope: Annotated[Scope, Depends(guard.reader)]) -> TagPolicies:
        """Priority, delays, latch, times and shelving of each of its alarms outside any mode, and
        what a mode makes of priority and latch."""
        row = await find_tag(reading, scope, number_of(id) or -1)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        entry = TagEntry.model_validate(row["spec"], strict=False)
        where = circumstances(row["grade"], row["vessel"])
        tag = entry.tag(row["id"], 1, row["enterprise"], row["source"], clock.now(), where)
        return TagPolicies(
            tag=str(row["id"]),
            name=row["name"],
            version=version(),
            policies=[policy_item(one) for one in effective(tag)],
        )

    return router


def policy_item(one: Effective) -> AlarmPolicy:
    """A policy as the wire has it."""
    members = {
        name: {
            "value": member.value,
            "unit": member.unit,
            "origin": member.origin.value,
            "source": member.source,
            "confidence": member.confidence,
        }
        for name, member in one.members.items()
    }
    body = {"kind": one.kind.name, "class": one.alarm_class, "name": one.name, "members": members}
    return AlarmPolicy.model_validate(body)
