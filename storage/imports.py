"""Files of history into the samples: a piece and how far the file is, in one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import class_row
from psycopg.types.json import Json, Jsonb

from domain.frame import Frame, Ints
from domain.instant import FAR, NEVER, micros, moment
from storage.database import Connection, server_facts
from storage.days import day_groups
from storage.dirty import mark
from storage.encoding import text
from storage.partitions import Partitions, partitions
from storage.queries import query
from storage.samples import LastStored, Outcome, Outcomes, write_samples
from storage.standing import against_standing, occupied_tags, standing


class ImportElsewhere(Exception):
    """Another process goes on with the same import."""


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A row of `import_file`; see there."""

    id: int
    enterprise: int
    digest: str
    plan_digest: str
    again: int
    name: str
    size: int
    plan: dict[str, Any]
    report: str | None
    started_by: str
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    position: int
    line: int
    pieces: int
    share: float
    rows: int
    bad_rows: int
    cells: int
    empty: int
    refused: int
    stored: int
    duplicate: int
    conflict: int
    problems: dict[str, int]
    reported: int
    time_from: datetime | None
    time_to: datetime | None

    @property
    def next_row(self) -> int:
        """Number of the next row, from 0."""
        return self.rows

    @property
    def received(self) -> int:
        """Stamp of the next piece in microseconds: the same however often it is tried."""
        return micros(self.started_at) + self.pieces


@dataclass(frozen=True, slots=True)
class NewImport:
    """What begins. position, line: of the first row."""

    enterprise: int
    digest: str
    plan_digest: str
    name: str
    size: int
    plan: Mapping[str, Any]
    report: str | None
    by: str
    position: int
    line: int


Columns = Callable[[NDArray[np.intp], int], Frame]
"""Some samples of a piece, by their places, as a frame under a receive stamp."""


@dataclass(frozen=True, slots=True)
class PieceToStore:
    """n samples and what else a piece brings. tag: int32[n], time: int64[n]; `frame`: the rest.

    begin, end: positions in the file; line: of the row after it; share: of the file read by then.
    problems: what was not taken, by reason. report(outcomes, file): writes down what was not taken
    and gives the length of the report; it may be called again.
    """

    tag: NDArray[np.int32]
    time: Ints
    frame: Columns
    begin: int
    end: int
    line: int
    share: float
    rows: int
    bad_rows: int
    cells: int
    empty: int
    refused: int
    problems: Mapping[str, int]
    report: Callable[[Outcomes, ImportFile], int]


async def begin(conn: Connection, new: NewImport, again: bool, at: datetime) -> ImportFile:
    """The import of a file: the one that was begun, finished or not, or a new one.

    again: a new one where the last is finished.
    """
    found = await _find(conn, new)
    if found is None or (again and found.finished_at is not None):
        row = {
            "enterprise": new.enterprise,
            "digest": new.digest,
            "plan_digest": new.plan_digest,
            "again": 0 if found is None else found.again + 1,
            "name": text(new.name),
            "size": new.size,
            "plan": Json(dict(new.plan)),
            "report": new.report,
            "by": text(new.by),
            "at": at,
            "position": new.position,
            "line": new.line,
        }
        await conn.execute(query("add_import"), row)
        found = await _find(conn, new)
    assert found is not None  # it was just added, by us or by somebody else
    return found


async def find(conn: Connection, new: NewImport) -> ImportFile | None:
    """The import of this file with this map, None where there was none."""
    return await _find(conn, new)


async def all_imports(conn: Connection, limit: int) -> list[ImportFile]:
    """The newest imports first."""
    async with conn.cursor(row_factory=class_row(ImportFile)) as cursor:
        await cursor.execute(query("all_imports"), {"limit": limit})
        return await cursor.fetchall()


async def finish(conn: Connection, id: int, at: datetime) -> ImportFile:
    """The whole file is stored."""
    return await _one(conn, "finish_import", {"id": id, "at": at})


