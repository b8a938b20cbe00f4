"""Recorded tables as a replay map says: every layout, nothing invented, troubles named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.problem import DocumentError
from domain.replay_map import ReplayMap, read_map
from domain.site import read_site
from simulators.recording import RecordingError, Row, Unreadable, rows

START = datetime(2026, 1, 1, tzinfo=UTC)


def plan(time: str = "{column: t, format: iso}", tags: str = "a b", more: str = "") -> ReplayMap:
    listed = ", ".join(f"{key}: {{name: T_{key}, kind: other}}" for key in tags.split())
    return read_map(
        f"time: {time}\npark: p1\nenterprise: e1\ngateway: g1\ntags: {{{listed}}}\n{more}"
    )


def read(text, how):
    return list(rows(text.splitlines(keepends=True), how))


COUNTED = "{start: 2026-01-01T00:00:00Z, step_s: 180}"


def test_a_csv_with_header_is_read_by_column_names():
    found = read("t,b,x,a\n2026-01-01T00:00:00Z,2,9,1\n2026-01-01T08:01:00+08:00,4,9,3\n", plan())
    assert found == [
        Row(1, START, {"T_a": 1.0, "T_b": 2.0}, 0, ()),
        Row(2, START + timedelta(minutes=1), {"T_a": 3.0, "T_b": 4.0}, 0, ()),
    ]


@pytest.mark.parametrize(
    ("time", "cell", "expected"),
    [
        ("{column: t, format: iso}", "2026-01-01T00:00:00Z", START),
        ("{column: t, format: iso, timezone: Asia/Shanghai}", "2026-01-01 08:00:00", START),
        ("{column: t, format: iso, timezone: Asia/Shanghai}", "2026-01-01T00:00:00Z", START),
        ("{column: t, format: epoch_s}", "1767225600", START),
        ("{column: t, format: epoch_s}", "1767225600.25", START + timedelta(seconds=0.25)),
        ("{column: t, format: epoch_ms}", "1767225600000", START),
        ('{column: t, format: "%d.%m.%Y %H:%M", timezone: UTC}', "01.01.2026 00:00", START),
        ('{column: t, format: "%Y/%m/%d %H:%M%z"}', "2026/01/01 08:00+0800", START),
        ('{column: t, format: "%d.%m.%y", timezone: Europe/Berlin}', "01.01.26",
         START - timedelta(hours=1)),
    ],
)  # fmt: skip
def test_every_way_to_write_a_time_is_understood(time, cell, expected):
    (row,) = read(f"t,a\n{cell},1\n", plan(time, "a"))
    assert row.at == expected


@pytest.mark.parametrize(
    ("time", "cell", "reason"),
    [
        ("{column: t, format: iso}", "2026-01-01 00:00:00", "no offset; give time.timezone"),
        ("{column: t, format: iso}", "noon", "time 'noon' is not in the format of the map"),
        ("{column: t, format: iso}", "", "time '' is not"),
        ("{column: t, format: epoch_s}", "nan", "is no number of seconds"),
        ("{column: t, format: epoch_s}", "1e300", "is no number of seconds"),
        ('{column: t, format: "%Y", timezone: UTC}', "x", "not in the format"),
    ],
)
def test_a_row_with_an_unreadable_time_is_told_and_skipped(time, cell, reason):
    bad, good = read(f"t,a\n{cell},1\n{cell},1\n", plan(time, "a"))
    assert isinstance(bad, Unreadable)
    assert isinstance(good, Unreadable)
    assert (bad.number, good.number) == (1, 2)
    assert reason in bad.reason


def test_empty_cells_send_nothing_and_zero_is_a_reading():
    (row,) = read("t,a,b\n2026-01-01T00:00:00Z,0,\n", plan())
    assert (row.values, row.empty) == ({"T_a": 0.0}, 1)


@pytest.mark.parametrize("cell", ["", " ", "NaN", "nan", "NA", "n/a", "NULL", "None", "-"])
def test_what_recorders_write_for_nothing_is_empty(cell):
    (row,) = read(f"t,a,b\n2026-01-01T00:00:00Z,{cell},1\n", plan())
    assert (row.values, row.empty, row.spoilt) == ({"T_b": 1.0}, 1, ())


@pytest.mark.parametrize("cell", ["abc", "1_000", "inf", "1e999", "1;2", "0x10"])
def test_a_cell_that_is_no_reading_spoils_only_itself(cell):
    (row,) = read(f"t,a,b\n2026-01-01T00:00:00Z,{cell},1\n", plan())
    assert row.values == {"T_b": 1.0}
    assert row.spoilt == (f"T_a: {cell!r} is no reading",)


def test_switches_are_bools():
    (row,) = read("t,a,b\n2026-01-01T00:00:00Z,True,false\n", plan())
    assert row.values == {"T_a": True, "T_b": False}


def test_whitespace_separates_without_header_by_column_number():
    how = plan(COUNTED, "1 3", "separator: whitespace\nheader: false")
    found = read("  1.5   2  3.5\n\n 4\t5 6 \n", how)
    assert [(row.at - START, row.values) for row in found] == [
        (timedelta(0), {"T_1": 1.5, "T_3": 3.5}),
        (timedelta(seconds=180), {"T_1": 4.0, "T_3": 6.0}),
    ]


def test_a_transposed_table_has_a_tag_in_each_line():
    how = plan(COUNTED, "1 2", "separator: whitespace\nheader: false\ntransposed: true")
    found = read("1 2 3\n4 5 6\n", how)
    assert [row.values for row in found] == [
        {"T_1": 1.0, "T_2": 4.0},
        {"T_1": 2.0, "T_2": 5.0},
        {"T_1": 3.0, "T_2": 6.0},
    ]


def test_a_transposed_table_may_name_its_lines():
    found = read("t,1767225600,1767225660\na,1,2\nb,3,4\n",
                 plan("{column: t, format: epoch_s}", more="transposed: true"))  # fmt: skip
    assert [row.values for row in found] == [{"T_a": 1, "T_b": 3}, {"T_a": 2, "T_b": 4}]


def test_quotes_hold_separators_and_the_row_names_of_r_are_stepped_over():
    text = '"t","a","note, with comma"\n"1","2026-01-01T00:00:00Z",5,"x, y"\n'
    (row,) = read(text, plan(tags="a"))
    assert row == Row(1, START, {"T_a": 5.0}, 0, ())


def test_quotes_work_between_blanks_too():
    how = plan(
        '{column: "1", format: iso, timezone: UTC}', "2", "separator: whitespace\nheader: false"
    )
    (row,) = read('"2026-01-01 00:00:00"  7\n', how)
    assert (row.at, row.values) == (START, {"T_2": 7.0})


@pytest.mark.parametrize(("separator", "mark"), [('";"', ";"), ("tab", "\t"), ('"|"', "|")])
def test_other_separators(separator, mark):
    text = mark.join("tab") + "\n" + mark.join(["2026-01-01T00:00:00Z", "1", "2"]) + "\n"
    (row,) = read(text, plan(more=f"separator: {separator}"))
    assert row.values == {"T_a": 1.0, "T_b": 2.0}


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert read("\ufefft,a,b\n2026-01-01T00:00:00Z,1,2\n", plan())[0].values == {"T_a": 1, "T_b": 2}


def test_a_torn_row_is_told_and_skipped():
    found = read("t,a,b\n2026-01-01T00:00:00Z,1,2\n2026-01-01T00:01:00Z,1\n", plan())
    assert found[1] == Unreadable(2, "has 2 cells, the first row has 3")


@pytest.mark.parametrize(
    ("text", "how", "words"),
    [
        ("t,a,c\n1,2,3\n", plan(), "no column 'b'"),
        ("tt,a,b\n1,2,3\n", plan(), "no column 't' (did you mean 'tt'?); the table has: tt, a, b"),
        ("t,a,b,a\n1,2,3,4\n", plan(), "2 columns 'a'"),
        ("1 2\n", plan(COUNTED, "1 3", "separator: whitespace\nheader: false"),
         "no column 3; the table has 2"),
        ("1,2\n3\n", plan(COUNTED, "1", "header: false\ntransposed: true"), "1 to 2 cells"),
        (f't,a,b\n"{"x" * 140_000}', plan(), "line 2"),
    ],
)  # fmt: skip
def test_a_table_that_does_not_fit_its_map_is_refused(text, how, words):
    with pytest.raises(RecordingError) as caught:
        read(text, how)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "t,a,b\n", "\n\n"])
def test_a_table_without_rows_has_none(text):
    assert read(text, plan()) == []


def test_rows_are_read_as_they_are_asked_for():
    given_out = []

    def lines():
        for n in range(1000):
            given_out.append(n)
            yield "t,a,b\n" if n == 0 else "2026-01-01T00:00:00Z,1,2\n"

    reading = rows(lines(), plan())
    next(reading)
    assert len(given_out) < 5


@given(st.lists(st.text(max_size=30), max_size=8))
def test_no_lines_make_the_reader_fail_otherwise(lines):
    how = plan(COUNTED, "1 2", "header: false")
    try:
        found = list(rows(lines, how))
    except RecordingError:
        return
    assert all(isinstance(row, Row | Unreadable) for row in found)


BASE = {"time": "{column: t, format: iso}", "tags": "{a: {name: A, kind: other}}", "park": "p1"}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"time": "{column: t}"}, "time", "either column and format, or start and step_s"),
        ({"time": "{column: t, format: iso, start: 2026-01-01T00:00:00Z, step_s: 1}"},
         "time", "either"),
        ({"time": "{start: 2026-01-01T00:00:00, step_s: 1}"}, "time.start", "no offset"),
        ({"time": "{start: 2026-01-01T00:00:00Z, step_s: 0}"}, "time.step_s", "greater than 0"),
        ({"time": "{column: t, format: epoch}"}, "time.format", 'did you mean "epoch_s"?'),
        ({"time": '{column: t, format: "%Y"}'}, "time", "give the timezone"),
        ({"time": "{column: t, format: iso, timezone: Mars/Olympus}"}, "time.timezone",
         "no time zone"),
        ({"tags": "{}"}, "tags", "at least 1"),
        ({"tags": "{a: {name: A, kind: level, unit: m, limits: {H: 2, HH: 1}}}"},
         "tags.a.limits.HH", "LL"),
        ({"tags": "{a: {name: A, kind: other}, b: {name: A, kind: other}}"}, "tags.b.name",
         "used before"),
        ({"tags": "{wind dir: {name: A, kind: othr}}"}, 'tags["wind dir"].kind',
         'did you mean "other"'),
        ({"tags": "{a: {name: A, kind: other, action_min: 0}}"}, "tags.a.action_min",
         "greater than 0"),
        ({"tags": "{a: {name: A, kind: other, unti: x}}"}, "tags.a.unti", 'did you mean "unit"?'),
        ({"header": "false"}, "tags.a", "column numbers"),
        ({"separator": '"::"'}, "separator", "one character, tab or whitespace"),
        ({"encoding": "latin-99"}, "encoding", "is no encoding"),
        ({"park": "a/b"}, "park", "1 to 64 characters"),
        ({"groups": "{g: {members: [A, B], kind: any}}"},
         "groups.g.members[1]", 'no tag "B" in this map'),
        ({"groups": "{g: {members: [A], kind: all}}"}, "groups.g.kind", "'any' or 'pca'"),
        ({"train": "{until: soon}"}, "train.until", "datetime"),
        ({"speed": "1"}, "speed", "unknown member"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_map_is_named(change, path, words):
    members = BASE | {"enterprise": "e1", "gateway": "g1"} | change
    with pytest.raises(DocumentError) as caught:
        read_map("\n".join(f"{key}: {value}" for key, value in members.items()))
    found = {problem.path: problem.text for problem in caught.value.problems}
    assert path in found
    assert words in found[path]


def test_the_delivered_map_fits_the_delivered_site():
    deploy = Path(__file__).parents[3] / "deploy"
    how = read_map((deploy / "maps/metec.yaml").read_text("utf-8"))
    (enterprise,) = read_site((deploy / "sites/metec.yaml").read_text("utf-8")).enterprises
    assert (enterprise.park, enterprise.code) == (how.park, how.enterprise)
    assert how.gateway in enterprise.gateways
    registered = {tag.name: tag for tag in enterprise.sources[0].tags}
    for name, tag in how.tags.items():
        same = {"name", "kind", "unit", "range", "limits", "deadband", "interval_s"}
        assert tag.model_dump(include=same) == registered[name].model_dump(include=same)


def test_a_map_knows_the_site_that_registers_its_tags():
    site = plan(more="groups: {g: {members: [T_a, T_b], kind: pca}}").site()
    (enterprise,) = site.enterprises
    assert (enterprise.park, enterprise.code, enterprise.gateways) == ("p1", "e1", ("g1",))
    assert [tag.name for tag in enterprise.sources[0].tags] == ["T_a", "T_b"]
