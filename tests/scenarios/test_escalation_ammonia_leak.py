"""An ammonia leak on a night when nobody answers, told as the shift log of that night.

At 08:00:00 the source leaves blue. Time is simulated; the worker is killed again and again, and
only the rows outlive it.
"""

from collections.abc import Callable
from itertools import pairwise
from uuid import UUID

import pytest

from domain.cases import CaseState, Level, Outcome, case_id
from domain.risk import Colour
from tests.support.builders import SOURCE
from tests.support.escalating import ControlRoom

FIRST_DETECTOR, SECOND_DETECTOR = UUID(int=101), UUID(int=102)
ENTERPRISE = "HD-main HD-operation HD-technical"
NIGHT = [
    ("08:00:00", f"CO {ENTERPRISE} OP PK SM"),
    ("08:04:00", "CI FR"),
    ("08:05:00", "CO-leader LH"),
    ("08:07:00", "CI-leader PR"),
    ("08:14:00", f"CI CI-leader CO CO-leader FR {ENTERPRISE} LH OP PK PR PR-leader SM"),
]
"""While nobody signs: orange at once; red at 08:04 to the new; the 5 min of orange; the 3 min of
red; after 10 min of red the telephone tree."""

Trouble = Callable[[ControlRoom], None]


def nothing(control: ControlRoom) -> None:
    """The worker runs on."""


def kill(control: ControlRoom) -> None:
    """kill -9, and up again."""
    control.restart()
    control.tick()


def kill_and_set_clock_back(control: ControlRoom) -> None:
    control.jump_s -= 3600
    kill(control)


def kill_and_set_clock_ahead(control: ControlRoom) -> None:
    control.jump_s += 3600
    kill(control)


def until(control: ControlRoom, clock: str, trouble: Trouble = nothing) -> None:
    """Let time pass until then, with trouble every 20 s."""
    hours, minutes, seconds = map(int, clock.split(":"))
    end = (hours - 8) * 3600 + minutes * 60 + seconds
    while control.elapsed < end:
        trouble(control)
        control.wait(min(20.0, end - control.elapsed))
    trouble(control)


def shift_log(control: ControlRoom) -> list[tuple[str, str]]:
    """Time of day and the roles told then, in order."""
    said: dict[int, list[str]] = {}
    for when, role in control.told:
        said.setdefault(round(when), []).append(role)
    return [
        (f"{8 + s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}", " ".join(sorted(roles)))
        for s, roles in said.items()
    ]


def leak(control: ControlRoom, trouble: Trouble = nothing) -> None:
    """08:00:00 a detector at its second stage, orange; 08:04:00 a second one, red."""
    control.see(Colour.ORANGE, alarms=(FIRST_DETECTOR,))
    until(control, "08:04:00", trouble)
    control.see(Colour.RED, alarms=(FIRST_DETECTOR, SECOND_DETECTOR))


@pytest.mark.parametrize(
    "trouble", [nothing, kill, kill_and_set_clock_back, kill_and_set_clock_ahead]
)
def test_nobody_answers_and_the_ladder_climbs_on_time_whatever_becomes_of_worker_and_clock(trouble):
    control = ControlRoom()
    leak(control, trouble)
    until(control, "09:00:00", trouble)
    assert shift_log(control) == NIGHT
    assert all(step.outcome is not Outcome.WAITING for step in control.signing)


def test_rungs_that_fell_due_while_the_worker_was_dead_are_told_when_it_is_back():
    control = ControlRoom()
    leak(control)
    until(control, "08:04:50")
    control.elapsed += 45
    control.restart()
    control.tick()
    until(control, "09:00:00")
    late = [
        ("08:05:35", roles) if clock == "08:05:00" else (clock, roles) for clock, roles in NIGHT
    ]
    assert shift_log(control) == late


def refused_verifying(control: ControlRoom, level: Level) -> int:
    status: int = control.act("verify", level, "li")["refused"]["status"]
    return status


