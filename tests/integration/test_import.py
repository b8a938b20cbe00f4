"""`hazwatch import` against a real database, killed, overlapping, and beside a running service."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from domain.frame import Flag
from hazwatch.commands.import_files import import_files
from storage.database import DatabaseOptions, connect
from storage.registry import load_site
from tests.support.service import Service
from tests.support.sites import enterprise, site, tag

FIRST = datetime(2021, 3, 1, tzinfo=UTC)
TAGS = tuple(f"LT-{n}" for n in range(1, 21))
PLAN = (
    "time: {column: t, format: iso}\npark: p1\nenterprise: e1\ntags: {"
    + ", ".join(f"{name}: {name}" for name in TAGS)
    + "}\n"
)
SMALL = (
    "from hazwatch.imports.delimited import Delimited; Delimited.pieces.__defaults__ = (1 << 16,); "
)
"""A child that takes pieces of 64 KiB, so that there is something to kill between them."""


APP = typer.Typer()
APP.command()(import_files)


class Place:
    """A folder, a database, and the command line as a child process."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        (folder / "map.yaml").write_text(PLAN)

    def load(self) -> None:
        async def work() -> None:
            async with await connect(DatabaseOptions(self.url)) as conn:
                wanted = site(enterprise("e1", *(tag(name) for name in TAGS)))
                await load_site(conn, wanted, by="test", at=datetime(2026, 1, 1, tzinfo=UTC))

        asyncio.run(work())

    def child(self, *words: object) -> subprocess.Popen[str]:
        start = f"{SMALL}from hazwatch.cli import main; main()"
        return subprocess.Popen(
            [sys.executable, "-c", start, "import", *(str(word) for word in words)],
            env=os.environ | {"HAZWATCH_DATABASE_URL": self.url, "PYTHONPATH": os.getcwd()},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: object) -> tuple[int, str, str]:
        with chdir(self.folder):
            said = [str(word) for word in (*words, "--database-url", self.url)]
            done = CliRunner().invoke(APP, said)
        assert not done.exception or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    def imported(self, file: Path, *words: object) -> dict[str, Any]:
        """The account of an import with the map, all of which went well."""
        code, out, err = self.run(file, "--map", "map.yaml", "--json", *words)
        assert code in (0, 1), err
        (found,) = json.loads(out)
        whole = ("empty", "refused", "stored", "duplicate", "conflict")
        assert found["cells"] == sum(found[name] for name in whole)
        return {**found, "code": code}

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            return conn.execute(statement).fetchall()


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    found = Place(tmp_path, database_url)
    found.load()
    return found


@pytest.fixture
def timescale_place(tmp_path: Path, timescale_url: str) -> Place:
    found = Place(tmp_path, timescale_url)
    found.load()
    return found


def table(
    file: Path, rows: int, step_s: float = 60, first: datetime = FIRST, **changed: str
) -> Path:
    """A wide table of all tags; changed: cells by column_row."""
    with file.open("w") as out:
        out.write("t," + ",".join(TAGS) + "\n")
        for n in range(rows):
            cells = [changed.get(f"{name}_{n}", str((n + i) % 70)) for i, name in enumerate(TAGS)]
            out.write(f"{(first + timedelta(seconds=n * step_s)).isoformat()},{','.join(cells)}\n")
    return file


def _cells(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, "x")


