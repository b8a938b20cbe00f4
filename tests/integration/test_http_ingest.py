"""HTTP ingest through the real process into a real TimescaleDB, and what faults make of it."""

import asyncio
import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import zstandard

from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.site import read_site
from hazwatch.embedded import free_port
from ingest.gateway_keys import GatewayKey, new_key
from ingest.http_answers import RESPONSES
from storage.database import DatabaseOptions, connect
from storage.gateway_keys import add_key, revoke_keys
from storage.people import add_person
from storage.reading import Reading
from storage.registry import load_site, read_registry
from storage.sessions import open_session
from tests.support import load
from tests.support.service import Service
from tests.support.sites import enterprise, site_data, tag

CODES = ("e1", "e2", "e3")
SMALL = "e4"
"""An enterprise with a small quota: 400 values a second, half a second's worth at once."""
SETTINGS = {
    "ingest_values_per_s": "10000000",
    "ingest_bytes_per_s": "1000000000",
    "ingest_burst_s": "0.5",
    "ingest_quotas": f"p1/{SMALL}=400:1000000000",
}
TAGS = 10
CORPUS = Path(__file__).parents[1] / "unit" / "ingest" / "corpus"
FUZZ = 800
PAGE = Path(__file__).parents[2] / "docs" / "http-ingest.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REVOKE = "hazwatch gateway key revoke p1/e1/g1"
PACKINGS: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, zstandard.compress]


