"""Who has the lease, as a real Mosquitto is told and tells it, for when no database can say."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiomqtt
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from domain.clock import SystemClock
from hazwatch.doubt import Doubt
from ingest import topics
from ingest.broker_metrics import BrokerMetrics
from ingest.mqtt import Broker, BrokerOptions, session_name
from ingest.witness import Claim, Said
from storage.database import DatabaseOptions
from storage.lease import Fence, LeaseLost
from tests.support.journaling import leased
from tests.support.proxy import Wire, proxy
from tests.support.servers import Mosquitto

PATIENCE_S = 30
LANE = ("P1", "E1")


@dataclass
class Worker:
    """The broker's side of a worker, which stands down as soon as it is in doubt."""

    broker: Broker
    registry: CollectorRegistry
    doubts: list[Said] = field(default_factory=list)

    @property
    def connections(self) -> float:
        """Of sessions, since the beginning."""
        return self.registry.get_sample_value("hazwatch_broker_connections_total") or 0.0

    @property
    def stood_down(self) -> bool:
        return bool(self.registry.get_sample_value("hazwatch_broker_stood_down"))


class Shard:
    """The workers of one shard, on a broker that all tests share."""

    def __init__(self, server: Mosquitto) -> None:
        self.server = server
        self.name = uuid.uuid4().hex[:8]

    def worker(self, epoch: int, url: str | None = None) -> Worker:
        registry, clock = CollectorRegistry(), SystemClock()

        def doubted(said: Said) -> None:
            worker.doubts.append(said)
            worker.broker.stand_down()

        claim = Claim(topics.lease(self.name), Said(epoch, f"host {epoch}"), doubted)
        options = BrokerOptions(
            url or self.server.url, self.client_id, retry_min_s=0.05, retry_max_s=0.2
        )
        broker = Broker(options, [LANE], clock, BrokerMetrics(registry), claim=claim)
        worker = Worker(broker, registry)
        return worker

    @property
    def client_id(self) -> str:
        return f"hazwatch-{self.name}"

    async def retained(self) -> object:
        async with aiomqtt.Client(self.server.host, self.server.port) as client:
            await client.subscribe(topics.lease(self.name))
            async with asyncio.timeout(PATIENCE_S):
                async for message in client.messages:
                    return json.loads(bytes(message.payload))
        raise AssertionError

    async def say(self, payload: bytes) -> None:
        async with aiomqtt.Client(self.server.host, self.server.port) as client:
            await client.publish(topics.lease(self.name), payload, qos=1, retain=True)


@pytest.fixture
def shard(mosquitto: Mosquitto) -> Shard:
    return Shard(mosquitto)


@asynccontextmanager
async def running(worker: Worker, *, connected: bool = True) -> AsyncIterator[Worker]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(worker.broker.run())
        try:
            if connected:
                await until(lambda: worker.broker.connected)
            yield worker
        finally:
            task.cancel()


async def until(true: Callable[[], object]) -> None:
    """Wait for something that a real server brings about."""
    clock = SystemClock()
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await clock.sleep(0.01)


async def reached(worker: Worker, connections: float) -> None:
    """Wait until so many have been made."""
    await until(lambda: worker.connections >= connections)


async def rest(seconds: float = 1.0) -> None:
    """Long enough for a fight over a session to show: waits between attempts are 0.2 s at most."""
    await SystemClock().sleep(seconds)


async def test_who_took_over_says_so_before_it_takes_the_sessions_and_nobody_fights(shard: Shard):
    async with running(shard.worker(1)) as first, running(shard.worker(2)) as second:
        await until(lambda: first.stood_down)
        assert first.doubts == [Said(2, "host 2")]
        await rest()
        assert not first.broker.connected
        assert second.broker.connected
        assert second.connections == 2
        assert second.doubts == []
        assert await shard.retained() == {"epoch": 2, "holder": "host 2"}


async def test_who_was_cut_off_from_the_broker_looks_before_it_takes_the_sessions_back(
    shard: Shard,
):
    async with proxy(shard.server.url, 1883) as (wire, url):
        first = shard.worker(1, url)
        async with running(first):
            await wire.become(Wire.CUT)
            await until(lambda: not first.broker.connected)
            async with running(shard.worker(2)) as second:
                await wire.become(Wire.SOUND)
                await until(lambda: first.stood_down)
                await rest()
                assert (first.connections, second.connections) == (2, 2)


