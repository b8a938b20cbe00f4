"""Occurrences of alarms: lists, one with its journal."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Limit, Page, by_moment, page
from api.problems import EXPLANATIONS, Problem
from api.schemas import Id, Instant, among, number_of
from domain.acknowledging import acknowledge_by, waits_since
from domain.alarms import SILENCING, WAITING, Kind, Priority, State
from domain.frame import Lane
from domain.plant import TagKind
from domain.policy import rule
from storage.actions_api import (
    AlarmFilter,
    alarm_journal,
    count_alarms,
    find_alarm,
    list_alarms,
)
from storage.reading import Reading, Row
from storage.sessions import Scope

STATES = frozenset(state.value for state in State)
FLAGS = (*SILENCING, "stale")


class Silenced(BaseModel):
    """Why an alarm is silent, or eased, since when, and when that ends."""

    since: Instant
    until: Instant | None
    by: str = Field(description="the person, or the issuer of the permit or mode")
    second: str | None
    why: str
    rule: str = Field(description="`permit:` or `mode:` with the id of the input; empty: by hand")


class SeenBy(BaseModel):
    """已阅 of a desk above the enterprise."""

    level: Literal["park", "county", "city", "province"]
    by: str
    at: Instant


class NoteBeside(BaseModel):
    """What makes the list shorter; nothing rests on it."""

    under: Id | None = Field(description="folded under this one: cause, lost source, lost gateway")
    suppressed: int = Field(description="how many lie under it; of a closed one the most")
    first_out: bool = Field(description="the first of its group 首出")
    uncertain: bool = Field(description="or another one, by another clock")
    repeats: int = Field(description="activations of a spell of chattering 抖动; 0 outside one")


class AlarmItem(BaseModel):
    """One occurrence 一次报警. Values in `unit`; null = none."""

    id: Id
    tag: Id | None = Field(description="null: the alarm is the source's")
    name: str = Field(examples=["GD07"])
    enterprise: Id
    enterprise_name: str = Field(examples=["华东化工"])
    source: Id
    source_name: str = Field(examples=["液氨罐区"])
    kind: str = Field(examples=["HH"])
    alarm_class: str = Field(alias="class", examples=["GAS_L2"])
    priority: Priority
    state: str = Field(examples=["UNACK"])
    flags: list[str] = Field(description="of shelved, suppressed, out_of_service, stale")
    latching: bool = Field(description="kept after its condition has gone until it is reset")
    shelved: Silenced | None
    suppressed: Silenced | None
    out_of_service: Silenced | None
    eased: Silenced | None = Field(
        description="the mode that expects it: heard, but less urgent than outside the mode"
    )
    re_alarms: int
    chatter: int
    lane: Literal["live", "replay"]
    onset: Instant
    ended: Instant | None
    closed: Instant | None
    value: float | None
    limit: float | None
    worst: float | None
    unit: str | None
    ack_by: Instant | None = Field(
        description="when the time of the policy to acknowledge is over; from then on it is "
        "overdue 确认超时. null: nobody has to acknowledge it, or it is silenced"
    )
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    comment: str | None
    seen: list[SeenBy] = Field(description="the newest 已阅 of each level; it silences nobody")
    note: NoteBeside | None
    reason: str
    text: str


class AlarmCounts(BaseModel):
    """How many live occurrences there are. What is silenced never leaves these counts."""

    open: int
    active: int
    unacknowledged: int
    annunciated: int = Field(description="unacknowledged and not silenced")
    latched: int
    shelved: int = Field(description="with those whose condition has gone meanwhile")
    suppressed: int
    out_of_service: int
    stale: int


class Change(BaseModel):
    """One transition of an occurrence."""

    n: int
    at: Instant
    event: str
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    by: str | None
    comment: str | None


class AlarmDetail(AlarmItem):
    """One occurrence with its journal."""

    transitions: list[Change]


def alarm_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /alarms, /alarms/counts and /alarms/{id}."""
    router = APIRouter(tags=["alarms"])

    @router.get("/alarms", operation_id="listAlarms")
    async def alarms(
        scope: Annotated[Scope, Depends(guard.reader)],
        state: Annotated[
            str | None, Query(description="`active`: all but NORM; or states, by commas")
        ] = None,
        acknowledged: bool | None = None,
        priority: Annotated[str | None, Query(description="P1 … P4, by commas")] = None,
        node: Annotated[str | None, Query(description="only at or below this node")] = None,
        tag: str | None = None,
        flag: Annotated[
            str | None, Query(description="shelved, suppressed, out_of_service, stale, by commas")
        ] = None,
        lane: Annotated[
            Literal["live", "replay", "all"],
            Query(description="`replay`: found afterwards 事后发现, never in the live list"),
        ] = "live",
        cursor: Cursor = None,
        limit: Limit = 200,
    ) -> Page[AlarmItem]:
        """Occurrences, newest onset first."""
        which = AlarmFilter(
            lane=None if lane == "all" else Lane[lane.upper()],
            open=state == "active",
            states=None if state == "active" else among("state", state, STATES),
            acknowledged=acknowledged,
            priorities=among("priority", priority, frozenset(Priority)),
            node=number_of(node),
            tag=number_of(tag),
            flags=among("flag", flag, FLAGS),
        )
        rows = await list_alarms(reading, scope, which, before=by_moment(cursor), limit=limit + 1)
        return page(rows, limit, alarm_item, lambda row: (row["onset"], row["id"]))

    @router.get("/alarms/counts", operation_id="countAlarms")
    async def counts(
        scope: Annotated[Scope, Depends(guard.reader)],
        node: Annotated[str | None, Query(description="only at or below this node")] = None,
    ) -> AlarmCounts:
        """How many are open, wait, are latched, or are silenced by which flag."""
        return AlarmCounts.model_validate(await count_alarms(reading, scope, number_of(node)))

    @router.get("/alarms/{id}", operation_id="readAlarm")
    async def alarm(id: UUID, scope: Annotated[Scope, Depends(guard.reader)]) -> AlarmDetail:
        """One occurrence of any lane, with every transition."""
        row = await find_alarm(reading, scope, id)
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        changes = await alarm_journal(reading, scope, id)
        return AlarmDetail.model_validate(
            alarm_members(row)
            | {
                "transitions": [
                    change | {"from": change["from_state"], "to": change["to_state"]}
                    for change in changes
                ]
            }
        )

    return router


