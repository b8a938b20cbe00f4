"""How well a desk can live with its alarms and warnings 报警绩效: KPIs of operator positions."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query

from api.auth import Guard
from api.kpi_items import Desk, KpiReport
from api.options import ApiOptions
from api.problems import EXPLANATIONS, FieldError, Problem
from api.schemas import Moment, number_of
from domain.alarm_noise import data, kpi_targets, noise_rules
from domain.cases import Level
from domain.clock import Clock
from domain.kpi_account import Members
from domain.ladders import Ladders
from storage import kpi_reading
from storage.kpi_reading import Model, level_at, position_members, read_kpis
from storage.reading import Reading
from storage.sessions import Scope

LAST = timedelta(days=30)
"""The period, when it is not said."""
LONGEST = timedelta(days=366)


def kpi_routes(reading: Reading, guard: Guard, clock: Clock, options: ApiOptions) -> APIRouter:
    """GET /kpi."""
    router = APIRouter(tags=["alarms"])
    model = Model(noise_rules(), kpi_targets(), Ladders(options.ladder, options.by_node))
    one_at_a_time = asyncio.Semaphore(1)

    @router.get("/kpi", operation_id="readKpi")
    async def kpi(
        scope: Annotated[Scope, Depends(guard.reader)],
        node: Annotated[str | None, Query(description="positions at or below this node")] = None,
        desk: Annotated[
            Desk | None, Query(description="default: the node's own kind, else enterprise")
        ] = None,
        begin: Annotated[
            Moment | None, Query(alias="from", description="default: 30 days before `to`")
        ] = None,
        end: Annotated[Moment | None, Query(alias="to", description="default: now")] = None,
        tz: Annotated[
            str | None, Query(description="in which days begin", examples=["Asia/Shanghai"])
        ] = None,
    ) -> KpiReport:
        """KPIs of alarm management (ISA-18.2, EEMUA 191) and of the warning loop, at most 366
        days."""
        now = clock.now()
        until, zone = end or now, _zone(tz, options)
        since = begin or until - LAST
        _check(since, until)
        level = await _level(reading, scope, node, desk)
        asked = kpi_reading.Query(
            level,
            number_of(node),
            since,
            until,
            now,
            zone,
            scope.list_of_enterprises(),
            scope.areas,
        )
        async with one_at_a_time:
            found = await read_kpis(reading, asked, model)

        def told() -> list[Members]:
            return [position_members(one, whole=len(found) == 1) for one in found]

        members = {
            "desk": level.name.lower(),
            "from": since,
            "to": until,
            "timezone": str(zone),
            "version": data()["version"],
            "positions": await asyncio.to_thread(told),
        }
        return KpiReport.model_validate(members)

    return router


async def _level(reading: Reading, scope: Scope, node: str | None, desk: Desk | None) -> Level:
    """The level that is asked for; of a node that is not visible there is none."""
    kind = "enterprise"
    if node is not None:
        row = await reading.row(
            "kpi_place",
            node=number_of(node),
            enterprises=scope.list_of_enterprises(),
            areas=list(scope.areas),
        )
        if row is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        kind = row["kind"]
    return level_at(kind) if desk is None else Level[desk.upper()]


def _zone(name: str | None, options: ApiOptions) -> ZoneInfo:
    try:
        return options.zone if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refused("tz", "is no time zone such as Asia/Shanghai") from None


def _check(since: datetime, until: datetime) -> None:
    if since >= until:
        raise _refused("from", "must lie before `to`")
    if until - since > LONGEST:
        raise _refused("from", f"at most {LONGEST.days} days before `to`")


def _refused(parameter: str, detail: str) -> Problem:
    errors = [FieldError(parameter=parameter, detail=detail)]
    return Problem(422, f"{parameter}: {detail}", errors=errors)