async def test_a_broken_wire_and_a_broker_that_starts_again_raise_no_doubt(shard: Shard):
    """After a half-open connection the broker ends an old session of our own."""
    async with (
        proxy(shard.server.url, 1883) as (wire, url),
        running(shard.worker(3, url)) as worker,
    ):
        for broken in (Wire.HALF_OPEN, Wire.CUT, Wire.SILENT):
            wanted = worker.connections + 2
            await wire.become(broken)
            await rest()
            await wire.become(Wire.SOUND)
            await reached(worker, wanted)
        await until(lambda: worker.broker.connected)
        wanted = worker.connections + 2
        await asyncio.to_thread(shard.server.restart)
        await reached(worker, wanted)
        assert worker.doubts == []


async def test_what_an_earlier_holder_said_and_nonsense_are_passed_over(shard: Shard):
    await shard.say(b'{"epoch": 6}')
    async with running(shard.worker(7)) as worker:
        assert await shard.retained() == {"epoch": 7, "holder": "host 7"}
        for nonsense in (b"", b"\xff", b"[]", b'{"epoch": "9"}', b'{"epoch": 7}'):
            await shard.say(nonsense)
        await rest(0.3)
        assert worker.doubts == []
        assert worker.broker.connected


async def test_a_later_epoch_of_a_database_that_was_restored_since_is_overruled(shard: Shard):
    await shard.say(b'{"epoch": 70}')
    worker = shard.worker(7)
    async with running(worker, connected=False):
        await until(lambda: worker.stood_down)
        await rest(0.3)
        assert worker.connections == 0
        worker.broker.stand_up()
        await until(lambda: worker.broker.connected)
        assert await shard.retained() == {"epoch": 7, "holder": "host 7"}
        assert worker.doubts == [Said(70)]


async def test_a_stranger_with_our_client_id_is_named_and_raises_no_doubt(shard: Shard):
    with capture_logs() as logs:
        async with running(shard.worker(1)) as worker:
            name = session_name(shard.client_id, LANE)
            stranger = aiomqtt.Client(shard.server.host, shard.server.port, identifier=name)
            async with stranger:
                await until(lambda: worker.connections >= 3)
                await until(lambda: any("client_id" in one for one in logs))
            await until(lambda: worker.broker.connected)
            assert worker.doubts == []
    named = [one for one in logs if "client_id" in one]
    assert {one["client_id"] for one in named} == {name}
    assert "another client may use its name" in named[0]["event"]


async def test_the_database_says_that_the_lease_is_ours_and_it_goes_on(
    shard: Shard, database_url: str
):
    fence = await leased(database_url)
    async with (
        proxy(database_url, 5432) as (wire, url),
        doubting(shard, url, fence) as (worker, doubt),
    ):
        await wire.become(Wire.CUT)
        await rest(0.3)
        assert worker.broker.connected, "a database that is away raises no doubt"
        with capture_logs() as logs:
            await shard.say(b'{"epoch": 99, "holder": "other"}')
            await until(lambda: worker.stood_down)
            await until(lambda: any("can't say by whom" in one["event"] for one in logs))
            assert doubt.holding
            assert not worker.broker.connected
        await wire.become(Wire.SOUND)
        await until(lambda: worker.broker.connected)
        assert not doubt.holding
        assert await shard.retained() == {"epoch": 1, "holder": "here"}


async def test_the_database_says_that_it_is_not_and_the_worker_ends(
    shard: Shard, database_url: str
):
    fence = await leased(database_url)
    await leased(database_url)

    async def in_doubt() -> None:
        async with doubting(shard, database_url, fence):
            await shard.say(b'{"epoch": 2}')
            await rest(PATIENCE_S)

    with pytest.raises(ExceptionGroup) as ended:
        await in_doubt()
    assert ended.group_contains(LeaseLost)


@asynccontextmanager
async def doubting(
    shard: Shard, database_url: str, fence: Fence
) -> AsyncIterator[tuple[Worker, Doubt]]:
    """A worker with its doubt, as `hazwatch.worker` wires them."""
    clock, registry = SystemClock(), CollectorRegistry()

    def hold(down: bool) -> None:
        broker.stand_down() if down else broker.stand_up()

    doubt = Doubt(DatabaseOptions(database_url), fence, clock, hold)
    claim = Claim(topics.lease(shard.name), Said(fence.epoch, "here"), doubt.raised)
    options = BrokerOptions(shard.server.url, shard.client_id, retry_min_s=0.05)
    broker = Broker(options, [LANE], clock, BrokerMetrics(registry), claim=claim)
    worker = Worker(broker, registry)
    async with running(worker), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(doubt.run())
        yield worker, doubt
        task.cancel()
