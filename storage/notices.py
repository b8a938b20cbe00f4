"""Notices that are on their way: what is due, and what became of each attempt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alarms import Notice
from storage.database import Connection
from storage.encoding import optional_text, recordset, text
from storage.queries import query


@dataclass(frozen=True, slots=True)
class DueNotice:
    """An open notice and how often it was tried."""

    notice: Notice
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one look at a notice. rank: which of the person's channels it was, from 0.

    outcome: delivered, failed, given up, withdrawn, held or handed over.
    """

    at: datetime
    channel: str
    recipient: str
    rank: int
    outcome: str
    error: str | None


async def insert_notices(conn: Connection, notices: Sequence[Notice]) -> None:
    """Keep new notices, due at once; one that is there already is left as it is."""
    if notices:
        await conn.execute(query("insert_notices"), {"rows": recordset(map(_row, notices))})


async def due_notices(conn: Connection, at: datetime, limit: int = 100) -> list[DueNotice]:
    """At most `limit` open notices that are due at `at`, the longest due first."""
    rows = await conn.execute(query("notices_due"), {"at": at, "limit": limit})
    return [DueNotice(_notice(row[:-1]), row[-1]) for row in await rows.fetchall()]


async def arrived(conn: Connection, limit: int) -> list[UUID]:
    """At most `limit` notices of open cases and alarms that were delivered and may be made again,
    the newest first."""
    rows = await conn.execute(query("notices_arrived"), {"limit": limit})
    return [row[0] for row in await rows.fetchall()]


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


async def held(conn: Connection, notice: UUID, due: datetime) -> bool:
    """It is held back until `due`; False where there is no such notice yet."""
    return await _noted(conn, "notice_held", {"id": notice, "due": due})


async def handed_over(
    conn: Connection, notice: UUID, at: datetime, heirs: Sequence[Notice]
) -> bool:
    """Others are told instead, whose notices are kept with it; False where there is no such notice
    yet."""
    if not await withdrawn(conn, notice, at):
        return False
    await conn.execute(query("revive_notices"), {"rows": recordset(map(_row, heirs))})
    return True


async def insert_attempt(conn: Connection, notice: UUID, made: Attempt) -> None:
    """Keep what became of one look at a notice that is there, once."""
    row = {
        "id": notice,
        "at": made.at,
        "outcome": made.outcome,
        "channel": made.channel,
        "recipient": text(made.recipient),
        "rank": made.rank,
        "error": optional_text(made.error),
    }
    await conn.execute(query("insert_attempt"), row)


async def _noted(conn: Connection, statement: str, result: dict[str, object]) -> bool:
    row = await (await conn.execute(query(statement), result)).fetchone()
    return bool(row and row[0])


def _row(notice: Notice) -> dict[str, object]:
    return {
        "id": notice.id,
        "occurrence": notice.occurrence,
        "channel": notice.channel,
        "recipient": notice.recipient,
        "body": notice.body,
        "created": notice.created,
        "step": notice.step,
        "person": notice.person,
        "ways": notice.ways,
    }


def _notice(row: Sequence[Any]) -> Notice:
    *plain, ways = row
    pairs = tuple((channel, recipient) for channel, recipient in ways)
    return replace(Notice(*plain), ways=pairs)
