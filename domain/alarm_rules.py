"""What a site file may say of the alarms of a tag, instead of the alarm policy: (where, clause)."""

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from domain import policy
from domain.alarms import Kind, Priority
from domain.plant import Circumstance, TagKind
from domain.problem import Loc

if TYPE_CHECKING:
    from domain.site import AlarmEntry, TagEntry

Problems = Iterator[tuple[Loc, str]]

HIGH_ONLY = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE})
"""Gases have no low alarms; only a lack of oxygen is one."""
HIGH = (Kind.H, Kind.HH)
DETECTORS = policy.GAS_AND_FIRE | {TagKind.INTERLOCK}
"""Whose latches, priorities and on-delays a site file never makes weaker (domain.md 4.4, 5.3)."""
Where = Set[Circumstance]
"""Of the place of a tag."""


def priority_of(tag: "TagEntry", kind: Kind, where: Where) -> Priority:
    """The effective priority of an entry: its own, else the policy's."""
    own = tag.priorities.by_kind().get(kind)
    return own or policy.placed(tag.kind, kind, where).at_least(tag.safety_critical, where)


def is_grave(tag: "TagEntry") -> bool:
    """Gas, fire and safety-critical tags, as `policy.is_grave` has it."""
    return tag.kind in policy.GAS_AND_FIRE or tag.safety_critical


def has(tag: "TagEntry", kind: Kind) -> bool:
    """Whether the tag can have such an alarm; a forecast follows from a limit."""
    if kind is Kind.ROC:
        return tag.rate_per_min is not None
    known = {one for own in tag.limits_by_mode.values() for one in own.by_kind()}
    known |= tag.limits.by_kind().keys()
    return bool(known) if kind is Kind.PREDICT else kind in known


def alarm_problems(tag: "TagEntry", at: Loc, where: Where) -> Problems:
    """Everything of a tag that the policy does not leave to the site file."""
    yield from _priority_problems(tag, at, where)
    yield from _delay_problems(tag, at)
    for name, entry in tag.alarms:
        if entry is None:
            continue
        kind, here = Kind[name], (*at, "alarms", name)
        if tag.kind in HIGH_ONLY and kind in (Kind.LL, Kind.L):
            yield here, f"a {tag.kind} tag has no low alarms"
            continue
        if kind is not Kind.OFFLINE and not has(tag, kind):
            limit = "rate_per_min" if kind is Kind.ROC else f"limits.{name}"
            yield here, f"the tag has no {limit}; allowed: kinds of alarms that it has"
            continue
        yield from _problems(tag, kind, entry, here, where)


def _priority_problems(tag: "TagEntry", at: Loc, where: Where) -> Problems:
    """A priority below the policy's, where the policy has the last word."""
    if not _is_held(tag):
        return
    for kind, own in tag.priorities.by_kind().items():
        if tag.kind in HIGH_ONLY and kind in (Kind.LL, Kind.L):
            continue
        row = policy.placed(tag.kind, kind, where)
        least = row.at_least(tag.safety_critical, where)
        if own > least:
            allowed = ", ".join(one for one in Priority if one <= least)
            yield (
                (*at, "priorities", kind.name),
                f"{own}: {row.name} of a {_what(tag)} tag is {least}; allowed: {allowed}",
            )


def _delay_problems(tag: "TagEntry", at: Loc) -> Problems:
    """Gas, fire and trips that would be told late."""
    kinds = [kind for kind in tag.limits.by_kind() if tag.kind not in HIGH_ONLY or kind in HIGH]
    if tag.delay_on_s is None or tag.kind not in DETECTORS or not kinds:
        return
    rows = [policy.rule(tag.kind, kind) for kind in kinds]
    first = min(rows, key=lambda row: row.longest_on_s)
    if tag.delay_on_s > first.longest_on_s:
        yield (
            (*at, "delay_on_s"),
            f"{tag.delay_on_s:g}: {first.name} of a {tag.kind} tag would be told late; allowed: "
            f"up to {first.longest_on_s:g} s",
        )


def _is_held(tag: "TagEntry") -> bool:
    return is_grave(tag) or tag.kind in DETECTORS


def _what(tag: "TagEntry") -> str:
    return str(tag.kind) if tag.kind in DETECTORS else "safety-critical"


def _problems(
    tag: "TagEntry", kind: Kind, entry: "AlarmEntry", here: Loc, where: Where
) -> Problems:
    row = policy.placed(tag.kind, kind, where)
    if entry.latch is False and row.latch and _is_held(tag):
        clause = f"false: {row.name} of a {_what(tag)} tag stays latched; allowed: true"
        yield (*here, "latch"), clause
    if not entry.auto_ack:
        return
    if is_grave(tag):
        yield (
            (*here, "auto_ack"),
            "true: gas, fire and safety-critical tags call somebody; allowed: false",
        )
    elif priority_of(tag, kind, where) is Priority.P1:
        yield (*here, "auto_ack"), "true: a P1 alarm calls somebody; allowed: false"
    if entry.re_alarm_s is not None:
        yield (*here, "re_alarm_s"), "what acknowledges itself never alarms again; leave one out"
