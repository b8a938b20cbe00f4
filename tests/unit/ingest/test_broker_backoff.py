"""How long the broker adapter waits before it tries again; connections are made up here."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from prometheus_client import CollectorRegistry

from domain.clock import Clock
from domain.instant import micros
from ingest.connection import ConnectionLostError
from ingest.metrics import BrokerMetrics
from ingest.mqtt import STEADY_S, Broker, BrokerOptions
from tests.support.builders import START
from tests.support.clock import ManualClock


class Flapping:
    """A connection that comes up at once and is lost after `lasts` seconds."""

    lasts = 1.0
    began: ClassVar[list[float]] = []

    def __init__(self, *given: Any) -> None:
        clock: Clock = given[-1]
        self._clock = clock
        self.heard_at = clock.now()
        self.braked_at = None

    async def run(self, up: Callable[[], None]) -> None:
        self.began.append(self._clock.elapsed())
        up()
        await self._clock.sleep(self.lasts)
        raise ConnectionLostError("lost")


@pytest.mark.parametrize(
    ("lasts", "most"), [(1.0, 10.0), (STEADY_S + 1, 0.4), (STEADY_S - 1, 10.0)]
)
async def test_waits_grow_until_a_connection_has_lasted(monkeypatch, lasts, most):
    monkeypatch.setattr("ingest.mqtt.Connection", Flapping)
    monkeypatch.setattr(Flapping, "lasts", lasts)
    monkeypatch.setattr(Flapping, "began", [])
    clock = ManualClock(START)
    metrics = BrokerMetrics(CollectorRegistry())
    broker = Broker(BrokerOptions("mqtt://nowhere", "hazwatch-x"), (), clock, metrics)
    running = asyncio.ensure_future(broker.run())
    await clock.advance(10 * (lasts + 10))
    running.cancel()
    began = Flapping.began
    waits = [after - before - lasts for before, after in pairwise(began)]
    assert 0.5 * most <= waits[8] <= most
    assert waits[0] <= 0.4
    assert broker.absent_since is None or broker.absent_since >= micros(START)
