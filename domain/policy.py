"""Default alarm policy by tag kind and alarm kind, and what is effective for a tag.

Every number is read from the versioned data file.
"""

import tomllib
from collections.abc import Set
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

from domain.alarms import Kind, Priority
from domain.plant import Circumstance, OwnPolicy, Tag, TagKind

DIGITAL = frozenset(
    {TagKind.FIRE, TagKind.VALVE, TagKind.INTERLOCK, TagKind.UTILITY, TagKind.STATE}
)
"""Kinds whose readings are states, not quantities.

No span; deadband 0 unless the site file says otherwise.
"""
GAS_AND_FIRE = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN, TagKind.FIRE})
"""Detectors, whose alarms no mode quietens."""
LIMITS = (Kind.LL, Kind.L, Kind.H, Kind.HH)
INWARD = {
    Kind.LL: (Kind.L, Kind.H, Kind.HH),
    Kind.L: (Kind.H, Kind.HH),
    Kind.H: (Kind.L, Kind.LL),
    Kind.HH: (Kind.H, Kind.L, Kind.LL),
}
"""Limits on the way from each towards normal and beyond, the next one first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the policy file. Delays and times in seconds; `samples` as the file explains.

    latch: kept after its condition has gone until somebody resets it. ack_s: the console has to
    acknowledge within. re_alarm_s: after so long it is unacknowledged again, None = never.
    auto_ack: for the journal alone. shelve_s: longest shelf, None = as its priority says. raised:
    the priority that a circumstance asks for at least. soon: what a forecast of so many seconds or
    less asks for. longest_on_s: the longest on-delay of a site file, for gas, fire and trips.
    """

    alarm_class: str
    name: str
    priority: Priority
    priority_safety_critical: Priority
    on_s: float
    off_s: float
    samples: int
    source: str
    confidence: str
    latch: bool = False
    ack_s: float = 600.0
    re_alarm_s: float | None = None
    auto_ack: bool = False
    shelve_s: float | None = None
    raised: tuple[tuple[Circumstance, Priority], ...] = ()
    soon: tuple[float, Priority] | None = None
    longest_on_s: float = inf

    def at_least(
        self, safety_critical: bool, where: Set[Circumstance], left_s: float = inf
    ) -> Priority:
        """The highest priority that holds. left_s: seconds that a forecast leaves, NaN = none."""
        asked = [self.priority] + [priority for one, priority in self.raised if one in where]
        if safety_critical:
            asked.append(self.priority_safety_critical)
        if self.soon is not None and left_s <= self.soon[0]:
            asked.append(self.soon[1])
        return min(asked)


@cache
def data() -> dict[str, Any]:
    """The whole policy file."""
    return tomllib.loads(files("domain").joinpath("data/alarm_policy.toml").read_text("utf-8"))


def number(section: str, name: str) -> float:
    """A single number of the policy file, such as `number("offline", "seconds")`."""
    return float(data()[section][name]["value"])


@cache
def rule(tag_kind: TagKind, kind: Kind) -> Rule:
    """The policy row for an alarm kind on a tag kind. Every pair has one."""
    for row in data()["rule"]:
        if kind.name in row["levels"] and (tag_kind in row["kinds"] or "*" in row["kinds"]):
            priority = Priority(row["priority"])
            return Rule(
                row["class"],
                row["name"],
                priority,
                Priority(row.get("priority_safety_critical", priority)),
                float(row["on"]),
                float(row["off"]),
                int(row["samples"]),
                row["source"],
                row["confidence"],
                bool(row["latch"]),
                float(row["ack"]),
                _seconds(row.get("re_alarm")),
                bool(row.get("auto_ack", False)),
                _seconds(row.get("shelve")),
                _raised(row),
                (float(row["soon"]), Priority(row["priority_soon"])) if "soon" in row else None,
                float(row.get("longest_on", row["on"])),
            )
    raise KeyError(f"the alarm policy has no row for {kind.name} of {tag_kind}")


def _raised(row: dict[str, Any]) -> tuple[tuple[Circumstance, Priority], ...]:
    said = ((one, row.get(f"priority_{one}")) for one in Circumstance)
    return tuple((one, Priority(own)) for one, own in said if own is not None)


def _seconds(given: float | None) -> float | None:
    return None if given is None else float(given)


def of(tag: Tag | None, kind: Kind) -> Rule:
    """The policy row of an alarm of a tag, with what the site file says instead; or of a node
    (None)."""
    if tag is None:
        return rule(TagKind.OTHER, kind)
    found, own = placed(tag.kind, kind, tag.circumstances), tag.alarms.get(kind)
    return found if own is None else _with(found, own)


def placed(tag_kind: TagKind, kind: Kind, where: Set[Circumstance]) -> Rule:
    """The policy row of an alarm at a place: without a floating roof 浮盘 LL of a level has the
    priority and the latch of L (domain.md 4.5a)."""
    here = tag_kind is TagKind.LEVEL and kind is Kind.LL
    eased = here and Circumstance.NO_FLOATING_ROOF in where
    return _roofless() if eased else rule(tag_kind, kind)


