"""What stands in the database already where a large group of samples is to go.

Read in one go and compared in memory, which is several times faster than a staging table where most
of a group is there.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.frame import Frame, Ints
from domain.instant import moment
from storage.database import Connection
from storage.queries import query
from storage.rows import HEADER, POSTGRES_EPOCH, TRAILER, Rows
from storage.samples import Outcome, Outcomes, against

STANDING = np.dtype(
    [
        ("fields", ">i2"),
        *(
            item
            for name, kind in (
                ("tag", ">i4"),
                ("time", ">i8"),
                ("value", ">f8"),
                ("received", ">i8"),
            )
            for item in ((f"length of {name}", ">i4"), (name, kind))
        ),
    ]
)
"""A row of `copy_standing`; instants count from 2000."""


async def occupied_tags(
    conn: Connection, spans: Sequence[tuple[int, int, int]]
) -> NDArray[np.int32]:
    """Of (tag, first, last) the tags of which some sample stands in their span."""
    if not spans:
        return np.empty(0, np.int32)
    asked = {
        "tags": [tag for tag, _, _ in spans],
        "firsts": [moment(first) for _, first, _ in spans],
        "lasts": [moment(last) for _, _, last in spans],
        "from": moment(min(first for _, first, _ in spans)),
        "to": moment(max(last for _, _, last in spans)),
    }
    found = await conn.execute(query("occupied_tags"), asked, prepare=False)
    return np.array([row[0] for row in await found.fetchall()], np.int32)


async def standing(conn: Connection, tags: NDArray[np.int32], time: Ints, n: int) -> Rows | None:
    """What stands for tags between the first and last time; None where that is far more than n
    samples, and asking for each of them is cheaper."""
    most = 4 * n + 1000
    asked = {
        "tags": tags.tolist(),
        "from": moment(int(time.min())),
        "to": moment(int(time.max())),
        "most": most,
    }
    async with conn.cursor() as cursor, cursor.copy(query("copy_standing"), asked) as copy:
        packed = b"".join([bytes(part) async for part in copy])
    found = np.frombuffer(packed[len(HEADER) : -len(TRAILER)], STANDING)
    return found if len(found) < most else None


def against_standing(frame: Frame, standing: Rows) -> tuple[Outcomes, NDArray[np.bool_]]:
    """(outcome, whether nothing stands there yet) of each sample. What an earlier attempt
    at this very piece stored counts as stored."""
    m = len(standing)
    tag = np.concatenate((standing["tag"].astype(np.int32), frame.tag))
    time = np.concatenate((standing["time"].astype(np.int64) + POSTGRES_EPOCH, frame.time))
    value = np.concatenate((standing["value"].astype(np.float64), frame.value))
    order = np.lexsort((np.arange(len(tag)), time, tag))
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(tag[order]) != 0) | (np.diff(time[order]) != 0)
    leader = np.empty(len(order), np.intp)
    leader[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    of_frame = leader[m:]
    fresh = of_frame >= m
    outcomes = against(frame.value, value[of_frame])
    received = np.append(standing["received"].astype(np.int64) + POSTGRES_EPOCH, 0)
    own = ~fresh & (received[np.where(fresh, m, of_frame)] == frame.received)
    first = own & (np.arange(len(frame)) == _first_of(of_frame))
    outcomes[first] = Outcome.STORED
    return outcomes, fresh


def _first_of(key: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each place the first place with the same key."""
    _, first, back = np.unique(key, return_index=True, return_inverse=True)
    return first[back]
