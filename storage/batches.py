"""Batches of ingest into the database: samples, quarantine, ledgers, counts, in one commit."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import psycopg
from numpy.typing import NDArray

from domain.clock import Clock
from domain.instant import moment
from ingest.batch import Batch
from storage.beside import write_beside
from storage.database import Connection, server_facts
from storage.days import days
from storage.dirty import mark
from storage.gaps import Attempt, GapLedger, Sent
from storage.latest import NO_ROWS, Followed, Latest, newest, write_latest
from storage.lease import Fence
from storage.partitions import Partitions, partitions
from storage.queries import query
from storage.samples import (
    NOTHING,
    Group,
    LastStored,
    Outcomes,
    Stored,
    copy_ahead,
    finish,
    tallied,
)

Turn = Callable[[], Awaitable[None]]
"""Returns when the groups before are committed; raises where they are not going to be."""


PARTS = ("copy", "turn", "rest")
"""What a transaction consists of: rows that go in at once, waiting for the group before, and what
comes after that, with the commit."""


class _Overtaken(Exception):
    """An earlier attempt, of which we had not heard again, was committed after all."""


async def at_once() -> None:
    """The turn of a group before which there is none."""


@dataclass(slots=True, eq=False)
class Planned:
    """Numbered batches of one transaction, numbers rising. group: their samples, made ready; took:
    seconds by part of the transaction."""

    epoch: int
    batches: Sequence[tuple[int, Batch]]
    group: Group
    took: dict[str, float] = field(default_factory=dict)


class BatchStore:
    """Writes numbered batches of one shard; what is committed already is known by its number.

    `get_ready`, then `plan` groups in the order of their numbers, and `write` them: several at a
    time, where each has a connection and a `turn`.
    """

    def __init__(self, fence: Fence, clock: Clock, gaps: GapLedger | None = None) -> None:
        self._fence = fence
        self._gaps = gaps or GapLedger()
        self._clock = clock
        self._last = LastStored()
        self._latest = Latest(fence.shard)
        self._partitions: Partitions | None = None
        self._epochs: set[int] = set()
        self._days: set[int] = set()
        self._ready = False

    async def get_ready(self, conn: Connection) -> None:
        """Learn what the database has, and mend `tag_latest`; nothing to do where that is done."""
        if self._ready:
            return
        self._partitions = partitions(await server_facts(conn))
        await self._fence.check(conn)
        await self._latest.catch_up(conn)
        self._last = LastStored()
        await self._last.seed(conn)
        await self._gaps.seed(conn)
        self._ready = True

    @property
    def ready(self) -> bool:
        """Whether nothing has failed since `get_ready`."""
        return self._ready

    def doubt(self) -> None:
        """Something failed: what the database has must be learnt anew."""
        self._ready = False

    @property
    def latest_waits(self) -> bool:
        """Whether `tag_latest` is behind what is committed."""
        return self._latest.waits

    def plan(self, epoch: int, batches: Sequence[tuple[int, Batch]]) -> Planned:
        """Make ready what `write` takes.

        `epoch` is the one under which they were numbered, which for a spool may be an earlier one.
        """
        frames = [batch.frame for _, batch in batches]
        return Planned(epoch, batches, Group.of(frames, self._last))

    async def write(
        self,
        conn: Connection,
        planned: Planned,
        turn: Turn = at_once,
        ahead: Outcomes | None = None,
    ) -> list[Stored]:
        """Commit batches in one transaction; what became of each.

        Idempotent: batches up to the mark of their epoch are left out, with `NOTHING` in their
        place. ahead: what became of all samples, where `write_ahead` has stored them.
        """
        if ahead is None:
            await self._make_room(conn, planned)
        await self._begin(conn, planned.epoch)
        with self._gaps.attempt() as gaps:
            try:
                stored = await self._write(conn, planned, turn, ahead, gaps)
            except (_Overtaken, psycopg.errors.CheckViolation):
                # The room that was made may have been dropped before it was used.
                if ahead is None:
                    await self._make_room(conn, planned)
                stored = await self._write(conn, planned, turn, ahead, gaps)
        if self._latest.in_doubt:
            await self._latest.catch_up(conn)
        return stored

    async def _write(
        self,
        conn: Connection,
        planned: Planned,
        turn: Turn,
        ahead: Outcomes | None,
        gaps: Attempt,
    ) -> list[Stored]:
        epoch, batches, times = planned.epoch, planned.batches, [self._clock.elapsed()]
        async with conn.transaction():
            in_one = ahead is None and await self._mark(conn, epoch) < batches[0][0]
            here = set(days(planned.group.rows["time"]).tolist())
            if in_one:
                if here - self._days:
                    # A new chunk is locked until the commit, and the group before may need it.
                    await turn()
                await self._fence.enter(conn)
                await copy_ahead(conn, planned.group)
            times.append(self._clock.elapsed())
            await turn()
            times.append(self._clock.elapsed())
            await self._fence.check(conn)
            done = await self._mark(conn, epoch, lock=True)
            new = [(number, batch) for number, batch in batches if number > done]
            if len(new) < len(batches):
                self._latest.doubt()
                if in_one:
                    raise _Overtaken
            gaps.passed([_sent(batch) for number, batch in batches if number <= done])
            if not new:
                return [NOTHING] * len(batches)
            left = planned if in_one or ahead is not None else self.plan(epoch, new)
            stored, latest = await self._write_rest(conn, left, ahead)
            if ahead is None:
                await gaps.write(conn, [_sent(batch) for _, batch in new], moment(_newest(new)))
            row = {"shard": self._fence.shard, "epoch": epoch, "number": new[-1][0]}
            await conn.execute(query("set_mark"), row)
        times.append(self._clock.elapsed())
        self._days |= here
        planned.took = {part: b - a for part, (a, b) in zip(PARTS, pairwise(times), strict=True)}
        self._latest.committed(latest, times[-1])
        return [NOTHING] * (len(batches) - len(new)) + stored

    async def write_ahead(
        self, conn: Connection, epoch: int, number: int, batch: Batch, which: NDArray[np.intp]
    ) -> Outcomes:
        """Commit some of a batch's samples before the rest of it; the outcome of each.

        For a batch of too many days for one transaction, which then comes with `ahead`. Its record
        must be on the disk: a batch that was received anew would take them for somebody else's.
        """
        gateway_of = batch.gateway_of[which]
        part = [(number, replace(batch, frame=batch.frame.take(which), gateway_of=gateway_of))]
        planned = self.plan(epoch, part)
        await self._make_room(conn, planned)
        await self._begin(conn, epoch)
        with self._gaps.attempt() as gaps:
            try:
                return await self._write_ahead(conn, planned, gaps)
            except psycopg.errors.CheckViolation:
                await self._make_room(conn, planned)
                return await self._write_ahead(conn, planned, gaps)

    async def _write_ahead(self, conn: Connection, planned: Planned, gaps: Attempt) -> Outcomes:
        (number, batch), epoch = planned.batches[0], planned.epoch
        async with conn.transaction():
            await self._fence.check(conn)
            if number <= await self._mark(conn, epoch, lock=True):
                return np.zeros(len(batch.frame), np.int8)
            await copy_ahead(conn, planned.group)
            outcomes, stored = await finish(conn, planned.group, again=True)
            await write_latest(conn, newest(stored))
            await gaps.write(conn, [_sent(batch)], moment(batch.frame.received))
            # Already here: retention may come before the rest of the batch.
            await mark(conn, ((*span, batch.frame.received) for span in batch.dirty))
        return outcomes[0]

    async def write_latest(self, conn: Connection) -> None:
        """Bring `tag_latest` up to what is committed."""
        async with conn.transaction():
            await self._fence.check(conn)
            followed = await self._latest.follow(conn, NO_ROWS, math.inf)
        self._latest.committed(followed, self._clock.elapsed())

    async def _begin(self, conn: Connection, epoch: int) -> None:
        """See to it that the mark of an epoch can be locked: who writes waits for who wrote."""
        if epoch not in self._epochs:
            await conn.execute(query("begin_marks"), {"shard": self._fence.shard, "epoch": epoch})
            self._epochs.add(epoch)

    async def _mark(self, conn: Connection, epoch: int, *, lock: bool = False) -> int:
        """Up to which number batches of this epoch are committed, -1 for none."""
        asked = {"shard": self._fence.shard, "epoch": epoch}
        found = await conn.execute(query("lock_mark" if lock else "read_mark"), asked)
        row = await found.fetchone()
        return -1 if row is None else int(row[0])

    async def _make_room(self, conn: Connection, planned: Planned) -> None:
        assert self._partitions is not None, "get_ready comes first"
        at = moment(_newest(planned.batches))
        await self._partitions.cover(conn, planned.group.rows["time"], at)

    async def _write_rest(
        self, conn: Connection, planned: Planned, ahead: Outcomes | None
    ) -> tuple[list[Stored], Followed]:
        """All but the rows that went ahead."""
        batches = [batch for _, batch in planned.batches]
        outcomes, rows = (
            ([ahead], NO_ROWS) if ahead is not None else await finish(conn, planned.group)
        )
        stored = [
            tallied(outcome, batch.gateway_of)
            for outcome, batch in zip(outcomes, batches, strict=True)
        ]
        latest = await self._latest.follow(conn, rows, self._clock.elapsed())
        async with conn.pipeline():
            await write_beside(conn, batches, stored)
        return stored, latest


def _sent(batch: Batch) -> Sent:
    return batch.frame, batch.gateway_of


def _newest(batches: Sequence[tuple[int, Batch]]) -> int:
    """When the last of them was received."""
    return max(batch.frame.received for _, batch in batches)
