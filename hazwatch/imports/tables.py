"""Lines of a table as columns of texts: fast where every line is sound, else line by line."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from domain.frame import Ints
from hazwatch.imports.blocks import Block
from hazwatch.imports.errors import Problems

PATIENT_BYTES = 64 << 10
"""A block that does not parse is halved down to this, and then read line by line."""
BLANKS = re.compile(rb"[ \t]+")
AT_EDGES = re.compile(rb"(?m)^ | (?=\r?$)")


@dataclass(frozen=True, slots=True)
class Shape:
    """Where things stand. width: cells in a row. places: of the columns wanted, from 0, by key.
    repeated: keys of columns with few different texts."""

    separator: str
    width: int
    places: Mapping[str, int]
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some rows of a table, in order. columns: by key, n cells each. row: int64[n] numbers of the
    rows from 0. line: int64[n] where they stand in the file, from 1. rows: how many there were,
    readable or not. next_line: of the row after them. position: where the next piece begins."""

    columns: Mapping[str, pa.Array]
    row: Ints
    line: Ints
    rows: int
    next_line: int
    position: int
    problems: Problems = field(default_factory=Problems)


def piece_of(block: Block, shape: Shape, row: int) -> Piece:
    """The rows of a block, of which the first has the number `row`."""
    parts = list(_parts(block, shape))
    line = np.concatenate([part.line for part in parts])
    every = block.lines()
    problems = Problems()
    for part in parts:
        problems.add(part.problems)
    return Piece(
        {key: _joined([part.columns[key] for part in parts]) for key in shape.places},
        row + np.searchsorted(every, line),
        line,
        len(every),
        block.next_line(),
        block.end,
        problems,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    columns: Mapping[str, pa.Array]
    line: Ints
    problems: Problems


def _parts(block: Block, shape: Shape) -> "list[_Part]":
    part = _fast(block, shape)
    if part is not None:
        return [part]
    halves = block.halves() if len(block.data) > PATIENT_BYTES else [block]
    if len(halves) == 1:
        return [_patient(block, shape)]
    return [part for half in halves for part in _parts(half, shape)]


def _fast(block: Block, shape: Shape) -> _Part | None:
    """All lines at once; None where one of them is not as it should be."""
    lines = block.lines()
    names = [str(n) for n in range(shape.width)]
    text = {shape.places[key] for key in shape.places}
    kinds = {names[place]: pa.string() for place in text}
    for key in shape.repeated & shape.places.keys():
        kinds[names[shape.places[key]]] = pa.dictionary(pa.int32(), pa.string())
    data = _single_blanks(block.data) if shape.separator == "whitespace" else block.data
    if not len(lines):
        none = pa.array([], pa.string())
        return _Part(dict.fromkeys(shape.places, none), lines, Problems())
    try:
        table = pc_csv.read_csv(
            pa.BufferReader(data),
            pc_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            pc_csv.ParseOptions(delimiter=delimiter(shape.separator), ignore_empty_lines=True),
            pc_csv.ConvertOptions(
                check_utf8=False,
                column_types=kinds,
                include_columns=[names[place] for place in sorted(text)],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(lines):
        return None
    columns = {key: table.column(names[place]) for key, place in shape.places.items()}
    return _Part({key: _one(column) for key, column in columns.items()}, lines, Problems())


def _patient(block: Block, shape: Shape) -> _Part:
    """Line by line: one that is not as it should be is a problem of its own."""
    found = Problems()
    cells: list[list[str]] = []
    lines: list[int] = []
    texts = block.data.decode("utf-8", "replace").split("\n")
    for n, text in enumerate(texts):
        text = text.removesuffix("\r")
        if not text:
            continue
        try:
            row = split(text, shape.separator)
        except csv.Error as error:
            found.row(block.line + n, text[:80], "unreadable_row", str(error))
            continue
        if len(row) != shape.width:
            detail = f"has {len(row)} cells, the first row has {shape.width}"
            found.row(block.line + n, text[:80], "unreadable_row", detail)
            continue
        cells.append(row)
        lines.append(block.line + n)
    columns = {
        key: pa.array([row[place] for row in cells], pa.string())
        for key, place in shape.places.items()
    }
    return _Part(columns, np.array(lines, np.int64), found)


def split(line: str, separator: str) -> list[str]:
    """The cells of one line; raises `csv.Error`."""
    if separator == "whitespace":
        line = " ".join(line.split())
    reader = csv.reader([line], delimiter=delimiter(separator), skipinitialspace=True, strict=True)
    return next(reader, [])


def delimiter(separator: str) -> str:
    """The character between cells."""
    return {"whitespace": " ", "tab": "\t"}.get(separator, separator)


def _single_blanks(data: bytes) -> bytes:
    return AT_EDGES.sub(b"", BLANKS.sub(b" ", data))


def _one(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()


def _joined(parts: Sequence[pa.Array]) -> pa.Array:
    """One column of several parts, plain where they are not of one type."""
    if len(parts) == 1:
        return parts[0]
    plain = [
        part.dictionary_decode() if pa.types.is_dictionary(part.type) else part for part in parts
    ]
    return pa.concat_arrays(plain)
