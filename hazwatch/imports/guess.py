"""A map for a file that has none: columns by the names of registered tags, times by how they look.

Only a proposal: people see it before anything is written, and can keep it as a map.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from domain.import_map import ImportMap, ImportTag, ImportTime, LongTable
from domain.plant import Node, Registry, Tag
from domain.quality import WORDS
from hazwatch.imports.binding import Table, enterprise_of, enterprises, tags_of
from hazwatch.imports.cells import numbers
from hazwatch.imports.columnar import Columnar
from hazwatch.imports.delimited import HEAD_BYTES, Delimited, Format
from hazwatch.imports.errors import ImportFault
from hazwatch.imports.stream import Stream, is_parquet
from hazwatch.imports.tables import split
from hazwatch.imports.times import NAIVE, TimeReader

SEPARATORS = (",", ";", "tab", "|", "whitespace")
PATTERNS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y%m%d%H%M%S",
    "%Y年%m月%d日 %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%y %H:%M:%S",
)
TIME_NAMES = re.compile(r"(?i)^(time|times?tamp|date|date.?time|ts|_?time|时间.*|.*时间|日期)$")
TAG_NAMES = re.compile(r"(?i)^(tag|tag.?name|tag.?id|point|name|sensor|variable|位号|点名|测点.*)$")
VALUE_NAMES = re.compile(r"(?i)^(value|val|v|reading|数值|值|测量值)$")
QUALITY_NAMES = re.compile(r"(?i)^(quality|status|q|质量|质量码)$")
UNIT_NAMES = re.compile(r"(?i)^(unit|units|uom|eu|单位)$")
TAIL = re.compile(r"(?i)[._ ](pv|value|val)$")
UNIT = re.compile(r"^(.*?)\s*[(\[（]([^)\]）]{1,32})[)\]）]$")
ROWS = 50
"""Looked at."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A proposal. unmatched: columns that are neither the time nor a registered tag."""

    plan: ImportMap
    unmatched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hints:
    """What people have said: timezone of naive times, enterprise as code or park/code."""

    timezone: str | None = None
    enterprise: str | None = None


def guess(file: Path, registry: Registry, hints: Hints, at: datetime) -> Guess:
    """What the file most likely is; `ImportFault` says what is missing for that."""
    if is_parquet(file):
        table: Table = Columnar(file)
        layout = Format()
    else:
        layout = _format(file)
        table = Delimited(file, layout)
    if not layout.header:
        raise ImportFault(f"{file}: the first line names no columns; say what they are with --map")
    sample = table.sample(ROWS)
    if not sample:
        raise ImportFault(f"{file}: there are no rows below the header")
    names = table.columns
    columns = {name: [row[n] for row in sample] for n, name in enumerate(names) if name}
    time, format = _time(file, columns, table, hints, at)
    rest = [name for name in columns if name != time]
    enterprise, long = _enterprise(file, registry, hints, columns, rest)
    tags = tags_of(registry, enterprise)
    found = {} if long else _wide(rest, tags)
    if not found and long is None:
        raise ImportFault(
            f"{file}: no column is called as a tag of {enterprise.code}; columns: "
            f"{', '.join(rest[:20])}; tags: {', '.join(sorted(tags)[:20])}; say which is which "
            "with --map"
        )
    used = {time, *found} | (set(long.model_dump().values()) if long else set())
    plan = ImportMap(
        time=ImportTime(column=time, format=format, timezone=hints.timezone),
        long=long,
        separator=layout.separator,
        encoding=layout.encoding,
        park=registry.nodes[enterprise.parent or 0].code,
        enterprise=enterprise.code,
        tags=found,
    )
    return Guess(plan, tuple(name for name in names if name and name not in used))


