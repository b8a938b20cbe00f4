"""`RiskModel`: the numbers of the dynamic risk score, from the versioned data file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from domain.instant import SECOND


@dataclass(frozen=True, slots=True)
class AlarmModel:
    """Part A: `cap * (1 - exp(-sum of weights / scale))`.

    severity and priority_cap: by priority P1 to P4, inf where there is no cap. kind, aging: by
    `Family`; aging in microseconds, the time after which the weight has doubled. phase: by `Phase`.
    """

    cap: float
    scale: float
    severity: tuple[float, ...]
    priority_cap: tuple[float, ...]
    kind: tuple[float, ...]
    aging: tuple[int, ...]
    phase: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LossModel:
    """Part L. cap, whole: points; safety_critical: weight of such a tag; zone: microseconds."""

    cap: float
    whole: float
    safety_critical: float
    zone: int


@dataclass(frozen=True, slots=True)
class FloorModel:
    """What the floors ask for; distance in metres, all else in microseconds or a number."""

    distance: float
    gas_held: int
    gas_together: int
    gas_within: int
    gas_pulse: int
    gas_unacknowledged: int
    fire_signals: int
    unacknowledged: int
    unknown: int
    unknown_yellow: int
    unknown_orange: int


@dataclass(frozen=True, slots=True)
class ColourModel:
    """threshold: points from which it is yellow, orange, red; hysteresis: points below it.

    up, down: confirmation in microseconds; observed: longest time between two assessments that
    counts as watched.
    """

    threshold: tuple[float, float, float]
    hysteresis: float
    up: int
    down: int
    observed: int


@dataclass(frozen=True, slots=True)
class RiskModel:
    """One version of the whole model.

    inherent: part B by grade, 0 for no major hazard source. held: where D stops without evidence
    for red; red_groups: how many cause groups with a P1 are such evidence.
    """

    version: str
    cap: float
    held: float
    red_groups: int
    inherent: tuple[float, ...]
    alarms: AlarmModel
    loss: LossModel
    floors: FloorModel
    colours: ColourModel

    @staticmethod
    def of(document: Mapping[str, Any]) -> "RiskModel":
        """The model that a document of the data file's form describes; `KeyError` names what is
        missing."""
        sections = {
            name: {key: entry["value"] for key, entry in section.items()}
            for name, section in document.items()
            if isinstance(section, Mapping)
        }
        score, inherent = sections["score"], sections["inherent"]
        return RiskModel(
            str(document["version"]),
            float(score["cap"]),
            float(score["held"]),
            int(score["red_groups"]),
            tuple(float(inherent[name]) for name in _GRADES),
            _alarms(sections["alarms"]),
            _loss(sections["loss"]),
            _floors(sections["floor"]),
            _colours(sections["colour"]),
        )


_GRADES = ("none", "grade_1", "grade_2", "grade_3", "grade_4")


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/risk_model.toml").read_text("utf-8"))


@cache
def risk_model() -> RiskModel:
    """The model that is delivered."""
    return RiskModel.of(data())


def _us(seconds: float) -> int:
    return round(seconds * SECOND)


def _alarms(of: Mapping[str, float]) -> AlarmModel:
    gas_fire, process = _us(of["age_gas_fire"]), _us(of["age_process"])
    return AlarmModel(
        of["cap"],
        of["scale"],
        tuple(of[name] for name in ("P1", "P2", "P3", "P4")),
        (float("inf"), of["P2_cap"], of["P3_cap"], float("inf")),
        tuple(of[name] for name in ("toxic", "fire", "combustible", "process")),
        (gas_fire, gas_fire, gas_fire, process),
        tuple(of[name] for name in ("active", "latched", "returned")),
    )


def _loss(of: Mapping[str, float]) -> LossModel:
    return LossModel(of["cap"], of["whole"], of["safety_critical"], _us(of["zone"]))


def _floors(of: Mapping[str, float]) -> FloorModel:
    plain = ("distance", "fire_signals")
    return FloorModel(**{k: v if k in plain else _us(v) for k, v in of.items()})  # type: ignore[arg-type]


def _colours(of: Mapping[str, float]) -> ColourModel:
    return ColourModel(
        (of["yellow"], of["orange"], of["red"]),
        of["hysteresis"],
        _us(of["up"]),
        _us(of["down"]),
        _us(of["observed"]),
    )
