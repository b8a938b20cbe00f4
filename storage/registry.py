"""The registry in the database: site files in, `domain.plant.Registry` out."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from domain.circumstances import Places
from domain.plant import Gateway, Node, Registry, Tag
from domain.site import Site, TagEntry
from storage.queries import query
from storage.site_changes import Change, How, Path, Plant, What, compare, plant_of
from storage.site_rows import apply, position_of, present_rows, rows

TAGS_AT_ONCE = 5_000
"""Rows of tags that are fetched together."""


class SiteConflictError(ValueError):
    """A site file contradicts what other files have loaded before."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did. `version`: of the site afterwards; `changes`: empty if nothing differed.

    kept: paths of areas and enterprises that the file does not mention and that were left alone.
    """

    version: int
    changes: tuple[Change, ...]
    kept: tuple[Path, ...]

    def count(self, what: What, how: How) -> int:
        """How many rows of a sort changed in a way."""
        return Counter((change.what, change.how) for change in self.changes)[what, how]


async def load_site(
    conn: AsyncConnection[Any],
    site: Site,
    *,
    by: str,
    at: datetime,
    prune: bool = False,
    dry_run: bool = False,
) -> LoadReport:
    """Make the registry say what a site file says, in one transaction; `conn` must be idle.

    The same content again changes nothing and makes no new version. Enterprises and areas that the
    file does not mention stay, unless `prune`. A tag whose unit or kind changes is retired, and a
    new one begins; ids are never used again. `dry_run` does it all and takes it back.
    """
    async with (
        conn.transaction(force_rollback=dry_run),
        conn.cursor(row_factory=dict_row) as cursor,
    ):
        await cursor.execute(query("bound_site_lock"))
        await cursor.execute(query("lock_site"))
        present = await present_rows(cursor)
        wanted = plant_of(site)
        changes, kept = compare(wanted, present.plant, prune)
        _refuse_conflicts(wanted, present.plant, changes)
        version = await _last_version(cursor)
        if changes:
            version += 1
            await apply(cursor, wanted, present, changes, at)
            await _record(cursor, site, version, by, at)
    return LoadReport(version, tuple(changes), tuple(kept))


async def read_registry(conn: AsyncConnection[Any]) -> Registry:
    """The whole registry as of one moment; `conn` must be idle.

    Before the first load it is empty, of version 0.
    """
    async with conn.transaction(), conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("read_registry_together"))
        version = await _last_version(cursor)
        nodes = {
            row["id"]: _node(row) for row in await rows(cursor, "all_nodes") if not row["removed"]
        }
        gateways = [row for row in await rows(cursor, "all_gateways") if not row["removed"]]
        tags = await _tags(conn, Places(nodes))
    return Registry(version, nodes, tuple(_gateway(row, nodes) for row in gateways), tags)


async def read_nodes(conn: AsyncConnection[Any]) -> Registry:
    """The tree alone, without gateways and tags."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        found = await rows(cursor, "all_nodes")
        version = await _last_version(cursor)
    return Registry(version, {row["id"]: _node(row) for row in found if not row["removed"]}, (), {})


async def _tags(conn: AsyncConnection[Any], places: Places) -> dict[int, Tag]:
    """The tags by id, some at a time: what describes them takes more room than they do."""
    found: dict[int, Tag] = {}
    since: dict[datetime, datetime] = {}
    async with conn.cursor("present_tags", row_factory=dict_row) as cursor:
        cursor.itersize = TAGS_AT_ONCE
        await cursor.execute(query("present_tags"))
        async for row in cursor:
            began = row["since"].astimezone(UTC)
            entry = TagEntry.model_validate_json(row["spec"])
            found[row["id"]] = entry.tag(
                row["id"],
                row["version"],
                row["enterprise"],
                row["source"],
                since.setdefault(began, began),
                places.of(row["source"], entry.equipment),
            )
    return found


async def enterprises_ever(conn: AsyncConnection[Any]) -> set[tuple[str, str]]:
    """(park, enterprise) codes of everybody who ever had a gateway, removed ones included."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        return {(row["park"], row["code"]) for row in await rows(cursor, "enterprises_ever")}


async def site_version(conn: AsyncConnection[Any]) -> int:
    """The version of the site, 0 before the first load."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        return await _last_version(cursor)


async def _last_version(cursor: AsyncCursor[DictRow]) -> int:
    (row,) = await rows(cursor, "last_site_version")
    return int(row["version"])


def _node(row: DictRow) -> Node:
    return Node(
        row["id"],
        row["parent"],
        row["kind"],
        row["code"],
        row["name"],
        row["enterprise"],
        position_of(row),
        row["detail"],
    )


def _gateway(row: DictRow, nodes: dict[int, Node]) -> Gateway:
    enterprise = nodes[row["enterprise"]]
    assert enterprise.parent is not None  # an enterprise stands in a park
    park = nodes[enterprise.parent]
    return Gateway(row["id"], enterprise.id, park.code, enterprise.code, row["code"])


def _refuse_conflicts(wanted: Plant, present: Plant, changes: Iterable[Change]) -> None:
    """Topics name a park by its code alone, so a code stands for one park of the whole tree.

    Nor may an area take the place of an enterprise that another file has loaded.
    """
    leaving = {change.path for change in changes if change.how == How.REMOVED}
    parks = {path[-1]: path for path, node in wanted.nodes.items() if node.kind == "park"}
    for path, node in present.nodes.items():
        mine = parks.get(path[-1], path)
        if node.kind == "park" and mine != path and path not in leaving:
            raise SiteConflictError(
                f"park {path[-1]!r} stands under {'/'.join(path[:-1])} already, the file has "
                f"it under {'/'.join(mine[:-1])}; give it another code, or load with --prune"
            )
        if path in present.enterprises - wanted.enterprises and path in wanted.nodes:
            raise SiteConflictError(
                f"{'/'.join(path)} is an enterprise already, the file has an area there; "
                "give the area another code"
            )


async def _record(
    cursor: AsyncCursor[DictRow], site: Site, version: int, by: str, at: datetime
) -> None:
    content = site.model_dump(mode="json", exclude_none=True)
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    row = {
        "version": version,
        "at": at,
        "by": by,
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "content": Jsonb(content),
    }
    await cursor.execute(query("add_site_version"), row)
    await cursor.execute(query("tell_site_version"), row)
