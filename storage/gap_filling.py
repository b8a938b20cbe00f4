"""What is left of a gap: held against the samples that are stored now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from domain.frame import Flag
from domain.instant import micros, moment
from ingest.gap_steps import missing_between
from storage.database import Connection
from storage.queries import query

Missing = Multirange[datetime]
LONGEST_SCAN = timedelta(days=100)
"""A gap is held against its samples for so many days at most: each day is a table to be locked."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What a look at a range of a tag found. gaps: looked at; filled_s: seconds that have come."""

    gaps: int = 0
    filled_s: float = 0.0


async def fill_one(
    conn: Connection,
    tag: int,
    may: int,
    id: str,
    kind: str,
    begin: datetime,
    end: datetime,
    missing: Missing,
) -> float:
    """Bring what is missing of a tag in one gap up to what is stored; seconds that came."""
    around = timedelta(microseconds=may if kind == "gateway" else 0)
    until = min(end + around, begin + LONGEST_SCAN)
    asked = {"tag": tag, "begun": begin, "ended": end, "historical": int(Flag.HISTORICAL)}
    span = {"from": begin - around, "to": until}
    found = await conn.execute(query("samples_in_gap"), asked | span, prepare=False)
    row = await found.fetchone()
    if row is None or row[1] is None or until < end:
        return 0.0
    times, received, by = row
    instants = np.array(sorted({*map(micros, times), *_edges(kind, begin, end)}), np.int64)
    left = Multirange(
        [
            Range(moment(first), moment(last), "()")
            for first, last in missing_between(instants, may)
            if first < micros(end) and last > micros(begin)
        ]
    )
    change = {"id": id, "tag": tag, "remaining": left, "at": received, "by": by}
    if kind == "tag":
        await conn.execute(query("fill_gap"), change)
    else:
        await conn.execute(query("fill_part"), change)
        whole = await (await conn.execute(query("fill_gateway_gap"), change)).fetchone()
        if whole and whole[0]:
            await conn.execute(query("forget_parts"), change)
    return max(0.0, _seconds(missing) - _seconds(left))


def _edges(kind: str, begin: datetime, end: datetime) -> Sequence[int]:
    """A gap of a tag lies between two samples, whether these are still kept or not."""
    return (micros(begin), micros(end)) if kind == "tag" else ()


def _seconds(missing: Missing) -> float:
    return sum(
        (one.upper - one.lower).total_seconds() for one in missing if one.lower and one.upper
    )
