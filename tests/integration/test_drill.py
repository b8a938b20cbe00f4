"""A drill 演练 with a real worker, database and broker: ordered on the command line,
heard by a plain client, marked wherever it is shown, kept over a kill -9, and nothing real knows
of it."""

import asyncio
import json
import signal
from datetime import timedelta
from typing import Any

import aiomqtt
import psycopg
from typer.testing import CliRunner, Result

from domain.clock import SystemClock
from domain.site import read_site
from hazwatch.cli import assembled
from storage.registry import load_site
from tests.support.api import api_in_loop
from tests.support.builders import START
from tests.support.seed import Seed
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag

PARK = "drill-park"
TOPIC = f"hw/v1/events/{PARK}"
DESK = f"{TOPIC}/e1/notice/OP"
GAS = tag("GD07", kind="gas_toxic", unit="ppm", limits={"H": 20, "HH": 40}, interval_s=1)
CLOCK = SystemClock()
APP = assembled()


async def load(url: str) -> None:
    data = site_data(enterprise("e1", GAS, park=PARK))
    data["tree"][0]["children"][0]["code"] = PARK
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await load_site(conn, read_site(json.dumps(data)), by="test", at=START, prune=True)


def rows(url: str, asked: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute(asked).fetchall()


async def says(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, APP, list(words))


async def watching(service: Service) -> None:
    async with asyncio.timeout(120):
        while not service.watching:
            await CLOCK.sleep(0.1)


async def test_a_drill_is_told_to_people_and_marked_and_nothing_real_knows_of_it(
    tmp_path, timescale_url, mosquitto
):
    url = timescale_url
    await load(url)
    places = {code: id for id, code in rows(url, "SELECT id, code FROM node")}
    seed = Seed(url)
    seed.person("chen", "operator", places[PARK])
    seed.person("fremd", "enterprise", places["e1"])
    contacts = tmp_path / "contacts.toml"
    entry = f'role = "OP"\nnode = "{PARK}/e1"\nchannel = "mqtt"\naddress = "{DESK}"\n'
    contacts.write_text(f"[[contact]]\n{entry}", "utf-8")
    at = ("--database-url", url)
    heard: list[tuple[str, dict[str, Any]]] = []
    named = {"self_test": "false", "contacts_file": str(contacts), "drill_levels": "park,county"}
    with Service(tmp_path, url, mosquitto.url, **named) as service:
        service.start()
        await watching(service)
        drill = ("warnings", "drill", "e1/s1", "--colour", "red", *at)
        refused = await says(*drill, "--as", "fremd")
        assert refused.exit_code == 1, refused.output
        assert "drills are ordered by: park, county" in refused.output
        assert (await says(*drill, "--as", "nobody")).exit_code == 1
        async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
            await client.subscribe(f"{TOPIC}/#", qos=1)
            begun = await says(
                *drill, "--for", "12s", "--comment", "桌面推演", "--as", "chen", "--output", "json"
            )
            assert begun.exit_code == 0, begun.output
            id = json.loads(begun.stdout)["warning"]
            async with asyncio.timeout(30):
                while not any(topic == DESK for topic, _ in heard):
                    message = await anext(aiter(client.messages))
                    assert isinstance(message.payload, bytes)
                    heard.append((message.topic.value, json.loads(message.payload or b"{}")))
        told = next(body for topic, body in heard if topic == DESK)
        assert told["drill"] is True
        assert told["text"].startswith("【演练 DRILL】")
        warned = [body for topic, body in heard if body.get("type") == "warning" and topic != DESK]
        assert all(body["warning"]["drill"]["by"] == "chen" for body in warned)
        colours = [body for topic, body in heard if topic.endswith("/colour")]
        assert all(body["colour"] == "blue" for body in colours)

        await asyncio.to_thread(service.end, signal.SIGKILL)
        service.start()
        await watching(service)
        shown = await says("warnings", "show", id, *at)
        assert "演练 DRILL" in shown.output
        listed = await says("warnings", "list", "--from", "2026-01-01", "--output", "csv", *at)
        assert listed.stdout.splitlines()[1].split(",")[1].lower() == "true"
        async with asyncio.timeout(30):
            while not rows(
                url, f"SELECT 1 FROM warning_case WHERE id = '{id}' AND closed > opened"
            ):
                await CLOCK.sleep(0.2)
        async with api_in_loop(url) as api:
            park = await api.login("chen")
            one = (await park.get(f"/api/v1/warnings/{id}")).json()
            assert (one["drill"]["end"], one["state"], one["worst"]) == ("time", "closed", "red")
            assert (await park.get("/api/v1/warnings?drill=false")).json()["items"] == []
            (item,) = (await park.get("/api/v1/warnings?drill=true")).json()["items"]
            assert item["drill"]["comment"] == "桌面推演"
            feed = (await park.get("/api/v1/cap.atom")).text
            assert feed.count(id) > 0
            newest = (await park.get(f"/api/v1/cap/{id}.1.xml")).text
            assert "<status>Exercise</status>" in newest
            day = CLOCK.now().replace(microsecond=0)
            params = {"from": (day - timedelta(hours=1)).isoformat(), "to": day.isoformat()}
            kpi = await park.get("/api/v1/kpi", params=params | {"desk": "park"})
            assert [one["warnings"]["cases"] for one in kpi.json()["positions"]] == [0]
    assert {row[0] for row in rows(url, "SELECT colour FROM source_risk")} == {0}
    verbs = rows(url, "SELECT verb, by, comment, level FROM operator_action ORDER BY requested_at")
    assert ("drill", "chen", "桌面推演", 1) in verbs
    journal = rows(url, f"SELECT event, by FROM case_event WHERE case_id = '{id}' ORDER BY n")
    assert journal == [("rise", "chen"), ("end_drill", "hazwatch")]
