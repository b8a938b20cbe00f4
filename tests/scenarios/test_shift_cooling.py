"""The cooling water of a works is lost, told as a shift log: six units at once, on one console.

The plant's gateway, the rules with the delays of the policy, the alarm book and the desk's flood,
all on simulated time; the worker is killed in the middle.
"""

from collections import Counter
from typing import Any

from domain.alarms import Alarm, Kind, Priority, State, Transition
from domain.instant import rfc3339
from tests.support.builders import ENTERPRISE
from tests.support.cooling import NEIGHBOUR, PUMP, plant, values
from tests.support.works import Works

TRIP_S, BACK_S = 120, 720
"""08:02:00 the pump trips, 08:12:00 it runs again."""


LIMITS = {Kind.LL, Kind.L, Kind.H}


class Shift(Works):
    """The console's shift. The log begins at 08:00:00."""

    def __init__(self) -> None:
        super().__init__(plant())

    def until(self, clock: str) -> None:
        """Every tag is read every five seconds, later every ten, until that time of day."""
        hours, minutes, seconds = map(int, clock.split(":"))
        end = (hours - 8) * 3600 + minutes * 60 + seconds
        while self.clock.seconds < end:
            self.clock.seconds += 5 if self.clock.seconds < BACK_S else 10
            now = self.clock.seconds
            lost = now - TRIP_S if now >= TRIP_S else None
            back = now - BACK_S if now >= BACK_S else None
            self.sample(**values(lost, back))
            self.next_door()
            self.pump.tick()

    def next_door(self) -> None:
        """Another enterprise, whose tank passes its limit in the middle of it all."""
        over = 220 <= self.clock.seconds < 1000
        self.publish_as("E2", "G2", {"LI-N": 85.0 if over else 50.0})

    def name(self, alarm: Alarm) -> str:
        return self.plant.tags[alarm.tag].name if alarm.tag is not None else ""

    def limits(self) -> list[Alarm]:
        """Occurrences of limits; advice is left out."""
        return [one for one in self.alarms.values() if one.kind in LIMITS]

    def raised(self) -> list[Transition]:
        limits = [one for one in self.changes if one.alarm.kind in LIMITS]
        return [change for change in limits if change.event == "raise"]

    def when(self, name: str, kind: Kind) -> str:
        """Time of day at which an alarm was raised."""
        (found,) = [
            change
            for change in self.raised()
            if (self.name(change.alarm), change.alarm.kind) == (name, kind)
        ]
        return clock(found)

    def note(self, name: str, kind: Kind) -> dict[str, Any]:
        (alarm,) = [
            one for one in self.alarms.values() if (self.name(one), one.kind) == (name, kind)
        ]
        return self.notes.get(str(alarm.id)) or {}

    def all(self, verb: str) -> None:
        """Somebody at the console does that with every open alarm."""
        for alarm in list(self.pump.book.open()):
            self.acts(verb, alarm)


def clock(change: Transition) -> str:
    return change.at.strftime("%H:%M:%S")


def test_cooling_water_is_lost_and_the_console_can_live_with_it():
    shift = Shift()

    # 08:00:00  a quiet shift
    shift.until("08:01:55")
    assert shift.raised() == []

    # 08:02:00  the pump trips: P1, heard as soon as its delay of 2 s allows; one alarm, no flood
    shift.until("08:02:10")
    (trip,) = shift.raised()
    assert (trip.alarm.tag, trip.alarm.priority, clock(trip)) == (PUMP, Priority.P1, "08:02:05")
    assert shift.floods == {}

    # 08:02:15 to 08:02:30  header pressure and flows: the tenth alarm of the desk begins a flood
    shift.until("08:02:30")
    tenth = shift.raised()[9]
    flood = shift.floods[ENTERPRISE]
    assert flood["since"] == rfc3339(tenth.at) == "2026-11-21T08:02:25Z"
    assert {change.alarm.kind for change in shift.raised()} == {Kind.L, Kind.LL}

    # the trip was the first out of the cooling water, and that is sure: one gateway, one clock
    pump = shift.note("CWP-1", Kind.LL)
    assert (pump["first_out"], pump["uncertain"], pump["under"]) == (True, False, None)
    assert not shift.note("PI-CW", Kind.L).get("first_out")

    # 08:04:00  the worker dies in the flood; up again, it knows of it and tells nothing twice
    shift.until("08:04:00")
    shift.kill()
    shift.until("08:04:10")
    assert shift.floods[ENTERPRISE]["since"] == flood["since"]
    assert shift.said_once("flood began")
    assert shift.note("CWP-1", Kind.LL) == pump

    # 08:12:00  ten minutes on: 33 alarms, all of them listed, 15 to be looked at
    shift.until("08:12:00")
    mine = [one for one in shift.limits() if one.enterprise == ENTERPRISE]
    under = {one: (shift.notes.get(str(one.id)) or {}).get("under") for one in mine}
    folded = [one for one in mine if under[one]]
    assert (len(mine), len(folded)) == (33, 18)
    for one in folded:
        assert one.priority is Priority.P3
        assert one.kind is Kind.H
        head = next(other for other in mine if str(other.id) == under[one])
        assert (head.node, shift.name(head)[:2]) == (one.node, "FI")
    folds = shift.floods[ENTERPRISE]["folds"]
    assert [(one["name"], one["count"]) for one in folds] == [(f"FI-{n}", 4) for n in range(1, 7)]

    # the neighbour's tank is an alarm by itself, on a desk that has no flood
    assert shift.when("LI-N", Kind.H).startswith("08:04:")
    assert not shift.note("LI-N", Kind.H)
    assert shift.floods.get(NEIGHBOUR) is None

    # 08:12:00  the pump runs again; all returns, is acknowledged and reset, and the flood is over
    shift.until("08:40:00")
    assert shift.floods[ENTERPRISE] is None
    assert shift.said_once("flood ended")
    shift.all("acknowledge")
    shift.all("reset")
    assert {one.state for one in shift.limits()} == {State.NORM}

    # what folded, folded on the screen: the journal has each alarm once, from raise to close
    raised = Counter(change.alarm.kind for change in shift.raised())
    assert raised == {Kind.H: 19, Kind.LL: 8, Kind.L: 7}
    closed = Counter(one.alarm.id for one in shift.changes if one.target is State.NORM)
    assert set(closed.values()) == {1}
    assert closed.keys() >= {one.id for one in shift.limits()}