def _format(file: Path) -> Format:
    """Encoding, separator and header of a text."""
    with file.open("rb") as raw:
        head = Stream(raw, str(file)).exactly(HEAD_BYTES)
    encoding = _encoding(head)
    with file.open("rb") as raw:
        head = Stream(raw, str(file), encoding).exactly(HEAD_BYTES)
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line][:ROWS]
    if not lines:
        raise ImportFault(f"{file}: the file is empty")
    widths = {one: [_width(line, one) for line in lines] for one in SEPARATORS}
    fitting = [one for one in SEPARATORS if widths[one][0] > 1 and _steady(widths[one])]
    plain = [one for one in fitting if one != "whitespace"] or fitting
    separator = max(plain, key=lambda one: widths[one][0], default=",")
    cells = split(lines[0], separator)
    header = not numbers(pa.array(cells[1:] or cells, pa.string())).given.any()
    return Format(separator, header, encoding)


def _encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    text = head[: head.rfind(b"\n") + 1] or head
    for encoding in ("utf-8", "gb18030"):
        try:
            text.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _width(line: str, separator: str) -> int:
    try:
        return len(split(line, separator))
    except csv.Error:
        return 0


def _steady(widths: Sequence[int]) -> bool:
    """Whether nearly all rows have as many cells as the first of the data."""
    usual = widths[min(1, len(widths) - 1)]
    return sum(width == usual for width in widths) >= 0.8 * len(widths)


def _time(
    file: Path, columns: dict[str, list[str]], table: Table, hints: Hints, at: datetime
) -> tuple[str, str]:
    """(column, format) of the times."""
    if isinstance(table, Columnar):
        stamps = [f.name for f in table.schema if pa.types.is_temporal(f.type)]
        if stamps:
            zone = getattr(table.schema.field(stamps[0]).type, "tz", None)
            _need_zone(file, stamps[0], columns[stamps[0]][0], hints, naive=zone is None)
            return stamps[0], "iso"
    for name in sorted(columns, key=lambda one: TIME_NAMES.match(one) is None):
        cells = [cell for cell in columns[name] if cell.strip()]
        fitting = [one for one in _formats(name, cells) if _fits(cells, one, hints, at)]
        if len(fitting) > 1 and "/" in cells[0]:
            raise ImportFault(
                f"{file}: {cells[0]!r} may be {' or '.join(fitting)}; say time.format with --map"
            )
        if fitting:
            naive = _naive(cells, fitting[0], at)
            _need_zone(file, name, cells[0], hints, naive=naive)
            return name, fitting[0]
    raise ImportFault(
        f"{file}: no column holds times that can be read; say time.column and time.format with "
        f"--map. Columns: {', '.join(list(columns)[:20])}"
    )


def _formats(name: str, cells: Sequence[str]) -> Sequence[str]:
    """Formats to try; numbers are times only where the column is called so."""
    plain = bool(cells) and not np.isnan(numbers(pa.array(cells, pa.string())).value).any()
    if not plain:
        return ("iso", *PATTERNS)
    if not TIME_NAMES.match(name):
        return ()
    return ("epoch_s", "epoch_ms", "%Y%m%d%H%M%S") if len(cells[0]) != 8 else ()


def _fits(cells: Sequence[str], format: str, hints: Hints, at: datetime) -> bool:
    said = ImportTime(column="t", format=format, timezone=hints.timezone or "UTC", twice="first")
    found = TimeReader(said, at).read(pa.array(cells, pa.string()), np.arange(len(cells)))
    return bool(len(cells)) and float(found.sound.mean()) >= 0.9


def _naive(cells: Sequence[str], format: str, at: datetime) -> bool:
    said = ImportTime(column="t", format=format)
    found = TimeReader(said, at).read(pa.array(cells, pa.string()), np.arange(len(cells)))
    return bool((found.code == NAIVE).any())


def _need_zone(file: Path, column: str, shown: str, hints: Hints, *, naive: bool) -> None:
    if naive and hints.timezone is None:
        raise ImportFault(
            f"{file}: times in {column!r} have no offset ({shown}). Say in which zone the clock "
            "stood: --timezone Asia/Shanghai, or --timezone UTC"
        )


