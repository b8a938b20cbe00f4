"""What became of notices, as rows: each look at one, and where the notice stands after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.outgoing import Delivery
from storage.database import Connection
from storage.notices import Attempt, note_attempts


async def record(conn: Connection, results: Sequence[tuple[Delivery, datetime]]) -> list[bool]:
    """Write these down in one transaction, each at its instant; of each whether its notice is in
    the database: where it is not, nothing was written."""
    async with conn.transaction():
        return await note_attempts(conn, [_made(result, at) for result, at in results])


def _made(result: Delivery, at: datetime) -> Attempt:
    notice, again = result.notice, result.retry_s if result.held_s is None else result.held_s
    heirs = ", ".join(heir.person or heir.channel for heir in result.heirs)
    return Attempt(
        notice.id,
        at,
        result.outcome,
        notice.channel,
        notice.recipient,
        result.rank,
        f"to {heirs}" if heirs else result.error,
        None if again is None else at + timedelta(seconds=again),
        result.heirs,
    )
