"""`hazwatch gateway key` against a real database."""

import csv
import io
import json
import re

import psycopg
import pytest
from typer.testing import CliRunner

from domain.clock import SystemClock
from hazwatch.commands.gateway import app
from ingest.gateway_keys import KeyBook
from storage.database import DatabaseOptions, connect
from storage.gateway_keys import keep_uses, key_changes, present_keys
from storage.reading import Reading
from storage.sessions import open_session, own_enterprises
from tests.support.builders import START, at
from tests.support.seed import Seed


@pytest.fixture
def run(timescale_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HAZWATCH_DATABASE_URL", timescale_url)
    Seed(timescale_url).plant()
    return lambda *words: CliRunner().invoke(app, ["key", *words], env={"COLUMNS": "200"})


def listed(run, *words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run("list", *words, "--output", "csv").stdout)))


def test_the_key_is_the_only_thing_on_standard_output_and_nowhere_in_the_database(
    run, timescale_url
):
    added = run("add", "p1/e1/g1", "--by", "li.wei")
    assert added.exit_code == 0, added.output
    (key,) = added.stdout.split()
    assert re.fullmatch(r"hwk_[0-9a-f]{12}_[\w-]{43}", key)
    assert "shown this once" in added.stderr
    with psycopg.connect(timescale_url) as conn:
        rows = conn.execute("SELECT gateway_key::text FROM gateway_key").fetchall()
    assert key.split("_", 2)[2] not in str(rows)
    (row,) = listed(run)
    assert (row["gateway"], row["state"], row["by"]) == ("p1/e1/g1", "holds", "li.wei")
    assert (row["expires"], row["used"]) == ("", "")
    assert "p1/e1/g1" in run("list").stdout
    assert json.loads(run("list", "p1/e2/g1", "--output", "json").stdout) == []


def test_a_gateway_that_is_not_there_is_refused_in_words(run):
    for words in (("add", "p1/e1/g9"), ("list", "e1"), ("revoke", "p1/e9/g1")):
        refused = run(*words)
        assert refused.exit_code == 1
        assert "p1/e1/g1, p1/e2/g1" in refused.stderr


def test_keys_are_changed_one_after_the_other(run):
    run("add", "p1/e1/g1", "--days", "365")
    run("add", "p1/e1/g1")
    old, new = (row["key"] for row in listed(run, "p1/e1/g1"))
    unclear = run("revoke", "p1/e1/g1")
    assert unclear.exit_code == 2
    assert old in unclear.stderr
    assert new in unclear.stderr
    assert run("revoke", "p1/e1/g1", "--key", old).stdout == f"key {old} of p1/e1/g1 revoked\n"
    assert [row["state"] for row in listed(run)] == ["revoked", "holds"]
    assert run("revoke", "p1/e1/g1", "--key", old).exit_code == 1
    assert run("revoke", "p1/e2/g1").exit_code == 1
    assert run("revoke", "p1/e1/g1", "--by", "li.wei").exit_code == 0
    assert [row["revoked_by"] for row in listed(run)][1] == "li.wei"
    run("add", "p1/e1/g1")
    run("add", "p1/e1/g1")
    assert len(run("revoke", "p1/e1/g1", "--all").stdout.splitlines()) == 2


async def test_the_worker_sees_every_change_and_keeps_the_last_use(timescale_url, run):
    conn = await connect(DatabaseOptions(timescale_url))
    async with conn:
        seen = [await key_changes(conn)]
        key = _in_thread(run, "add", "p1/e1/g1").stdout.strip()
        seen.append(await key_changes(conn))
        book = KeyBook(await present_keys(conn))
        holder = book.holder(key, SystemClock().now())
        assert holder is not None
        await keep_uses(conn, book.newly_used())
        await keep_uses(conn, {holder.id: START})
        (used,) = [one.used for one in await present_keys(conn)]
        assert used is not None
        assert used > START
        seen.append(await key_changes(conn))
        _in_thread(run, "revoke", "p1/e1/g1")
        seen.append(await key_changes(conn))
        assert await present_keys(conn) == []
    assert (seen[0], seen[1] == seen[2], len(set(seen))) == ((0, 0), True, 3)


def _in_thread(run, *words: str):
    """A command has a loop of its own."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run, *words).result()


async def test_people_speak_for_the_enterprises_they_have_a_role_in_and_no_others(timescale_url):
    seed = Seed(timescale_url)
    plant = seed.plant()
    seed.person("wang", "enterprise", plant.enterprises[0])
    seed.person("desk", "operator", plant.park)
    async with Reading(timescale_url) as reading:
        for name in ("wang", "desk"):
            await open_session(reading, f"token of {name}", name, START, at(60))
        mine = await own_enterprises(reading, "token of wang", at(1))
        assert mine == frozenset({("p1", "e1")})
        assert await own_enterprises(reading, "token of desk", at(1)) == frozenset()
        assert await own_enterprises(reading, "token of nobody", at(1)) is None
        assert await own_enterprises(reading, "token of wang", at(61)) is None
