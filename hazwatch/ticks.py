"""Up to when time may pass for what needs no sample.

A delay that runs out on a held value is judged by a tick. A tick that ran ahead of samples still on
their way would find what no undisturbed run finds: a return that the next sample contradicts. So
ticks keep `SLACK` behind what was heard last, and stand still while we are deaf: after a start or
a reconnection until what the broker kept has been read, and while a connection is lost or silent.
After `DEAF`, however the connection flaps, safety wins: time passes, and held values count.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

SLACK = timedelta(seconds=1)
"""How much later than its fellows a message may come."""
SETTLED_S = 1.0
"""So long after connecting the first messages must have come."""
SMALL_LAG = timedelta(seconds=2)
"""A batch no older than this shows that the backlog has been read."""
DEAF = timedelta(seconds=10)
"""Nobody is waited for longer than this."""


class TickTime:
    """The instant for the next tick, on the time line of the stamps.

    unheard: for how long there may be messages that were not judged, None: none can come in now.
    reached: up to when time had passed before. now: where the line stands at the start.
    """

    def __init__(
        self, unheard: Callable[[], timedelta | None], reached: datetime, now: datetime
    ) -> None:
        self._unheard = unheard
        self._reached = reached
        self._heard = now
        self._up_since: float | None = None
        self._current = False

    def saw(self, lag: timedelta) -> None:
        """The newest sample of a batch that was judged was this old when it came."""
        self._current |= lag <= SMALL_LAG

    def up_to(self, now: datetime, elapsed: float) -> datetime:
        """Up to when time may pass at `now`; never runs backwards."""
        unheard = self._unheard()
        if unheard is None:
            self._up_since, self._current = None, False
        elif self._hears(elapsed):
            self._heard = now
            # Negative for a moment where the wall clock was set back.
            self._reached = max(self._reached, now - SLACK - max(timedelta(0), unheard))
        if now - self._heard > DEAF:
            self._reached = max(self._reached, now - SLACK)
        return self._reached

    def _hears(self, elapsed: float) -> bool:
        if self._up_since is None:
            self._up_since, self._current = elapsed, False
        lasted = elapsed - self._up_since
        return lasted > SETTLED_S and (self._current or lasted > DEAF.total_seconds())
