"""What the worker needs of the demonstration's broker. Durability is not proved here."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt
import pytest

from domain.clock import SystemClock
from hazwatch.embedded_broker import EmbeddedBroker

# amqtt forgets to close its side of a connection that broke; the collector does it, here and now.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
ANSWER_WITHIN_S = 5


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker() as broker:
        yield broker
    gc.collect()


def client(broker: EmbeddedBroker, name: str, **options: Any) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, identifier=name, **options)


def connect_packet(name: str, will_topic: str, will: str) -> bytes:
    """CONNECT of MQTT 3.1.1 with a retained will of QoS 1: clients can't be made to break off."""
    words = (word.encode() for word in (name, will_topic, will))
    body = b"\x00\x04MQTT\x04\x2e\x00\x3c" + b"".join(
        len(word).to_bytes(2) + word for word in words
    )
    return bytes([0x10, len(body)]) + body


async def receive(reader: aiomqtt.Client, n: int) -> list[tuple[str, bytes, int]]:
    """The next n messages as (topic, payload, QoS)."""
    got: list[tuple[str, bytes, int]] = []
    async with asyncio.timeout(ANSWER_WITHIN_S):
        async for message in reader.messages:
            got.append((str(message.topic), message.payload, message.qos))
            if len(got) == n:
                break
    return got


async def test_a_persistent_session_gets_what_was_published_while_it_was_away(broker):
    async with client(broker, "worker", clean_session=False) as worker:
        await worker.subscribe("hw/v1/+/+/+/data", qos=1)
    async with client(broker, "gateway") as gateway:
        for n in range(3):
            await gateway.publish("hw/v1/p/e/g/data", str(n), qos=1)
    async with client(broker, "worker", clean_session=False) as worker:
        got = await receive(worker, 3)
    assert got == [("hw/v1/p/e/g/data", str(n).encode(), 1) for n in range(3)]


async def test_a_retained_message_reaches_a_later_subscriber(broker):
    async with client(broker, "worker") as worker:
        await worker.publish("hw/v1/p/e/g/receipt", "last", qos=1, retain=True)
    async with client(broker, "gateway") as gateway:
        await gateway.subscribe("hw/v1/p/e/g/receipt", qos=1)
        assert await receive(gateway, 1) == [("hw/v1/p/e/g/receipt", b"last", 1)]


async def test_the_will_of_a_gateway_is_published_when_its_connection_breaks(broker):
    async with client(broker, "worker") as worker:
        await worker.subscribe("hw/v1/+/+/+/state", qos=1)
        _, gateway = await asyncio.open_connection("127.0.0.1", broker.port)
        gateway.write(connect_packet("gateway", "hw/v1/p/e/g/state", "gone"))
        await gateway.drain()
        gateway.close()
        await gateway.wait_closed()
        assert await receive(worker, 1) == [("hw/v1/p/e/g/state", b"gone", 1)]


async def test_a_message_acknowledged_by_hand_is_delivered_once(broker):
    async with client(broker, "worker", clean_session=False) as worker:
        worker._client.manual_ack_set(True)
        await worker.subscribe("t", qos=1)
        async with client(broker, "gateway") as gateway:
            await gateway.publish("t", "a", qos=1)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            message = await anext(worker.messages)
        worker._client.ack(message.mid, message.qos)
        async with client(broker, "gateway") as gateway:
            await gateway.publish("t", "b", qos=1)
        assert await receive(worker, 1) == [("t", b"b", 1)]


async def test_many_may_connect_and_subscribe_at_once_while_there_are_retained_messages(broker):
    async def one(n: int) -> None:
        await SystemClock().sleep(0.003 * n)
        async with client(broker, f"gateway{n}", timeout=ANSWER_WITHIN_S) as gateway:
            await gateway.subscribe(f"hw/v1/p/e/g{n}/receipt", qos=1)

    async with client(broker, "worker") as worker:
        await worker.subscribe("hw/v1/+/+/+/state", qos=1)
        for n in range(60):
            await worker.publish(f"hw/v1/p/e/g{n}/state", "up", qos=1, retain=True)
        async with asyncio.TaskGroup() as gateways:
            for n in range(40):
                gateways.create_task(one(n))
