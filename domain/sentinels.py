"""Sentinels: numbers by which a sender says "no value" 无效值, from the versioned data file."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Sentinel:
    """code: 1 to 127, for ever. always: also for tags without a range. of: who sends it."""

    code: int
    value: float
    always: bool
    of: str
    confidence: str


@cache
def sentinels() -> tuple[Sentinel, ...]:
    """All that the data file has, by rising value."""
    text = files("domain").joinpath("data/sentinels.toml").read_text("utf-8")
    found = [
        Sentinel(
            entry["code"],
            float(entry["value"]),
            entry.get("always", False),
            entry["of"],
            entry["confidence"],
        )
        for entry in tomllib.loads(text)["sentinel"]
    ]
    if len({one.code for one in found}) < len(found) or not all(0 < o.code < 128 for o in found):
        raise ValueError("two sentinels have one code, or it is not 1 to 127")
    return tuple(sorted(found, key=lambda one: one.value))


@cache
def sentinel_of_code(code: int) -> float | None:
    """The number with this code; None: there is none, or it is one of the tag's own."""
    return next((one.value for one in sentinels() if one.code == code), None)
