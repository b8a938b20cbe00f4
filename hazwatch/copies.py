"""The hourly look for tags that repeat what they said a day before (COPIED).

It reads stored samples, so it needs no memory: after a restart it goes on with what the alarm book
has as active. The last half hour is read of every tag, whole days only of those whose half hour
repeats.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from math import nan

from domain.alarms import Edge, Finding, Kind
from domain.frame import Floats
from domain.health import health_model
from domain.plant import Registry, Tag
from domain.policy import DIGITAL
from rules import copied
from rules.closing import REMOVED
from storage.database import Connection
from storage.minutes import MINUTE, minute_means

Run = Callable[[Callable[[Connection], Awaitable[Floats]]], Awaitable[Floats]]
"""`Link.run`."""
Active = Mapping[int, datetime]
"""Tags of which the book has COPIED as active, with its onset."""

LATE = timedelta(minutes=2)
"""Samples may come so late."""
DAY = timedelta(days=1)
PROBED_AT_ONCE = 500
COMPARED_AT_ONCE = 20


async def look(run: Run, registry: Registry, active: Active, at: datetime) -> list[Finding]:
    """What is to be raised and returned at wall time `at`; raises `DatabaseAway`."""
    end = (at - LATE).replace(second=0, microsecond=0)
    tags = [tag.id for tag in registry.tags.values() if _is_watched(tag)]
    asked = set(active) & set(tags)
    rule = health_model().copied
    for some in _batched(tags, PROBED_AT_ONCE):
        today, before = await _two_days(run, some, end, rule.probe)
        found = copied.suspects(today, before, rule)
        asked |= {tag for tag, suspect in zip(some, found.tolist(), strict=True) if suspect}
    findings: list[Finding] = []
    for some in _batched(sorted(asked), COMPARED_AT_ONCE):
        findings += await _judged(run, some, active, end)
    return findings


def gone(registry: Registry, active: Active, at: datetime) -> list[Finding]:
    """The end of what is active of tags that the registry does not hold any more."""
    left = [(tag, onset) for tag, onset in active.items() if tag not in registry.tags]
    return [
        Finding(Edge.CLOSED, Kind.COPIED, tag, None, onset, at, nan, nan, REMOVED)
        for tag, onset in left
    ]


def _is_watched(tag: Tag) -> bool:
    return tag.kind not in DIGITAL


def _batched(tags: Sequence[int], size: int) -> list[list[int]]:
    return [list(tags[n : n + size]) for n in range(0, len(tags), size)]


async def _two_days(
    run: Run, tags: Sequence[int], end: datetime, minutes: int
) -> tuple[Floats, Floats]:
    """Means of the minutes up to `end`, and of those a day earlier: [tags, minutes] each."""
    begin = end - minutes * MINUTE
    read = partial(minute_means, tags=tags, minutes=minutes)
    return await run(partial(read, begin=begin)), await run(partial(read, begin=begin - DAY))


async def _judged(run: Run, tags: Sequence[int], active: Active, end: datetime) -> list[Finding]:
    minutes = DAY // MINUTE
    today, before = await _two_days(run, tags, end, minutes)
    verdict = await asyncio.to_thread(copied.compare, today, before, health_model().copied)
    begin, out = end - DAY, []
    for n, tag in enumerate(tags):
        onset = active.get(tag)
        if verdict.copied[n] and onset is None:
            since = begin + int(verdict.since[n]) * MINUTE
            detail = {"minutes": float(verdict.minutes[n]), "shift": float(verdict.shift[n])}
            out.append(_finding(Edge.RAISED, tag, since, end, detail))
        elif verdict.differs[n] and onset is not None:
            out.append(_finding(Edge.RETURNED, tag, onset, end, {}))
    return out


def _finding(
    edge: Edge, tag: int, onset: datetime, end: datetime, detail: Mapping[str, float]
) -> Finding:
    return Finding(edge, Kind.COPIED, tag, None, onset, end, nan, nan, "", detail)
