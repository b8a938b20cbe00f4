"""Management inputs as the worker meets them: all that can still matter, when something changed."""

from datetime import datetime, timedelta

from domain.inputs import Input, InputKind
from storage.database import Connection
from storage.queries import query

CHANNEL = "hazwatch_input"
"""Notified by the api when a fact is recorded or revoked; asking for the version now and then is
the safety net."""
KEPT = timedelta(days=30)
"""So long after its end a permit still spares an alarm that came and went under it."""


async def input_version(conn: Connection) -> int:
    """Rises with every change."""
    row = await (await conn.execute(query("input_version"))).fetchone()
    assert row is not None, "a migration made the row"
    return int(row[0])


async def read_inputs(conn: Connection, at: datetime) -> list[Input]:
    """All that can still matter at `at`, in the order in which it was recorded."""
    rows = await conn.execute(query("standing_inputs"), {"after": at - KEPT})
    return [
        Input(row[0], InputKind(row[1]), *row[2:]) for row in await rows.fetchall()
    ]  # fmt: skip
