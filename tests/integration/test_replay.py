"""`hazwatch replay` and `hazwatch site` against real servers."""

import asyncio
import json
import uuid
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import typer
from typer.testing import CliRunner

from hazwatch.commands import replay, site
from simulators.message import Address
from tests.support.receiver import receiver
from tests.support.sites import enterprise, site_data, tag

MAP = """
time: {{column: t, format: iso}}
park: p1
enterprise: {enterprise}
gateway: g1
tags: {{a: {{name: LT-1, kind: level, unit: m}}, b: {{name: LT-2, kind: level, unit: m}}}}
"""
APP = typer.Typer()
APP.add_typer(site.app, name="site")
APP.command("replay")(replay.replay)


@pytest.fixture
def address() -> Address:
    return Address("p1", f"e{uuid.uuid4().hex[:8]}", "g1")


async def run(*words: object):
    return await asyncio.to_thread(CliRunner().invoke, APP, [str(word) for word in words])


@pytest.fixture
def recording(tmp_path, address):
    (tmp_path / "map.yaml").write_text(MAP.format(enterprise=address.enterprise))

    def write(rows: int, step_s: float):
        first = datetime.fromisoformat("2022-05-09T00:00:00+00:00")
        lines = [
            f"{(first + timedelta(seconds=n * step_s)).isoformat()},{n},{'' if n % 2 else n / 10}\n"
            for n in range(rows)
        ]
        (tmp_path / "table.csv").write_text("t,a,b\n" + "".join(lines))
        return tmp_path / "table.csv", "--map", tmp_path / "map.yaml"

    return write


async def test_backfill_sends_every_reading_once_under_its_own_time(mosquitto, address, recording):
    async with receiver(mosquitto.url, address, prompt=True) as other:
        done = await run("replay", *recording(3000, 60), "--mqtt-url", mosquitto.url)
        assert done.exit_code == 0, done.stderr
        data = other.data
    samples = [sample for body in data for sample in body["samples"]]
    assert all(body["historical"] for body in data)
    assert [body["seq"] for body in data] == list(range(len(data)))
    assert len(data) == 3, "4500 values, up to 2000 a message"
    assert [sample["values"]["LT-1"] for sample in samples] == list(range(3000))
    assert all(("LT-2" in sample["values"]) == (n % 2 == 0) for n, sample in enumerate(samples))
    assert samples[1]["time"] == "2022-05-09T00:01:00Z"
    assert other.states == []
    assert f"seq {len(data) - 1}" in done.stdout
    assert "4500" in done.stdout


async def test_rebased_rows_come_live_dated_as_they_are_sent(mosquitto, address, recording):
    async with receiver(mosquitto.url, address, prompt=True) as other:
        words = ("--rebase", "--speed", 600, "--mqtt-url", mosquitto.url)
        done = await run("replay", *recording(5, 60), *words)
        assert done.exit_code == 0, done.stderr
        state = await other.until_state(online=False)
        data = other.data
    assert [len(body["samples"]) for body in data] == [1] * 5
    assert not any(body["historical"] for body in data)
    times = [datetime.fromisoformat(body["samples"][0]["time"]) for body in data]
    assert {after - before for before, after in pairwise(times)} == {timedelta(seconds=0.1)}
    for body, time in zip(data, times, strict=True):
        assert abs(datetime.fromisoformat(body["sent"]) - time) < timedelta(seconds=5)
    assert state["boot"] == data[0]["boot"]


async def test_without_receipts_a_replay_gives_up_and_says_what_to_do(
    mosquitto, address, recording
):
    words = ("--mqtt-url", mosquitto.url, "--timeout", 1)
    done = await run("replay", *recording(3, 60), *words)
    assert done.exit_code == 3
    assert f"1 messages of p1/{address.enterprise}/g1 have none" in done.stderr
    assert "hazwatch site show" in done.stderr


async def test_a_site_is_loaded_shown_and_loaded_again(database_url, tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(site_data(enterprise("e1", tag("A"), tag("B")))))
    url = ("--database-url", database_url)
    assert "no site is loaded yet" in (await run("site", "show", *url)).stdout
    tried = await run("site", "load", file, "--dry-run", *url)
    assert "would be at version 1" in tried.stdout
    loaded = await run("site", "load", file, *url)
    assert (loaded.exit_code, "is at version 1" in loaded.stdout) == (0, True)
    again = await run("site", "load", file, *url)
    assert "nothing changes, the site stays at version 1" in again.stdout
    file.write_text(json.dumps(site_data(enterprise("e2", tag("A")))))
    other = await run("site", "load", file, *url)
    assert "kept though not in this file (--prune removes it): gansu/p1/e1" in other.stdout
    shown = (await run("site", "show", *url)).stdout
    for words in ("site, version 2", "e1 Enterprise e1 (enterprise) gateways: g1", "A level H 80"):
        assert words in shown
    assert "A level" not in (await run("site", "show", "--no-tags", *url)).stdout


async def test_a_database_without_schema_is_told_apart(plain_postgres):
    done = await run("site", "show", "--database-url", plain_postgres.url)
    assert done.exit_code == 3
    assert "hazwatch db migrate" in done.stderr
