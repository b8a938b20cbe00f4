"""Operating modes of units (domain.md 4.5a): which limits hold in them.

A unit is an equipment, or a whole source. Where nobody has said otherwise it is in `run`. Limits of
gas, oxygen and fire detectors hold in every mode.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isnan

from domain.alarms import Kind
from domain.plant import Registry, Tag, TagKind

MODES = ("run", "start_up", "shutdown", "empty", "turnaround")
RUN = "run"
IN_EVERY_MODE = frozenset(
    {TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN, TagKind.FIRE}
)
"""Kinds of tags that no mode suppresses."""


def in_modes(registry: Registry, modes: Mapping[int, str]) -> Registry:
    """The registry with the limits of its units' modes. modes: mode by id of equipment or source;
    a tag follows its equipment's, where that has none its source's."""
    units = {
        (node.parent, node.code): id
        for id, node in registry.nodes.items()
        if node.kind == "equipment" and id in modes
    }
    tags = {
        id: in_mode(tag, modes.get(units.get((tag.source, tag.equipment or ""), tag.source), RUN))
        if tag.limits_by_mode
        else tag
        for id, tag in registry.tags.items()
    }
    return replace(registry, tags=tags, modes=modes)


def in_mode(tag: Tag, mode: str) -> Tag:
    """The tag with its limits in that mode: its own there, else those of `limits`."""
    own = tag.limits_by_mode.get(mode)
    if own is None or tag.kind in IN_EVERY_MODE:
        return tag
    limits: dict[Kind, float] = {**tag.limits, **own}
    return replace(tag, limits={kind: v for kind, v in sorted(limits.items()) if not isnan(v)})
