"""The past of one tag: as stored while that is little, else in buckets that keep every extreme."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.reading import Reading, Row


@dataclass(frozen=True, slots=True)
class History:
    """Samples of [from, to).

    Raw rows have time, value, quality; buckets time, low, high, mean, count, quality. width: of a
    bucket; None means raw. Where nothing was stored there is no row; a stored sample without a
    value has value None.
    """

    rows: list[Row]
    width: timedelta | None


async def read_history(
    reading: Reading, tag: int, start: datetime, end: datetime, points: int
) -> History:
    """At most `points` rows. The caller has checked that the reader may see the tag."""
    raw = await reading.rows("raw_samples", tag=tag, **{"from": start, "to": end}, limit=points + 1)
    if len(raw) <= points:
        return History(raw, None)
    width = bucket_width(start, end, points)
    rows = await reading.rows(
        "bucketed_samples", tag=tag, **{"from": start, "to": end}, width=width
    )
    return History(rows, width)


def bucket_width(start: datetime, end: datetime, points: int) -> timedelta:
    """The smallest width in whole microseconds with at most `points` buckets in [start, end)."""
    microsecond = timedelta(microseconds=1)
    return -((end - start) // microsecond // -points) * microsecond
