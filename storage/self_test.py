"""The self-test's canary in the database: registered, looked at, and swept up after."""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from domain.self_test import ENTERPRISE, GATEWAY, NAME, NODE_KIND, PARK, entry
from storage.database import Connection
from storage.queries import query

KEPT = timedelta(days=1)
"""So long the canary's occurrences are kept; its samples go with all others."""
AT_ONCE = 1_000


async def register(conn: Connection, at: datetime) -> None:
    """Make sure that the canary is in the registry; again, it changes nothing. The version of the
    site stays as it is, for no site file says this."""
    tag = entry()
    async with conn.transaction():
        await conn.execute(query("bound_site_lock"))
        await conn.execute(query("lock_site"))
        root = await _node(conn, None, PARK)
        enterprise = await _node(conn, root, ENTERPRISE)
        await conn.execute(query("make_own_enterprise"), {"id": enterprise})
        place = {"enterprise": enterprise, "at": at}
        await conn.execute(query("self_test_gateway"), place | {"code": GATEWAY})
        facts = {"name": tag.name, "kind": tag.kind.value, "unit": tag.unit}
        spec = Jsonb(tag.model_dump(mode="json", exclude_none=True))
        await conn.execute(query("self_test_tag"), place | facts | {"spec": spec})


async def unregister(conn: Connection, at: datetime) -> None:
    """Take the canary out of the registry, if it is there."""
    async with conn.transaction():
        await conn.execute(query("bound_site_lock"))
        await conn.execute(query("lock_site"))
        await conn.execute(query("self_test_gone"), {"kind": NODE_KIND, "at": at})


async def is_stored(conn: Connection, event: UUID) -> bool:
    """Whether an event is in the outbox: then its transition is in the journal, too."""
    row = await (await conn.execute(query("self_test_stored"), {"id": event})).fetchone()
    return row is not None and bool(row[0])


async def is_registered(conn: Connection) -> bool:
    """Whether there is a canary in the registry."""
    row = await (await conn.execute(query("self_test_registered"), {"kind": NODE_KIND})).fetchone()
    return row is not None and bool(row[0])


async def last_passed(conn: Connection) -> datetime | None:
    """When the newest breach was made that came through and was over; None: none is kept."""
    row = await (await conn.execute(query("self_test_passed"), {"kind": NODE_KIND})).fetchone()
    return None if row is None else row[0]


async def sweep(conn: Connection, at: datetime) -> int:
    """Forget what the canary raised before `KEPT`; how many occurrences went."""
    gone, went = AT_ONCE, 0
    asked = {"kind": NODE_KIND, "before": at - KEPT, "most": AT_ONCE}
    while gone == AT_ONCE:
        gone = (await conn.execute(query("self_test_swept"), asked)).rowcount
        went += gone
    return went


async def _node(conn: Connection, parent: int | None, code: str) -> int:
    row = {"parent": parent, "kind": NODE_KIND, "code": code, "name": NAME}
    found = await (await conn.execute(query("self_test_node"), row)).fetchone()
    assert found is not None, "an upsert returns its row"
    return int(found[0])
