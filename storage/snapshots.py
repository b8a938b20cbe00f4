"""Snapshots of the engine, and the stored samples that it has to see again."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from domain.frame import Flag, Frame, Ints
from domain.instant import micros, moment
from storage.database import Connection
from storage.lease import Fence
from storage.queries import query
from storage.rows import POSTGRES_EPOCH

PACKED = np.dtype(
    [("tag", ">i4"), ("time", ">i8"), ("value", ">f8"), ("quality", ">i2"), ("flags", ">i2")]
)
"""A sample as snapshots.sql packs it; time counts from 2000."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """stamp: receive stamp of the last frame inside, microseconds. taken_at: when it was saved."""

    stamp: int
    taken_at: datetime
    body: bytes


async def save(conn: Connection, fence: Fence, stamp: int, body: bytes, at: datetime) -> None:
    """Replace the shard's snapshot. Flush the journal first: what it contains must not be lost."""
    row = {"shard": fence.shard, "stamp": moment(stamp), "at": at, "body": body}
    async with conn.transaction():
        await fence.check(conn)
        await conn.execute(query("save_snapshot"), row)


async def load(conn: Connection, shard: str) -> Snapshot | None:
    """The shard's snapshot, None where there is none."""
    row = await (await conn.execute(query("load_snapshot"), {"shard": shard})).fetchone()
    return None if row is None else Snapshot(micros(row[0]), row[1], row[2])


async def samples_after(conn: Connection, stamp: int, tags: Sequence[int]) -> AsyncIterator[Frame]:
    """Stored samples of `tags` received after `stamp`, one frame for each stamp, in received order.

    Within a frame by tag and time. Samples for history only are left out, as the live rules never
    saw them. What was judged at received time is again: `at` is the frame's stamp there, else the
    stored time.
    """
    asked = {"after": moment(stamp), "tags": list(tags), "history": int(Flag.HISTORY)}
    async with conn.transaction(), conn.cursor("samples_after", binary=True) as cursor:
        await cursor.execute(query("samples_after"), asked)
        async for received, packed in cursor:
            yield _frame(packed, micros(received), judged_again=True)


async def samples_between(conn: Connection, tag: int, begin: datetime, end: datetime) -> Frame:
    """Stored samples of one tag from `begin` to `end`, both inclusive, by time, for the replay
    lane.

    `at` is the stored time; the frame's stamp is the newest of its samples, 0 where there are none.
    """
    asked = {"tag": tag, "from": begin, "to": end}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(query("samples_between"), asked)
        row = await cursor.fetchone()
    received, packed = row if row is not None and row[0] is not None else (moment(0), b"")
    return _frame(packed, micros(received), judged_again=False)


def _frame(packed: bytes, received: int, *, judged_again: bool) -> Frame:
    rows = np.frombuffer(packed, PACKED)
    time: Ints = rows["time"].astype(np.int64) + POSTGRES_EPOCH
    flags = rows["flags"].astype(np.int16)
    at_received = (flags & Flag.AT_RECEIVED) != 0
    return Frame(
        rows["tag"].astype(np.int32),
        np.where(at_received, received, time) if judged_again else time,
        time,
        rows["value"].astype(np.float64),
        rows["quality"].astype(np.int16),
        flags,
        received,
    )
