"""Who may write for a shard: one holder at a time, told apart by an epoch that only rises."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from psycopg import AsyncCursor, Rollback

from domain.clock import Clock
from storage.database import Connection, DatabaseAway, DatabaseOptions, Link, first_of, link
from storage.queries import query

log = structlog.get_logger(__name__)

IDLE_S = 5.0
"""Who holds the lease's row and says nothing for so long is cut off by the server, except in a COPY
and between the statements of a pipeline: there whoever takes over does it."""
BLOCKED_S = 1.0
"""A taker waits so long for transactions of a holder that is gone; then it ends them."""
LOOKS = 8
"""Looks at a lease in its life."""
BREAK_OF_A_LIFE = 0.5
"""Two looks that are further apart than this part of a life don't count as one watch."""


class LeaseLost(Exception):
    """Somebody else holds the lease of this shard: this process must stop writing and die."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write for `shard`, as long as `epoch` is the lease's."""

    shard: str
    epoch: int

    async def check(self, conn: Connection) -> None:
        """Hold the lease row until the transaction ends; `LeaseLost` where the epoch is not ours.

        A take-over waits for transactions that passed, so none commits after it. Renewals don't.
        """
        await self.stands(await self.ask(conn))

    async def ask(self, conn: Connection) -> AsyncCursor[Any]:
        """The first half of `check`, for who has more to send before it waits for answers."""
        arguments = {"shard": self.shard, "idle_ms": round(IDLE_S * 1000)}
        return await conn.execute(query("lock_lease"), arguments)

    async def stands(self, asked: AsyncCursor[Any]) -> None:
        """The second half: the answer, before anything is committed."""
        row = await asked.fetchone()
        if row is None or row[0] != self.epoch:
            raise self.lost(row and row[0])

    async def enter(self, conn: Connection) -> None:
        """Let a take-over know of this transaction, which may wait for long until it checks: rows
        that it has copied keep others from the same keys."""
        await conn.execute(query("enter_lease"), {"shard": self.shard})

    def lost(self, epoch: int | None) -> LeaseLost:
        """What to raise where the lease has another epoch; None: there is no such lease."""
        return LeaseLost(f"shard {self.shard!r}: epoch is {epoch}, ours was {self.epoch}")


@dataclass(frozen=True, slots=True)
class Seen:
    """A lease as it was seen: epoch or renewed_at changes whenever it is taken or renewed."""

    holder: str
    epoch: int
    renewed_at: datetime
    given_up: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """For how long a lease has been seen the same without a break, in elapsed seconds: since the
    answer that showed it first until the newest."""

    seen: Seen
    since: float
    until: float


def watched(before: Watched | None, seen: Seen, answered: float, lasts_s: float) -> Watched:
    """What one more look has shown. A database that let half a life pass without an answer may have
    kept the holder waiting as well: what was seen before that counts no more."""
    if before is None or before.seen != seen or answered - before.until > lasts_s * BREAK_OF_A_LIFE:
        return Watched(seen, answered, answered)
    return replace(before, until=answered)


async def look(conn: Connection, shard: str) -> Seen | None:
    """The lease of a shard, at once; None: nobody ever had it."""
    row = await (await conn.execute(query("seen_lease"), {"shard": shard})).fetchone()
    return None if row is None else Seen(*row)


async def check_stands(conn: Connection, fence: Fence) -> None:
    """`LeaseLost` where the epoch is not ours; unlike `Fence.check` it holds nothing and waits for
    nobody."""
    seen = await look(conn, fence.shard)
    if seen is None or seen.epoch != fence.epoch:
        raise fence.lost(None if seen is None else seen.epoch)


async def take(
    conn: Connection,
    shard: str,
    holder: str,
    at: datetime,
    lasts: timedelta,
    unmoved: Seen | None = None,
) -> Fence | None:
    """Take the lease under the next epoch, or None where it is another's.

    `holder` names the place that runs the shard, the same after a restart, which then need not
    wait. `at` is the taker's clock; what the times of a holder's say is not asked. unmoved: it is
    taken if it still is as it was seen then. It waits for transactions that have passed the fence.
    """
    arguments = {
        "shard": shard,
        "holder": holder,
        "at": at,
        "expires": at + lasts,
        "seen_epoch": unmoved and unmoved.epoch,
        "seen_renewed": unmoved and unmoved.renewed_at,
    }
    async with conn.transaction():
        await conn.execute(query("hold_lease"), {"shard": shard})
        row = await (await conn.execute(query("take_lease"), arguments)).fetchone()
    return None if row is None else Fence(shard, row[0])


