"""From an equipment's entry to its geometry, and from its level tags to metres or m³."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from domain import tanks
from domain.explain import suggestion
from domain.inventory_model import data, number
from domain.plant import TagKind
from domain.tanks import Tank

if TYPE_CHECKING:
    from domain.vessels import Problems, TagLike

MOST_GAUGES = 4
_NEEDED = {
    "vertical_cylinder": ("diameter_m", "height_m"),
    "horizontal_cylinder": ("diameter_m", "length_m"),
    "sphere": ("diameter_m",),
    "gas_holder": ("height_m", "volume_m3"),
    "table": ("table",),
}
"""What each shape needs."""
_FOR = {
    "diameter_m": ("vertical_cylinder", "horizontal_cylinder", "sphere"),
    "length_m": ("horizontal_cylinder",),
    "heads": ("horizontal_cylinder",),
    "bottom": ("vertical_cylinder",),
    "bottom_m": ("vertical_cylinder",),
    "table": ("table",),
}
"""Which shapes a member belongs to."""


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """A level tag: height [m] = reading · scale + zero in `tank`; volume = what lies below it,
    less `displaced` [m³]. One that shows volume or mass has a `tank` whose height is its volume."""

    tag: str
    scale: float
    zero: float
    tank: Tank
    displaced: float


def geometry_of(detail: Mapping[str, Any], problems: "Problems") -> Tank | None:
    """The shape of a vessel; None where only its volume is known, or something is wrong."""
    shape = detail.get("shape")
    before = len(problems)
    for member, shapes in _FOR.items():
        if member in detail and shape not in shapes:
            said = "no shape is" if shape is None else f"shape {shape} is"
            problems.append(((member,), f"{said} given; allowed: with {' or '.join(shapes)}"))
    needed = _NEEDED.get(shape or "", ())
    for member in needed:
        if member not in detail:
            problems.append(((member,), f"is missing; a {shape} needs {_and(needed)}"))
    if (detail.get("bottom", "flat") == "flat") != ("bottom_m" not in detail):
        problems.append((("bottom_m",), "a cone or dish needs bottom_m, a flat bottom has none"))
    if len(problems) > before:
        return None
    tank = _tank(detail, shape, problems)
    if tank is not None and shape is not None:
        _compare(detail, tank, problems)
    return tank


def _and(members: Sequence[str]) -> str:
    return " and ".join(members)


def _tank(detail: Mapping[str, Any], shape: str | None, problems: "Problems") -> Tank | None:
    match shape:
        case "vertical_cylinder":
            bottom, depth = detail.get("bottom", "flat"), detail.get("bottom_m", 0.0)
            return tanks.upright(detail["diameter_m"], detail["height_m"], bottom, depth)
        case "horizontal_cylinder":
            heads = detail.get("heads", "flat")
            return tanks.lying(detail["diameter_m"], detail["length_m"], heads)
        case "sphere":
            return tanks.sphere(detail["diameter_m"])
        case "table":
            try:
                return tanks.strapped(detail["table"])
            except ValueError as error:
                problems.append((("table",), f"allowed: {error}"))
                return None
    if "height_m" in detail and "volume_m3" in detail:
        return tanks.prism(detail["height_m"], detail["volume_m3"])
    return None


def _compare(detail: Mapping[str, Any], tank: Tank, problems: "Problems") -> None:
    told, tolerance = detail.get("volume_m3"), number("inventory", "volume_tolerance")
    if told is not None and abs(tank.full - told) > tolerance * told:
        problems.append(
            (
                ("volume_m3",),
                f"{told:g} contradicts the {detail['shape']}, which holds {tank.full:.6g} m3; "
                f"allowed: {tank.full / (1 + tolerance):.6g} to {tank.full / (1 - tolerance):.6g}",
            )
        )


def gauges_of(
    detail: Mapping[str, Any],
    own: Sequence["TagLike"],
    named: Mapping[str, "TagLike"],
    tank: Tank | None,
    density: float,
    problems: "Problems",
) -> tuple[tuple[Gauge, ...], list[str]]:
    """The gauges that count, and why others do not. own: level tags of the equipment; named: tags
    of the source; density: t/m³, NaN = not known."""
    chosen = list(own)
    if "level_tags" in detail:
        levels = [name for name, tag in named.items() if tag.kind == TagKind.LEVEL]
        for i, name in enumerate(detail["level_tags"]):
            if name not in levels:
                clause = f'no level tag "{name}" in the source{suggestion(name, levels)}'
                problems.append((("level_tags", i), clause))
        chosen = [named[name] for name in detail["level_tags"] if name in levels]
    if len(chosen) > MOST_GAUGES:
        count = f"{len(chosen)} level tags; allowed: up to {MOST_GAUGES}, choose with level_tags"
        problems.append((("level_tags",), count))
    found, notes = [], []
    for tag in chosen:
        gauge = _gauge(detail, tag, tank, density)
        if isinstance(gauge, str):
            notes.append(f"{tag.name} 无法换算 can't be converted: {gauge}")
        else:
            found.append(gauge)
    return tuple(found), notes


def _gauge(
    detail: Mapping[str, Any], tag: "TagLike", tank: Tank | None, density: float
) -> Gauge | str:
    """The gauge, or what it lacks."""
    zero, displaced = detail.get("gauge_zero_m", 0.0), detail.get("displaced_m3", 0.0)
    full = detail.get("volume_m3", tank.full if tank is not None else None)
    percent_of = detail.get("percent_of", "safe_fill")
    metres, cubic, tonnes = (data()[name] for name in ("metres", "cubic_metres", "tonnes"))
    if tag.unit in metres or (tag.unit == "%" and percent_of == "height"):
        if tank is None:
            return f"a level in {tag.unit} of the height needs shape, or height_m and volume_m3"
        scale = metres[tag.unit]["value"] if tag.unit in metres else tank.height / 100
        return Gauge(tag.name, scale, zero, tank, displaced)
    if full is None:
        return "volume_m3 or shape is missing"
    whole = tanks.prism(full, full)
    if tag.unit == "%":
        safe = detail.get("fill_limit", 1.0) if percent_of == "safe_fill" else 1.0
        return Gauge(tag.name, safe * full / 100, 0.0, whole, 0.0)
    if tag.unit in cubic:
        return Gauge(tag.name, cubic[tag.unit]["value"], 0.0, whole, 0.0)
    if tag.unit in tonnes and not isnan(density):
        return Gauge(tag.name, tonnes[tag.unit]["value"] / density, 0.0, whole, 0.0)
    return f"a level in {tag.unit or 'no unit'} needs density_t_m3"
