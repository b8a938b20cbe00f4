"""The demonstration: every part of hazwatch in one process, on embedded servers, with a simulated
plant."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from api.passwords import hash_password
from domain.clock import SystemClock
from domain.instant import rfc3339
from domain.site import read_site
from hazwatch import app
from hazwatch.embedded import EmbeddedPostgres, free_port
from hazwatch.embedded_broker import EmbeddedBroker
from hazwatch.settings import Settings
from hazwatch.shipped import site_file
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.message import Address
from simulators.playback import play_plant
from storage.database import DatabaseOptions, connect
from storage.migrate import migrate
from storage.people import add_person, remove_person, resolve_node
from storage.reading import Reading
from storage.registry import load_site

SEED = 20261121
GATEWAY = Address("demo", "demo", "g1")
ACCOUNTS = {"operator": ("operator", "gansu"), "plant": ("enterprise", "demo/demo")}
"""Login name → role, node."""


@dataclass(slots=True)
class Up:
    """Set when the api accepts connections and the worker takes messages."""

    api: asyncio.Event = field(default_factory=asyncio.Event)
    worker: asyncio.Event = field(default_factory=asyncio.Event)


async def run_demo(
    data_dir: Path,
    port: int,
    last: float | None = None,
    database_url: str | None = None,
    mqtt_url: str | None = None,
) -> None:
    """Run until Ctrl-C or SIGTERM, or for `last` seconds; given servers replace the embedded
    ones."""
    console, clock, stop = Console(stderr=True), SystemClock(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as parts:
        with console.status("starting the database …") as status:
            if database_url is None:
                database_url = await parts.enter_async_context(_postgres(data_dir))
            status.update("starting the broker …")
            if mqtt_url is None:
                mqtt_url = await parts.enter_async_context(_broker())
            status.update("preparing schema, plant and accounts …")
            await asyncio.to_thread(migrate, database_url)
            passwords = await _prepare(database_url, clock.now())
            status.update("starting worker and api …")
            settings = Settings(
                database_url=database_url,
                mqtt_url=mqtt_url,
                data_dir=data_dir,
                api_port=port or free_port(),
            )
            await parts.enter_async_context(_service(settings, stop))
            await parts.enter_async_context(_plant(mqtt_url, clock))
        console.print(_welcome(settings, passwords))
        await _stopped(stop, last)
        console.print("stopping …")
    console.print(f"stopped; the data stay in {data_dir}")


@asynccontextmanager
async def _postgres(data_dir: Path) -> AsyncIterator[str]:
    server = EmbeddedPostgres(data_dir)
    await asyncio.to_thread(server.start)
    try:
        yield server.url
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def _broker() -> AsyncIterator[str]:
    async with EmbeddedBroker() as broker:
        yield broker.url


@asynccontextmanager
async def _service(settings: Settings, stop: asyncio.Event) -> AsyncIterator[None]:
    """Worker and api, up on entry; on exit they are told to stop, and have."""
    up = Up()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            app.run(settings, ("worker", "api"), stop, lambda _: up.api.set(), up.worker.set),
            name="hazwatch",
        )
        await up.api.wait()
        await up.worker.wait()
        try:
            yield
        finally:
            stop.set()


@asynccontextmanager
async def _plant(broker: str, clock: SystemClock) -> AsyncIterator[None]:
    """The simulated plant behind its gateway, running until exit."""
    gateway = Gateway(Broker.of(broker), GATEWAY, clock, boot=rfc3339(clock.now()))
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(gateway.run(), name="gateway"),
            tasks.create_task(play_plant(gateway, clock, SEED), name="plant"),
        ]
        try:
            yield
        finally:
            for task in running:
                task.cancel()


async def _prepare(database: str, at: datetime) -> dict[str, str]:
    """Load the demonstration's site, and give each account a fresh password."""
    site = read_site(site_file("demo.yaml").read_text("utf-8"))
    conn = await connect(DatabaseOptions(database))
    async with conn:
        await load_site(conn, site, by="demo", at=at)
    passwords = {name: secrets.token_urlsafe(9) for name in ACCOUNTS}
    async with Reading(database) as reading:
        for name, (role, place) in ACCOUNTS.items():
            node = await resolve_node(reading, place)
            await remove_person(reading, name, at)
            hashed = await asyncio.to_thread(hash_password, passwords[name])
            await add_person(reading, name, hashed, [(role, int(node["id"]))], at)
    return passwords


async def _stopped(stop: asyncio.Event, last: float | None) -> None:
    try:
        async with asyncio.timeout(last):
            await stop.wait()
    except TimeoutError:
        return


def _welcome(settings: Settings, passwords: dict[str, str]) -> Panel:
    lines = [
        f"[bold]http://{settings.api_host}:{settings.api_port}/[/bold]",
        "",
        *(
            f"{ACCOUNTS[name][0]:<10}  user [bold]{name}[/bold]  password [bold]{word}[/bold]"
            for name, word in passwords.items()
        ),
        "",
        f"MQTT for your own gateway: {settings.mqtt_url}, topics hw/v1/demo/demo/g1/…",
        "In 20 s the feed pump of day tank V-101 does not stop: LT-101 passes H, then HH.",
        "Ctrl-C stops everything.",
    ]
    return Panel("\n".join(lines), title="hazwatch 演示 demonstration", expand=False)
