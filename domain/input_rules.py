"""What is asked of permits and modes, and what they do: from the versioned data file."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from domain.gb18218_tables import tables
from domain.inputs import Input, InputKind
from domain.plant import TagKind

CALIBRATION = "calibration"
DETECTORS = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN, TagKind.FIRE})
"""Gas and fire: never suppressed by a mode, taken out of service one by one."""


@cache
def data() -> dict[str, Any]:
    """The whole data file."""
    return tomllib.loads(files("domain").joinpath("data/inputs.toml").read_text("utf-8"))


def value(section: str, name: str) -> Any:
    """A value of the data file, such as `value("permit", "longest")`."""
    return data()[section][name]["value"]


def longest(kind: InputKind, work: str = "") -> timedelta | None:
    """How long a permit or a mode may last at most; None where there is no bound."""
    if kind is InputKind.PERMIT:
        name = CALIBRATION if work == CALIBRATION else "longest"
        return timedelta(seconds=value("permit", name))
    return timedelta(seconds=value("mode", "longest")) if kind is InputKind.MODE else None


def together(detectors: int) -> int:
    """How many of the gas and fire detectors of a zone may be calibrated at one time."""
    return max(1, int(detectors * value("permit", "calibration_share")))


def is_calibration(permit: Input) -> bool:
    """Whether a permit is one for test gas."""
    return permit.value.get("work") == CALIBRATION


def is_grave(substances: object) -> bool:
    """Whether `substances` of a source's entry are explosive or toxic, or may be (floor F8).

    What nobody has named, or what the tables don't know, counts as the worst.
    """
    if not isinstance(substances, list | tuple) or not substances:
        return True
    return any(_is_grave(one) for one in substances)


def _is_grave(substance: Mapping[str, Any]) -> bool:
    known = tables()
    category = substance.get("category")
    symbols = [category] if isinstance(category, str) else list(category or ())
    cas, name = substance.get("cas"), str(substance.get("name", ""))
    named = (known.named_by_cas(cas) if cas else ()) or known.named_by_name(name)
    symbols += [symbol for row in named for symbol in row.categories]
    if any(
        str(symbol).startswith(tuple(value("substance", "grave_categories"))) for symbol in symbols
    ):
        return True
    toxic_gas = known.gas(name, cas) is not None
    last = value("substance", "grave_rows")
    return toxic_gas or any(row.row <= last for row in named) or not (named or symbols)
