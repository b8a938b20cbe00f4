"""How late messages are that the broker holds back, by the clocks of their gateways. Pure.

A gateway's clock may be wrong by a minute before it counts as wrong, so what a message is late by
is told against the least that its gateway was late by of late: that holds the clock's own error.
Where a clock was set back meanwhile, the error changes and the lag goes on as it was.
"""

from dataclasses import dataclass

from domain.instant import SECOND
from ingest.clocks import WRONG_AFTER, GatewayClock, What

SPAN = 300 * SECOND
"""The least is that of this time and the one before."""
FRESH = 30 * SECOND
"""So long a gateway that says no more counts as late as it was."""


@dataclass(slots=True)
class Pace:
    """What is known of one gateway; microseconds.

    sent: of its last live message, judged at `at`. least, before: the least difference of the two
    in this span, which began at `began`, and in the one before.
    """

    sent: int
    at: int
    began: int
    least: int
    before: int = WRONG_AFTER
    late: int = 0

    def heard(self, sent: int, at: int) -> None:
        """Another message was judged."""
        seen = at - sent
        if sent < self.sent - SECOND:
            self.least = self.before = seen - self.late
        if at - self.began > SPAN:
            self.began, self.before, self.least = at, self.least, seen
        self.least = min(self.least, seen)
        self.late = max(0, seen - min(self.least, self.before, WRONG_AFTER))
        self.sent, self.at = sent, at


class Paces:
    """The paces of all gateways, by id."""

    def __init__(self) -> None:
        self._paces: dict[int, Pace] = {}

    def heard(self, gateway: int, clock: GatewayClock, at: int) -> None:
        """Messages of a gateway were judged at `at`; clock: as it is known now. Of one that is
        wrong, or does not tell when it sends, nothing can be said; nor of history."""
        if clock.sent is None or clock.held is not What.RIGHT:
            self._paces.pop(gateway, None)
            return
        pace = self._paces.get(gateway)
        if pace is None:
            pace = self._paces[gateway] = Pace(clock.sent, at, at, at - clock.sent)
            pace.heard(clock.sent, at)
        elif clock.sent != pace.sent:
            pace.heard(clock.sent, at)

    def late(self, gateway: int, at: int) -> int:
        """By how much its messages are late at `at`, microseconds; 0 where that is not known."""
        pace = self._paces.get(gateway)
        return pace.late if pace is not None and at - pace.at <= FRESH else 0
