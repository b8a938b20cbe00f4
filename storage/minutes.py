"""Means of minutes of stored samples, of many tags at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from domain.frame import Floats
from storage.database import Connection
from storage.queries import query

MINUTE = timedelta(minutes=1)
PACKED = np.dtype([("minute", ">i4"), ("mean", ">f8")])
"""A minute as minutes.sql packs it."""


async def minute_means(
    conn: Connection, tags: Sequence[int], begin: datetime, minutes: int
) -> Floats:
    """Means of the good samples in each minute from `begin` on: [tags, minutes], in the order of
    `tags`; NaN = no such sample."""
    found = np.full((len(tags), minutes), np.nan)
    place = {tag: n for n, tag in enumerate(tags)}
    asked = {"tags": list(tags), "from": begin, "to": begin + minutes * MINUTE}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(query("minute_means"), asked, prepare=False)
        async for tag, packed in cursor:
            rows = np.frombuffer(packed, PACKED)
            found[place[tag], rows["minute"]] = rows["mean"]
    return found
