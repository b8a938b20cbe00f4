"""Tables as samples: against a slow reading of each cell, wherever the file is taken up."""

import csv
import gzip
import io
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.import_map import ImportMap, ImportTime, read_import_map
from domain.instant import micros
from domain.problem import DocumentError
from domain.quality import Quality
from hazwatch.commands.site_registry import draft
from hazwatch.imports.binding import bind, table_of
from hazwatch.imports.blocks import Block
from hazwatch.imports.cells import numbers
from hazwatch.imports.delimited import Delimited, Format
from hazwatch.imports.errors import ImportFault
from hazwatch.imports.guess import Hints, guess
from hazwatch.imports.report import Report
from hazwatch.imports.times import REASONS, TimeReader
from hazwatch.imports.work import tried
from simulators.recording import EMPTY, reading
from tests.support.sites import enterprise, site, tag

AT = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = ("LT-1", "LT-2", "TI-1")
REGISTRY = draft(
    site(
        enterprise(
            "e1",
            tag("LT-1"),
            tag("LT-2", unit="m", range=None, limits={}),
            tag("TI-1", kind="temperature", unit="degC", range=[-50, 50], limits={}),
            tag("XV-1", kind="valve", unit="", range=None, limits={}),
        )
    )
).registry
IDS = {one.name: one.id for one in REGISTRY.tags.values()}
WIDE = "time: {column: t, format: iso}\nenterprise: e1\ntags: {a: LT-1, b: LT-2}\n"
LONG = (
    "time: {column: t, format: iso, timezone: Asia/Shanghai}\nenterprise: e1\n"
    "long: {tag: name, value: v, quality: q, unit: u}\ntags: {other: LT-2}\n"
)


def read(file: Path, text: str = WIDE):
    """Everything that a file says: (line, tag id, µs, value, quality), and the account of it."""
    plan = read_import_map(text)
    table = table_of(file, plan)
    found = bind(REGISTRY, plan, table, AT)
    parts = [
        found.reader.decode(piece)
        for piece, _ in table.pieces(found.places, found.repeated, table.begin, table.line, 0)
    ]
    rows = sorted(
        row
        for part in parts
        for row in zip(
            part.line.tolist(),
            part.tag.tolist(),
            part.time.tolist(),
            part.value.tolist(),
            part.quality.tolist(),
            strict=True,
        )
    )
    return rows, tried(table, found, lambda _: None)


def written(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


# Cells


ODD = st.sampled_from(
    [
        *("", " ", "nan", "NaN", "NULL", "-", "n/a", "true", "False", "inf", "-Infinity"),
        *("1e999", "+2", "1_0", "0x10", "1,5", " 7 ", ".5", "5.", "1e-320", "Bad Input"),
        *("数据", '"8"', "1e5", "--1"),
    ]
)
CELL = st.one_of(
    ODD, st.floats(allow_nan=False, allow_infinity=False).map(repr), st.text(max_size=6)
)


def slowly(text: str) -> float | bool | None:
    """A cell by itself: NaN = nothing, None = no reading."""
    said = text.strip(" \t\n\r\v\f").strip().strip('"').strip()
    return math.nan if said.lower() in EMPTY else reading(said)


@given(st.lists(CELL, max_size=30), st.booleans())
@example(["1e999", "3"], False)
def test_a_column_is_read_as_its_cells_one_by_one(cells: list[str], repeated: bool):
    cells = [cell for cell in cells if cell.isprintable()]
    column = pa.array(cells, pa.string())
    found = numbers(column.dictionary_encode() if repeated else column)
    for text, value, spoilt in zip(cells, found.value, found.spoilt, strict=True):
        wanted = slowly(text)
        assert spoilt == (wanted is None), text
        assert np.isnan(value) if wanted is None or wanted != wanted else value == float(wanted)


# Times


ZONES = st.sampled_from(
    ["Europe/Berlin", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]
)
CLOCK = st.datetimes(datetime(2000, 2, 1), datetime(2025, 12, 1))  # noqa: DTZ001 -- clock times


@given(
    ZONES, st.lists(CLOCK, min_size=1, max_size=20), st.sampled_from(["refuse", "first", "second"])
)
@example("Europe/Berlin", [datetime(2024, 10, 27, 2, 30), datetime(2024, 3, 31, 2, 30)], "refuse")  # noqa: DTZ001
@example("Europe/Berlin", [datetime(2024, 10, 27, 2, 30)], "second")  # noqa: DTZ001
def test_clock_times_are_instants_of_their_zone(zone: str, clocks: list[datetime], twice):
    reader = TimeReader(ImportTime(column="t", format="iso", timezone=zone, twice=twice), AT)
    found = reader.read(pa.array([clock.isoformat() for clock in clocks]), np.arange(len(clocks)))
    for clock, us, code in zip(clocks, found.time, found.code, strict=True):
        both = [clock.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1)]
        there = [
            one
            for one in both
            if one.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == clock
        ]
        if not there:
            assert REASONS[code] == "no_such_time"
        elif both[0].utcoffset() != both[1].utcoffset() and twice == "refuse":
            assert REASONS[code] == "ambiguous_time"
        else:
            assert (REASONS[code], us) == ("", micros(both[twice == "second"]))


