"""`hazwatch site` and `hazwatch replay` without a server: exit codes, words, schemas."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from domain.site import read_site
from hazwatch.commands import replay, site
from tests.support.sites import enterprise, site_data, tag

ROOT = Path(__file__).parents[3]
MAP = """
time: {column: t, format: iso}
park: p1
enterprise: e1
gateway: g1
tags: {a: {name: LT-1, kind: level, unit: "%", range: [0, 100], limits: {H: 80}}}
"""
TABLE = "t,a\n2026-01-01T00:00:00Z,1\nnoon,2\n2026-01-01T00:02:00Z,\n2026-01-01T00:03:00Z,x\n"


def run(*words: object):
    app = typer.Typer()
    app.add_typer(site.app, name="site")
    app.command("replay")(replay.replay)
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def recording(tmp_path):
    (tmp_path / "map.yaml").write_text(MAP)
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path / "table.csv", "--map", tmp_path / "map.yaml"


@pytest.mark.parametrize(
    ("schema", "file"),
    [(site.json_schema, "site.schema.json"), (replay.json_schema, "replay-map.schema.json")],
)
def test_the_published_schema_is_the_one_of_the_model(schema, file):
    published = (ROOT / "schemas" / file).read_text("utf-8")
    assert published == schema(), "run: hazwatch site schema, hazwatch replay --schema"


def test_the_schemas_are_printed():
    assert json.loads(run("site", "schema").stdout)["title"] == "hazwatch site file"
    assert json.loads(run("replay", "--schema").stdout)["title"] == "hazwatch replay map"


def test_a_good_site_is_counted(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(site_data(enterprise("e1", tag("A"), tag("B")))))
    done = run("site", "check", file)
    assert done.exit_code == 0
    assert "1 enterprises, 1 sources, 1 gateways, 2 tags" in done.stdout


def test_a_bad_site_ends_with_1_and_every_problem_on_a_line(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(site_data(enterprise("e1", tag("A", unit="kg/h"), tag("A")))))
    for words in (("site", "check", file), ("site", "load", file)):
        done = run(*words)
        assert done.exit_code == 1
        assert f"{file}:1: enterprises[0].sources[0].tags[0].unit:" in done.stderr
        assert f"{file}:1: enterprises[0].sources[0].tags[1].name:" in done.stderr
        assert "2 problems" in done.stderr


def test_a_file_that_is_no_text_ends_with_1(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    done = run("site", "check", file)
    assert done.exit_code == 1
    assert "cannot be read as utf-8" in done.stderr


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    assert run("site", "check", tmp_path / "none.yaml").exit_code == 2


def test_a_database_that_is_away_ends_with_3_and_says_what_to_set(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(site_data()))
    nowhere = "postgresql://nobody@127.0.0.1:1/x"
    for words in (("load", file), ("show",)):
        done = run("site", *words, "--database-url", nowhere)
        assert done.exit_code == 3
        assert "HAZWATCH_DATABASE_URL" in done.stderr


def test_checking_a_recording_counts_it_and_names_its_troubles(recording):
    done = run("replay", *recording, "--check")
    assert done.exit_code == 1
    assert "row 2: time 'noon' is not in the format of the map" in done.stdout
    assert "row 4: LT-1: 'x' is no reading" in done.stdout
    counts = dict(
        [part.strip() for part in line.strip("│ ").split("│")]
        for line in done.stdout.splitlines()
        if line.startswith("│")
    )
    assert (counts["rows"], counts["values"], counts["empty cells"]) == ("4", "1", "1")
    assert (counts["unreadable rows"], counts["unreadable cells"]) == ("1", "1")


def test_checking_looks_at_no_more_rows_than_asked(recording):
    done = run("replay", *recording, "--dry-run", "--limit", 1)
    assert done.exit_code == 0


def test_a_recording_without_the_columns_of_its_map_ends_with_1(recording, tmp_path):
    (tmp_path / "table.csv").write_text("t,b\n")
    assert run("replay", *recording, "--check").exit_code == 0, "no rows, nothing to miss"
    (tmp_path / "table.csv").write_text("t,b\n2026-01-01T00:00:00Z,1\n")
    done = run("replay", *recording, "--check")
    assert done.exit_code == 1
    assert "no column 'a'" in done.stderr


def test_the_site_file_of_a_map_can_be_loaded(recording):
    done = run("replay", *recording, "--site")
    assert done.exit_code == 0
    (source,) = read_site(done.stdout).enterprises[0].sources
    assert (source.tags[0].name, source.tags[0].limits.H) == ("LT-1", 80)


@pytest.mark.parametrize("words", [("--rebase", "--historical"), ("--speed", "2")])
def test_options_that_contradict_are_a_usage_error(recording, words):
    assert run("replay", *recording, *words).exit_code == 2


def test_a_broker_url_that_is_none_is_a_usage_error(recording):
    done = run("replay", *recording, "--mqtt-url", "http://x")
    assert done.exit_code == 2
    assert "mqtt://user:password@host:port" in done.stderr


def test_a_broker_that_is_away_ends_with_3_and_says_what_to_set(recording):
    done = run("replay", *recording, "--mqtt-url", "mqtt://u:secret@127.0.0.1:1", "--timeout", "1")
    assert done.exit_code == 3
    assert "HAZWATCH_MQTT_URL" in done.stderr
    assert "secret" not in done.stderr


def test_a_tag_that_the_rules_cannot_watch_is_refused_before_it_is_loaded(tmp_path):
    data = site_data(enterprise("e1", tag("LT-1", delay_on_s=1e11)))
    (tmp_path / "site.yaml").write_text(json.dumps(data))
    result = run("site", "check", tmp_path / "site.yaml")
    assert result.exit_code == 1
    assert "enterprises[0].sources[0].tags[0]: delay_on_s is 1e+11; allowed: 0 to" in result.output
