"""The time line on which risk ages."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alarms import Alarm
from domain.cases import ClockReading
from domain.inputs import Input

MOMENTS = ("onset", "effective", "ended", "acknowledged_at", "onset_last")
"""The instants of an occurrence that risk looks at."""


class RiskTime:
    """Begins at the wall clock and goes on at the pace of elapsed seconds, whatever becomes of the
    wall clock.

    An instant of an occurrence gets its place when it is first seen, as long ago as the wall clock
    says then, and never ahead. So a wall clock that is set ages nothing and makes nothing young,
    and a gateway whose clock is ahead holds no warning back.
    """

    def __init__(self, start: ClockReading) -> None:
        self._start = start
        self._placed: dict[UUID, tuple[Alarm, Alarm]] = {}
        self._begun: dict[UUID, tuple[datetime, datetime]] = {}

    def now(self, reading: ClockReading) -> datetime:
        """The present on this line."""
        return self._start.at + timedelta(seconds=reading.elapsed - self._start.elapsed)

    def place(self, alarms: Iterable[Alarm], reading: ClockReading) -> dict[UUID, Alarm]:
        """The same occurrences with their instants on this line, by id; others are forgotten."""
        line = self.now(reading)
        self._placed = {
            alarm.id: (alarm, self._moved(alarm, line, line - reading.at)) for alarm in alarms
        }
        return {id: placed for id, (_, placed) in self._placed.items()}

    def _moved(self, alarm: Alarm, line: datetime, ahead: timedelta) -> Alarm:
        before, placed = self._placed.get(alarm.id, (None, None))
        if placed is not None and (alarm is before or alarm == before):
            return placed
        moved: dict[str, Any] = {}
        for name in MOMENTS:
            when: datetime | None = getattr(alarm, name)
            if when is not None:
                known = before is not None and getattr(before, name) == when
                moved[name] = getattr(placed, name) if known else min(when + ahead, line)
        return replace(alarm, **moved)

    def place_inputs(self, inputs: Iterable[Input], reading: ClockReading) -> list[Input]:
        """The same inputs on this line; others are forgotten.

        What has begun got its place when that was first seen, like an occurrence, so no clock that
        is set lets a permit begin before an alarm that it must not spare. What is still to come,
        every end and every deadline is a time of the wall clock.
        """
        line, begun = self.now(reading), {}
        ahead, moved = line - reading.at, []
        for one in inputs:
            known = self._begun.get(one.id)
            begin = one.begin + ahead
            if known is not None and known[0] == one.begin:
                begin = known[1]
            if begin <= line:
                begun[one.id] = (one.begin, begin)
            until = None if one.until is None else one.until + ahead
            revoked = None if one.revoked is None else one.revoked + ahead
            moved.append(replace(one, since=begin, recorded=begin, until=until, revoked=revoked))
        self._begun = begun
        return moved
