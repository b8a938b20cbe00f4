"""`ChangeModel`: the numbers of the change detection, from the versioned data file.

What each of them does is said in docs/early-warning.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log, sqrt
from typing import Any


@dataclass(frozen=True, slots=True)
class Averages:
    """weights: of a new sample, per nominal sample, from the shortest memory. clips: sigma, alone,
    second in a row, third and further. windup: times the threshold. gap: nominal samples."""

    weights: tuple[float, ...]
    clips: tuple[float, ...]
    windup: float
    gap: float


@dataclass(frozen=True, slots=True)
class Habit:
    """memory: seconds. samples, most: bounds of the same memory. winsor: times the usual size.
    active: times the usual speed. tail_*: the tag's own tail. floor_*: shares that make the
    smallest standard deviation."""

    memory: float
    samples: float
    most: float
    winsor: float
    active: float
    tail_share: float
    tail_normal: float
    tail_gain: float
    tail_most: float
    floor_span: float
    floor_resolution: float


@dataclass(frozen=True, slots=True)
class Warn:
    """per_day: false alarms for each tag. episodes: see `ChangeModel.threshold`. back, young: times
    the threshold. samples: before anything is said. adopt: seconds."""

    per_day: float
    episodes: float
    back: float
    samples: float
    young: float
    adopt: float


@dataclass(frozen=True, slots=True)
class ChangeModel:
    """One version of the whole model."""

    version: str
    bank: Averages
    habit: Habit
    warn: Warn

    @staticmethod
    def of(document: Mapping[str, Any]) -> "ChangeModel":
        """The model of a document of the data file's form; raises `KeyError` or `TypeError` where
        a number is missing."""
        section = {
            name: {key: _number(entry["value"]) for key, entry in part.items()}
            for name, part in document.items()
            if isinstance(part, Mapping)
        }
        return ChangeModel(
            str(document["version"]),
            Averages(**section["bank"]),
            Habit(**section["habit"]),
            Warn(**section["warn"]),
        )

    def threshold(self, samples_per_day: float) -> float:
        """Score at which a tag with Gaussian scores raises `per_day` false alarms.

        The Gaussian tail: episodes per sample = `episodes` exp(-h^2 / 2).
        """
        ratio = self.warn.episodes * samples_per_day / self.warn.per_day
        return sqrt(2 * log(max(ratio, 2.0)))


def _number(value: Any) -> Any:
    return tuple(float(each) for each in value) if isinstance(value, list) else float(value)


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/change.toml").read_text("utf-8"))


@cache
def change_model() -> ChangeModel:
    """The model that is delivered."""
    return ChangeModel.of(data())