@cache
def _roofless() -> Rule:
    low = rule(TagKind.LEVEL, Kind.L)
    return replace(
        rule(TagKind.LEVEL, Kind.LL),
        priority=low.priority,
        priority_safety_critical=low.priority_safety_critical,
        raised=low.raised,
        latch=low.latch,
    )


@cache
def _with(found: Rule, own: OwnPolicy) -> Rule:
    """A row of the policy with what the site file says instead."""
    return replace(
        found,
        latch=found.latch if own.latch is None else own.latch,
        re_alarm_s=found.re_alarm_s if own.re_alarm_s is None else own.re_alarm_s,
        auto_ack=found.auto_ack if own.auto_ack is None else own.auto_ack,
    )


def is_grave(tag: Tag | None) -> bool:
    """Whether quieting an alarm of this tag takes more: gas, fire and safety-critical tags."""
    return tag is not None and (tag.kind in GAS_AND_FIRE or tag.safety_critical)


def longest_shelf_s(tag: Tag | None, kind: Kind, priority: Priority) -> float:
    """How long people may shelve an alarm at most, seconds; 0 = not at all."""
    row = of(tag, kind)
    longest = number("shelving", priority.value) if row.shelve_s is None else row.shelve_s
    return min(longest, number("shelving", "grave")) if is_grave(tag) else longest


def who_may_acknowledge() -> tuple[str, ...]:
    """The levels whose desks acknowledge and reset an enterprise's alarms 确认, 复位, as
    `domain.cases.Level` has them in small letters."""
    return tuple(data()["acknowledging"]["who"]["value"])


def who_may_see() -> tuple[str, ...]:
    """The levels whose desks mark an alarm as seen 已阅."""
    return tuple(data()["acknowledging"]["seen"]["value"])


def counts_in_plant(tag: Tag, kind: Kind) -> bool:
    """Whether an acknowledgement that the plant reports 厂内确认 counts for this alarm of a tag."""
    return kind in LIMITS and tag.kind not in data()["acknowledging"]["here"]["value"]


def who_may_shelve() -> tuple[str, ...]:
    """The levels whose desks shelve an alarm 搁置 or take it out of service 停用."""
    return tuple(data()["shelving"]["who"]["value"])


def priority(tag: Tag, kind: Kind, left_s: float = inf) -> Priority:
    """The effective priority: the site file's, else the policy's. left_s: seconds that a forecast
    leaves, NaN = none."""
    if kind in tag.priorities:
        return tag.priorities[kind]
    row = placed(tag.kind, kind, tag.circumstances)
    return row.at_least(tag.safety_critical, tag.circumstances, left_s)


def node_priority(kind: Kind) -> Priority:
    """The priority of an alarm that belongs to a node of the tree."""
    return rule(TagKind.OTHER, kind).priority


def deadband(tag: Tag, kind: Kind) -> float:
    """The effective deadband of a limit in the tag's unit.

    A quantity without a range has no span: the limit itself stands for it. A default is cut to what
    can clear (domain.md 5.3): a third of the way from the limit to the top of normal, half the gap
    to the next limit.
    """
    if tag.deadband is not None:
        return tag.deadband
    limit = tag.limits[kind]
    value, unit = band(tag.kind)
    if unit == "% of set point":
        value *= abs(limit) / 100
    elif unit == "% of span":
        value *= (tag.range[1] - tag.range[0] if tag.range else abs(limit)) / 100
    return min(value, *clearable(tag, kind))


def band(tag_kind: TagKind) -> tuple[float, str]:
    """The policy's deadband for a kind of tags: (number, unit: `% of span`, `% of set point`,
    `units`)."""
    entry = band_entry(tag_kind)
    return float(entry["value"]), str(entry["unit"])


def band_entry(tag_kind: TagKind) -> dict[str, Any]:
    """The entry of the policy file behind `band`."""
    known: dict[str, dict[str, Any]] = data()["deadband"]
    if tag_kind in known:
        return known[tag_kind]
    return known["digital" if tag_kind in DIGITAL else "default"]


def clearable(tag: Tag, kind: Kind) -> tuple[float, float]:
    """Upper bounds of a deadband that can clear.

    (by the normal band, by the gap to the next limit); inf where there is none.
    """
    limit = tag.limits[kind]
    high = kind in (Kind.H, Kind.HH)
    by_normal = by_gap = float("inf")
    if tag.normal is not None:
        by_normal = abs(limit - tag.normal[1 if high else 0]) / 3
    inner = next((other for other in INWARD[kind] if other in tag.limits), None)
    if inner is not None:
        by_gap = abs(limit - tag.limits[inner]) / 2
    return by_normal, by_gap


def delay_on(tag: Tag, kind: Kind) -> float:
    """The effective on-delay of a limit in seconds."""
    return rule(tag.kind, kind).on_s if tag.delay_on_s is None else tag.delay_on_s


def delay_off(tag: Tag, kind: Kind) -> float:
    """The effective off-delay of a limit in seconds."""
    return rule(tag.kind, kind).off_s if tag.delay_off_s is None else tag.delay_off_s


def silence_after(tag: Tag) -> float:
    """Seconds without a good live sample after which the tag is offline 离线."""
    if tag.max_silence_s is not None:
        return tag.max_silence_s
    return max(number("offline", "intervals") * tag.interval_s, number("offline", "seconds"))