@dataclass
class Plant:
    """A worker with three enterprises of a gateway and ten tags each, and keys for all."""

    url: str
    service: Service
    clock: SystemClock
    keys: dict[str, tuple[str, str]]
    ingest_port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.service.port}/api/v1/ingest/p1/"

    def client(self, code: str, base: str | None = None) -> httpx.AsyncClient:
        """A client with the key of the enterprise's gateway."""
        return httpx.AsyncClient(
            base_url=base or self.base,
            headers={"Authorization": f"Bearer {self.keys[code][1]}"},
            timeout=60,
        )

    def message(self, n: int, values: int = TAGS, **head: object) -> dict[str, Any]:
        """Message n: samples of ten tags, the newest n ms ago or so, `values` values in all."""
        newest = self.clock.now() - timedelta(seconds=5)
        samples = [
            {
                "time": rfc3339(newest - timedelta(milliseconds=values // TAGS - k)),
                "values": {f"LT-{t}": 50 + (n + k + t) % 7 for t in range(TAGS)},
            }
            for k in range(values // TAGS)
        ]
        return {"samples": samples, "sent": rfc3339(self.clock.now()), **head}

    def number(self, sql: str, *values: object) -> int:
        return load.number(self.url, sql, *values)

    def stored_of(self, *codes: str) -> int:
        """Samples of these enterprises."""
        return self.number(
            "SELECT count(*) FROM sample s JOIN tag t ON t.id = s.tag_id"
            " JOIN node n ON n.id = t.enterprise WHERE n.code = ANY(%s)",
            list(codes),
        )


async def insist(client: httpx.AsyncClient, path: str, message: object) -> httpx.Response:
    """Send until it is stored, as a gateway does."""
    clock = SystemClock()
    while True:
        try:
            answer = await client.post(path, json=message)
        except httpx.TransportError:
            await clock.sleep(0.1)
            continue
        if answer.status_code not in (429, 503):
            return answer
        await clock.sleep(min(1.0, float(answer.headers["retry-after"])))


async def loaded(url: str) -> dict[str, tuple[str, str]]:
    """The site is in the database; (id, key) of each enterprise's gateway."""
    clock, keys = SystemClock(), {}
    tags = [tag(f"LT-{n}", interval_s=1, delay_on_s=0) for n in (*range(TAGS), 201)]
    site = site_data(*(enterprise(code, *tags) for code in (*CODES, SMALL)))
    conn = await connect(DatabaseOptions(url))
    async with conn:
        await load_site(conn, read_site(json.dumps(site)), by="test", at=clock.now())
        for gateway in (await read_registry(conn)).gateways:
            id, key, digest = new_key()
            kept = GatewayKey(id, gateway.id, digest)
            await add_key(conn, kept, gateway.enterprise, by="test", at=clock.now())
            keys[gateway.enterprise_code] = id, key
    return keys


@pytest.fixture(scope="module")
def standing(tmp_path_factory, timescale_databases, mosquitto):
    """One worker for all tests; each leaves it running."""
    folder, port = tmp_path_factory.mktemp("http"), free_port()
    with (
        timescale_databases.fresh() as url,
        Service(
            folder, url, mosquitto.url, "worker,api", ingest_port=str(port), **SETTINGS
        ) as service,
    ):
        keys = asyncio.run(loaded(url))
        service.start()
        yield Plant(url, service, SystemClock(), keys, port)


@pytest.fixture
def plant(standing):
    asyncio.run(until_taking(standing))
    return standing


async def until_taking(plant: Plant) -> None:
    """The door opens a moment after the start, once the keys are read."""
    async with plant.client("e2") as client, asyncio.timeout(120):
        while True:
            assert plant.service.watching in (True, False), "it has not died"
            try:
                if (await client.post("e3/g1", content=b"")).status_code == 403:
                    return
            except httpx.TransportError:
                pass
            await plant.clock.sleep(0.05)


async def test_a_day_at_the_door(plant: Plant):
    """What is answered is in the database: many gateways at once, repeats, packed and large ones,
    one bad value, strangers, and random bytes."""
    expected = await concurrent_gateways(plant)
    expected += await packed_and_large(plant)
    expected += await one_bad_value(plant)
    await nobody_else_comes_in(plant)
    await random_bodies(plant)
    await plant.clock.sleep(0.2)
    assert plant.stored_of(*CODES) == expected
    counts = load.counts(plant.url)
    assert load.identities_hold(counts), counts
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"http://127.0.0.1:{plant.service.port}/metrics")).text
    assert re.search(r'hazwatch_http_ingest_requests_total\{status="200"\} \d{2,}', metrics)
    assert re.search(r"hazwatch_http_ingest_seconds_count \d{2,}", metrics)
    assert 'hazwatch_http_ingest_requests_total{status="500"}' not in metrics


async def concurrent_gateways(plant: Plant) -> int:
    """Three gateways at once, each with numbered messages of which every third comes twice."""
    base = plant.clock.now() - timedelta(minutes=5)

    async def play(code: str) -> None:
        async with plant.client(code) as client:
            for n in range(20):
                at = rfc3339(base + timedelta(seconds=n))
                values = {f"LT-{t}": 40 + t for t in range(TAGS)}
                sent = rfc3339(plant.clock.now())
                told = {"boot": "b", "seq": n, "sent": sent, "historical": True}
                message = told | {"samples": [{"time": at, "values": values}]}
                answer = (await client.post(f"{code}/g1", json=message)).json()
                assert (answer["stored"], answer["duplicate"]) == (TAGS, 0), answer
                if n % 3 == 0:
                    again = (await client.post(f"{code}/g1", json=message)).json()
                    assert (again["stored"], again["duplicate"]) == (0, TAGS), again

    async with asyncio.TaskGroup() as tasks:
        for code in CODES:
            tasks.create_task(play(code))
    return 20 * TAGS * len(CODES)


async def packed_and_large(plant: Plant) -> int:
    """Ten thousand values in a body, plain and packed, on the listener for gateways alone too."""
    alone = f"http://127.0.0.1:{plant.ingest_port}/api/v1/ingest/p1/"
    async with plant.client("e1", alone) as client:
        whole = json.dumps(plant.message(1, 10_000, boot="x", seq=0)).encode()
        first = await client.post("e1/g1", content=whole)
        assert first.json() == {
            "stored": 10_000, "duplicate": 0, "conflict": 0, "quarantined": [],
            "more_quarantined": 0,
        }  # fmt: skip
        for pack, coding in ((gzip.compress, "gzip"), (zstandard.compress, "zstd")):
            headers = {"Content-Encoding": coding}
            answer = await client.post("e1/g1", content=pack(whole), headers=headers)
            assert answer.json()["duplicate"] == 10_000, answer.text
        for too_large in (b" " * (5 << 20), zstandard.compress(b" " * (9 << 20))):
            assert (await client.post("e1/g1", content=too_large)).status_code == 413
        assert (await client.get(f"http://127.0.0.1:{plant.ingest_port}/readyz")).json()["ready"]
        assert (await client.get(alone.replace("ingest/p1", "tree"))).status_code == 404
    return 10_000


async def one_bad_value(plant: Plant) -> int:
    async with plant.client("e2") as client:
        message = plant.message(1)
        message["samples"][0]["values"]["no such tag"] = 1
        answer = (await client.post("e2/g1", json=message)).json()
        assert (answer["stored"], len(answer["quarantined"])) == (TAGS, 1)
        assert answer["quarantined"][0]["reason"] == "unknown_tag"
        assert (await client.post("e2/g1", content=b"{")).status_code == 422
        assert (await client.post("e2/g1")).status_code == 422
    return TAGS


async def nobody_else_comes_in(plant: Plant) -> None:
    """Every enterprise's key against every other enterprise; people; a key that is revoked."""
    for mine in CODES:
        async with plant.client(mine) as client:
            for other in CODES:
                status = (await client.post(f"{other}/g1", content=b"{}")).status_code
                assert status == (422 if mine == other else 403)
            assert (await client.post(f"{mine}/g2", content=b"{}")).status_code == 403
    await people(plant)
    conn = await connect(DatabaseOptions(plant.url))
    async with conn, plant.client("e3") as client:
        at = plant.clock.now()
        assert await revoke_keys(conn, [plant.keys["e3"][0]], by="test", at=at)
        async with asyncio.timeout(5):
            while (await client.post("e3/g1", content=b"{}")).status_code != 401:
                await plant.clock.sleep(0.1)
        client.headers.pop("Authorization")
        nobody = await client.post("e3/g1", content=b"{}")
        assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
        row = await (await conn.execute("SELECT count(used_at) FROM gateway_key")).fetchone()
        assert row == (3,)


async def people(plant: Plant) -> None:
    at = plant.clock.now()
    with psycopg.connect(plant.url) as conn:
        nodes: dict[str, int] = dict(conn.execute("SELECT code, id FROM node").fetchall())
    async with Reading(plant.url) as reading:
        for name, role, node in (("wang", "enterprise", "e1"), ("desk", "operator", "p1")):
            await add_person(reading, name, "no password", [(role, nodes[node])], at)
            await open_session(reading, f"token-{name}", name, at, at + timedelta(hours=1))
    async with httpx.AsyncClient(base_url=plant.base) as client:
        for name, code, status in (
            ("wang", "e1", 422),
            ("wang", "e2", 403),
            ("desk", "e1", 403),
            ("nobody", "e1", 401),
        ):
            bearer = {"Authorization": f"Bearer token-{name}"}
            answer = await client.post(f"{code}/g1", content=b"{}", headers=bearer)
            assert answer.status_code == status, (name, code, answer.text)


async def random_bodies(plant: Plant) -> None:
    """A few thousand bodies, random and mutated: each gets an answer, and none is a 500."""
    seed = random.SystemRandom().randrange(2**32)
    print("chance seed", seed)  # noqa: T201  (shown by pytest when the test fails)
    chance = random.Random(seed)
    bad = json.dumps({"samples": [{"time": 1, "values": {"LT-0": 1, "X": [1]}}]}).encode()
    kept = [bad, *(file.read_bytes() for file in sorted(CORPUS.iterdir()))]
    seen = set()

    async def play(code: str, turns: int) -> None:
        async with plant.client(code) as client:
            for _ in range(turns):
                body = bytearray(chance.choice(kept) or chance.randbytes(50))
                for _ in range(chance.randrange(4)):
                    body[chance.randrange(len(body))] = chance.randrange(256)
                pack: Callable[[bytes], bytes] = chance.choice(PACKINGS)
                coding = chance.choice(["identity", "gzip", "zstd", "br"])
                answer = await client.post(
                    f"{code}/g1", content=pack(bytes(body)), headers={"Content-Encoding": coding}
                )
                assert answer.status_code in (200, 413, 415, 422), (bytes(body), answer.text)
                seen.add(answer.status_code)

    async with asyncio.TaskGroup() as tasks:
        for code in ("e1", "e2"):
            for _ in range(8):
                tasks.create_task(play(code, FUZZ // 16))
    assert seen >= {200, 415, 422}


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.soak)])
async def test_killed_between_taking_and_answering_what_is_sent_again_is_stored_once(
    plant: Plant, kills: int
):
    before = plant.stored_of(*CODES)
    messages: dict[str, list[dict[str, Any]]] = {code: [] for code in CODES[:2]}

    async def play(code: str) -> None:
        async with plant.client(code) as client:
            for n in range(30 * kills):
                message = plant.message(n, 20, boot=f"kill {kills}", seq=n)
                messages[code].append(message)
                answer = await insist(client, f"{code}/g1", message)
                assert answer.status_code == 200, answer.text
                told = answer.json()
                assert told["stored"] + told["duplicate"] + told["conflict"] == 20, told

    async def kill() -> None:
        for _ in range(kills):
            await plant.clock.sleep(random.SystemRandom().uniform(0.3, 1.2))
            await asyncio.to_thread(plant.service.end, signal.SIGKILL)
            plant.service.start()
            await until_taking(plant)

    async with asyncio.TaskGroup() as tasks:
        for code in messages:
            tasks.create_task(play(code))
        tasks.create_task(kill())
    times = {
        (code, sample["time"], name)
        for code, sent in messages.items()
        for message in sent
        for sample in message["samples"]
        for name in sample["values"]
    }
    assert plant.stored_of(*CODES) - before == len(times)
    assert load.identities_hold(load.counts(plant.url))


