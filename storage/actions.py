"""Operators' decisions as the worker meets them: what is pending, and what became of it."""

from collections.abc import Sequence
from uuid import UUID

from domain.alarms import ActionDone, OperatorAction
from storage.database import Connection
from storage.encoding import jsonb
from storage.queries import listed, query

CHANNEL = "hazwatch_action"
"""Notified by the api when somebody has decided; asking again now and then is the safety net."""


async def pending(
    conn: Connection, enterprises: Sequence[int] | None = None
) -> list[OperatorAction]:
    """All decisions for these enterprises, or for all (None), that were not applied yet, in the
    order they were made.

    All, for two reasons: whoever applies them knows what is new by what was here before, and a
    start applies every one before a rung can fire. Each was one request of a person, so they are
    few.
    """
    rows = await conn.execute(query("pending_actions"), {"enterprises": listed(enterprises)})
    return [OperatorAction(*row) for row in await rows.fetchall()]


async def pending_targets(conn: Connection) -> list[UUID]:
    """Occurrences and cases with a decision that was not applied yet."""
    rows = await conn.execute(query("pending_targets"))
    return [row[0] for row in await rows.fetchall()]


async def write_results(conn: Connection, actions: Sequence[ActionDone]) -> None:
    """Say what became of decisions, in the transaction of the transitions that they caused."""
    if actions:
        rows = [{"id": done.id, "at": done.at, "result": jsonb(done.result)} for done in actions]
        async with conn.cursor() as cursor:
            await cursor.executemany(query("action_done"), rows)
