"""A line of a rise goes to who holds its roles when it is sent, as a rung's notice does."""

from alerts.people import Contact, Directory, Person
from domain.alarms import Kind, Notice
from domain.cases import Level
from domain.roster import Duty
from tests.support.builders import ENTERPRISE, PARK, SOURCE
from tests.support.risk import said
from tests.support.telling import LEVEL, Room, Table
from tests.support.warned import Watched

CHANGE_S = 100
"""When zhang goes home."""
SHIFTS = (("zhang", -60, CHANGE_S), ("li", CHANGE_S, 90_000))


def directory(**duties: tuple[tuple[str, int, int], ...]) -> Directory:
    """Who holds which role when; SM: zhang, then li, where the test says nothing else."""
    codes = ("zhang", "li", "wang")
    people = {code: Person(code, code, ways=(Contact("mqtt", code),)) for code in codes}
    rosters = {"SM": SHIFTS} | duties
    held = {
        (role.replace("_", "-"), PARK if role in ("PK", "CO", "CI") else ENTERPRISE): (
            Duty(role, ("x",), (), (Table(tuple(rows)),)),
        )
        for role, rows in rosters.items()
    }
    return Directory({}, people, held)


def colour(watched: Watched, word: str) -> None:
    """An officer sets the colour."""
    officer = said("colour_set", SOURCE, watched.seconds, colour=word)
    watched.inputs = [officer]
    watched.warnings.heard([officer])
    watched.wait(1)


def to(room: Room, person: str) -> list[tuple[float, Notice, str]]:
    """(second, line, what the channel did) of the lines of a rise to red that a person got."""
    return [
        (round(second), notice, did)
        for second, notice, did in room.line.tried
        if notice.person == person and notice.step is None and notice.body["reason"] == "risen"
    ]


async def rises(room: Room, before_s: int = 60) -> None:
    """Orange, signed by all, and red before the shift change."""
    colour(room.watched, "orange")
    await room.wait(5)
    for level in (Level.ENTERPRISE, Level.PARK, Level.COUNTY):
        room.watched.act("receive", level)
    await room.wait(before_s, 5)
    colour(room.watched, "red")


def down_until(second: float):
    return lambda now, notice: "no network" if now < second else "takes"


async def test_who_goes_home_before_his_line_arrives_is_not_tried_any_more_his_relief_is():
    async with Room(directory(), down_until(CHANGE_S)).open() as room:
        await rises(room)
        await room.wait(120, 5)
    assert {did for _, _, did in to(room, "zhang")} == {"no network"}
    [(second, told, did)] = to(room, "li")
    assert (did, second > CHANGE_S) == ("takes", True)
    body = told.body
    assert (body["roles"], body["colour"], body["before"]) == (["SM"], "red", "orange")
    assert (body["person"], body["n"]) == ("li", room.watched.case.risen)
    assert "红色" in str(body["text"])


async def test_a_line_that_arrived_before_the_shift_change_is_not_told_again():
    async with Room(directory()).open() as room:
        await rises(room)
        await room.wait(300, 5)
    assert len(to(room, "zhang")) == 1
    assert to(room, "li") == []


async def test_who_is_told_already_is_not_told_again_when_his_colleague_goes_home():
    both = (("zhang", -60, CHANGE_S), ("li", -60, 90_000))

    def mood(now: float, notice: Notice) -> str:
        return "no network" if notice.person == "zhang" else "takes"

    async with Room(directory(SM=both), mood).open() as room:
        await rises(room)
        await room.wait(200, 5)
    assert [did for _, _, did in to(room, "li")] == ["takes"]
    assert max(second for second, *_ in to(room, "zhang")) < CHANGE_S


async def test_the_relief_who_heard_by_a_rung_of_the_rise_gets_no_line_besides():
    """wang holds a role that red tells at once; li relieves zhang beside him."""
    shifts = (("zhang", -60, CHANGE_S), ("li", CHANGE_S, 90_000), ("wang", CHANGE_S, 90_000))
    at_once = (("wang", -60, 90_000),)
    async with Room(directory(SM=shifts, CI=at_once), down_until(CHANGE_S)).open() as room:
        await rises(room)
        await room.wait(120, 5)
    assert to(room, "wang") == []
    assert len(to(room, "li")) == 1


async def test_who_keeps_one_of_two_roles_is_told_and_so_is_who_took_the_other():
    stays = (("zhang", -60, 90_000),)
    async with Room(directory(HD_main=stays), down_until(CHANGE_S)).open() as room:
        await rises(room)
        await room.wait(300, 5)
    taken = {
        who: [one for _, one, did in to(room, who) if did == "takes"] for who in ("zhang", "li")
    }
    assert [one.body["roles"] for one in taken["zhang"]] == [["HD-main"]]
    assert [one.body["roles"] for one in taken["li"]] == [["SM"]]


async def test_where_nobody_holds_the_role_any_more_the_line_still_goes_out():
    gap = (("zhang", -60, CHANGE_S),)
    async with Room(directory(SM=gap), down_until(CHANGE_S)).open() as room:
        await rises(room)
        await room.wait(120, 5)
    assert [did for _, _, did in to(room, "zhang")][-1] == "takes"


async def test_a_line_that_waits_says_what_is_true_when_it_goes_out():
    """Its words come from the case as it is then, as those of a rung do."""
    always = (("zhang", -60, 90_000),)
    async with Room(directory(SM=always), down_until(CHANGE_S)).open() as room:
        await rises(room)
        await room.wait(5)
        room.watched.raises(Kind.H, LEVEL, 8.5)
        await room.wait(120, 5)
    first, *_, last = [one for _, one, _ in to(room, "zhang")]
    assert first.id == last.id
    assert first.created == last.created
    assert last.body["n"] == first.body["n"]
    assert first.body["worst_alarm"] is None
    assert last.body["worst_alarm"] is not None
