"""The clock of an edge node, and the times that its readings and STALE marks get."""

from domain.instant import NEVER
from ingest.clocks import WRONG_AFTER
from ingest.rejection import Rejection
from ingest.sparkplug.item import Item
from ingest.sparkplug.wire import Metric
from ingest.wiretime import END, FIRST

AGO = 2 * WRONG_AFTER
"""A reading this much older than the last STALE is late, whatever the clocks."""


class NodeClock:
    """Microseconds. skew: what the node's clock is ahead of ours, by the last live message. No live
    reading is stored at or before the last STALE."""

    def __init__(self) -> None:
        self.skew = 0
        self._floor = self._newest = NEVER

    def heard(self, sent: int, at: int) -> None:
        """A live message was published at `sent` by the node's clock, and came at `at`."""
        self.skew = sent - at

    def of_reading(self, item: Item, metric: Metric, *, birth: bool, live: bool) -> int | Rejection:
        """When a reading was taken, by the node's clock: in a birth, at the birth."""
        own = None if birth or metric.time is None else metric.time * 1000
        time = own if own is not None else item.sent
        if time is None:
            time = item.at + self.skew
        if time < FIRST:
            return Rejection("too_old", f"timestamp {metric.time} is before the year 2000")
        if time >= END:
            return Rejection("bad_time", f"timestamp {metric.time} is beyond the year 9999")
        if not live:
            return time
        if self._floor - AGO < time <= self._floor:
            self._floor += 1
            time = self._floor
        ahead = item.at + self.skew + WRONG_AFTER
        self._newest = max(self._newest, min(time, ahead))
        return time

    def of_stale(self, at: int, sent: int | None) -> tuple[int, int | None]:
        """The time of a STALE at the host's time `at`, or at the node's `sent`; and when it is said
        to be published by the node's clock, None: by ours.

        Where the node's clock is far off, its other times are moved by what it is off; so this one
        is told on its clock too.
        """
        far = abs(self.skew) > WRONG_AFTER
        time = sent if sent is not None else at + self.skew if far else at
        time = max(time, self._newest + 1)
        self._floor, self._newest = max(self._floor, time), time
        return time, time if far or sent is not None else None
