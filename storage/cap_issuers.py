"""Under which name and in which zone CAP messages are issued, kept so that each stays as it was."""

from datetime import datetime

from storage.database import Connection
from storage.queries import query


async def keep_cap_issuer(conn: Connection, sender: str, zone: str, at: datetime) -> None:
    """From `at` on messages have this sender and time zone (a name); those before keep theirs."""
    async with conn.transaction():
        values = {"sender": sender, "zone": zone, "at": at}
        await conn.execute(query("keep_cap_issuer"), values)
