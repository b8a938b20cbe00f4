"""A lively plant behind real gateways, a real broker, a real database and the real process."""

import asyncio
import json
import random
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.plant import Registry
from domain.site import read_site
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.message import Address
from storage.database import DatabaseOptions, connect
from storage.registry import load_site, read_registry
from tests.support import load
from tests.support.broken_warnings import broken_warnings
from tests.support.nights import Night, night
from tests.support.nursery import NursedService, Nursery
from tests.support.proxy import Proxy, proxy
from tests.support.servers import Database, Mosquitto
from tests.support.service import Service

CODES = ("e1", "e2")


@dataclass(slots=True)
class Stage:
    """Everything of one story. `until` waits for something to become true, with a deadline."""

    url: str
    service: Service
    clock: SystemClock
    registry: Registry
    players: dict[str, load.Player]
    database: Database
    broker: Mosquitto
    chance: random.Random
    park: str
    wires: dict[str, Proxy]
    """Between the service and its `broker` and `database`, where the story asked for them."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    besides: dict[tuple[int, datetime], float] = field(default_factory=dict)
    """What was published and judged by nobody as it happened: (tag id, time) → value."""
    deaf: list[tuple[datetime, datetime]] = field(default_factory=list)
    """While nothing was heard for so long that held values counted (decision 9)."""

    parted: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From a broker's restart until every gateway had come back, each in its time: what a sample
    raised that was the last before it may have become effective later in it (decision 9)."""

    async def until(self, true: Callable[[], object], within_s: float, what: str) -> None:
        """Look every 50 ms until `true()`; `AssertionError` with the service's log if it takes too
        long."""
        deadline = self.clock.elapsed() + within_s
        while not true():
            if self.clock.elapsed() > deadline:
                raise AssertionError(f"{what}: not within {within_s} s\n{self.service.log[-6000:]}")
            await self.clock.sleep(0.05)

    async def start(self) -> None:
        """Start the service and wait until it takes messages."""
        self.service.start()
        await self.until(lambda: self.service.watching, 60, "the service takes messages")

    async def kill(self) -> None:
        """SIGKILL, and start again."""
        await asyncio.to_thread(self.service.end, signal.SIGKILL)
        await self.start()

    async def restart_broker(self) -> None:
        """Stop and start it; `parted` goes on until all that was published by then is stored."""
        began = self.clock.now()
        await asyncio.to_thread(self.broker.restart, signal.SIGTERM)
        self.rejoining.add(self.group.create_task(self._rejoined(began)))

    async def _rejoined(self, began: datetime) -> None:
        await self.caught_up(60)
        self.parted.append((began, self.clock.now()))

    async def caught_up(self, within_s: float = 20) -> None:
        """Return when all that was published until now is in the database."""
        sent = {code: len(player.published) for code, player in self.players.items()}
        await self.until(
            lambda: all(
                (player.gateway.receipt or 0) + 1 >= sent[code]
                for code, player in self.players.items()
            ),
            within_s,
            "everything is stored",
        )

    async def settle(self) -> None:
        """End the load; return when every gateway has its last receipt."""
        self.stop.set()
        async with asyncio.timeout(120):
            for player in self.players.values():
                await self._played(player)
                await player.gateway.drained()
        await asyncio.gather(*self.rejoining)

    async def _played(self, player: load.Player) -> None:
        task = self.tasks[id(player)]
        await asyncio.wait([task])

    tasks: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)
    rejoining: set["asyncio.Task[None]"] = field(default_factory=set)
    group: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)

    def check_everything(self) -> None:
        """Every published sample exactly once, the alarm history of an undisturbed run, sums that
        add up."""
        truth = load.truth(self.registry, self.players) | self.besides
        stored = load.stored_samples(self.url)
        assert len(stored) == len(truth)
        assert stored == truth
        expected = load.history_of(load.undisturbed(self.registry, self.players))
        assert expected, "the load raises alarms"
        wrong = load.differences(
            load.without(self.deaf, load.stored_history(self.url)),
            load.without(self.deaf, expected),
            self.parted,
        )
        assert not wrong, "\n".join(
            ["history differs", *wrong[:40], "judged otherwise", *load.oddly_judged(self.url)]
        )
        assert load.identities_hold(load.counts(self.url)), load.counts(self.url)
        assert load.number(self.url, "SELECT count(*) FROM warning_case"), "the load opens cases"
        assert broken_warnings(self.url) == []


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where services start at once."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def story(
    tmp_path: Path,
    timescale: Database,
    timescale_url: str,
    mosquitto: Mosquitto,
    nursery: Nursery,
) -> Callable[..., AbstractAsyncContextManager[Stage]]:
    """`async with story() as stage`: load and service running. wired: with `stage.wires`.

    Park and shard are the story's own: what another has left at the broker is none of its.
    """
    park = f"p{uuid.uuid4().hex[:8]}"

    @asynccontextmanager
    async def opened(*, wired: bool = False, **settings: str) -> AsyncIterator[Stage]:
        async with AsyncExitStack() as stack:
            wires, urls = {}, {"database": timescale_url, "broker": mosquitto.url}
            if wired:
                for what, port in (("database", 5432), ("broker", 1883)):
                    wires[what], urls[what] = await stack.enter_async_context(
                        proxy(urls[what], port)
                    )
            service = NursedService(
                nursery, tmp_path, urls["database"], urls["broker"], settings | {"shard": park}
            )
            yield await stack.enter_async_context(staged(service, wires))

    @asynccontextmanager
    async def staged(service: Service, wires: dict[str, Proxy]) -> AsyncIterator[Stage]:
        clock = SystemClock()
        registry = await _load_site(timescale_url, park, clock)
        broker = Broker.of(mosquitto.url)
        seed = random.SystemRandom().randrange(2**32)
        print("chance seed", seed)  # noqa: T201  (shown by pytest when the test fails)
        players = {
            code: load.Player(
                Gateway(broker, Address(park, code, "g1"), clock, boot=rfc3339(clock.now())), clock
            )
            for code in CODES
        }
        stage = Stage(
            timescale_url,
            service,
            clock,
            registry,
            players,
            timescale,
            mosquitto,
            random.Random(seed),
            park,
            wires,
        )
        with service:
            await stage.start()
            async with stage.group as tasks:
                carriers = [tasks.create_task(one.gateway.run()) for one in players.values()]
                stage.tasks = {
                    id(one): tasks.create_task(one.play(stage.stop)) for one in players.values()
                }
                yield stage
                for task in (*carriers, *stage.tasks.values()):
                    task.cancel()

    return opened


@pytest.fixture
def nights(
    tmp_path: Path,
    timescale: Database,
    timescale_url: str,
    mosquitto: Mosquitto,
    nursery: Nursery,
) -> Callable[..., AbstractAsyncContextManager[Night]]:
    """`async with nights() as night`: see `tests.support.nights.night`."""
    return partial(night, tmp_path, timescale_url, timescale, mosquitto, nursery=nursery)


async def _load_site(url: str, park: str, clock: SystemClock) -> Registry:
    site = read_site(json.dumps(load.lively_site(park, *CODES)))
    conn = await connect(DatabaseOptions(url))
    async with conn:
        await load_site(conn, site, by="test", at=clock.now())
        return await read_registry(conn)
