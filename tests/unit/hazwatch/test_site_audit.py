"""`hazwatch site audit`: it tells, with place and number, and refuses nothing."""

import json

import pytest
import typer
from typer.testing import CliRunner

from hazwatch.commands import site
from tests.support.sites import enterprise, site_data, tag

GAS = {"kind": "gas_toxic", "unit": "ppm", "gas": "ammonia", "range": [0, 80]}


def audited(tmp_path, *tags, words=()):
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(site_data(enterprise("e1", *tags))), "utf-8")
    app = typer.Typer()
    app.add_typer(site.app, name="site")
    return CliRunner().invoke(app, ["site", "audit", str(file), *words], env={"COLUMNS": "200"})


def test_set_points_that_are_not_allowed_end_with_1(tmp_path):
    done = audited(tmp_path, tag("GD-1", **GAS, limits={"H": 35, "HH": 57}))
    assert done.exit_code == 1
    assert "35 ppm > 28.71 ppm (100 %OEL) (5.5.2, V2)" in done.stdout
    assert "1 error, 0 warning" in done.stdout
    assert "57 ppm" not in done.stdout


def test_good_ones_end_with_0_and_are_shown_when_asked_for(tmp_path):
    tags = (tag("GD-1", **GAS, limits={"H": 28.7, "HH": 57.4}), tag("LT-1"))
    done = audited(tmp_path, *tags, words=["--all"])
    assert done.exit_code == 0
    assert "28.7 ppm ≤ 28.71 ppm" in done.stdout
    assert "0 error, 0 warning, 0 note, 3 ok" in done.stdout


def test_json_has_every_comparison_with_its_place_and_origin(tmp_path):
    done = audited(tmp_path, tag("GD-1", **GAS, limits={"H": 35, "HH": 57}), words=["--json"])
    found = {row["path"]: row for row in json.loads(done.stdout)}
    row = found["enterprises[0].sources[0].tags[0].limits.H"]
    assert row == {
        "tag": "GD-1", "rule": "toxic", "member": "limits.H", "value": 35.0, "unit": "ppm",
        "allowed": "≤ 28.71", "severity": "error", "text": row["text"], "clause": "5.5.2",
        "source": "S8, S9", "confidence": "V2", "path": row["path"],
    }  # fmt: skip


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_file_that_is_no_site_says_so(tmp_path, words):
    done = audited(tmp_path, tag("GD-1", kind="nothing"), words=words)
    assert done.exit_code == 1
    assert "tags[0].kind" in done.stderr
