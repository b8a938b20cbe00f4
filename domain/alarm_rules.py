"""What a site file may say of the alarms of a tag, instead of the alarm policy: (where, clause)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain import policy
from domain.alarms import Kind, Priority
from domain.plant import TagKind
from domain.problem import Loc

if TYPE_CHECKING:
    from domain.site import AlarmEntry, TagEntry

Problems = Iterator[tuple[Loc, str]]

HIGH_ONLY = frozenset({TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE})
"""Gases have no low alarms; only a lack of oxygen is one."""
MUST_LATCH = policy.GAS_AND_FIRE | {TagKind.INTERLOCK}
"""What the policy latches of these stays latched (domain.md 4.4)."""


def priority_of(tag: "TagEntry", kind: Kind) -> Priority:
    """The effective priority of an entry: its own, else the policy's."""
    own = tag.priorities.by_kind().get(kind)
    row = policy.rule(tag.kind, kind)
    return own or (row.priority_safety_critical if tag.safety_critical else row.priority)


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


def alarm_problems(tag: "TagEntry", at: Loc) -> Problems:
    """Everything in `alarms` of a tag that the policy does not leave to the site file."""
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
        yield from _problems(tag, kind, entry, here)


def _problems(tag: "TagEntry", kind: Kind, entry: "AlarmEntry", here: Loc) -> Problems:
    row = policy.rule(tag.kind, kind)
    critical = is_grave(tag) or tag.kind in MUST_LATCH
    if entry.latch is False and row.latch and critical:
        what = "safety-critical" if tag.safety_critical else str(tag.kind)
        yield (*here, "latch"), f"false: {row.name} of a {what} tag stays latched; allowed: true"
    if not entry.auto_ack:
        return
    if is_grave(tag):
        yield (
            (*here, "auto_ack"),
            "true: gas, fire and safety-critical tags call somebody; allowed: false",
        )
    elif priority_of(tag, kind) is Priority.P1:
        yield (*here, "auto_ack"), "true: a P1 alarm calls somebody; allowed: false"
    if entry.re_alarm_s is not None:
        yield (*here, "re_alarm_s"), "what acknowledges itself never alarms again; leave one out"
