"""Notices that are on their way: what is due, and what became of each attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alarms import Notice
from storage.database import Connection
from storage.encoding import jsonb, text
from storage.queries import query


@dataclass(frozen=True, slots=True)
class DueNotice:
    """An open notice and how often it was tried."""

    notice: Notice
    attempts: int


async def insert_notices(conn: Connection, notices: Sequence[Notice]) -> None:
    """Keep new notices, due at once; one that is there already is left as it is."""
    if notices:
        async with conn.cursor() as cursor:
            await cursor.executemany(query("insert_notice"), [_row(notice) for notice in notices])


async def due_notices(conn: Connection, at: datetime, limit: int = 100) -> list[DueNotice]:
    """At most `limit` open notices that are due at `at`, the longest due first."""
    rows = await conn.execute(query("notices_due"), {"at": at, "limit": limit})
    return [DueNotice(Notice(*row[:-1]), row[-1]) for row in await rows.fetchall()]


async def next_due(conn: Connection) -> datetime | None:
    """When the next open notice is due, None where none is open."""
    row = await (await conn.execute(query("next_notice_due"))).fetchone()
    return row[0] if row else None


async def delivered(conn: Connection, notice: UUID, at: datetime) -> bool:
    """It arrived; False where there is no such notice yet. A second delivery changes nothing."""
    return await _noted(conn, "notice_delivered", {"id": notice, "at": at})


async def put_off(conn: Connection, notice: UUID, error: str, due: datetime) -> bool:
    """An attempt failed with `error`, try again at `due`; False where there is no such notice
    yet."""
    return await _noted(conn, "notice_put_off", {"id": notice, "error": text(error), "due": due})


async def failed(conn: Connection, notice: UUID, error: str, at: datetime) -> bool:
    """The last attempt failed with `error`, it is not tried again; False where there is no such
    notice yet."""
    return await _noted(conn, "notice_failed", {"id": notice, "error": text(error), "at": at})


async def withdrawn(conn: Connection, notice: UUID, at: datetime) -> bool:
    """Nobody needs it any more, it is not tried again; False where there is no such notice yet."""
    return await _noted(conn, "notice_withdrawn", {"id": notice, "at": at})


async def _noted(conn: Connection, statement: str, result: dict[str, object]) -> bool:
    row = await (await conn.execute(query(statement), result)).fetchone()
    return bool(row and row[0])


def _row(notice: Notice) -> dict[str, object]:
    return {
        "id": notice.id,
        "occurrence": notice.occurrence,
        "channel": notice.channel,
        "recipient": text(notice.recipient),
        "body": jsonb(notice.body),
        "created": notice.created,
        "step": notice.step,
    }
