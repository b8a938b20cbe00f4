"""What a declared operating mode makes of the process alarms that it expects: of less priority,
never silent (domain.md 4.5a). Pure; every number and word is of the data files."""

from typing import Any

from domain import input_rules, policy
from domain.alarms import Kind, Priority
from domain.plant import Circumstance, Tag, TagKind

LOW = (Kind.LL, Kind.L)


def eases(tag: Tag | None, kind: Kind, mode: str) -> bool:
    """Whether a mode, or the kind of vessel, expects an alarm."""
    if tag is None:
        return False
    roofless = Circumstance.NO_FLOATING_ROOF in tag.circumstances
    if roofless and kind in LOW and tag.kind is TagKind.LEVEL:
        return True
    return expects(tag, kind, mode)


def expects(tag: Tag, kind: Kind, mode: str) -> bool:
    """Whether a mode expects an alarm: the low level of an empty vessel, and missing flow or motion
    where nothing reacts. Never gas or fire."""
    by = reason(tag, kind)
    return by is not None and mode in entry(by)["value"]


def reason(tag: Tag, kind: Kind) -> str | None:
    """The entry of the data file that names the modes which expect an alarm, None: none does."""
    if kind not in policy.LIMITS or tag.kind in policy.GAS_AND_FIRE:
        return None
    low, what = kind in LOW, policy.rule(tag.kind, kind).alarm_class
    if what == "LEVEL":
        return "level_low" if low else None
    return "idle" if what == "STATE" or (what == "FLOW" and low) else None


def entry(name: str) -> dict[str, Any]:
    """An entry of the data file about modes."""
    found: dict[str, Any] = input_rules.data()["mode"][name]
    return found


def highest() -> Priority:
    """Nothing that is expected is more urgent."""
    return Priority(entry("priority")["value"])


def latches(tag: Tag, kind: Kind) -> bool:
    """Whether an eased alarm is kept after its condition has gone: LL as L, unless the site file
    says so of LL."""
    own = tag.alarms.get(kind)
    if own is not None and own.latch is not None:
        return own.latch
    return policy.rule(tag.kind, Kind.L if kind is Kind.LL else kind).latch
