"""The adapter against a real Mosquitto: what is acknowledged, what comes back, what goes out."""

import asyncio
import signal
import ssl
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiomqtt
import pytest
from prometheus_client import CollectorRegistry

from domain.clock import SystemClock
from domain.instant import micros
from ingest.batch import Raw
from ingest.broker_metrics import BrokerMetrics
from ingest.inbox import Lane
from ingest.mqtt import Broker, BrokerOptions, session_name
from ingest.session import Session
from tests.support.bench import SavingEverySecond
from tests.support.proxy import Wire, proxy
from tests.support.servers import Mosquitto
from tests.support.servers import Session as Servers

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
        absent_since: int | None = None,
        former: Sequence[str] = (),
        **options: Any,
    ) -> Broker:
        clock = clock or SystemClock()
        settings: dict[str, Any] = {"retry_min_s": 0.05, "retry_max_s": 0.2} | options
        url = settings.pop("url", self.server.url)
        named = BrokerOptions(url, f"hazwatch-{self.park}", **settings)
        metrics = BrokerMetrics(CollectorRegistry())
        left = self.places(*former)
        return Broker(named, self.places(*enterprises), clock, metrics, absent_since, left)

    def session(self, broker: Broker, enterprise: str = "E1") -> Session:
        return broker._sessions[self.park, enterprise]

    def places(self, *enterprises: str) -> list[Lane]:
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


async def test_it_reconnects_by_itself_and_messages_tell_since_when_it_was_away(room: Room):
    clock = SystemClock()
    broker = room.broker(clock=clock)
    async with running(broker):
        await room.publish(b"before")
        (first,) = await hear(broker, 1)
        broker.ack([first.handle])
        assert first.absent_since is None
        before = micros(clock.now())
        room.server.stop(signal.SIGKILL)
        await until(lambda: not broker.connected)
        room.server.start()
        await until(lambda: broker.connected)
        after = micros(clock.now())
        await room.publish(b"after")
        back = (await hear(broker, 1))[-1]
        assert back.payload == b"after"
        assert back.absent_since is not None
        assert before - 1_000_000 <= back.absent_since <= after
    later = room.broker(clock=clock, absent_since=before)
    async with running(later):
        assert (await hear(later, 1))[0].absent_since == before


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
        publishing = asyncio.ensure_future(room.publish(*[big] * 300))
        await until(lambda: braked(room.session(broker)))
        assert broker.inbox.bytes < 110_000
        messages: list[Raw] = []
        while len(messages) < 300:
            taken = await broker.messages()
            assert broker.inbox.bytes < 110_000
            broker.ack(message.handle for message in taken)
            messages += taken
        await publishing
        assert messages[0].held_back_since is None
        assert any(message.held_back_since is not None for message in messages)


async def test_a_long_brake_is_not_taken_for_death(room: Room):
    """The keep-alive is 2 s here; the pump stands still for four of them."""
    async with running(room.broker(inbox_bytes=20_000, keepalive_s=2)) as broker:
        session = room.session(broker)
        await room.publish(*numbered(0, 400))
        await until(lambda: braked(session))
        connection = session.connection
        await SystemClock().sleep(8)
        assert session.connection is connection
        assert payloads(await hear(broker, 400)) == numbered(0, 400)
        assert session.connection is connection


async def test_the_flood_of_one_waits_at_the_broker_while_others_are_heard(room: Room):
    async with running(room.broker(["A", "B"], inbox_bytes=100_000)) as broker:
        await room.publish(*[b"x" * 2000] * 200, topic=room.topic(enterprise="A"))
        await until(lambda: braked(room.session(broker, "A")))
        await room.publish(b"breach", topic=room.topic(enterprise="B"))
        await until(lambda: bool(broker.inbox._lanes.get((room.park, "B"))))
        reading = await broker.messages()
        assert b"breach" in payloads(reading)
        assert not braked(room.session(broker, "B"))


async def test_what_an_earlier_release_left_is_heard_first_and_its_subscriptions_end(room: Room):
    """Until 0.1 all enterprises were heard by one session, called as the shard."""
    name = f"hazwatch-{room.park}"
    async with room.client(identifier=name, clean_session=False) as old:
        for enterprise in ("E1", "E2"):
            await old.subscribe(f"hw/v1/{room.park}/{enterprise}/+/data", qos=1)
    await room.publish(*numbered(0, 150))
    await room.publish(b"of one who left", topic=room.topic(enterprise="E2"))
    async with running(room.broker()) as broker:
        await room.publish(*numbered(150, 170))
        messages: list[Raw] = []
        while b"169" not in payloads(messages):
            async with asyncio.timeout(PATIENCE_S):
                taken = await broker.messages()
            broker.ack(message.handle for message in taken)
            messages += taken
        found = [one for one in payloads(messages) if one != b"of one who left"]
        assert list(dict.fromkeys(found)) == numbered(0, 170)
        assert b"of one who left" in payloads(messages)
        await until(lambda: not broker.inbox._held)
    async with room.client(identifier=name, clean_session=False) as old:
        await room.publish(b"new")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await anext(aiter(old.messages))


