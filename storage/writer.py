"""Groups of batches on several connections at a time, committed one after the other.

While one group is on its way to the disk, the next is copied. All of it happens in a thread of its
own, so that neither the rules wait for the database nor the database for the rules.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import numpy as np

from domain.clock import Clock
from storage.aside import Aside
from storage.batches import BatchStore, Turn, at_once
from storage.database import DatabaseAway, DatabaseOptions, Link
from storage.days import day_groups
from storage.entry import Entry, is_wide
from storage.metrics import JournalMetrics
from storage.refusals import refusals
from storage.samples import NOTHING, Outcomes, Stored

LANES = 2
"""Connections; more than two gain nothing, for the commits are in line."""


class Writer:
    """Use with `async with`, in one loop. `series` is what writes."""

    def __init__(
        self, store: BatchStore, database: DatabaseOptions, clock: Clock, metrics: JournalMetrics
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._links = [Link(database) for _ in range(LANES)]
        self._aside = Aside("batches")

    async def __aenter__(self) -> Self:
        await self._aside.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._aside.run(self._close())
        await self._aside.__aexit__()

    @property
    def latest_waits(self) -> bool:
        """Whether `tag_latest` is behind."""
        return self._store.latest_waits

    async def series(self) -> "Series":
        """Groups from now on. All that was written before must have ended, one way or another."""
        await self._aside.run(self._get_ready())
        return Series(self._aside, self._store, self._links, self._clock, self._metrics)

    def hang_up(self) -> None:
        """Let what is on its way fail at once, rather than wait for a server that does not answer;
        its outcome is unknown. The next series has new connections."""
        for link in self._links:
            self._aside.soon(link.hang_up)

    async def _get_ready(self) -> None:
        if not self._store.ready:
            await self._links[0].run(self._store.get_ready)

    async def _close(self) -> None:
        for link in self._links:
            await link.close()


class Series:
    """Groups that are committed in the order in which they are given; when one fails all that
    follow do."""

    def __init__(
        self,
        aside: Aside,
        store: BatchStore,
        links: Sequence[Link],
        clock: Clock,
        metrics: JournalMetrics,
    ) -> None:
        self._aside = aside
        self._store = store
        self._links = links
        self._clock = clock
        self._metrics = metrics
        self._given = 0
        self._last: asyncio.Future[bool] | None = None

    async def write(self, epoch: int, entries: Sequence[Entry]) -> list[Stored]:
        """Commit the batches of a group in one transaction; what became of each entry's.

        At most `LANES` at a time. One that `is_wide` takes several, and has to be in the spool.
        Raises `DatabaseAway`, `Refused` and `LeaseLost`.
        """
        numbered = [(entry.number, entry.batch) for entry in entries if entry.batch is not None]
        if not numbered:
            return [NOTHING] * len(entries)
        written = await self._aside.run(self._in_turn(epoch, entries))
        for stored in written:
            self._metrics.count(stored)
        left = iter(written)
        return [NOTHING if entry.batch is None else next(left) for entry in entries]

    async def write_latest(self) -> None:
        """Bring `tag_latest` up to what is committed; nothing else may be on its way."""
        await self._aside.run(self._links[0].run(self._store.write_latest))

    async def _in_turn(self, epoch: int, entries: Sequence[Entry]) -> list[Stored]:
        before, link = self._last, self._links[self._given % LANES]
        mine = self._last = asyncio.get_running_loop().create_future()
        self._given += 1

        async def turn() -> None:
            if before is not None and not await asyncio.shield(before):
                raise DatabaseAway("the group before was not committed")

        committed = False
        try:
            with self._timed("batches"), refusals(entries):
                written = await self._write(link, epoch, entries, turn)
            committed = True
        finally:
            if not committed:
                self._store.doubt()
            mine.set_result(committed)
        return written

    async def _write(
        self, link: Link, epoch: int, entries: Sequence[Entry], turn: Turn
    ) -> list[Stored]:
        numbered = [(entry.number, entry.batch) for entry in entries if entry.batch is not None]
        ahead = None
        if is_wide(entries):
            await turn()
            turn, ahead = at_once, await self._ahead(link, epoch, entries[0])
        planned = self._store.plan(epoch, numbered)
        self._metrics.group_samples.observe(len(planned.group.rows))
        written = await link.run(lambda conn: self._store.write(conn, planned, turn, ahead))
        for part, seconds in planned.took.items():
            self._metrics.commit_seconds.labels(part).observe(seconds)
        return written

    async def _ahead(self, link: Link, epoch: int, wide: Entry) -> Outcomes:
        """Commit the samples of a wide entry, some days at a time; what became of each."""
        batch = wide.batch
        assert batch is not None, "without a batch there are no days"
        outcomes = np.empty(len(batch.frame), np.int8)
        for which in day_groups(batch.frame.time):
            outcomes[which] = await link.run(
                lambda conn, some=which: self._store.write_ahead(  # type: ignore[misc]
                    conn, epoch, wide.number, batch, some
                )
            )
        return outcomes

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        began = self._clock.elapsed()
        yield
        self._metrics.commit_seconds.labels(part).observe(self._clock.elapsed() - began)
