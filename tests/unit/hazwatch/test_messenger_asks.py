"""What the messenger asks before it sends once more."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
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
LEASE_S = 15.0


class Freezing(ManualClock):
    """It goes on while the process stands still."""

    def freeze(self, seconds: float) -> None:
        """Time passes and nobody wakes."""
        self._now += timedelta(seconds=seconds)


class Refusing:
    """A channel that refuses. asked: whether decisions were asked for before each attempt."""

    refuses = True

    def __init__(self) -> None:
        self.tried: list[int] = []
        self.asked = 0
        self.decided: set[UUID] = set()

    async def send(self, notice: Notice) -> None:
        self.tried.append(self.asked)
        if self.refuses:
            raise DeliveryError("no")

    async def targets(self) -> Collection[UUID]:
        self.asked += 1
        return self.decided


class Fenced(Refusing):
    """A channel that takes everything, and a database that answers only when it is let."""

    refuses = False

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def targets(self) -> Collection[UUID]:
        self.asked += 1
        await self.answers.wait()
        return self.decided


@asynccontextmanager
async def running(clock: ManualClock, channel: Refusing) -> AsyncIterator[Messenger]:
    messenger = Messenger(
        {"webhook": channel},
        lambda _: True,
        lambda: True,
        clock,
        NOWHERE,
        WorkerMetrics(CollectorRegistry()),
        decided=channel.targets,
        lease_s=LEASE_S,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(messenger.run())
        await clock.advance(1)
        yield messenger
        running.cancel()


def alarm(number: int, step: int | None = None) -> Notice:
    return Notice(UUID(int=number), ALARM, "webhook", "somebody", {}, START, step)


async def test_an_alarm_that_was_acknowledged_meanwhile_waits_for_that_to_be_applied():
    """The first attempt leaves at once: nobody can have acknowledged it before."""
    clock, channel = ManualClock(START), Refusing()
    async with running(clock, channel) as messenger:
        messenger.add([alarm(1)])
        await clock.advance(1)
        assert channel.tried == [0]
        await clock.advance(31)
        assert channel.tried == [0, 1]
        channel.decided.add(ALARM)
        await clock.advance(62)
        assert channel.tried == [0, 1]
        await clock.advance(DECIDED_LOOKS + 2)
        assert len(channel.tried) == 3


async def test_a_worker_that_stood_still_sends_nothing_before_somebody_has_answered():
    """Another may have taken over and told it all; then nobody ever answers."""
    clock, channel = Freezing(START), Fenced()
    async with running(clock, channel) as messenger:
        clock.freeze(LEASE_S / 3 + 1)
        messenger.add([alarm(1), alarm(2)])
        await clock.advance(60)
        assert (channel.tried, channel.asked) == ([], 2)
        channel.answers.set()
        await clock.advance(1)
        assert len(channel.tried) == 2
        messenger.add([alarm(3)])
        await clock.advance(1)
        assert (len(channel.tried), channel.asked) == (3, 2)


async def test_what_was_to_leave_in_the_moment_of_standing_still_asks_too():
    clock, channel = Freezing(START), Fenced()
    async with running(clock, channel) as messenger:
        messenger.add([alarm(1)])  # its task has begun and not run
        clock.freeze(LEASE_S)
        await clock.advance(60)
        assert (channel.tried, channel.asked) == ([], 1)


async def test_an_answer_to_what_was_asked_before_standing_still_does_not_count():
    clock, channel = Freezing(START), Fenced()
    async with running(clock, channel) as messenger:
        messenger.add([alarm(1, step=1)])
        await clock.advance(1)
        clock.freeze(LEASE_S)
        channel.answers.set()
        await clock.settle()
        assert channel.tried == [2]


async def test_a_loop_that_is_only_busy_asks_nobody():
    clock, channel = Freezing(START), Fenced()
    async with running(clock, channel) as messenger:
        for number in range(9):
            clock.freeze(LEASE_S / 3 - 1)
            messenger.add([alarm(number)])
            await clock.advance(1)
    assert channel.tried == [0] * 9
