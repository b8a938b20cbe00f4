"""The live stream's table, write side."""

from collections.abc import Sequence

from domain.alarms import OutboxEvent
from storage.database import Connection
from storage.encoding import recordset
from storage.queries import query

CHANNEL = "hazwatch_outbox"
HELD_S = 30.0
"""So long a transaction may keep others from appending; then the server ends it (PostgreSQL 17 and
later). A worker hangs up on a server that needs longer, see `DatabaseOptions.answer_s`."""


async def append_events(conn: Connection, events: Sequence[OutboxEvent]) -> None:
    """Give each new event the next place in the stream; one that is there already is left alone.

    Places are without gaps and become visible in their order. Call it last in a transaction: from
    here to the commit no other process can append.
    """
    if not events:
        return
    rows = recordset(map(_row, events))
    await conn.execute(query("lock_outbox"), {"held_ms": round(HELD_S * 1000)})
    await conn.execute(query("append_outbox"), {"rows": rows})
    await conn.execute(query("notify_outbox"))


def _row(event: OutboxEvent) -> dict[str, object]:
    return {
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "enterprise": event.enterprise,
        "node": event.node,
        "tag_id": event.tag,
        "body": event.body,
    }
