"""`hazwatch pca` on a real database: the example of the page, every refusal, and what the api
shows."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest

from domain.clock import SystemClock
from domain.frame import Floats, Frame
from domain.instant import micros
from domain.pca_record import PcaNow, PcaShare, PcaSight
from domain.site import read_site
from storage.database import DatabaseOptions, connect, server_facts
from storage.partitions import partitions
from storage.pca_models import all_groups, write_pca_now
from storage.registry import load_site, read_registry
from storage.samples import LastStored, write_samples
from tests.support.api import Api, api_in_loop
from tests.support.pca_groups import EVERY, NAMES, running
from tests.support.seed import Seed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "early-warning.md").read_text("utf-8")
SECTION = PAGE.split("## Groups at a running site")[1].split("\n## ")[0]
BEGIN = datetime(2026, 10, 31, 16, tzinfo=UTC)
SCANS = 3 * 1440
SITE = re.findall(r"^```yaml\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)[0]
PERIOD = ("--from", "2026-11-01T00:00+08:00", "--to", "2026-11-04T00:00+08:00")


async def loaded(url: str, text: str = SITE) -> dict[str, int]:
    """The site of the page; ids of its tags by name."""
    async with await connect(DatabaseOptions(url)) as conn:
        await load_site(conn, read_site(text), by="test", at=BEGIN)
        return {tag.name: tag.id for tag in (await read_registry(conn)).tags.values()}


async def kept(
    url: str, tags: dict[str, int], scans: Floats, begin: datetime = BEGIN, every: float = EVERY
) -> None:
    """Store scans, `every` seconds apart, a little after the full one; NaN: no sample."""
    row, column = np.nonzero(~np.isnan(scans))
    at = micros(begin) + round(every * 1e5) + row * round(every * 1e6)
    ids = np.array([tags[name] for name in NAMES], np.int32)[column]
    frame = Frame.of(ids, at, scans[row, column], received=int(at.max()) + 1)
    async with await connect(DatabaseOptions(url)) as conn:
        await partitions(await server_facts(conn)).cover(conn, at, begin)
        async with conn.transaction():
            await write_samples(conn, [frame], LastStored())


def hazwatch(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HAZWATCH_DATABASE_URL": url, "COLUMNS": "200"}
    command = [sys.executable, "-m", "hazwatch", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def good(url: str, *words: str) -> str:
    done = hazwatch(url, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(url: str, *words: str) -> str:
    done = hazwatch(url, "pca", "learn", "reactor", *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "nothing was done" in done.stderr
    return done.stderr


def test_the_page_can_be_typed_as_it_stands(timescale_url, tmp_path):
    asyncio.run(_stored(timescale_url))
    (tmp_path / "plant.yaml").write_text(SITE, "utf-8")
    (script,) = re.findall(r"^```sh\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {
        "PATH": path, "HAZWATCH_DATABASE_URL": timescale_url, "COLUMNS": "200"
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "2 of 6 explain", "█", "0.00% of these scans", "not active yet", "version 1 is active",
        "acme/s1/reactor", "unknown",
    ):  # fmt: skip
        assert said in done.stdout, f"{said} in:\n{done.stdout}"


async def _stored(url: str) -> None:
    await kept(url, await loaded(url), running(SCANS))


async def test_a_model_is_one_document_and_has_its_act_beside_it(timescale_url):
    await kept(timescale_url, await loaded(timescale_url), running(SCANS))
    url = timescale_url
    learn = ("pca", "learn", "reactor", *PERIOD, "--json", "--by", "李工")
    told = json.loads(good(url, *learn))
    assert (told["version"], told["active"], told["group"]) == (1, False, "acme/s1/reactor")
    assert (told["scans"], told["interval_s"], told["kept"]) == (SCANS, 60, list(NAMES))
    assert 100 < told["independent"] < SCANS
    assert len(told["explained"]) == 2
    assert told["alarmed"] == 0 < told["highest"]["spe"] < 1
    again = json.loads(good(url, *learn, "--activate", "--reason", "new"))
    assert (again["version"], again["active"]) == (2, True)
    assert again["digest"] == told["digest"]
    assert "instead of version 2" in good(url, "pca", "activate", "reactor", "1", "--reason", "b")
    shown = json.loads(good(url, "pca", "show", "reactor", "--json"))
    assert [one["version"] for one in shown["decisions"]] == [1, 2]
    assert [one["active"] for one in shown["versions"]] == [False, True]
    assert shown["decisions"][1]["by"] == "李工"
    assert "it was version 1" in good(url, "pca", "drop", "reactor", "--reason", "rebuilt")
    (listed,) = json.loads(good(url, "pca", "list", "--json"))
    assert (listed["models"], listed["active"]) == (2, None)
    assert listed["now"].startswith("not watched")


async def test_what_cannot_be_learnt_is_refused_in_words_that_say_what_to_do(timescale_url):
    url = timescale_url
    tags = await loaded(url)
    assert "TI-1, TI-2, PI-1, PI-2, FI-1, LI-1: no good sample" in refused(url, *PERIOD)
    assert "choose another period" in refused(url, *PERIOD, "--anyway")
    scans = running(SCANS)
    scans[:1440, 4] = 7.25
    seldom = np.arange(SCANS) % 10 != 0
    scans[(np.arange(SCANS) // 1440 == 1) & seldom, 5] = np.nan
    await kept(url, tags, scans)
    first = ("--from", "2026-10-31T16:00Z", "--to", "2026-11-01T16:00Z")
    assert "FI-1 stood still at 7.25 m3/h" in (said := refused(url, *first))
    assert "--anyway to learn without it" in said
    second = ("--from", "2026-11-01T16:00Z", "--to", "2026-11-02T16:00Z")
    short = ("--from", "2026-11-03T00:00Z", "--to", "2026-11-03T01:00Z")
    assert "needed: 100 or more. A scan is 60 s here: choose a longer period" in refused(
        url, *short
    )
    assert re.search(r"LI-1 read in [34]\d% of the scans; needed: 90%", refused(url, *second))
    backwards = ("--from", "2026-11-03T00:00Z", "--to", "2026-11-02T00:00Z")
    assert "before it begins" in refused(url, *backwards)
    told = json.loads(good(url, "pca", "learn", "reactor", *first, "--anyway", "--json"))
    assert {"tag": "FI-1", "why": "stood still at 7.25 m3/h"} in told["left_out"]
    assert "FI-1" not in told["kept"]


async def test_a_period_with_alarms_is_refused_unless_anyway(timescale_url):
    url = timescale_url
    tags = await loaded(url)
    await kept(url, tags, running(SCANS))
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO alarm (id, lane, kind, tag_id, node, enterprise, priority, state, onset,"
            " effective, value, limit_value, worst, n) SELECT gen_random_uuid(), 0, 'HH', id,"
            " source, enterprise, 'P1', 'UNACK', %s, %s, 1, 1, 1, 1 FROM tag WHERE name = 'PI-1'",
            (BEGIN, BEGIN),
        )
    assert "1 alarms of members or of the group in the period (1 HH of PI-1)" in refused(
        url, *PERIOD
    )
    told = json.loads(good(url, "pca", "learn", "reactor", *PERIOD, "--anyway", "--json"))
    assert told["alarms"] == [{"kind": "HH", "subject": "PI-1", "count": 1}]


async def test_what_is_asked_wrongly_is_said(timescale_url):
    url = timescale_url
    await loaded(url)
    for words, code, said in (
        (
            ("learn", "boiler", *PERIOD),
            1,
            "no group of kind pca is called 'boiler'; there is: acme",
        ),
        (("learn", "reactor", "--from", "2026-11-01T00:00"), 2, "no instant with a zone"),
        (("learn", "reactor", *PERIOD, "--activate"), 2, "--activate needs --reason"),
        (("activate", "reactor", "7", "--reason", "x"), 1, "there is no version 7"),
        (("activate", "reactor", "1", "--reason", " "), 2, "--reason is empty"),
    ):
        done = hazwatch(url, "pca", *words)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    away = hazwatch("postgresql://nobody@127.0.0.1:1/none", "pca", "list")
    assert (away.returncode, "the database is away" in away.stderr) == (3, True)


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    async with api_in_loop(database_url) as api:
        yield api


async def group_of(url: str) -> dict[str, Any]:
    async with await connect(DatabaseOptions(url)) as conn:
        (row,) = await all_groups(conn)
        return row


async def test_the_api_shows_models_decisions_and_statistics_with_shares(database_url, api):
    tags = await loaded(database_url)
    await kept(database_url, tags, running(SCANS))
    group = await group_of(database_url)
    Seed(database_url).person("own", "enterprise", group["enterprise"])
    client = await api.login("own")

    async def item() -> dict[str, Any]:
        answer = await client.get("/api/v1/groups")
        assert answer.status_code == 200
        (one,) = answer.json()["items"]
        return dict(one)

    assert ((await item())["sight"], (await item())["active"]) == ("no_model", None)
    good(database_url, "pca", "learn", "reactor", *PERIOD, "--activate", "--reason", "calm")
    assert (await item())["sight"] == "unknown"
    now = SystemClock().now()
    shares = (PcaShare(tags["TI-1"], 0.7, 0.1), PcaShare(tags["PI-2"], 0.3, 0.9))
    told = PcaNow(
        group["id"], group["enterprise"], now, PcaSight.WATCHED, 1, now, 0.4, 1.2, 1, now, shares
    )
    async with await connect(DatabaseOptions(database_url)) as conn:
        await write_pca_now(conn, [told])
    one = await item()
    assert (one["sight"], one["t2"], one["spe"], one["missing"]) == ("watched", 0.4, 1.2, 1)
    assert [share["name"] for share in one["shares"]] == ["PI-2", "TI-1"]
    assert one["alarm_since"] is not None
    answer = await client.get(f"/api/v1/groups/{one['id']}/models")
    models = answer.json()
    (version,) = models["versions"]
    assert (version["version"], version["active"], version["scans"]) == (1, True, SCANS)
    assert version["since"] == "2026-10-31T16:00:00Z"
    assert version["t2_limit"] > 0 < version["spe_limit"]
    assert [one["reason"] for one in models["decisions"]] == ["calm"]
    async with await connect(DatabaseOptions(database_url)) as conn:
        old = now - timedelta(minutes=4)
        await write_pca_now(
            conn, [PcaNow(group["id"], group["enterprise"], old, PcaSight.WATCHED, 1)]
        )
    assert ((await item())["sight"], (await item())["t2"]) == ("unknown", None)


async def test_groups_of_others_do_not_exist(database_url, api):
    await loaded(database_url)
    group = await group_of(database_url)
    other = SITE.replace("acme", "other").replace("my-park", "p2")
    await loaded(database_url, other)
    async with await connect(DatabaseOptions(database_url)) as conn:
        theirs = [row for row in await all_groups(conn) if row["id"] != group["id"]]
    Seed(database_url).person("other", "enterprise", theirs[0]["enterprise"])
    client: httpx.AsyncClient = await api.login("other")
    items = (await client.get("/api/v1/groups")).json()["items"]
    assert [one["id"] for one in items] == [str(theirs[0]["id"])]
    for id in (group["id"], group["source"], "x"):
        assert (await client.get(f"/api/v1/groups/{id}/models")).status_code == 404
