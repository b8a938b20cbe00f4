"""LISTEN that comes back by itself."""

from collections.abc import Callable, Sequence

import psycopg
import structlog
from psycopg import sql

from domain.clock import Clock
from storage.backoff import Backoff
from storage.database import (
    Connection,
    DatabaseOptions,
    connect,
    hanging_up_after,
    is_away,
)
from storage.queries import query

log = structlog.get_logger(__name__)
QUIET_S = 30.0
"""After so long without a word we ask whether the connection still stands, in seconds."""


async def listen(
    options: DatabaseOptions,
    channels: Sequence[str],
    wake: Callable[[str, str], None],
    clock: Clock,
    quiet_s: float = QUIET_S,
) -> None:
    """Call `wake(channel, payload)` for each notification until cancelled, on an own connection.

    After each (re)connection `wake` is called for every channel with an empty payload, because
    something may have been missed. Who listens also polls now and then: a notification is a hint,
    not a promise.
    """
    backoff = Backoff()
    while True:
        try:
            async with await connect(options) as conn:
                await _subscribe(conn, channels)
                backoff.reset()
                for channel in channels:
                    wake(channel, "")
                while True:
                    async for said in conn.notifies(timeout=quiet_s):
                        wake(said.channel, said.payload)
                    with hanging_up_after(conn, options.answer_s):
                        await conn.execute(query("still_there"))
        except psycopg.Error as exc:
            if not is_away(exc):
                raise
            log.debug("not listening", action="reconnect", channels=channels, error=str(exc))
        await clock.sleep(backoff.next())


async def _subscribe(conn: Connection, channels: Sequence[str]) -> None:
    for channel in channels:
        await conn.execute(
            sql.SQL(query("listen").decode()).format(channel=sql.Identifier(channel))
        )
