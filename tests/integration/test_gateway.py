"""The simulated gateway on a real broker: it keeps what nobody has given a receipt for."""

import asyncio
import uuid
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from domain.clock import SystemClock
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.message import Address, Sample
from tests.support.builders import START, at
from tests.support.clock import ManualClock
from tests.support.receiver import receiver

PATIENCE_S = 20


@pytest.fixture
def address() -> Address:
    return Address("p1", f"e{uuid.uuid4().hex[:8]}", "g1")


@asynccontextmanager
async def running(gateway: Gateway):
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        task = group.create_task(gateway.run())
        yield gateway
        task.cancel()


def gateway_at(mosquitto, address: Address, **options) -> Gateway:
    clock = options.pop("clock", None) or SystemClock()
    return Gateway(Broker.of(mosquitto.url), address, clock, boot="b1", **options)


def sample(n: int) -> Sample:
    return Sample(at(n), {"LT-1": float(n)})


async def test_messages_are_held_until_their_receipt(mosquitto, address):
    async with receiver(mosquitto.url, address) as other:
        async with running(gateway_at(mosquitto, address)) as gateway:
            for n in range(5):
                await gateway.offer([sample(n)])
            data = await other.until_data(5)
            assert [body["seq"] for body in data] == [0, 1, 2, 3, 4]
            assert data[3]["samples"] == [{"time": "2026-11-21T08:00:03Z", "values": {"LT-1": 3.0}}]
            assert {body["oldest"] for body in data} == {0}
            assert gateway.held == 5
            await other.give_receipt("b1", 3)
            await other.give_receipt("another boot", 4)
            await gateway.offer([sample(5)])
            assert (await other.until_data(6))[-1]["oldest"] in (0, 4)
            await other.give_receipt("b1", 5)
            await gateway.drained()
        assert gateway.receipt == 5


async def test_after_a_restart_of_the_broker_everything_above_the_receipt_comes_again(
    mosquitto, address
):
    async with running(gateway_at(mosquitto, address)) as gateway:
        async with receiver(mosquitto.url, address) as other:
            for n in range(6):
                await gateway.offer([sample(n)])
            await other.until_data(6)
            await other.give_receipt("b1", 2)
            await until(lambda: gateway.held == 3)
        await asyncio.to_thread(mosquitto.restart)
        async with receiver(mosquitto.url, address) as other:
            await until(lambda: gateway.published >= 9)
            # what the new receiver missed while it subscribed is still held
            await gateway.offer([sample(6)])
            assert (await other.until_data(1))[-1]["seq"] <= 6
            await other.give_receipt("b1", 6)
            await gateway.drained()
        assert gateway.published == 10


async def until(true, clock=None) -> None:
    clock = clock or SystemClock()
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await clock.sleep(0.01)


async def test_a_full_buffer_lets_the_oldest_message_go_and_says_so(mosquitto, address):
    gateway = gateway_at(mosquitto, address, capacity=3)
    for n in range(5):
        await gateway.offer([sample(n)])
    assert (gateway.dropped, gateway.held) == (2, 3)
    async with receiver(mosquitto.url, address) as other, running(gateway):
        data = await other.until_data(3)
        assert [(body["seq"], body["oldest"]) for body in data] == [(2, 2), (3, 2), (4, 2)]


async def test_put_waits_for_a_receipt_when_the_buffer_is_full(mosquitto, address):
    async with (
        receiver(mosquitto.url, address) as other,
        running(gateway_at(mosquitto, address, capacity=2)) as gateway,
    ):
        await gateway.put([sample(0)])
        await gateway.put([sample(1)])
        async with asyncio.TaskGroup() as group:
            third = group.create_task(gateway.put([sample(2)]))
            await other.until_data(2)
            assert not third.done()
            await other.give_receipt("b1", 0)
        assert gateway.held == 2


async def test_what_goes_out_late_is_marked_historical(mosquitto, address):
    clock = ManualClock(START)
    gateway = gateway_at(mosquitto, address, clock=clock)
    await gateway.offer([sample(0)])
    await clock.advance(61)
    await gateway.offer([sample(61)])
    async with receiver(mosquitto.url, address) as other, running(gateway):
        data = await other.until_data(2)
        assert [body["historical"] for body in data] == [True, False]
        assert {body["sent"] for body in data} == {"2026-11-21T08:01:01Z"}


async def test_the_state_is_repeated_every_minute_and_says_goodbye(mosquitto, address):
    clock = ManualClock(START)
    async with receiver(mosquitto.url, address) as other:
        async with running(gateway_at(mosquitto, address, clock=clock)):
            first = await other.until_state(online=True)
            assert first == {"online": True, "time": "2026-11-21T08:00:00Z", "boot": "b1"}
            await until(lambda: clock.next_due is not None)
            await clock.advance(60)
            await until(lambda: len(other.states) == 2)
        assert (await other.until_state(online=False))["boot"] == "b1"
    async with receiver(mosquitto.url, address) as later:
        assert (await later.until_state(online=False))["boot"] == "b1"


async def test_the_broker_publishes_the_will_of_a_gateway_that_is_cut_off(mosquitto, address):
    name = f"{address.park}.{address.enterprise}.{address.gateway}"
    async with (
        receiver(mosquitto.url, address) as other,
        running(gateway_at(mosquitto, address, clock=ManualClock(START))),
    ):
        await other.until_state(online=True)
        async with aiomqtt.Client(mosquitto.host, mosquitto.port, identifier=name):
            assert (await other.until_state(online=False))["boot"] == "b1"


async def test_a_backfilling_gateway_claims_no_life(mosquitto, address):
    gateway = gateway_at(mosquitto, address, announce=False)
    async with receiver(mosquitto.url, address, prompt=True) as other:
        async with running(gateway):
            await gateway.put([sample(0)], historical=True)
            await gateway.drained()
        assert other.data[0]["historical"] is True
        assert other.states == []


async def test_a_cut_line_says_no_goodbye_and_everything_above_the_receipt_comes_when_it_is_mended(
    mosquitto, address
):
    gateway = gateway_at(mosquitto, address)
    async with receiver(mosquitto.url, address) as other, running(gateway):
        for n in range(3):
            await gateway.offer([sample(n)])
        await other.until_data(3)
        await other.give_receipt("b1", 0)
        await until(lambda: gateway.held == 2)
        gateway.cut()
        assert (await other.until_state(online=False))["boot"] == "b1"
        await gateway.offer([sample(3)])
        gateway.cut()
        await until(lambda: not gateway.connected.is_set())
        assert len(other.data) == 3
        gateway.mend()
        await other.until_state(online=True)
        assert [body["seq"] for body in (await other.until_data(6))[3:]] == [1, 2, 3]
        assert gateway.redelivered == 2


async def test_a_line_that_is_cut_before_the_start_connects_when_it_is_mended(mosquitto, address):
    gateway = gateway_at(mosquitto, address)
    gateway.cut()
    await gateway.offer([sample(0)])
    async with receiver(mosquitto.url, address) as other, running(gateway):
        gateway.mend()
        assert (await other.until_data(1))[0]["seq"] == 0
        assert gateway.redelivered == 0


async def test_a_cancellation_that_a_failing_goodbye_replaces_ends_it_all_the_same(address):
    begun = asyncio.Event()

    class Unkind(Gateway):
        async def _session(self) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise aiomqtt.MqttError("goodbye timed out")

    gateway = Unkind(Broker("127.0.0.1", 1), address, ManualClock(START), boot="b1")
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        task = group.create_task(gateway.run())
        await begun.wait()
        task.cancel()
    assert task.cancelled()