async def take_when_free(
    options: DatabaseOptions, shard: str, holder: str, clock: Clock, lasts: timedelta
) -> Fence:
    """Wait for the lease, looking at it `LOOKS` times in its life; `DatabaseAway` as it comes.

    One that was given up, or is of the same holder, is free at once. Any other is over when it was
    seen unmoved for its whole life, see `watched`, whatever its wall times say: the clock of a
    holder that died may have been an hour ahead, and that of one that works behind.
    """
    lasts_s = lasts.total_seconds()
    watch: Watched | None = None
    told: int | None = None
    async with link(options) as line, link(options) as beside:
        while True:
            asked = clock.elapsed()
            seen = await line.run(partial(look, shard=shard))
            watch = None if seen is None else watched(watch, seen, clock.elapsed(), lasts_s)
            if watch is None or _is_free(watch, holder, asked, lasts_s):
                taking = _Taking(shard, holder, clock, lasts, seen)
                fence = await taking.through(line, beside)
                if fence is not None:
                    return fence
            elif watch.seen.epoch != told:
                told = watch.seen.epoch
                log.info("another worker has the lease", action="wait", holder=watch.seen.holder)
            await clock.sleep(lasts_s / LOOKS)


def _is_free(watch: Watched, holder: str, asked: float, lasts_s: float) -> bool:
    """Whether the lease may be taken from whoever has it. asked: when the newest look began."""
    seen = watch.seen
    return seen.given_up or seen.holder == holder or asked - watch.since >= lasts_s


class _Taking:
    """One attempt to take a lease that is free, if it still is as it was `seen`."""

    def __init__(
        self, shard: str, holder: str, clock: Clock, lasts: timedelta, seen: Seen | None
    ) -> None:
        self._shard = shard
        self._holder = holder
        self._clock = clock
        self._lasts = lasts
        self._seen = seen
        self._pid: int | None = None

    async def through(self, line: Link, beside: Link) -> Fence | None:
        """Take it by `line`. Transactions of the holder that keep us waiting are ended by
        `beside`: nobody has renewed it, so whoever would commit them is frozen, or gone."""
        patience_s = min(BLOCKED_S, self._lasts.total_seconds() / 4)
        away: str | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                taking = tasks.create_task(line.run(self._take), name="lease: take")
                while not (await asyncio.wait({taking}, timeout=patience_s))[0]:
                    await self._end_holders(beside)
        except* DatabaseAway as group:
            away = first_of(group)
        if away is not None:
            raise DatabaseAway(away)
        return taking.result()

    async def _take(self, conn: Connection) -> Fence | None:
        """None too where it took so long that the holder may have been kept waiting as well."""
        began = self._clock.elapsed()
        row = await (await conn.execute(query("own_pid"))).fetchone()
        self._pid = row and row[0]
        fence: Fence | None = None
        async with conn.transaction() as transaction:
            at = self._clock.now()
            fence = await take(conn, self._shard, self._holder, at, self._lasts, self._seen)
            if self._clock.elapsed() - began > self._lasts.total_seconds() * BREAK_OF_A_LIFE:
                fence = None
                raise Rollback(transaction)
        return fence

    async def _end_holders(self, beside: Link) -> None:
        if self._pid is None or self._seen is None:
            return
        asked = {
            "taker": self._pid,
            "shard": self._shard,
            "seen_epoch": self._seen.epoch,
            "seen_renewed": self._seen.renewed_at,
        }
        try:
            found = await beside.run(partial(_rows, name="end_holders", arguments=asked))
        except DatabaseAway:
            return
        for pid, role, application, state, ended in found:
            log.warning(
                "a transaction of a holder that is gone keeps the lease",
                action="end it" if ended else "end it by hand: it is of another role",
                pid=pid,
                role=role,
                application=application,
                state=state,
            )


async def _rows(conn: Connection, name: str, arguments: dict[str, object]) -> list[Any]:
    return await (await conn.execute(query(name), arguments)).fetchall()


async def renew(conn: Connection, fence: Fence, at: datetime, lasts: timedelta) -> None:
    """Prolong the lease to `at + lasts`; `LeaseLost` where the epoch is not ours any more."""
    await _prolong(conn, fence, at, at + lasts)


async def give_up(conn: Connection, fence: Fence, at: datetime) -> None:
    """Let the next holder have the lease at once; `LeaseLost` as for `renew`."""
    await _prolong(conn, fence, at, at)


async def _prolong(conn: Connection, fence: Fence, at: datetime, expires: datetime) -> None:
    arguments = {"shard": fence.shard, "epoch": fence.epoch, "at": at, "expires": expires}
    if (await conn.execute(query("renew_lease"), arguments)).rowcount == 0:
        raise LeaseLost(f"shard {fence.shard!r}: epoch {fence.epoch} is over")
