"""What goes wrong between a sensor and us (domain research 7.1), done to data messages.

A message is the payload as a dict, as `simulators.message` makes it; nothing is changed in place.
"""

import copy
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from domain.instant import rfc3339

Body = dict[str, Any]
_HERE = "\u0001literal\u0001"


def duplicated(bodies: Sequence[Body], which: Sequence[int]) -> list[Body]:
    """Messages number `which` come twice in a row."""
    return [body for n, body in enumerate(bodies) for _ in range(2 if n in which else 1)]


def reordered(bodies: Sequence[Body], within: int, rng: np.random.Generator) -> list[Body]:
    """Messages out of order, none further than `within` places from its own."""
    places = np.arange(len(bodies)) + rng.uniform(0, within, len(bodies))
    return [bodies[n] for n in np.argsort(places, kind="stable")]


def dropped(bodies: Sequence[Body], share: float, rng: np.random.Generator) -> list[Body]:
    """Messages lost with a probability."""
    lost = rng.random(len(bodies)) < share
    return [body for body, gone in zip(bodies, lost, strict=True) if not gone]


def skewed(body: Body, by: timedelta) -> Body:
    """The gateway's whole clock is wrong: sample times and `sent` alike."""
    moved = _with_times(body, lambda time: time + by)
    if "sent" in moved:
        moved["sent"] = rfc3339(datetime.fromisoformat(moved["sent"]) + by)
    return moved


def stamped(body: Body, by: timedelta) -> Body:
    """Only the sample times are wrong, as when local time is sent as UTC."""
    return _with_times(body, lambda time: time + by)


def stuck(body: Body, at: datetime) -> Body:
    """The clock stands still: every sample has the same time, the values move."""
    return _with_times(body, lambda _: at)


def with_value(body: Body, tag: str, value: object) -> Body:
    """Every reading of a tag is this one, whatever JSON can say."""
    changed = copy.deepcopy(body)
    for sample in changed["samples"]:
        if tag in sample["values"]:
            sample["values"][tag] = value
    return changed


def with_literal(body: Body, tag: str, literal: str) -> bytes:
    """The payload in which every reading of a tag is a raw text such as NaN, Infinity or 1e999."""
    text = json.dumps(with_value(body, tag, _HERE), ensure_ascii=False)
    return text.replace(json.dumps(_HERE, ensure_ascii=False), literal).encode()


def frozen(bodies: Sequence[Body], tag: str) -> list[Body]:
    """A tag keeps its first reading to the last digit (卡值)."""
    first = next(
        sample["values"][tag]
        for body in bodies
        for sample in body["samples"]
        if tag in sample["values"]
    )
    return [with_value(body, tag, first) for body in bodies]


def torn(payload: bytes, keep: int) -> bytes:
    """Only the first `keep` bytes arrive."""
    return payload[:keep]


def _with_times(body: Body, change: Callable[[datetime], datetime]) -> Body:
    changed = copy.deepcopy(body)
    for sample in changed["samples"]:
        sample["time"] = rfc3339(change(datetime.fromisoformat(sample["time"])))
    return changed
