"""Flow meters of a vessel: which there are, and how far they and its gauge may be wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from domain.explain import suggestion
from domain.inventory_model import data, number
from domain.plant import TagKind

if TYPE_CHECKING:
    from domain.vessel_shapes import Gauge
    from domain.vessels import Problems, TagLike

MOST_METERS = 8


@dataclass(frozen=True, slots=True)
class Meter:
    """A flow tag. sign: +1 in, -1 out. scale: m³/h of one unit. span: of its range, m³/h."""

    tag: str
    sign: int
    scale: float
    span: float


@dataclass(frozen=True, slots=True)
class Balance:
    """What is watched of a vessel's flows. reading, span: errors of each meter as shares;
    threshold: m³ that may come and go."""

    meters: tuple[Meter, ...]
    reading: float
    span: float
    threshold: float


def balance_of(
    detail: Mapping[str, Any],
    named: Mapping[str, "TagLike"],
    density: float,
    volume: float,
    gauges: Sequence["Gauge"],
    problems: "Problems",
) -> Balance | None:
    """The balance that an equipment declares, None if none or something is wrong."""
    flows = detail.get("flows")
    if flows is None:
        return None
    before = len(problems)
    meters = [
        meter
        for way, sign in (("in", 1), ("out", -1))
        for i, name in enumerate(flows.get(way, ()))
        if (meter := _meter(name, sign, ("flows", way, i), named, density, problems)) is not None
    ]
    names = [meter.tag for meter in meters]
    if len(set(names)) < len(names):
        problems.append((("flows",), "a tag is named twice; allowed: once, in or out"))
    if not 1 <= len(names) <= MOST_METERS and len(problems) == before:
        problems.append(
            (("flows",), f"{len(names)} flow tags; allowed: 1 to {MOST_METERS}, in and out")
        )
    if isnan(volume) or not gauges:
        problems.append((("flows",), "need a level tag that converts to m3, and a volume"))
    if len(problems) > before:
        return None
    share = number("balance", "threshold") / 100
    return Balance(
        tuple(meters),
        flows.get("reading_pct", number("balance", "reading")) / 100,
        flows.get("span_pct", number("balance", "span")) / 100,
        flows.get("threshold_m3", share * volume),
    )


def _meter(
    name: str,
    sign: int,
    at: tuple[str | int, ...],
    named: Mapping[str, "TagLike"],
    density: float,
    problems: "Problems",
) -> Meter | None:
    known = [tag.name for tag in named.values() if tag.kind == TagKind.FLOW]
    if name not in known:
        problems.append((at, f'no flow tag "{name}" in the source{suggestion(name, known)}'))
        return None
    tag = named[name]
    volumes, masses = data()["cubic_metres_per_hour"], data()["tonnes_per_hour"]
    if tag.unit in volumes:
        scale = float(volumes[tag.unit]["value"])
    elif tag.unit in masses and not isnan(density):
        scale = float(masses[tag.unit]["value"]) / density
    else:
        known = [*volumes, *(masses if not isnan(density) else ())]
        lack = "" if tag.unit not in masses else " without density_t_m3"
        clause = f"{tag.unit} of {name} is no flow to balance{lack}; allowed: {', '.join(known)}"
        problems.append((at, clause))
        return None
    if tag.range is None:
        problems.append((at, f"{name} has no range, which its error is a share of; give it one"))
        return None
    return Meter(name, sign, scale, (tag.range[1] - tag.range[0]) * scale)
