"""Inventory 储量 of a hazard source as it is told: tanks, substances, live figure beside design.

S_now = Σ q_now/Q is a live figure. The registered grade follows from design amounts alone
(GB 18218-2018, 4.2.2) and is never changed by it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Cause(IntEnum):
    """Which contradiction it is, as `cause` in the detail of a BALANCE."""

    STILL = 1
    """The level stands while something flows: gauge stuck, or overflowing."""
    MIRROR = 2
    """The level moves as much the other way: flow tags swapped, or a sign."""
    LOST = 3
    """The level falls and nothing flows out: leak, or an outlet without meter."""
    GAINED = 4
    """The level rises and nothing flows in: an inlet without meter."""
    LESS = 5
    """There is less than the flows say."""
    MORE = 6
    """There is more than the flows say."""


class Sight(IntEnum):
    """How well a tank is seen; the worst of its gauges."""

    GOOD = 0
    STALE = 1
    """Silent: the last mass is held."""
    BAD = 2
    """The last sample was not good: the last mass is held."""
    UNKNOWN = 3
    """Never read."""


@dataclass(frozen=True, slots=True)
class GaugeNow:
    """A level gauge: its last reading that counts, in the tag's unit; m³ by it; when it was last
    good. None: never."""

    tag: int
    value: float | None
    volume_m3: float | None
    good: datetime | None


@dataclass(frozen=True, slots=True)
class TankNow:
    """A tank. volume_m3 is by the highest of its gauges; load: tonnes over design_t; None: not
    known. substance: name. notes: what is missing to know more."""

    node: int
    sight: Sight
    gauges: tuple[GaugeNow, ...]
    volume_m3: float | None
    capacity_m3: float
    density_t_m3: float | None
    tonnes: float | None
    design_t: float | None
    load: float | None
    substance: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubstanceNow:
    """A registered substance. tonnes: in those tanks whose mass is known. critical_t: critical
    quantity 临界量 Q. None: not known."""

    name: str
    cas: str | None
    tonnes: float | None
    design_t: float | None
    critical_t: float | None
    load: float | None


@dataclass(frozen=True, slots=True)
class SourceInventory:
    """What is told of one source.

    load: u, the largest of each tank, each substance, and all of them pooled. pooled:
    Σ(tonnes/Q) / Σ(design/Q) over measured substances. s_now: Σ tonnes/Q of those; s_design:
    Σ design/Q of all. complete: every tank is known and belongs to a substance, every substance has
    a tank; else the sums are lower bounds. held: tanks whose mass is held.
    """

    source: int
    enterprise: int
    at: datetime
    load: float | None
    pooled: float | None
    s_now: float | None
    s_design: float | None
    complete: bool
    held: int
    tanks: tuple[TankNow, ...]
    substances: tuple[SubstanceNow, ...]
