"""Groups of tags that move together (PCA 工况偏离): their models, and how they are seen now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.auth import Guard
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, Instant, number_of
from domain.clock import Clock
from domain.pca_record import PcaSight, sight_of
from storage.pca_models import find_decisions, find_groups, find_models
from storage.reading import Reading, Row
from storage.sessions import Scope


class ShareItem(BaseModel):
    """What a member adds to the statistics of the newest scan: shares of 1."""

    tag: Id
    name: str = Field(examples=["TI-3"])
    of_t2: float
    of_spe: float


class GroupItem(BaseModel):
    """A group and how it is seen now. null: not known. Only `watched` without alarm is normal."""

    id: Id
    code: str = Field(examples=["reactor"])
    source: Id
    enterprise: Id
    members: list[str] = Field(description="as registered now")
    models: int = Field(description="how many versions were learnt")
    active: int | None = Field(description="version in force; null: none, nothing is watched")
    decided_at: Instant | None = Field(description="when a version was last activated or dropped")
    decided_by: str | None
    reason: str | None
    sight: PcaSight
    why: str = Field(description="why it is not watched, in words")
    at: Instant | None = Field(description="when the worker told it; null: never")
    scan: Instant | None = Field(description="when the newest judged scan ended")
    t2: float | None = Field(description="moving mean of T² in limits: 1 raises")
    spe: float | None = Field(description="moving mean of SPE in limits: 1 raises")
    missing: int | None = Field(description="members of the model without a value")
    alarm_since: Instant | None = Field(description="onset of the alarm; null: none, or not known")
    shares: list[ShareItem] = Field(description="the largest first")


class ModelItem(BaseModel):
    """A model that was learnt."""

    version: int
    active: bool
    since: Instant = Field(description="what it was learnt from: the beginning")
    until: Instant = Field(description="what it was learnt from: the end")
    learnt_at: Instant
    learnt_by: str
    members: list[str] = Field(description="of the group when it was learnt")
    kept: list[str] = Field(description="those in the model")
    interval_s: float = Field(description="of scans")
    scans: int = Field(description="whole scans learnt from")
    independent: float = Field(description="how many independent scans these are worth")
    explained: list[float] = Field(description="share of the variance, of each component")
    t2_limit: float
    spe_limit: float
    alarmed: float = Field(description="share of those scans that would have been in alarm")
    alarms: int = Field(description="alarms in that time, learnt all the same")
    digest: str = Field(description="SHA-256 of the model as it is kept")


class DecisionItem(BaseModel):
    """What a person decided. version null: no model from then on."""

    version: int | None
    at: Instant
    by: str
    reason: str


class GroupModels(GroupItem):
    """A group with all its models and decisions, the newest first."""

    versions: list[ModelItem]
    decisions: list[DecisionItem]


class Groups(BaseModel):
    """All groups of kind pca that the reader may see."""

    items: list[GroupItem]


def group_routes(reading: Reading, guard: Guard, clock: Clock) -> APIRouter:
    """GET /groups and /groups/{id}/models."""
    router = APIRouter(tags=["plant"])

    @router.get("/groups", operation_id="listGroups")
    async def groups(scope: Annotated[Scope, Depends(guard.reader)]) -> Groups:
        """Groups of kind pca with the version in force and their statistics now."""
        now = clock.now()
        rows = await find_groups(reading, scope)
        return Groups(items=[GroupItem.model_validate(group_members(row, now)) for row in rows])

    @router.get("/groups/{id}/models", operation_id="readGroupModels")
    async def models(id: str, scope: Annotated[Scope, Depends(guard.reader)]) -> GroupModels:
        """A group, all models that were learnt of it, and who put which in force and why."""
        rows = await find_groups(reading, scope, number_of(id) or -1)
        if not rows:
            raise Problem(404, EXPLANATIONS["not-found"])
        (row,) = rows
        versions = [_model(one, row["active"]) for one in await find_models(reading, row["id"])]
        decisions = await find_decisions(reading, row["id"])
        known = group_members(row, clock.now())
        return GroupModels.model_validate(known | {"versions": versions, "decisions": decisions})

    return router


def group_members(row: Row, now: datetime) -> dict[str, Any]:
    """A row of `find_groups` as the wire has it at `now`."""
    told: Mapping[str, Any] = row["told"] or {}
    sight, why = sight_of(row["told"], row["told_at"], row["active"], now)
    fresh = told if sight is PcaSight.WATCHED else {}
    shares = [_share(one, row["names"]) for one in fresh.get("shares", ())]
    return {
        "id": str(row["id"]),
        "code": row["code"],
        "source": str(row["source"]),
        "enterprise": str(row["enterprise"]),
        "members": row["members"] or [],
        "models": row["models"],
        "active": row["active"],
        "decided_at": row["decided_at"],
        "decided_by": row["decided_by"],
        "reason": row["reason"],
        "sight": sight,
        "why": why,
        "at": row["told_at"],
        "scan": told.get("scan"),
        "t2": fresh.get("t2"),
        "spe": fresh.get("spe"),
        "missing": fresh.get("missing"),
        "alarm_since": told.get("active"),
        "shares": sorted(shares, key=lambda one: -max(one["of_t2"], one["of_spe"])),
    }


def _share(told: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {**told, "tag": str(told["tag"]), "name": names.get(str(told["tag"]), "")}


def _model(row: Row, active: int | None) -> dict[str, Any]:
    period = {"since": row["learnt_from"], "until": row["learnt_to"]}
    return row | period | {"active": row["version"] == active}
