"""First-out 首出 of a group of alarms: one trip, one unit, one declared cause. Pure.

Candidates are the alarms that are heard within the group window of the first one heard. First is
the earliest by source timestamp, then by scan order (domain.md 5.4). Timestamps of two clocks order
nothing: where candidates have more than one, the order is uncertain. What is first stays first
until the group is reset.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from alerts.annunciation import Annunciation

Place = tuple[datetime, int]
"""Source timestamp, order within the scan."""


@dataclass(frozen=True, slots=True)
class FirstOut:
    """A group since its reset. opened: when its first alarm was heard; clocks: of the candidates.
    later: alarms that came when the window was over."""

    opened: datetime | None = None
    first: UUID | None = None
    place: Place | None = None
    clocks: frozenset[int | None] = frozenset()
    candidates: int = 0
    later: int = 0

    @property
    def uncertain(self) -> bool:
        """Whether any of several may be the first: their clocks are not one."""
        return len(self.clocks) > 1


def hear(state: FirstOut, heard: Annunciation, window_s: float) -> FirstOut:
    """The group after an alarm of it."""
    place = heard.onset, heard.order
    if state.opened is None or state.place is None:
        return FirstOut(heard.at, heard.occurrence, place, frozenset({heard.clock}), 1)
    if heard.at - state.opened > timedelta(seconds=window_s):
        return replace(state, later=state.later + 1)
    clocks = state.clocks | {heard.clock}
    after = replace(state, clocks=clocks, candidates=state.candidates + 1)
    if place < state.place:
        after = replace(after, first=heard.occurrence, place=place)
    return after
