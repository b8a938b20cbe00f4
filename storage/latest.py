"""The newest stored sample of each tag, as `tag_latest` has it: newest by event time.

A group that brings many tags costs as much there as its samples do. So the table is written with
the group while that is cheap, and else behind it, by at most `MOST_S`. How far it may be behind
stands in the database, committed with the samples: after a kill `catch_up` reads what is missing.
"""

from datetime import datetime
from itertools import pairwise

import numpy as np

from domain.instant import moment
from storage.chunks import chunks_for
from storage.copying import fill
from storage.database import Connection, server_facts
from storage.days import DAYS_AT_ONCE
from storage.queries import query
from storage.rollup_state import NEWEST, NOTHING
from storage.rows import LATEST, Rows

ROWS_PER_S = 20_000
"""Rows that may be written in a second before they have to wait for each other."""
MOST_S = 1.0
"""Rows wait no longer than this for the next group."""
NO_ROWS: Rows = np.empty(0, LATEST)

Followed = tuple[Rows, bool]
"""Rows of a transaction and of those before it, and whether they were written."""


class Latest:
    """What `tag_latest` does not have yet of what is committed. For one shard."""

    def __init__(self, shard: str) -> None:
        self._shard = shard
        self._waiting = NO_ROWS
        self._written: float | None = None
        self._in_doubt = False

    @property
    def waits(self) -> bool:
        """Whether the table is behind."""
        return len(self._waiting) > 0

    @property
    def in_doubt(self) -> bool:
        """Whether something was committed that we did not hear of: `catch_up` is due."""
        return self._in_doubt

    def doubt(self) -> None:
        """Something was committed that we did not hear of."""
        self._in_doubt = True

    async def catch_up(self, conn: Connection) -> None:
        """After a start or a failure: bring the table up to the samples, whatever happened.

        Outside of a transaction: it takes several, for all days of samples are looked through.
        """
        asked = {"shard": self._shard}
        found = await (await conn.execute(query("latest_since"), asked)).fetchone()
        if found is not None:
            for begin, end in pairwise(await self._cuts(conn)):
                span = {"since": found[0], "from": begin, "to": end}
                await conn.execute(query("catch_up_latest"), span, prepare=False)
            await conn.execute(query("latest_is_there"), asked)
        self._waiting = NO_ROWS
        self._in_doubt = False

    async def _cuts(self, conn: Connection) -> list[datetime]:
        """Bounds of spans of so many days that a transaction can lock them."""
        ends = [one.end for one in await chunks_for(await server_facts(conn)).of(conn, "sample")]
        return [NOTHING, *ends[DAYS_AT_ONCE - 1 : -1 : DAYS_AT_ONCE], NEWEST]

    async def follow(self, conn: Connection, stored: Rows, now: float) -> Followed:
        """Write, or put off, what the transaction of `stored` (by tag and time) brings.

        now: monotonic seconds. The answer is for `committed`.
        """
        rows = newest(np.concatenate((self._waiting, _narrowed(stored))))
        due = self._is_due(len(rows), now)
        if due:
            await write_latest(conn, rows)
            if self.waits:
                await conn.execute(query("latest_is_there"), {"shard": self._shard})
        elif len(stored):
            since = moment(int(stored["received"].min()))
            await conn.execute(query("latest_is_behind"), {"shard": self._shard, "since": since})
        return rows, due

    def committed(self, followed: Followed, now: float) -> None:
        """The transaction of `follow` is committed."""
        rows, written = followed
        self._waiting = NO_ROWS if written else rows
        if written and len(rows):
            self._written = now

    def _is_due(self, rows: int, now: float) -> bool:
        passed = MOST_S if self._written is None else now - self._written
        return passed >= MOST_S or rows <= passed * ROWS_PER_S


def newest(rows: Rows) -> Rows:
    """The last by time of each tag, dtype `LATEST`, by tag."""
    narrow = _narrowed(rows)
    ordered: Rows = narrow[np.lexsort((narrow["time"], narrow["tag"]))]
    last = np.ones(len(ordered), np.bool_)
    last[:-1] = ordered["tag"][1:] != ordered["tag"][:-1]
    return ordered[last]


async def write_latest(conn: Connection, rows: Rows) -> None:
    """Bring the table up to these rows, one for each tag; what is older there gives way."""
    if len(rows):
        await fill(conn, "latest_staging", rows)
        await conn.execute(query("upsert_latest"))


def _narrowed(rows: Rows) -> Rows:
    if rows.dtype == LATEST:
        return rows
    out = np.empty(len(rows), LATEST)
    for name in LATEST.names or ():
        out[name] = rows[name]
    return out
