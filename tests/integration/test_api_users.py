"""`hazwatch user` against a real database."""

import pytest
from typer.testing import CliRunner

from hazwatch.commands.user import app
from tests.support.seed import Seed


@pytest.fixture
def run(timescale_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HAZWATCH_DATABASE_URL", timescale_url)
    Seed(timescale_url).plant()

    def run(*words: str, typed: str = ""):
        return CliRunner().invoke(app, list(words), input=typed)

    return run


def test_a_generated_password_is_the_only_thing_on_standard_output(run):
    added = run("add", "li", "--role", "operator", "--node", "p1", "--generate")
    assert added.exit_code == 0, added.output
    assert len(added.stdout.strip().split()) == 1
    assert "operator of p1" in run("list").stdout


def test_a_node_may_be_named_by_the_end_of_its_path(run):
    typed = "a long enough password\n"
    words = ("--role", "enterprise", "--node", "p1/e2", "--password-stdin")
    assert run("add", "zhang", *words, typed=typed).exit_code == 0
    again = run("add", "zhang", *words, typed=typed)
    assert again.exit_code == 1
    assert "there already" in again.stderr


@pytest.mark.parametrize(
    ("role", "node", "told"),
    [
        ("operator", "p9", "no node is called"),
        ("operator", "s1", "more than one node fits"),
        ("enterprise", "p1", "needs an enterprise"),
        ("operator", "e1/s1", "a whole enterprise"),
    ],
)
def test_a_grant_that_cannot_work_is_refused_in_words(run, role, node, told):
    refused = run("add", "li", "--role", role, "--node", node, "--generate")
    assert refused.exit_code == 1
    assert told in refused.stderr


def test_short_passwords_are_refused(run):
    words = ("--role", "operator", "--node", "p1", "--password-stdin")
    assert run("add", "li", *words, typed="short\n").exit_code == 1


def test_a_removed_person_can_come_back_without_the_old_grants(run):
    words = ("--role", "operator", "--node", "p1", "--generate")
    run("add", "li", *words)
    assert run("remove", "li").exit_code == 0
    assert run("remove", "li").exit_code == 1
    assert run("add", "li", "--role", "enterprise", "--node", "e1", "--generate").exit_code == 0
    listed = run("list").stdout
    assert "enterprise of e1" in listed
    assert "operator" not in listed


def test_a_database_that_is_away_has_its_own_exit_code(monkeypatch):
    monkeypatch.setenv("HAZWATCH_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    assert CliRunner().invoke(app, ["list"]).exit_code == 3
