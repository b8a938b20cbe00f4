"""`HealthModel`: the numbers of the data-health checks, from the versioned data file.

What each of them does is said in docs/data-health.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar

from domain.instant import SECOND

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Habit:
    """samples: of a window. learn, memory: seconds. clip: times the largest usual scale. gap: times
    the length of a window."""

    samples: int
    learn: float
    memory: float
    clip: float
    gap: float


@dataclass(frozen=True, slots=True)
class Frozen:
    """reach: times sigma_ref. habit: times the longest stand-still; longest: seconds that one can
    teach. resolution: sigma_ref must be this many times the resolution."""

    reach: float
    seconds: float
    habit: float
    longest: float
    resolution: float


@dataclass(frozen=True, slots=True)
class Noise:
    """raise_, back: times the largest usual scale. windows: in a row."""

    raise_: float
    back: float
    windows: int


@dataclass(frozen=True, slots=True)
class Clipped:
    """margin: share of the span. dip, near: shares of the margin. seconds, window, forget:
    seconds."""

    margin: float
    dip: float
    near: float
    touches: int
    seconds: float
    window: float
    forget: float


@dataclass(frozen=True, slots=True)
class Drift:
    """smooth, learn, memory: seconds. span, clip: shares of the span. habit: times the usual
    deviation. back: share of what raised."""

    smooth: float
    learn: float
    memory: float
    span: float
    habit: float
    back: float
    clip: float


@dataclass(frozen=True, slots=True)
class Detector:
    """within, back: microseconds. rise: share of the first set point. signal: share of the
    span."""

    within: int
    back: int
    rise: float
    signal: float


@dataclass(frozen=True, slots=True)
class Copied:
    """every: seconds. probe, matched, moves, probe_moves, recent, shift, cycle: minutes. equal,
    differs, periodic: shares of the minutes. rounding: share of the largest reading. tick: times
    the usual turn."""

    every: float
    probe: int
    probe_moves: int
    matched: int
    moves: int
    equal: float
    recent: int
    differs: float
    rounding: float
    tick: float
    shift: int
    cycle: int
    periodic: float


@dataclass(frozen=True, slots=True)
class HealthModel:
    """One version of all checks."""

    version: str
    habit: Habit
    frozen: Frozen
    noise: Noise
    clipped: Clipped
    drift: Drift
    detector: Detector
    copied: Copied

    @staticmethod
    def of(document: Mapping[str, Any]) -> "HealthModel":
        """The model that a document of the data file's form describes; `KeyError` names what is
        missing."""
        return HealthModel(
            str(document["version"]),
            _section(Habit, document["habit"]),
            _section(Frozen, document["frozen"]),
            _section(Noise, document["noise"]),
            _section(Clipped, document["clipped"]),
            _section(Drift, document["drift"]),
            _section(Detector, document["detector"]),
            _section(Copied, document["copied"]),
        )


class Scale(NamedTuple):
    """A reading times factor plus offset is one in the family's base unit."""

    family: str
    factor: float
    offset: float


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/health.toml").read_text("utf-8"))


@cache
def health_model() -> HealthModel:
    """The model that is delivered."""
    return HealthModel.of(data())


@cache
def unit_scale(unit: str) -> Scale:
    """How a unit relates to others of its quantity; an unknown one is a quantity of its own."""
    for family, units in data()["units"].items():
        if isinstance(units, Mapping) and unit in units:
            return Scale(family, *map(float, units[unit]))
    return Scale(unit, 1.0, 0.0)


def unit_jump(reference: float, value: float, unit: str) -> str | None:
    """The change of unit that would explain why `value` is told where about `reference` is meant.

    Only what the two alone can tell: factors of 1000 within 10 %, and °C for K within 5 degrees;
    what ppm and mg/m³ are to each other depends on the gas. Both readings in `unit`.
    """
    if unit_scale(unit).family == "temperature":
        for told, offset in (("°C → K", 273.15), ("K → °C", -273.15)):
            if abs(value - reference - offset) <= 5:
                return told
        return None
    if not reference or not value or (reference < 0) != (value < 0):
        return None
    for factor in (1e3, 1e6):
        if abs(value / reference / factor - 1) <= 0.1:
            return f"× {factor:g}"
        if abs(reference / value / factor - 1) <= 0.1:
            return f"÷ {factor:g}"
    return None


_PERCENT = ("% of span",)
_MICROS = {(Detector, "within"), (Detector, "back")}


def _section(form: type[T], section: Mapping[str, Any]) -> T:
    """A section as numbers; percentages become shares, a trailing _ only avoids a keyword."""
    values: dict[str, float] = {}
    for field in fields(form):  # type: ignore[arg-type]
        entry = section[field.name.rstrip("_")]
        value = float(entry["value"]) / (100 if entry["unit"] in _PERCENT else 1)
        if (form, field.name) in _MICROS:
            value *= SECOND
        values[field.name] = int(value) if field.type is int else value
    return form(**values)
