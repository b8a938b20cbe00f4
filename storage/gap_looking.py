"""What is missing by other facts than samples: numbered messages, and our own absence."""

from datetime import datetime, timedelta
from hashlib import blake2b

from psycopg.types.multirange import Int8Multirange

from ingest.gap_steps import unseen
from storage.database import Connection
from storage.lease import Fence
from storage.queries import query

LOST_AFTER = timedelta(seconds=180)
"""A gateway that says nothing for so long is lost (wire profile)."""
SETTLED_AT_ONCE = 1000
"""Gaps whose cause is judged in one look."""
CROWDED = 100
"""Gaps of a tag in one day that are not filled; more of them become one."""


async def look_at_messages(conn: Connection, fence: Fence, since: datetime, at: datetime) -> int:
    """Enter messages that were counted and did not come, and those that came after all; how many
    boots were looked at. since: ledgers that have not changed after it are left out."""
    async with conn.transaction():
        await fence.check(conn)
        rows = await (await conn.execute(query("boots_to_look_at"), {"since": since})).fetchall()
        for gateway, boot, looked, before, seen, start, highest, newest in rows:
            ours = {"gateway": gateway, "boot": boot, "at": at}
            come = Int8Multirange(seen)
            await conn.execute(query("fill_message_gaps"), ours | {"seen": come, "start": start})
            ranges = [(one.lower, one.upper - 1) for one in seen]
            for first, last in unseen(ranges, max(start, looked + 1), highest):
                gap = ours | {
                    "id": f"m{gateway}.{_digest(boot)}.{first}",
                    "first": first,
                    "last": last,
                    "begun": min(before or since, newest or at),
                    "ended": newest or at,
                }
                await conn.execute(query("insert_message_gap"), gap)
            done = ours | {"highest": highest, "newest": newest}
            await conn.execute(query("looked_at_boot"), done)
    return len(rows)


async def settle(conn: Connection, fence: Fence, at: datetime) -> None:
    """Say of new gaps what they are due to, and end those of subjects that are gone."""
    async with conn.transaction():
        await fence.check(conn)
        row = {"at": at, "lost": LOST_AFTER, "most": SETTLED_AT_ONCE}
        await conn.execute(query("settle_causes"), row)
        await conn.execute(query("end_retired_gaps"), {"at": at})


async def begin_watch(conn: Connection, fence: Fence, at: datetime, absent: timedelta) -> None:
    """A worker begins: where the one before was last seen more than `absent` ago, nobody
    listened."""
    shard = {"shard": fence.shard}
    async with conn.transaction():
        await fence.check(conn)
        row = await (await conn.execute(query("last_alive"), shard)).fetchone()
        if row is not None:
            await conn.execute(query("end_deaf"), shard | {"at": row[0]})
            if at - row[0] > absent:
                span = {"cause": "hazwatch", "from": row[0], "to": at}
                await conn.execute(query("begin_deaf"), shard | span)
        await conn.execute(query("set_alive"), shard | {"at": at})


async def keep_watch(
    conn: Connection, fence: Fence, at: datetime, deaf_since: datetime | None
) -> None:
    """The worker lives; deaf_since: since when the broker is out of reach, None = it is not."""
    shard = {"shard": fence.shard}
    async with conn.transaction():
        await fence.check(conn)
        await conn.execute(query("set_alive"), shard | {"at": at})
        if deaf_since is None:
            await conn.execute(query("end_deaf"), shard | {"at": at})
        else:
            span = {"cause": "broker", "from": deaf_since, "to": None}
            await conn.execute(query("begin_deaf"), shard | span)


async def tidy(conn: Connection, fence: Fence, at: datetime, keep: timedelta) -> None:
    """Make many small gaps of a tag and day one, and forget what ended longer than `keep` ago."""
    async with conn.transaction():
        await fence.check(conn)
        day = at - timedelta(days=1)
        await conn.execute(query("join_gaps"), {"before": day, "most": CROWDED})
        await conn.execute(query("forget_gaps"), {"before": at - keep})
        await conn.execute(query("forget_deaf"), {"before": at - keep})


async def count_gaps(conn: Connection) -> dict[str, tuple[int, int, datetime]]:
    """Of each kind how many gaps are open and how many are not filled, and when the oldest of
    these began."""
    rows = await (await conn.execute(query("count_gaps"))).fetchall()
    return {kind: (opened, left, oldest) for kind, opened, left, oldest in rows}


def _digest(boot: str) -> str:
    return blake2b(boot.encode(), digest_size=6).hexdigest()
