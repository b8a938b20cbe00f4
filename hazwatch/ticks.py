"""Up to when time may pass for what needs no sample.

A delay that runs out on a held value is judged by a tick. A tick that ran ahead of samples still on
their way would find what no undisturbed run finds: a return that the next sample contradicts. So
ticks keep `SLACK` behind the present, and stand still while we are deaf: after a start or a
reconnection until what the broker kept has been read, and for the first `DEAF` of a lost
connection. After that safety wins, and held values count.
"""

from datetime import datetime, timedelta
from typing import Protocol

SLACK = timedelta(seconds=1)
"""How much later than its fellows a message may come."""
SETTLED = timedelta(seconds=1)
"""So long after connecting, and with small lag, the backlog has been read."""
SMALL_LAG = timedelta(seconds=2)
DEAF = timedelta(seconds=10)
"""Longer than this ticks never stand still."""


class Line(Protocol):
    """The connection to the broker."""

    @property
    def connected(self) -> bool:
        """Whether messages can come in."""
        ...

    @property
    def since(self) -> datetime:
        """From when on that is so."""
        ...


class TickTime:
    """The instant for the next tick. `start`: up to when time had passed before."""

    def __init__(self, line: Line, start: datetime) -> None:
        self._line = line
        self._reached = start
        self._lag = timedelta(0)

    def saw(self, lag: timedelta) -> None:
        """The newest sample of the last batch was this old when it came."""
        self._lag = lag

    def up_to(self, now: datetime) -> datetime:
        """Up to when time may pass at `now`; never runs backwards."""
        if self._hears(now):
            self._reached = max(self._reached, now - SLACK)
        return self._reached

    def _hears(self, now: datetime) -> bool:
        lasted = now - self._line.since
        if not self._line.connected or self._lag > SMALL_LAG:
            return lasted > DEAF
        return lasted > SETTLED
