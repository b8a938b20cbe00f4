"""Who may write for a shard: one holder at a time, told apart by an epoch that only rises."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.clock import Clock
from storage.database import Connection, DatabaseOptions, link
from storage.queries import query


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
        row = await (await conn.execute(query("lock_lease"), {"shard": self.shard})).fetchone()
        if row is None or row[0] != self.epoch:
            raise LeaseLost(
                f"shard {self.shard!r}: epoch is {row and row[0]}, ours was {self.epoch}"
            )


async def take(
    conn: Connection, shard: str, holder: str, at: datetime, lasts: timedelta
) -> Fence | None:
    """Take the lease under the next epoch, or None while another holder's has not run out at `at`.

    `holder` names the place that runs the shard, the same after a restart, which then need not
    wait. `at` is the taker's clock: clocks that differ may shorten a lease, the epoch fences all
    the same.
    """
    arguments = {"shard": shard, "holder": holder, "at": at, "expires": at + lasts}
    row = await (await conn.execute(query("take_lease"), arguments)).fetchone()
    return None if row is None else Fence(shard, row[0])


async def take_when_free(
    options: DatabaseOptions, shard: str, holder: str, clock: Clock, lasts: timedelta
) -> Fence:
    """Wait for the lease, asking four times in its life; `DatabaseAway` as it comes."""
    async with link(options) as line:
        while True:
            taken = await line.run(lambda conn: take(conn, shard, holder, clock.now(), lasts))
            if taken is not None:
                return taken
            await clock.sleep(lasts.total_seconds() / 4)


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
