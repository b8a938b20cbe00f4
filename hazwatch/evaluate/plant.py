"""The plant that a replay map describes: one park, enterprise and source, its tags and groups."""

from collections.abc import Mapping
from datetime import datetime

from domain.pca import PcaModel
from domain.plant import Gateway, Node, Registry
from domain.replay_map import ReplayMap

PARK, ENTERPRISE, SOURCE, FIRST_GROUP = 1, 2, 3, 10


def registry_of(
    plan: ReplayMap, since: datetime, models: Mapping[str, PcaModel] | None = None
) -> Registry:
    """Tags are numbered from 1 in the order of the map. models: of pca groups, by code."""
    source = plan.site().enterprises[0].sources[0]
    nodes = [
        Node(PARK, None, "park", plan.park, plan.park),
        Node(ENTERPRISE, PARK, "enterprise", plan.enterprise, plan.enterprise, ENTERPRISE),
        Node(SOURCE, ENTERPRISE, "source", source.code, source.name, ENTERPRISE),
    ]
    for n, (code, group) in enumerate(plan.groups.items()):
        detail: dict[str, object] = {"kind": group.kind, "members": list(group.members)}
        if models and code in models:
            detail["model"] = models[code].document()
        nodes.append(Node(FIRST_GROUP + n, SOURCE, "group", code, code, ENTERPRISE, detail=detail))
    tags = [
        entry.tag(n, 1, ENTERPRISE, SOURCE, since) for n, entry in enumerate(plan.tags.values(), 1)
    ]
    gateway = Gateway(1, ENTERPRISE, plan.park, plan.enterprise, plan.gateway)
    return Registry(1, {node.id: node for node in nodes}, (gateway,), {tag.id: tag for tag in tags})
