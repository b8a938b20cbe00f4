"""Samples into the database: fast where all is new, exact where it is not.

Rows newer than all that their tag has go straight in by COPY. The rest, and a group in which the
COPY met a key that was there after all, go through a staging table. Of one (tag, time) the first
stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import psycopg
from numpy.typing import NDArray

from domain.frame import Frame, Ints
from domain.instant import NEVER, micros, moment
from storage.database import Connection
from storage.days import runs
from storage.queries import query
from storage.rows import LATEST, ROW, STAGED, Rows, copy_stream, rows_of

Outcomes = NDArray[np.int8]


class Outcome(IntEnum):
    """What became of a sample that was offered."""

    STORED = 0
    DUPLICATE = 1
    """The same value stands under its tag and time; NaN is the same as NaN."""
    CONFLICT = 2
    """Another value stands there, and stays."""


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


async def write_samples(
    conn: Connection, frames: Sequence[Frame], last: LastStored, *, again: bool = False
) -> list[Outcomes]:
    """Store the samples of `frames`, and each tag's newest; the outcome of each sample, by frame.

    Belongs inside a transaction, with partitions for the times there already; of at most
    `DAYS_AT_ONCE` days. again: what stands under the stamp of its own frame was stored by an
    earlier attempt at this very frame, and counts as STORED.
    """
    rows = rows_of(frames)
    order = np.lexsort((rows["time"], rows["tag"]))
    ordered = rows[order]
    by_key = await _write_ordered(conn, ordered, last, again)
    await _write_latest(conn, ordered[by_key == Outcome.STORED])
    last.advance(ordered["tag"], ordered["time"])
    outcomes = np.empty(len(rows), np.int8)
    outcomes[order] = by_key
    return np.split(outcomes, np.cumsum([len(frame) for frame in frames])[:-1])


def tallied(outcomes: Outcomes, gateway_of: NDArray[np.int32]) -> Stored:
    """Count the outcomes (int8[n]) of a frame by the gateway of each sample (int32[n])."""
    gateways, position = np.unique(gateway_of, return_inverse=True)
    counts = np.zeros((len(gateways), len(Outcome)), np.int64)
    np.add.at(counts, (position, outcomes), 1)
    return Stored({int(g): Tally(*row) for g, row in zip(gateways, counts.tolist(), strict=True)})


async def _write_ordered(conn: Connection, rows: Rows, last: LastStored, again: bool) -> Outcomes:
    """Outcomes of rows sorted by tag and time, repeats in the order of their arrival."""
    leader = leaders(rows)
    first = leader == np.arange(len(rows))
    ahead = rows["time"] > last.of(rows["tag"])
    if not await _copied(conn, rows[ahead & first]):
        ahead[:] = False
    outcomes = np.where(first, Outcome.STORED, against(rows["value"], rows["value"][leader]))
    behind = np.flatnonzero(~ahead)
    if len(behind):
        outcomes[behind] = await _staged(conn, rows[behind], first[behind], again)
    return outcomes.astype(np.int8)


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
            await _copy(conn, "copy_samples", rows)
    except psycopg.errors.UniqueViolation:
        return False
    return True


async def _staged(conn: Connection, rows: Rows, first: NDArray[np.bool_], again: bool) -> Outcomes:
    """Store rows of which some may be there, and find out what became of each."""
    staged = np.empty(len(rows), STAGED)
    staged["ordinal"], staged["first"] = np.arange(len(rows)), first
    for name in ROW.names or ():
        staged[name] = rows[name]
    await _fill(conn, "sample_staging", staged)
    await conn.execute(query("insert_staged_samples"))
    outcomes = np.full(len(rows), Outcome.STORED, np.int8)
    for begin, end in runs(rows["time"]):
        for ordinal, same, own in await _not_stored(conn, begin, end):
            if not (own and again):
                outcomes[ordinal] = Outcome.DUPLICATE if same else Outcome.CONFLICT
    return outcomes


async def _not_stored(conn: Connection, begin: int, end: int) -> list[tuple[int, bool, bool]]:
    """(ordinal, same, own) of staged rows of a span; a generic plan would lock every partition."""
    bounds = {"from": moment(begin), "to": moment(end)}
    found = await conn.execute(query("compare_staged_samples"), bounds, prepare=False)
    return await found.fetchall()


async def _write_latest(conn: Connection, stored: Rows) -> None:
    """Bring `tag_latest` up to the stored rows, sorted by tag and time."""
    if len(stored) == 0:
        return
    newest = stored[np.append(stored["tag"][1:] != stored["tag"][:-1], True)]
    latest = np.empty(len(newest), LATEST)
    for name in LATEST.names or ():
        latest[name] = newest[name]
    await _fill(conn, "latest_staging", latest)
    await conn.execute(query("upsert_latest"))


async def _fill(conn: Connection, table: str, rows: Rows) -> None:
    """Put rows into a staging table and nothing else."""
    await conn.execute(query(f"create_{table}"))
    await conn.execute(query(f"clear_{table}"))
    await _copy(conn, f"copy_{table}", rows)


async def _copy(conn: Connection, statement: str, rows: Rows) -> None:
    async with conn.cursor() as cursor, cursor.copy(query(statement)) as copy:
        await copy.write(copy_stream(rows))
