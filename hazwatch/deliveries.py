"""What became of notices, as rows: each look at one, and where the notice stands after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.outgoing import Delivery
from storage import notices
from storage.database import Connection
from storage.notices import Attempt


async def record(conn: Connection, results: Sequence[tuple[Delivery, datetime]]) -> list[bool]:
    """Write these down in one transaction, each at its instant; of each whether its notice is in
    the database: where it is not, nothing was written."""
    async with conn.transaction():
        return [await _record(conn, result, at) for result, at in results]


async def _record(conn: Connection, result: Delivery, at: datetime) -> bool:
    if not await _stands(conn, result, at):
        return False
    notice = result.notice
    heirs = ", ".join(heir.person or heir.channel for heir in result.heirs)
    error = f"to {heirs}" if heirs else result.error
    made = Attempt(at, notice.channel, notice.recipient, result.rank, result.outcome, error)
    await notices.insert_attempt(conn, notice.id, made)
    return True


async def _stands(conn: Connection, result: Delivery, at: datetime) -> bool:
    id = result.notice.id
    if result.held_s is not None:
        return await notices.held(conn, id, at + timedelta(seconds=result.held_s))
    if result.heirs:
        return await notices.handed_over(conn, id, at, result.heirs)
    if result.needless:
        return await notices.withdrawn(conn, id, at)
    if result.error is None:
        return await notices.delivered(conn, id, at)
    if result.retry_s is None:
        return await notices.failed(conn, id, result.error, at)
    return await notices.put_off(conn, id, result.error, at + timedelta(seconds=result.retry_s))
