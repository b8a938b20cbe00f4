"""Who may shelve an alarm or take it out of service (domain.md 5.2 #17 and #20), and what a refusal
tells them to do. Pure; every number is of the alarm policy."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.lifecycle import SHELVES_KEPT
from domain import input_rules, policy
from domain.alarms import Alarm, Kind, OperatorAction
from domain.groups import names_of, voting_group
from domain.inputs import Input, InputKind
from domain.plant import Registry, Tag
from domain.risk import Colour

OF_MANY = frozenset({Kind.GATEWAY_OFFLINE})
"""Kinds of many tags, though they have the id of one: no permit of that one is theirs."""
SUSPENSE = frozenset({Colour.ORANGE, Colour.RED})
"""While the warning of its source has one of these colours a grave alarm stays loud."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not done, and what to do instead. status: as of HTTP."""

    status: int
    detail: str


def may_shelve(
    registry: Registry,
    alarm: Alarm,
    action: OperatorAction,
    until: datetime | None,
    colour: Colour | None,
    at: datetime,
) -> Refusal | None:
    """None: it may be. colour: of the open warning of its source, None = there is none."""
    if until is None or until <= at:
        return Refusal(422, "a shelf needs `until`, an instant to come")
    tag, grave = _tag(registry, alarm), is_grave(registry, alarm)
    longest = policy.longest_shelf_s(tag, alarm.kind, alarm.priority)
    if grave:
        longest = min(longest, policy.number("shelving", "grave"))
    if longest <= 0:
        what = alarm.priority.value
        return Refusal(403, f"{what} is never shelved: acknowledge it, or state a permit")
    if (until - at).total_seconds() > longest + 1:
        what = f"a {alarm.priority.value} alarm" + (" like this" if grave else "")
        return Refusal(
            403, f"{what} may be shelved for {_long(longest)} at most: say an earlier end"
        )
    if grave:
        if colour in SUSPENSE:
            assert colour is not None, "it is one of them"
            word = colour.name.lower()
            return Refusal(409, f"the warning of its source is {word}: it stays loud until yellow")
        refused = _second(action, "gas, fire and safety-critical alarms")
        if refused is not None:
            return refused
    recent = [when for when in alarm.shelves if at - when < SHELVES_KEPT]
    most = int(policy.number("shelving", "times"))
    if len(recent) >= most:
        again = _clock(recent[-most] + SHELVES_KEPT)
        detail = f"it was shelved {most} times within a day: state a permit, or wait until {again}"
        return Refusal(409, detail)
    return None


def may_remove(
    registry: Registry,
    alarm: Alarm,
    action: OperatorAction,
    permit: Input | None,
    permits: Iterable[Input],
    at: datetime,
) -> Refusal | None:
    """None: it may be taken out of service. permit: the one that is named, or the open one of its
    tag; permits: all that are open."""
    tag = _tag(registry, alarm)
    if tag is None or alarm.kind in OF_MANY:
        return Refusal(409, "only what is of one tag of the site can be taken out of service")
    if permit is None or not permits_tag(permit, tag) or not permit.holds(at):
        return Refusal(409, f"no open permit of {tag.name}: state one first, with its end")
    if input_rules.is_calibration(permit):
        detail = "a permit to calibrate takes nothing out of service: state one to maintain"
        return Refusal(409, detail)
    if permit.end is None:
        return Refusal(409, "the permit has no end: state one that has")
    two = input_rules.takes_two(tag, alarm.priority) or alarm.eased is not None
    if permit.second is None and two:
        refused = _second(action, "P1, P2 and gas alarms")
        if refused is not None:
            return refused
    if not permit.value.get(input_rules.LAST_IN_ZONE) and _is_last(registry, tag, permits):
        detail = "it is the last detector of its zone in service: the park has to approve that"
        return Refusal(403, f"{detail} in a permit of two persons")
    return None


def is_grave(registry: Registry, alarm: Alarm) -> bool:
    """Whether shelving it takes more: of gas, fire and safety-critical tags, of a vote that has
    such a member, and of tags of which the site knows nothing any more."""
    if alarm.tag is not None:
        tag = registry.tags.get(alarm.tag)
        return tag is None or policy.is_grave(tag)
    if alarm.kind not in (Kind.VOTE, Kind.VOTE_UNKNOWN):
        return False
    node = registry.nodes.get(alarm.node)
    group = None if node is None else voting_group(node, names_of(registry))
    if group is None or group.absent:
        return True
    return any(policy.is_grave(tag) for tag in group.members)


def stays_loud(registry: Registry, alarm: Alarm, colour: Colour | None) -> bool:
    """Whether no shelf holds: of a grave alarm while the warning of its source is orange or red."""
    return colour in SUSPENSE and is_grave(registry, alarm)


def permits_tag(permit: Input, tag: Tag) -> bool:
    """Whether a permit is of this tag, or of its zone; the latter spares no detector."""
    if permit.kind is not InputKind.PERMIT:
        return False
    if permit.tag is not None:
        return permit.tag == tag.id
    zone = permit.value.get("zone")
    same = permit.node == tag.source and zone is not None and zone == tag.zone
    return same and tag.kind not in input_rules.DETECTORS


def _tag(registry: Registry, alarm: Alarm) -> Tag | None:
    return None if alarm.tag is None else registry.tags.get(alarm.tag)


def _second(action: OperatorAction, what: str) -> Refusal | None:
    second = action.detail.get("second")
    if not second:
        return Refusal(422, f"{what} need a second person: name one in `second`")
    if second == action.by:
        return Refusal(422, "the second person has to be another one")
    return None


def _is_last(registry: Registry, tag: Tag, permits: Iterable[Input]) -> bool:
    """Whether every other detector of its zone is under a permit; one without a zone stands alone
    with those of its source that have none."""
    if tag.kind not in input_rules.DETECTORS:
        return False
    others = [
        one
        for one in registry.tags.values()
        if one.kind in input_rules.DETECTORS
        and (one.source, one.zone) == (tag.source, tag.zone)
        and one.id != tag.id
    ]
    out = {permit.tag for permit in permits if permit.kind is InputKind.PERMIT}
    return all(one.id in out for one in others)


def _long(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _clock(when: datetime) -> str:
    return f"{when + timedelta(seconds=59):%m-%d %H:%M} UTC"
