"""`JudgedTimes`: up to when each tag was judged, and the times at which samples are evaluated."""

import numpy as np
from numpy.typing import NDArray

from domain.frame import Flag, Frame, Ints
from domain.instant import NEVER

Ids = NDArray[np.int32]
NOT_OWN_TIME = Flag.HISTORY | Flag.SHIFTED | Flag.STUCK
"""Of a row that was not judged, or is not stored under the time that its sender gave it."""


class JudgedTimes:
    """Two instants per tag id, int64 microseconds, `NEVER` where there is none; changed in place.

    event: the stored time of the newest sample judged; what is not newer is late. at: the time of
    the tag's last evaluation. It only rises, as the engine asks for: a sample of a sound clock
    that comes after an evaluation at received time, and lies before it, is evaluated 1 µs after
    that one instead of being silenced.
    """

    def __init__(self) -> None:
        self.event: Ints = np.full(1024, NEVER, np.int64)
        self.at: Ints = np.full(1024, NEVER, np.int64)

    def reach(self, tag: int) -> None:
        """Have room for this tag id."""
        missing = tag + 1 - len(self.at)
        if missing > 0:
            more = np.full(max(missing, len(self.at)), NEVER, np.int64)
            self.event = np.concatenate((self.event, more))
            self.at = np.concatenate((self.at, more))

    def seed(self, tag: Ids, at: Ints, event: Ints | None = None) -> None:
        """Set what an earlier process knew; event None: nothing is known of it, and it stays."""
        self.reach(int(tag.max(initial=0)))
        self.at[tag] = at
        if event is not None:
            self.event[tag] = event

    def forget(self, tag: Ids, floor: int) -> None:
        """These tags' times begin anew: nothing after `floor` counts as judged."""
        self.event[tag] = np.minimum(self.event[tag], floor)

    def evaluate(self, tag: Ids, time: Ints, flags: NDArray[np.int16], received: int) -> Ints:
        """When each sample of a frame is evaluated, int64[n]; remembers the last of each tag.

        tag: sorted; of each tag the samples that are judged rise in `time`. A sample is evaluated
        at its time, with `AT_RECEIVED` at received, but after the one before it, by 1 µs at
        least. A function of stored columns and of what was judged before: so it comes out the
        same when rows are judged again.
        """
        at = np.where((flags & Flag.AT_RECEIVED) != 0, np.int64(received), time)
        live = np.flatnonzero((flags & Flag.HISTORY) == 0)
        if len(live) == 0:
            return at
        tags = tag[live]
        rising = np.maximum(at[live], self.at[tags] + 1)
        if ((tags[1:] == tags[:-1]) & (rising[1:] <= rising[:-1])).any():
            rising = _strictly_rising(tags, rising)
        at[live] = rising
        self.at[tags] = rising
        return at

    def again(self, frame: Frame) -> Frame:
        """Stored rows of one receive stamp as the frame that was judged: sorted, with `at` set.

        The `at` of `frame` is not read. For judging again what came after a snapshot, in order of
        received. Only what is stored under its sender's own time tells what is late afterwards:
        a time of ours that outlived the memory of its sender's clock could silence that sender.
        """
        self.reach(int(frame.tag.max(initial=0)))
        rows = frame.take(np.lexsort((frame.time, frame.tag)))
        at = self.evaluate(rows.tag, rows.time, rows.flags, rows.received)
        own = (rows.flags & NOT_OWN_TIME) == 0
        self.event[rows.tag[own]] = rows.time[own]
        return Frame(rows.tag, at, rows.time, rows.value, rows.quality, rows.flags, rows.received)


def _strictly_rising(tag: Ids, at: Ints) -> Ints:
    """`at` raised where needed, so that it rises by 1 at least within each run of a tag."""
    out = at.copy()
    starts = np.flatnonzero(np.append(True, tag[1:] != tag[:-1]))
    ends = np.append(starts[1:], len(tag))
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        steps = np.arange(end - start)
        out[start:end] = np.maximum.accumulate(at[start:end] - steps) + steps
    return out
