"""Who sends notices, whatever becomes of a channel and of the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from prometheus_client import CollectorRegistry

from alerts.channels.channel import DeliveryError
from domain.alarms import Notice
from hazwatch.messenger import Messenger
from hazwatch.metrics import WorkerMetrics
from storage.database import DatabaseOptions
from tests.support.builders import START
from tests.support.clock import ManualClock

NOWHERE = DatabaseOptions("postgresql://nobody@127.0.0.1:1/none")


class Broken:
    """A channel that can't even try."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.attempts = 0

    async def send(self, notice: Notice) -> None:
        self.attempts += 1
        raise self.error


class Good:
    """A channel that keeps what it sent."""

    def __init__(self) -> None:
        self.sent: list[UUID] = []

    async def send(self, notice: Notice) -> None:
        self.sent.append(notice.id)


def notice(number: int, channel: str, step: int | None = None) -> Notice:
    return Notice(UUID(int=number), UUID(int=99), channel, "somebody", {}, START, step)


@asynccontextmanager
async def running(
    clock: ManualClock, wanted: set[int] | None = None, **channels: Broken | Good
) -> AsyncIterator[Messenger]:
    messenger = Messenger(
        channels,
        lambda one: wanted is None or one.id.int in wanted,
        lambda: True,
        clock,
        NOWHERE,
        WorkerMetrics(CollectorRegistry()),
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(messenger.run())
        yield messenger
        assert not running.done()
        running.cancel()


async def test_a_channel_that_breaks_stops_neither_the_messenger_nor_other_channels():
    clock, broken, good = ManualClock(START), Broken(UnicodeError("odd host")), Good()
    async with running(clock, webhook=broken, log=good) as messenger:
        messenger.add([notice(1, "webhook", 1), notice(2, "log", 2)])
        await clock.advance(1)
        assert good.sent == [UUID(int=2)]
        await clock.advance(31)
        assert broken.attempts == 2


async def test_an_alarm_s_notice_is_given_up_after_four_attempts_a_rung_s_never():
    clock, alarms, rungs = (
        ManualClock(START),
        Broken(DeliveryError("x")),
        Broken(DeliveryError("x")),
    )
    async with running(clock, webhook=alarms, mqtt=rungs) as messenger:
        messenger.add([notice(1, "webhook"), notice(2, "mqtt", 1)])
        await clock.advance(900)
    assert alarms.attempts == 4
    assert rungs.attempts == 4 + 5


async def test_a_rung_that_nobody_needs_any_more_is_not_tried_again():
    clock, channel, wanted = ManualClock(START), Broken(DeliveryError("x")), {1}
    async with running(clock, wanted, mqtt=channel) as messenger:
        messenger.add([notice(1, "mqtt", 1)])
        await clock.advance(10)
        wanted.clear()
        await clock.advance(300)
    assert channel.attempts == 1


async def test_what_comes_while_the_service_stops_is_for_the_next_run():
    clock, good = ManualClock(START), Good()
    async with running(clock, log=good) as messenger:
        await clock.advance(1)
    messenger.add([notice(1, "log")])
    await clock.advance(10)
    assert good.sent == []
