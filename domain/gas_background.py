"""`GasModel`: the numbers by which gas that comes and goes 间歇性气体 is told from background."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from domain.alarms import Kind
from domain.plant import Tag, TagKind

GASES = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE})


@dataclass(frozen=True, slots=True)
class GasModel:
    """Times in seconds, z in standard deviations of the background; the data file explains each."""

    memory: float
    clip: float
    start_up: float
    fall: float
    longest_gap: float
    start_up_floors: float
    minute: float
    z_clip: float
    lift: float
    raised: float
    returned: float


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/gas_background.toml").read_text("utf-8"))


@cache
def gas_model() -> GasModel:
    """The model that is delivered."""
    background, alarm = data()["background"], data()["alarm"]
    numbers = (
        *(background[k]["value"] for k in ("memory", "clip", "start_up", "fall", "longest_gap")),
        data()["floor"]["start_up"]["value"],
        *(alarm[k]["value"] for k in ("minute", "clip", "lift", "raised", "returned")),
    )
    return GasModel(*numbers)


def floor(tag: Tag) -> float:
    """Smallest standard deviation that the tag's background is credited with, in its unit.

    0 where neither resolution, H nor range is known: then the readings alone tell.
    """
    share = {name: float(entry["value"]) for name, entry in data()["floor"].items()}
    by_resolution = share["resolution"] * (tag.resolution or 0.0)
    if Kind.H in tag.limits:
        return max(by_resolution, share["limit"] * abs(tag.limits[Kind.H]))
    span = tag.range[1] - tag.range[0] if tag.range else 0.0
    return max(by_resolution, share["span"] * span)