class ImportStore:
    """Stores the pieces of one import, one after the other."""

    def __init__(self, id: int) -> None:
        self._id = id
        self._partitions: Partitions | None = None

    async def write(self, conn: Connection, piece: PieceToStore, at: datetime) -> ImportFile:
        """Commit a piece with the progress; how far the import is then.

        Idempotent. Of more days than a transaction may touch, it takes several, the progress in the
        last one; what an earlier attempt stored counts as stored. Raises `ImportElsewhere`.
        """
        if self._partitions is None:
            self._partitions = partitions(await server_facts(conn))
        try:
            return await self._write(conn, piece, at, self._partitions)
        except psycopg.errors.CheckViolation:
            # The room that was made was dropped before it was used: history is old.
            return await self._write(conn, piece, at, self._partitions)

    async def _write(
        self, conn: Connection, piece: PieceToStore, at: datetime, room: Partitions
    ) -> ImportFile:
        if len(piece.time):
            await room.cover(conn, piece.time, at)
        outcomes = np.zeros(len(piece.time), np.int8)
        groups = day_groups(piece.time)
        for which in groups[:-1]:
            async with conn.transaction():
                file = await self._locked(conn, piece)
                if file.position == piece.end:
                    return file
                outcomes[which] = await _store(conn, piece, which, file, at)
        async with conn.transaction():
            file = await self._locked(conn, piece)
            if file.position == piece.end:
                return file
            if groups:
                which = groups[-1]
                outcomes[which] = await _store(conn, piece, which, file, at)
            return await self._advance(conn, piece, outcomes, file, at)

    async def _locked(self, conn: Connection, piece: PieceToStore) -> ImportFile:
        file = await _one(conn, "lock_import", {"id": self._id})
        if file.position not in (piece.begin, piece.end):
            raise ImportElsewhere(f"import {self._id} goes on elsewhere")
        return file

    async def _advance(
        self,
        conn: Connection,
        piece: PieceToStore,
        outcomes: Outcomes,
        file: ImportFile,
        at: datetime,
    ) -> ImportFile:
        n = np.bincount(outcomes, minlength=len(Outcome)).tolist()
        problems = dict(file.problems)
        for reason, count in piece.problems.items():
            problems[reason] = problems.get(reason, 0) + count
        row = {
            "id": self._id,
            "at": at,
            "position": piece.end,
            "line": piece.line,
            "share": piece.share,
            "rows": piece.rows,
            "bad_rows": piece.bad_rows,
            "cells": piece.cells,
            "empty": piece.empty,
            "refused": piece.refused,
            "stored": n[Outcome.STORED],
            "duplicate": n[Outcome.DUPLICATE],
            "conflict": n[Outcome.CONFLICT],
            "problems": Jsonb(problems),
            "reported": piece.report(outcomes, file),
            "from": moment(int(piece.time.min())) if len(piece.time) else None,
            "to": moment(int(piece.time.max())) if len(piece.time) else None,
        }
        return await _one(conn, "advance_import", row)


class _Ways(LastStored):
    """Straight in for tags that have nothing in their span, past what may stand there else."""

    def __init__(self, occupied: NDArray[np.int32]) -> None:
        super().__init__()
        self._occupied = occupied

    def of(self, tag: NDArray[np.int32]) -> Ints:
        return np.where(np.isin(tag, self._occupied), FAR, NEVER)

    def advance(self, tag: NDArray[np.int32], time: Ints) -> None:
        """Nothing is remembered: each piece asks anew."""


async def _store(
    conn: Connection,
    piece: PieceToStore,
    which: NDArray[np.intp],
    file: ImportFile,
    at: datetime,
) -> Outcomes:
    """Store some days of a piece and mark what is new there, to be judged in the replay lane."""
    tag, time = piece.tag[which], piece.time[which]
    occupied = await occupied_tags(conn, _spans(tag, time))
    frame = piece.frame(which, file.received)
    outcomes, fresh = np.zeros(len(tag), np.int8), np.ones(len(tag), np.bool_)
    if len(occupied):
        there = await standing(conn, occupied, time[np.isin(tag, occupied)], len(tag))
        if there is not None:
            outcomes, fresh = against_standing(frame, there)
            occupied = occupied[:0]
    if fresh.any():
        part = frame if fresh.all() else frame.take(fresh)
        (outcomes[fresh],) = await write_samples(conn, [part], _Ways(occupied), again=True)
    new = outcomes == Outcome.STORED
    await mark(conn, ((*span, micros(at)) for span in _spans(tag[new], time[new])))
    return outcomes


def _spans(tag: NDArray[np.int32], time: Ints) -> list[tuple[int, int, int]]:
    """(tag, first, last) of each tag, by tag; a span for each run without a gap of a day."""
    if len(tag) == 0:
        return []
    order = np.lexsort((time, tag))
    tag, time = tag[order], time[order]
    new = np.ones(len(tag), np.bool_)
    new[1:] = (tag[1:] != tag[:-1]) | (time[1:] - time[:-1] > 86_400_000_000)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(tag)) - 1
    return list(zip(tag[first].tolist(), time[first].tolist(), time[last].tolist(), strict=True))


async def _find(conn: Connection, new: NewImport) -> ImportFile | None:
    asked = {
        "enterprise": new.enterprise,
        "digest": new.digest,
        "plan_digest": new.plan_digest,
    }
    async with conn.cursor(row_factory=class_row(ImportFile)) as cursor:
        await cursor.execute(query("find_import"), asked)
        return await cursor.fetchone()


async def _one(conn: Connection, statement: str, row: Mapping[str, Any]) -> ImportFile:
    async with conn.cursor(row_factory=class_row(ImportFile)) as cursor:
        await cursor.execute(query(statement), row)
        found = await cursor.fetchone()
    assert found is not None  # an import is never deleted
    return found
