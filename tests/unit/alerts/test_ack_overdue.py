"""Alarms that the console leaves 确认超时: when others of the enterprise hear of them, and who."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.ack_overdue import AckWatch, overdue_notices
from alerts.asking import asks
from alerts.people import Contact, Directory, Person
from domain.alarms import Alarm, Flag, Kind, Notice, Priority, State
from domain.elapsed import ClockReading
from domain.escalation import LadderError, Unacknowledged, default, read
from domain.frame import Lane
from domain.roster import Duty
from tests.support.builders import ENTERPRISE, SOURCE, at, registry, tag

PLANT = registry(tag(1, "LI1", limits={Kind.H: 8.0, Kind.HH: 9.0}))
H_ACK = 600
"""Seconds of the policy (domain research 4.4)."""
HIGH = Alarm(
    UUID(int=9), Lane.LIVE, Kind.H, 1, SOURCE, ENTERPRISE, Priority.P3, State.UNACK,
    at(0), at(0), 9.0, 8.0, 9.0, text="high",
)  # fmt: skip


def reading(seconds: float, wall: float | None = None) -> ClockReading:
    return ClockReading(at(seconds if wall is None else wall), seconds, "boot")


def watch(*alarms, now: float = 0) -> AckWatch:
    made = AckWatch()
    made.saw(PLANT, alarms, reading(now))
    return made


def heard(made: AckWatch, known, now: ClockReading):
    found = {one.id: one for one in known}
    return [one.id for one, _ in made.overdue(found.get, now)]


def test_it_is_told_once_when_the_policys_time_is_over_and_not_before():
    made = watch(HIGH)
    assert heard(made, [HIGH], reading(H_ACK - 1)) == []
    assert heard(made, [HIGH], reading(H_ACK)) == [HIGH.id]
    made.saw(PLANT, [replace(HIGH, worst=9.9, n=2)], reading(H_ACK + 1))
    assert heard(made, [HIGH], reading(10 * H_ACK)) == []


@pytest.mark.parametrize(
    "now",
    [
        replace(HIGH, state=State.ACKED),
        replace(HIGH, shelved=Flag(at(1), at(7200), "li.na", "known")),
        replace(HIGH, suppressed=Flag(at(1), None, "hazwatch", "parent")),
        replace(HIGH, out_of_service=Flag(at(1), None, "li.na", "repair")),
        None,
    ],
)
def test_nobody_hears_of_what_is_acknowledged_silenced_or_closed(now):
    made = watch(HIGH)
    assert heard(made, [now] if now else [], reading(H_ACK)) == []


def test_what_returned_unacknowledged_is_still_left():
    back = replace(HIGH, state=State.RTNUN)
    assert heard(watch(HIGH), [back], reading(H_ACK)) == [HIGH.id]


def test_history_is_nobodys_to_acknowledge():
    assert heard(watch(replace(HIGH, lane=Lane.REPLAY)), [HIGH], reading(H_ACK)) == []


def test_one_that_has_to_be_acknowledged_again_goes_on_where_it_stopped_and_is_told_again():
    made = watch(HIGH)
    assert heard(made, [HIGH], reading(H_ACK)) == [HIGH.id]
    acked = replace(HIGH, state=State.ACKED)
    made.saw(PLANT, [acked], reading(700))
    again = replace(HIGH, answered_s=3600.0, onset_last=HIGH.onset)
    made.saw(PLANT, [again], reading(4300))
    assert heard(made, [again], reading(4300)) == [HIGH.id]


@pytest.mark.parametrize("wall", [-3600, 3600])
def test_a_step_of_the_wall_clock_moves_nothing(wall):
    made = watch(HIGH)
    assert heard(made, [HIGH], reading(H_ACK - 1, H_ACK - 1 + wall)) == []
    assert heard(made, [HIGH], reading(H_ACK, H_ACK + wall)) == [HIGH.id]


def test_after_a_start_what_is_late_already_is_told_at_once_with_the_ids_of_before():
    late = heard(watch(HIGH, now=5000), [HIGH], reading(5000))
    assert late == [HIGH.id]
    assert [one.id for one in told(HIGH, 600)] == [one.id for one in told(HIGH, 5000)]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 400)), max_size=30))
def test_never_before_its_time_and_once_for_each_wait(steps):
    made, known, now = AckWatch(), {}, 0.0
    told: list[tuple[UUID, object]] = []
    for n, waiting, later in steps:
        now += later
        one = replace(HIGH, id=UUID(int=n), onset=at(100 * n), effective=at(100 * n))
        known[one.id] = replace(one, state=State.UNACK if waiting else State.ACKED)
        made.saw(PLANT, [known[one.id]], reading(now))
        for found, since in made.overdue(known.get, reading(now)):
            assert found.state is State.UNACK
            assert (at(now) - since).total_seconds() >= H_ACK
            told.append((found.id, since))
        waits = [one.id for one in known.values() if one.state is State.UNACK]
        late = {id for id in waits if now - 100 * id.int >= H_ACK}
        assert late <= {id for id, _ in told}


CHEN = Person("chen", "陈静", ways=(Contact("webhook", "https://a.example.com/chen"),))
DESK = Contact("webhook", "https://a.example.com/desk")


def told(one, now: float, contacts=None, ladder=None) -> list[Notice]:
    body: dict[str, object] = {"type": "alarm", "transition": {"event": "raise"}, "text": "high"}
    known = contacts or {("SM", ENTERPRISE): [DESK]}
    return overdue_notices(ladder or default(), PLANT, known, one, one.onset, body, at(now))


def test_the_safety_manager_hears_what_where_and_for_how_long():
    (notice,) = told(HIGH, H_ACK)
    assert (notice.channel, notice.recipient) == (DESK.channel, DESK.address)
    assert notice.occurrence == HIGH.id
    body = notice.body
    assert (body["reason"], body["role"], body["unnamed"]) == ("unacknowledged", "SM", False)
    assert body["text"] == "确认超时 not acknowledged for 10 min: high"
    assert body["transition"] is None
    assert asks(notice), "an acknowledgement withdraws it"


def test_who_holds_several_of_its_roles_is_told_once_as_all_of_them():
    roles = default().roles
    both = Unacknowledged((roles["SM"], roles["HD-technical"]), frozenset(Priority))
    duties = {(role, SOURCE): (Duty(role, ("E1",), ("chen",)),) for role in ("SM", "HD-technical")}
    ladder = replace(default(), unacknowledged=both)
    (notice,) = told(HIGH, H_ACK, Directory({}, {"chen": CHEN}, duties), ladder)
    assert notice.person == "chen"
    assert notice.body["role_name"] == f"{roles['SM'].name}, {roles['HD-technical'].name}"


def test_where_nobody_holds_the_role_the_log_has_it():
    (notice,) = told(HIGH, H_ACK, {("PK", ENTERPRISE): [DESK]})
    assert (notice.channel, notice.body["unnamed"]) == ("log", True)


def test_the_ladder_says_of_which_priorities():
    assert told(replace(HIGH, priority=Priority.P4), 600) == []
    assert told(HIGH, 600, ladder=replace(default(), unacknowledged=None)) == []


def test_a_ladder_that_tells_the_park_of_a_tags_alarm_is_refused():
    from importlib.resources import files

    text = files("domain").joinpath("data/escalation.toml").read_text("utf-8")
    with pytest.raises(LadderError, match="unacknowledged tells PK"):
        read(text.replace('roles = ["SM"]', 'roles = ["SM", "PK"]', 1))
