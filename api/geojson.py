"""The present state as features of RFC 7946, for a map 一张图."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from api.routes.tree import RolledUp, TreeNode
from domain.geojson import box_of, point, polygon
from domain.instant import rfc3339
from domain.plant import SUBJECTS
from storage.reading import Row

Feature = dict[str, Any]
ONLY_PLACED = frozenset({"equipment", "tag"})
"""Kinds that are left out where they have no position of their own."""


def features(
    rows: Sequence[Row], more: Mapping[int, Row], tags: Sequence[Row]
) -> Iterator[Feature]:
    """rows: of the tree; more: of `map_nodes`; tags: of `map_tags`."""
    nodes, updated = RolledUp(rows), _updated(rows, more)
    for place, row in enumerate(rows):
        if row["kind"] not in SUBJECTS:
            node, extra = nodes.node(place), more.get(row["id"])
            geometry = _geometry(node, extra)
            if geometry is not None or node.kind not in ONLY_PLACED:
                yield _of_node(node, geometry, extra, updated.get(row["id"]))
    for tag in tags:
        yield _of_tag(tag)


def _of_node(
    node: TreeNode, geometry: dict[str, Any] | None, extra: Row | None, at: datetime | None
) -> Feature:
    return _feature(
        f"node/{node.id}",
        geometry,
        {
            "id": node.id,
            "kind": node.kind,
            "name": node.name,
            "parent": node.parent,
            "enterprise": node.enterprise,
            "colour": node.colour,
            "unknown": node.unknown,
            "score": node.score,
            "grade": None if extra is None else extra["grade"],
            "counts": node.counts.model_dump(),
            "updated_at": None if at is None else rfc3339(at),
        },
    )


def _of_tag(row: Row) -> Feature:
    at = row["updated_at"]
    return _feature(
        f"tag/{row['id']}",
        point(tuple(row["position"])),
        {
            "id": str(row["id"]),
            "kind": "tag",
            "name": row["name"],
            "parent": str(row["source"]),
            "enterprise": str(row["enterprise"]),
            "colour": None,
            "unknown": None,
            "score": None,
            "grade": None,
            "counts": None,
            "updated_at": None if at is None else rfc3339(at),
        },
    )


def _feature(id: str, geometry: dict[str, Any] | None, properties: dict[str, Any]) -> Feature:
    """Nodes and tags are numbered apart, so `id` of the feature says which it is."""
    made: Feature = {"type": "Feature", "id": id, "geometry": geometry, "properties": properties}
    box = box_of(geometry)
    if box is not None and geometry is not None and geometry["type"] != "Point":
        made["bbox"] = list(box)
    return made


def _geometry(node: TreeNode, extra: Row | None) -> dict[str, Any] | None:
    if extra is not None and extra["boundary"]:
        ring = polygon([(float(lon), float(lat)) for lon, lat in extra["boundary"]])
        if ring is not None:
            return ring
    return None if node.position is None else point(node.position)


def _updated(rows: Sequence[Row], more: Mapping[int, Row]) -> dict[int, datetime]:
    """By node, when the risk of some source at or below it was last told."""
    parents = {row["id"]: row["parent"] for row in rows}
    newest: dict[int, datetime] = {}
    for id, row in more.items():
        at, node = row["updated_at"], id
        while at is not None and node in parents and newest.get(node, at) <= at:
            newest[node] = at
            node = parents[node]
    return newest