async def test_database_away_nothing_is_taken_and_who_waits_is_not_left_waiting(
    plant: Plant, timescale
):
    before = plant.stored_of("e1")
    away = asyncio.Event()
    seen: list[tuple[bool, int]] = []
    taken: list[int] = []

    async def play() -> None:
        async with plant.client("e1") as client:
            while (True, 503) not in seen or len(taken) < 40:
                n = len(taken)
                message = plant.message(n, boot="away", seq=n)
                while True:
                    answer = await client.post("e1/g1", json=message)
                    seen.append((away.is_set(), answer.status_code))
                    if answer.status_code == 200:
                        taken.append(n)
                        break
                    assert answer.status_code == 503, answer.text
                    assert "nothing was taken" in answer.text or "costs nothing" in answer.text
                    assert int(answer.headers["retry-after"]) >= 1
                    await plant.clock.sleep(0.3)

    async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(play())
        await plant.clock.sleep(0.5)
        await asyncio.to_thread(timescale.stop, signal.SIGQUIT)
        away.set()
        async with plant.client("e2") as client:
            while (await client.post("e2/g1", json=plant.message(1))).status_code != 503:
                await plant.clock.sleep(0.1)
            for n in range(5):
                refused = await client.post("e2/g1", json=plant.message(n))
                assert refused.status_code == 503
        while (True, 503) not in seen:  # what was on its way when it went is told, too
            await plant.clock.sleep(0.1)
        await asyncio.to_thread(timescale.start)
        await playing
    assert seen[-1][1] == 200
    assert plant.stored_of("e1") - before == len(taken) * TAGS
    assert load.identities_hold(load.counts(plant.url))


