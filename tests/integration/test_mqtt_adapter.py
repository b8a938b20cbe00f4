"""The adapter against a real Mosquitto: what is acknowledged, what comes back, what goes out."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest
from prometheus_client import CollectorRegistry

from domain.clock import SystemClock
from domain.instant import micros
from ingest.batch import Raw
from ingest.connection import Enterprise
from ingest.metrics import BrokerMetrics
from ingest.mqtt import Broker, BrokerOptions
from tests.support.servers import Mosquitto

PATIENCE_S = 60
"""Nothing here takes nearly as long, unless the machine has other things to do."""


class Room:
    """Topics and client ids of one test, on a broker that all tests share."""

    def __init__(self, server: Mosquitto) -> None:
        self.server = server
        self.park = f"P{uuid.uuid4().hex[:8]}"

    def broker(
        self,
        enterprises: Sequence[str] = ("E1",),
        *,
        clock: SystemClock | None = None,
        **options: Any,
    ) -> Broker:
        clock = clock or SystemClock()
        settings = {"retry_min_s": 0.05, "retry_max_s": 0.2} | options
        named = BrokerOptions(self.server.url, f"hazwatch-{self.park}", **settings)
        return Broker(named, self.places(*enterprises), clock, BrokerMetrics(CollectorRegistry()))

    def places(self, *enterprises: str) -> list[Enterprise]:
        return [(self.park, one) for one in enterprises]

    def topic(self, channel: str = "data", enterprise: str = "E1") -> str:
        return f"hw/v1/{self.park}/{enterprise}/G1/{channel}"

    def client(self, **more: Any) -> aiomqtt.Client:
        return aiomqtt.Client(self.server.host, self.server.port, **more)

    async def publish(
        self, *payloads: bytes, topic: str | None = None, retain: bool = False
    ) -> None:
        async with self.client() as client:
            for payload in payloads:
                await client.publish(topic or self.topic(), payload, qos=1, retain=retain)


@pytest.fixture
def room(mosquitto: Mosquitto) -> Room:
    return Room(mosquitto)


@asynccontextmanager
async def running(broker: Broker, *, connected: bool = True) -> AsyncIterator[Broker]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(broker.run())
        try:
            if connected:
                await until(lambda: broker.connected)
            yield broker
        finally:
            task.cancel()


async def until(told: Callable[[], bool]) -> None:
    """Wait for something that a real broker brings about."""
    clock = SystemClock()
    async with asyncio.timeout(PATIENCE_S):
        while not told():
            await clock.sleep(0.01)


async def hear(broker: Broker, count: int) -> list[Raw]:
    messages: list[Raw] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(messages) < count:
            messages += await broker.messages()
    return messages


def payloads(messages: Sequence[Raw]) -> list[bytes]:
    return [message.payload for message in messages]


def numbered(first: int, last: int) -> list[bytes]:
    return [b"%d" % n for n in range(first, last)]


async def test_what_was_not_acknowledged_comes_back_and_nothing_else(room: Room):
    clock = SystemClock()
    async with running(room.broker(clock=clock)) as first:
        await room.publish(*numbered(0, 10))
        messages = await hear(first, 10)
        assert payloads(messages) == numbered(0, 10)
        assert not any(message.redelivered for message in messages)
        arrived = [message.arrived for message in messages if message.arrived is not None]
        assert arrived == sorted(arrived)
        assert len(arrived) == 10
        assert arrived[-1] <= micros(clock.now())
        first.ack(message.handle for message in messages[:4])
        first.ack([messages[7].handle])
    async with running(room.broker()) as second:
        back = await hear(second, 5)
        assert payloads(back) == [b"4", b"5", b"6", b"8", b"9"]
        assert all(message.redelivered for message in back)
        second.ack(message.handle for message in back)
    async with running(room.broker()) as third:
        await room.publish(b"new")
        assert payloads(await hear(third, 1)) == [b"new"]


async def test_what_came_while_we_were_away_is_delivered_first(room: Room):
    async with running(room.broker()):
        pass
    await room.publish(*numbered(0, 500))
    async with running(room.broker(), connected=False) as back:
        messages = await hear(back, 500)
        assert payloads(messages) == numbered(0, 500)


async def test_after_a_broken_connection_old_handles_acknowledge_nothing(room: Room):
    async with running(room.broker()) as broker:
        await room.publish(*numbered(0, 3))
        old = await hear(broker, 3)
        room.server.restart()
        again = await hear(broker, 3)
        assert payloads(again) == numbered(0, 3)
        broker.ack(message.handle for message in old)
    async with running(room.broker()) as later:
        assert payloads(await hear(later, 3)) == numbered(0, 3)


async def test_it_reconnects_by_itself_and_tells_since_when_it_was_away(room: Room):
    clock = SystemClock()
    broker = room.broker(clock=clock)
    async with running(broker):
        assert broker.absent_since is None
        before = micros(clock.now())
        room.server.stop(signal.SIGKILL)
        await until(lambda: not broker.connected)
        away = broker.absent_since
        assert away is not None
        assert away <= micros(clock.now())
        room.server.start()
        await until(lambda: broker.connected)
        assert broker.absent_since == away
        assert away >= before - 1_000_000
        await room.publish(b"after")
        assert payloads(await hear(broker, 1)) == [b"after"]


async def test_it_waits_for_a_broker_that_is_not_there_yet(room: Room):
    room.server.stop()
    broker = room.broker()
    async with running(broker, connected=False):
        broker.publish(f"{room.park}/events", b"kept")
        assert not broker.connected
        room.server.start()
        await until(lambda: broker.connected)


async def test_only_own_enterprises_are_heard_and_that_can_change(room: Room):
    async with running(room.broker(["E1"])) as broker:
        await room.publish(b"not ours", topic=room.topic(enterprise="E2"))
        await room.publish(b"ours")
        first = await hear(broker, 1)
        assert payloads(first) == [b"ours"]
        broker.ack(message.handle for message in first)
        broker.set_enterprises(room.places("E2"))
        await room.publish(b"retained", topic=room.topic("state", "E2"), retain=True)
        (state,) = await hear(broker, 1)
        assert (state.payload, state.topic) == (b"retained", room.topic("state", "E2"))
        await room.publish(b"no longer ours")
        await room.publish(b"now ours", topic=room.topic(enterprise="E2"))
        assert payloads(await hear(broker, 1)) == [b"now ours"]


async def test_subscriptions_of_an_earlier_life_are_given_up(room: Room):
    async with running(room.broker(["E1", "E2"])):
        pass
    await room.publish(b"kept for the shard as it was", topic=room.topic(enterprise="E2"))
    async with running(room.broker(["E1"])) as broker:
        await room.publish(b"more", topic=room.topic(enterprise="E2"))
        await room.publish(b"ours")
        assert payloads(await hear(broker, 1)) == [b"ours"]


async def test_state_and_alarm_are_heard_and_retained_ones_are_marked(room: Room):
    await room.publish(b"s", topic=room.topic("state"), retain=True)
    async with running(room.broker()) as broker:
        await room.publish(b"a", topic=room.topic("alarm"))
        found = {message.topic: message for message in await hear(broker, 2)}
        assert found[room.topic("state")].retained
        assert not found[room.topic("alarm")].retained


async def test_what_is_published_arrives_in_order_and_receipts_are_retained(room: Room):
    events, receipt = f"hw/v1/events/{room.park}/E1/alarm", room.topic("receipt")
    async with room.client() as listener, running(room.broker()) as broker:
        await listener.subscribe(events, qos=1)
        for n in range(300):
            broker.publish(events, b"%d" % n)
        for n in range(10):
            broker.publish(receipt, b"%d" % n, retain=True)
        async with asyncio.timeout(PATIENCE_S):
            heard = [(await anext(aiter(listener.messages))).payload for _ in range(300)]
        assert heard == numbered(0, 300)
        await until(lambda: not len(broker._outgoing))
        async with room.client() as gateway:
            await gateway.subscribe(receipt, qos=1)
            async with asyncio.timeout(PATIENCE_S):
                kept = await anext(aiter(gateway.messages))
        assert (kept.payload, kept.retain) == (b"9", True)


async def test_what_is_published_while_the_broker_is_away_goes_out_afterwards(room: Room):
    events = f"hw/v1/events/{room.park}/E1/alarm"
    async with room.client(identifier=f"l-{room.park}", clean_session=False) as listener:
        await listener.subscribe(events, qos=1)
    broker = room.broker()
    async with running(broker):
        await until(lambda: broker.connected)
        room.server.stop()
        await until(lambda: not broker.connected)
        for payload in numbered(0, 20):
            broker.publish(events, payload)
        room.server.start()
        await until(lambda: not len(broker._outgoing))
    async with room.client(identifier=f"l-{room.park}", clean_session=False) as listener:
        async with asyncio.timeout(PATIENCE_S):
            heard = [(await anext(aiter(listener.messages))).payload for _ in range(20)]
    assert heard == numbered(0, 20)


async def test_above_its_mark_the_socket_is_not_read_and_nothing_is_lost(room: Room):
    big = b"x" * 10_000
    async with running(room.broker(inbox_bytes=100_000)) as broker:
        publishing = asyncio.ensure_future(room.publish(*[big] * 2000))
        await until(lambda: broker._connection is not None and bool(broker._connection.braked_at))
        assert broker._inbox.bytes < 200_000
        messages: list[Raw] = []
        while len(messages) < 2000:
            taken = await broker.messages()
            assert broker._inbox.bytes < 200_000
            broker.ack(message.handle for message in taken)
            messages += taken
        await publishing
        assert broker.absent_since is not None


async def test_a_long_brake_is_not_taken_for_death(room: Room):
    """The keep-alive is 4 s here; the pump stands still for three of them, in twelve breaths."""
    async with running(room.broker(inbox_bytes=20_000, keepalive_s=4)) as broker:
        connection = broker._connection
        await room.publish(*numbered(0, 400))
        await until(lambda: connection is not None and connection.braked_at is not None)
        held = len(broker._inbox)
        await until(lambda: len(broker._inbox) >= held + 12 or broker._connection is not connection)
        assert broker.connected
        assert broker._connection is connection
        assert payloads(await hear(broker, 400)) == numbered(0, 400)


async def test_too_much_in_the_inbox_gives_up_the_connection_and_the_broker_keeps_the_rest(
    room: Room,
):
    sent = [b"%d" % n + b"x" * 9000 for n in range(30)]
    async with running(room.broker(inbox_bytes=10_000, keepalive_s=4)) as broker:
        await room.publish(*sent)
        await until(lambda: not broker.connected)
        seen: set[bytes] = set()
        async with asyncio.timeout(PATIENCE_S):
            while len(seen) < len(sent):
                taken = await broker.messages()
                broker.ack(message.handle for message in taken)
                seen |= set(payloads(taken))


async def test_starting_and_stopping_many_times_leaves_no_task_behind(room: Room):
    before = asyncio.all_tasks()
    for n in range(30):
        async with running(room.broker(), connected=n % 2 == 0):
            pass
    await until(lambda: asyncio.all_tasks() <= before)
