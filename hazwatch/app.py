"""The whole process in one place: which roles run, and how they stop."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence

import structlog
from prometheus_client import CollectorRegistry

from api import serve as api_server
from api.files import TYPES
from api.options import ApiOptions
from domain.cap import CapOptions
from domain.clock import SystemClock
from hazwatch import http_ingest, worker
from hazwatch.settings import Role, Settings
from hazwatch.waiting import when_there
from hazwatch.warning_rules import ladders_of
from ingest.door import Door
from ingest.http import ingest_routes
from storage.cap_issuers import keep_cap_issuer
from storage.database import DatabaseOptions, first_of, link
from storage.lease import LeaseLost
from storage.schema import is_newest

log = structlog.get_logger(__name__)


async def serve(settings: Settings, roles: Sequence[Role]) -> None:
    """Run these roles until SIGTERM or SIGINT; `LeaseLost` where another worker took over."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    lost: LeaseLost | None = None
    try:
        await run(settings, roles, stop)
    except* LeaseLost as group:
        lost = LeaseLost(first_of(group))
    if lost is not None:
        log.error("another worker has the lease", action="exit", error=str(lost))
        raise lost


async def run(
    settings: Settings,
    roles: Sequence[Role],
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda port: None,
    watching: Callable[[], None] = lambda: None,
) -> None:
    """Run these roles until `stop` is set, each in its task; if one dies, the others die with it.

    listening is told the api's port, watching is called when the worker hears the gateways.
    """
    clock = SystemClock()
    metrics = CollectorRegistry()
    await _unless(stop, _migrated(settings, clock))
    if "api" in roles and not stop.is_set():
        await _unless(stop, _issuer_kept(settings, clock))
    if stop.is_set():
        return
    async with http_ingest.door(settings, clock, metrics) as door, asyncio.TaskGroup() as tasks:
        if "api" in roles:
            tasks.create_task(
                api_server.serve(
                    api_options(settings),
                    settings.database_url,
                    clock,
                    metrics,
                    stop,
                    listening,
                    [ingest_routes(door)],
                ),
                name="api",
            )
        if "worker" in roles:
            tasks.create_task(_work(settings, clock, metrics, stop, watching, door), name="worker")
            if settings.ingest_port is not None:
                tasks.create_task(http_ingest.serve(settings, door, clock, stop), name="ingest")
    log.info("stopped", action="exit")


async def _work(
    settings: Settings,
    clock: SystemClock,
    metrics: CollectorRegistry,
    stop: asyncio.Event,
    watching: Callable[[], None],
    door: Door,
) -> None:
    """A worker that is still waiting for database or lease is cut short by `stop`."""
    started = asyncio.Event()

    def ready() -> None:
        log.info("watching", action="ready", shard=settings.shard)
        watching()

    async def work() -> None:
        async with worker.opened(settings, clock, metrics, door) as opened:
            started.set()
            await opened.run(stop, ready)

    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work(), name="worker of the shard")
        await stop.wait()
        if not started.is_set():
            working.cancel()


async def _migrated(settings: Settings, clock: SystemClock) -> None:
    """The schema is up to date on return; waits for the database."""
    await when_there(lambda: asyncio.to_thread(_migrate, settings.database_url), clock)


async def _issuer_kept(settings: Settings, clock: SystemClock) -> None:
    """CAP messages of before keep their sender and zone; waits for the database."""
    said = settings.cap_sender, settings.timezone.key
    async with link(DatabaseOptions(settings.database_url)) as line:
        await when_there(
            lambda: line.run(lambda conn: keep_cap_issuer(conn, *said, clock.now())), clock
        )


def _migrate(url: str) -> None:
    if not is_newest(url):
        from storage.migrate import migrate

        migrate(url, waiting=lambda text: log.warning("schema waits", action="wait", error=text))


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do `work`, but drop it when `stop` is set first."""
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work, name="start")
        stopping = tasks.create_task(stop.wait(), name="stop")
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        stopping.cancel()


def api_options(settings: Settings) -> ApiOptions:
    """The api's own options."""
    ladders = ladders_of(settings)
    return ApiOptions(
        host=settings.api_host,
        port=settings.api_port,
        session_s=settings.session_hours * 3600,
        secure_cookie=settings.secure_cookie,
        file_bytes=int(settings.case_file_mb * (1 << 20)),
        file_types=tuple(type for type in TYPES if type in settings.case_file_types),
        ladder=ladders.default,
        by_node=ladders.by_node,
        cap=cap_options(settings),
        zone=settings.timezone,
    )


def cap_options(settings: Settings) -> CapOptions:
    """Who speaks in CAP messages, and to whom."""
    return CapOptions(
        settings.cap_sender,
        settings.cap_status,
        settings.cap_scope,
        settings.cap_restriction,
        settings.cap_addresses,
        settings.cap_radius_m,
        settings.timezone,
    )
