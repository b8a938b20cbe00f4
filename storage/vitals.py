"""How the database is, as the doctor asks it: one question a function, nothing is written."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import pq

from storage.database import Connection
from storage.migrate import MIGRATIONS
from storage.queries import query


class Answer(StrEnum):
    """Who answers at an address: whether there is a server does not depend on the password."""

    READY = "ready"
    BUSY = "busy"
    NOBODY = "nobody"
    NONSENSE = "nonsense"


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """The lease of a shard as it stands in the database."""

    holder: str
    renewed_at: datetime
    expires_at: datetime

    @property
    def given_up(self) -> bool:
        """Whether the worker stopped in order."""
        return self.expires_at <= self.renewed_at


@dataclass(frozen=True, slots=True)
class Durability:
    """The server's settings that decide whether committed means kept."""

    fsync: bool
    full_page_writes: bool
    synchronous_commit: str


def knock(url: str, within_s: int) -> Answer:
    """Whether a server answers at `url`, without logging in. Blocks."""
    # What comes later in a connection string wins.
    words = psycopg.conninfo.make_conninfo(url, connect_timeout=within_s)
    match pq.PGconn.ping(words.encode()):
        case pq.Ping.OK:
            return Answer.READY
        case pq.Ping.REJECT:
            return Answer.BUSY
        case pq.Ping.NO_RESPONSE:
            return Answer.NOBODY
        case _:
            return Answer.NONSENSE


def _migrations() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


def newest_revision() -> str:
    """The schema that this program wants."""
    return str(_migrations().get_current_head())


def known_revisions() -> frozenset[str]:
    """Every schema that this program has ever wanted."""
    return frozenset(one.revision for one in _migrations().walk_revisions())


async def revision(conn: Connection) -> str | None:
    """The schema that the database has; None: none at all."""
    try:
        row = await (await conn.execute(query("schema_revision"))).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return None if row is None else str(row[0])


async def lease_of(conn: Connection, shard: str) -> LeaseSeen | None:
    """The lease of a shard; None: no worker has ever run for it."""
    row = await (await conn.execute(query("lease_of"), {"shard": shard})).fetchone()
    return None if row is None else LeaseSeen(*row)


async def free_connections(conn: Connection) -> tuple[int, int]:
    """(connections still free for us, connections that the server allows)."""
    row = await (await conn.execute(query("free_connections"))).fetchone()
    assert row is not None, "a select without from has one row"
    return int(row[0]), int(row[1])


async def durability(conn: Connection) -> Durability:
    """What the server does to keep what it has committed."""
    row = await (await conn.execute(query("durability"))).fetchone()
    assert row is not None, "a select without from has one row"
    return Durability(row[0] == "on", row[1] == "on", str(row[2]))


async def clock_of(conn: Connection) -> datetime:
    """The present by the server's clock."""
    row = await (await conn.execute(query("server_clock"))).fetchone()
    assert row is not None, "a select without from has one row"
    said: datetime = row[0]
    return said


def clock_error(before: datetime, said: datetime, after: datetime) -> timedelta:
    """Another clock minus ours, when it was read between two readings of ours; right to half of
    the way there and back."""
    return said - (before + (after - before) / 2)
