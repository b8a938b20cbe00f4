"""What is in effect for each alarm of a tag, and where each member comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain import easing, policy
from domain.alarms import OF_NODES, Kind
from domain.gas_background import GASES
from domain.modes import MODES
from domain.plant import Circumstance, OwnPolicy, Tag


class Origin(StrEnum):
    """Who said it: the site file for this tag, or the policy file for all like it."""

    SITE = "site"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a policy. value: None = not at all. source and confidence (V2, V1, K, K?, P) of
    a number of the policy file; of the site file both are empty."""

    value: str | float | bool | None
    unit: str
    origin: Origin
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Effective:
    """What is in effect for one kind of alarm of a tag."""

    kind: Kind
    alarm_class: str
    name: str
    members: dict[str, Member]


def version() -> str:
    """Standard and version of the policy file."""
    return str(policy.data()["version"])


def effective(tag: Tag) -> list[Effective]:
    """Every kind of alarm that a tag may have as the site file has it, limits first."""
    return [_of(tag, kind) for kind in Kind if kind not in OF_NODES and _may_have(tag, kind)]


_OF_LIMITS = frozenset({Kind.PREDICT, Kind.UNDERREPORT, Kind.THRESHOLD_MISMATCH})


def _may_have(tag: Tag, kind: Kind) -> bool:
    """Whether the rules can find it of such a tag, whatever its neighbours and its habits are."""
    if kind in policy.LIMITS:
        return kind in tag.limits
    if kind in _OF_LIMITS and not tag.limits:
        return False
    match kind:
        case Kind.ROC:
            return tag.rate_per_min is not None
        case Kind.PREDICT:
            return tag.kind not in policy.DIGITAL
        case Kind.CHANGE:
            return tag.kind not in policy.DIGITAL | GASES
        case Kind.INTERMITTENT:
            return tag.kind in GASES
        case Kind.DETECTOR_FAULT:
            return tag.kind in policy.GAS_AND_FIRE
        case Kind.GATEWAY_OFFLINE:  # of all that its gateway sends
            return False
        case _:
            return True


def _of(tag: Tag, kind: Kind) -> Effective:
    row = policy.of(tag, kind)
    own = tag.alarms.get(kind, OwnPolicy())
    members = {
        "priority": _said(row, policy.priority(tag, kind).value, "", kind in tag.priorities),
        "latch": _said(row, row.latch, "", own.latch is not None),
        "ack": _said(row, row.ack_s, "s"),
        "re_alarm": _said(row, row.re_alarm_s, "s", own.re_alarm_s is not None),
        "auto_ack": _said(row, row.auto_ack, "", own.auto_ack is not None),
        "shelve": _shelve(tag, kind, row),
        "who_acknowledges": _who("acknowledging"),
        "who_shelves": _who("shelving"),
    }
    if kind not in tag.priorities:
        members |= _raises(tag, row)
    members |= _eases(tag, kind)
    rules = [one.name for one in tag.suppressed_by if kind in one.kinds]
    if rules:
        members["suppressed_by"] = Member(", ".join(rules), "", Origin.SITE)
    if kind in policy.LIMITS:
        members |= {
            "limit": Member(tag.limits[kind], tag.unit, Origin.SITE),
            "deadband": _deadband(tag, kind),
            "on": _said(row, policy.delay_on(tag, kind), "s", tag.delay_on_s is not None),
            "off": _said(row, policy.delay_off(tag, kind), "s", tag.delay_off_s is not None),
        }
    if kind is Kind.ROC:
        members["limit"] = Member(tag.rate_per_min, f"{tag.unit}/min", Origin.SITE)
    if kind is Kind.OFFLINE:
        members["on"] = _silence(tag)
    return Effective(kind, row.alarm_class, row.name, members)


def _said(
    row: policy.Rule, value: str | float | bool | None, unit: str, by_site: bool = False
) -> Member:
    if by_site:
        return Member(value, unit, Origin.SITE)
    return Member(value, unit, Origin.POLICY, row.source, row.confidence)


def _raises(tag: Tag, row: policy.Rule) -> dict[str, Member]:
    """What makes the priority higher than that of its kind, and what a near forecast does."""
    said = dict(row.raised)
    found: dict[str, Member] = {}
    by: list[str] = [
        one for one in sorted(tag.circumstances) if said.get(one, row.priority) < row.priority
    ]
    if tag.safety_critical and row.priority_safety_critical < row.priority:
        by.append("safety_critical")
    if by:
        found["raised_by"] = _said(row, ", ".join(by), "")
    if row.soon is not None:
        seconds, priority = row.soon
        found |= {"soon": _said(row, seconds, "s"), "priority_soon": _said(row, priority.value, "")}
    return found


def _eases(tag: Tag, kind: Kind) -> dict[str, Member]:
    """What the kind of vessel has made of it, and what operating modes make of it."""
    found: dict[str, Member] = {}
    if policy.placed(tag.kind, kind, tag.circumstances) != policy.rule(tag.kind, kind):
        where = Circumstance.NO_FLOATING_ROOF
        found["eased_by"] = _entry(policy.data()["circumstance"][where], where.value)
    by = easing.reason(tag, kind)
    if by is None or policy.priority(tag, kind) >= easing.highest():
        return found
    modes = [mode for mode in MODES if easing.expects(tag, kind, mode)]
    return found | {
        "eased_in": _entry(easing.entry(by), ", ".join(modes), "modes"),
        "priority_eased": _entry(easing.entry("priority"), easing.highest().value),
        "latch_eased": _entry(easing.entry("priority"), easing.latches(tag, kind)),
    }


def _entry(entry: Mapping[str, Any], value: str | bool, unit: str = "") -> Member:
    return Member(value, unit, Origin.POLICY, entry["source"], entry["confidence"])


def _who(section: str) -> Member:
    entry = policy.data()[section]["who"]
    said = ", ".join(entry["value"])
    return Member(said, entry["unit"], Origin.POLICY, entry["source"], entry["confidence"])


def _shelve(tag: Tag, kind: Kind, row: policy.Rule) -> Member:
    longest = policy.longest_shelf_s(tag, kind, policy.priority(tag, kind))
    if row.shelve_s is not None:
        return _said(row, longest, "s")
    entry = policy.data()["shelving"]["grave" if policy.is_grave(tag) else "P2"]
    return Member(longest, "s", Origin.POLICY, entry["source"], entry["confidence"])


def _deadband(tag: Tag, kind: Kind) -> Member:
    value = policy.deadband(tag, kind)
    if tag.deadband is not None:
        return Member(value, tag.unit, Origin.SITE)
    entry = policy.band_entry(tag.kind)
    return Member(value, tag.unit, Origin.POLICY, entry["source"], entry["confidence"])


def _silence(tag: Tag) -> Member:
    value = policy.silence_after(tag)
    if tag.max_silence_s is not None:
        return Member(value, "s", Origin.SITE)
    entry = policy.data()["offline"]["seconds"]
    return Member(value, "s", Origin.POLICY, entry["source"], entry["confidence"])
