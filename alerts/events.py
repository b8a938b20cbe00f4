"""What a transition looks like on the wire: the live stream and the MQTT event topics share one
body."""

from datetime import datetime
from math import isnan

from alerts.asking import ack_by, waiting_since
from domain import policy
from domain.alarms import Alarm, Flag, OutboxEvent, Transition, event_id
from domain.instant import rfc3339
from domain.plant import Registry


def alarm_event(registry: Registry, transition: Transition) -> OutboxEvent:
    """The event of one transition; its id is the same however often it is made."""
    alarm = transition.alarm
    id = event_id(alarm.id, alarm.n)
    body: dict[str, object] = {
        "id": str(id),
        "type": "alarm",
        "at": rfc3339(transition.at),
        "node": str(alarm.node),
        "tag": None if alarm.tag is None else str(alarm.tag),
        "transition": {
            "from": transition.source.value,
            "to": transition.target.value,
            "event": transition.event,
            "by": transition.by,
            "n": alarm.n,
        },
        "alarm": alarm_body(registry, alarm),
    }
    return OutboxEvent(id, "alarm", transition.at, alarm.enterprise, alarm.node, alarm.tag, body)


def alarm_body(registry: Registry, alarm: Alarm) -> dict[str, object]:
    """An occurrence with the members of the alarm list; absent times and values are null. What
    `note` says is known to the worker alone: null."""
    tag = registry.tags.get(alarm.tag) if alarm.tag is not None else None
    node = registry.nodes.get(alarm.node)
    since = waiting_since(alarm)
    return {
        "id": str(alarm.id),
        "tag": None if alarm.tag is None else str(alarm.tag),
        "name": tag.name if tag else node.name if node else "",
        "enterprise": str(alarm.enterprise),
        "source": str(source_of(registry, alarm.node)),
        "kind": alarm.kind.name,
        "class": policy.rule(tag.kind, alarm.kind).alarm_class if tag else alarm.kind.name,
        "priority": alarm.priority.value,
        "state": alarm.state.value,
        "flags": list(alarm.flags),
        **flag_members(alarm),
        "lane": alarm.lane.name.lower(),
        "onset": rfc3339(alarm.onset),
        "ended": _time(alarm.ended),
        "closed": _time(alarm.closed),
        "value": _number(alarm.value),
        "limit": _number(alarm.limit),
        "worst": _number(alarm.worst),
        "unit": tag.unit if tag else None,
        "ack_by": None if since is None else rfc3339(ack_by(registry, alarm, since)),
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledged_at": _time(alarm.acknowledged_at),
        "comment": alarm.comment,
        "seen": [{"level": one.level, "by": one.by, "at": rfc3339(one.at)} for one in alarm.seen],
        "note": None,
        "reason": alarm.reason,
        "text": alarm.text,
    }


def flag_members(alarm: Alarm) -> dict[str, object]:
    """The flags that silence an alarm, and the mode that eases it, each null or with why and until
    when."""
    return {
        "latching": alarm.latching,
        "shelved": _flag(alarm.shelved),
        "suppressed": _flag(alarm.suppressed),
        "out_of_service": _flag(alarm.out_of_service),
        "eased": _flag(alarm.eased),
        "re_alarms": alarm.re_alarms,
        "chatter": alarm.chatter,
    }


def _flag(flag: Flag | None) -> dict[str, object] | None:
    if flag is None:
        return None
    return {
        "since": rfc3339(flag.since),
        "until": _time(flag.until),
        "by": flag.by,
        "second": flag.second,
        "why": flag.why,
        "rule": flag.rule,
    }


def source_of(registry: Registry, id: int) -> int:
    """The hazard source that a node belongs to; the node itself where there is none above it."""
    node = registry.nodes.get(id)
    while node is not None and node.kind != "source":
        node = registry.nodes.get(node.parent) if node.parent is not None else None
    return node.id if node is not None else id


def event_place(registry: Registry, event: OutboxEvent) -> tuple[str, str]:
    """(park code, enterprise code or "-") of an event, for its MQTT topic."""
    node = registry.nodes.get(event.enterprise) if event.enterprise is not None else None
    park = registry.nodes.get(node.parent) if node and node.parent is not None else None
    if node is None or park is None:
        parks = [place.code for place in registry.nodes.values() if place.kind == "park"]
        return (parks[0] if parks else "-"), "-"
    return park.code, node.code


SILENT_EVENTS = frozenset({"see", "worsen", "lose", "find", "hand_over", "resume"})
"""What is for those alone who look at the screen."""
FLAGGING = frozenset({"shelve", "suppress", "remove_from_service"})


def is_news(transition: Transition) -> bool:
    """Whether people and systems that are not looking at the screen should hear of it: what a flag
    silences is not annunciated (domain.md 5.2 #21), that somebody set the flag is."""
    if transition.event in SILENT_EVENTS:
        return False
    return not transition.alarm.is_silent or transition.event in FLAGGING


def _time(when: datetime | None) -> str | None:
    return None if when is None else rfc3339(when)


def _number(value: float) -> float | None:
    return None if isnan(value) else value
