"""`hazwatch demo` as a person runs it, and as a machine that wants to know whether it holds."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import httpx
import psutil
import psycopg
import pytest

from domain.clock import SystemClock
from domain.site import read_site
from hazwatch.demo_site import NAME
from hazwatch.embedded import free_port
from storage.database import DatabaseOptions, connect
from storage.registry import load_site
from tests.support.servers import Session

pytestmark = pytest.mark.database
READY_S = 20.0
WITHIN_S = 120.0
FIGURES = {
    "published",
    "redelivered",
    "stored",
    "duplicates",
    "conflicts",
    "quarantined",
    "alarms_raised",
    "warnings_opened",
    "notices_sent",
    "latency_ms_p50",
    "latency_ms_p99",
}
NEIGHBOUR = {
    "version": 1,
    "tree": [{"code": "p9", "kind": "park", "name": "Neighbours"}],
    "enterprises": [{"code": "acme", "park": "p9", "name": "Acme", "gateways": ["g1"]}],
}


class Run:
    """`hazwatch demo` in a process group of its own, as a shell starts it."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.said, self.told = folder / "stdout", folder / "stderr"
        command = [sys.executable, "-m", "hazwatch", "demo", *words]
        with self.said.open("w") as out, self.told.open("w") as err:
            self._process = subprocess.Popen(
                command,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Look every 50 ms until `true()`."""
        clock = SystemClock()
        deadline = clock.elapsed() + WITHIN_S
        while not true():
            assert self._process.poll() is None, f"it ended before {what}:\n{self.everything}"
            assert clock.elapsed() < deadline, f"{what}: not in time\n{self.everything}"
            await clock.sleep(0.05)

    async def end(self, how: signal.Signals | None = None) -> int:
        """The exit code; a signal goes to the whole group, as Ctrl-C does."""
        if how is not None:
            os.killpg(self._process.pid, how)
        return await asyncio.to_thread(self._process.wait, WITHIN_S)

    async def figures(self) -> dict[str, Any]:
        """Wait for its end, which must be good; the one line that it has printed."""
        code = await self.end()
        assert code == 0, self.everything
        (line,) = self.said.read_text().splitlines()
        figures: dict[str, Any] = json.loads(line)
        return figures

    @property
    def everything(self) -> str:
        return f"{self.said.read_text()}\n{self.told.read_text()}"

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(WITHIN_S)


@pytest.fixture
def data_dir(server_session: Session) -> Iterator[Path]:
    """Where the unprivileged database server may go; what is left running there is ended."""
    folder = server_session.folder / f"demo-{uuid.uuid4().hex}"
    folder.mkdir()
    yield folder
    for process in left_in(folder):
        process.kill()


@pytest.fixture
def demo(tmp_path: Path, data_dir: Path) -> Iterator[Callable[..., Run]]:
    """`demo(words…, SETTING=…)` starts one."""
    runs: list[Run] = []

    def started(*words: str, **environment: str) -> Run:
        folder = tmp_path / f"run{len(runs)}"
        folder.mkdir()
        environment.setdefault("HAZWATCH_API_PORT", str(free_port()))
        runs.append(Run(folder, "--data-dir", str(data_dir), *words, **environment))
        return runs[-1]

    yield started
    for run in runs:
        run.close()


def left_in(folder: Path) -> list[psutil.Process]:
    """Processes that work below a folder."""
    everything = psutil.process_iter(["cwd"])
    return [one for one in everything if str(one.info["cwd"] or "").startswith(f"{folder}/")]


async def leave_waiting(broker: str, n: int) -> None:
    """Put messages of an earlier boot of a gateway into the queue of a worker that is away."""
    parts = urlsplit(broker)
    async with aiomqtt.Client(parts.hostname or "", parts.port or 1883) as client:
        for seq in range(n):
            at = SystemClock().now().isoformat()
            sample = {"time": at, "values": {"LT-101": 81 + seq / 1000}}
            body = json.dumps({"boot": "earlier", "seq": seq, "samples": [sample]})
            await client.publish("hw/v1/demo/demo/g1/data", body, qos=1)


def ready(run: Run) -> bool:
    return "ready after" in run.everything


def rows(url: str, question: str, *given: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute(question.encode(), given).fetchall()


def assert_it_adds_up(figures: dict[str, Any]) -> None:
    ends = ("stored", "duplicates", "conflicts", "quarantined")
    assert figures.keys() >= FIGURES
    assert figures["published"] == sum(figures[end] for end in ends) > 0
    assert figures["canary_seen"] == figures["canary_sent"] > 0
    assert 0 < figures["latency_ms_p50"] <= figures["latency_ms_p99"]


async def test_unattended_it_is_ready_soon_tells_its_story_and_ends_with_figures_that_hold(demo):
    run = demo("--for", "35s", "--json")
    figures = await run.figures()
    assert_it_adds_up(figures)
    assert figures["ready_s"] <= READY_S
    assert figures["alarms_raised"] > 0
    assert figures["canary_sent"] >= 34
    for phase in ("database", "broker", "schema", "site", "accounts", "worker", "page"):
        assert f"\n{phase} " in f"\n{run.told.read_text()}"
    assert "0:20  " in run.told.read_text()


async def test_on_servers_of_others_figures_are_of_this_run_and_neighbours_are_left_alone(
    demo, timescale_url, mosquitto
):
    async with await connect(DatabaseOptions(timescale_url)) as conn:
        at = SystemClock().now()
        await load_site(conn, read_site(json.dumps(NEIGHBOUR)), by="test", at=at)
    servers = {"HAZWATCH_DATABASE_URL": timescale_url, "HAZWATCH_MQTT_URL": mosquitto.url}
    killed = demo("--json", **servers)
    await killed.until(lambda: ready(killed), "it is ready")
    await SystemClock().sleep(3)
    await killed.end(signal.SIGKILL)
    await leave_waiting(mosquitto.url, 200)
    figures = await demo("--for", "5s", "--json", **servers).figures()
    assert_it_adds_up(figures)
    earlier = "SELECT upper(seen) FROM gateway_ledger WHERE boot = 'earlier'"
    assert rows(timescale_url, earlier) == [(200,)]
    assert figures["published"] < rows(timescale_url, "SELECT count(*) FROM sample")[0][0]
    present = rows(timescale_url, "SELECT code FROM node WHERE removed_at IS NULL")
    assert {("acme",), ("demo",)} <= set(present)
    canaries = "SELECT FROM tag WHERE name LIKE 'CANARY-%%' AND removed_at IS NULL"
    assert rows(timescale_url, canaries) == []


async def test_the_canary_leaves_no_alarm_open_and_moves_no_colour(demo, plain_url, mosquitto):
    run = demo("--for", "6s", "--json", "--database-url", plain_url, "--mqtt-url", mosquitto.url)
    figures = await run.figures()
    raised = "SELECT a.state FROM alarm a JOIN node n ON n.id = a.enterprise WHERE n.name = %s"
    states = [state for (state,) in rows(plain_url, raised, NAME)]
    assert states == ["NORM"] * figures["canary_sent"]
    coloured = "SELECT FROM source_risk r JOIN node n ON n.id = r.enterprise WHERE n.name = %s"
    assert rows(plain_url, f"{coloured} AND r.colour > 0", NAME) == []
    opened = "SELECT FROM warning_case w JOIN node n ON n.id = w.enterprise WHERE n.name = %s"
    assert rows(plain_url, opened, NAME) == []


async def test_people_get_in_with_what_it_prints_and_ctrl_c_leaves_nothing_running(demo, data_dir):
    run = demo("--port", "0")
    await run.until(lambda: ready(run), "it is ready")
    said = run.said.read_text()
    (page,) = [line.split()[-1] for line in said.splitlines() if line.startswith("page")]
    words = [line.split() for line in said.splitlines() if "password" in line]
    async with httpx.AsyncClient(base_url=page) as client:
        for line in words:
            login = {"user": line[-3], "password": line[-1]}
            answer = await client.post("/api/v1/session", json=login)
            assert answer.status_code == 200, line
    assert len(words) == 4
    assert await run.end(signal.SIGINT) == 0
    assert left_in(data_dir) == []


async def test_ctrl_c_during_the_start_leaves_nothing_running_and_hinders_no_later_start(
    demo, data_dir
):
    phases = ("", "database", "accounts", "worker")
    for phase in phases:
        run = demo()
        await run.until(lambda run=run, phase=phase: phase in run.told.read_text(), phase)
        assert await run.end(signal.SIGINT) in (0, -signal.SIGINT), run.everything
        assert left_in(data_dir) == []
    killed = demo()
    await killed.until(lambda: ready(killed), "it is ready")
    await killed.end(signal.SIGKILL)
    assert left_in(data_dir) != []
    again = demo("--for", "2s")
    assert await again.end() == 0, again.everything
    assert left_in(data_dir) == []


async def test_a_second_one_on_the_same_data_is_told_so_and_the_first_goes_on(demo):
    first = demo()
    await first.until(lambda: ready(first), "it is ready")
    second = demo()
    assert await second.end() == 3
    assert "another hazwatch" in second.told.read_text()
    assert await first.end(signal.SIGTERM) == 0, first.everything


async def test_a_port_that_is_taken_is_named_with_what_to_do(demo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = demo("--port", str(taken.getsockname()[1]))
        assert await run.end() == 2
    assert "--port" in run.told.read_text()


@pytest.mark.parametrize(
    ("option", "nowhere"),
    [
        ("--database-url", "postgresql://x:secret@127.0.0.1:1/x"),
        ("--mqtt-url", "mqtt://127.0.0.1:1"),
    ],
)
async def test_a_server_that_is_away_ends_the_start_at_once(demo, data_dir, option, nowhere):
    run = demo(option, nowhere)
    assert await run.end() == 3
    assert "127.0.0.1:1" in run.told.read_text()
    assert "secret" not in run.everything
    assert left_in(data_dir) == []
