"""What is in effect for each alarm of a tag, and where each member comes from."""

from dataclasses import dataclass
from enum import StrEnum

from domain import policy
from domain.alarms import Kind
from domain.plant import OwnPolicy, Tag


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
    """The limits that are set, and the rate where it is, of a tag as the site file has it."""
    kinds = [kind for kind in policy.LIMITS if kind in tag.limits]
    if tag.rate_per_min is not None:
        kinds.append(Kind.ROC)
    kinds.append(Kind.OFFLINE)
    return [_of(tag, kind) for kind in kinds]


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
    }
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
