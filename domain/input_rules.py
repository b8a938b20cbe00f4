"""What is asked of permits and modes, and what they do: from the versioned data file."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from domain import policy
from domain.alarms import Kind, Priority
from domain.gb18218_tables import tables
from domain.inputs import Input, InputKind
from domain.plant import Tag, TagKind

CALIBRATION = "calibration"
LAST_IN_ZONE = "last_in_zone"
"""Member of a permit's value: true where the park, who stated it, approved that the last detector
of its zone in service goes (domain.md 5.2 #20)."""
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


def takes_two(tag: Tag | None, priority: Priority) -> bool:
    """Whether a permit quietens an alarm of this tag only with a second person: P1, P2, gas, fire
    and safety-critical tags (domain.md 5.2 #20)."""
    return priority in (Priority.P1, Priority.P2) or policy.is_grave(tag)


def has_alarm_for_two(tag: Tag) -> bool:
    """Whether a tag can have an alarm that `takes_two`, in any mode."""
    kinds = {kind for own in (tag.limits, *tag.limits_by_mode.values()) for kind in own}
    if tag.rate_per_min is not None:
        kinds.add(Kind.ROC)
    priorities = {policy.priority(tag, kind) for kind in kinds}
    return policy.is_grave(tag) or any(takes_two(tag, one) for one in priorities)


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
