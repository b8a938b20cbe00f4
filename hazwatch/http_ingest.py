"""HTTP ingest put together: the door, who may pass, and a listener of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api import problems
from api.metrics import ApiMetrics
from api.middleware import Around
from api.options import ApiOptions
from api.serve import serve_app
from domain.clock import Clock
from domain.plant import Registry
from hazwatch.settings import Settings
from ingest.door import Behind, Door, DoorOptions
from ingest.http import ingest_routes
from ingest.http_refusals import keys_unknown
from ingest.metrics import HttpMetrics
from ingest.mqtt import Broker
from ingest.quota import Allowance
from storage.database import DatabaseAway, DatabaseOptions, Link, link
from storage.gateway_keys import Changes, keep_uses, key_changes, present_keys
from storage.journal import Journal
from storage.reading import Reading
from storage.sessions import own_enterprises

log = structlog.get_logger(__name__)

KEYS_S = 1.0
"""Keys are looked at so often; a revoked one opens no door after that."""
PATIENCE_S = 3.0
"""A database that is away for no longer costs who waits only time."""
PEOPLE = 2
"""Connections for looking up sessions."""


class People:
    """Sessions of people, from the database."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def enterprises(self, token: str, at: datetime) -> frozenset[tuple[str, str]] | None:
        """As `ingest.credentials.Sessions` says."""
        try:
            return await own_enterprises(self._reading, token, at)
        except DatabaseAway:
            raise keys_unknown() from None


@asynccontextmanager
async def door(
    settings: Settings, clock: Clock, registry: CollectorRegistry
) -> AsyncIterator[Door]:
    """The door of this process, closed; a worker opens it."""
    async with Reading(settings.database_url, size=PEOPLE) as reading:
        yield Door(options(settings), clock, HttpMetrics(registry), People(reading))


def options(settings: Settings) -> DoorOptions:
    """Bounds of the door."""
    burst = settings.ingest_burst_s
    own = {place: Allowance(*rates, burst) for place, rates in settings.ingest_quotas.items()}
    values, size = settings.ingest_values_per_s, settings.ingest_bytes_per_s
    return DoorOptions(Allowance(values, size, burst), own, settings.ingest_requests)


class HttpSide:
    """What the worker does for its door: lets it know which keys hold, what became of batches, and
    when nobody can say that any more."""

    def __init__(self, door: Door, clock: Clock, database: DatabaseOptions) -> None:
        self._door = door
        self._clock = clock
        self._database = database
        self._degraded_since: float | None = None
        self.judged = door.waiting.judged
        self.stored = door.waiting.stored
        self.give_up = door.waiting.give_up

    def open(self, registry: Callable[[], Registry], journal: Journal, broker: Broker) -> None:
        """Take requests from now on, while the journal writes to the database and has room."""
        self._door.open(
            Behind(
                registry,
                away=lambda: journal.degraded or journal.full,
                full=lambda lane: not broker.inbox.room(lane),
                put=broker.put,
            )
        )

    def close(self) -> None:
        """Take no more."""
        self._door.close("hazwatch is stopping")

    def look(self, *, degraded: bool) -> None:
        """Let nobody wait who would wait in vain; asked a few times a second."""
        now = self._clock.elapsed()
        if not degraded or self._degraded_since is None:
            self._degraded_since = now if degraded else None
        elif now - self._degraded_since > PATIENCE_S:
            self.give_up()

    async def keep_keys(self) -> None:
        """Let the door know which keys hold, and the database which were used, until cancelled."""
        known: Changes | None = None
        async with link(self._database) as line:
            while True:
                try:
                    known = await self._read_keys(line, known)
                except DatabaseAway:
                    log.debug("database away", action="read gateway keys later")
                await self._clock.sleep(KEYS_S)

    async def _read_keys(self, line: Link, known: Changes | None) -> Changes:
        began = self._clock.elapsed()
        changes = await line.run(key_changes)
        keys = None if changes == known else await line.run(present_keys)
        self._door.credentials.heard(keys, began)
        used = self._door.credentials.newly_used()
        if used:
            await line.run(partial(keep_uses, used=used))
        return changes


def application(door: Door, clock: Clock, bounds: ApiOptions) -> FastAPI:
    """HTTP ingest alone, with nothing of the api beside it but `/readyz`."""
    app = FastAPI(title="hazwatch ingest", docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(app)
    app.include_router(ingest_routes(door))

    @app.get("/readyz")
    async def ready() -> dict[str, bool]:
        """Whether samples are taken now; else a 503 problem."""
        if not door.taking:
            raise problems.Problem(503, "No samples can be taken now.", slug="not-taking")
        return {"ready": True}

    metrics = ApiMetrics(CollectorRegistry())
    app.add_middleware(Around, clock=clock, metrics=metrics, body_bytes=bounds.body_bytes)
    return app


async def serve(settings: Settings, door: Door, clock: Clock, stop: asyncio.Event) -> None:
    """Listen for gateways alone until `stop` is set."""
    assert settings.ingest_port is not None, "there is no listener without a port"
    bounds = ApiOptions(settings.ingest_host, settings.ingest_port)

    def listening(port: int) -> None:
        log.info("HTTP ingest listens", action="listen", host=settings.ingest_host, port=port)

    await serve_app(application(door, clock, bounds), bounds, stop, listening)
