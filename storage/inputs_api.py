"""Management inputs as people state, read and revoke them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.inputs import Input
from storage.encoding import jsonb
from storage.reading import Reading, Row
from storage.sessions import Scope


async def list_inputs(
    reading: Reading,
    scope: Scope,
    *,
    kinds: Sequence[str] | None = None,
    node: int | None = None,
    id: UUID | None = None,
    open_at: datetime | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 1,
) -> list[Row]:
    """Facts, the newest first; None does not filter. open_at: those that have not ended then;
    `before` is (recorded_at, id) of the last one known."""
    moment, last = before or (None, None)
    return await reading.rows(
        "list_inputs",
        enterprises=scope.list_of_enterprises(),
        kinds=None if kinds is None else list(kinds),
        node=node,
        id=id,
        open_at=open_at,
        before=moment,
        before_id=last,
        limit=limit,
    )


async def find_input(reading: Reading, scope: Scope, id: UUID) -> Row | None:
    """One fact; None if it is not there for this reader."""
    found = await list_inputs(reading, scope, id=id)
    return found[0] if found else None


async def record_input(reading: Reading, said: Input, key: str) -> bool:
    """Keep a fact and wake the worker; False if this person used the key before."""
    row = await reading.row(
        "record_input",
        id=said.id,
        key=key,
        kind=said.kind.value,
        enterprise=said.enterprise,
        node=said.node,
        tag=said.tag,
        since=said.since,
        until=said.until,
        value=jsonb(dict(said.value)),
        who=said.who,
        second=said.second,
        at=said.recorded,
    )
    return row is not None


async def input_by_key(reading: Reading, who: str, key: str) -> UUID | None:
    """What this person stated under this key, if anything."""
    row = await reading.row("input_by_key", who=who, key=key)
    return None if row is None else row["id"]


async def revoke_input(reading: Reading, id: UUID, by: str, reason: str, at: datetime) -> bool:
    """End a fact and wake the worker; False if it was revoked before."""
    row = await reading.row("revoke_input", id=id, by=by, reason=reason, at=at)
    return row is not None


async def input_place(reading: Reading, scope: Scope, node: int) -> Row | None:
    """kind, enterprise, path and source (at or above it) of a node; None if it is not there for
    this reader."""
    return await reading.row("input_place", enterprises=scope.list_of_enterprises(), node=node)


async def input_tag(reading: Reading, scope: Scope, tag: int) -> Row | None:
    """A present tag, and `zone`: the gas and fire detectors of its zone; None if there is none."""
    return await reading.row("input_tag", enterprises=scope.list_of_enterprises(), tag=tag)


async def zone_tags(reading: Reading, source: int, zone: str) -> int:
    """How many present tags a zone of a source has."""
    row = await reading.row("zone_tags", source=source, zone=zone)
    assert row is not None, "a count has one row"
    return int(row["tags"])


async def open_permits(reading: Reading, tags: Sequence[int], at: datetime) -> list[Row]:
    """tag and work of the permits of these tags that have not ended."""
    return await reading.rows("open_permits", tags=list(tags), at=at)
