"""Texts of cells as numbers: a column at a time, none spoiling the others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.frame import Floats
from simulators.recording import EMPTY, reading

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"

Words = Mapping[str, float]
"""What texts that are no numbers mean, in small letters."""
NO_WORDS: Words = {}


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A column of n cells: value float64[n], NaN where there is none; spoilt bool[n]: no reading.

    What is neither a value nor spoilt was empty.
    """

    value: Floats
    spoilt: NDArray[np.bool_]

    @property
    def given(self) -> NDArray[np.bool_]:
        """bool[n]: which cells hold a value."""
        return ~np.isnan(self.value)


def numbers(column: pa.Array, words: Words = NO_WORDS, empty: frozenset[str] = EMPTY) -> Cells:
    """What a column says, of texts, numbers or truth values.

    Empty is what recorders write where there was nothing, NaN and null included; infinity is no
    reading. words: further texts that mean a number. empty: in small letters.
    """
    if pa.types.is_dictionary(column.type):
        once = numbers(column.dictionary, words, empty)
        place = _places(column)
        return Cells(
            np.where(place < 0, np.nan, np.append(once.value, np.nan)[place]),
            np.where(place < 0, False, np.append(once.spoilt, False)[place]),
        )
    if not is_text(column.type):
        return _typed(column)
    trimmed = pc.ascii_trim_whitespace(_text(column))
    plain = pc.match_substring_regex(trimmed, NUMBER)
    digits = pc.ascii_ltrim(pc.if_else(plain, trimmed, None), "+")
    value = _floats(pc.cast(digits, pa.float64()))
    spoilt = np.isinf(value)
    other = pc.if_else(plain, None, trimmed).dictionary_encode()
    if len(other.dictionary):
        _read_others(other, words, empty, value, spoilt)
    value[spoilt] = np.nan
    return Cells(value, spoilt)


def texts(column: pa.Array, places: NDArray[np.intp]) -> list[str]:
    """What stands in some cells, as people see it."""
    found = []
    for place in places.tolist():
        cell = column[place]
        if cell.is_valid and (pa.types.is_binary(cell.type) or pa.types.is_string(cell.type)):
            found.append(cell.as_buffer().to_pybytes().decode("utf-8", "replace")[:80])
        else:
            found.append("" if not cell.is_valid else str(cell.as_py())[:80])
    return found


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _read_others(
    other: pa.DictionaryArray,
    words: Words,
    empty: frozenset[str],
    value: Floats,
    spoilt: NDArray[np.bool_],
) -> None:
    """Read what is no plain number, each different text once."""
    once = np.full(len(other.dictionary) + 1, np.nan)
    bad = np.zeros(len(other.dictionary) + 1, np.bool_)
    for n, text in enumerate(texts(other.dictionary, np.arange(len(other.dictionary)))):
        said = text.strip().strip('"').strip()
        small = said.lower()
        if small not in empty:
            found = words.get(small, reading(said))
            once[n], bad[n] = (np.nan, True) if found is None else (float(found), False)
    place = _places(other)
    which = place >= 0
    value[which], spoilt[which] = once[place[which]], bad[place[which]]


def _typed(column: pa.Array) -> Cells:
    """Numbers and truth values as they are; other types are no readings at all."""
    kind = column.type
    if pa.types.is_null(kind):
        return Cells(np.full(len(column), np.nan), np.zeros(len(column), np.bool_))
    try:
        if pa.types.is_boolean(kind):
            column = pc.cast(column, pa.int8())
        value = _floats(pc.cast(column, pa.float64(), safe=False))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return Cells(np.full(len(column), np.nan), column.is_valid().to_numpy(zero_copy_only=False))
    spoilt = np.isinf(value)
    value[spoilt] = np.nan
    return Cells(value, spoilt)


def _text(column: pa.Array) -> pa.Array:
    """As plain strings; null is an empty one."""
    if pa.types.is_large_string(column.type):
        column = pc.cast(column, pa.string())
    return pc.fill_null(column, "") if column.null_count else column


def _floats(column: pa.Array) -> Floats:
    """float64[n] that may be written to; null is NaN."""
    return np.array(column.to_numpy(zero_copy_only=False), np.float64)


def _places(column: pa.DictionaryArray) -> NDArray[np.int64]:
    """int64[n]: places in the dictionary, -1 where there is nothing."""
    return np.array(pc.fill_null(pc.cast(column.indices, pa.int64()), -1), np.int64)
