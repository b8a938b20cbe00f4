"""Time that goes on whatever becomes of the wall clock: readings, and timers that outlive a
process. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a worker's clock said.

    elapsed: monotonic seconds, comparable between readings of the same `boot` only (the machine's
    boot id, so that a restarted process goes on reckoning on the same line).
    """

    at: datetime
    elapsed: float
    boot: str


def passed_s(since: ClockReading, now: ClockReading) -> float:
    """Seconds between two readings: monotonic on one machine's run, else by the wall clock.

    Never negative.
    """
    if since.boot == now.boot:
        return max(0.0, now.elapsed - since.elapsed)
    return max(0.0, (now.at - since.at).total_seconds())


@dataclass(frozen=True, slots=True)
class Timer:
    """`left_s` seconds were still to go when the clock said `mark`."""

    left_s: float
    mark: ClockReading

    def remaining_s(self, now: ClockReading) -> float:
        """Seconds to go; 0 or less: its time has come."""
        return self.left_s - passed_s(self.mark, now)

    def resumed(self, now: ClockReading) -> "Timer":
        """The same timer on the monotonic clock of this machine's run; itself if it is there."""
        if self.mark.boot == now.boot:
            return self
        return Timer(self.remaining_s(now), now)
