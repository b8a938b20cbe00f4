"""The archive filter at work: days that are long past are thinned out to what draws them again.

A day of a tag is taken once: when it is older than said, rolled up, and nothing on it or near it
waits for the replay lane. What is deleted is counted in `thinned_day`; roll-ups, ledgers and counts
stay those of all samples. A sample that was deleted and is sent again is stored again, and counts
again in its roll-up.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import psycopg
import structlog
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import SECOND, micros, moment
from domain.plant import Registry, Tag
from domain.policy import silence_after
from rules.thinning import enough
from storage.chunks import Chunk, Chunks, chunks_for, rewrite
from storage.database import Connection, ServerFacts
from storage.lease import Fence
from storage.queries import query
from storage.retention import AROUND
from storage.rollup_state import read_state
from storage.rows import POSTGRES_EPOCH

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
AROUND_ALARM = timedelta(minutes=10)
"""Samples so near to the begin or end of an alarm stay."""
TAGS_AT_ONCE = 20
WORTH = 0.2
"""A chunk is written anew where at least this share of it went."""
PACKED = np.dtype([("time", ">i8"), ("value", ">f8"), ("kind", ">i4")])

Filters = Mapping[str, tuple[float, float]]
"""Deadband and deviation by kind of tag, in percent of the tag's range."""


@dataclass(frozen=True, slots=True)
class Width:
    """What the filter may leave out of a tag, in its unit; longest: microseconds."""

    deadband: float
    deviation: float
    longest: int


class Archive:
    """Thins out chunk by chunk, the oldest first, some tags at a time."""

    def __init__(
        self,
        fence: Fence,
        facts: ServerFacts,
        filters: Filters,
        thinned: Callable[[int], object] = lambda _: None,
    ) -> None:
        """thinned: told how many samples went."""
        self._fence = fence
        self._filters = filters
        self._thinned = thinned
        self._chunks: Chunks = chunks_for(facts)
        self._finished: set[str] = set()
        self._seen = self._gone = 0

    async def once(
        self, conn: Connection, registry: Registry, before: datetime, at: datetime
    ) -> bool:
        """Thin out some tags on a day that ended before; whether there may be more. `at` is the
        present."""
        widths = dict(self._widths(registry))
        if not widths:
            return False
        limit = min(before, (await read_state(conn)).hours)
        for chunk in await self._chunks.of(conn, "sample"):
            if chunk.end <= limit and chunk.name not in self._finished:
                await self._thin(conn, widths, chunk, at)
                return True
        return False

    def _widths(self, registry: Registry) -> Iterator[tuple[int, Width]]:
        """Tags that have a filter."""
        for tag in registry.tags.values():
            percent = self._filters.get(tag.kind.value)
            if percent is not None and (width := width_of(tag, *percent)) is not None:
                yield tag.id, width

    async def _thin(
        self, conn: Connection, widths: Mapping[int, Width], chunk: Chunk, at: datetime
    ) -> None:
        """Some of the tags that are left of a chunk; without any left it is finished."""
        day = chunk.begin
        while day < chunk.end:
            asked = {"day": day, "end": day + DAY, "around": AROUND}
            rows = await conn.execute(query("thinned_tags"), asked)
            done = {row[0] for row in await rows.fetchall()}
            left = [tag for tag in widths if tag not in done]
            for tag in left[:TAGS_AT_ONCE]:
                await self._thin_tag(conn, tag, widths[tag], day, at)
            if len(left) > TAGS_AT_ONCE:
                return
            day += DAY
        self._finished.add(chunk.name)
        if self._gone and self._gone >= WORTH * self._seen:
            await self._rewrite(conn, chunk)
        self._seen = self._gone = 0

    async def _thin_tag(
        self, conn: Connection, tag: int, width: Width, day: datetime, at: datetime
    ) -> None:
        asked = {"tag": tag, "day": day, "end": day + DAY}
        async with conn.transaction():
            async with conn.cursor(binary=True) as cursor:
                await cursor.execute(query("samples_to_thin"), asked, prepare=False)
                row = await cursor.fetchone()
            rows = np.frombuffer(row[0] if row and row[0] else b"", PACKED)
            time = rows["time"].astype(np.int64) + POSTGRES_EPOCH
            keep = enough(
                time,
                rows["value"].astype(np.float64),
                rows["kind"].astype(np.int32),
                await self._near_alarms(conn, time, asked),
                deadband=width.deadband,
                deviation=width.deviation,
                longest=width.longest,
            )
            gone = [moment(one) for one in time[~keep].tolist()]
            if gone:
                await conn.execute(query("delete_thinned"), {**asked, "times": gone}, prepare=False)
            noted = {"stored": len(rows), "deleted": len(gone), "at": at}
            noted |= {"deadband": width.deadband, "deviation": width.deviation}
            await conn.execute(query("note_thinned"), asked | noted)
            await self._fence.check(conn)
        self._seen += len(rows)
        self._gone += len(gone)
        self._thinned(len(gone))

    async def _near_alarms(
        self, conn: Connection, time: Ints, asked: Mapping[str, object]
    ) -> NDArray[np.bool_]:
        """bool[n]: near to where an alarm of the tag began or ended."""
        near = np.zeros(len(time), np.bool_)
        around = AROUND_ALARM // timedelta(microseconds=1)
        for instants in await (await conn.execute(query("alarms_to_keep"), asked)).fetchall():
            for instant in instants:
                if instant is not None:
                    near |= np.abs(time - micros(instant)) <= around
        return near

    async def _rewrite(self, conn: Connection, chunk: Chunk) -> None:
        """Where somebody is in the way, what was deleted keeps its room."""
        try:
            await rewrite(conn, chunk)
        except psycopg.errors.LockNotAvailable:
            log.info("in use", action="leave its room as it is", chunk=chunk.name)
        log.info("thinned out", action="archive", chunk=chunk.name, samples=self._gone)


def width_of(tag: Tag, deadband: float, deviation: float) -> Width | None:
    """Percent of the tag's range in its unit; None where it has none and it would matter."""
    if tag.range is None and (deadband or deviation):
        return None
    low, high = tag.range or (0.0, 0.0)
    share = (high - low) / 100
    return Width(deadband * share, deviation * share, int(silence_after(tag) * SECOND))