def until(true: Callable[[], object], what: str, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_file_its_overlap_and_its_mistakes(place: Place):
    wrong: dict[str, Any] = {"LT-1_3": "Bad Input", "LT-2_4": "", "LT-3_5": "104"}
    first = place.imported(table(place.folder / "a.csv", 500, **wrong))
    assert (first["code"], first["stored"], first["refused"], first["empty"]) == (1, 9998, 1, 1)
    report = (place.folder / "a.csv.problems.csv").read_text()
    assert report.splitlines()[1].startswith("5,LT-1,Bad Input,not_a_number")
    flags = int(Flag.HISTORY | Flag.HISTORICAL)
    assert place.ask("SELECT count(*), min(flags), max(flags) FROM sample") == [
        (9998, flags, flags)
    ]
    assert place.ask("SELECT count(*) FROM sample WHERE quality = 86") == [(1,)]
    last = FIRST + timedelta(minutes=499)
    assert place.ask("SELECT count(*), min(time_from), max(time_to) FROM dirty_range") == [
        (20, FIRST, last)
    ]

    code, out, _ = place.run(place.folder / "a.csv", "--map", "map.yaml")
    assert (code, "already imported" in out) == (0, True)
    again = place.imported(place.folder / "a.csv", "--again")
    assert (again["stored"], again["duplicate"], again["again"]) == (0, 9998, 1)

    other: dict[str, Any] = {"LT-1_3": "7", "LT-1_9": "-1", "LT-3_5": "104"}
    longer = place.imported(table(place.folder / "b.csv", 600, **other))
    assert (longer["stored"], longer["duplicate"], longer["conflict"]) == (2002, 9997, 1)
    assert longer["code"] == 1
    assert place.ask("SELECT value FROM sample JOIN tag ON tag.id = tag_id WHERE name = 'LT-1' "
                     "AND time = '2021-03-01T00:09Z'") == [(9.0,)]  # fmt: skip
    assert "another value stands" in (place.folder / "b.csv.problems.csv").read_text()
    listed = json.loads(place.run("--list", "--json")[1])
    assert [file["name"] for file in listed] == ["b.csv", "a.csv", "a.csv"]


def test_years_of_few_samples_in_no_order_and_a_newer_latest_stays(place: Place):
    with psycopg.connect(place.url, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO tag_latest SELECT id, '2040-01-01Z', '2040-01-01Z', 42, 192 FROM tag "
            "WHERE name = 'LT-1'"
        )
    rng = np.random.default_rng(7)
    seconds = rng.permutation(np.arange(0, 2 * 365 * 86_400, 20_000))
    when = np.datetime64(FIRST.replace(tzinfo=None), "us") + seconds.astype("timedelta64[s]")
    value = pa.array(rng.random(len(when)))
    columns = {"t": pa.array(when, pa.timestamp("us", "UTC")), "LT-1": value, "LT-2": value}
    pq.write_table(pa.table(columns), place.folder / "y.parquet", row_group_size=1000)
    tags = PLAN.replace(", ".join(f"{n}: {n}" for n in TAGS), "LT-1: LT-1, LT-2: LT-2")
    (place.folder / "map.yaml").write_text(tags)
    done = place.imported(place.folder / "y.parquet")
    assert (done["stored"], done["refused"], done["bad_rows"]) == (2 * len(when), 0, 0)
    assert place.ask("SELECT count(*) FROM sample") == [(2 * len(when),)]
    newest = dict(place.ask("SELECT name, time FROM tag_latest JOIN tag ON tag.id = tag_id"))
    assert newest["LT-1"] == datetime(2040, 1, 1, tzinfo=UTC), "newer, and stays"
    assert newest["LT-2"] == when.max().astype(datetime).replace(tzinfo=UTC)
    assert max(n for (n,) in place.ask("SELECT count(*) FROM dirty_range GROUP BY tag_id")) <= 100


@pytest.mark.parametrize("times", [4, pytest.param(40, marks=pytest.mark.soak)])
def test_killed_at_any_moment_every_sample_is_there_once(timescale_place: Place, times: int):
    place = timescale_place
    rows = max(15_000, 1_500 * times)  # long enough to be killed so often
    values = 20 * rows - 1
    file = table(place.folder / "k.csv", rows, step_s=900, **_cells("LT-1_7000"))
    kills = 0
    for n in range(1, times + 1):
        child = place.child(file, "--map", "map.yaml")
        until(partial(_moved, place, child, _pieces(place)), "a piece more")
        time.sleep(0.13 * n / times)
        kills += child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert kills >= min(times, 10) // 2, "it has to be killed on its way"
    half = json.loads(place.run("--list", "--json")[1])
    assert half[0]["finished_at"] is None
    done = place.imported(file)
    assert (done["stored"], done["duplicate"], done["conflict"]) == (values, 0, 0)
    assert (done["rows"], done["refused"], done["id"]) == (rows, 1, half[0]["id"])
    found = place.ask("SELECT count(*), count(DISTINCT (tag_id, time)) FROM sample")
    assert found == [(values, values)]
    report = (place.folder / "k.csv.problems.csv").read_text()
    assert report.count("not_a_number") == 1
    ranges = place.ask("SELECT min(time_from), max(time_to), count(*) FROM dirty_range")
    assert ranges == [(FIRST, FIRST + timedelta(minutes=15 * (rows - 1)), 20)]


def _moved(place: Place, child: subprocess.Popen[str], before: int) -> bool:
    return child.poll() is not None or _pieces(place) > before


def _pieces(place: Place) -> int:
    return int(place.ask("SELECT coalesce(max(pieces), 0) FROM import_file")[0][0])


def test_a_database_that_goes_away_is_waited_for(timescale, timescale_place: Place):
    place = timescale_place
    file = table(place.folder / "d.csv", 4000)
    child = place.child(file, "--map", "map.yaml", "--wait", 60, "--json")
    until(lambda: _pieces(place) > 2, "some pieces")
    timescale.restart(signal.SIGQUIT)
    out, err = child.communicate(timeout=90)
    assert child.returncode == 0, err
    assert json.loads(out)[0]["stored"] == 80_000
    timescale.stop()
    code, _, err = place.run(file, "--map", "map.yaml", "--wait", 0)
    assert (code, "the database is away" in err) == (3, True)


def test_a_guess_is_not_stored_unasked(timescale_place: Place):
    place = timescale_place
    file = table(place.folder / "g.csv", 3, **_cells("LT-1_1"))
    code, _, err = place.run(file)
    assert (code, "--yes" in err, "20 tags" in err) == (2, True, True)
    code, out, _ = place.run(file, "--dry-run")
    assert code == 1
    for words in ("20 tags", "2021-03-01T00:00:00Z to 2021-03-01T00:02:00Z", "line 3, LT-1: 'x'"):
        assert words in out
    code, out, _ = place.run(file, "--print-map")
    (place.folder / "kept.yaml").write_text(out)
    assert place.run(file, "--map", "kept.yaml", "--quiet")[:2] == (1, "")
    assert place.run(file, "--yes")[0] == 0, "the same map: already imported"
    assert place.ask("SELECT count(*) FROM sample") == [(59,)]


def test_alarms_of_the_past_are_found_afterwards_and_none_live(mosquitto, timescale_place: Place):
    place = timescale_place
    with Service(place.folder, place.url, mosquitto.url, replay_quiet_s="1") as service:
        service.start()
        until(lambda: service.watching, "the service is up")
        high: dict[str, Any] = {f"LT-1_{n}": "95" for n in range(300, 320)}
        done = place.imported(table(place.folder / "p.csv", 2000, **high))
        assert done["stored"] == 40_000
        until(lambda: not place.ask("SELECT 1 FROM dirty_range"), "all is judged afterwards")
        service.end()
    found = place.ask("SELECT lane, kind, onset, ended FROM alarm ORDER BY kind")
    began, ended = (FIRST + timedelta(minutes=n) for n in (300, 320))
    assert [(lane, kind) for lane, kind, _, _ in found] == [(1, "H"), (1, "HH")]
    assert {onset for _, _, onset, _ in found} == {began}
    assert all(ended <= end <= ended + timedelta(minutes=2) for *_, end in found)
    with Service(place.folder, place.url, mosquitto.url) as service:
        service.start()
        until(lambda: service.watching, "it starts again beside the history")
        service.end()
    assert place.ask("SELECT count(*) FROM alarm WHERE lane = 0 AND kind IN ('H', 'HH')") == [(0,)]
