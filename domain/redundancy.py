"""Which tags gauge one and the same quantity: declared groups of one kind on one vessel."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.health import unit_scale
from domain.plant import Registry, Tag, TagKind
from domain.policy import DIGITAL

REDUNDANT = frozenset(
    {TagKind.LEVEL, TagKind.PRESSURE, TagKind.TEMPERATURE, TagKind.FLOW, TagKind.OTHER}
)
"""Kinds of which a declared group gauges one quantity; gas and fire detectors look at different
places."""


class Redundancy(NamedTuple):
    """members: by rising id, two or more. span: of the narrowest range, in the base unit of their
    unit's family."""

    members: tuple[Tag, ...]
    span: float


def redundancy_groups(registry: Registry) -> Iterator[Redundancy]:
    """Groups of the site file whose members can be compared; a tag is in one of them at most.

    Members are of one source and kind, in units of one family; at least one has a range. Those of a
    group that votes gauge one quantity only if they are on one equipment and of a kind in
    `REDUNDANT`; groups of kind `redundant` are taken at their word, those of kind `pca` are none.
    """
    by_name = {(tag.enterprise, tag.name): tag for tag in registry.tags.values()}
    taken: set[int] = set()
    for id, node in sorted(registry.nodes.items()):
        groups = node.detail.get("groups", ()) if node.kind == "source" else ()
        assert isinstance(groups, Sequence)
        for group in groups:
            declared = group.get("kind", "vote")
            if declared == "pca":
                continue
            named = {(node.enterprise or 0, name) for name in group["members"]}
            tags = sorted((by_name[one] for one in named if one in by_name), key=lambda t: t.id)
            free = tuple(tag for tag in tags if tag.source == id and tag.id not in taken)
            one = _comparable(free) and (declared == "redundant" or _on_one_vessel(free))
            if one and (span := _span(free)) is not None:
                taken |= {tag.id for tag in free}
                yield Redundancy(free, span)


def group_of(registry: Registry, tag: int) -> tuple[Tag, ...]:
    """The group that a tag is compared in, itself included; empty where there is none."""
    for group in redundancy_groups(registry):
        if any(member.id == tag for member in group.members):
            return group.members
    return ()


def _comparable(tags: Sequence[Tag]) -> bool:
    sorts = {(tag.kind, unit_scale(tag.unit).family) for tag in tags}
    return len(tags) > 1 and len(sorts) == 1 and tags[0].kind not in DIGITAL


def _on_one_vessel(tags: Sequence[Tag]) -> bool:
    return tags[0].kind in REDUNDANT and len({tag.equipment for tag in tags}) == 1


def _span(tags: Sequence[Tag]) -> float | None:
    spans = [
        (tag.range[1] - tag.range[0]) * unit_scale(tag.unit).factor for tag in tags if tag.range
    ]
    return min(spans, default=None)
