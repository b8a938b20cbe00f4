"""One connection for a command that does one thing, and what is said where there is none."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer
from rich.text import Text

from hazwatch.commands.documents import console

if TYPE_CHECKING:
    from storage.database import Connection

AWAY = 3
T = TypeVar("T")


def with_database(
    database_url: str | None,
    work: "Callable[[Connection], Awaitable[T]]",
    application: str,
    statement_s: float = 30.0,
) -> T:
    """What `work(connection)` returns; exits with 3 where the database is away or empty."""
    import psycopg

    from hazwatch.cli import read_settings
    from storage.database import DatabaseOptions, connect, is_away

    url = read_settings(database_url=database_url).database_url
    options = DatabaseOptions(url, application=application, statement_s=statement_s)

    async def run() -> T:
        async with await connect(options) as conn:
            return await work(conn)

    try:
        return asyncio.run(run())
    except psycopg.errors.UndefinedTable:
        fail("the database lacks tables of this release: hazwatch db migrate", AWAY)
    except psycopg.Error as error:
        if not is_away(error):
            raise
        fail(f"the database is away: {error}\nset --database-url or HAZWATCH_DATABASE_URL", AWAY)


def fail(text: str, code: int) -> NoReturn:
    """Say it in red on stderr and exit."""
    console(stderr=True).print(Text(text.rstrip(), "red"))
    raise typer.Exit(code)
