"""The messenger over real HTTP: receivers that hang, refuse or answer 500, and people who have
another channel. Time runs a hundred times as fast."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from alerts.channels.webhook import WebhookChannel
from domain.alarms import Notice
from domain.clock import SystemClock
from hazwatch.messenger import Messenger
from hazwatch.metrics import WorkerMetrics
from storage.database import DatabaseOptions
from tests.support.builders import START
from tests.support.notice_servers import Robot, robot

FASTER = 100.0
NOWHERE = DatabaseOptions("postgresql://nobody@127.0.0.1:1/none")
CASE = UUID(int=99)
FIRST_ROUND_S = 4 * 30 + 30 + 60 + 120
"""Four attempts that hang, and the pauses between them."""


class Quick:
    """A clock that runs faster than that of the machine."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._began = self._clock.elapsed()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed())

    def elapsed(self) -> float:
        return (self._clock.elapsed() - self._began) * FASTER

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds / FASTER)


@pytest.fixture
def robots() -> Iterator[dict[str, Robot]]:
    """One that hangs, one that answers 500, one that cuts the line, and one that takes."""
    moods: dict[str, int | str] = {"hang": "hang", "500": 500, "close": "close", "takes": 200}
    with ExitStack() as stack:
        made = {name: stack.enter_context(robot()) for name in moods}
        for name, mood in moods.items():
            made[name].behave = mood
        yield made


def refusing() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def notice(number: int, *addresses: str) -> Notice:
    """A rung's notice to a person with these addresses, the first first."""
    ways = tuple(("webhook", address) for address in addresses)
    return Notice(
        UUID(int=number),
        CASE,
        "webhook",
        addresses[0],
        {"role": "OP", "n": number},
        START,
        step=number,
        ways=ways,
    )


async def test_each_person_is_reached_by_the_next_channel_and_nobody_else_waits(robots):
    clock = Quick()
    channel = WebhookChannel(timeout_s=30 / FASTER)
    messenger = Messenger(
        {"webhook": channel},
        lambda _: True,
        lambda: True,
        clock,
        NOWHERE,
        WorkerMetrics(CollectorRegistry()),
    )
    good = robots["takes"]
    bad = {1: robots["hang"].url, 2: robots["500"].url, 3: robots["close"].url, 4: refusing()}
    arrived: dict[int, float] = {}
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(messenger.run())
        messenger.add([notice(number, url, f"{good.url}/{number}") for number, url in bad.items()])
        messenger.add([notice(5, f"{good.url}/5")])
        while len(arrived) < 5:
            assert clock.elapsed() < 3 * FIRST_ROUND_S, arrived
            for path, body in list(good.got):
                assert path == f"/{body['n']}"
                arrived.setdefault(body["n"], clock.elapsed())
            await clock.sleep(1)
        running.cancel()
    await channel.close()
    assert arrived[5] < 60, "an address that works waits for none that does not"
    assert len(good.got) == 5
    for name, number in (("hang", 1), ("500", 2), ("close", 3)):
        assert [body["n"] for _, body in robots[name].got] == [number] * 4
        assert arrived[number] >= 30 + 60 + 120
    assert arrived[4] >= 30 + 60 + 120
