"""`history.*`: the past of a tag while others are stored, and what roll-ups cost."""

import asyncio
import time
from datetime import datetime, timedelta
from statistics import quantiles

import psutil
import psycopg
from prometheus_client import CollectorRegistry

from domain.clock import SystemClock
from simulators.swarm import Swarm
from storage.database import Connection, DatabaseOptions, connect, server_facts
from storage.history import read_history
from storage.lease import Fence
from storage.metrics import RollupMetrics
from storage.reading import Reading
from storage.rollup import RollUps
from storage.rollup_state import HOUR
from tests.support.bench import Cores, Row, Servers, running, until
from tests.support.rollups import Anybody, Kept

TAG, DAYS, POINTS = 900_001, 30, 2000
READS, REPEATS, RATE = 20, 3, 50_000
TAGS, MINUTES = 2000, 10
FILL = """
    INSERT INTO sample
    SELECT %(tag)s, t, round((5 + 3 * sin(n / 9000.0) + random())::numeric, 3), 192, 0, t
    FROM generate_series(0, %(days)s * 86400 - 1) n,
         LATERAL (SELECT %(end)s::timestamptz - n * interval '1 s' AS t) times"""
ROLL_UP = """
    INSERT INTO {table}
    SELECT tag_id,
        date_bin('{width}', time, '2000-01-01Z') AS b, min(value), max(value), sum(value),
        count(*), 0, min(time), min(value), max(time), max(value), min(quality)
    FROM sample WHERE tag_id = %s AND time < %s GROUP BY tag_id, b ORDER BY b"""
STREAM = """
    INSERT INTO sample SELECT tag, t, 5 + sin(s / 30.0 + tag), 192, 0, t
    FROM generate_series(0, %(seconds)s - 1) s, generate_series(1, %(tags)s) tag,
         LATERAL (SELECT %(begin)s::timestamptz + s * interval '1 s' AS t) times ORDER BY s, tag"""


def history(servers: Servers) -> list[Row]:
    """30 days of a tag of 1 Hz as 2,000 points, while 50,000 values a second are stored."""
    with running(servers, Swarm(enterprises=2, tags=2500, values=100)) as service:
        end = SystemClock().now().replace(microsecond=0)
        _fill(service.database_url, end)
        load = service.load("--rate", RATE, "--for", "20s", "--unreceipted", 4000)
        until(service.stored, "something is stored")
        time.sleep(3)
        cores = Cores()
        took, rows = asyncio.run(_read(service.database_url, end))
        used = cores.told()
        load.end()
    context = (
        f"{DAYS} days of one tag of 1 Hz ({DAYS * 86_400:,} samples) as {rows:,} points of "
        f"minimum, maximum, mean and count, {REPEATS} × {READS} times, while {RATE:,} values/s are "
        f"judged and stored beside it; {used}; 95th percentile of each round"
    )
    return [Row.of("history.30d_p95_ms", took, "ms", 150, "lower", context)]


def _fill(url: str, end: datetime) -> None:
    hour = end.replace(minute=0, second=0) - HOUR
    with psycopg.connect(url) as conn:
        conn.execute(FILL, {"tag": TAG, "days": DAYS, "end": end})
        for table, width in (("sample_minute", "1 min"), ("sample_hour", "1 hour")):
            conn.execute(ROLL_UP.format(table=table, width=width).encode(), (TAG, hour))
        conn.execute("UPDATE rollup_state SET hours = %s, done = %s, closed = %s", (hour, end, end))


async def _read(url: str, end: datetime) -> tuple[list[float], int]:
    """95th percentiles in milliseconds of each round, and the rows of one answer."""
    start, found = end - timedelta(days=DAYS), []
    async with Reading(url, size=1) as reading:
        for _ in range(REPEATS):
            took = []
            for _ in range(READS):
                began = time.perf_counter()
                answer = await read_history(reading, TAG, start, end, POINTS)
                took.append((time.perf_counter() - began) * 1000)
            found.append(quantiles(took, n=20)[-1])
    return found, len(answer.rows)


def rolling(servers: Servers) -> list[Row]:
    """What the roll-ups of samples cost the database, in time of a core."""
    return asyncio.run(_rolled(servers))


async def _rolled(servers: Servers) -> list[Row]:
    with servers.databases.fresh() as url:
        async with await connect(DatabaseOptions(url, statement_s=120)) as conn:
            kept, costs = await Kept.of(conn), []
            begin = datetime.fromisoformat("2026-11-21T08:00:00Z")
            for n in range(REPEATS):
                first = begin + n * 2 * HOUR
                asked = {"tags": TAGS, "seconds": MINUTES * 60, "begin": first}
                await conn.execute(STREAM, asked)
                costs.append(await _cost(conn, kept, first + HOUR + timedelta(minutes=10)))
            minutes = len(await kept.rolled())
    context = (
        f"{TAGS:,} tags of 1 Hz, {MINUTES} minutes a round: parts of minutes, then the minutes "
        f"and the hour; {minutes:,} rows of minutes; time of the server process. "
        f"At 150,000 values/s this is {sorted(costs)[1] * 150_000 / 1e9:.2f} of a core"
    )
    return [Row.of("history.rollup_ns", costs, "ns/sample", 1000, "lower", context)]


async def _cost(conn: Connection, kept: Kept, until: datetime) -> float:
    """Nanoseconds of the server process for each sample."""
    fence: Fence = Anybody("main", 1)
    work = RollUps(
        fence, SystemClock(), RollupMetrics(CollectorRegistry()), await server_facts(conn)
    )
    server = psutil.Process(conn.info.backend_pid)
    before = server.cpu_times()
    while await work.once(conn, until):
        pass
    after = server.cpu_times()
    used = after.user + after.system - before.user - before.system
    return used * 1e9 / (TAGS * MINUTES * 60)
