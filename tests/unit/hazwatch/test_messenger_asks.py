"""What the messenger asks before it sends once more."""

import asyncio
from collections.abc import Collection
from uuid import UUID

from prometheus_client import CollectorRegistry

from alerts.channels.channel import DeliveryError
from domain.alarms import Notice
from hazwatch.messenger import DECIDED_LOOKS, Messenger
from hazwatch.metrics import WorkerMetrics
from storage.database import DatabaseOptions
from tests.support.builders import START
from tests.support.clock import ManualClock

NOWHERE = DatabaseOptions("postgresql://nobody@127.0.0.1:1/none")
ALARM = UUID(int=99)


class Refusing:
    """A channel that refuses. asked: whether decisions were asked for before each attempt."""

    def __init__(self) -> None:
        self.tried: list[int] = []
        self.asked = 0
        self.decided: set[UUID] = set()

    async def send(self, notice: Notice) -> None:
        self.tried.append(self.asked)
        raise DeliveryError("no")

    async def targets(self) -> Collection[UUID]:
        self.asked += 1
        return self.decided


async def test_an_alarm_that_was_acknowledged_meanwhile_waits_for_that_to_be_applied():
    """The first attempt leaves at once: nobody can have acknowledged it before."""
    clock, channel = ManualClock(START), Refusing()
    messenger = Messenger(
        {"webhook": channel},
        lambda _: True,
        lambda: True,
        clock,
        NOWHERE,
        WorkerMetrics(CollectorRegistry()),
        decided=channel.targets,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(messenger.run())
        messenger.add([Notice(UUID(int=1), ALARM, "webhook", "somebody", {}, START)])
        await clock.advance(1)
        assert channel.tried == [0]
        await clock.advance(31)
        assert channel.tried == [0, 1]
        channel.decided.add(ALARM)
        await clock.advance(62)
        assert channel.tried == [0, 1]
        await clock.advance(DECIDED_LOOKS + 2)
        assert len(channel.tried) == 3
        running.cancel()
