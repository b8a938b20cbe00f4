"""The replay lane: what late and historical samples would have raised, found afterwards 事后发现.

A function of stored samples: a range into which such samples came, once quiet, is judged again by
the same engine, and its replay occurrences are replaced. They never enter active lists. Once all
late data of an enterprise are judged, one notice tells of what they held. The gaps that a range
fills are closed with it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, timedelta, tzinfo
from functools import partial

import structlog

from alerts.afterwards import occurrences
from alerts.found import FoundAlarm, notice_of
from alerts.outgoing import Webhook
from domain.alarms import Alarm, Notice, OutboxEvent
from domain.clock import Clock
from domain.frame import Frame
from domain.instant import moment
from domain.plant import Registry
from hazwatch.metrics import WorkerMetrics
from rules.compiling import compile_plan
from rules.engine import step
from rules.plan import PlanError
from rules.state import RuleState
from storage import dirty, snapshots
from storage.alarms import LiveSpan, live_spans, replace_replay
from storage.database import Connection
from storage.dirty import DirtyRange
from storage.found import note_found, tell_found
from storage.gaps import GapLedger
from storage.lease import Fence

log = structlog.get_logger(__name__)

AROUND = timedelta(hours=1)
"""Samples this far around a range are judged with it, so that the state at its start is known."""
REPLACED = timedelta(minutes=30)
"""Occurrences that began this far around a range are replaced with it."""
LONGEST = timedelta(days=7)
"""So far behind a range a condition is followed until it ends."""
OF_SEVERAL_TAGS = ("group", "rule")
"""Kinds of nodes that one tag alone can't be judged by."""
AT_ONCE = 10
"""Ranges judged before the loop looks at anything else."""


class Afterwards:
    """Judges quiet ranges again, one after the other, in a thread: the engine's own loop goes
    on."""

    def __init__(
        self,
        clock: Clock,
        fence: Fence,
        quiet: timedelta,
        metrics: WorkerMetrics,
        zone: tzinfo = UTC,
        gaps: GapLedger | None = None,
        hooks: Sequence[Webhook] = (),
        on_told: Callable[[Iterable[Notice]], None] = lambda _: None,
    ) -> None:
        """on_told: gets notices that are to be sent."""
        self._clock = clock
        self._fence = fence
        self._quiet = quiet
        self._metrics = metrics
        self._zone = zone
        self._gaps = gaps or GapLedger()
        self._hooks = hooks
        self._on_told = on_told

    async def once(self, conn: Connection, registry: Registry) -> int:
        """Judge some of what has been quiet long enough; how many ranges that were."""
        since = self._clock.now() - self._quiet
        ranges = await dirty.quiet_ranges(conn, None, since, AT_ONCE)
        for one in ranges:
            filled = await self._gaps.fill(conn, self._fence, one.tag, one.begin, one.end)
            self._metrics.gap_seconds_filled.inc(filled.filled_s)
            found: list[Alarm] | None = []
            if one.tag in registry.tags:
                found = await self._find(conn, registry, one)
            if found is not None:
                await self._keep(conn, one, found)
            else:
                log.warning("can't be judged afterwards", action="leave as it is", tag=one.tag)
                await dirty.clean(conn, one)
        tell = partial(self._tell, registry)
        self._on_told(await tell_found(conn, self._fence, self._clock.now(), tell))
        return len(ranges)

    def _tell(
        self, registry: Registry, enterprise: int, found: Sequence[FoundAlarm]
    ) -> tuple[OutboxEvent, list[Notice]]:
        at = self._clock.now()
        event, notices = notice_of(registry, enterprise, found, at, self._hooks, self._zone)
        log.warning("found afterwards", action="tell", enterprise=enterprise, alarms=len(found))
        return event, notices

    async def _find(
        self, conn: Connection, registry: Registry, one: DirtyRange
    ) -> list[Alarm] | None:
        """What the samples in and around a range raise, followed until it ends; None where the tag
        can't be judged."""
        end = one.end + AROUND
        while True:
            frame = await snapshots.samples_between(conn, one.tag, one.begin - AROUND, end)
            try:
                found = await asyncio.to_thread(_judge, registry, one.tag, frame, self._zone)
            except PlanError:
                return None
            on = [alarm for alarm in found if alarm.ended is None and _within(alarm, one)]
            if not on or end - one.end > LONGEST:
                return found
            end += max(AROUND, end - one.end)

    async def _keep(self, conn: Connection, one: DirtyRange, found: list[Alarm]) -> None:
        begin, end = one.begin - REPLACED, one.end + REPLACED
        live = await live_spans(conn, one.tag, begin, end)
        kept = [alarm for alarm in found if _within(alarm, one) and not _was_live(alarm, live)]
        async with conn.transaction():
            await replace_replay(conn, self._fence, one.tag, begin, end, kept)
            if kept:
                ids = [alarm.id for alarm in kept]
                await note_found(conn, kept[0].enterprise, ids, self._clock.now())
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


def _judge(registry: Registry, tag: int, samples: Frame, zone: tzinfo) -> list[Alarm]:
    """All occurrences in the samples of one tag, which come by time."""
    if not len(samples):
        return []
    places = {id: node for id, node in registry.nodes.items() if node.kind not in OF_SEVERAL_TAGS}
    only = Registry(registry.version, places, (), {tag: registry.tags[tag]})
    plan = compile_plan(only)
    received = max(samples.received, int(samples.time[-1]))
    frame = Frame.of(
        samples.tag, samples.time, samples.value, received=received, quality=samples.quality
    )
    state = RuleState.fresh(plan, received)
    at = moment(received)
    return occurrences(registry, step(plan, state, frame, at), at, zone)


def _within(alarm: Alarm, one: DirtyRange) -> bool:
    """Whether the occurrence is one of those that are replaced with the range."""
    return one.begin - REPLACED <= alarm.onset <= one.end + REPLACED


def _was_live(alarm: Alarm, live: Sequence[LiveSpan]) -> bool:
    """Whether the live lane had an occurrence of the same kind at some time of this one."""
    return any(
        span.kind is alarm.kind
        and span.onset <= (alarm.ended or alarm.effective)
        and (span.ended is None or span.ended >= alarm.onset)
        for span in live
    )
