"""Alarms that plants reported themselves, read again at the start."""

from datetime import datetime

from domain.instant import micros
from ingest.batch import PlantAlarm
from storage.database import Connection
from storage.queries import query


async def read_plant_alarms(conn: Connection, since: datetime) -> list[PlantAlarm]:
    """The newest report of each gateway on each tag and kind that came at or after `since`, in the
    order of their coming."""
    rows = await conn.execute(query("last_plant_alarms"), {"since": since})
    return [
        PlantAlarm(gateway, id, time, micros(received), tag, kind, active, body)
        for gateway, id, time, received, tag, kind, active, body in await rows.fetchall()
    ]
