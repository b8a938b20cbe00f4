"""The database's upkeep, beside everything else: roll-ups every minute, what is too old once an
hour.

Nothing here may take the alarms down: what the database refuses is logged, told once as a system
event, and tried again. The lag of the roll-ups is a metric.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import psycopg
import structlog

from domain.clock import Clock
from domain.plant import Registry
from hazwatch.keeping import keep_of
from hazwatch.settings import Settings
from storage.archive import Archive
from storage.database import DatabaseAway, DatabaseOptions, Link, link, server_facts
from storage.lease import Fence
from storage.metrics import RollupMetrics
from storage.retention import Retention
from storage.rollup import RollUps
from storage.rollup_state import NOTHING, read_state

log = structlog.get_logger(__name__)

EVERY_S, TIDY_EVERY_S, TIDY_FIRST_S = 60.0, 3600.0, 600.0
BEHIND = timedelta(seconds=15)
"""Samples are rolled up so long after they were received: by then they are in the database."""
PATIENCE_S = 600.0
"""A statement on a large table takes its time; nobody waits for it."""
BREATH_S = 5.0
"""At most so long a pause between two steps: while much is to be done, half the time is others'."""

Say = Callable[[str, str], None]
"""Tells a system event: what it is about, and a sentence."""


class Upkeep:
    """One shard's share of it. Several workers may do it at once; they take turns."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        fence: Fence,
        database: DatabaseOptions,
        metrics: RollupMetrics,
        degraded: Callable[[], bool],
        say: Say,
    ) -> None:
        """degraded: whether samples wait outside of the database."""
        self._clock = clock
        self._fence = fence
        self._database = replace(
            database,
            application="hazwatch upkeep",
            statement_s=PATIENCE_S,
            answer_s=PATIENCE_S + 10,
        )
        self._metrics = metrics
        self._degraded = degraded
        self._say = say
        self._keep = keep_of(settings)
        self._filters = settings.archive_filter
        self._archive_after = timedelta(days=settings.archive_after_days)
        self._done: datetime | None = None
        self._failing: set[str] = set()

    async def roll(self) -> None:
        """Bring the roll-ups up to date, every minute."""
        async with link(self._database) as line:
            while True:
                await self._clock.sleep(EVERY_S)
                if not self._degraded():
                    await self._try("roll-ups", lambda: self.roll_up(line))
                if self._done is not None:
                    lag = self._clock.now() - self._done
                    self._metrics.lag_seconds.set(max(0.0, lag.total_seconds()))

    async def roll_up(self, line: Link) -> None:
        """All that there is to roll up now."""
        work = RollUps(self._fence, self._clock, self._metrics, await line.run(server_facts))
        until, more = self._clock.now() - BEHIND, True
        while more:
            began = self._clock.elapsed()
            # Where there is much to do, more has come meanwhile.
            if (now := self._clock.now() - BEHIND) - until >= timedelta(seconds=EVERY_S):
                until = now
            more = await line.run(partial(work.once, until=until))
            done = (await line.run(read_state)).done
            self._done = done if done > NOTHING else until
            if more:
                await self._clock.sleep(min(self._clock.elapsed() - began, BREATH_S))

    async def tidy(self, registry: Callable[[], Registry]) -> None:
        """Thin out and drop what is too old, every hour. registry: of the present."""
        async with link(self._database) as line:
            await self._clock.sleep(TIDY_FIRST_S)
            while True:
                await self._try("retention", lambda: self.tidy_up(line, registry()))
                await self._clock.sleep(TIDY_EVERY_S)

    async def tidy_up(self, line: Link, registry: Registry) -> None:
        """All that may go now."""
        facts = await line.run(server_facts)
        dropped = self._metrics.dropped_bytes.inc
        retention = Retention(self._fence, facts, dropped)
        archive = Archive(self._fence, facts, self._filters, self._metrics.thinned.inc)
        at = self._clock.now()
        await line.run(lambda conn: retention.once(conn, self._keep, at))
        while await line.run(
            lambda conn: archive.once(conn, registry, at - self._archive_after, at)
        ):
            await self._clock.sleep(0)

    async def _try(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do it, or say why not; `LeaseLost` and bugs that are not the database's go on."""
        try:
            await work()
        except DatabaseAway as away:
            log.warning("database away", action=f"{what} later", error=str(away))
        except psycopg.Error as error:
            log.error("upkeep failed", action=f"{what} later", error=str(error))
            if what not in self._failing:
                self._say("upkeep", f"{what} failed: {type(error).__name__}: {error}")
            self._failing.add(what)
        else:
            self._failing.discard(what)
