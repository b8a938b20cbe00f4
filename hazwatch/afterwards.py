"""The replay lane: what late and historical samples would have raised, found afterwards 事后发现.

A function of stored samples: a range into which such samples came, once quiet, is judged again by
the same engine, and its replay occurrences are replaced. They never enter active lists or notices.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import structlog

from alerts.afterwards import occurrences
from domain.alarms import Alarm
from domain.clock import Clock
from domain.frame import Frame
from domain.instant import moment
from domain.plant import Registry
from hazwatch.metrics import WorkerMetrics
from rules.engine import step
from rules.plan import compile_plan
from rules.state import RuleState
from storage import dirty, snapshots
from storage.alarms import LiveSpan, live_spans, replace_replay
from storage.database import Connection
from storage.dirty import DirtyRange
from storage.lease import Fence

log = structlog.get_logger(__name__)

AROUND = timedelta(hours=1)
"""Samples this far around a range are judged with it, so that the state at its start is known."""
REPLACED = timedelta(minutes=30)
"""Occurrences that began this far around a range are replaced with it."""


class Afterwards:
    """Judges quiet ranges again, a few at a time."""

    def __init__(
        self, clock: Clock, fence: Fence, quiet: timedelta, metrics: WorkerMetrics
    ) -> None:
        self._clock = clock
        self._fence = fence
        self._quiet = quiet
        self._metrics = metrics

    async def once(self, conn: Connection, registry: Registry, enterprises: Sequence[int]) -> int:
        """Judge what has been quiet long enough; the number of ranges that were."""
        at = self._clock.now()
        ranges = await dirty.quiet_ranges(conn, enterprises, at - self._quiet)
        known = [one for one in ranges if one.tag in registry.tags]
        frames = [
            await snapshots.samples_between(conn, one.tag, one.begin - AROUND, one.end + AROUND)
            for one in known
        ]
        found = _judge(registry, known, frames)
        for one in ranges:
            mine = [alarm for alarm in found if alarm.tag == one.tag]
            await self._keep(conn, one, mine)
        return len(ranges)

    async def _keep(self, conn: Connection, one: DirtyRange, found: list[Alarm]) -> None:
        begin, end = one.begin - REPLACED, one.end + REPLACED
        live = await live_spans(conn, one.tag, begin, end)
        kept = [
            alarm for alarm in found if begin <= alarm.onset <= end and not _was_live(alarm, live)
        ]
        await replace_replay(conn, self._fence, one.tag, begin, end, kept)
        await dirty.clean(conn, one)
        self._metrics.replayed.inc()
        log.info(
            "judged afterwards",
            action="replay",
            tag=one.tag,
            begin=one.begin.isoformat(),
            end=one.end.isoformat(),
            occurrences=len(kept),
        )


def _judge(
    registry: Registry, ranges: Sequence[DirtyRange], frames: Sequence[Frame]
) -> list[Alarm]:
    """All occurrences in these frames, each holding the samples of one tag by time."""
    if not any(len(frame) for frame in frames):
        return []
    tags = {one.tag: registry.tags[one.tag] for one in ranges}
    plan = compile_plan(Registry(registry.version, registry.nodes, (), tags))
    frame = _joined(frames)
    state = RuleState.fresh(plan, frame.received)
    received = moment(frame.received)
    return occurrences(registry, step(plan, state, frame, received), received)


def _joined(frames: Sequence[Frame]) -> Frame:
    time = np.concatenate([frame.time for frame in frames])
    return Frame.of(
        np.concatenate([frame.tag for frame in frames]),
        time,
        np.concatenate([frame.value for frame in frames]),
        received=max(max(frame.received for frame in frames), int(time.max())),
        quality=np.concatenate([frame.quality for frame in frames]),
    )


def _was_live(alarm: Alarm, live: Sequence[LiveSpan]) -> bool:
    """Whether the live lane had an occurrence of the same kind at some time of this one."""
    return any(
        span.kind is alarm.kind
        and span.onset <= (alarm.ended or alarm.effective)
        and (span.ended is None or span.ended >= alarm.onset)
        for span in live
    )
