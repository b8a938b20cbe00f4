"""The live stream's table, write side."""

from collections.abc import Sequence

from domain.alarms import OutboxEvent
from storage.database import Connection
from storage.encoding import recordset
from storage.queries import query

CHANNEL = "hazwatch_outbox"


async def append_events(conn: Connection, events: Sequence[OutboxEvent]) -> None:
    """Give each new event the next place in the stream; one that is there already is left alone.

    Places are without gaps and become visible in their order. Call it last in a transaction: from
    here to the commit no other process can append.
    """
    if not events:
        return
    await conn.execute(query("lock_outbox"))
    await conn.execute(query("append_outbox"), {"rows": recordset(map(_row, events))})
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