def alarm_item(row: Row) -> AlarmItem:
    """A row of `list_alarms` as the wire has it."""
    return AlarmItem.model_validate(alarm_members(row))


def alarm_members(row: Row) -> dict[str, object]:
    """The members of an occurrence, named as on the wire."""
    return row | {
        "id": str(row["id"]),
        "tag": None if row["tag_id"] is None else str(row["tag_id"]),
        "name": row["tag_name"] or row["node_name"],
        "enterprise": str(row["enterprise"]),
        "source": str(row["source"]),
        "class": alarm_class(row["tag_kind"], row["kind"]),
        "flags": [name for name in FLAGS if row[name]],
        "lane": Lane(row["lane"]).name.lower(),
        "limit": row["limit_value"],
        "ack_by": ack_by(row),
    }


def ack_by(row: Row) -> datetime | None:
    """By when its console should acknowledge an occurrence, None: nobody has to."""
    silent = any(row[name] is not None for name in SILENCING)
    if row["state"] not in WAITING or silent or row["lane"] != Lane.LIVE:
        return None
    since = waits_since(row["onset"], row["onset_last"], row["effective"], row["answered_s"])
    kind = None if row["tag_kind"] is None else TagKind(row["tag_kind"])
    return acknowledge_by(Kind[row["kind"]], kind, since)


def alarm_class(tag_kind: str | None, kind: str) -> str:
    """The class of the alarm policy; of an alarm that belongs to a node it is its kind."""
    return kind if tag_kind is None else rule(TagKind(tag_kind), Kind[kind]).alarm_class
