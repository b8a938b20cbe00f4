"""Rows of a table as samples of registered tags, each cell judged by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.frame import CODE_SHIFT, Flag, Floats, Frame, Ints
from domain.plant import Tag
from domain.quality import WORDS, Quality
from domain.units import states
from domain.wire_units import Conversion
from hazwatch.imports.cells import Cells, numbers, texts
from hazwatch.imports.errors import Problem, Problems
from hazwatch.imports.tables import Piece
from hazwatch.imports.times import REASONS, SOUND, TimeReader, Times
from ingest.conversion import Exchange
from ingest.refusals import TOO_LARGE
from ingest.rejection import Rejection
from ingest.spans import Int16s, Spans
from simulators.recording import EMPTY

FLAGS = int(Flag.HISTORY | Flag.HISTORICAL)
"""Of every sample that is imported."""
TIME = "\0time"
"""Key of the column of times in a piece; no column is called so."""
NOT_A_NUMBER = "allowed are numbers, true and false"
UNKNOWN_TAG = "no tag of this name is registered in the enterprise"
BAD_QUALITY = f"allowed are {', '.join(WORDS)} and 0 to 255"


@dataclass(frozen=True, slots=True)
class Bound:
    """A column, or a name of a long table, and the tag that it is. unit: of its values, None = as
    registered."""

    key: str
    tag: Tag
    unit: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Samples of a piece, n of them, columns as in `Frame`. line: int64[n], where each came from.
    empty: cells that said nothing. cells: of readable rows; cells = n + empty + problems.cells."""

    tag: NDArray[np.int32]
    time: Ints
    value: Floats
    quality: Int16s
    flags: Int16s
    line: Ints
    rows: int
    cells: int
    empty: int
    problems: Problems

    def __len__(self) -> int:
        return len(self.tag)

    def frame(self, which: NDArray[np.intp], received: int) -> Frame:
        """Some of the samples as a frame for history, under one stamp."""
        time = self.time[which]
        return Frame(
            self.tag[which],
            time,
            time,
            self.value[which],
            self.quality[which],
            self.flags[which],
            received,
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """What every value is held against."""

    times: TimeReader
    spans: Spans
    exchange: Exchange
    empty: frozenset[str] = EMPTY


@dataclass(slots=True)
class _Gathered:
    """What has been read of a piece so far; frames are of no stamp yet."""

    piece: Piece
    problems: Problems
    tags: list[NDArray[np.int32]] = field(default_factory=list)
    times: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    qualities: list[Int16s] = field(default_factory=list)
    flags: list[Int16s] = field(default_factory=list)
    lines: list[Ints] = field(default_factory=list)
    cells: int = 0
    empty: int = 0

    def refuse(self, key: str, reason: str, rows: NDArray[np.intp], detail: str) -> None:
        """Leave out the cells of these rows in a column."""
        if len(rows):
            told = rows[: Problems.KEPT]
            said = texts(self.piece.columns[key], told)
            every = [
                Problem(int(self.piece.line[row]), key, text, reason, detail)
                for row, text in zip(told.tolist(), said, strict=True)
            ]
            self.problems.cell_count(reason, len(rows), every)

    def put(
        self, judge: Judge, one: Bound, unit: str, key: str, came: "Came", how: Conversion | None
    ) -> None:
        """Values of one tag in one unit, on their way in."""
        tag = np.full(len(came.row), one.tag.id, np.int32)
        value, quality = came.value, came.quality
        flags = np.zeros(len(tag), np.int16)
        if how is not None:
            flags[:] = how.code << CODE_SHIFT
            value, quality, flags = judge.spans.came(
                tag, came.value, how.stored(came.value), quality, flags
            )
        beyond = np.isinf(value)
        self.refuse(key, "not_a_number", came.row[beyond], f"{TOO_LARGE}, from {unit}")
        kept = ~beyond
        for column, more in (
            (self.tags, tag),
            (self.times, came.time),
            (self.values, value),
            (self.qualities, quality),
            (self.flags, flags),
            (self.lines, self.piece.line[came.row]),
        ):
            column.append(more if kept.all() else more[kept])  # type: ignore[arg-type]

    def decoded(self, judge: Judge) -> Decoded:
        """All of it."""
        tag = np.concatenate([np.empty(0, np.int32), *self.tags])
        value, quality, flags = judge.spans.settled(
            tag,
            np.concatenate([np.empty(0), *self.values]),
            np.concatenate([np.empty(0, np.int16), *self.qualities]),
            np.concatenate([np.empty(0, np.int16), *self.flags]),
        )
        return Decoded(
            tag,
            np.concatenate([np.empty(0, np.int64), *self.times]),
            value,
            quality,
            flags | np.int16(FLAGS),
            np.concatenate([np.empty(0, np.int64), *self.lines]),
            self.piece.rows,
            self.cells,
            self.empty,
            self.problems,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Came:
    """Values as they came, [n]: their rows in the piece, times, numbers and qualities."""

    row: NDArray[np.intp]
    time: Ints
    value: Floats
    quality: Int16s


@dataclass(frozen=True, slots=True)
class Wide:
    """Reads tables of one column for each tag."""

    judge: Judge
    bound: tuple[Bound, ...]

    def decode(self, piece: Piece) -> Decoded:
        """The samples of a piece, column after column."""
        found = _Gathered(piece, piece.problems)
        times = self.judge.times.read(piece.columns.get(TIME), piece.row)
        _time_problems(found, self.judge.times, times)
        sound = np.flatnonzero(times.sound)
        time = times.time[sound]
        for one in self.bound:
            cells = numbers(piece.columns[one.key], words_of(one.tag), self.judge.empty)
            value, spoilt = cells.value[sound], cells.spoilt[sound]
            given = ~np.isnan(value)
            found.cells += len(sound)
            found.empty += len(sound) - int(given.sum()) - int(spoilt.sum())
            found.refuse(one.key, "not_a_number", sound[spoilt], NOT_A_NUMBER)
            quality = np.full(int(given.sum()), Quality.GOOD, np.int16)
            came = Came(sound[given], time[given], value[given], quality)
            how = self.judge.exchange.way(one.tag.id, one.unit or "")
            if isinstance(how, Rejection):
                found.refuse(one.key, how.reason, came.row, how.detail)
            else:
                found.put(self.judge, one, one.unit or "", one.key, came, how)
        return found.decoded(self.judge)


@dataclass(frozen=True, slots=True)
class Long:
    """Reads tables of one value in each row. tag, value, quality, unit: keys of the columns.
    bound: by name in the file."""

    judge: Judge
    bound: Mapping[str, Bound]
    tag: str
    value: str
    quality: str | None = None
    unit: str | None = None

    def decode(self, piece: Piece) -> Decoded:
        """The samples of a piece, tag after tag."""
        found = _Gathered(piece, piece.problems)
        times = self.judge.times.read(piece.columns.get(TIME), piece.row)
        _time_problems(found, self.judge.times, times)
        names, place = distinct(piece.columns[self.tag])
        binding = [self.bound.get(name) for name in names]
        known = np.array([one is not None for one in binding] + [False], np.bool_)[place]
        cells = self._numbers(piece, binding, place)
        quality, odd = self._quality(piece)
        left = times.sound.copy()
        found.cells = int(left.sum())
        for bad, reason, key, detail in (
            (~known, "unknown_tag", self.tag, UNKNOWN_TAG),
            (odd, "bad_quality", self.quality or self.tag, BAD_QUALITY),
            (cells.spoilt, "not_a_number", self.value, NOT_A_NUMBER),
        ):
            found.refuse(key, reason, np.flatnonzero(left & bad), detail)
            left &= ~bad
        # A value that is absent and called bad is a fact; one that is just absent is not.
        nothing = left & ~cells.given & (quality >= Quality.GOOD)
        found.empty = int(nothing.sum())
        quality[~cells.given & (quality >= Quality.UNCERTAIN)] = Quality.BAD
        row = np.flatnonzero(left & ~nothing)
        self._put(found, binding, place, row, times.time, cells.value, quality)
        return found.decoded(self.judge)

    def _put(
        self,
        found: _Gathered,
        binding: list[Bound | None],
        place: NDArray[np.intp],
        row: NDArray[np.intp],
        time: Ints,
        value: Floats,
        quality: Int16s,
    ) -> None:
        """Rows by tag and unit."""
        piece = found.piece
        none = np.full(len(place), -1)
        units, unit = distinct(piece.columns[self.unit]) if self.unit else ([], none)
        pair = place[row] * (len(units) + 1) + unit[row] + 1
        order = np.argsort(pair, kind="stable")
        row, pair = row[order], pair[order]
        for rows in np.split(row, np.flatnonzero(np.diff(pair)) + 1) if len(row) else []:
            one = binding[place[rows[0]]]
            assert one is not None  # what is not known was refused
            said = units[unit[rows[0]]] if unit[rows[0]] >= 0 else ""
            said = said or one.unit or ""
            how = self.judge.exchange.way(one.tag.id, said)
            if isinstance(how, Rejection):
                found.refuse(self.value, how.reason, rows, how.detail)
            else:
                came = Came(rows, time[rows], value[rows], quality[rows])
                found.put(self.judge, one, said, self.value, came, how)

    def _numbers(self, piece: Piece, binding: list[Bound | None], place: NDArray[np.intp]) -> Cells:
        """The values; words of states are read by the kind of each tag."""
        column = piece.columns[self.value]
        cells = numbers(column, empty=self.judge.empty)
        for n, one in enumerate(binding if cells.spoilt.any() else []):
            words = {} if one is None else words_of(one.tag)
            again = np.flatnonzero(cells.spoilt & (place == n)) if words else ()
            if len(again):
                said = numbers(column.take(pa.array(again)), words, self.judge.empty)
                cells.value[again], cells.spoilt[again] = said.value, said.spoilt
        return cells

    def _quality(self, piece: Piece) -> tuple[Int16s, NDArray[np.bool_]]:
        """(quality byte, whether it is none) of each row; nothing said is good."""
        if self.quality is None:
            n = len(piece.row)
            return np.full(n, Quality.GOOD, np.int16), np.zeros(n, np.bool_)
        words = {word: float(byte) for word, byte in WORDS.items()}
        said = numbers(piece.columns[self.quality], words)
        byte = np.where(np.isnan(said.value), float(Quality.GOOD), said.value)
        whole = (byte == np.rint(byte)) & (byte >= 0) & (byte <= 255)
        return np.where(whole, byte, 0).astype(np.int16), said.spoilt | ~whole


def words_of(tag: Tag) -> dict[str, float]:
    """Words for readings of a tag that is a state, in small letters."""
    return {word.lower(): value for word, value in states(tag.kind).items()}


def distinct(column: pa.Array) -> tuple[list[str], NDArray[np.intp]]:
    """(the different texts of a column, the place of each cell's among them; -1: nothing)."""
    once = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    place = np.array(once.indices.fill_null(-1), np.intp)
    return [text.strip() for text in texts(once.dictionary, np.arange(len(once.dictionary)))], place


def _time_problems(found: _Gathered, reader: TimeReader, times: Times) -> None:
    """Rows whose time says nothing, told by reason."""
    piece = found.piece
    for code in np.unique(times.code[times.code != SOUND]).tolist():
        rows = np.flatnonzero(times.code == code)
        found.problems.rows += len(rows)
        column = piece.columns.get(TIME)
        told = rows[: Problems.KEPT]
        said = [""] * len(told) if column is None else texts(column, told)
        every = [
            Problem(
                int(piece.line[row]),
                reader.said.column or "",
                text,
                REASONS[code],
                reader.detail(code, int(times.time[row])),
            )
            for row, text in zip(told.tolist(), said, strict=True)
        ]
        found.problems.note(REASONS[code], len(rows), every)
