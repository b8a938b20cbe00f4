"""What who stores samples leaves for the roll-ups: nothing, but where their step has begun.

Roll-ups go by the stamp under which samples were received, which rises: late, shifted and
historical samples are nothing special to them. Only what is committed after the step of its stamp
has begun (from the spool, by a second process) must leave its part by itself, in its transaction.
"""

import numpy as np
from numpy.typing import NDArray

from domain.instant import SECOND, micros
from storage.copying import copy_rows
from storage.database import Connection
from storage.queries import query
from storage.rows import Rows

MINUTE = 60 * SECOND
SUMMED_BELOW = 1e290
"""Values of this magnitude and above count as 0 in a sum, which else could overflow."""
PART = np.dtype(
    [
        ("received", np.int64),
        ("tag", np.int32),
        ("time", np.int64),
        ("low", np.float64),
        ("high", np.float64),
        ("total", np.float64),
        ("n", np.int64),
        ("empty", np.int64),
        ("first_at", np.int64),
        ("first", np.float64),
        ("last_at", np.int64),
        ("last", np.float64),
        ("quality", np.int16),
    ]
)
"""A row of `rollup_late`: of one tag, minute and stamp. Where n is 0, low, high, first and last are
NaN."""


async def leave_parts(conn: Connection, stored: Rows) -> int:
    """Leave parts of those of `stored` (dtype `ROW`) whose step has begun; how many samples.

    Belongs into the transaction that stores them, and only samples that it stores itself: a
    duplicate is in the roll-ups already.
    """
    if len(stored) == 0:
        return 0
    cursor = await conn.execute(query("enter_rollup"), prepare=False)
    cursor.nextset()
    row = await cursor.fetchone()
    assert row is not None, "rollup_state has one row"
    late = stored[stored["received"] <= micros(row[0])]
    if len(late):
        await copy_rows(conn, "copy_rollup_late", parts(late))
    return len(late)


def parts(rows: Rows) -> Rows:
    """Rows (dtype `ROW`) by tag, minute and stamp: dtype `PART`."""
    rows = rows[np.lexsort((rows["time"], rows["received"], rows["time"] // MINUTE, rows["tag"]))]
    minute = rows["time"] // MINUTE
    begin = np.flatnonzero(_new(rows["tag"], minute, rows["received"]))
    found = np.empty(len(begin), PART)
    for name in ("tag", "received"):
        found[name] = rows[name][begin]
    found["time"] = minute[begin] * MINUTE
    found["quality"] = np.minimum.reduceat(rows["quality"], begin)
    value, good = rows["value"], np.isfinite(rows["value"])
    some = found["n"] = np.add.reduceat(good.astype(np.int64), begin)
    found["empty"] = np.diff(np.append(begin, len(rows))) - some
    summed = np.where(good & (np.abs(value) < SUMMED_BELOW), value, 0.0)
    found["total"] = np.add.reduceat(summed, begin)
    found["low"] = np.minimum.reduceat(np.where(good, value, np.inf), begin)
    found["high"] = np.maximum.reduceat(np.where(good, value, -np.inf), begin)
    _put_ends(found, rows, good, begin)
    return found


def _put_ends(found: Rows, rows: Rows, good: NDArray[np.bool_], begin: NDArray[np.intp]) -> None:
    """First and last of each group, and NaN where there is none."""
    place = np.arange(len(rows))
    first = np.minimum.reduceat(np.where(good, place, len(rows)), begin)
    last = np.maximum.reduceat(np.where(good, place, -1), begin)
    none = found["n"] == 0
    first[none] = last[none] = begin[none]
    for end, at in (("first", first), ("last", last)):
        found[end] = np.where(none, np.nan, rows["value"][at])
        found[f"{end}_at"] = np.where(none, found["time"], rows["time"][at])
    for name in ("low", "high"):
        found[name][none] = np.nan


def _new(*columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where any of the columns differs from the row before."""
    new = np.ones(len(columns[0]), np.bool_)
    new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return new
