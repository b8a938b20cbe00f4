"""The one notice of a backfill that held alarms 事后发现. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from uuid import UUID, uuid5

from alerts.outgoing import Webhook
from alerts.text import clock_time
from domain.alarms import NAMESPACE, Notice, OutboxEvent, Priority, notice_id
from domain.instant import rfc3339
from domain.plant import Registry

WHAT = "found afterwards"
NAMED, LISTED = 5, 100
"""Tags in the sentence, occurrences in the body; their number is always said."""


@dataclass(frozen=True, slots=True)
class FoundAlarm:
    """An alarm of the replay lane that nobody has been told of."""

    id: UUID
    tag: int
    priority: Priority
    onset: datetime
    ended: datetime | None


def notice_of(
    registry: Registry,
    enterprise: int,
    found: Sequence[FoundAlarm],
    at: datetime,
    hooks: Iterable[Webhook],
    zone: tzinfo = UTC,
) -> tuple[OutboxEvent, list[Notice]]:
    """The event of the live stream, and a notice for each webhook that wants one of these alarms.

    The same alarms make the same ids. `found`: at least one, of one enterprise.
    """
    ordered = sorted(found, key=lambda one: (one.onset, one.id))
    id = uuid5(NAMESPACE, f"found/{enterprise}/{','.join(str(one.id) for one in ordered)}")
    told = _told(registry, enterprise, ordered, zone)
    body: dict[str, object] = {
        "id": str(id),
        "type": "system",
        "at": rfc3339(at),
        "node": str(enterprise),
        "tag": None,
        "transition": None,
        "system": told,
    }
    event = OutboxEvent(id, "system", at, enterprise, enterprise, None, body)
    priorities = {one.priority for one in found}
    notices = [
        Notice(
            notice_id(id, 1, WHAT, hook.url, "webhook"),
            id,
            "webhook",
            hook.url,
            {**body, "sent": rfc3339(at)},
            at,
        )
        for hook in hooks
        if priorities & hook.priorities and hook.enterprise in (None, enterprise)
    ]
    return event, notices


def _told(
    registry: Registry, enterprise: int, found: Sequence[FoundAlarm], zone: tzinfo
) -> dict[str, object]:
    by_priority = Counter(one.priority.value for one in found)
    tags = list(dict.fromkeys(one.tag for one in found))
    newest = max(one.ended or one.onset for one in found)
    return {
        "what": WHAT,
        "lane": "replay",
        "enterprise": str(enterprise),
        "alarms": len(found),
        "priorities": dict(sorted(by_priority.items())),
        "from": rfc3339(found[0].onset),
        "to": rfc3339(newest),
        "tags": [str(tag) for tag in tags[:LISTED]],
        "occurrences": [str(one.id) for one in found[:LISTED]],
        "text": _sentence(registry, enterprise, found, tags, zone),
    }


def _sentence(
    registry: Registry,
    enterprise: int,
    found: Sequence[FoundAlarm],
    tags: Sequence[int],
    zone: tzinfo,
) -> str:
    node = registry.nodes.get(enterprise)
    by_priority = Counter(one.priority.value for one in found)
    counts = ", ".join(f"{n} × {priority}" for priority, n in sorted(by_priority.items()))
    names = [registry.tags[tag].name for tag in tags[:NAMED] if tag in registry.tags]
    more = f" and {len(tags) - NAMED} more tags" if len(tags) > NAMED else ""
    newest = max(one.ended or one.onset for one in found)
    first, last = (clock_time(when.astimezone(zone)) for when in (found[0].onset, newest))
    who = node.name if node else str(enterprise)
    return (
        f"{who}: 补传数据中事后发现 {len(found)} 条报警 late data held {len(found)} "
        f"alarm{'s' if len(found) > 1 else ''} ({counts}), {first} to {last}: "
        f"{', '.join(names)}{more}"
    )