async def test_a_client_that_heeds_retry_after_gets_everything_in(plant: Plant):
    began, refused, before = plant.clock.elapsed(), 0, plant.stored_of(SMALL)
    async with plant.client(SMALL) as client, plant.client("e2") as other:
        for n in range(8):
            message = plant.message(n, 200, boot="b", seq=n)
            while (answer := await client.post(f"{SMALL}/g1", json=message)).status_code == 429:
                refused += 1
                aside = await other.post("e2/g1", json=plant.message(n))
                assert aside.status_code == 200, aside.text
                await plant.clock.sleep(int(answer.headers["retry-after"]))
            assert answer.json()["stored"] == 200
    assert refused > 0
    assert plant.stored_of(SMALL) - before == 8 * 200
    assert plant.clock.elapsed() - began >= 8 * 200 / 400 - 1.5


def test_the_page_can_be_typed_as_it_stands(plant: Plant, tmp_path: Path):
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HAZWATCH_DATABASE_URL": plant.url,
        "URL": f"{plant.base}e1/g1",
        "COLUMNS": "160",
    }
    # The first key of the gateway is that of the other tests: here it goes as well.
    script = "\n".join(BLOCK.findall(PAGE.read_text("utf-8"))).replace(REVOKE, f"{REVOKE} --all")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.findall(r'\{"stored.*?"more_quarantined":\d+\}', done.stdout)
    answers = [json.loads(answer) for answer in said]
    counts = [(one["stored"], one["duplicate"]) for one in answers]
    assert counts == [(1, 0), (1, 0), (0, 2), (1, 0)], done.stdout
    assert answers[1]["quarantined"][0]["reason"] == "unknown_tag"
    assert re.search(r"p1/e1/g1 +│ [0-9a-f]{12} +│ holds", done.stdout)
    assert done.stdout.count("revoked") >= 1
    for status in re.findall(r"^\| (\d{3}) \|", PAGE.read_text("utf-8"), re.MULTILINE):
        assert int(status) in RESPONSES


async def test_stopped_in_order_every_answer_is_true_and_the_rest_may_be_sent_again(plant: Plant):
    """Last, for it leaves the worker stopped."""
    before, told = plant.stored_of("e2"), 0

    async def play() -> None:
        nonlocal told
        async with plant.client("e2") as client:
            for n in range(10_000):
                message = plant.message(n, boot="stop", seq=n)
                try:
                    answer = await client.post("e2/g1", json=message)
                except httpx.TransportError:
                    return
                if answer.status_code == 503:
                    return
                told += answer.json()["stored"]

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(play())
        await plant.clock.sleep(1)
        assert await asyncio.to_thread(plant.service.end) == 0
    assert 0 < told <= plant.stored_of("e2") - before <= told + TAGS
