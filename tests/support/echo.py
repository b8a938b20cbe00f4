"""A broker's bad days: messages that come again, and history that comes in no order."""

import asyncio
import random
from datetime import datetime, timedelta

import aiomqtt

from domain.clock import Clock
from simulators.broker import Broker
from simulators.message import Address, Message, Sample, encode

LATE_S = 2.0
"""A message comes again within this time."""
SPAN = timedelta(hours=2)
BEHIND = timedelta(hours=1)
"""History ends so long before the present."""
ROWS = 60
"""Instants, one a second, in a message of history."""


async def echo(url: str, park: str, chance: random.Random, clock: Clock) -> None:
    """Publish every data message of a park once more, some later before some earlier, until
    cancelled."""
    seen: set[bytes] = set()
    async with _client(url) as client, asyncio.TaskGroup() as tasks:
        await client.subscribe(f"hw/v1/{park}/+/+/data", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if message.payload in seen:
                continue
            seen.add(message.payload)
            again = _again(client, message.topic.value, message.payload, chance, clock)
            tasks.create_task(again)


async def _again(
    client: aiomqtt.Client, topic: str, body: bytes, chance: random.Random, clock: Clock
) -> None:
    await clock.sleep(chance.uniform(0, LATE_S))
    await client.publish(topic, body, qos=1)


async def backfill(
    url: str, address: Address, tags: dict[str, int], chance: random.Random, now: datetime
) -> dict[tuple[int, datetime], float]:
    """Publish `SPAN` of history of these tags in any order, each message twice; what it held."""
    begin = now.replace(microsecond=0) - BEHIND - SPAN
    instants = [begin + timedelta(seconds=n) for n in range(int(SPAN.total_seconds()))]
    values = {time: 50 + n % 97 / 10 for n, time in enumerate(instants)}
    bodies = []
    for seq, first in enumerate(range(0, len(instants), ROWS)):
        some = instants[first : first + ROWS]
        samples = tuple(Sample(time, dict.fromkeys(tags, values[time])) for time in some)
        message = Message(seq, samples, historical=True)
        bodies += 2 * [encode(message.body("backfill", 0, now, historical=True))]
    chance.shuffle(bodies)
    async with _client(url) as client:
        for body in bodies:
            await client.publish(address.topic("data"), body, qos=1)
    return {(tag, time): value for time, value in values.items() for tag in tags.values()}


def _client(url: str) -> aiomqtt.Client:
    broker = Broker.of(url)
    name = f"echo-{random.getrandbits(32):x}"
    client = aiomqtt.Client(broker.host, broker.port, identifier=name, timeout=60)
    client.pending_calls_threshold = 10_000
    return client