PATTERNS = st.sampled_from(
    [
        *("%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M", "%Y%m%d%H%M%S", "%d-%b-%Y %H:%M:%S"),
        *("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S.%f", "%H:%M:%S %Y年%m月%d日", "%j %Y"),
    ]
)


@given(PATTERNS, st.lists(st.one_of(CLOCK, st.text(max_size=8)), min_size=1, max_size=10))
def test_patterns_are_read_as_strptime_reads_them(pattern: str, said):
    cells = [one if isinstance(one, str) else one.strftime(pattern) for one in said]
    reader = TimeReader(ImportTime(column="t", format=pattern, timezone="UTC"), AT)
    found = reader.read(pa.array(cells, pa.string()), np.arange(len(cells)))
    for text, us, code in zip(cells, found.time, found.code, strict=True):
        try:
            wanted = datetime.strptime(text.strip(" \t\n\r\v\f"), pattern).replace(tzinfo=UTC)
        except ValueError:
            assert REASONS[code] == "bad_time"
        else:
            assert (REASONS[code], us) == ("", micros(wanted))


@pytest.mark.parametrize(
    ("format", "cells", "wanted"),
    [
        ("iso", ["2024-01-01T00:00:00+08:00"], "2023-12-31T16:00:00Z"),
        ("iso", ["2024-01-01T00:00:00z"], "2024-01-01T00:00:00Z"),
        ("iso", ["2016-12-31T23:59:60Z"], "2017-01-01T00:00:00Z"),
        ("epoch_s", ["1704067200.5"], "2024-01-01T00:00:00.500000Z"),
        ("epoch_ms", ["1704067200500"], "2024-01-01T00:00:00.500000Z"),
        ("epoch_ms", [1704067200500], "2024-01-01T00:00:00.500000Z"),
        ("iso", [datetime(2024, 1, 1, tzinfo=UTC)], "2024-01-01T00:00:00Z"),
        ("iso", ["2024-01-01T00:00:00"], "naive_time"),
        ("iso", ["1999-12-31T23:59:59Z"], "too_old"),
        ("iso", ["2025-12-31T23:51:00Z"], "too_recent"),
        ("iso", ["2026-01-01T00:00:01Z"], "in_future"),
        ("iso", [None], "bad_time"),
        ("epoch_s", ["1e30"], "bad_time"),
        ("epoch_s", ["x"], "bad_time"),
    ],
)
def test_a_time_is_an_instant_or_has_a_reason(format: str, cells, wanted: str):
    found = TimeReader(ImportTime(column="t", format=format), AT).read(
        pa.array(cells), np.arange(1)
    )
    reason = REASONS[found.code[0]]
    shown = datetime.fromtimestamp(found.time[0] / 1e6, UTC).isoformat().replace("+00:00", "Z")
    assert (reason or shown) == wanted
    if reason:
        assert TimeReader(ImportTime(), AT).detail(int(found.code[0]), int(found.time[0]))


# Tables


