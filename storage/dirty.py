"""Ranges of history that have to be judged again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.database import Connection
from storage.queries import query


@dataclass(frozen=True, slots=True)
class DirtyRange:
    """Samples of `tag` from `begin` to `end` came late, the last of them at `marked_at`."""

    tag: int
    begin: datetime
    end: datetime
    marked_at: datetime


async def quiet_ranges(
    conn: Connection, enterprises: Sequence[int], since: datetime, limit: int = 100
) -> list[DirtyRange]:
    """Ranges into which nothing came after `since`, the longest quiet first, of `enterprises`."""
    asked = {"enterprises": list(enterprises), "since": since, "limit": limit}
    rows = await conn.execute(query("quiet_ranges"), asked)
    return [DirtyRange(*row) for row in await rows.fetchall()]


async def clean(conn: Connection, judged: DirtyRange) -> bool:
    """Forget a range that was judged; False where more came meanwhile, and it stays as a whole."""
    asked = {"tag": judged.tag, "marked_at": judged.marked_at}
    return (await conn.execute(query("clean_range"), asked)).rowcount > 0
