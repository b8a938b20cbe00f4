"""What notices of alarms say beside the alarm: where it is, and by when to acknowledge. Pure."""

from domain import policy
from domain.alarms import Alarm
from domain.plant import Registry

LEVELS = ("source", "enterprise", "park")


def place_names(registry: Registry, node: int) -> dict[str, object]:
    """`source_name`, `enterprise_name` and `park_name` of a node, each null where it has none."""
    names: dict[str, object] = {f"{level}_name": None for level in LEVELS}
    place = registry.nodes.get(node)
    while place is not None:
        if place.kind in LEVELS:
            names[f"{place.kind}_name"] = place.name
        place = registry.nodes.get(place.parent) if place.parent is not None else None
    return names


def beside(registry: Registry, alarm: Alarm) -> dict[str, object]:
    """Names of its places, and `ack_within_s` as the policy says."""
    tag = None if alarm.tag is None else registry.tags.get(alarm.tag)
    within = policy.of(tag, alarm.kind).ack_s
    return place_names(registry, alarm.node) | {"ack_within_s": within}
