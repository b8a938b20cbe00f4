"""The plant as the api shows it: tree, tags, newest values, gateways, quarantine."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from storage.reading import Reading, Row
from storage.sessions import Scope

PREVIEW_BYTES = 512
"""How much of a quarantined payload a list shows."""


async def tree_nodes(reading: Reading, scope: Scope) -> list[Row]:
    """Every visible node with its own open alarms, by id."""
    return await reading.rows(
        "tree_nodes", enterprises=scope.list_of_enterprises(), places=list(scope.places)
    )


async def list_tags(
    reading: Reading, scope: Scope, node: int | None, after: tuple[str, int] | None, limit: int
) -> list[Row]:
    """Present tags below `node`, by name; `after` is (name, id) of the last one known."""
    name, id = after or (None, None)
    return await reading.rows(
        "list_tags",
        enterprises=scope.list_of_enterprises(),
        node=node,
        after_name=name,
        after_id=id,
        limit=limit,
    )


async def find_tag(reading: Reading, scope: Scope, tag: int) -> Row | None:
    """One tag, retired ones too; None if it is not there for this reader."""
    return await reading.row("find_tag", enterprises=scope.list_of_enterprises(), tag=tag)


async def source_designs(reading: Reading, scope: Scope, sources: list[int]) -> list[Row]:
    """What is registered about these sources; those that are not there for this reader have no
    row."""
    return await reading.rows(
        "source_designs", enterprises=scope.list_of_enterprises(), sources=sources
    )


async def list_latest(
    reading: Reading, scope: Scope, tags: list[int] | None, after: int, limit: int
) -> list[Row]:
    """The newest sample of each of these tags, by tag id; a tag without samples has no row."""
    return await reading.rows(
        "list_latest",
        enterprises=scope.list_of_enterprises(),
        tags=tags,
        after=after,
        limit=limit,
    )


async def flagged_samples(
    reading: Reading, scope: Scope, samples: Sequence[tuple[int, datetime]]
) -> list[Row]:
    """Those of these samples (tag id, time) that have flags, with unit, kind, spec and source of
    the tag."""
    if not samples:
        return []
    times = [time for _, time in samples]
    return await reading.rows(
        "flagged_samples",
        enterprises=scope.list_of_enterprises(),
        tags=[tag for tag, _ in samples],
        times=times,
        **{"from": min(times), "to": max(times)},
    )


async def list_gateways(reading: Reading, scope: Scope, after: int, limit: int) -> list[Row]:
    """Gateways by id. clock_error_s: their clock minus ours, 0 while none was found wrong."""
    return await reading.rows(
        "list_gateways", enterprises=scope.list_of_enterprises(), after=after, limit=limit
    )


async def list_quarantine(
    reading: Reading,
    scope: Scope,
    *,
    reason: str | None,
    gateway: int | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row]:
    """What was not understood, newest first; payload is its first `PREVIEW_BYTES` bytes."""
    moment, id = before or (None, None)
    return await reading.rows(
        "list_quarantine",
        enterprises=scope.list_of_enterprises(),
        operator=scope.operator,
        reason=reason,
        gateway=gateway,
        before=moment,
        before_id=id,
        limit=limit,
        preview=PREVIEW_BYTES,
    )
