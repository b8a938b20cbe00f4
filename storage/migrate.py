"""Bring a database to the newest schema: alembic keeps the book, the SQL files do the work.

A change of a table waits for everybody who reads it, and whoever comes later waits behind that
change. So it waits shortly, lets everybody pass, and tries again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from time import sleep
from typing import Any

import psycopg
import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from storage.database import DatabaseAway, is_away
from storage.queries import query

MIGRATIONS = files("storage.migrations")


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What `migrate` found and did. before: None for an empty database. applied: in order."""

    before: str | None
    after: str
    applied: tuple[str, ...]
    timescale: bool


class TimescaleNotPermitted(Exception):
    """The server has TimescaleDB, and this user may not create it: let an administrator run
    `CREATE EXTENSION timescaledb` in this database, then migrate again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a change of the schema waits for those who use a table.

    lock_s: for one lock; longer than a server takes to send its own autovacuum away (1 s). tries:
    of the whole, again_s apart.
    """

    lock_s: float = 3.0
    tries: int = 5
    again_s: float = 2.0


PATIENCE = Patience()


class TablesInUse(DatabaseAway):
    """Somebody uses a table for so long that it can't be changed; nothing was changed."""


def migrate(
    url: str,
    *,
    waiting: Callable[[str], None] = lambda _: None,
    patience: Patience = PATIENCE,
) -> MigrationReport:
    """Bring the database at `url` (postgresql://…) to the newest revision, in one transaction.

    Does nothing to a database that is there already. Blocks: from a loop use `asyncio.to_thread`.
    Processes that migrate at once wait for each other. waiting: told before each further try who
    uses the tables. Raises `DatabaseAway` where nobody answers, `TablesInUse` after the last try.
    """
    try:
        for _ in range(patience.tries - 1):
            try:
                return _migrate(url, patience.lock_s)
            except psycopg.errors.LockNotAvailable:
                waiting(_users(url))
            sleep(patience.again_s)
        try:
            return _migrate(url, patience.lock_s)
        except psycopg.errors.LockNotAvailable as error:
            raise TablesInUse(_users(url)) from error
    except psycopg.Error as error:
        if is_away(error):
            raise DatabaseAway(str(error)) from error
        raise


def _users(url: str) -> str:
    """Who uses tables of this database, the oldest transaction first, and what to do about it."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(query("who_uses_tables")).fetchall()
    who = "; ".join(
        f"pid {pid} ({application or 'no name'}, user {user})" + (f": {text}" if text else "")
        for pid, application, user, text in rows
    )
    return (
        "tables that a migration changes are in use, nothing was changed; "
        + (f"they are used by {who}; " if who else "nobody uses them any more; ")
        + "let that end, or end it by SELECT pg_terminate_backend(PID), and migrate again"
    )


def _migrate(url: str, lock_s: float) -> MigrationReport:
    """Raises what the driver raises."""
    try:
        return _in_one_transaction(url, lock_s)
    except sqlalchemy.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise error.orig from error
        raise


def _in_one_transaction(url: str, lock_s: float) -> MigrationReport:
    engine = sqlalchemy.create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.begin() as connection:
        raw = driver(connection)
        raw.execute(query("lock_migrations"))
        raw.execute(query("wait_shortly"), {"ms": f"{lock_s * 1000:.0f}"})
        before = MigrationContext.configure(connection).get_current_revision()
        if before is None:
            create_timescale(raw)
        applied = upgrade(connection)
        return MigrationReport(
            before, applied[-1] if applied else str(before), applied, has_timescale(raw)
        )


def upgrade(connection: sqlalchemy.Connection, to: str = "head") -> tuple[str, ...]:
    """Run what is missing up to a revision and return what was run."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    applied: list[str] = []

    def missing(current: Any, context: MigrationContext) -> list[RevisionStep]:
        steps = script._upgrade_revs(to, current)
        applied.extend(step.revision.revision for step in steps)
        return steps

    with EnvironmentContext(config, script, fn=missing) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
    return tuple(applied)


def apply(connection: sqlalchemy.Connection, revision: str) -> None:
    """Run the SQL files of a revision that fit this server, by name."""
    raw = driver(connection)
    edition = "timescale" if has_timescale(raw) else "plain"
    other = "plain" if edition == "timescale" else "timescale"
    for file in sorted(MIGRATIONS.iterdir(), key=lambda file: file.name):
        ours = file.name.startswith(f"{revision}_") and file.name.endswith(".sql")
        if ours and not file.name.endswith(f"_{other}.sql"):
            raw.execute(file.read_bytes())


def driver(connection: sqlalchemy.Connection) -> psycopg.Connection[Any]:
    """The driver's connection: a file of many statements must go without parameters."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def has_timescale(raw: psycopg.Connection[Any]) -> bool:
    """Whether this database has the extension."""
    return bool(_answer(raw, "timescale_created"))


def create_timescale(raw: psycopg.Connection[Any]) -> None:
    """Create the extension where the server offers it; may raise `TimescaleNotPermitted`."""
    if has_timescale(raw) or not _answer(raw, "timescale_offered"):
        return
    try:
        raw.execute(query("create_timescale"))
    except psycopg.errors.InsufficientPrivilege as exc:
        raise TimescaleNotPermitted(TimescaleNotPermitted.__doc__) from exc


def _answer(raw: psycopg.Connection[Any], name: str) -> Any:
    row = raw.execute(query(name)).fetchone()
    assert row is not None, f"{name} has one row"
    return row[0]
