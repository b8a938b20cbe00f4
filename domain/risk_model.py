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
class TrendModel:
    """Part P. ratio: rising; points: for each, where r does not exceed it; rate: on top of them."""

    cap: float
    ratio: tuple[float, ...]
    points: tuple[float, ...]
    rate: float


@dataclass(frozen=True, slots=True)
class InventoryModel:
    """Part V. begin, full, back: shares of the design; points: at full; over: above it."""

    begin: float
    full: float
    points: float
    over: float
    back: float


@dataclass(frozen=True, slots=True)
class ManagementModel:
    """Part M. each, caps: points by `domain.risk_facts.Effect` COMMITMENT, DUTY, HAZARD, MAJOR."""

    cap: float
    each: tuple[float, ...]
    caps: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LossModel:
    """Part L. cap, whole: points; safety_critical: weight of such a tag; zone: microseconds."""

    cap: float
    whole: float
    safety_critical: float
    zone: int


@dataclass(frozen=True, slots=True)
class FloorModel:
    """What the floors ask for; distance and hot_work in metres; fire_signals, lost_share and still
    plain numbers; all else in microseconds."""

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
    hot_work: float
    lost_share: float
    lost_after: int
    lost_within: int
    still: float


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
class AreaModel:
    """Above the sources. domino: metres. index_from, index_share, index_cap: what further sources
    add to the index of an enterprise. weights: of a source in the index of an area, by `Colour`."""

    domino: float
    index_from: float
    index_share: float
    index_cap: float
    weights: tuple[float, ...]


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
    trend: TrendModel
    inventory: InventoryModel
    management: ManagementModel
    loss: LossModel
    floors: FloorModel
    colours: ColourModel
    area: AreaModel

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
            _trend(sections["trend"]),
            InventoryModel(**sections["inventory"]),
            _management(sections["management"]),
            _loss(sections["loss"]),
            _floors(sections["floor"]),
            _colours(sections["colour"]),
            _area(sections["area"]),
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


def _trend(of: Mapping[str, Any]) -> TrendModel:
    if sorted(of["ratio"]) != of["ratio"] or len(of["ratio"]) != len(of["points"]):
        raise ValueError("trend: ratios must rise, each with its points")
    return TrendModel(of["cap"], tuple(of["ratio"]), tuple(of["points"]), of["rate"])


def _management(of: Mapping[str, float]) -> ManagementModel:
    names = ("commitment", "duty", "hazard", "major")
    caps = (of["commitment"], of["duty_cap"], of["hazard_cap"], of["major"])
    return ManagementModel(of["cap"], tuple(of[name] for name in names), caps)


def _loss(of: Mapping[str, float]) -> LossModel:
    return LossModel(of["cap"], of["whole"], of["safety_critical"], _us(of["zone"]))


def _floors(of: Mapping[str, float]) -> FloorModel:
    plain = ("distance", "fire_signals", "hot_work", "lost_share", "still")
    return FloorModel(**{k: v if k in plain else _us(v) for k, v in of.items()})  # type: ignore[arg-type]


def _colours(of: Mapping[str, float]) -> ColourModel:
    return ColourModel(
        (of["yellow"], of["orange"], of["red"]),
        of["hysteresis"],
        _us(of["up"]),
        _us(of["down"]),
        _us(of["observed"]),
    )


def _area(of: Mapping[str, float]) -> AreaModel:
    weights = (0.0, of["weight_yellow"], of["weight_orange"], of["weight_red"])
    indexed = (of["index_from"], of["index_share"], of["index_cap"])
    return AreaModel(of["domino"], *indexed, weights)
