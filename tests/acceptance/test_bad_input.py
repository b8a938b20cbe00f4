"""Everything a gateway should never send, through the real broker, beside one that behaves."""

import gzip
import json
from datetime import timedelta

import aiomqtt
import psycopg
import pytest
import zstandard

from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.site import read_site
from storage.database import DatabaseOptions, connect
from storage.registry import load_site
from tests.support import load
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag

TOPIC = "hw/v1/p1/e1/g1/data"


@pytest.fixture
async def plant(tmp_path, timescale_url, mosquitto):
    """A running worker with one enterprise of three tags."""
    clock = SystemClock()
    site = site_data(
        enterprise(
            "e1",
            tag("LT-1", delay_on_s=0, delay_off_s=0, interval_s=1),
            tag("LT-2", delay_on_s=0, delay_off_s=0, interval_s=1),
            tag("GD-1", kind="gas_toxic", unit="ppm", limits={"H": 20, "HH": 40}, interval_s=1),
        )
    )
    conn = await connect(DatabaseOptions(timescale_url))
    async with conn:
        await load_site(conn, read_site(json.dumps(site)), by="test", at=clock.now())
    with Service(tmp_path, timescale_url, mosquitto.url, replay_quiet_s="1") as service:
        service.start()
        while not service.watching:
            await clock.sleep(0.05)
        async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
            yield Plant(timescale_url, service, clock, client)


class Plant:
    """What a test needs of it."""

    def __init__(self, url, service, clock, client):
        self.url, self.service, self.clock, self.client = url, service, clock, client

    async def send(self, payload, topic=TOPIC):
        body = payload if isinstance(payload, bytes) else json.dumps(payload)
        await self.client.publish(topic, body, qos=1)

    def sample(self, age_s=0.0, **values):
        time = rfc3339(self.clock.now() - timedelta(seconds=age_s))
        return {"time": time, "values": {name.replace("_", "-"): v for name, v in values.items()}}

    async def until(self, question, answer, within_s=20):
        deadline = self.clock.elapsed() + within_s
        while (found := load.number(self.url, question)) != answer:
            assert self.service.watching
            assert self.clock.elapsed() < deadline, f"{question}: {found}, not {answer}"
            await self.clock.sleep(0.05)

    def quarantined(self):
        with psycopg.connect(self.url) as conn:
            return sorted(reason for (reason,) in conn.execute("SELECT reason FROM quarantine"))


async def test_what_is_not_understood_is_kept_with_its_reason_and_stops_nothing(plant):
    await plant.send(b"{not json")
    await plant.send(b"\xff\xfe\x00")
    await plant.send([])
    await plant.send({"samples": 7})
    await plant.send({"samples": [plant.sample(LT_1=50)]}, topic="hw/v1/p1/e1/stranger/data")
    body = (
        '{"samples": [{"time": "TIME", "values": {"LT-1": NaN, "LT-2": 1e999, "GD-1": "high",'
        ' "XX-9": 1}}, {"time": "2026-11-21T08:00:00", "values": {"LT-1": 1}},'
        ' {"time": "1999-12-31T23:59:59Z", "values": {"LT-1": 1}}]}'
    )
    await plant.send(body.replace("TIME", rfc3339(plant.clock.now())).encode())
    await plant.send({"samples": [plant.sample(LT_1=51.5)]})
    await plant.until("SELECT count(*) FROM sample WHERE value = 51.5", 1)
    assert plant.quarantined() == sorted(
        [
            "malformed",
            "malformed",
            "not_an_object",
            "no_samples",
            "unknown_gateway",
            "not_a_number",
            "not_a_number",
            "unknown_tag",
            "naive_time",
            "too_old",
        ]
    )
    assert load.identities_hold(load.counts(plant.url))


async def test_duplicates_count_as_such_and_of_a_conflict_the_first_stands(plant):
    sample = plant.sample(LT_1=50, LT_2=60)
    other = {"time": sample["time"], "values": {"LT-1": 55}}
    boot = {"boot": "b1"}
    await plant.send({**boot, "seq": 0, "samples": [sample]})
    await plant.send({**boot, "seq": 0, "samples": [sample]})
    await plant.send({"samples": [sample]})
    await plant.send({"samples": [other]})
    await plant.until("SELECT coalesce(sum(values_conflict), 0) FROM ingest_count", 1)
    count = load.counts(plant.url)
    assert (count["values_stored"], count["values_duplicate"]) == (2, 2)
    assert (count["messages_repeated"], count["messages_redelivered"]) == (1, 1)
    assert load.identities_hold(count)
    assert sorted(load.stored_samples(plant.url).values()) == [50, 60]