def test_leak_is_signed_for_released_and_closed():
    control = ControlRoom()
    leak(control, kill)

    # 08:06:00  the park's desk signs; it speaks for the park and for nobody else
    until(control, "08:06:00", kill)
    assert control.receive(Level.PARK, "chen")["transition"]
    # 08:06:30  the console wakes up; the shift's own clock stops
    until(control, "08:06:30", kill)
    assert control.receive(Level.ENTERPRISE, "li")["transition"]
    assert control.receive(Level.ENTERPRISE, "wang")["already"]
    # 08:07:00  the city has not signed: the province hears of it
    until(control, "08:08:00", kill)
    assert shift_log(control) == NIGHT[:4]
    # 08:08:00  the park has called the console: the red is so
    assert refused_verifying(control, Level.ENTERPRISE) == 403
    assert control.act("verify", Level.PARK, "chen", "电话核实,确有泄漏")["transition"]
    # 08:09:00  county, city and province sign; the telephone tree is left with the fire liaison
    until(control, "08:09:00", kill)
    for level in (Level.COUNTY, Level.CITY, Level.PROVINCE):
        control.receive(level, level.name.lower())
    until(control, "08:12:00", kill)
    control.loop()
    until(control, "08:30:00", kill)
    assert shift_log(control)[4:] == [("08:14:00", "FR")]

    # 08:12:00  the shift deals with it and reports
    # 08:30:00  the park wants to release red, a detector is still above AH
    refused = control.release(Level.PARK, held="F1 two detectors at or above AH")["refused"]
    assert refused == {"status": 409, "detail": "red still holds: F1 two detectors at or above AH"}
    # 08:40:00  the gas is gone; the enterprise may not release, the park may, once
    until(control, "08:40:00", kill)
    assert "refused" in control.release(Level.ENTERPRISE, "li")
    assert control.release(Level.PARK, "chen")["transition"]
    assert "already" in control.release(Level.COUNTY, "wu")
    # 08:50 .. 09:10  one step at a time, the gateway lost for a while in between
    until(control, "08:50:00", kill)
    control.see(Colour.ORANGE)
    until(control, "08:55:00", kill)
    control.see(Colour.ORANGE, unknown=True)
    until(control, "09:00:00", kill)
    control.see(Colour.YELLOW)
    assert control.case.state is CaseState.REVIEWED
    # 09:10:00  back at blue; two persons close what was red
    until(control, "09:10:00", kill)
    control.see(Colour.BLUE)
    for who in ("chen", "wu"):
        assert control.case.state is CaseState.REVIEWED
        control.act("close", Level.PARK, who, kind="real")
    until(control, "12:00:00", kill)

    case = control.case
    assert (case.state, case.colour, case.worst) == (CaseState.CLOSED, Colour.BLUE, Colour.RED)
    assert case.id == case_id(SOURCE, 1)
    assert case.alarms == (FIRST_DETECTOR, SECOND_DETECTOR)
    assert len(shift_log(control)) == 5
    assert [change.event for change in control.changes] == [
        *("rise", "rise", "receive", "receive", "verify", "receive", "receive", "receive"),
        *("handle", "feedback", "approve"),
        *("release", "fall", "lose", "find", "fall", "calm", "propose", "close"),
    ]
    assert control.overdue == []
    assert all(after.case.n == before.case.n + 1 for before, after in pairwise(control.changes))


def test_nobody_ever_signs_and_the_gas_goes_away_so_the_case_stays_open_and_silent():
    control = ControlRoom()
    leak(control)
    until(control, "08:40:00")
    for clock, colour in (("08:50:00", Colour.ORANGE), ("09:00:00", Colour.BLUE)):
        until(control, clock)
        control.see(colour)
    until(control, "10:00:00")
    assert [case.state for case in control.book.open()] == [CaseState.OPEN]
    assert shift_log(control) == NIGHT
    # 10:00:00  the morning shift signs for it, and sees to the rest
    control.receive(Level.ENTERPRISE, "zhao")
    control.loop()
    for who in ("chen", "wu"):
        control.act("close", Level.PARK, who, kind="real")
    assert control.book.open() == []
