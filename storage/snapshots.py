"""Snapshots of the engine, and the stored samples that it has to see again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import zstandard

from domain.frame import Flag, Frame, Ints
from domain.instant import micros, moment
from storage.database import Connection
from storage.days import DAYS_AT_ONCE
from storage.lease import Fence
from storage.queries import query
from storage.rows import POSTGRES_EPOCH

PACKED = np.dtype(
    [("tag", ">i4"), ("time", ">i8"), ("value", ">f8"), ("quality", ">i2"), ("flags", ">i2")]
)
"""A sample as snapshots.sql packs it; time counts from 2000."""
LEVEL = 1
"""Level of compression of a snapshot; most of it are numbers that repeat."""
SPAN = timedelta(days=DAYS_AT_ONCE)
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing is stored under a time before this one; see the wire profile."""
NEWEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """stamp: receive stamp of the last frame inside, microseconds. taken_at: when it was saved."""

    stamp: int
    taken_at: datetime
    body: bytes


async def save(conn: Connection, fence: Fence, stamp: int, body: bytes, at: datetime) -> None:
    """Replace the shard's snapshot. Flush the journal first: what it contains must not be lost."""
    packed = await asyncio.to_thread(zstandard.compress, body, LEVEL)
    row = {"shard": fence.shard, "stamp": moment(stamp), "at": at, "body": packed}
    async with conn.transaction():
        await fence.check(conn)
        await conn.execute(query("save_snapshot"), row)


async def load(conn: Connection, shard: str) -> Snapshot | None:
    """The shard's snapshot, None where there is none."""
    row = await (await conn.execute(query("load_snapshot"), {"shard": shard})).fetchone()
    if row is None:
        return None
    body = row[2] if row[2][:4] != zstandard.FRAME_HEADER else zstandard.decompress(row[2])
    return Snapshot(micros(row[0]), row[1], body)


async def samples_after(conn: Connection, stamp: int, tags: Sequence[int]) -> AsyncIterator[Frame]:
    """Stored samples of `tags` received after `stamp`, one frame for each stamp, in received order.

    Within a frame by tag and time. Samples for history only are left out, as the live rules never
    saw them. What was judged at received time is again: `at` is the frame's stamp there, else the
    stored time.
    """
    ours = np.array(tags, np.int32)
    asked = {"after": moment(stamp), "history": int(Flag.HISTORY)}
    async for received, packed in _in_order(conn, asked, max(moment(stamp) - SPAN, OLDEST)):
        # Chosen here: to send 100,000 ids with each query takes longer than the rows.
        frame = _frame(packed, received, judged_again=True)
        frame = frame.take(np.isin(frame.tag, ours))
        if len(frame):
            yield frame


async def _in_order(
    conn: Connection, asked: Mapping[str, object], recent: datetime
) -> AsyncIterator[tuple[int, bytes]]:
    """(stamp, packed samples) of all times, by stamp."""
    older = await _older(conn, asked, recent)
    async for received, packed in _received(conn, asked, recent, NEWEST):
        for earlier in sorted(one for one in older if one < received):
            yield earlier, older.pop(earlier)
        yield received, older.pop(received, b"") + packed
    for later in sorted(older):
        yield later, older[later]


async def _older(
    conn: Connection, asked: Mapping[str, object], recent: datetime
) -> dict[int, bytes]:
    """Packed samples before `recent` by their stamp: rare, and looked for in some days at once."""
    found: dict[int, bytes] = {}
    begin = OLDEST
    while begin < recent:
        end = min(begin + SPAN, recent)
        async for received, packed in _received(conn, asked, begin, end):
            found[received] = found.get(received, b"") + packed
        begin = end
    return found


async def _received(
    conn: Connection, asked: Mapping[str, object], begin: datetime, end: datetime
) -> AsyncIterator[tuple[int, bytes]]:
    """(stamp, packed samples) of a span of time by stamp, with the locks of that span only."""
    async with conn.transaction(), conn.cursor("samples_after", binary=True) as cursor:
        await cursor.execute(query("samples_after"), {**asked, "from": begin, "to": end})
        async for received, packed in cursor:
            yield micros(received), packed


async def samples_between(conn: Connection, tag: int, begin: datetime, end: datetime) -> Frame:
    """Stored samples of one tag from `begin` to `end`, both inclusive, by time, for the replay
    lane.

    `at` is the stored time; the frame's stamp is the newest of its samples, 0 where there are none.
    """
    asked = {"tag": tag, "from": begin, "to": end}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(query("samples_between"), asked, prepare=False)
        row = await cursor.fetchone()
    received, packed = row if row is not None and row[0] is not None else (moment(0), b"")
    return _frame(packed, micros(received), judged_again=False)


def _frame(packed: bytes, received: int, *, judged_again: bool) -> Frame:
    """packed: rows in spans of time, the oldest first."""
    rows = np.frombuffer(packed, PACKED)
    rows = rows[np.lexsort((rows["time"], rows["tag"]))]
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
