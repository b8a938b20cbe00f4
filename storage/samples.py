"""Samples into the database: fast where all is new, exact where it is not.

Rows newer than all that their tag has go straight in by COPY. The rest, and a group in which the
COPY met a key that was there after all, go through a staging table. Of one (tag, time) the first
stands.

The two are apart in time: `copy_ahead` may run while groups before are not committed yet, for none
of its keys can be in them; `finish` has to wait for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import psycopg
from numpy.typing import NDArray

from domain.frame import Frame, Ints
from domain.instant import NEVER, micros, moment
from storage.copying import copy_rows, fill
from storage.database import Connection
from storage.days import runs
from storage.latest import newest, write_latest
from storage.queries import query
from storage.rollup_late import leave_parts
from storage.rows import ROW, STAGED, Rows, rows_of

Outcomes = NDArray[np.int8]


class Outcome(IntEnum):
    """What became of a sample that was offered."""

    STORED = 0
    DUPLICATE = 1
    """The same value stands under its tag and time; NaN is the same as NaN."""
    CONFLICT = 2
    """Another value stands there, and stays."""


EARLIER = 3
"""Stored by an earlier attempt at the same frame."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many samples of one gateway had which outcome."""

    stored: int = 0
    duplicate: int = 0
    conflict: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a frame, by gateway. Empty for one without samples, or stored earlier."""

    by_gateway: Mapping[int, Tally]

    @property
    def total(self) -> Tally:
        """Over all gateways."""
        tallies = self.by_gateway.values()
        return Tally(
            sum(tally.stored for tally in tallies),
            sum(tally.duplicate for tally in tallies),
            sum(tally.conflict for tally in tallies),
        )


NOTHING = Stored({})


class LastStored:
    """The time of the newest stored sample of each tag, int64 microseconds by tag id; in memory.

    Only a hint for choosing the way: too low costs a failed COPY, too high a detour by staging.
    """

    def __init__(self) -> None:
        self._time = np.full(1024, NEVER, np.int64)

    async def seed(self, conn: Connection) -> None:
        """Read what the database has."""
        rows = await (await conn.execute(query("last_stored"))).fetchall()
        tag = np.array([row[0] for row in rows], np.int32)
        self.advance(tag, np.array([micros(row[1]) for row in rows], np.int64))

    def advance(self, tag: NDArray[np.int32], time: Ints) -> None:
        """Samples of these tags and times are stored."""
        self._reach(tag)
        np.maximum.at(self._time, tag, time)

    def of(self, tag: NDArray[np.int32]) -> Ints:
        """int64[n]: the newest time of each tag, `NEVER` where it has none."""
        self._reach(tag)
        return self._time[tag]

    def _reach(self, tag: NDArray[np.int32]) -> None:
        need = int(tag.max(initial=0)) + 1 - len(self._time)
        if need > 0:
            more = np.full(max(need, len(self._time)), NEVER, np.int64)
            self._time = np.concatenate((self._time, more))


@dataclass(slots=True, eq=False)
class Group:
    """Samples of several frames on their way, sorted by tag and time, repeats as they arrived.

    order: positions in the frames one after the other (intp[n]). first: the first of its key.
    direct: goes straight in; what is first and not direct is looked up.
    """

    sizes: list[int]
    order: NDArray[np.intp]
    rows: Rows
    leader: NDArray[np.intp]
    first: NDArray[np.bool_]
    direct: NDArray[np.bool_]

    @staticmethod
    def of(frames: Sequence[Frame], last: LastStored) -> "Group":
        """Sort frames; groups have to be made in the order in which they are committed."""
        unsorted = rows_of(frames)
        order = np.lexsort((unsorted["time"], unsorted["tag"]))
        rows = unsorted[order]
        leader = leaders(rows)
        first = leader == np.arange(len(rows))
        ahead = rows["time"] > last.of(rows["tag"])
        last.advance(rows["tag"], rows["time"])
        return Group([len(frame) for frame in frames], order, rows, leader, first, ahead)

    def by_frame(self, by_key: Outcomes) -> list[Outcomes]:
        """Outcomes of the sorted rows as each frame has them."""
        outcomes = np.empty(len(self.rows), np.int8)
        outcomes[self.order] = by_key
        return np.split(outcomes, np.cumsum(self.sizes)[:-1])


async def write_samples(
    conn: Connection, frames: Sequence[Frame], last: LastStored, *, again: bool = False
) -> list[Outcomes]:
    """Store the samples of `frames`, and each tag's newest; the outcome of each sample, by frame.

    Belongs inside a transaction, with partitions for the times there already; of at most
    `DAYS_AT_ONCE` days. again: what stands under the stamp of its own frame was stored by an
    earlier attempt at this very frame, and counts as STORED.
    """
    group = Group.of(frames, last)
    await copy_ahead(conn, group)
    outcomes, stored = await finish(conn, group, again=again)
    await write_latest(conn, newest(stored))
    return outcomes


async def copy_ahead(conn: Connection, group: Group) -> None:
    """Put in what is direct; where one of its keys was there after all nothing is direct."""
    if not await _copied(conn, group.rows[group.direct & group.first]):
        group.direct[:] = False


async def finish(
    conn: Connection, group: Group, *, again: bool = False
) -> tuple[list[Outcomes], Rows]:
    """Store the rest. The outcome of each sample, by frame; and the stored rows by tag and time."""
    value = group.rows["value"]
    outcomes = np.where(group.first, Outcome.STORED, against(value, value[group.leader]))
    behind = np.flatnonzero(~group.direct)
    if len(behind):
        outcomes[behind] = await _staged(conn, group.rows[behind], group.first[behind], again)
    await leave_parts(conn, group.rows[outcomes == Outcome.STORED])
    outcomes[outcomes == EARLIER] = Outcome.STORED
    return group.by_frame(outcomes.astype(np.int8)), group.rows[outcomes == Outcome.STORED]


def tallied(outcomes: Outcomes, gateway_of: NDArray[np.int32]) -> Stored:
    """Count the outcomes (int8[n]) of a frame by the gateway of each sample (int32[n])."""
    gateways, position = np.unique(gateway_of, return_inverse=True)
    counts = np.zeros((len(gateways), len(Outcome)), np.int64)
    np.add.at(counts, (position, outcomes), 1)
    return Stored({int(g): Tally(*row) for g, row in zip(gateways, counts.tolist(), strict=True)})


def leaders(rows: Rows) -> NDArray[np.intp]:
    """For each of the sorted rows the position of the first with the same tag and time."""
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows["tag"][1:] != rows["tag"][:-1]) | (rows["time"][1:] != rows["time"][:-1])
    return np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))


def against(value: NDArray[np.float64], standing: NDArray[np.float64]) -> Outcomes:
    """DUPLICATE where a value is the same as the one that stands, else CONFLICT; NaN equals NaN."""
    same = (value == standing) | (np.isnan(value) & np.isnan(standing))
    return np.where(same, Outcome.DUPLICATE, Outcome.CONFLICT).astype(np.int8)


async def _copied(conn: Connection, rows: Rows) -> bool:
    """Whether the rows went in; False where one of the keys was there, and then none did."""
    if len(rows) == 0:
        return True
    try:
        async with conn.transaction():
            await copy_rows(conn, "copy_samples", rows)
    except psycopg.errors.UniqueViolation:
        return False
    return True


async def _staged(conn: Connection, rows: Rows, first: NDArray[np.bool_], again: bool) -> Outcomes:
    """Store rows of which some may be there, and find out what became of each."""
    staged = np.empty(len(rows), STAGED)
    staged["ordinal"], staged["first"] = np.arange(len(rows)), first
    for name in ROW.names or ():
        staged[name] = rows[name]
    await fill(conn, "sample_staging", staged)
    await conn.execute(query("insert_staged_samples"))
    outcomes = np.full(len(rows), Outcome.STORED, np.int8)
    for begin, end in runs(rows["time"]):
        for ordinal, same, own in await _not_stored(conn, begin, end):
            if own and again:
                outcomes[ordinal] = EARLIER
            else:
                outcomes[ordinal] = Outcome.DUPLICATE if same else Outcome.CONFLICT
    return outcomes


async def _not_stored(conn: Connection, begin: int, end: int) -> list[tuple[int, bool, bool]]:
    """(ordinal, same, own) of staged rows of a span; a generic plan would lock every partition."""
    bounds = {"from": moment(begin), "to": moment(end)}
    found = await conn.execute(query("compare_staged_samples"), bounds, prepare=False)
    return await found.fetchall()
