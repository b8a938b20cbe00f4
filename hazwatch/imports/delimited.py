"""CSV and its kin as pieces."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hazwatch.imports.blocks import BLOCK_BYTES, blocks
from hazwatch.imports.errors import ImportFault
from hazwatch.imports.stream import Stream
from hazwatch.imports.tables import Piece, Shape, piece_of, split
from simulators.recording import RecordingError, by_name, by_number

HEAD_BYTES = 256 << 10
"""Looked at to know what a file is."""
TURNED_BYTES = 64 << 20
"""A transposed table is held whole, up to this."""


@dataclass(frozen=True, slots=True)
class Format:
    """How the text is laid out; members as in `domain.import_map.ImportMap`."""

    separator: str = ","
    header: bool = True
    encoding: str = "utf-8"
    transposed: bool = False


class Delimited:
    """One file of lines. header: names of the columns, None where there are none. width: cells in
    a row. begin, line: position and number of the first line of data."""

    def __init__(self, file: Path, format: Format) -> None:
        self._file = file
        self._format = format
        head = self._head_of(HEAD_BYTES)
        while b"\n" not in head and (more := self._head_of(2 * len(head))) != head:
            head = more
        if b"\n" not in head and b"\r" in head:
            raise ImportFault(f"{file}: lines end as on old Macs; write them with line feeds")
        self.header, self.width, self.begin, self.line = _beginning(head, format)
        self.head = head

    @property
    def columns(self) -> list[str]:
        """What a map may call the columns."""
        if self.header is None:
            return [str(n) for n in range(1, self.width + 1)]
        shift = self.width - len(self.header)
        return [*([""] * shift), *self.header]

    def places(self, columns: Iterable[str]) -> dict[str, int]:
        """Where columns stand, from 0; `ImportFault` where one is missing."""
        find = by_number(self.width) if self.header is None else by_name(self.header, self.width)
        try:
            return {column: find(column) for column in columns}
        except RecordingError as error:
            raise ImportFault(f"{self._file}: {error}") from error

    def sample(self, rows: int) -> list[list[str]]:
        """Cells of the first rows that have as many as they should."""
        lines = self.head[self.begin :].decode("utf-8", "replace").split("\n")
        found: list[list[str]] = []
        for line in lines[: 10 * rows]:
            cells = _cells(line.removesuffix("\r"), self._format.separator)
            if len(cells) == self.width and len(found) < rows:
                found.append(cells)
        return found

    def pieces(
        self,
        places: dict[str, int],
        repeated: frozenset[str],
        position: int,
        line: int,
        row: int,
        size: int = BLOCK_BYTES,
    ) -> Iterator[tuple[Piece, float]]:
        """(rows, share of the file read) from a position on, which is that of line and row."""
        separator = "," if self._format.transposed else self._format.separator
        shape = Shape(separator, self.width, places, repeated)
        stream = self._stream()
        whole = stream.size
        try:
            stream.skip_to(position)
            for block in blocks(stream, line, size):
                piece = piece_of(block, shape, row)
                row += piece.rows
                yield piece, min(1.0, stream.packed / whole)
        finally:
            stream.close()

    def _head_of(self, size: int) -> bytes:
        stream = self._stream()
        try:
            return stream.exactly(size)
        finally:
            stream.close()

    def _stream(self) -> Stream:
        raw: BinaryIO = self._file.open("rb")
        if not self._format.transposed:
            return Stream(raw, str(self._file), self._format.encoding)
        with raw:
            whole = Stream(raw, str(self._file), self._format.encoding).exactly(TURNED_BYTES + 1)
        if len(whole) > TURNED_BYTES:
            raise ImportFault(f"{self._file}: a transposed table of more than 64 MiB is not read")
        upright = turned(whole, self._format.separator)
        return Stream(io.BytesIO(upright), str(self._file))


def turned(data: bytes, separator: str) -> bytes:
    """A transposed table upright, as comma-separated lines."""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line]
    try:
        table = [split(line, separator) for line in lines]
    except csv.Error as error:
        raise ImportFault(f"the transposed table can't be read: {error}") from error
    lengths = {len(row) for row in table}
    if len(lengths) > 1:
        raise ImportFault(
            f"a transposed table needs lines of one length; they have {min(lengths)} to "
            f"{max(lengths)} cells"
        )
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(zip(*table, strict=True))
    return out.getvalue().encode()


def _beginning(head: bytes, format: Format) -> tuple[list[str] | None, int, int, int]:
    """(header, width, position of the data, number of its first line)."""
    separator = "," if format.transposed else format.separator
    lines = head.split(b"\n")
    position, number, header = 0, 1, None
    for n, raw in enumerate(lines):
        cells = _cells(raw.decode("utf-8", "replace").removesuffix("\r"), separator)
        if cells and (header is not None or not format.header):
            return header, _width(header, cells), position, number
        position += len(raw) + (n < len(lines) - 1)
        number = n + 2
        if cells:
            header = [cell.strip() for cell in cells]
    if header is None and format.header:
        raise ImportFault("the file is empty")
    return header, len(header or ()), position, number


def _width(header: Sequence[str] | None, first: Sequence[str]) -> int:
    """Cells in a row: as the header has, or one more where R wrote names of rows."""
    if header is None or len(first) == len(header) + 1:
        return len(first)
    return len(header)


def _cells(line: str, separator: str) -> list[str]:
    try:
        return split(line, separator) if line else []
    except csv.Error:
        return []
