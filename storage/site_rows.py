"""The rows of the registry: what is there, and putting changes in."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import AsyncCursor
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from domain.self_test import NODE_KIND
from storage.queries import query
from storage.site_changes import Change, How, NodeFacts, Path, Plant, TagFacts


@dataclass(slots=True)
class Present:
    """The registry as it is, with the ids of its rows. Removed nodes have ids but no facts."""

    plant: Plant = field(default_factory=Plant)
    node_ids: dict[Path, int] = field(default_factory=dict)
    gateway_ids: dict[Path, int] = field(default_factory=dict)
    tag_ids: dict[Path, int] = field(default_factory=dict)
    tag_versions: dict[Path, int] = field(default_factory=dict)


async def rows(cursor: AsyncCursor[DictRow], name: str) -> list[DictRow]:
    """All rows of a named query without parameters."""
    await cursor.execute(query(name))
    return await cursor.fetchall()


def position_of(row: DictRow) -> tuple[float, float] | None:
    """(lon, lat) of a node row."""
    return None if row["lon"] is None else (row["lon"], row["lat"])


async def present_rows(cursor: AsyncCursor[DictRow]) -> Present:
    """The registry as the database has it, but for the self-test's canary: that is no site's."""
    found = Present()
    paths: dict[int, Path] = {}
    for row in await rows(cursor, "all_nodes"):
        if row["kind"] == NODE_KIND:
            continue
        path = (*paths.get(row["parent"], ()), row["code"])
        paths[row["id"]] = path
        found.node_ids[path] = row["id"]
        if not row["removed"]:
            facts = NodeFacts(row["kind"], row["name"], position_of(row), row["detail"])
            found.plant.nodes[path] = facts
            if facts.kind == "enterprise":
                found.plant.enterprises.add(path)
    for row in await rows(cursor, "all_gateways"):
        if row["enterprise"] not in paths:
            continue
        path = (*paths[row["enterprise"]], row["code"])
        found.gateway_ids[path] = row["id"]
        if not row["removed"]:
            found.plant.gateways.add(path)
    for row in await rows(cursor, "present_tags"):
        if row["enterprise"] not in paths:
            continue
        path = (*paths[row["enterprise"]], row["name"])
        found.tag_ids[path] = row["id"]
        found.plant.tags[path] = TagFacts(
            paths[row["source"]], row["kind"], row["unit"], json.loads(row["spec"])
        )
    for row in await rows(cursor, "last_tag_versions"):
        if row["enterprise"] not in paths:
            continue
        found.tag_versions[(*paths[row["enterprise"]], row["name"])] = row["version"]
    return found


async def apply(
    cursor: AsyncCursor[DictRow],
    wanted: Plant,
    present: Present,
    changes: Iterable[Change],
    at: datetime,
) -> None:
    """Make the changes. Leaving rows first, so that a renewed tag finds its name free."""
    changes = list(changes)
    for what, ids in (
        ("tag", present.tag_ids),
        ("gateway", present.gateway_ids),
        ("node", present.node_ids),
    ):
        leaving = [
            ids[change.path]
            for change in changes
            if change.what == what and change.how in (How.REMOVED, How.RENEWED)
        ]
        await cursor.execute(query(f"remove_{what}s"), {"ids": leaving, "at": at})
    coming = [change for change in changes if change.how != How.REMOVED]
    for change in coming:
        if change.what == "node":
            await _put_node(cursor, wanted, present, change.path)
    await cursor.executemany(
        query("add_gateway"),
        [
            {"enterprise": present.node_ids[change.path[:-1]], "code": change.path[-1]}
            for change in coming
            if change.what == "gateway"
        ],
    )
    await _put_tags(cursor, wanted, present, coming, at)


async def _put_node(
    cursor: AsyncCursor[DictRow], wanted: Plant, present: Present, path: Path
) -> None:
    facts = wanted.nodes[path]
    lon, lat = facts.position or (None, None)
    steps = range(1, len(path) + 1)
    owner = next((path[:n] for n in steps if path[:n] in wanted.enterprises), ())
    row = {
        "id": present.node_ids.get(path),
        "parent": present.node_ids.get(path[:-1]),
        "enterprise": present.node_ids.get(owner),
        "code": path[-1],
        "kind": facts.kind,
        "name": facts.name,
        "lon": lon,
        "lat": lat,
        "detail": Jsonb(facts.detail),
    }
    if path in present.node_ids:
        await cursor.execute(query("change_node"), row)
        return
    await cursor.execute(query("add_node"), row)
    (added,) = await cursor.fetchall()
    present.node_ids[path] = added["id"]
    if path in wanted.enterprises:
        await cursor.execute(query("make_own_enterprise"), added)


async def _put_tags(
    cursor: AsyncCursor[DictRow],
    wanted: Plant,
    present: Present,
    coming: Iterable[Change],
    at: datetime,
) -> None:
    rows: dict[str, list[dict[str, Any]]] = {"add_tag": [], "change_tag": []}
    for change in coming:
        if change.what == "tag":
            facts = wanted.tags[change.path]
            row = {
                "id": present.tag_ids.get(change.path),
                "version": present.tag_versions.get(change.path, 0) + 1,
                "enterprise": present.node_ids[change.path[:-1]],
                "source": present.node_ids[facts.source],
                "name": change.path[-1],
                "kind": facts.kind,
                "unit": facts.unit,
                "spec": Jsonb(facts.spec),
                "at": at,
            }
            rows["change_tag" if change.how == How.CHANGED else "add_tag"].append(row)
    for name, values in rows.items():
        await cursor.executemany(query(name), values)