def _enterprise(
    file: Path,
    registry: Registry,
    hints: Hints,
    columns: dict[str, list[str]],
    rest: Sequence[str],
) -> tuple[Node, LongTable | None]:
    """Whose history it is, and how a long table is laid out."""
    if hints.enterprise is not None:
        candidates = [enterprise_of(registry, hints.enterprise)]
    else:
        candidates = enterprises(registry)
    if not candidates:
        raise ImportFault("no enterprise is registered; load a site first: hazwatch site load")
    ranked = []
    for node in candidates:
        tags = tags_of(registry, node)
        long = _long(columns, rest, tags)
        hits = len(_wide(rest, tags)) if long is None else _hits(columns[long.tag], tags)
        ranked.append((hits, long is not None, node.id, node, long))
    ranked.sort(key=lambda one: one[:3], reverse=True)
    if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        names = ", ".join(sorted(one[3].code for one in ranked if one[0] == ranked[0][0]))
        raise ImportFault(f"{file}: it may be of {names}; say which with --enterprise")
    return ranked[0][3], ranked[0][4]


def _hits(cells: Sequence[str], tags: dict[str, Tag]) -> int:
    return len({cell.strip() for cell in cells} & tags.keys())


def _long(
    columns: dict[str, list[str]], rest: Sequence[str], tags: dict[str, Tag]
) -> LongTable | None:
    """How the columns make a table of one value a row; None where they do not."""
    named = [name for name in rest if TAG_NAMES.match(name) and _hits(columns[name], tags)]
    filled = [name for name in rest if _share(columns[name], tags) >= 0.8]
    tag = next(iter([*named, *filled]), None)
    if tag is None:
        return None
    value = _first([one for one in rest if one != tag], VALUE_NAMES)
    if value is None:
        numeric = [one for one in rest if one != tag and _is_numeric(columns[one])]
        value = numeric[0] if len(numeric) == 1 else None
    if value is None:
        return None
    others = [one for one in rest if one not in (tag, value)]
    quality = _first(others, QUALITY_NAMES)
    if quality is not None and not _is_quality(columns[quality]):
        quality = None
    return LongTable(tag=tag, value=value, quality=quality, unit=_first(others, UNIT_NAMES))


def _share(cells: Sequence[str], tags: dict[str, Tag]) -> float:
    return sum(cell.strip() in tags for cell in cells) / max(1, len(cells))


def _is_numeric(cells: Sequence[str]) -> bool:
    found = numbers(pa.array(cells, pa.string()))
    return bool(found.given.mean() >= 0.5 and not found.spoilt.any())


def _is_quality(cells: Sequence[str]) -> bool:
    return all(cell.strip().lower() in WORDS or cell.strip().isdigit() for cell in cells if cell)


def _first(names: Sequence[str], pattern: re.Pattern[str]) -> str | None:
    return next((name for name in names if pattern.match(name)), None)


def _wide(names: Sequence[str], tags: dict[str, Tag]) -> dict[str, ImportTag]:
    """Column → tag: of the same name, but for case, a unit in brackets, or .PV behind it."""
    folded: dict[str, list[str]] = {}
    for name in tags:
        folded.setdefault(name.casefold(), []).append(name)
    found: dict[str, ImportTag] = {}
    taken: set[str] = set()
    for column in names:
        with_unit = UNIT.match(column)
        bare, unit = with_unit.groups() if with_unit else (column, None)
        for said in dict.fromkeys((column, bare, TAIL.sub("", bare))):
            same = [said] if said in tags else folded.get(said.casefold(), [])
            if len(same) == 1 and same[0] not in taken:
                taken.add(same[0])
                found[column] = ImportTag(name=same[0], unit=unit if said != column else None)
                break
    return found