@pytest.mark.parametrize("hours", [-8, 8, 24 * 400])
async def test_a_wrong_clock_silences_nothing_and_is_stored_near_now(plant, hours):
    shift = timedelta(hours=hours)
    for value in (50, 95, 96, 97):
        wrong = rfc3339(plant.clock.now() + shift)
        await plant.send({"sent": wrong, "samples": [{"time": wrong, "values": {"GD-1": value}}]})
        await plant.clock.sleep(0.05)
    await plant.until("SELECT count(*) FROM alarm WHERE kind = 'HH'", 1)
    await plant.until(
        "SELECT count(*) FROM sample WHERE abs(extract(epoch FROM time - received_at)) < 5", 4
    )


@pytest.mark.parametrize("step_s", [0, -1], ids=["stuck", "backwards"])
async def test_a_clock_that_stands_still_or_runs_back_silences_nothing(plant, step_s):
    began = plant.clock.now()
    for n, value in enumerate((10, 12, 15, 45, 46, 47)):
        time = rfc3339(began + timedelta(seconds=n * step_s))
        await plant.send({"sent": time, "samples": [{"time": time, "values": {"GD-1": value}}]})
    await plant.until("SELECT count(*) FROM alarm WHERE kind = 'HH'", 1)
    await plant.until("SELECT count(*) FROM sample", 6)
    assert load.identities_hold(load.counts(plant.url))


async def test_late_samples_of_a_sound_clock_are_stored_judged_afterwards_and_raise_nothing_live(
    plant,
):
    now = rfc3339
    for age in (300, 0):
        await plant.send({"sent": now(plant.clock.now()), "samples": [plant.sample(age, GD_1=5)]})
        await plant.clock.sleep(0.1)
    await plant.until("SELECT count(*) FROM gap WHERE filled_at IS NULL", 1)
    ages = (255, 205, 155, 105, 55, 30, 20)
    late = [plant.sample(age, GD_1=60 if age == 30 else 5) for age in ages]
    await plant.send({"sent": now(plant.clock.now()), "samples": late})
    await plant.until("SELECT count(*) FROM sample", 9)
    await plant.until("SELECT count(*) FROM alarm WHERE lane = 1 AND kind = 'HH'", 1)
    assert load.number(plant.url, "SELECT count(*) FROM alarm WHERE lane = 0") == 0
    told = "SELECT count(*) FROM outbox WHERE body -> 'system' ->> 'what' = 'found afterwards'"
    await plant.until(told, 1)
    assert load.number(plant.url, "SELECT count(*) FROM gap WHERE filled_by = 'late'") == 1
    assert load.number(plant.url, "SELECT count(*) FROM gap WHERE filled_at IS NULL") == 0


async def test_flagged_values_start_an_alarm_and_never_end_one(plant):
    async def say(value, **more):
        sample = plant.sample(GD_1={"value": value, **more})
        await plant.send({"sent": rfc3339(plant.clock.now()), "samples": [sample]})
        await plant.clock.sleep(0.02)

    await say(60, quality="calibration")
    await plant.until("SELECT count(*) FROM alarm WHERE kind = 'HH' AND state = 'UNACK'", 1)
    for value in (5, None):
        await say(value, quality="bad")
    await plant.until("SELECT count(*) FROM sample", 3)
    assert load.number(plant.url, "SELECT count(*) FROM alarm WHERE state <> 'UNACK'") == 0


async def test_gzip_and_zstd_bodies_are_read(plant):
    for value, pack in ((50.5, gzip.compress), (51.5, zstandard.compress)):
        body = json.dumps({"samples": [plant.sample(LT_1=value)]}).encode()
        await plant.send(pack(body))
    await plant.until("SELECT count(*) FROM sample WHERE value IN (50.5, 51.5)", 2)
