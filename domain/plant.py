"""The registered plant: typed tree, gateways, tags. What the registry hands to every stage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.alarms import Kind, Priority


class TagKind(StrEnum):
    """What a tag measures 指标类型."""

    GAS_TOXIC = "gas_toxic"
    GAS_COMBUSTIBLE = "gas_combustible"
    OXYGEN = "oxygen"
    FIRE = "fire"
    LEVEL = "level"
    PRESSURE = "pressure"
    TEMPERATURE = "temperature"
    FLOW = "flow"
    VALVE = "valve"
    INTERLOCK = "interlock"
    UTILITY = "utility"
    STATE = "state"
    OTHER = "other"


class Circumstance(StrEnum):
    """What about the place of a tag makes its alarms graver (domain.md 4.4), or their low level
    less grave (4.5a), as `domain.circumstances` finds it."""

    REACTOR = "reactor"
    GAS_HOLDER = "gas_holder"
    LIQUEFIED_GAS = "liquefied_gas"
    GRADE_1_2 = "grade_1_2"
    NO_FLOATING_ROOF = "no_floating_roof"


SUBJECTS = frozenset({"group", "rule"})
"""Kinds of nodes that are no places: they stand below a source so that alarms have a subject."""


@dataclass(frozen=True, slots=True)
class Node:
    """A typed node of the tree (province … park, enterprise, source, equipment, group, rule).

    `detail` is the rest of its entry.
    """

    id: int
    parent: int | None
    kind: str
    code: str
    name: str
    enterprise: int | None = None
    position: tuple[float, float] | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A sender of one enterprise. Its topic is hw/v1/{park}/{enterprise}/{code}/…"""

    id: int
    enterprise: int
    park: str
    enterprise_code: str
    code: str


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    """What the site file says of one kind of alarm of a tag, instead of the alarm policy. None: as
    the policy says. re_alarm_s: seconds."""

    latch: bool | None = None
    re_alarm_s: float | None = None
    auto_ack: bool | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A rule of suppression by design 设计抑制 (domain.md 5.2): these kinds of alarms of its tag
    are not annunciated while an alarm of the parent holds, and `hold_s` seconds longer. parent:
    name of a tag of the same enterprise; parent_kinds: None = any limit."""

    name: str
    parent: str
    kinds: tuple[Kind, ...]
    parent_kinds: tuple[Kind, ...] | None
    hold_s: float


@dataclass(frozen=True, slots=True)
class Tag:
    """A registered tag 位号.

    Limits, deadband, normal and range in `unit`; delays and intervals in seconds.
    None means: not set, the default of `domain.policy` applies. `id` is never reused; a change of
    unit or kind makes a new tag of the next `version`. `since` is when this version was registered.
    """

    id: int
    version: int
    enterprise: int
    source: int
    name: str
    kind: TagKind
    unit: str
    since: datetime
    range: tuple[float, float] | None = None
    limits: Mapping[Kind, float] = field(default_factory=dict)
    deadband: float | None = None
    delay_on_s: float | None = None
    delay_off_s: float | None = None
    rate_per_min: float | None = None
    rate_window_s: float | None = None
    interval_s: float = 30.0
    max_silence_s: float | None = None
    normal: tuple[float, float] | None = None
    safety_critical: bool = False
    priorities: Mapping[Kind, Priority] = field(default_factory=dict)
    equipment: str | None = None
    zone: str | None = None
    position: tuple[float, float] | None = None
    action_min: float | None = None
    fill_target: float | None = None
    report_deadband: float | None = None
    resolution: float | None = None
    frozen_check: bool | None = None
    noise_check: bool | None = None
    gas: str | None = None
    sentinels: tuple[float, ...] | None = None
    limits_by_mode: Mapping[str, Mapping[Kind, float]] = field(default_factory=dict)
    alarms: Mapping[Kind, OwnPolicy] = field(default_factory=dict)
    suppressed_by: tuple[Suppression, ...] = ()
    circumstances: frozenset[Circumstance] = frozenset()


@dataclass(frozen=True, slots=True)
class Registry:
    """A consistent reading of the whole registry at one version of the site.

    modes: operating mode by id of equipment or source, where one is in force; see `domain.modes`.
    began: by id of a written rule the modes in which what it says began, where they are others, as
    a registry of the tags that have limits of their own in a mode.
    unjudged: tags that the rules can't judge, and since when: to the risk they are lost from sight.
    """

    version: int
    nodes: Mapping[int, Node]
    gateways: tuple[Gateway, ...]
    tags: Mapping[int, Tag]
    modes: Mapping[int, str] = field(default_factory=dict)
    began: Mapping[int, "Registry"] = field(default_factory=dict)
    unjudged: Mapping[int, datetime] = field(default_factory=dict)
