"""Database and broker of the demonstration: those that were given, or embedded ones."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import aiomqtt
import psycopg

from hazwatch.doctor_broker import Dialogue
from hazwatch.embedded import EmbeddedError, EmbeddedPostgres
from hazwatch.embedded_broker import EmbeddedBroker
from hazwatch.settings import Settings, shown
from storage.database import DatabaseOptions, connect
from storage.migrate import TimescaleNotPermitted, migrate
from storage.vitals import Answer, knock, lease_of

USAGE, AWAY = 2, 3
KNOCK_S = 5
BROKER_GOES_S = 5.0
"""How long the embedded broker may take to see its clients off."""
SERVICE = "main"
"""The shard of a worker that is not the demonstration's, unless its settings say otherwise."""


class DemoError(Exception):
    """The demonstration can't go on; the text says what to do. code: of the process's exit."""

    def __init__(self, text: str, code: int = AWAY) -> None:
        super().__init__(text)
        self.code = code


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The URL of a database that answers, for the time of the block."""
    if "database_url" in settings.model_fields_set:
        await _knock(settings.database_url)
        yield settings.database_url
        return
    server, started = EmbeddedPostgres(settings.data_dir), False

    def start() -> None:
        nonlocal started
        server.start()
        started = True

    try:
        try:
            await to_the_end(start)
        except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
            raise DemoError(
                f"the embedded database does not start: {error}\n"
                "--data-dir takes another place, --database-url another database"
            ) from error
        yield server.url
    finally:
        if started:
            await to_the_end(server.stop)


@asynccontextmanager
async def broker(settings: Settings) -> AsyncIterator[str]:
    """The URL of a broker that lets us in, for the time of the block."""
    if "mqtt_url" in settings.model_fields_set:
        await _greet(settings)
        yield settings.mqtt_url
        return
    server = EmbeddedBroker()
    await server.start()
    try:
        yield server.url
    finally:
        async with asyncio.timeout(BROKER_GOES_S):
            await server.stop()


async def to_the_end(work: Callable[[], object]) -> None:
    """Do blocking `work` in a thread. A cancellation waits until it is done: nobody is left to end
    what half a start has begun."""
    working = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        working.exception()
        raise


async def migrated(url: str) -> None:
    """The newest schema is there on return."""
    try:
        await to_the_end(partial(migrate, url))
    except TimescaleNotPermitted as refused:
        raise DemoError(str(refused)) from refused


async def refuse_company(url: str, at: datetime) -> None:
    """`DemoError` where a worker of the service watches this database at `at`: two would judge
    everything twice."""
    async with await connect(DatabaseOptions(url)) as conn:
        seen = await lease_of(conn, SERVICE)
    if seen is not None and seen.expires_at > at:
        raise DemoError(
            f"the worker of {seen.holder} watches {shown(url)}; stop it, or give the demonstration "
            "a database of its own"
        )


async def _knock(url: str) -> None:
    try:
        answer = await asyncio.to_thread(knock, url, KNOCK_S)
    except psycopg.ProgrammingError as error:
        raise DemoError(f"--database-url {shown(url)}: {error}", USAGE) from error
    if answer is not Answer.READY:
        why = "is starting or going down" if answer is Answer.BUSY else "does not answer"
        raise DemoError(
            f"the database {why} at {shown(url)}; start it, mend --database-url or "
            "HAZWATCH_DATABASE_URL, or leave both away: there is an embedded one"
        )


async def _greet(settings: Settings) -> None:
    url = shown(settings.mqtt_url)
    try:
        async with Dialogue(settings).client("demo"):
            return
    except (ValueError, OSError) as error:
        raise DemoError(f"--mqtt-url {url}: {error}", USAGE) from error
    except aiomqtt.MqttError as error:
        raise DemoError(
            f"the broker at {url} does not let us in: {error}; start it, mend --mqtt-url or "
            "HAZWATCH_MQTT_URL, or leave both away: there is an embedded one"
        ) from error
