"""`hazwatch load` on a real broker, and its proof on a real database."""

import asyncio
import json
import uuid
from functools import partial

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from domain.clock import SystemClock
from domain.site import read_site
from hazwatch.commands import load
from simulators.broker import Broker
from simulators.message import Address
from simulators.swarm import Swarm, site_lines
from simulators.swarm_carrier import Window
from simulators.swarm_play import Pace, Player
from simulators.swarm_truth import TruthFile, read_truth
from storage.database import DatabaseOptions, connect
from storage.registry import load_site
from tests.support.receiver import receiver
from tests.support.service import Service

APP = typer.Typer()
APP.command("load")(load.load)
AWAY = "mqtt://127.0.0.1:1"


async def run(*words: object):
    return await asyncio.to_thread(CliRunner().invoke, APP, [str(word) for word in words])


@pytest.fixture
def park() -> str:
    return f"p{uuid.uuid4().hex[:8]}"


async def test_it_plays_every_tag_in_turn_at_its_rate_and_tells_the_result(mosquitto, park):
    words = ("--tags", 20, "--values-per-message", 5, "--rate", 200, "--for", "1s", "--park", park)
    async with receiver(mosquitto.url, Address(park, f"{park}-000", "g1")) as other:
        done = await run(*words, "--mqtt-url", mosquitto.url, "--output", "json")
        assert done.exit_code == 0, done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        data = await other.until_data(result["published_messages"])
    assert [body["seq"] for body in data] == list(range(len(data)))
    assert len({sample["time"] for body in data for sample in body["samples"]}) == len(data)
    told = [set(body["samples"][0]["values"]) for body in data]
    assert [len(part) for part in told] == [5] * len(data)
    assert set.union(*told[:4]) == {f"T{n:06d}" for n in range(20)}
    assert 30 <= len(data) <= 41
    assert result["acked_messages"] == len(data)
    assert result["published_values"] == 5 * len(data)


async def test_it_waits_for_receipts_when_only_so_many_may_be_without(mosquitto, park):
    address = Address(park, f"{park}-000", "g1")
    words = ("--tags", 1, "--values-per-message", 1, "--rate", 0, "--for", "0.5s", "--park", park)
    async with receiver(mosquitto.url, address) as other, asyncio.TaskGroup() as tasks:
        loading = tasks.create_task(
            run(*words, "--unreceipted", 3, "--mqtt-url", mosquitto.url, "--output", "json")
        )
        await other.until_data(3)
        await other.give_receipt((await other.until_data(3))[0]["boot"], 1)
        assert len(await other.until_data(5)) == 5
        await other.give_receipt(other.data[0]["boot"], 4)
        await other.until_data(8)
        while not loading.done():
            await other.give_receipt(other.data[0]["boot"], len(other.data) - 1)
            await SystemClock().sleep(0.05)
        result = json.loads(loading.result().stdout.splitlines()[-1])
    assert result["receipted_messages"] == result["published_messages"] == len(other.data)


async def test_a_broker_that_restarts_gets_again_what_it_had_not_acknowledged(
    mosquitto, park, tmp_path
):
    swarm, clock = Swarm(1, 10, 10, park=park), SystemClock()
    with TruthFile(tmp_path / "truth", swarm, "b") as truth:
        pace = Pace(rate=2000, for_s=4, window=Window(50))
        player = Player(swarm, Broker.of(mosquitto.url), clock, pace, truth, "b")
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(player.play())
            await clock.sleep(1)
            await asyncio.to_thread(mosquitto.restart)
            await playing
    assert player.score.losses >= 1
    assert (
        player.score.acked == player.score.published == len(read_truth(tmp_path / "truth").messages)
    )


async def test_what_the_service_stored_is_proved_and_what_is_missing_or_changed_is_told(
    mosquitto, timescale_url, tmp_path, park
):
    swarm = Swarm(2, 50, 20, canaries=902, park=park)
    site = read_site("\n".join(site_lines(swarm)))
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        await load_site(conn, site, by="test", at=SystemClock().now())
    truth = tmp_path / "truth"
    words = ("--enterprises", 2, "--tags", 50, "--values-per-message", 20, "--park", park)
    with Service(tmp_path, timescale_url, mosquitto.url) as service:
        service.start()
        while not service.watching:
            await SystemClock().sleep(0.05)
        more = ("--rate", 2000, "--for", "2s", "--breach-every", 0.1, "--unreceipted", 1000)
        done = await run(*words, *more, "--truth", truth, "--mqtt-url", mosquitto.url)
        assert done.exit_code == 0, done.stderr
    proof = await verified(truth, timescale_url)
    assert proof["proved"]
    assert proof["stored"] == proof["published"] == len(samples(timescale_url)) > 2000
    with psycopg.connect(timescale_url) as broken:
        tag, time = broken.execute("SELECT tag_id, time FROM sample LIMIT 1").fetchone() or ()
        broken.execute("UPDATE sample SET value = value + 0.001 WHERE tag_id = %s", (tag,))
        broken.execute("DELETE FROM sample WHERE tag_id <> %s AND time = %s", (tag, time))
        broken.execute(
            "INSERT INTO sample SELECT tag_id, time + interval '1us', 1, 192, 0, received_at "
            "FROM sample WHERE tag_id = %s AND time = %s",
            (tag, time),
        )
    told = await verified(truth, timescale_url)
    assert not told["proved"]
    assert told["wrong"] > 1
    assert told["missing"] in (0, 9, 19)
    assert told["strange"] == 1


async def verified(truth, url) -> dict[str, int]:
    done = await run("--verify", truth, "--database-url", url, "--output", "json")
    found: dict[str, int] = json.loads(done.stdout)
    assert done.exit_code == (0 if found["proved"] else 1)
    return found


def samples(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute("SELECT tag_id, time FROM sample").fetchall()


async def test_the_site_of_a_load_can_be_read_and_nothing_is_sent(park):
    done = await run(
        "--tags", 30, "--breach-every", 10, "--site", "--park", park, "--values-per-message", 30
    )
    assert done.exit_code == 0, done.stderr
    assert len(read_site(done.stdout).enterprises[0].sources) == 2


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("--tags", 10, "--values-per-message", 11), 2, "up to --tags, 10"),
        (("--breach-every", 0.01), 2, "0.1 and more"),
        (("--for", "soon"), 2, "30, 30s, 5m"),
        (("--for", "0s"), 2, "30, 30s, 5m"),
        (("--verify", __file__), 1, "no truth file"),
    ],
)
async def test_what_it_is_told_wrongly_it_says(words, code, hint):
    done = await run(*words)
    assert done.exit_code == code
    assert hint in " ".join(done.stderr.replace("│", " ").split())


async def test_a_broker_that_is_not_there_is_said_after_a_while(monkeypatch):
    monkeypatch.setattr(load, "Pace", partial(Pace, settle_s=0.2))
    done = await run("--mqtt-url", AWAY)
    assert done.exit_code == 3
    assert "no connection to the broker" in done.stderr
