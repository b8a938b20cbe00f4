"""First-out 首出 of a group of alarms: one trip, one unit, one declared cause. Pure.

Candidates are the alarms that are heard within the group window of the first one heard. First is
the earliest by source timestamp, then by scan order (domain.md 5.4). Timestamps of two clocks do
not order what lies within the window: then the order is uncertain. What is first stays first until
the group is reset.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from alerts.annunciation import Annunciation

Place = tuple[datetime, int]
"""Source timestamp, order within the scan."""


@dataclass(frozen=True, slots=True)
class FirstOut:
    """A group since its reset. opened: when its first alarm was heard; earliest: by clock, of the
    candidates, one memory for all states of a group. later: alarms that came when the window was
    over."""

    opened: datetime | None = None
    first: UUID | None = None
    place: Place | None = None
    clock: int | None = None
    earliest: dict[int | None, Place] = field(default_factory=dict)
    candidates: int = 0
    later: int = 0

    def uncertain(self, window_s: float) -> bool:
        """Whether another clock has a candidate so close to the first that either may be it."""
        if self.place is None:
            return False
        window = timedelta(seconds=window_s)
        return any(
            place[0] - self.place[0] <= window
            for clock, place in self.earliest.items()
            if clock != self.clock
        )


def hear(state: FirstOut, heard: Annunciation, window_s: float) -> FirstOut:
    """The group after an alarm of it."""
    place = heard.onset, heard.order
    if state.opened is None or state.place is None:
        return FirstOut(heard.at, heard.occurrence, place, heard.clock, {heard.clock: place}, 1)
    if heard.at - state.opened > timedelta(seconds=window_s):
        return replace(state, later=state.later + 1)
    known = state.earliest.get(heard.clock, place)
    state.earliest[heard.clock] = min(known, place)
    after = replace(state, candidates=state.candidates + 1)
    if place < state.place:
        after = replace(after, first=heard.occurrence, place=place, clock=heard.clock)
    return after
