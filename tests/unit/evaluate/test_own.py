"""`hazwatch evaluate csv` on small recordings whose truth is known."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from domain.replay_map import read_map
from hazwatch.cli import assembled
from hazwatch.evaluate.feed import read_feed
from hazwatch.evaluate.own import evaluate
from hazwatch.evaluate.truth import TruthError, read_truth
from simulators.recording import RecordingError

APP = assembled()
START = datetime(2031, 4, 5, tzinfo=UTC)
HEAD = "park: p1\nenterprise: e\ngateway: g1\n"
GAS = (
    "time: {column: when, format: iso}\n" + HEAD + "tags:\n"
    "  A: {name: GD-1, kind: gas_toxic, unit: ppm, limits: {H: 20}}\n"
    "  B: {name: GD-2, kind: gas_toxic, unit: ppm, limits: {H: 20}}\n"
    "groups: {yard: {members: [GD-1, GD-2], kind: any}}\n"
)


def iso(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def quiet(line: str, share: float) -> None:
    """Progress that nobody looks at."""


def write(folder: Path, table: list[list[str]], plan: str, truth: str) -> tuple[Path, Path, Path]:
    paths = folder / "feed.csv", folder / "map.yaml", folder / "truth.csv"
    with paths[0].open("w", newline="") as file:
        csv.writer(file).writerows(table)
    paths[1].write_text(plan, "utf-8")
    paths[2].write_text(truth, "utf-8")
    return paths


def gas_week(minutes: int = 700) -> list[list[str]]:
    """Two detectors; a plume comes and goes at the second one from minute 500 to 560."""
    rng = np.random.default_rng(4)
    table = [["when", "A", "B"]]
    for n in range(minutes):
        plume = 6.0 if 500 <= n < 560 and n % 5 < 3 else 0.0
        a, b = 1 + 0.1 * rng.standard_normal(2)
        cells = [f"{a:.3f}", f"{b + plume:.3f}"]
        if n % 97 == 5:
            cells[0] = "NaN"
        if not 300 <= n < 330:
            table.append([iso(n), *cells])
    return table


TRUTH = f"event,start,end,tag,kind\nr1,{iso(500)},{iso(560)},yard,release\n"


def test_a_release_is_found_and_counted_against_the_fault_free_time(tmp_path):
    feed, plan, truth = write(tmp_path, gas_week(), GAS, TRUTH)
    report = evaluate(feed, read_map(plan.read_text()), truth, quiet)
    (event,) = report.events
    assert event["by"] == "GD-2 INTERMITTENT"
    assert 0 < event["delay_s"] <= 600
    assert report.false == 0
    assert report.fault_free_days == pytest.approx((699 - 31 - 60 - 30) / 1440, abs=1e-3)


def test_the_command_prints_one_json_document(tmp_path):
    feed, plan, truth = write(tmp_path, gas_week(), GAS, TRUTH)
    words = ["evaluate", "csv", str(feed), "--tags", str(plan), "--truth", str(truth)]
    result = CliRunner().invoke(APP, [*words, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["set"] == "feed"
    assert document["false_alarms"]["episodes"] == 0
    assert {row["goal"] for row in document["rows"]} == {"G6", None}
    shown = CliRunner().invoke(APP, words, env={"COLUMNS": "200"})
    assert "share of 1 releases found" in shown.stdout


@pytest.mark.parametrize("every_s", [1, 300, 3600])
def test_the_interval_is_taken_from_the_feed_where_the_map_does_not_say_it(tmp_path, every_s):
    table = [["when", "A", "B"]]
    table += [[iso(n * every_s / 60), "1.0", "2.0"] for n in range(50)]
    feed, plan, _ = write(tmp_path, table, GAS, TRUTH)
    read = read_feed(feed, read_map(plan.read_text()))
    assert {tag.interval_s for tag in read.plan.tags.values()} == {float(every_s)}


@pytest.mark.parametrize(
    ("time", "cell"),
    [
        ("{column: when, format: epoch_s}", lambda t: f"{t.timestamp():.0f}"),
        ("{column: when, format: epoch_ms}", lambda t: f"{1000 * t.timestamp():.0f}"),
        (
            '{column: when, format: "%d.%m.%Y %H:%M", timezone: Asia/Shanghai}',
            lambda t: (t + timedelta(hours=8)).strftime("%d.%m.%Y %H:%M"),
        ),
    ],
)
def test_other_ways_to_write_time_give_the_same(tmp_path, time, cell):
    table = gas_week()
    head, rows = table[0], table[1:]
    table = [head] + [[cell(datetime.fromisoformat(row[0])), *row[1:]] for row in rows]
    plan = GAS.replace("{column: when, format: iso}", time)
    feed, _, truth = write(tmp_path, table, plan, TRUTH)
    report = evaluate(feed, read_map(plan), truth, quiet)
    assert report.events[0]["by"] == "GD-2 INTERMITTENT"
    assert report.false == 0


def test_rows_out_of_order_are_put_in_order_and_that_is_said(tmp_path):
    table = gas_week()
    feed, plan, truth = write(tmp_path, [table[0], *reversed(table[1:])], GAS, TRUTH)
    report = evaluate(feed, read_map(plan.read_text()), truth, quiet)
    assert report.events[0]["by"] == "GD-2 INTERMITTENT"
    assert any("order of time" in note for note in report.notes)


def test_a_column_that_the_table_lacks_is_left_out_and_that_is_said(tmp_path):
    plan = GAS.replace("groups:", "  C: {name: GD-3, kind: gas_toxic, unit: ppm}\ngroups:").replace(
        "[GD-1, GD-2]", "[GD-1, GD-2, GD-3]"
    )
    feed, _, truth = write(tmp_path, gas_week(), plan, TRUTH)
    report = evaluate(feed, read_map(plan), truth, quiet)
    assert report.events[0]["by"] == "GD-2 INTERMITTENT"
    assert any("'C'" in note for note in report.notes)


def test_a_table_with_none_of_the_columns_is_refused(tmp_path):
    feed, plan, _ = write(tmp_path, [["when", "X"], [iso(0), "1"]], GAS, TRUTH)
    with pytest.raises(RecordingError, match="it has: X, when"):
        read_feed(feed, read_map(plan.read_text()))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"r1,{iso(500)},{iso(560)},GD-9,release", "neither a tag nor a group"),
        (f"r1,yesterday,{iso(560)},*,release", "'yesterday' is no time"),
        (f"r1,,{iso(560)},*,release", "start is empty"),
        (f"r1,{iso(500)},{iso(400)},*,release", "ends before it begins"),
        (f"r1,{iso(500)},,GD-1,crossing:X", "allowed are crossing:LL"),
        ("", "holds no event"),
        (f"r1,{iso(80000)},,*,release", "holds no event"),
    ],
)
def test_a_wrong_truth_names_the_line_and_what_is_allowed(tmp_path, line, words):
    given = f"event,start,end,tag,kind\n{line}\n"
    feed, plan, truth = write(tmp_path, gas_week(60 if "80000" in line else 600), GAS, given)
    command = ["evaluate", "csv", str(feed), "--tags", str(plan), "--truth", str(truth)]
    result = CliRunner().invoke(APP, command)
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.split())


def test_a_truth_without_the_columns_says_which(tmp_path):
    feed, plan, truth = write(tmp_path, gas_week(60), GAS, "when,what\n1,2\n")
    read = read_map(plan.read_text())
    with pytest.raises(TruthError, match="no column event, start"):
        read_truth(truth, read_feed(feed, read), read)


def test_a_crossing_without_end_lasts_until_the_value_is_back(tmp_path):
    table = [["when", "A", "B"]]
    table += [[iso(n), "25" if 30 <= n < 45 else "1", "1"] for n in range(90)]
    given = f"event,start,end,tag,kind\nx,{iso(30)},,GD-1,crossing:H\n"
    feed, plan, truth = write(tmp_path, table, GAS, given)
    read = read_map(plan.read_text())
    (event,), _ = read_truth(truth, read_feed(feed, read), read)
    assert (event.end - event.start) / 60e6 == 15


UNIT = (
    "time: {column: when, format: iso}\n" + HEAD + "tags:\n"
    + "".join(f"  {c}: {{name: T-{c}, kind: other}}\n" for c in "ABCDE")
    + "groups: {unit: {members: [T-A, T-B, T-C, T-D, T-E], kind: pca}}\n"
    + f"train: {{until: {iso(3 * 400)}}}\n"
)  # fmt: skip


def unit_run(n: int = 800) -> list[list[str]]:
    """Five tags with one cause; from row 600 the fourth one drifts off. E comes every 5th row."""
    rng = np.random.default_rng(11)
    cause, table = 0.0, [["when", *"ABCDE"]]
    for k in range(n):
        cause = 0.8 * cause + rng.standard_normal()
        values = cause * np.array([1, -1, 0.5, 0.8, 1.2]) + 0.5 * rng.standard_normal(5)
        values[3] += max(0, k - 600) * 0.05
        cells = [f"{value:.4f}" for value in values]
        if k % 5:
            cells[4] = ""
        table.append([iso(3 * k), *cells])
    return table


def test_a_group_learns_from_the_training_part_and_is_scored_on_the_rest(tmp_path):
    given = f"event,start,end,tag,kind\nf1,{iso(3 * 600)},{iso(3 * 799)},unit,fault\n"
    feed, plan, truth = write(tmp_path, unit_run(), UNIT, given)
    report = evaluate(feed, read_map(plan.read_text()), truth, quiet)
    (event,) = report.events
    assert event["by"] == "unit PCA"
    assert event["delay_s"] <= 150 * 60
    assert report.fault_free_days == pytest.approx(3 * 200 / 1440, abs=0.01)
    assert report.false == 0


def test_too_short_a_training_part_is_said_and_does_not_stop_the_rest(tmp_path):
    given = f"event,start,end,tag,kind\nf1,{iso(3 * 600)},{iso(3 * 799)},unit,fault\n"
    plan = UNIT.replace(iso(3 * 400), iso(3 * 20))
    feed, _, truth = write(tmp_path, unit_run(), plan, given)
    report = evaluate(feed, read_map(plan), truth, quiet)
    assert report.events[0]["by"] is None
    assert any("let `train.until` be later" in note for note in report.notes)


@pytest.mark.parametrize("name", ["metec", "all"])
def test_where_the_sets_are_not_the_command_says_what_to_do(tmp_path, name):
    result = CliRunner().invoke(APP, ["evaluate", name, "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "--data DIR" in " ".join(result.stderr.split())
