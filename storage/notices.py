"""Notices that are on their way: what is due, and what became of each attempt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alarms import Notice
from storage.database import Connection
from storage.encoding import recordset
from storage.queries import query


@dataclass(frozen=True, slots=True)
class DueNotice:
    """An open notice and how often it was tried."""

    notice: Notice
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one look at a notice. rank: which of the person's channels it was, from 0.

    outcome: delivered, failed, given up, withdrawn, held or handed over. due: when it is looked at
    again, None = never, or as before. heirs: who are told instead.
    """

    notice: UUID
    at: datetime
    outcome: str
    channel: str
    recipient: str
    rank: int = 0
    error: str | None = None
    due: datetime | None = None
    heirs: tuple[Notice, ...] = ()


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


async def note_attempts(conn: Connection, made: Sequence[Attempt]) -> list[bool]:
    """Keep what became of looks at notices, in this order, each once, and where the notices stand
    after it; of each whether its notice is there: where it is not, nothing is kept.

    What was delivered stays so, whatever is said of it later.
    """
    known: list[bool] = []
    for together in _in_turn(made):
        rows = {"rows": recordset(map(_attempt, together))}
        found = await conn.execute(query("note_attempts"), rows)
        there = {row[0] for row in await found.fetchall()}
        known += [one.notice in there for one in together]
        told = (heir for one in together if one.notice in there for heir in one.heirs)
        heirs = {heir.id: _row(heir) for heir in told}
        if heirs:
            await conn.execute(query("revive_notices"), {"rows": recordset(heirs.values())})
    return known


def _in_turn(made: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    """Those that one statement can keep: no notice twice, and nothing after a hand-over, for its
    heirs are there only then."""
    together: list[Attempt] = []
    notices: set[UUID] = set()
    for one in made:
        if one.notice in notices or (together and together[-1].heirs):
            yield together
            together, notices = [], set()
        together.append(one)
        notices.add(one.notice)
    if together:
        yield together


def _attempt(one: Attempt) -> dict[str, object]:
    return {
        "notice": one.notice,
        "at": one.at,
        "outcome": one.outcome,
        "channel": one.channel,
        "recipient": one.recipient,
        "rank": one.rank,
        "error": one.error,
        "due": one.due,
    }


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
