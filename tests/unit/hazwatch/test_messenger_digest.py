"""A flood leaves as digests through the messenger, and each member has its own result."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
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


class Robot:
    """A channel that keeps what it got, and takes nothing while it is broken."""

    def __init__(self) -> None:
        self.sent: list[Notice] = []
        self.broken = False

    async def send(self, notice: Notice) -> None:
        if self.broken:
            raise DeliveryError("no")
        self.sent.append(notice)

    @property
    def digests(self) -> list[Any]:
        return [one.body for one in self.sent if one.body["type"] == "digest"]


def alarm(number: int, priority: str = "P3") -> Notice:
    said = {"name": "LT-1", "class": "LEVEL", "kind": "H", "priority": priority}
    body: dict[str, object] = {"type": "alarm", "alarm": said, "text": "高报"}
    return Notice(UUID(int=number), UUID(int=900 + number), "apprise", "wecombot://K", body, START)


@asynccontextmanager
async def running(
    clock: ManualClock,
    robot: Robot,
    wanted: Callable[[Notice], bool] = lambda one: True,
    silent: Callable[[], bool] = lambda: False,
) -> AsyncIterator[tuple[Messenger, WorkerMetrics]]:
    metrics = WorkerMetrics(CollectorRegistry())
    messenger = Messenger(
        {"apprise": robot}, wanted, lambda: True, clock, NOWHERE, metrics, silent=silent
    )
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(messenger.run())
        yield messenger, metrics
        task.cancel()


def delivered(metrics: WorkerMetrics) -> float:
    value: float = metrics.notices.labels("apprise", "delivered")._value.get()
    return value


async def test_forty_one_alarms_are_ten_notices_and_one_digest_and_all_are_delivered():
    clock, robot = ManualClock(START), Robot()
    async with running(clock, robot) as (messenger, metrics):
        messenger.add([alarm(n) for n in range(1, 42)])
        await clock.advance(1)
        assert len(robot.sent) == 10
        await clock.advance(10)
        assert len(robot.sent) == 11
        assert [one["count"] for one in robot.digests] == [31]
        assert delivered(metrics) == 41
        await clock.advance(200)
        assert len(robot.sent) == 11


async def test_a_p1_in_the_flood_leaves_at_once_and_alone():
    clock, robot = ManualClock(START), Robot()
    async with running(clock, robot) as (messenger, _):
        messenger.add([alarm(n) for n in range(1, 42)])
        await clock.advance(2)
        messenger.add([alarm(500, "P1")])
        await clock.advance(0.3)
        assert robot.sent[-1].id == UUID(int=500)


async def test_a_digest_that_is_not_taken_comes_again():
    clock, robot = ManualClock(START), Robot()
    async with running(clock, robot) as (messenger, metrics):
        messenger.add([alarm(n) for n in range(1, 31)])
        await clock.advance(5)
        robot.broken = True
        await clock.advance(10)
        robot.broken = False
        assert delivered(metrics) == 10
        await clock.advance(120)
        assert delivered(metrics) == 30
        told = {id for one in robot.digests for id in one["notices"]}
        told |= {str(one.id) for one in robot.sent if one.body["type"] == "alarm"}
        assert told == {str(UUID(int=n)) for n in range(1, 31)}


async def test_who_is_no_longer_needed_is_in_no_digest():
    clock, robot, needless = ManualClock(START), Robot(), set[int]()
    async with running(clock, robot, lambda one: one.id.int not in needless) as (messenger, _):
        messenger.add([alarm(n) for n in range(1, 31)])
        await clock.advance(5)
        needless |= set(range(20, 31))
        await clock.advance(10)
        assert [one["count"] for one in robot.digests] == [9]


async def test_while_it_is_silent_nothing_leaves_and_nothing_is_lost():
    """Silence that begins between the decision to send and the sending counts as well."""
    clock, robot, looks = ManualClock(START), Robot(), [False]

    def silent() -> bool:
        return looks.pop(0) if len(looks) > 1 else looks[0]

    async with running(clock, robot, silent=silent) as (messenger, metrics):
        await clock.advance(1)
        looks[:] = [False, True]
        messenger.add([alarm(n) for n in range(1, 42)])
        await clock.advance(100)
        assert robot.sent == []
        looks[:] = [False]
        await clock.advance(100)
        assert delivered(metrics) == 41
        assert {one["count"] for one in robot.digests} == {31}
