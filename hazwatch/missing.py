"""Looks for what is missing: gaps that are open, missing messages, and when we did not listen."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from domain.clock import Clock
from domain.frame import Ints
from hazwatch.metrics import WorkerMetrics
from storage import gap_looking
from storage.database import Connection
from storage.gaps import GapLedger
from storage.lease import Fence

log = structlog.get_logger(__name__)

LOOK_S = 5.0
"""Gaps are looked for so often."""
SETTLED_S = 30.0
"""After a start or a reconnection the backlog comes first."""
AT_ONCE = 5000
"""Open gaps of single tags that are entered in one look; the rest comes with the next."""
TOUCHED_AT_ONCE = 500
"""Tags of wrong clocks whose gaps are looked at again in one look."""
TIDY_S = 3600.0
ABSENT = timedelta(seconds=10)
"""A worker that was away for longer did not listen."""
KINDS = ("gateway", "tag", "messages")


class Missing:
    """Keeps the ledger of gaps where no batch does. Use `once` every `LOOK_S` on one connection.

    listening: whether messages can come in. current: whether the database has all that came; while
    it has not, nobody knows what is missing.
    """

    def __init__(
        self,
        ledger: GapLedger,
        clock: Clock,
        fence: Fence,
        metrics: WorkerMetrics,
        keep: timedelta,
        listening: Callable[[], bool],
        current: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._fence = fence
        self._metrics = metrics
        self._keep = keep
        self._listening = listening
        self._current = current
        self._began = False
        self._heads: Ints | None = None
        self._heard: datetime | None = None
        self._deaf_since: datetime | None = None
        self._settled = clock.elapsed() + SETTLED_S
        self._tidied = clock.elapsed()
        self._looked: datetime | None = None

    async def once(self, conn: Connection) -> None:
        """One look."""
        at = self._clock.now()
        if not self._began:
            await gap_looking.begin_watch(conn, self._fence, at, ABSENT)
            self._began = True
        await self._watch(conn, at)
        if not self._current():
            self._heads = None
            return
        await self._open(conn, at)
        filled = await self._ledger.fill_touched(conn, self._fence, TOUCHED_AT_ONCE)
        self._metrics.gap_seconds_filled.inc(filled.filled_s)
        since = (self._looked or at - self._keep) - timedelta(seconds=LOOK_S)
        await gap_looking.look_at_messages(conn, self._fence, since, at)
        await gap_looking.settle(conn, self._fence, at)
        self._looked = at
        await self._count(conn, at)
        if self._clock.elapsed() - self._tidied >= TIDY_S:
            self._tidied = self._clock.elapsed()
            await gap_looking.tidy(conn, self._fence, at, self._keep)

    async def _watch(self, conn: Connection, at: datetime) -> None:
        """Note whether we listen."""
        if self._listening():
            self._heard, self._deaf_since = at, None
        elif self._deaf_since is None:
            self._deaf_since = self._heard or at
        if self._deaf_since is not None:
            self._settled = self._clock.elapsed() + SETTLED_S
        await gap_looking.keep_watch(conn, self._fence, at, self._deaf_since)

    async def _open(self, conn: Connection, at: datetime) -> None:
        """Enter what is silent for too long. While we are deaf for long, that is so as well."""
        before, self._heads = self._heads, self._ledger.gateway_heads()
        waited = self._clock.elapsed() >= self._settled
        long_deaf = self._deaf_since is not None and (
            at - self._deaf_since > gap_looking.LOST_AFTER
        )
        if not (waited or long_deaf):
            return
        gateways, tags = await self._ledger.open_overdue(
            conn, self._fence, at, before=before, most=AT_ONCE
        )
        if gateways or tags:
            log.warning("data missing", action="enter gaps", gateways=gateways, tags=tags)

    async def _count(self, conn: Connection, at: datetime) -> None:
        counts = await gap_looking.count_gaps(conn)
        for kind in KINDS:
            opened, left, oldest = counts.get(kind, (0, 0, at))
            self._metrics.gaps_open.labels(kind).set(opened)
            self._metrics.gaps.labels(kind).set(left)
            self._metrics.gap_oldest_seconds.labels(kind).set((at - oldest).total_seconds())
