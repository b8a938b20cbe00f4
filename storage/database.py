"""How hazwatch reaches its database, what it finds there, and what a failure means."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from storage.queries import query

Connection = AsyncConnection[Any]
T = TypeVar("T")

AWAY = ("08", "530", "531", "533", "57P", "58")
"""SQLSTATE: connection exception, insufficient resources, shutdown or start, system error. Not
53200, out of memory or of places for locks, and 53400: what asks for too much does so every time.
"""
OF_NO_USE = frozenset({"25006", "25P03", "25P04", "55P03", "57014"})
"""SQLSTATE: read-only (a standby), idle transaction cut off; transaction, lock or statement took
too long."""
RETRYABLE = frozenset({"40001", "40P01"})
"""SQLSTATE: serialization failure, deadlock."""
OURS = ("25", "26", "28", "34", "3D", "3F", "42")
"""SQLSTATE: a transaction or statement that is not there, no access, no such table, bad SQL."""


GONE = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2"
"""The server ends a session whose machine has not answered for 20 s, whatever it was doing: what it
holds, a lease above all, is free then (by itself a server waits for two hours)."""


class DatabaseAway(Exception):
    """The database cannot be reached, or is going down or starting."""


class Refused(Exception):
    """The database is there and does not take what it was given: trying again is of no use."""


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """Where the database is and how long we wait for it, in seconds.

    connect_s: until a connection stands. statement_s: the server gives a statement up. answer_s: we
    hang up on a server that says nothing, so that a stalled one counts as away.
    """

    url: str
    application: str = "hazwatch"
    connect_s: int = 5
    statement_s: float = 30.0
    answer_s: float = 40.0

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `connect`; instants come back in UTC."""
        return {
            "autocommit": True,
            "application_name": self.application,
            "connect_timeout": self.connect_s,
            "tcp_user_timeout": int(self.answer_s * 1000),
            "options": f"-c timezone=UTC -c statement_timeout={int(self.statement_s * 1000)}"
            f" {GONE}",
        }


async def connect(options: DatabaseOptions) -> Connection:
    """A new connection in autocommit; `OperationalError` where there is none to be had."""
    return await AsyncConnection.connect(options.url, **options.arguments())


READ_AT_ONCE = 1 << 19
"""Bytes of an answer that the driver takes in at one turn of the event loop, at least."""


async def with_room(connection: AsyncConnection[Any]) -> None:
    """Let a connection take in long answers in few pieces.

    The driver reads what its buffer has room for, 16 KiB at first, and then waits for its turn in
    the event loop: on a loop that is busy for 50 ms at a time, 6 MB take 45 s. The buffer grows to
    the longest single value that was read, and never shrinks.
    """
    await connection.execute("SELECT repeat(' ', %s)", [READ_AT_ONCE])


def pool(options: DatabaseOptions, size: int) -> AsyncConnectionPool[Connection]:
    """A closed pool of at most `size` connections; open it with `async with`.

    When all are taken, a caller waits for `answer_s` and then gets `PoolTimeout` (which `is_away`).
    """
    return AsyncConnectionPool(
        options.url,
        kwargs=options.arguments(),
        min_size=1,
        max_size=size,
        timeout=options.answer_s,
        open=False,
    )


def is_away(exc: BaseException) -> bool:
    """Whether the server is out of reach, going down, starting or unable to work; else it is a bug.

    The driver's own failures (refused, reset, hung up) are `OperationalError` without a SQLSTATE.
    """
    if not isinstance(exc, psycopg.Error):
        return isinstance(exc, DatabaseAway)
    if exc.sqlstate is None:
        return isinstance(exc, psycopg.OperationalError)
    return exc.sqlstate.startswith(AWAY) or exc.sqlstate in OF_NO_USE


def first_of(group: BaseExceptionGroup[BaseException]) -> str:
    """What the first of the failures says."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return str(found)


def is_retryable(exc: BaseException) -> bool:
    """Whether the same transaction may succeed when it is run again at once."""
    return isinstance(exc, psycopg.Error) and exc.sqlstate in RETRYABLE


def is_refusal(exc: BaseException) -> bool:
    """Whether it is for what was to be written that it failed; nothing to do with who wrote it.

    A value that has no place in its column, a row that is not to be had twice, more at once than
    the server can do. Bad SQL and missing tables or rights are bugs, for they hit every value.
    """
    if isinstance(exc, OverflowError | UnicodeError | psycopg.DataError):
        return True
    if not isinstance(exc, psycopg.Error) or exc.sqlstate is None:
        return False
    return not (is_away(exc) or is_retryable(exc) or exc.sqlstate.startswith(OURS))


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server at the other end is.

    version: as `server_version_num`, such as 180006. timescale and licence: of the extension in
    this database, None where it is not installed. partitioned: `sample` is split by range and its
    partitions are ours to make.
    """

    version: int
    timescale: str | None
    licence: str | None
    partitioned: bool


async def server_facts(conn: Connection) -> ServerFacts:
    """Ask the server what it is."""
    row = await (await conn.execute(query("server_facts"))).fetchone()
    assert row is not None, "a select without from has one row"
    return ServerFacts(*row)


def hang_up(conn: Connection) -> None:
    """Cut a connection, whatever it waits for: that fails at once, as `OperationalError`."""
    if not conn.closed:
        with socket.socket(fileno=os.dup(conn.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)


@contextmanager
def hanging_up_after(conn: Connection, seconds: float) -> Iterator[None]:
    """Cut the connection when the block takes longer than `seconds`.

    A server that has stalled answers neither a statement nor its cancellation. With its socket shut
    the driver sees the end of the stream and raises `OperationalError`.
    """
    timer = asyncio.get_running_loop().call_later(seconds, hang_up, conn)
    try:
        yield
    finally:
        timer.cancel()


class Link:
    """One dedicated connection, opened when it is needed and dropped when it is in doubt."""

    def __init__(self, options: DatabaseOptions) -> None:
        self._options = options
        self._conn: Connection | None = None
        self._hung_up = False

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The result of `work(connection)`, which must be idempotent and bring its own transaction.

        It is run once more on a new connection when the old one fails (the outcome of a commit is
        then unknown), and after a deadlock. Raises `DatabaseAway` when that failed too.
        """
        self._hung_up = False
        try:
            return await self._attempt(work)
        except psycopg.Error as exc:
            if self._hung_up:
                raise DatabaseAway("we hung up") from exc
            if not (is_away(exc) or is_retryable(exc)):
                raise
        try:
            return await self._attempt(work)
        except psycopg.Error as exc:
            if is_away(exc) or is_retryable(exc):
                raise DatabaseAway(str(exc)) from exc
            raise

    async def _attempt(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        is_new = self._conn is None
        if self._conn is None:
            self._conn = await connect(self._options)
        try:
            if self._hung_up:
                raise DatabaseAway("we hung up")
            with hanging_up_after(self._conn, self._options.answer_s):
                if is_new:
                    await with_room(self._conn)
                return await work(self._conn)
        except BaseException:
            await self.close()
            raise

    def hang_up(self) -> None:
        """Let what runs now fail at once with `DatabaseAway`, though the server may yet do it."""
        self._hung_up = True
        if self._conn is not None:
            with contextlib.suppress(OSError):
                hang_up(self._conn)

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()


@asynccontextmanager
async def link(options: DatabaseOptions) -> AsyncIterator[Link]:
    """A `Link` that is closed at the end."""
    linked = Link(options)
    try:
        yield linked
    finally:
        await linked.close()
