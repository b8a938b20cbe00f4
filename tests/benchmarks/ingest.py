"""`ingest.*`: Mosquitto → worker with rules on → durable in TimescaleDB, as fast as it stores.

The load holds a bounded number of messages without a receipt, so it goes as fast as the service
makes them durable. What is measured is the growth of the counts that commit with the samples, in
windows of one load.
"""

import time
from statistics import fmean, median

import numpy as np
import psycopg
from numpy.typing import NDArray

from simulators.swarm import Swarm
from storage.queries import query
from storage.rows import HEADER, TRAILER
from tests.support.bench import Cores, Row, Running, Servers, running, until

REPEATS = 3
VALUES_FOR_S, MESSAGES_FOR_S, SAVED_FOR_S, WARM_UP_S = 8, 7, 4, 4
LOOK_EVERY_S = 0.25
SUSTAINED, SUSTAINED_S = 10, 30
"""Windows, and seconds of each: five minutes."""
COPIED = 1_000_000
GROUP = 10_000
"""Rows of a COPY, as in the service at 200,000 a second with a commit every 50 ms."""
WIRE = np.dtype([("head", "V6"), ("tag", ">i4"), ("_", "V4"), ("time", ">i8"), ("rest", "V36")])
"""A row of the binary COPY of `sample`, as far as its order needs it."""


def values(servers: Servers) -> list[Row]:
    """100 values a message, 10,000 tags; and bare COPY of the same rows."""
    with running(servers, Swarm(enterprises=4, tags=2500, values=100)) as service:
        rates, cores = _rates(service, VALUES_FOR_S, unreceipted=4000)
        proved = service.prove()
        bare = _bare_copy(servers, service.database_url)
    context = (
        f"10,000 tags with limits, 100 values a message, 4 gateways, {REPEATS} × {VALUES_FOR_S} s, "
        f"all on the same machine, the broker saves every second; {cores}; each of {proved:,} "
        "samples proved to be there once; "
        f"bare binary COPY of {COPIED:,} of these rows, {GROUP:,} a commit, nothing else running: "
        f"{median(bare):,.0f}/s ({min(bare):,.0f} to {max(bare):,.0f}), "
        f"ratio {median(rates) / median(bare):.2f}"
    )
    return [Row.of("ingest.values_per_s", rates, "values/s", 150_000, "higher", context)]


def sustained(servers: Servers) -> list[Row]:
    """As `values`, in one run of five minutes; the spread is that of its half minutes."""
    with running(servers, Swarm(enterprises=4, tags=2500, values=100)) as service:
        rates, cores = _rates(service, SUSTAINED_S, unreceipted=4000, repeats=SUSTAINED)
        proved = service.prove()
    context = (
        f"as ingest.values_per_s, {SUSTAINED} × {SUSTAINED_S} s in one run, the mean of all; "
        f"{cores}; each of {proved:,} samples proved to be there once"
    )
    spread = (min(rates), max(rates))
    return [
        Row(
            "ingest.sustained_values_per_s",
            fmean(rates),
            "values/s",
            150_000,
            "higher",
            spread,
            context,
        )
    ]


def saved(servers: Servers) -> list[Row]:
    """The same with the broker of the tests and of deploy/, which saves after every change."""
    swarm = Swarm(enterprises=4, tags=2500, values=100)
    with running(servers, swarm, saves_every_change=True) as service:
        rates, cores = _rates(service, SAVED_FOR_S, unreceipted=150)
        proved = service.prove()
    context = (
        "as ingest.values_per_s, but autosave_on_changes true, autosave_interval 1: the broker "
        f"writes all that it holds after every change; {REPEATS} × {SAVED_FOR_S} s, 600 messages "
        f"without receipt at most; {cores}; each of {proved:,} samples proved to be there once"
    )
    return [Row.of("ingest.saved_values_per_s", rates, "values/s", 150_000, "higher", context)]


def messages(servers: Servers) -> list[Row]:
    """One value a message."""
    with running(servers, Swarm(enterprises=4, tags=250, values=1)) as service:
        rates, cores = _rates(service, MESSAGES_FOR_S, unreceipted=12_000)
        proved = service.prove()
    context = (
        f"1,000 tags with limits, 1 value a message, 4 gateways, {REPEATS} × {MESSAGES_FOR_S} s; "
        f"{cores}; each of {proved:,} samples proved to be there once; the publisher is "
        "`hazwatch load`"
    )
    return [Row.of("ingest.messages_per_s", rates, "messages/s", 15_000, "higher", context)]


def _rates(
    service: Running, window_s: float, unreceipted: int, repeats: int = REPEATS
) -> tuple[list[float], str]:
    """Values a second that became durable in each window of one load after its warm-up; and who
    took the machine."""
    for_s = WARM_UP_S + repeats * window_s + 2
    load = service.load("--rate", 0, "--for", f"{for_s}s", "--unreceipted", unreceipted)
    until(service.stored, "something is stored")
    time.sleep(WARM_UP_S)
    cores, rates = Cores(), []
    for _ in range(repeats):
        began, first = time.monotonic(), service.stored()
        time.sleep(window_s)
        last = service.stored()
        rates.append((last - first) / (time.monotonic() - began))
    used = cores.told()
    load.end()
    assert service.service.watching
    return rates, used


def _bare_copy(servers: Servers, source: str) -> list[float]:
    """Rows a second that binary COPY takes: same rows, same order, same table, one stream."""
    groups = _groups(source)
    rates = []
    for _ in range(REPEATS):
        with servers.databases.fresh() as url, psycopg.connect(url, autocommit=True) as conn:
            began = time.monotonic()
            for group in groups:
                with conn.cursor() as cursor, cursor.copy(query("copy_samples")) as copy:
                    copy.write(b"".join((HEADER, group.tobytes(), TRAILER)))
            rates.append(sum(map(len, groups)) / (time.monotonic() - began))
    return rates


def _groups(source: str) -> list[NDArray[np.void]]:
    """Stored rows in the order of their arrival, each group sorted by tag and time."""
    read = f"""COPY (SELECT tag_id, time, value, quality, flags, received_at FROM sample
        ORDER BY received_at LIMIT {COPIED}) TO STDOUT (FORMAT BINARY)"""
    with (
        psycopg.connect(source) as conn,
        conn.cursor() as cursor,
        cursor.copy(read.encode()) as copy,
    ):
        stream = b"".join(bytes(part) for part in copy)
    rows = np.frombuffer(stream[len(HEADER) : -len(TRAILER)], WIRE)
    groups = [rows[n : n + GROUP] for n in range(0, len(rows), GROUP)]
    return [group[np.lexsort((group["time"], group["tag"]))] for group in groups]
