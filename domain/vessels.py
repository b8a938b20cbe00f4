"""Vessels of the plant: what their gauges, densities and flow meters mean, read from the registry.

A vessel is an equipment with a level tag and a volume. Where something is missing that inventory
needs, `notes` says so and the vessel goes without; what contradicts itself is a problem (where,
clause), the same for the site file and for the plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, Protocol

from domain.plant import Registry, TagKind
from domain.problem import Loc
from domain.vessel_content import Density, density_of, substance_of
from domain.vessel_flows import Balance, balance_of
from domain.vessel_shapes import Gauge, gauges_of, geometry_of

Problems = list[tuple[Loc, str]]


class TagLike(Protocol):
    """What is looked at of a tag: a registered one or an entry of a site file."""

    @property
    def name(self) -> str:
        """See `domain.plant.Tag`, as all of these."""

    @property
    def kind(self) -> TagKind:
        """What it measures."""

    @property
    def unit(self) -> str:
        """Of its readings."""

    @property
    def range(self) -> tuple[float, float] | None:
        """Lowest and highest reading."""

    @property
    def equipment(self) -> str | None:
        """Code of the equipment that it stands on."""


@dataclass(frozen=True, slots=True, eq=False)
class Vessel:
    """One vessel.

    volume: whole volume, m³. design_t: designed maximum in tonnes, NaN = not known. substance:
    position in the source's substances, None = not known. notes: what inventory lacks.
    """

    volume: float
    design_t: float
    gauges: tuple[Gauge, ...]
    density: Density
    substance: int | None
    balance: Balance | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A vessel with its node, its source and the ids of tags by name. ids cover all of the
    source."""

    node: int
    source: int
    vessel: Vessel
    ids: Mapping[str, int]


def describe(
    detail: Mapping[str, Any],
    code: str,
    tags: Sequence[TagLike],
    substances: Sequence[Mapping[str, Any]],
) -> tuple[Vessel | None, Problems]:
    """The vessel that an equipment's entry describes, None if it is none; and what is wrong.

    detail: members of the entry. tags, substances: all of its source.
    """
    problems: Problems = []
    named = {tag.name: tag for tag in tags}
    own = [tag for tag in tags if tag.equipment == code and tag.kind == TagKind.LEVEL]
    shape = geometry_of(detail, problems)
    density = density_of(detail, named, problems)
    substance, unclear = substance_of(detail, substances, problems)
    gauges, unreadable = gauges_of(detail, own, named, shape, density.base, problems)
    volume = detail.get("volume_m3", shape.full if shape is not None else nan)
    balance = balance_of(detail, named, density.base, volume, gauges, problems)
    if problems or isnan(volume) or not (gauges or unreadable):
        return None, problems
    design = detail.get("design_t", volume * detail.get("fill_limit", 1.0) * density.usual)
    notes = [*unreadable, *unclear]
    if isnan(density.usual):
        notes.append("密度未知 density_t_m3 is missing: its mass is not known")
    return Vessel(volume, design, gauges, density, substance, balance, tuple(notes)), problems


def vessels(registry: Registry) -> tuple[list[Placed], list[tuple[int, str]]]:
    """Every vessel of a registry by rising node id, and what is wrong: (node id, sentence)."""
    tags: dict[int, list[TagLike]] = {}
    ids: dict[int, dict[str, int]] = {}
    for tag in registry.tags.values():
        tags.setdefault(tag.source, []).append(tag)
        ids.setdefault(tag.source, {})[tag.name] = tag.id
    found: list[Placed] = []
    sentences: list[tuple[int, str]] = []
    for node in (registry.nodes[id] for id in sorted(registry.nodes)):
        source = registry.nodes.get(node.parent) if node.parent is not None else None
        if node.kind != "equipment" or source is None:
            continue
        substances = _rows(source.detail.get("substances"))
        vessel, problems = describe(node.detail, node.code, tags.get(source.id, ()), substances)
        if vessel is not None:
            found.append(Placed(node.id, source.id, vessel, ids.get(source.id, {})))
        sentences += [
            (
                node.id,
                f"equipment {node.code!r} (id {node.id}): {'.'.join(map(str, loc))}: {clause}",
            )
            for loc, clause in problems
        ]
    return found, sentences


def _rows(entry: object) -> list[Mapping[str, Any]]:
    return list(entry) if isinstance(entry, Sequence) else []
