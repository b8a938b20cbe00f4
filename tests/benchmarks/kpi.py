"""`kpi.*`: KPIs of 50 enterprises over a million journal rows."""

import asyncio
import os
import subprocess
import time
from collections.abc import Sequence
from datetime import timedelta

from domain.instant import rfc3339
from tests.support.alarm_month import ENTERPRISES, TAGS, Month, fill
from tests.support.api import api_in_loop
from tests.support.bench import Row, Servers, hazwatch
from tests.support.clock import ManualClock
from tests.support.seed import Seed

ROWS, DAYS, RUNS = 1_000_000, 30, 5
PULSE_S = 0.005


def kpis(servers: Servers) -> list[Row]:
    """The command, and what the api answers to a person who sees all of it, and to one desk."""
    busy = os.getloadavg()[0]
    with servers.databases.fresh() as url:
        month = fill(url, ROWS, days=DAYS)
        commands = [_command(url, month) for _ in range(RUNS)]
        whole, one, late = asyncio.run(_answers(url, month))
    size = (
        f"{month.rows:,} journal rows of {month.alarms:,} alarms in {DAYS} days, {ENTERPRISES} "
        f"enterprises, {TAGS:,} tags; load average {busy:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after"
    )
    took, cpu, memory = zip(*commands, strict=True)
    by_itself = (
        f"`hazwatch kpi`, from its start to its end; {sorted(cpu)[RUNS // 2]:.2f} s of a core "
        f"and {max(memory):.0f} MB of its own at most; {size}"
    )
    return [
        Row.of("kpi.command_1m_s", took, "s", 2, "lower", by_itself),
        Row.of(
            "kpi.api_1m_s", whole, "s", 2, "lower",
            f"GET /kpi of all enterprises; its loop was held for {max(late) * 1000:.0f} ms at most",
        ),
        Row.of("kpi.api_desk_s", one, "s", 2, "lower", "GET /kpi of one of the enterprises"),
    ]  # fmt: skip


def _command(url: str, month: Month) -> tuple[float, float, float]:
    """(seconds, seconds of a core, MB)."""
    span = (rfc3339(month.end - timedelta(days=DAYS))[:-1], rfc3339(month.end)[:-1])
    words = ("kpi", "--from", f"{span[0]}+0000", "--to", f"{span[1]}+0000", "--database-url", url)
    began = time.perf_counter()
    process = subprocess.Popen(hazwatch(*words), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


async def _answers(url: str, month: Month) -> tuple[Sequence[float], Sequence[float], list[float]]:
    """Seconds of each answer of all enterprises, and of one; how long the loop was held."""
    seed = Seed(url)
    with seed.connection() as conn:
        row = conn.execute(
            "SELECT (SELECT id FROM node WHERE kind = 'park'),"
            " (SELECT min(id) FROM node WHERE kind = 'enterprise')"
        ).fetchone()
    assert row is not None
    seed.person("park", "operator", row[0])
    late: list[float] = []
    async with api_in_loop(url, clock=ManualClock(month.end)) as api:
        client = await api.login("park")
        pulse = asyncio.create_task(_pulse(late))  # noqa: TID251

        async def asked(**words: str) -> float:
            began = time.perf_counter()
            answer = await client.get("/api/v1/kpi", params=words, timeout=120)
            assert answer.status_code == 200, answer.text
            return time.perf_counter() - began

        whole = [await asked() for _ in range(RUNS)]
        one = [await asked(node=str(row[1])) for _ in range(RUNS)]
        pulse.cancel()
    return whole, one, late


async def _pulse(late: list[float]) -> None:
    """How much later than asked for the loop came back."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(PULSE_S)  # noqa: TID251
        late.append(time.perf_counter() - began - PULSE_S)