def test_each_cell_has_its_own_fate(tmp_path: Path):
    text = (
        "t,a,b\r\n"
        "2024-01-01T00:00:00Z,1,2\r\n"
        "\r\n"
        "2024-01-01T00:00:10Z,Bad Input,3\n"
        "nonsense,4,5\n"
        "2024-01-01T00:00:20Z,6\n"
        '2024-01-01T00:00:30Z,"7",\n'
        "2024-01-01T00:00:40Z,103,1e999"
    )
    rows, dry = read(written(tmp_path, text))
    assert [(line, tag, value) for line, tag, _, value, _ in rows] == [
        (2, IDS["LT-1"], 1.0),
        (2, IDS["LT-2"], 2.0),
        (4, IDS["LT-2"], 3.0),
        (7, IDS["LT-1"], 7.0),
        (8, IDS["LT-1"], 103.0),
    ]
    assert rows[-1][-1] == Quality.OVER_RANGE
    assert (dry.rows, dry.bad_rows, dry.cells, dry.empty, dry.refused) == (6, 2, 8, 1, 2)
    told = {(one.line, one.column, one.text, one.reason) for one in dry.problems.told}
    assert told == {
        (4, "a", "Bad Input", "not_a_number"),
        (5, "t", "nonsense", "bad_time"),
        (6, "", "2024-01-01T00:00:20Z,6", "unreadable_row"),
        (8, "b", "1e999", "not_a_number"),
    }


def test_a_long_table_with_quality_units_and_words(tmp_path: Path):
    text = (
        "t,name,v,q,u\n"
        "2024-01-01 08:00:00,LT-1,1,,\n"
        "2024-01-01 08:00:00,other,250,good,cm\n"
        "2024-01-01 08:00:00,TI-1,212,uncertain,degF\n"
        "2024-01-01 08:00:00,TI-1,20,192,ppm\n"
        "2024-01-01 08:00:00,XV-1,OPEN,,\n"
        "2024-01-01 08:00:00,LT-1,,bad,\n"
        "2024-01-01 08:00:00,LT-1,,,\n"
        "2024-01-01 08:00:00,who,3,,\n"
        "2024-01-01 08:00:00,LT-1,3,splendid,\n"
    )
    rows, dry = read(written(tmp_path, text), LONG)
    assert {us for _, _, us, _, _ in rows} == {micros(datetime(2024, 1, 1, tzinfo=UTC))}
    found = [
        (line, tag, None if math.isnan(value) else value, q) for line, tag, _, value, q in rows
    ]
    assert found == [
        (2, IDS["LT-1"], 1.0, 192),
        (3, IDS["LT-2"], 2.5, 192),
        (4, IDS["TI-1"], 100.0, 64),
        (6, IDS["XV-1"], 1.0, 192),
        (7, IDS["LT-1"], None, 0),
    ]
    assert dry.problems.counts == {"unit_mismatch": 1, "unknown_tag": 1, "bad_quality": 1}
    assert (dry.cells, dry.empty, dry.refused, dry.values) == (9, 1, 3, 5)


VALUE = st.one_of(st.floats(0, 99), st.sampled_from(["", "x", "NaN", "true"]))
ROW = st.tuples(st.integers(0, 10**6), VALUE, VALUE)


def lines_of(rows) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("t", "a", "b"), *rows])
    return out.getvalue()


def stamped(rows):
    first = datetime(2020, 1, 1, tzinfo=UTC)
    return [((first + timedelta(seconds=s)).isoformat(), a, b) for s, a, b in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(ROW, max_size=40), st.sampled_from(["plain", "gzip", "zstd", "utf-16", "parquet"]))
def test_however_it_is_packed_the_same_comes_out(tmp_path: Path, rows, packing: str):
    table = stamped(rows)
    text = lines_of(table)
    plain, _ = read(written(tmp_path, text))
    cells = [
        (n, IDS[name], value)
        for n, row in enumerate(table, 2)
        for name, value in (("LT-1", slowly(str(row[1]))), ("LT-2", slowly(str(row[2]))))
        if value is not None and value == value
    ]
    assert [(line, tag, value) for line, tag, _, value, _ in plain] == sorted(cells)
    if packing == "parquet":
        columns: list[Any] = list(zip(*table, strict=True)) or [[], [], []]
        arrays = {
            key: pa.array([str(one) for one in c], pa.string())
            for key, c in zip("tab", columns, strict=True)
        }
        pq.write_table(pa.table(arrays), tmp_path / "t.parquet", row_group_size=7)
        same, _ = read(tmp_path / "t.parquet")
        same = [(line + 1, *rest) for line, *rest in same]
    else:
        packed = {
            "plain": lambda: b"\xef\xbb\xbf" + text.encode(),
            "gzip": lambda: gzip.compress(text.encode()),
            "zstd": lambda: (
                zstandard.compress(text[:20].encode()) + zstandard.compress(text[20:].encode())
            ),
            "utf-16": lambda: text.encode("utf-16"),
        }[packing]()
        encoding = "encoding: utf-16\n" if packing == "utf-16" else ""
        same, _ = read(written(tmp_path, packed, "p.csv"), WIDE + encoding)
    assert repr(same) == repr(plain)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(ROW, max_size=30), st.integers(20, 200))
