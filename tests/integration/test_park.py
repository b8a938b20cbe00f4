"""The demonstration park on a real broker: what it says it sent is what arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from domain.instant import rfc3339
from simulators import park
from simulators.broker import Broker
from simulators.message import Address
from simulators.park import ADDRESSES, Tally, play_park
from simulators.park_enterprises import CHLORINE, METHANOL
from simulators.park_readings import values
from tests.support.builders import START
from tests.support.clock import ManualClock
from tests.support.receiver import Receiver, receiver

PATIENCE_S = 30
SEED = 7
DAYS = count()
"""Each test has its own day, and so its own boot: receipts of others are retained by the broker."""


@dataclass(frozen=True)
class Played:
    """A park at play, the other ends of its wires, and what it counts."""

    clock: ManualClock
    began: datetime
    tally: Tally
    stop: asyncio.Event
    ends: dict[Address, Receiver]

    def first_time(self, address: Address) -> dict[int, dict[str, Any]]:
        """Each message of a gateway once, by its number."""
        return {body["seq"]: body for body in reversed(self.ends[address].data)}


@asynccontextmanager
async def played(url: str, *, receipts: bool = True) -> AsyncIterator[Played]:
    """The park until the block ends; at its end it is told to stop, and has."""
    async with asyncio.timeout(PATIENCE_S), AsyncExitStack() as wires:
        ends = {
            address: await wires.enter_async_context(receiver(url, address, prompt=receipts))
            for address in ADDRESSES
        }
        clock = ManualClock(START + timedelta(days=next(DAYS)))
        one = Played(clock, clock.now(), Tally(), asyncio.Event(), ends)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(play_park(Broker.of(url), one.clock, one.tally, one.stop, seed=SEED))
            for end in ends.values():
                await end.until_state(online=True)
            yield one
            one.stop.set()


def sent_values(one: Played) -> int:
    """Values of all messages, each message once."""
    bodies = [body for address in ADDRESSES for body in one.first_time(address).values()]
    return sum(len(sample["values"]) for body in bodies for sample in body["samples"])


async def test_every_gateway_sends_all_its_tags_every_second(mosquitto):
    async with played(mosquitto.url) as one:
        await one.clock.advance(3)
        for address, end in one.ends.items():
            await end.until_data(4)
            for second, body in one.first_time(address).items():
                (sample,) = body["samples"]
                assert sample["time"] == rfc3339(one.began + timedelta(seconds=second))
                assert sample["values"] == values(address, second, SEED)
    assert (one.tally.published, one.tally.messages) == (sent_values(one), 4 * len(ADDRESSES))


@pytest.fixture
def loss(monkeypatch) -> tuple[int, int]:
    """The line of Qilian is cut in the third second already, and comes back when it is late."""
    cut, back = 3, 70
    monkeypatch.setattr(park, "cut", lambda gateway, s: gateway == CHLORINE and cut <= s < back)
    return cut, back


async def test_a_lost_gateway_leaves_its_will_and_comes_back_with_what_it_has_kept(mosquitto, loss):
    cut, back = loss
    async with played(mosquitto.url) as one:
        lost = one.ends[CHLORINE]
        await one.clock.advance(cut - 1)
        await lost.until_data(cut)
        await one.clock.advance(1)
        await lost.until_state(online=False)
        await one.clock.advance(back - cut - 1)
        await one.ends[METHANOL].until_data(back)
        assert set(one.first_time(CHLORINE)) == set(range(cut))
        await one.clock.advance(1)
        await lost.until_state(online=True)
        while len(one.first_time(CHLORINE)) <= back:
            await lost.until_data(len(lost.data) + 1)
        late = [body["historical"] for _, body in sorted(one.first_time(CHLORINE).items())]
        assert late[:cut] == [False] * cut
        assert late[cut] is True
        assert late[-1] is False
    assert one.tally.published == sent_values(one)
    assert one.tally.messages == len(ADDRESSES) * (back + 1)
    came = sum(len(end.data) for end in one.ends.values())
    assert one.tally.redelivered == came - one.tally.messages


async def test_a_park_that_is_stopped_while_a_line_is_cut_still_delivers_everything(
    mosquitto, loss
):
    cut, _ = loss
    async with played(mosquitto.url) as one:
        await one.clock.advance(cut + 20)
        await one.ends[CHLORINE].until_state(online=False)
        await one.ends[METHANOL].until_data(cut + 21)
        # the pause before the next attempt to connect is over
        await one.clock.advance(0.6)
    assert len(one.first_time(CHLORINE)) == cut + 21
    assert one.tally.published == sent_values(one)


async def test_without_receipts_the_end_comes_all_the_same(mosquitto, monkeypatch, caplog):
    monkeypatch.setattr(park, "SETTLE_S", 0.2)
    async with played(mosquitto.url, receipts=False) as one:
        await one.ends[METHANOL].until_data(1)
    assert "receipts are missing" in caplog.text
    assert one.tally.messages == len(ADDRESSES)


async def test_a_full_gateway_takes_no_more_and_then_goes_on_with_the_present(
    mosquitto, monkeypatch
):
    monkeypatch.setattr(park, "SETTLE_S", 0.2)
    monkeypatch.setattr(park, "KEPT", 2)
    async with played(mosquitto.url, receipts=False) as one:
        await one.clock.advance(10)
        end = one.ends[METHANOL]
        assert len(await end.until_data(2)) == 2
        assert one.tally.messages == 2 * len(ADDRESSES)
        await end.give_receipt(rfc3339(one.began), 1)
        await end.until_data(3)
        await one.clock.advance(0)
        times = [body["samples"][0]["time"][-3:] for body in await end.until_data(4)]
        assert times == ["00Z", "01Z", "02Z", "10Z"]
