"""Where samples are stored in time, and which are not judged, after the verdict on their clock."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.frame import Flag, Floats, Ints
from domain.instant import SECOND
from ingest.clocks import WRONG_AFTER, Verdict, What
from ingest.message import Message
from ingest.sender import Layout
from ingest.wiretime import FIRST

HISTORICAL_AFTER = 600 * SECOND
"""`historical` samples older than this go to history only."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Values of one message for registered tags, in order of time; one length n.

    ids: int32, slots: intp in the memory of their sender, raw: int64 times as sent, time: int64
    times as stored, value: float64, quality: int16, flags: int16. `steady` as in `Message`.
    history: which rows are not judged live, None: all are.
    """

    ids: NDArray[np.int32]
    slots: NDArray[np.intp]
    raw: Ints
    time: Ints
    value: Floats
    quality: NDArray[np.int16]
    flags: NDArray[np.int16]
    steady: bool
    history: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.ids)


def rows_of(message: Message, layout: Layout, keep: NDArray[np.bool_] | None) -> Rows:
    """The rows of a message that have a tag of ours; keep: bool over the layout, None: all."""
    ids, slots = layout.ids, layout.slots
    time, value, quality = message.time, message.value, message.quality
    if layout.rows is not None:
        time, value, quality = time[layout.rows], value[layout.rows], quality[layout.rows]
    if keep is not None:
        ids, slots = ids[keep], slots[keep]
        time, value, quality = time[keep], value[keep], quality[keep]
    return Rows(
        ids, slots, time, time, value, quality, np.zeros(len(ids), np.int16), message.steady
    )


def placed(
    rows: Rows,
    verdict: Verdict,
    received: int,
    event: Ints,
    last_raw: Ints,
    *,
    historical: bool,
    plain: bool,
) -> Rows:
    """The rows under the times they are stored at, with their flags, again in order of time.

    received: when the message came. event: int64 by tag id, the newest time judged of each tag; of
    a clock that is right, and of `historical` messages, what is not newer is late. But times that
    are out of date as a whole under a sound `sent` are compared with their sender's own alone:
    last_raw, by slot, as `Sender` keeps it. plain: nothing of the message is new.
    """
    if verdict.held is What.STUCK and not plain:
        return _at_received(rows, received, event)
    flag = Flag.SHIFTED if verdict.offset else Flag.NONE
    if verdict.at_received and not plain:
        flag |= Flag.AT_RECEIVED
    if historical:
        flag |= Flag.HISTORICAL
    flags = rows.flags | np.int16(flag)
    time = rows.raw + verdict.offset if verdict.offset else rows.raw
    rows = replace(rows, time=time, flags=flags)
    if rows.time[-1] > received + WRONG_AFTER or rows.time[0] < FIRST:
        rows = _pulled_back(rows, received)
    history = None
    if plain:
        history = np.ones(len(rows), np.bool_)
    elif verdict.trusted and verdict.at_received:
        history = rows.raw <= last_raw[rows.slots]
    elif verdict.trusted or historical:
        history = rows.time <= event[rows.ids]
        if historical:
            history |= received - rows.time > HISTORICAL_AFTER
    if not rows.steady:
        repeats = _repeats(rows)
        history = repeats if history is None else history | repeats
    if history is not None and history.any():
        rows.flags[history] |= Flag.HISTORY
        rows = replace(rows, history=history)
    return rows


def _at_received(rows: Rows, received: int, event: Ints) -> Rows:
    """Rows of a clock that stands still, under received time, +1 µs per sample of a tag."""
    last = int(event[rows.ids].max())
    # Another message of the same instant may have taken this time already.
    base = last + 1 if received <= last < received + SECOND else received
    flags = rows.flags | np.int16(Flag.STUCK | Flag.AT_RECEIVED)
    return replace(rows, time=base + _rank(rows.ids), flags=flags)


def _pulled_back(rows: Rows, received: int) -> Rows:
    """Rows that lie ahead end at received, their spacing kept; none lies before 2000."""
    time = rows.time
    ahead = time > received + WRONG_AFTER
    time = np.where(ahead, time + (received - time[-1]), time)
    time = np.where(time < FIRST, received + np.arange(len(time)), time)
    order = np.argsort(time, kind="stable")
    flags = np.where(time != rows.time, rows.flags | Flag.SHIFTED, rows.flags).astype(np.int16)
    return Rows(
        rows.ids[order],
        rows.slots[order],
        rows.raw[order],
        time[order],
        rows.value[order],
        rows.quality[order],
        flags[order],
        steady=False,
    )


def _repeats(rows: Rows) -> NDArray[np.bool_]:
    """Rows whose tag and time came earlier in the same message: the first stands."""
    order = np.lexsort((rows.time, rows.ids))
    ids, time = rows.ids[order], rows.time[order]
    again = np.zeros(len(rows), np.bool_)
    again[order[1:]] = (ids[1:] == ids[:-1]) & (time[1:] == time[:-1])
    return again


def _rank(ids: NDArray[np.int32]) -> Ints:
    """For each row how many rows of the same tag stand before it."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    first = np.append(True, ordered[1:] != ordered[:-1])
    place = np.arange(len(ids))
    rank = np.empty(len(ids), np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return rank
