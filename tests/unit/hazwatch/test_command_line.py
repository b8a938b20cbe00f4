"""The command line teaches: examples, formats, completion, exit codes."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hazwatch.cli import assembled
from hazwatch.commands.output import Output, print_rows
from hazwatch.settings import shown

ROOT = Path(__file__).parents[3]
APP = assembled()


def commands() -> dict[str, Any]:
    """Every command that does something, by its words."""
    found: dict[str, Any] = {}

    def walk(words: tuple[str, ...], command: Any) -> None:
        if hasattr(command, "commands"):
            for name, below in command.commands.items():
                walk((*words, name), below)
        else:
            found[" ".join(words)] = command

    walk((), typer.main.get_command(APP))
    return found


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_command_has_a_sentence_and_an_example_of_itself(words):
    text = commands()[words].help or ""
    examples = re.findall(r"Example: hazwatch (.+)", text)
    assert examples
    assert all(example.startswith(words) for example in examples)


@pytest.mark.parametrize("words", sorted(commands()))
def test_options_in_an_example_exist(words):
    command = commands()[words]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    for example in re.findall(r"Example: hazwatch (.+)", command.help or ""):
        assert set(re.findall(r"(?<!\S)--[\w-]+", example)) <= known


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_option_says_what_it_does(words):
    silent = [
        one.name
        for one in commands()[words].params
        if one.param_type_name == "option" and not one.help
    ]
    assert silent == []


def test_the_first_page_names_every_noun_and_the_exit_codes():
    page = CliRunner().invoke(APP, ["--help"], env={"COLUMNS": "200"}).stdout
    for noun in ("db", "site", "user", "run", "demo", "replay", "load", "doctor", "settings"):
        assert re.search(rf"^\W*{noun}\b", page, re.MULTILINE), noun
    assert "3 a server is away" in page


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell):
    environment = os.environ | {
        "_HAZWATCH_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "hazwatch d",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "hazwatch d",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    program = str(Path(sys.executable).with_name("hazwatch"))
    done = subprocess.run(
        [program], env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "doctor" in done.stdout
    assert "replay" not in done.stdout


def test_settings_are_listed_in_every_form_without_passwords():
    secret = {"HAZWATCH_MQTT_URL": "mqtt://hazwatch:verysecret@b:1", "HAZWATCH_API_PORT": "1234"}
    outputs = {
        form: CliRunner().invoke(APP, ["settings", "--output", form], env=secret).stdout
        for form in ("table", "json", "csv")
    }
    assert not any("verysecret" in text for text in outputs.values())
    rows = json.loads(outputs["json"])
    port = next(row for row in rows if row["variable"] == "HAZWATCH_API_PORT")
    assert (port["value"], port["set"]) == ("1234", True)
    assert len(list(csv.DictReader(io.StringIO(outputs["csv"])))) == len(rows)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h/d?password=p&x=1", "postgresql://u@h/d?password=***&x=1"),
        ("mqtt://h:1883", "mqtt://h:1883"),
        (("b", "a"), "a,b"),
        (0.5, "0.5"),
    ],
)
def test_a_value_is_shown_as_it_is_set_but_for_its_password(value, told):
    assert shown(value) == told


def test_a_spreadsheet_takes_no_text_for_a_formula(capsys):
    print_rows([{"a": "=1+1", "b": None, "c": -1.5}], ("a", "b", "c"), Output.CSV)
    assert capsys.readouterr().out == "a,b,c\n'=1+1,,-1.5\n"


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_exit_codes_are_documented(code):
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert re.search(rf"^\| {code} \|", page, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "x"), ("DATABASE_URL", "mysql://db/h"), ("MQTT_URL", "127.0.0.1:1883")],
)
def test_an_address_of_another_kind_is_refused_with_what_is_expected(monkeypatch, name, value):
    monkeypatch.setenv(f"HAZWATCH_{name}", value)
    result = CliRunner().invoke(assembled(), ["run"])
    assert result.exit_code == 2
    assert f"HAZWATCH_{name} = {value!r}" in result.output
    assert "://user:password@host:port" in result.output


def test_a_refused_address_does_not_show_its_password(monkeypatch):
    monkeypatch.setenv("HAZWATCH_DATABASE_URL", "mysql://desk:s3cret@db/h")
    result = CliRunner().invoke(assembled(), ["run"])
    assert "mysql://desk:***@db/h" in result.output
    assert "s3cret" not in result.output


def test_without_a_database_its_schema_can_not_be_updated_and_that_is_said():
    url = "postgresql://nobody@127.0.0.1:1/none"
    result = CliRunner().invoke(assembled(), ["db", "migrate", "--database-url", url])
    assert result.exit_code == 3
    assert "the database is away" in result.output
