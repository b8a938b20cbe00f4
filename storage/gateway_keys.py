"""Keys by which gateways send over HTTP: of each, only the digest is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.gateway_keys import GatewayKey
from storage.database import Connection
from storage.encoding import text
from storage.queries import listed, query

Changes = tuple[int, int]


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key as people see it; None: never, or not."""

    id: str
    gateway: int
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None

    def holds(self, at: datetime) -> bool:
        """Whether it opens the door."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


async def add_key(
    conn: Connection, key: GatewayKey, enterprise: int, *, by: str, at: datetime
) -> None:
    """Keep a new key."""
    row = {
        "id": key.id, "gateway": key.gateway, "enterprise": enterprise, "digest": key.digest,
        "at": at, "by": text(by), "expires": key.expires,
    }  # fmt: skip
    await conn.execute(query("add_gateway_key"), row)


async def list_keys(conn: Connection, gateways: Sequence[int] | None = None) -> list[KeptKey]:
    """All keys of these gateways, revoked ones too, the oldest of a gateway first."""
    found = await conn.execute(query("gateway_keys"), {"gateways": listed(gateways)})
    return [KeptKey(*row) for row in await found.fetchall()]


async def revoke_keys(conn: Connection, ids: Sequence[str], *, by: str, at: datetime) -> set[str]:
    """Those of these keys that held until now and hold no longer."""
    row = {"ids": list(ids), "by": text(by), "at": at}
    return {
        row[0] for row in await (await conn.execute(query("revoke_gateway_keys"), row)).fetchall()
    }


async def key_changes(conn: Connection) -> Changes:
    """Something that is another after every key that came or was revoked."""
    row = await (await conn.execute(query("gateway_key_changes"))).fetchone()
    assert row is not None, "a count has one row"
    return row[0], row[1]


async def present_keys(conn: Connection) -> list[GatewayKey]:
    """Every key that was not revoked; some may have run out."""
    found = await conn.execute(query("present_gateway_keys"))
    return [GatewayKey(*row) for row in await found.fetchall()]


async def keep_uses(conn: Connection, used: Mapping[str, datetime]) -> None:
    """When these keys were used last."""
    if used:
        rows = [{"id": id, "at": at} for id, at in sorted(used.items())]
        async with conn.cursor() as cursor:
            await cursor.executemany(query("use_gateway_key"), rows)
