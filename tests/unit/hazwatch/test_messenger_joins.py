"""Who holds several roles 一人多岗 is told once of what is said to each of them at one instant."""

import pytest

from alerts.people import Contact, Directory, Person
from domain.alarms import Kind, Notice
from domain.cases import Level
from domain.roster import Duty
from tests.support.builders import ENTERPRISE, PARK
from tests.support.telling import GAS, Room, Table

OURS = ("OP", "SM", "HD-operation", "HD-technical", "HD-main")


def small(*roles: str, rows=(), fallback=None, channels=("mqtt",)) -> Directory:
    """An enterprise where one person, or one roster, holds all of these roles; li is the desk."""
    codes = ("zhang", "wang", "li")
    people = {code: Person(code, code, ways=tuple(_ways(code, channels))) for code in codes}
    rosters = (Table(tuple(rows)),) if rows else ()
    names = () if rows or fallback else ("zhang",)
    held = {(role, ENTERPRISE): (Duty(role, ("x",), names, rosters, fallback),) for role in roles}
    return Directory({}, people, held | {("PK", PARK): (Duty("PK", ("p",), ("li",)),)})


def _ways(code, channels):
    return [Contact(channel, f"{channel}:{code}") for channel in channels]


def to(room: Room, person: str):
    """(second, notice, what the channel did) of what was sent to a person, or to an address."""
    return [
        (round(second), notice, did)
        for second, notice, did in room.line.tried
        if person in (notice.person, notice.recipient)
    ]


def delivered(room: Room) -> float:
    labels = {"channel": "mqtt", "outcome": "delivered"}
    return room.metrics.get_sample_value("hazwatch_notices_total", labels) or 0.0


async def test_one_person_of_five_roles_gets_one_notice_that_names_them_and_five_are_delivered():
    async with Room(small(*OURS)).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
        assert delivered(room) == len([one for one in room.watched.notices.values() if one.person])
    own = [one for one in room.watched.notices.values() if one.person == "zhang"]
    assert len(own) >= 3
    [(_, told, _)] = to(room, "zhang")
    body = told.body
    assert body["roles"] == [one.body["role"] for one in own]
    assert body["steps"] == [one.step for one in own]
    assert body["notices"] == [str(one.id) for one in own]
    assert str(body["role_name"]).split(", ") == [one.body["role_name"] for one in own]
    assert str(body["text"]).endswith(f"as {', '.join(str(one.body['role']) for one in own)}")


async def test_what_is_not_taken_is_tried_again_as_one_with_the_same_id_on_every_channel():
    contacts = small(*OURS, channels=("mqtt", "webhook"))
    async with Room(contacts, lambda *_: "refused").open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(250, 5)
    first = [(s, one.channel) for s, one, _ in to(room, "zhang") if one.body["after_s"] == 0]
    waits = [(s, "mqtt") for s in (0, 30, 90, 210)]
    assert first == [*waits, (210, "webhook"), (240, "webhook")]
    at_once = {one.id for _, one, _ in to(room, "zhang") if one.body["after_s"] == 0}
    assert len(at_once) == 1


async def test_who_signed_leaves_the_joined_notice_and_nothing_is_sent_twice():
    """A signature while the line is down takes every member out at once."""
    async with Room(small(*OURS), lambda s, _: "refused" if s < 20 else "takes").open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(10)
        room.watched.act("receive", Level.ENTERPRISE)
        await room.wait(60)
    assert [did for _, _, did in to(room, "zhang")] == ["refused"]


async def test_a_member_that_nobody_needs_any_more_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch,
):
    async with Room(small(*OURS), lambda s, _: "refused" if s < 20 else "takes").open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(10)
        needed = room.watched.warnings.wanted

        def wanted(notice: Notice) -> bool:
            return needed(notice) and notice.body["role"] != "SM"

        monkeypatch.setattr(room.watched.warnings, "wanted", wanted)
        await room.wait(60)
    (_, first, _), (_, second, did) = to(room, "zhang")[:2]
    assert "SM" in first.body["roles"]
    assert second.body["roles"] == [role for role in first.body["roles"] if role != "SM"]
    assert did == "takes"
    assert second.id != first.id


async def test_at_a_shift_change_the_relief_is_told_once_for_all_roles():
    rows = [("zhang", -60, 20), ("wang", 20, 9000)]
    async with Room(small(*OURS, rows=rows), lambda s, _: "no" if s < 20 else "takes").open() as r:
        r.watched.raises(Kind.HH, GAS, 45.0)
        await r.wait(60)
    assert len(to(r, "zhang")) == 1
    [(_, told, _)] = to(r, "wang")
    assert len(told.body["roles"]) >= 3


async def test_who_stands_in_for_several_roles_is_told_once_for_which():
    async with Room(small(*OURS, fallback="wang")).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    [(_, told, _)] = to(room, "wang")
    text, roles = str(told.body["text"]), ", ".join(told.body["roles"])
    assert text.count("you stand in") == 1
    assert f"nobody is on duty for {roles}: you stand in" in text
    assert told.body["stand_in"] is True


async def test_an_address_of_several_roles_gets_one_notice_and_two_persons_one_each():
    addresses = {(role, ENTERPRISE): (Contact("mqtt", "robot"),) for role in OURS}
    async with Room(addresses).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    assert len(to(room, "robot")) == 1
    people = {code: Person(code, code, ways=tuple(_ways("same", ["mqtt"]))) for code in ("a", "b")}
    both = {(role, ENTERPRISE): (Duty(role, ("x",), ("a", "b")),) for role in OURS}
    async with Room(Directory({}, people, both)).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    assert [one.person for _, one, _ in to(room, "mqtt:same")] == ["a", "b"]


async def test_more_roles_than_a_server_takes_at_once_are_still_one_notice():
    """Twenty persons of five roles at one server are twenty notices."""
    codes = [f"p{n}" for n in range(20)]
    people = {code: Person(code, code, ways=tuple(_ways(code, ["mqtt"]))) for code in codes}
    held = {(role, ENTERPRISE): (Duty(role, ("x",), tuple(codes)),) for role in OURS}
    async with Room(Directory({}, people, held)).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    assert sorted(one.person for _, one, _ in room.line.tried if one.person) == sorted(codes)


async def test_a_later_instant_is_a_notice_of_its_own():
    async with Room(small(*OURS, "LH")).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(310, 5)
    told = to(room, "zhang")
    assert len(told) >= 2
    assert len({one.created for _, one, _ in told}) == len(told)


@pytest.mark.parametrize("lost", [True, False])
async def test_after_a_kill_it_comes_again_as_one(lost):
    """lost: it arrived, and the worker was killed before that was written down."""
    contacts = small(*OURS)
    async with Room(contacts, lambda *_: "takes" if lost else "refused").open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    again = Room(contacts)
    again.watched = room.watched
    async with again.open():
        await again.wait(5)
    [(_, before, _)], [(_, after, _)] = to(room, "zhang"), to(again, "zhang")
    assert before.id == after.id
