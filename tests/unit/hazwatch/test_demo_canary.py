"""The canary: who breaches when, what counts as its alarm, and what never came."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest

from hazwatch import demo_canary
from hazwatch.demo_canary import Canary, events, raised
from hazwatch.demo_site import Account
from simulators.message import Sample
from tests.support.builders import START
from tests.support.clock import ManualClock

DESK = Account("demo-park", "operator", ("demo",), "Park", "secret")


class Wire:
    """Takes what is sent."""

    def __init__(self, clock: ManualClock) -> None:
        self.sent: list[tuple[float, str, object]] = []
        self._clock = clock

    async def run(self) -> None:
        """Connected."""

    async def offer(self, samples: Sequence[Sample]) -> None:
        ((name, value),) = samples[0].values.items()
        self.sent.append((self._clock.elapsed(), name, value))

    async def drained(self) -> None:
        """Stored."""


def event(name: str, transition: str, kind: str = "alarm") -> dict[str, str]:
    body = {"transition": {"event": transition}, "alarm": {"id": "1", "name": name}}
    return {"event": kind, "id": "7", "data": json.dumps(body)}


async def sung(clock: ManualClock, seconds: float) -> tuple[Canary, Wire]:
    wire, over = Wire(clock), asyncio.Event()
    canary = Canary(wire, "http://nowhere", DESK, clock)
    async with asyncio.TaskGroup() as tasks:
        singing = tasks.create_task(canary.sing(over))
        await clock.advance(seconds)
        over.set()
        await clock.advance(1.0)
        await singing
    return canary, wire


async def test_each_second_the_next_one_breaches_and_goes_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(demo_canary, "ARRIVES_WITHIN_S", 0)
    canary, wire = await sung(ManualClock(START), 2.2)
    assert wire.sent == [
        (0.0, "CANARY-001", 1.0),
        (0.5, "CANARY-001", 0.0),
        (1.0, "CANARY-002", 1.0),
        (1.5, "CANARY-002", 0.0),
        (2.0, "CANARY-003", 1.0),
        (2.5, "CANARY-003", 0.0),
    ]
    assert (canary.sent, canary.values, canary.messages) == (3, 6, 6)


async def test_a_breach_whose_alarm_never_comes_is_not_seen_and_has_no_latency(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(demo_canary, "ARRIVES_WITHIN_S", 0)
    canary, _ = await sung(ManualClock(START), 0.2)
    assert (canary.sent, canary.seen, canary.latency_ms(50)) == (1, 0, None)


async def test_server_sent_events_are_read_without_comments():
    async def lines() -> AsyncIterator[str]:
        for line in (": heartbeat", "", "id: 3", "event: alarm", 'data: {"a": 1}', "", "id: 4"):
            yield line

    assert [one async for one in events(lines())] == [
        {"id": "3", "event": "alarm", "data": '{"a": 1}'}
    ]


def test_only_a_raise_is_the_canarys_alarm():
    alarm = raised(event("CANARY-001", "raise"))
    assert alarm is not None
    assert alarm["name"] == "CANARY-001"
    for other in ("return", "acknowledge", "worsen", "close"):
        assert raised(event("CANARY-001", other)) is None
    assert raised({"event": "degraded", "data": "{}"}) is None