def test_pieces_taken_up_anywhere_are_the_same_pieces(tmp_path: Path, rows, size: int):
    text = lines_of(stamped(rows)).replace("\n", "\r\n")
    table = Delimited(written(tmp_path, text), Format())
    places = table.places(["t", "a", "b"])

    def pieces(position: int, line: int, row: int):
        found = table.pieces(places, frozenset(), position, line, row, size)
        return [
            (p.position, p.next_line, p.row.tolist(), p.line.tolist(), p.columns["a"].to_pylist())
            for p, _ in found
        ]

    every = pieces(table.begin, table.line, 0)
    assert [row for piece in every for row in piece[2]] == list(range(len(rows)))
    assert list(chain.from_iterable(piece[4] for piece in every)) == [str(row[1]) for row in rows]
    for n, (position, line, row, _, _) in enumerate(every):
        assert pieces(position, line, row[-1] + 1 if row else 0) == every[n + 1 :]


def test_a_line_that_breaks_the_parser_costs_itself_alone(tmp_path: Path):
    good = "".join(f"2024-01-01T00:{n // 60:02}:{n % 60:02}Z,{n},{n}\n" for n in range(3000))
    bad = '2024-01-01T00:00:00Z,"1,2\n'
    rows, dry = read(written(tmp_path, "t,a,b\n" + good[:250] + bad + good[250:]))
    assert dry.problems.counts == {"unreadable_row": 1}
    assert dry.bad_rows == 1
    assert dry.rows - 1 == (len(rows) // 2)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_blocks_know_their_lines(size: int):
    data = b"a\n\nb\r\n\r\n c \nd"
    whole = Block(data, 5, len(data))
    assert whole.lines().tolist() == [5, 7, 9, 10]
    assert whole.next_line() == 11
    halves = whole.halves()
    assert b"".join(half.data for half in halves) == data
    assert (
        list(chain.from_iterable(half.lines().tolist() for half in halves))
        == whole.lines().tolist()
    )


def test_a_packed_file_that_is_cut_off_says_so(tmp_path: Path):
    text = lines_of(stamped([(n, n, n) for n in range(100_000)])).encode()
    for name, packed in (("g", gzip.compress(text)), ("z", zstandard.compress(text))):
        file = written(tmp_path, packed[: len(packed) // 2], name)
        with pytest.raises(ImportFault, match="can't be unpacked"):
            read(file)


def test_whitespace_transposed_and_counted_rows(tmp_path: Path):
    spaced = "  t    a   b\n2024-01-01T00:00:00Z   1.5  \t2\n"
    rows, _ = read(written(tmp_path, spaced), WIDE + "separator: whitespace\n")
    assert [row[3] for row in rows] == [1.5, 2.0]
    turned = "t,2024-01-01T00:00:00Z,2024-01-01T00:00:10Z\na,1,2\nb,3,4\n"
    rows, _ = read(written(tmp_path, turned), WIDE + "transposed: true\n")
    assert [row[3] for row in rows] == [1.0, 3.0, 2.0, 4.0]
    counted = (
        "time: {start: 2024-01-01T00:00:00Z, step_s: 180}\nheader: false\nenterprise: e1\n"
        "tags: {2: LT-1}\n"
    )
    rows, _ = read(written(tmp_path, "x,1\ntoo,many,cells\nx,2\n"), counted)
    assert [(row[2] - rows[0][2]) / 1e6 for row in rows] == [0, 360], "a bad row takes its time"


def test_sentinels_are_no_values(tmp_path: Path):
    rows, _ = read(written(tmp_path, "t,a,b\n2024-01-01T00:00:00Z,-9999,1\n"))
    assert math.isnan(rows[0][3])
    assert rows[0][4] < Quality.UNCERTAIN


# Maps


def test_a_replay_map_is_an_import_map():
    text = Path("deploy/maps/metec.yaml").read_text("utf-8")
    assert read_import_map(text).tags["CH4_N"].unit == "ppm"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("time: {column: t, format: iso}\nenterprise: e1\n", "tags"),
        ("time: {column: t, format: is}\nenterprise: e1\ntags: {a: LT-1}\n", "time.format"),
        ("time: {column: t, format: '%Y'}\nenterprise: e1\ntags: {a: LT-1}\n", "time"),
        (WIDE + "header: false\n", "tags.a"),
        (LONG + "transposed: true\n", "transposed"),
        (WIDE.replace("b: LT-2", "b: LT-1"), "tags.b.name"),
        (WIDE.replace("b: LT-2", "b: {name: LT-2, unti: m}"), "tags.b.unti"),
    ],
)
def test_a_map_that_does_not_fit_together_is_refused(text: str, path: str):
    with pytest.raises(DocumentError) as wrong:
        read_import_map(text)
    assert path in {problem.path for problem in wrong.value.problems}


# Guesses


@pytest.mark.parametrize(
    ("text", "hints", "wanted"),
    [
        (
            "time,LT-1,LT-2\n2024-01-01T00:00:00Z,1,2\n",
            Hints(),
            ("time", "iso", ",", {"LT-1": "LT-1", "LT-2": "LT-2"}),
        ),
        (
            "采集时间;lt-1.PV;LT-2 (cm)\n2024/01/31 10:00:00;1;2\n",
            Hints("Asia/Shanghai"),
            ("采集时间", "%Y/%m/%d %H:%M:%S", ";", {"lt-1.PV": "LT-1", "LT-2 (cm)": "LT-2"}),
        ),
        ("ts\tLT-1\n1704067200000\t1\n", Hints(), ("ts", "epoch_ms", "tab", {"LT-1": "LT-1"})),
        (
            "when|tag|reading|status\n31.01.2024 10:00|LT-1|1|good\n",
            Hints("UTC"),
            ("when", "%d.%m.%Y %H:%M", "|", {}),
        ),
    ],
)
def test_a_file_without_a_map_is_guessed(tmp_path: Path, text: str, hints: Hints, wanted):
    found = guess(written(tmp_path, text), REGISTRY, hints, AT)
    plan = found.plan
    tags = {column: one.name for column, one in plan.tags.items()}
    assert (plan.time.column, plan.time.format, plan.separator, tags) == wanted
    if plan.long is not None:
        assert plan.long.model_dump() == {
            "tag": "tag",
            "value": "reading",
            "quality": "status",
            "unit": None,
        }
    again = read_import_map(
        ImportMap.model_validate(plan.model_dump()).model_dump_json(exclude_none=True)
    )
    assert again == plan, "a guess is a map that can be kept"


@pytest.mark.parametrize(
    ("text", "hints", "said"),
    [
        ("time,LT-1\n2024-01-01 00:00:00,1\n", Hints(), "--timezone Asia/Shanghai"),
        ("time,LT-9\n2024-01-01T00:00:00Z,1\n", Hints(), "no column is called as a tag"),
        ("x,LT-1\n1,1\n", Hints(), "no column holds times"),
        ("2024-01-01T00:00:00Z,1\n", Hints(), "names no columns"),
        ("", Hints(), "empty"),
        ("time,LT-1\n01/02/2024 00:00:00,1\n", Hints("UTC"), "may be"),
        ("time,LT-1\n2024-01-01T00:00:00Z,1\n", Hints(enterprise="e2"), '"e2"'),
    ],
)
def test_what_cannot_be_guessed_is_asked_for(tmp_path: Path, text: str, hints: Hints, said: str):
    with pytest.raises(ImportFault) as wrong:
        guess(written(tmp_path, text), REGISTRY, hints, AT)
    assert said in str(wrong.value)


def test_columns_that_are_no_tags_are_named(tmp_path: Path):
    found = guess(
        written(tmp_path, "time,LT-1,LT-7\n2024-01-01T00:00:00Z,1,2\n"), REGISTRY, Hints(), AT
    )
    assert found.unmatched == ("LT-7",)


# Reports


def test_a_piece_that_is_tried_again_is_told_of_once(tmp_path: Path):
    _, dry = read(written(tmp_path, "t,a,b\n2024-01-01T00:00:00Z,=cmd(),-x\n"))
    report = Report(tmp_path / "report.csv")
    first = report.write(0, {}, dry.problems.told)
    assert report.write(0, {}, dry.problems.told) == first == report.file.stat().st_size
    report.write(first, {}, [replace(dry.problems.told[0], line=9)])
    assert report.write(first, {}, []) == first
    lines = report.file.read_text("utf-8").splitlines()
    assert lines[0] == "line,column,text,reason,detail"
    assert lines[1].startswith("2,a,'=cmd(),not_a_number")
    assert lines[2].startswith("2,b,'-x,not_a_number")
