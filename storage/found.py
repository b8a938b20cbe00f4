"""Alarms that late data held: each is told once, in the notice of its backfill."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from alerts.found import FoundAlarm
from domain.alarms import Notice, OutboxEvent, Priority
from storage.database import Connection
from storage.lease import Fence
from storage.notices import insert_notices
from storage.outbox import append_events
from storage.queries import query

PATIENCE = timedelta(minutes=15)
"""Late data that never end do not keep an alarm from being told for longer (proposal)."""

Tell = Callable[[int, Sequence[FoundAlarm]], tuple[OutboxEvent, list[Notice]]]


async def note_found(conn: Connection, enterprise: int, ids: Sequence[UUID], at: datetime) -> None:
    """Of these people have to be told, unless they have been."""
    if ids:
        row = {"enterprise": enterprise, "ids": list(ids), "at": at}
        await conn.execute(query("note_found"), row)


async def tell_found(conn: Connection, fence: Fence, at: datetime, tell: Tell) -> list[Notice]:
    """Tell of backfills that have been judged whole, each in a transaction of its own; the notices
    to be sent. `tell` makes event and notices of an enterprise's alarms."""
    asked = {"long_ago": at - PATIENCE}
    rows = await (await conn.execute(query("untold_enterprises"), asked)).fetchall()
    notices: list[Notice] = []
    for (enterprise,) in rows:
        async with conn.transaction():
            await fence.check(conn)
            notices += await _tell_one(conn, enterprise, tell)
    return notices


async def _tell_one(conn: Connection, enterprise: int, tell: Tell) -> list[Notice]:
    asked = {"enterprise": enterprise}
    await conn.execute(query("forget_unfounded"), asked)
    rows = await (await conn.execute(query("untold_alarms"), asked)).fetchall()
    found = [FoundAlarm(id, tag, Priority(word), *times) for id, tag, word, *times in rows]
    if not found:
        return []
    event, notices = tell(enterprise, found)
    told = {"notice": event.id, "ids": [one.id for one in found]}
    await conn.execute(query("tell_found"), told)
    await insert_notices(conn, notices)
    await append_events(conn, [event])
    return notices
