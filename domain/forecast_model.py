"""`ForecastModel`: the numbers of the time-to-limit forecast, from the versioned data file.

What each of them does is said in docs/early-warning.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Bank(NamedTuple):
    """share, samples_least, samples_most: of the shortest window. cover: of the longest. ratio: of
    neighbouring windows. clip: sigma. agree, restart: standard errors. restart_share, gap, forget,
    pace: see the file."""

    share: float
    samples_least: float
    samples_most: float
    cover: float
    ratio: float
    clip: float
    agree: float
    restart: float
    restart_share: float
    gap: float
    forget: float
    pace: float


class Spread(NamedTuple):
    """memory: samples. winsor: sigma. correlation: largest that is made up for. widen: of standard
    errors. resolution, span: shares that make the smallest standard deviation. furthest: spans."""

    memory: float
    winsor: float
    correlation: float
    widen: float
    resolution: float
    span: float
    furthest: float


class Warn(NamedTuple):
    """probability, back: of reaching the limit in `ahead` action times. slope: standard
    errors. held_least, held_most, held_share: samples in a row. sight: share of the time to the
    limit that a line must look back. samples: before it speaks."""

    probability: float
    back: float
    ahead: float
    slope: float
    held_least: float
    held_most: float
    held_share: float
    sight: float
    samples: float


@dataclass(frozen=True, slots=True)
class ForecastModel:
    """One version of the whole model. action, reactor: minutes. z: of the interval."""

    version: str
    action: float
    reactor: float
    bank: Bank
    noise: Spread
    warn: Warn
    z: float

    @staticmethod
    def of(document: Mapping[str, Any]) -> "ForecastModel":
        """The model of a document of the data file's form; raises `KeyError` or `TypeError` where
        a number is missing."""
        section = {
            name: {key: float(entry["value"]) for key, entry in part.items()}
            for name, part in document.items()
            if isinstance(part, Mapping)
        }
        return ForecastModel(
            str(document["version"]),
            section["action"]["minutes"],
            section["action"]["reactor"],
            Bank(**section["bank"]),
            Spread(**section["noise"]),
            Warn(**section["warn"]),
            section["interval"]["z"],
        )


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/forecast.toml").read_text("utf-8"))


@cache
def forecast_model() -> ForecastModel:
    """The model that is delivered."""
    return ForecastModel.of(data())
