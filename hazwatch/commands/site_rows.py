"""The site as a list: a row for each node, and one for each tag below its source."""

from typing import Any

from domain.plant import Node, Registry, Tag

SITE_COLUMNS = ("path", "what", "kind", "name", "unit", "limits", "gateways")


def site_rows(registry: Registry, with_tags: bool) -> list[dict[str, Any]]:
    """Rows in the order of their paths; gateways are those of an enterprise, limits those of a
    tag."""
    rows = [_node_row(node, registry) for node in registry.nodes.values()]
    if with_tags:
        rows += [_tag_row(tag, registry) for tag in registry.tags.values()]
    return sorted(rows, key=lambda row: str(row["path"]))


def _path(node: Node, registry: Registry) -> str:
    codes = [node.code]
    while node.parent is not None:
        node = registry.nodes[node.parent]
        codes.append(node.code)
    return "/".join(reversed(codes))


def _node_row(node: Node, registry: Registry) -> dict[str, Any]:
    codes = [gateway.code for gateway in registry.gateways if gateway.enterprise == node.id]
    return {
        "path": _path(node, registry),
        "what": "node",
        "kind": str(node.kind),
        "name": node.name,
        "gateways": " ".join(codes) or None,
    }


def _tag_row(tag: Tag, registry: Registry) -> dict[str, Any]:
    limits = " ".join(f"{kind.name} {limit:g}" for kind, limit in tag.limits.items())
    return {
        "path": f"{_path(registry.nodes[tag.source], registry)}/{tag.name}",
        "what": "tag",
        "kind": str(tag.kind),
        "name": tag.name,
        "unit": tag.unit or None,
        "limits": limits or None,
    }
