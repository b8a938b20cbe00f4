"""Whether the database can serve the api."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from storage.database import DatabaseAway
from storage.reading import Reading


@dataclass(frozen=True, slots=True)
class Readiness:
    """lease_until: when the last worker's lease runs out; None: there is none, or it is unknown."""

    reachable: bool
    schema: bool
    lease_until: datetime | None


async def read_readiness(reading: Reading) -> Readiness:
    """Look, and never fail."""
    try:
        row = await reading.row("readiness")
    except DatabaseAway:
        return Readiness(reachable=False, schema=False, lease_until=None)
    except errors.UndefinedTable:
        return Readiness(reachable=True, schema=False, lease_until=None)
    return Readiness(reachable=True, schema=True, lease_until=row["lease_until"] if row else None)
