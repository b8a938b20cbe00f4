"""The api's way to the database: few connections, and every wait has a deadline."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from storage.database import DatabaseAway, DatabaseOptions, is_away, with_room
from storage.queries import query

Row = dict[str, Any]
RowConnection = psycopg.AsyncConnection[DictRow]


class UnfitValue(ValueError):
    """A value was given that the database cannot hold, such as a NUL in a text."""


@asynccontextmanager
async def in_our_words() -> AsyncIterator[None]:
    """Turn the driver's failures into `DatabaseAway` and `UnfitValue`; a bug stays one."""
    try:
        yield
    except psycopg.DataError as error:
        raise UnfitValue(UnfitValue.__doc__) from error
    except psycopg.Error as error:
        if is_away(error):
            raise DatabaseAway(type(error).__name__) from error
        raise


class Reading:
    """A small pool of autocommit connections. Open with `async with`; the server may be away.

    patience_s: how long a request waits for a free connection (and a connection for the server)
    before it is told that the database is away; statement_s: how long one statement may run.
    At most 16 requests wait per connection, the next is told at once. Instants come back in UTC.
    """

    def __init__(
        self, url: str, *, size: int = 8, patience_s: float = 2.0, statement_s: float = 10.0
    ) -> None:
        options = DatabaseOptions(
            url,
            application="hazwatch-api",
            connect_s=max(1, round(patience_s)),
            statement_s=statement_s,
            answer_s=statement_s + patience_s,
        )
        self._url = url
        self._arguments = options.arguments() | {
            "row_factory": dict_row,
            # the planner shall see the values: partial indexes serve filters that are parameters
            "prepare_threshold": None,
        }
        self._pool: AsyncConnectionPool[RowConnection] = AsyncConnectionPool(
            url,
            connection_class=RowConnection,
            kwargs=self._arguments,
            min_size=1,
            max_size=size,
            max_waiting=size * 16,
            timeout=patience_s,
            reconnect_timeout=patience_s,
            configure=with_room,
            check=AsyncConnectionPool.check_connection,
            open=False,
            name="api",
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._pool.close()

    async def rows(self, query_name: str, **values: object) -> list[Row]:
        """All rows of a named query."""
        async with in_our_words(), self._pool.connection() as connection:
            return await (await connection.execute(query(query_name), values)).fetchall()

    async def row(self, query_name: str, **values: object) -> Row | None:
        """The only row of a named query, or None."""
        found = await self.rows(query_name, **values)
        return found[0] if found else None

    async def packed(self, query_name: str, **values: object) -> dict[str, bytes]:
        """The only row of a named query whose columns are bytea; b"" where one is NULL."""
        async with in_our_words(), self._pool.connection() as connection:
            cursor = await connection.execute(query(query_name), values, binary=True)
            row = await cursor.fetchone() or {}
        return {name: b"" if found is None else bytes(found) for name, found in row.items()}

    async def run(self, query_name: str, **values: object) -> int:
        """Run a named statement that returns nothing; how many rows it touched."""
        async with in_our_words(), self._pool.connection() as connection:
            return (await connection.execute(query(query_name), values)).rowcount

    @asynccontextmanager
    async def listener(self, *channels: str) -> AsyncIterator[RowConnection]:
        """A connection outside the pool that listens to these channels."""
        async with (
            in_our_words(),
            await RowConnection.connect(self._url, **self._arguments) as connection,
        ):
            await with_room(connection)
            for channel in channels:
                name = psycopg.sql.Identifier(channel)
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(name))
            yield connection
