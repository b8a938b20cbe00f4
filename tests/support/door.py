"""A `Door` with an intake and a small store behind it, all in memory, on a clock that tests own."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.options import ApiOptions
from domain.clock import Stamps
from domain.plant import Gateway, Node, Registry
from hazwatch.http_ingest import application
from ingest.batch import Batch, Raw
from ingest.door import Behind, Door, DoorOptions
from ingest.gateway_keys import GatewayKey, new_key
from ingest.intake import Intake
from ingest.metrics import HttpMetrics
from ingest.quota import Allowance
from storage.samples import Outcome, Stored, tallied
from tests.support.builders import PARK, START, registry, tag
from tests.support.clock import ManualClock

PLENTY = Allowance(1e9, 1e9, 10.0)
SECOND_ENTERPRISE = 20
PLACES = ("P1/E1/G1", "P1/E1/G2", "P1/E2/G1")


def two_enterprises() -> Registry:
    """E1 with gateways G1 and G2 (ids 1, 2) and tags T1 to T3, E2 with G1 (id 3) and a T1 too."""
    other = Node(SECOND_ENTERPRISE, PARK, "enterprise", "E2", "Enterprise 2", SECOND_ENTERPRISE)
    tags = [tag(id, f"T{id}", unit="m", range=(0.0, 100.0)) for id in (1, 2, 3)]
    return registry(
        *tags,
        tag(4, "T1", unit="m", range=(0.0, 100.0), enterprise=SECOND_ENTERPRISE),
        nodes=[other],
        gateways=[Gateway(2, 2, "P1", "E1", "G2"), Gateway(3, SECOND_ENTERPRISE, "P1", "E2", "G1")],
    )


@dataclass
class People:
    """Sessions by token; `looked` counts how often one was looked up."""

    known: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    looked: int = 0

    async def enterprises(self, token: str, at: object) -> frozenset[tuple[str, str]] | None:
        self.looked += 1
        return self.known.get(token)


class Rig:
    """What a test needs: a client, keys of every gateway, and the worker's part by hand, or
    (serving) by itself."""

    def __init__(
        self, allowance: Allowance = PLENTY, *, serving: bool = False, **options: Any
    ) -> None:
        self.clock = ManualClock(START)
        self.collected = CollectorRegistry()
        self.people = People()
        self.door = Door(
            DoorOptions(allowance, **options), self.clock, HttpMetrics(self.collected), self.people
        )
        self.registry = two_enterprises()
        self.away = False
        self.full: set[tuple[str, str]] = set()
        self.inbox: list[Raw] = []
        self.batches: list[Batch] = []
        self._intake = Intake(self.registry)
        self._stamps = Stamps(self.clock, 0)
        self._store: dict[tuple[int, int], float] = {}
        self._number = 0
        self.keys = {place: new_key() for place in PLACES}
        self.hear()
        put = self._serve if serving else self.inbox.append
        self.door.open(
            Behind(lambda: self.registry, lambda: self.away, self.full.__contains__, put)
        )
        self.app: FastAPI = application(self.door, self.clock, ApiOptions())

    def hear(self, *revoked: str) -> None:
        """The keys that hold, all but these, are read now."""
        held = [
            GatewayKey(id, number, digest)
            for number, (place, (id, _, digest)) in enumerate(self.keys.items(), 1)
            if place not in revoked
        ]
        self.door.credentials.heard(held, self.clock.elapsed())

    def client(self, place: str = PLACES[0]) -> httpx.AsyncClient:
        """A client with the key of that gateway."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://test/api/v1/ingest/",
            headers={"Authorization": f"Bearer {self.keys[place][1]}"},
        )

    def _serve(self, raw: Raw) -> None:
        self.inbox.append(raw)
        asyncio.get_running_loop().call_soon(lambda: self.store(*self.judge()))

    def judge(self) -> list[int]:
        """Take what came, as the pump does; the numbers of the entries."""
        raws, numbers = self.inbox[:], []
        self.inbox.clear()
        for batch in self._intake.take(raws, self._stamps.next):
            self._number += 1
            self.batches.append(batch)
            self.door.waiting.judged(self._number, batch)
            numbers.append(self._number)
        return numbers

    def store(self, *numbers: int) -> None:
        """These entries are in the database."""
        for number in numbers:
            self.door.waiting.stored(number, self._stored(self.batches[number - 1]))

    def _stored(self, batch: Batch) -> Stored:
        frame, outcomes = batch.frame, []
        for id, time, value in zip(frame.tag, frame.time, frame.value, strict=True):
            stands = self._store.setdefault((int(id), int(time)), value)
            same = stands == value or (np.isnan(stands) and np.isnan(value))
            new = stands is value
            outcomes.append(
                Outcome.STORED if new else Outcome.DUPLICATE if same else Outcome.CONFLICT
            )
        return tallied(np.array(outcomes, np.int8), batch.gateway_of)

    def sample(self, name: str, **labels: str) -> float:
        """A metric, 0 where it was never touched."""
        return self.collected.get_sample_value(f"hazwatch_http_ingest_{name}", labels) or 0.0
