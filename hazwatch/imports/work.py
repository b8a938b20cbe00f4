"""One file into the database: pieces read ahead in a thread, stored one after the other."""

import asyncio
import getpass
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.clock import Clock
from domain.frame import Frame
from domain.import_map import ImportMap
from domain.instant import moment, rfc3339
from hazwatch.imports.binding import Binding, Table
from hazwatch.imports.decode import Decoded
from hazwatch.imports.errors import Problem, Problems
from hazwatch.imports.report import Report
from hazwatch.imports.tables import Piece
from storage import imports
from storage.database import Connection, DatabaseAway, Link
from storage.imports import ImportFile, ImportStore, NewImport, PieceToStore
from storage.samples import Outcome, Outcomes

T = TypeVar("T")
CONFLICTS_TOLD = 1_000
"""Of one piece, one by one; the rest is only counted."""
WAITS_S = (0.5, 1.0, 2.0, 5.0)
"""Between attempts while the database is away; the last one again and again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be imported. digest: of the file."""

    file: Path
    digest: str
    table: Table
    map: ImportMap
    binding: Binding

    @property
    def map_digest(self) -> str:
        """SHA-256 of everything in the map."""
        return hashlib.sha256(_canonical(self.map).encode()).hexdigest()

    def new(self, report: Path, by: str) -> NewImport:
        """The row that begins."""
        return NewImport(
            self.binding.enterprise.id,
            self.digest,
            self.map_digest,
            self.file.name,
            self.file.stat().st_size,
            json.loads(_canonical(self.map)),
            str(report.absolute()),
            by,
            self.table.begin,
            self.table.line,
        )


def _canonical(plan: ImportMap) -> str:
    return json.dumps(plan.model_dump(mode="json", exclude_defaults=True), sort_keys=True)


def user() -> str:
    """Who is at the keyboard."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "?"


Told = Callable[[ImportFile], None]
"""How far it is, after each piece."""


class Importer:
    """Imports one file. Waits for a database that is away, for `patience_s` at most; then it raises
    `DatabaseAway`, and may be taken up where it was."""

    def __init__(self, line: Link, clock: Clock, patience_s: float, waiting: Told) -> None:
        self._line = line
        self._clock = clock
        self._patience_s = patience_s
        self._waiting = waiting

    async def begin(self, new: NewImport, *, again: bool) -> ImportFile:
        """The row of the file, as far as it is."""
        work = partial(imports.begin, new=new, again=again, at=self._clock.now())
        return await self._line.run(work)

    async def run(self, table: Table, binding: Binding, file: ImportFile, told: Told) -> ImportFile:
        """Store what is left of the file and finish it. binding: as of `file.started_at`, so that
        the same is too recent however often it is taken up."""
        store = ImportStore(file.id)
        report = Report(Path(file.report or "problems.csv"))
        decoded = _decoded(table, binding, file)
        with closing(decoded):
            ahead = asyncio.ensure_future(asyncio.to_thread(next, decoded, None))
            try:
                while (found := await ahead) is not None:
                    ahead = asyncio.ensure_future(asyncio.to_thread(next, decoded, None))
                    piece = _to_store(*found, file.position, report)
                    work = partial(store.write, piece=piece, at=self._clock.now())
                    file = await self._patiently(file, work)
                    told(file)
            finally:
                await asyncio.wait([ahead])
        return await self._patiently(
            file, lambda conn: imports.finish(conn, file.id, self._clock.now())
        )

    async def _patiently(self, file: ImportFile, work: Callable[[Connection], Awaitable[T]]) -> T:
        began, tried = self._clock.elapsed(), 0
        while True:
            try:
                return await self._line.run(work)
            except DatabaseAway:
                if self._clock.elapsed() - began > self._patience_s:
                    raise
                self._waiting(file)
                await self._clock.sleep(WAITS_S[min(tried, len(WAITS_S) - 1)])
                tried += 1


Read = tuple[Piece, float, Decoded]
"""Rows, the share of the file read by then, and what they say."""


def _decoded(table: Table, binding: Binding, file: ImportFile) -> Generator[Read]:
    pieces = table.pieces(binding.places, binding.repeated, file.position, file.line, file.next_row)
    for piece, share in pieces:
        yield piece, share, binding.reader.decode(piece)


def _to_store(
    piece: Piece, share: float, said: Decoded, begin: int, report: Report
) -> PieceToStore:
    def write(outcomes: Outcomes, file: ImportFile) -> int:
        found = [*said.problems.told, *_conflicts(said, outcomes)]
        before = Counter(file.problems) + Counter({"conflict": file.conflict})
        return report.write(file.reported, before, found)

    def frame(which: NDArray[np.intp], received: int) -> Frame:
        return said.frame(which, received)

    return PieceToStore(
        said.tag,
        said.time,
        frame,
        begin,
        piece.position,
        piece.next_line,
        share,
        said.rows,
        said.problems.rows,
        said.cells,
        said.empty,
        said.problems.cells,
        said.problems.counts,
        write,
    )


def _conflicts(said: Decoded, outcomes: Outcomes) -> Iterator[Problem]:
    """Values that another one stands against."""
    for place in np.flatnonzero(outcomes == Outcome.CONFLICT)[:CONFLICTS_TOLD].tolist():
        value = repr(float(said.value[place]))
        detail = "another value stands under this tag and time; the first stands"
        yield Problem(int(said.line[place]), "", value, "conflict", detail)


@dataclass(slots=True)
class Dry:
    """What an import would bring. first: the first samples, as (tag id, µs, value, quality)."""

    rows: int = 0
    bad_rows: int = 0
    cells: int = 0
    empty: int = 0
    refused: int = 0
    values: int = 0
    begin: int | None = None
    end: int | None = None
    problems: Problems = field(default_factory=Problems)
    first: list[tuple[int, int, float, int]] = field(default_factory=list)
    tags: set[int] = field(default_factory=set)

    def summary(self) -> dict[str, object]:
        """For programs."""
        span = (self.begin, self.end)
        return {
            "rows": self.rows,
            "bad_rows": self.bad_rows,
            "cells": self.cells,
            "empty": self.empty,
            "refused": self.refused,
            "values": self.values,
            "tags": len(self.tags),
            "time": [None if one is None else rfc3339(moment(one)) for one in span],
            "problems": self.problems.counts,
        }


def tried(table: Table, binding: Binding, told: Callable[[float], None]) -> Dry:
    """Read the whole table without storing anything."""
    dry = Dry()
    pieces = table.pieces(binding.places, binding.repeated, table.begin, table.line, 0)
    for piece, share in pieces:
        said = binding.reader.decode(piece)
        _count(dry, said)
        told(share)
    return dry


def _count(dry: Dry, said: Decoded) -> None:
    dry.rows += said.rows
    dry.bad_rows += said.problems.rows
    dry.cells += said.cells
    dry.empty += said.empty
    dry.refused += said.problems.cells
    dry.values += len(said)
    dry.problems.add(said.problems)
    if not len(said):
        return
    first, last = int(said.time.min()), int(said.time.max())
    dry.begin = first if dry.begin is None else min(dry.begin, first)
    dry.end = last if dry.end is None else max(dry.end, last)
    dry.tags |= set(np.unique(said.tag).tolist())
    if not dry.first:
        order = np.lexsort((said.tag, said.time))[:5]
        columns = (said.tag, said.time, said.value, said.quality)
        dry.first = [tuple(c[n].item() for c in columns) for n in order]
