"""An ammonia leak on a night shift, from the first detector to 销警, told as its shift log.

The real policy, risk model, alarm book, ladder and loop on simulated time; the worker is killed
whenever the log says so, and only the rows outlive it.
"""

from dataclasses import replace

import pytest

from alerts.people import Contact
from domain.alarms import Kind
from domain.cases import CaseState, ClosingKind, Duty, Level, Outcome
from domain.plant import TagKind
from domain.risk import Colour
from tests.support.builders import PARK, registry, tag
from tests.support.warned import Watched

FIRST, SECOND = 2, 3
PHOTO = {
    "id": "00000000-0000-0000-0000-000000000001",
    "name": "阀组.jpg",
    "type": "image/jpeg",
    "size": 3,
    "sha256": "ab",
}


@pytest.fixture
def shift() -> Watched:
    """Two ammonia detectors at one tank; the log begins at 08:00:00."""
    gas = tag(
        FIRST,
        kind=TagKind.GAS_TOXIC,
        unit="ppm",
        range=(0.0, 100.0),
        limits={Kind.H: 20.0, Kind.HH: 40.0},
    )
    liaison = {("FR", PARK): (Contact("log", "FR-desk"),)}
    return Watched(registry(gas, replace(gas, id=SECOND, name="GD-08")), contacts=liaison)


def until(shift: Watched, clock: str) -> None:
    """Let time pass, five seconds at a time."""
    hours, minutes, seconds = map(int, clock.split(":"))
    shift.wait((hours - 8) * 3600 + minutes * 60 + seconds - shift.seconds, 5)


def heard(shift: Watched, since: str = "08:00:00") -> dict[str, str]:
    """Time of day to who was told then, sorted; without the overdue."""
    return _by_clock(shift.told, since)


def overdue(shift: Watched) -> dict[str, str]:
    return _by_clock(shift.overdue, "08:00:00")


def _by_clock(told: list[tuple[float, str]], since: str) -> dict[str, str]:
    said: dict[str, list[str]] = {}
    for when, role in told:
        s = round(when)
        said.setdefault(f"{8 + s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}", []).append(role)
    return {clock: " ".join(sorted(roles)) for clock, roles in said.items() if clock >= since}


def refused(answer: dict[str, object]) -> tuple[int, str]:
    found = answer["refused"]
    assert isinstance(found, dict)
    return found["status"], found["detail"]


