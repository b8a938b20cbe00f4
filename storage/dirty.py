"""Ranges of history that have to be judged again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.instant import SECOND, moment
from storage.database import Connection
from storage.queries import listed, query

APART = timedelta(hours=1)
"""Ranges of a tag that are nearer than this become one."""
MOST = 100
"""Ranges of a tag; beyond that those with the smallest gaps between them become one."""
PIECE = timedelta(hours=6)
"""What is judged again at once, at least."""
SAMPLES = 50_000
"""A longer piece has at most so many samples: they are in memory together."""
LONGEST_PIECE = timedelta(days=30)
"""However few samples it has."""

Mark = tuple[int, int, int, int]
"""Tag id, first and last time, and when it was marked; in microseconds."""


@dataclass(frozen=True, slots=True)
class DirtyRange:
    """Samples of `tag` from `begin` to `end` came late, the last of them at `marked_at`."""

    tag: int
    begin: datetime
    end: datetime
    marked_at: datetime


async def mark(conn: Connection, marks: Iterable[Mark]) -> None:
    """These have to be judged again."""
    found = joined(marks)
    if not found:
        return
    rows = [
        {"tag": tag, "from": moment(begin), "to": moment(end), "at": moment(at), "apart": APART}
        for tag, begin, end, at in found
    ]
    tags = sorted({tag for tag, *_ in found})
    async with conn.cursor() as cursor:
        await cursor.executemany(query("mark_dirty"), rows)
        await cursor.executemany(query("join_dirty"), [{"tag": tag, "most": MOST} for tag in tags])


def joined(marks: Iterable[Mark]) -> list[Mark]:
    """By tag and time, those of a tag that are not `APART` as one, marked when the last was."""
    apart = int(APART.total_seconds()) * SECOND
    out: list[Mark] = []
    for tag, begin, end, at in sorted(marks):
        if out and out[-1][0] == tag and begin <= out[-1][2] + apart:
            _, first, last, earlier = out[-1]
            out[-1] = tag, first, max(last, end), max(earlier, at)
        else:
            out.append((tag, begin, end, at))
    return out


async def quiet_ranges(
    conn: Connection, enterprises: Sequence[int] | None, since: datetime, limit: int = 100
) -> list[DirtyRange]:
    """Pieces of ranges into which nothing came after `since`, of `enterprises` or of all (None).

    One of each tag, its oldest; the longest quiet first, but short ranges before those of which
    there will be several pieces: late data does not wait behind imported years. The next of a tag
    comes when this one is clean.
    """
    asked = {"enterprises": listed(enterprises), "since": since, "limit": limit, "piece": PIECE}
    rows = await conn.execute(query("quiet_ranges"), asked)
    return [await _piece(conn, DirtyRange(*row)) for row in await rows.fetchall()]


async def _piece(conn: Connection, whole: DirtyRange) -> DirtyRange:
    """The beginning of a range: `PIECE`, or what has `SAMPLES` samples, up to `LONGEST_PIECE`."""
    if whole.end - whole.begin <= PIECE:
        return whole
    end = min(whole.end, whole.begin + LONGEST_PIECE)
    asked = {"tag": whole.tag, "from": whole.begin, "to": end, "samples": SAMPLES}
    found = await conn.execute(query("time_of_sample"), asked, prepare=False)
    row = await found.fetchone()
    if row is not None:
        end = min(end, max(row[0], whole.begin + PIECE))
    return replace(whole, end=end)


async def clean(conn: Connection, judged: DirtyRange) -> bool:
    """Forget a piece that was judged; False where more came meanwhile, and all of it stays."""
    asked = {
        "tag": judged.tag,
        "from": judged.begin,
        "to": judged.end,
        "marked_at": judged.marked_at,
    }
    row = await (await conn.execute(query("clean_range"), asked)).fetchone()
    return bool(row and row[0])
