"""Who may write for a shard: one holder at a time, told apart by an epoch that only rises."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from domain.clock import Clock
from storage.database import Connection, DatabaseOptions, link
from storage.queries import query

log = structlog.get_logger(__name__)

IDLE_S = 5.0
"""Who holds the lease's row and says nothing for so long is cut off by the server."""


class LeaseLost(Exception):
    """Somebody else holds the lease of this shard: this process must stop writing and die."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write for `shard`, as long as `epoch` is the lease's."""

    shard: str
    epoch: int

    async def check(self, conn: Connection) -> None:
        """Hold the lease row until the transaction ends; `LeaseLost` where the epoch is not ours.

        A take-over waits for transactions that passed, so none commits after it.
        """
        arguments = {"shard": self.shard, "idle_ms": round(IDLE_S * 1000)}
        row = await (await conn.execute(query("lock_lease"), arguments)).fetchone()
        if row is None or row[0] != self.epoch:
            raise LeaseLost(
                f"shard {self.shard!r}: epoch is {row and row[0]}, ours was {self.epoch}"
            )


@dataclass(frozen=True, slots=True)
class Seen:
    """A lease as it was seen: epoch or renewed_at changes whenever it is taken or renewed."""

    holder: str
    epoch: int
    renewed_at: datetime


async def take(
    conn: Connection,
    shard: str,
    holder: str,
    at: datetime,
    lasts: timedelta,
    unmoved: Seen | None = None,
) -> Fence | None:
    """Take the lease under the next epoch, or None while another holder's has not run out at `at`.

    `holder` names the place that runs the shard, the same after a restart, which then need not
    wait. `at` is the taker's clock: clocks that differ may shorten a lease, the epoch fences all
    the same. unmoved: it is taken if it still is as it was seen then.
    """
    arguments = {
        "shard": shard,
        "holder": holder,
        "at": at,
        "expires": at + lasts,
        "seen_epoch": unmoved and unmoved.epoch,
        "seen_renewed": unmoved and unmoved.renewed_at,
    }
    row = await (await conn.execute(query("take_lease"), arguments)).fetchone()
    return None if row is None else Fence(shard, row[0])


async def take_when_free(
    options: DatabaseOptions, shard: str, holder: str, clock: Clock, lasts: timedelta
) -> Fence:
    """Wait for the lease, asking four times in its life; `DatabaseAway` as it comes.

    One that nobody renews for its whole life, as this clock counts that, is over, whatever its wall
    times say: the clock of a holder that died may have been an hour ahead.
    """
    seen: Seen | None = None
    since = clock.elapsed()
    async with link(options) as line:
        while True:
            over = seen if clock.elapsed() - since > lasts.total_seconds() else None
            taken = await line.run(partial(_take_or_look, shard, holder, clock.now(), lasts, over))
            if isinstance(taken, Fence):
                return taken
            if seen is None or (taken is not None and taken.epoch != seen.epoch):
                log.info(
                    "another worker has the lease", action="wait", holder=taken and taken.holder
                )
            if taken != seen:
                seen, since = taken, clock.elapsed()
            await clock.sleep(lasts.total_seconds() / 4)


async def _take_or_look(
    shard: str, holder: str, at: datetime, lasts: timedelta, over: Seen | None, conn: Connection
) -> Fence | Seen | None:
    fence = await take(conn, shard, holder, at, lasts, over)
    if fence is not None:
        return fence
    row = await (await conn.execute(query("seen_lease"), {"shard": shard})).fetchone()
    return None if row is None else Seen(*row)


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
