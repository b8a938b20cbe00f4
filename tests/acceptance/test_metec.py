"""A week of eight real methane detectors through the real broker into TimescaleDB."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from domain.clock import SystemClock
from domain.instant import EPOCH
from tests.support import load, metec
from tests.support.service import Service

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("HAZWATCH_DATA", ROOT.parent / "shared" / "data")) / "metec"
DETECTOR_VALUES = 80_002


async def test_the_metec_week_is_stored_whole_and_judged_afterwards(
    tmp_path, timescale_url, mosquitto
):
    if not DATA.is_dir():
        pytest.skip(f"the recorded week is not at {DATA}; HAZWATCH_DATA says where it is")
    await hazwatch(timescale_url, mosquitto.url, "site", "load", "deploy/sites/metec.yaml")
    with Service(tmp_path, timescale_url, mosquitto.url, replay_quiet_s="2") as service:
        service.start()
        await until(lambda: service.watching, "the service takes messages")
        await hazwatch(
            timescale_url,
            mosquitto.url,
            "replay",
            str(DATA / "detectors.csv"),
            "--map",
            "deploy/maps/metec.yaml",
            "--historical",
        )
        await until(lambda: judged(timescale_url), "the replay lane has judged the week")
        assert len(load.stored_samples(timescale_url)) == DETECTOR_VALUES
        assert load.identities_hold(load.counts(timescale_url))
        assert load.stored_history(timescale_url) == {}, "history raises nothing live"
        alarms = found(timescale_url)
    known = metec.releases(DATA)
    week = datetime(2022, 5, 9, tzinfo=UTC), datetime(2022, 5, 16, tzinfo=UTC)
    report = metec.table(known, alarms, *week)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "metec.md").write_text(report + "\n", "utf-8")
    print(report)  # noqa: T201  (the table that the issue asks for)
    assert sum(metec.first_alarm(release, alarms) is not None for release in known) >= 16


async def hazwatch(database_url: str, mqtt_url: str, *words: str) -> None:
    """Run a command; it must succeed."""
    environment = os.environ | {
        "HAZWATCH_DATABASE_URL": database_url,
        "HAZWATCH_MQTT_URL": mqtt_url,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hazwatch", *words),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()


async def until(true, what: str) -> None:
    """Look every 0.1 s, for two minutes at most."""
    clock = SystemClock()
    deadline = clock.elapsed() + 120
    while not true():
        assert clock.elapsed() < deadline, what
        await clock.sleep(0.1)


def judged(url: str) -> bool:
    """Whether no range waits to be judged, and something was found."""
    waiting = load.number(url, "SELECT count(*) FROM dirty_range")
    return waiting == 0 and load.number(url, "SELECT count(*) FROM alarm WHERE lane = 1") > 0


def found(url: str) -> list[metec.Active]:
    """Every occurrence of the replay lane."""
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            """SELECT tag.name, alarm.kind, onset, ended
               FROM alarm JOIN tag ON tag.id = tag_id WHERE lane = 1 ORDER BY onset"""
        ).fetchall()
    return [
        metec.Active(name, kind, onset, ended or EPOCH.replace(year=2100))
        for name, kind, onset, ended in rows
    ]
