"""`hazwatch roster` on the example that comes with it, and its page as it stands."""

import csv
import io
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hazwatch.cli import assembled

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "deploy" / "warnings" / "example"
APP = assembled()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "people")
    return tmp_path / "people" / "contacts.toml"


def roster(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(APP, ["roster", *map(str, words)], env={"COLUMNS": "150"})
    assert done.exit_code == code, done.output
    return done.output


def on_duty(file: Path, at: str, role: str = "PK") -> list[tuple[str | None, str]]:
    found = json.loads(
        roster("show", "--file", file, "--at", at, "--role", role, "--output", "json")
    )
    return [(row["person"], row["why"]) for row in found]


def test_who_is_on_duty_at_a_time_is_shown_with_the_reason(file):
    assert on_duty(file, "2026-11-23T09:00") == [("zhang", "roster")]
    assert on_duty(file, "2026-11-23T20:15") == [("zhang", "roster"), ("li", "roster")]
    assert on_duty(file, "2026-11-22T23:00") == [("wang", "fallback")]
    assert on_duty(file, "2027-01-02T03:00") == [("wang", "roster")]
    assert on_duty(file, "2026-11-23T01:00:00+0000") == [("zhang", "roster")]
    assert on_duty(file, "2026-11-23T09:00", "HD-main") == [("smith", "named")]
    assert on_duty(file, "2026-11-23T09:00", "OP") == [(None, "address")]


def test_the_table_names_roles_that_nobody_holds_and_when_somebody_else_comes(file):
    said = roster("show", "--file", file, "--at", "2026-11-23T09:00")
    assert "zhang 张伟" in said
    assert "until Mon 23 20:00" in said
    assert re.search(r"nobody is named anywhere for SM, .*FR", said)


def test_gaps_are_listed_with_who_is_told_instead(file):
    found = list(csv.DictReader(io.StringIO(roster("gaps", "--file", file, "--output", "csv"))))
    assert {row["told_instead"] for row in found} == {"wang"}
    text = file.read_text("utf-8").replace('fallback = "wang"', "")
    file.write_text(text, "utf-8")
    assert "nobody 无人" in roster("gaps", "--file", file, "--for", "2w", code=1)
    roster("gaps", "--file", file, "--for", "2 fortnights", code=2)


def test_the_calendar_has_a_line_for_each_day_and_duty_and_a_name_for_each_colour(file):
    said = roster("calendar", "--file", file, "--at", "2026-12-31", "--role", "PK")
    lines = said.splitlines()
    (first,) = [line for line in lines if line.startswith("Thu 12-31")]
    bar = "█" * 16 + "▀" + "█" * 23 + "▀" + "█" * 7
    assert first.split("  ")[1:4] == [bar, "00:00 li", "08:00 li+zhang"]
    (gap,) = [line for line in lines if line.startswith("Mon 01-04")]
    assert gap.split("  ")[1].startswith("▒" * 16 + "█")
    assert len([line for line in lines if re.match(r"\w{3} \d\d-\d\d", line)]) == 7
    assert "wang 王芳" in said


def test_check_says_file_line_what_and_what_to_do(file):
    assert "good: 1 contacts, 4 people, 2 duties, 2 rosters" in roster("check", file)
    week = file.parent / "week.ics"
    assert "good" in roster("check", week, "--people", file)
    week.write_text(week.read_text("utf-8").replace("SUMMARY:li", "SUMMARY:lee"), "utf-8")
    said = roster("check", week, "--people", file, code=1)
    assert f"{week}:13: SUMMARY 'lee 夜班' names nobody known\n    name a [[person]]" in said
    assert "week.ics line 13" in roster("check", file, code=1)
    assert "hazwatch roster check" in roster("show", "--file", file, code=1)


def test_without_a_file_it_says_how_to_name_one():
    assert "HAZWATCH_CONTACTS_FILE" in roster("show", code=2)


def test_the_page_can_be_typed_as_it_stands(tmp_path, monkeypatch):
    """Line by line; what is ours in this process, for speed."""
    page = (ROOT / "docs" / "who-is-told.md").read_text("utf-8")
    (script,) = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    monkeypatch.chdir(tmp_path)
    said = ""
    for line in script.splitlines():
        match shlex.split(line.split("||")[0]):
            case ["hazwatch", "roster", *words]:
                said += roster(*words, code=int("||" in line))
            case ["cd", folder]:
                monkeypatch.chdir(folder)
            case words:
                subprocess.run(words, check=True)
    assert "names nobody known" in said
    (picture,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for line in picture.splitlines():
        assert line.rstrip() in said


def test_the_file_on_the_page_can_be_read(tmp_path, file):
    page = (ROOT / "docs" / "who-is-told.md").read_text("utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    more = "".join(
        f'\n[[person]]\ncode = "{code}"\nname = "x"\n'
        'channels = [{ channel = "log", address = "x" }]\n'
        for code in ("li", "wang")
    )
    file.write_text(text.replace("wecombot://KEY", "wecombot://0123456789") + more, "utf-8")
    assert "good: 1 contacts, 3 people, 1 duties" in roster("check", file)
