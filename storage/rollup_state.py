"""How far the roll-ups are, and what of the past is gone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.database import Connection
from storage.queries import query

HOUR = timedelta(hours=1)
NOTHING = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing is stored under a time before this one, nor was received; see the wire profile."""
NEWEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RollupState:
    """The one row of `rollup_state`; its comments tell what each instant says."""

    done: datetime
    closed: datetime
    upto: datetime
    hours: datetime
    raw_from: datetime
    minutes_from: datetime
    hours_from: datetime


async def read_state(conn: Connection) -> RollupState:
    """As it is."""
    return await _state(conn, "rollup_state")


async def lock_state(conn: Connection) -> RollupState:
    """As it is until the transaction ends."""
    return await _state(conn, "lock_rollup_state")


async def _state(conn: Connection, statement: str) -> RollupState:
    row = await (await conn.execute(query(statement))).fetchone()
    assert row is not None, "the migration has put it there"
    return RollupState(*row)
