"""`NoiseRules`: what counts as a flood, chattering, fleeting, stale and first-out (domain.md 5.4),
and `KpiTargets`: what a desk is held against (5.5). From the versioned data file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

from domain.alarms import Kind, Priority


@dataclass(frozen=True, slots=True)
class FloodRules:
    """begin, end: annunciated alarms of a desk within `window_s` seconds. never_…: never folded."""

    begin: int
    end: int
    window_s: float
    never_priorities: frozenset[Priority]
    never_kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class ChatterRules:
    """activations within `window_s` seconds; over after `quiet_s`. A suggested delay takes away
    `share` of what was seen and is not longer than `longest_delay_s`."""

    activations: int
    window_s: float
    quiet_s: float
    share: float
    longest_delay_s: float


@dataclass(frozen=True, slots=True)
class NoiseRules:
    """fleeting: active shorter than `fleeting_s`, alone within `apart_s`. stale: in alarm longer
    than `stale_s`. first_out_s: the group window. All in seconds."""

    flood: FloodRules
    chattering: ChatterRules
    fleeting_s: float
    apart_s: float
    stale_s: float
    first_out_s: float


@dataclass(frozen=True, slots=True)
class Target:
    """What a KPI should be at most, and what it must not exceed; None: nothing is said."""

    target: float
    limit: float | None
    unit: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Grade:
    """A class of EEMUA 191: rates up to and including `below` (inf: all others) are called
    `word`."""

    below: float
    word: str


@dataclass(frozen=True, slots=True)
class KpiTargets:
    """days: less data than this says little. busy_…: what makes an hour or ten minutes busy.

    by_name: the targets. eemua: of the mean rate; upset: of the ten minutes after an upset.
    """

    days: float
    busy_hour: int
    busy_10_min: int
    by_name: Mapping[str, Target]
    eemua: tuple[Grade, ...]
    upset: tuple[Grade, ...]


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/alarm_noise.toml").read_text("utf-8"))


@cache
def noise_rules() -> NoiseRules:
    """The rules that are delivered."""
    flood, chatter = data()["flood"], data()["chattering"]
    return NoiseRules(
        FloodRules(
            int(flood["begin"]["value"]),
            int(flood["end"]["value"]),
            float(flood["window"]["value"]),
            frozenset(Priority(word) for word in flood["never_priorities"]),
            frozenset(Kind[word] for word in flood["never_kinds"]),
        ),
        ChatterRules(
            int(chatter["activations"]["value"]),
            float(chatter["window"]["value"]),
            float(chatter["quiet"]["value"]),
            float(chatter["share"]["value"]),
            float(chatter["longest_delay"]["value"]),
        ),
        float(data()["fleeting"]["active"]["value"]),
        float(data()["fleeting"]["apart"]["value"]),
        float(data()["stale"]["active"]["value"]),
        float(data()["first_out"]["window"]["value"]),
    )


@cache
def kpi_targets() -> KpiTargets:
    """The targets that are delivered."""
    kpi = data()["kpi"]
    return KpiTargets(
        float(kpi["days"]["value"]),
        int(kpi["busy_hour"]["value"]),
        int(kpi["busy_10_min"]["value"]),
        {
            name: Target(
                float(entry["target"]),
                None if "limit" not in entry else float(entry["limit"]),
                entry["unit"],
                entry["source"],
                entry["confidence"],
            )
            for name, entry in kpi.items()
            if "target" in entry
        },
        _grades(kpi["eemua"]),
        _grades(kpi["upset"]),
    )


def graded(grades: tuple[Grade, ...], rate: float) -> str:
    """The word of the class in which a rate (not NaN) lies."""
    return next(grade.word for grade in grades if rate <= grade.below)


def _grades(entries: list[dict[str, Any]]) -> tuple[Grade, ...]:
    return tuple(Grade(float(entry.get("below", inf)), entry["word"]) for entry in entries)
