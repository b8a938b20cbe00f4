"""Long answers on an event loop that is busy: the driver takes them in a few turns of the loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from domain.clock import SystemClock
from storage.database import Connection, DatabaseOptions, connect, link
from storage.outbox import append_events
from storage.outbox_reading import read_after
from storage.reading import Reading
from tests.support.journaling import DEADLINE_S, event, transition, unique
from tests.support.seed import Seed

pytestmark = pytest.mark.database
ROWS, WIDTH = 2_000, 2_000
STATEMENT = f"SELECT repeat('x', {WIDTH}) FROM generate_series(1, {ROWS})".encode()
BLOCKS_S = 0.03
"""So long that a busy server, too, has more to give at each turn."""
TURNS = 60
"""4 MB in the pieces of 16 KiB with which the driver begins take four times as many."""


class Turns:
    """How often a loop came round that is busy with something else."""

    def __init__(self) -> None:
        self.count = 0

    async def block(self) -> None:
        clock = SystemClock()
        while True:
            time.sleep(BLOCKS_S)  # noqa: ASYNC251  it stands for judging
            self.count += 1
            await clock.sleep(0)


@asynccontextmanager
async def busy() -> AsyncIterator[Turns]:
    turns = Turns()
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
        blocking = tasks.create_task(turns.block())
        yield turns
        blocking.cancel()


async def read(conn: Connection) -> int:
    return len(await (await conn.execute(STATEMENT)).fetchall())


async def test_by_the_worker_s_own_connections(database_url: str):
    async with link(DatabaseOptions(database_url)) as line, busy() as turns:
        assert await line.run(read) == ROWS
    assert turns.count < TURNS


async def test_by_who_follows_the_stream(database_url: str):
    async with (
        Reading(database_url) as reading,
        reading.listener("hazwatch_outbox") as connection,
        busy() as turns,
    ):
        assert await read(connection) == ROWS
    assert turns.count < TURNS


async def test_by_requests(database_url: str):
    plant = Seed(database_url).plant()
    one = event(transition(plant, 0))
    many = [replace(one, id=unique(n), body={"text": "x" * WIDTH}) for n in range(ROWS)]
    async with await connect(DatabaseOptions(database_url)) as conn:
        await append_events(conn, many)
    async with Reading(database_url) as reading:
        await reading.row("outbox_bounds")
        async with busy() as turns:
            assert len((await read_after(reading, 0, ROWS)).events) == ROWS
    assert turns.count < TURNS
