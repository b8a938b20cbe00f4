"""Recorded tables, read row by row as a replay map says. Pure: lines in, rows out."""

import csv
import difflib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from zoneinfo import ZoneInfo

from domain.instant import EPOCH
from domain.replay_map import ReplayMap, RowTime

EMPTY = frozenset({"", "nan", "na", "n/a", "null", "none", "-"})
"""What recorders write where there was nothing, in small letters. It sends nothing."""
_SWITCH = {"true": True, "false": False}

When = Callable[[str, int], datetime]
"""(text of the time cell, row number from 0) → aware UTC; `ValueError` says what is wrong."""


class RecordingError(ValueError):
    """The table does not fit its map as a whole."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: time in UTC, readings by tag name, empty cells, and cells that are no readings."""

    number: int
    at: datetime
    values: dict[str, float | bool]
    empty: int
    spoilt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that says nothing, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand in a row: position by tag name, position of the time, cells in a row."""

    tags: dict[str, int]
    time: int | None
    width: int


def rows(lines: Iterable[str], plan: ReplayMap) -> Iterator[Row | Unreadable]:
    """The rows of a table, numbered from 1, without the header.

    Streams, but for a transposed table, which is held whole. A header one cell shorter than the
    rows is taken as R writes it: the first cell of each row is its name. Raises `RecordingError`
    where columns are missing.
    """
    table = _cells(lines, plan.separator)
    if plan.transposed:
        table = _transposed(table)
    header = next(table, None) if plan.header else None
    first = next(table, None)
    if first is None:
        return
    layout = _layout(plan, header, len(first))
    when = _when(plan.time)
    for n, cells in enumerate(chain([first], table)):
        yield _row(cells, n, layout, when)


def columns(lines: Iterable[str], plan: ReplayMap) -> set[str]:
    """What a map may call the columns of this table: their names, or their numbers from 1."""
    table = _cells(lines, plan.separator)
    if plan.transposed:
        table = _transposed(table)
    first = next(table, [])
    if not plan.header:
        return {str(n) for n in range(1, len(first) + 1)}
    return {name.strip().lstrip("\ufeff") for name in first}


def _cells(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    if separator == "whitespace":
        # one blank between cells, so that quotes are left to the csv module here too
        lines = (" ".join(line.split()) for line in lines)
    delimiter = {"whitespace": " ", "tab": "\t"}.get(separator, separator)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        yield from (cells for cells in reader if cells)
    except csv.Error as error:
        raise RecordingError(f"line {reader.line_num}: {error}") from error


def _transposed(table: Iterable[list[str]]) -> Iterator[list[str]]:
    whole = list(table)
    lengths = {len(cells) for cells in whole}
    if len(lengths) > 1:
        raise RecordingError(
            f"a transposed table needs lines of one length; they have {min(lengths)} to "
            f"{max(lengths)} cells"
        )
    return (list(cells) for cells in zip(*whole, strict=True))


def _layout(plan: ReplayMap, header: list[str] | None, width: int) -> _Layout:
    place = by_name(header, width) if header is not None else by_number(width)
    time = None if plan.time.column is None else place(plan.time.column)
    return _Layout({tag.name: place(key) for key, tag in plan.tags.items()}, time, width)


def by_name(header: list[str], width: int) -> Callable[[str], int]:
    """Finds the place from 0 of a column by its name, in rows of `width` cells."""
    names = [name.strip().lstrip("\ufeff") for name in header]
    shift = 1 if width == len(names) + 1 else 0

    def place(name: str) -> int:
        if names.count(name) == 1:
            return names.index(name) + shift
        if name in names:
            raise RecordingError(f"the table has {names.count(name)} columns {name!r}; rename one")
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise RecordingError(f"no column {name!r}{hint}; the table has: {', '.join(names)}")

    return place


def by_number(width: int) -> Callable[[str], int]:
    """Finds the place from 0 of a column by its number, in rows of `width` cells."""

    def place(number: str) -> int:
        if int(number) > width:
            raise RecordingError(f"no column {number}; the table has {width}")
        return int(number) - 1

    return place


def _row(cells: list[str], n: int, layout: _Layout, when: When) -> Row | Unreadable:
    if len(cells) != layout.width:
        return Unreadable(n + 1, f"has {len(cells)} cells, the first row has {layout.width}")
    try:
        at = when("" if layout.time is None else cells[layout.time].strip(), n)
    except ValueError as error:
        return Unreadable(n + 1, str(error))
    values: dict[str, float | bool] = {}
    spoilt = []
    empty = 0
    for name, place in layout.tags.items():
        text = cells[place].strip()
        if text.lower() in EMPTY:
            empty += 1
        elif (value := reading(text)) is not None:
            values[name] = value
        else:
            spoilt.append(f"{name}: {text!r} is no reading")
    return Row(n + 1, at, values, empty, tuple(spoilt))


def reading(text: str) -> float | bool | None:
    """What a cell says; None where it is no reading."""
    switch = _SWITCH.get(text.lower())
    if switch is not None:
        return switch
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _when(time: RowTime) -> When:
    zone = ZoneInfo(time.timezone) if time.timezone else None
    if time.start is not None and time.step_s is not None:
        start, step = _utc(time.start, zone), timedelta(seconds=time.step_s)
        return lambda _, n: start + n * step
    match time.format:
        case "iso":
            return lambda text, _: _utc(_said(datetime.fromisoformat, text), zone)
        case "epoch_s":
            return lambda text, _: _since_epoch(text, 1_000_000)
        case "epoch_ms":
            return lambda text, _: _since_epoch(text, 1_000)
        case pattern:
            assert pattern is not None  # the map's rules: a column has a format
            return lambda text, _: _utc(_said(partial(_by_pattern, pattern), text), zone)


def _by_pattern(pattern: str, text: str) -> datetime:
    return datetime.strptime(text, pattern)  # noqa: DTZ007 -- `_utc` gives it the map's zone


def _said(parse: Callable[[str], datetime], text: str) -> datetime:
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"time {text!r} is not in the format of the map") from error


def _utc(moment: datetime, zone: ZoneInfo | None) -> datetime:
    """In UTC. Of an hour that a zone has twice, the first one."""
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"time {moment} has no offset; give time.timezone in the map")
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _since_epoch(text: str, unit_us: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=round(float(text) * unit_us))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"time {text!r} is no number of seconds or milliseconds") from error
