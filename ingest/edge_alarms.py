"""From what a gateway said on its `alarm` topic to `EdgeAlarm`s of registered tags."""

import math
from collections.abc import Callable, Iterable

from domain.edge_alarm import EdgeAlarm
from domain.instant import micros
from domain.policy import LIMITS
from ingest.batch import PlantAlarm

_KINDS = {kind.name: kind for kind in LIMITS}


def edge_alarms(
    said: Iterable[PlantAlarm], find: Callable[[int, str], int | None]
) -> list[EdgeAlarm]:
    """Those of them that are about a registered tag, in their order.

    find(gateway, name): the id of a tag that this gateway may send, None = none. A member of
    another type than the wire profile's counts as not said.
    """
    found = []
    for one in said:
        tag = find(one.gateway, one.tag)
        if tag is not None:
            found.append(_edge_alarm(one, tag))
    return found


def _edge_alarm(said: PlantAlarm, tag: int) -> EdgeAlarm:
    body = said.body
    by = body.get("by")
    return EdgeAlarm(
        said.gateway,
        said.id,
        tag,
        _KINDS.get(said.kind.strip().upper()),
        said.active,
        micros(said.time),
        said.received,
        _number(body.get("value")),
        _number(body.get("limit")),
        _flag(body.get("acknowledged")),
        by if isinstance(by, str) else None,
        _flag(body.get("shelved")),
        _flag(body.get("fault")),
    )


def _number(said: object) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    value = float(said) if abs(said) < 2**1000 else math.inf
    return value if math.isfinite(value) else None


def _flag(said: object) -> bool | None:
    return said if isinstance(said, bool) else None