async def test_of_an_enterprise_that_leaves_what_is_left_is_handed_over(room: Room):
    async with running(room.broker(["E1", "E2"])) as broker:
        await room.publish(*numbered(0, 160))
        taken = await hear(broker, 80)
        broker.ack(message.handle for message in taken)
        broker.set_enterprises(room.places("E2"))
        while len(taken) < 160:
            more = await hear(broker, 1)
            broker.ack(message.handle for message in more)
            taken += more
        await until(lambda: (room.park, "E1") not in broker._sessions)
        assert payloads(taken) == numbered(0, 160)
        broker.set_enterprises(room.places("E1", "E2"))
        await until(lambda: broker.connected and room.session(broker).up_at is not None)
        await room.publish(b"back again")
        assert payloads(await hear(broker, 1)) == [b"back again"]


async def test_the_session_of_one_who_left_while_we_were_away_is_emptied_and_ended(room: Room):
    async with running(room.broker(["E1", "E2"])):
        pass
    await room.publish(*numbered(0, 30), topic=room.topic(enterprise="E2"))
    async with running(room.broker(["E1"], former=["E1", "E2"])) as broker:
        messages = await hear(broker, 30)
        assert payloads(messages) == numbered(0, 30)
        broker.ack(message.handle for message in messages)
        await until(lambda: (room.park, "E2") not in broker._sessions)
        name = session_name(f"hazwatch-{room.park}", (room.park, "E2"))
        async with room.client(identifier=name, clean_session=False) as left:
            assert not left._client._connect_properties
            await room.publish(b"lost on nobody", topic=room.topic(enterprise="E2"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(aiter(left.messages))


async def test_a_hundred_enterprises_are_heard_by_as_many_sessions(room: Room):
    names = [f"E{n}" for n in range(100)]
    async with running(room.broker(names)) as broker:
        assert all(session.up_at is not None for session in broker._sessions.values())
        async with room.client() as client:
            for name in names:
                await client.publish(room.topic(enterprise=name), name.encode(), qos=1)
        messages = await hear(broker, 100)
        assert {message.payload.decode() for message in messages} == set(names)
        broker.ack(message.handle for message in messages)


def braked(session: Session) -> bool:
    return session.connection is not None and session.connection.braked_at is not None


async def test_starting_and_stopping_many_times_leaves_no_task_behind(room: Room):
    before = asyncio.all_tasks()
    for n in range(30):
        async with running(room.broker(), connected=n % 2 == 0):
            pass
    await until(lambda: asyncio.all_tasks() <= before)


class OverTls(SavingEverySecond):
    """A broker whose listener speaks TLS, by a certificate of its own."""

    def _config(self) -> str:
        key, cert = self.folder / "key.pem", self.folder / "cert.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", str(key), "-out", str(cert)]  # fmt: skip
        subprocess.run(made, check=True, capture_output=True)
        plain = super()._config()
        line = f"listener {self.port} {self.host}\n"
        return plain.replace(line, f"{line}certfile {cert}\nkeyfile {key}\n")


async def test_over_tls_it_brakes_and_goes_on_and_an_unknown_authority_is_refused(
    room: Room, server_session: Servers
):
    secure = OverTls(server_session, "tls")
    secure.start()
    try:
        url, ca = secure.url.replace("mqtt:", "mqtts:"), str(secure.folder / "cert.pem")
        broker = room.broker(url=url, ca_file=ca, inbox_bytes=100_000)
        async with running(broker):
            trust = ssl.create_default_context(cafile=ca)
            async with aiomqtt.Client(secure.host, secure.port, tls_context=trust) as client:
                for n in range(200):
                    await client.publish(room.topic(), b"%d" % n + b"x" * 5000, qos=1)
            await until(lambda: braked(room.session(broker)))
            heard = await hear(broker, 200)
            assert [int(one.payload.rstrip(b"x")) for one in heard] == list(range(200))
            broker.ack(one.handle for one in heard)
            broker.publish(f"{room.park}/events", b"out")
            await until(lambda: not len(broker._outgoing))
        stranger = room.broker(url=url)
        async with running(stranger, connected=False):
            await until(lambda: stranger._main._backoff.failures >= 2)
            assert not stranger.connected
    finally:
        secure.stop()


async def test_a_silent_wire_is_noticed_at_once_and_all_sessions_are_back_when_the_broker_is(
    room: Room,
):
    async with proxy(room.server.url, 1883) as (wire, url):
        clock = SystemClock()
        broker = room.broker(("E1", "E2"), clock=clock, url=url, retry_max_s=60)
        async with running(broker):
            for _ in range(30):
                await clock.sleep(0.05)
                unheard = broker.unheard()
                assert unheard is not None
                assert unheard.total_seconds() < 1, "where nobody sends the broker is asked"
            await wire.become(Wire.SILENT)
            await until(lambda: (broker.unheard() or timedelta(0)).total_seconds() > 1.5)
            assert broker.connected
            await wire.become(Wire.CUT)
            await until(lambda: broker.unheard() is None)
            sessions = (broker._main, *broker._sessions.values())
            for session in sessions:
                session._backoff.failures = 16
            await until(lambda: all(one._backoff.failures > 16 for one in sessions))
            await wire.become(Wire.SOUND)
            async with asyncio.timeout(4):
                await broker.until_connected()