def test_ammonia_from_the_first_detector_to_the_closing(shift: Watched):
    # 08:00:00  GD-07 at its second stage: orange; plant, park and county hear of it at once
    shift.raises(Kind.HH, FIRST, 45.0)
    case = shift.case
    assert (case.colour, case.state, case.loop.gas_l2) == (Colour.ORANGE, CaseState.OPEN, True)
    assert refused(shift.act("verify", Level.PARK, "chen"))[0] == 409
    everybody = "CO HD-main HD-operation HD-technical OP PK SM"
    assert heard(shift) == {"08:00:00": everybody}

    # 08:03:00  GD-08, too: red; city and fire and rescue hear of it, and the worker dies
    until(shift, "08:03:00")
    shift.raises(Kind.HH, SECOND, 60.0)
    shift.kill()
    until(shift, "08:03:30")
    assert shift.case.colour is Colour.RED
    red = min(heard(shift, "08:03:00"))
    assert heard(shift, red) == {red: "CI FR"}
    assert red <= "08:03:15"

    (unverified,) = (one for one in shift.notices.values() if one.body["role"] == "FR")
    assert unverified.body["unverified"] is True

    # 签收 is missed: the legal head and the county's leader at 08:05, the province 3 min after red
    until(shift, "08:06:30")
    climbed = heard(shift, "08:04:00")
    assert climbed.pop("08:05:00") == "CO-leader LH"
    assert list(climbed.values()) == ["CI-leader PR"]

    # 08:07:00  the console signs, the park signs, the county signs; the city does so at 08:09
    until(shift, "08:07:00")
    for level, who in (
        (Level.ENTERPRISE, "li"),
        (Level.PARK, "chen"),
        (Level.COUNTY, "zhao"),
        (Level.FIRE, "fr"),
    ):
        assert shift.act("receive", level, who)["transition"]
    assert "already" in shift.act("receive", Level.ENTERPRISE, "wang")
    until(shift, "08:09:00")
    for level in (Level.CITY, Level.PROVINCE):
        shift.act("receive", level, f"desk {level.name}")

    # 08:10:00  feedback before anybody has said who deals with it, then an empty one: both refused
    until(shift, "08:10:00")
    status, why = refused(shift.act("feedback", Level.ENTERPRISE, "li", "在处理"))
    assert (status, "handling" in why) == (409, True)
    shift.act("handle", Level.ENTERPRISE, "li", "两人正压式呼吸器去关阀")
    status, why = refused(shift.act("feedback", Level.ENTERPRISE, "li", "……"))
    assert (status, "empty and stops no clock" in why) == (422, True)

    # 5 min after red nobody has verified it: the park and the county's leader hear so; at 08:12
    # the park does, and fire and rescue, told 待核实, hears that it is so
    (late,) = overdue(shift).values()
    assert late == "CO-leader PK"
    until(shift, "08:12:00")
    assert refused(shift.act("verify", Level.ENTERPRISE, "li"))[0] == 403
    before = set(shift.notices)
    assert shift.act("verify", Level.PARK, "chen", "视频与现场均确认泄漏")["transition"]
    (line,) = (one for id, one in shift.notices.items() if id not in before)
    assert (line.body["role"], line.body["reason"], line.step) == ("FR", "verified", None)
    assert "already" in shift.act("verify", Level.COUNTY, "zhao")

    # 15 min after red there is still no feedback: one level up, once; the worker dies again
    until(shift, "08:16:00")
    shift.kill()
    until(shift, "08:20:00")
    assert list(overdue(shift).values()) == ["CO-leader PK", "CI-leader PR"]

    # 08:20:00  what was done, with a photograph; the same once more is no feedback
    told = {"reading": "GD-07 18 ppm", "person": "王班长", "files": [PHOTO]}
    assert shift.act("feedback", Level.ENTERPRISE, "li", "阀门已关闭", **told)["transition"]
    status, why = refused(shift.act("feedback", Level.ENTERPRISE, "wang", "阀门已关闭。"))
    assert (status, "repeats" in why) == (409, True)

    # 08:25:00  the gas is gone, acknowledged and reset; red still holds for the model's own time
    until(shift, "08:25:00")
    for detector in (FIRST, SECOND):
        shift.returns(Kind.HH, detector)
    shift.acknowledge()
    shift.reset()
    assert refused(shift.act("release", Level.PARK, "chen"))[0] == 409
    assert refused(shift.act("close", Level.PARK, "chen", kind="real"))[0] == 409

    # 08:30:00  who fed back does not review; the park does
    until(shift, "08:30:00")
    assert refused(shift.act("review", Level.ENTERPRISE, "li", approve=True))[0] == 403
    assert shift.act("review", Level.PARK, "chen", "现场核实", approve=True)["transition"]

    # 09:30:00  red waits for a person: not the enterprise, the park
    until(shift, "09:30:00")
    assert shift.case.colour is Colour.RED
    assert refused(shift.act("release", Level.ENTERPRISE, "li"))[0] == 403
    assert shift.act("release", Level.PARK, "chen")["transition"]
    assert shift.cases[case.id].colour.name == "ORANGE"

    # 09:35:00  two persons close what was red; it is settled, and waits for blue
    until(shift, "09:35:00")
    first = shift.act("close", Level.PARK, "chen", "处置完毕", kind="real")
    assert "another person" in str(first["note"])
    assert refused(shift.act("close", Level.PARK, "chen", kind="real"))[0] == 409
    shift.kill()
    until(shift, "09:36:00")
    assert shift.act("close", Level.COUNTY, "zhao", kind="real")["transition"]
    assert shift.case.state.value == "settled"

    # 10:30:00  yellow, blue: closed; nobody has heard a word too much
    until(shift, "10:30:00")
    closed = shift.case
    assert (closed.id, closed.state) == (case.id, CaseState.CLOSED)
    assert (closed.colour, closed.worst) == (Colour.BLUE, Colour.RED)
    closing = closed.loop.closing
    assert closing is not None
    assert (closing.kind, closing.by, closing.second) == (ClosingKind.REAL, "chen", "zhao")
    assert len(overdue(shift)) == 2
    events = [change.event for change in shift.changes if change.event != "refer"]
    assert events[-6:] == ["release", "fall", "propose", "close", "fall", "calm"]
    assert (events.count("feedback"), events.count("verify")) == (1, 1)
    steps = shift.steps.values()
    assert all(step.outcome is not Outcome.WAITING for step in steps)
    assert {step.outcome for step in steps if step.duty is Duty.CLOSE} == {Outcome.ANSWERED}


def test_what_nobody_reports_on_is_told_and_what_nobody_closes_too(shift: Watched):
    shift.raises(Kind.HH, FIRST, 45.0)
    shift.acknowledge()
    for level in Level:
        shift.act("receive", level, level.name)
    until(shift, "08:20:00")
    shift.returns(Kind.HH, FIRST)
    shift.reset()
    # the gas is gone, orange stays for its time: feedback is due at 08:30 whatever the gas does
    until(shift, "08:31:00")
    late = overdue(shift)
    shift.wait(4 * 3600, 30)
    assert shift.case.colour is Colour.BLUE
    shift.wait(8 * 3600, 30)
    assert shift.case.state is CaseState.RECEIVED
    assert list(overdue(shift).values()) == [*late.values(), "CO-leader LH"]
    assert list(overdue(shift))[-1].startswith("20:00")
