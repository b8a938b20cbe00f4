"""Parquet as pieces."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.explain import suggestion
from hazwatch.imports.errors import ImportFault
from hazwatch.imports.tables import Piece

VALUES_AT_ONCE = 300_000
BUFFER = 64 << 10
"""Read ahead of a column."""


class Columnar:
    """One Parquet file. A line is a row here, from 1."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.begin, self.line = 0, 1
        parquet = self._open()
        try:
            self.schema = parquet.schema_arrow
            self._rows = parquet.metadata.num_rows
        finally:
            parquet.close()

    @property
    def columns(self) -> list[str]:
        """What a map may call the columns."""
        return list(self.schema.names)

    def places(self, columns: Iterable[str]) -> dict[str, int]:
        """Where columns stand, from 0; `ImportFault` where one is missing."""
        names = self.schema.names
        for column in columns:
            if names.count(column) != 1:
                raise ImportFault(
                    f"{self._file}: no column {column!r}{suggestion(column, names)}; "
                    f"the table has: {', '.join(names)}"
                )
        return {column: names.index(column) for column in columns}

    def sample(self, rows: int) -> list[list[str]]:
        """Cells of the first rows as text."""
        parquet = self._open()
        try:
            batch = next(parquet.iter_batches(batch_size=rows), None)
        finally:
            parquet.close()
        if batch is None:
            return []
        columns = [["" if cell is None else str(cell) for cell in c.to_pylist()] for c in batch]
        return [list(row) for row in zip(*columns, strict=True)]

    def pieces(
        self,
        places: dict[str, int],
        repeated: frozenset[str],
        position: int,
        line: int,
        row: int,
        size: int = VALUES_AT_ONCE,
    ) -> Iterator[tuple[Piece, float]]:
        """(rows, share of the file read) from a row on; `line` and `repeated` do not matter."""
        names = {key: self.schema.names[place] for key, place in places.items()}
        at_once = max(1, size // max(1, len(names)))
        parquet = self._open()
        try:
            for group, first, n in self._groups(parquet):
                if first + n > position:
                    columns = sorted(set(names.values()))
                    batches = self._batches(parquet, group, columns, at_once)
                    for start, batch in _after(batches, first, position):
                        piece = _piece(batch, names, start)
                        yield piece, min(1.0, piece.position / max(1, self._rows))
        finally:
            parquet.close()

    def _batches(
        self, parquet: pq.ParquetFile, group: int, columns: list[str], size: int
    ) -> Iterator[pa.RecordBatch]:
        try:
            yield from parquet.iter_batches(size, [group], columns, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise ImportFault(f"{self._file}: can't be read: {error}") from error

    def _groups(self, parquet: pq.ParquetFile) -> Iterator[tuple[int, int, int]]:
        first = 0
        for group in range(parquet.num_row_groups):
            n = parquet.metadata.row_group(group).num_rows
            yield group, first, n
            first += n

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._file, buffer_size=BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise ImportFault(f"{self._file} is no Parquet file, or not whole: {error}") from error


def _after(
    batches: Iterable[pa.RecordBatch], first: int, position: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(row number, batch) of what lies after a position."""
    for batch in batches:
        skip = min(max(0, position - first), len(batch))
        if skip < len(batch):
            yield first + skip, batch.slice(skip)
        first += len(batch)


def _piece(batch: pa.RecordBatch, names: dict[str, str], first: int) -> Piece:
    row = np.arange(first, first + len(batch), dtype=np.int64)
    columns = {key: batch.column(name) for key, name in names.items()}
    end = first + len(batch)
    return Piece(columns, row, row + 1, len(batch), end + 1, end)
