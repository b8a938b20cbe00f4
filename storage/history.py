"""The past of one tag: as stored while that is little, else in buckets that keep every extreme."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.history_plan import Reach, bucket_width, planned, unit_for
from storage.reading import Reading, Row

__all__ = ["History", "bucket_width", "read_history"]


@dataclass(frozen=True, slots=True)
class History:
    """Samples of [from, to).

    Raw rows have time, value, quality, flags; buckets time, low, high, mean, count, samples,
    quality. width: of a bucket; None means raw. Where nothing was stored there is no row; a stored
    sample without a value has value None.
    """

    rows: list[Row]
    width: timedelta | None


async def read_history(
    reading: Reading, tag: int, start: datetime, end: datetime, points: int
) -> History:
    """At most `points` rows. The caller has checked that the reader may see the tag.

    Buckets come from roll-ups where these are fine enough, from samples at the edges and behind the
    roll-ups. What came late is in the roll-ups about a minute later.
    """
    row = await reading.row("history_reach")
    reach = Reach(**row or {})
    unit = unit_for(start, end, points, reach)
    if unit is None and (found := await _raw(reading, tag, start, end, points)) is not None:
        return found
    plan = planned(start, end, points, reach, unit)
    asked = {"tag": tag, "width": plan.width, "origin": plan.origin, "from": start, **plan.bounds()}
    rows = await reading.rows("history_buckets", **asked)
    few = sum(row["samples"] for row in rows) <= points and start >= reach.raw_from
    if few and (found := await _raw(reading, tag, start, end, points)) is not None:
        return found
    return History(rows, plan.width)


async def _raw(
    reading: Reading, tag: int, start: datetime, end: datetime, points: int
) -> History | None:
    """All samples; None where there are more than `points`."""
    asked = {"tag": tag, "from": start, "to": end, "limit": points + 1}
    rows = await reading.rows("raw_samples", **asked)
    return History(rows, None) if len(rows) <= points else None
