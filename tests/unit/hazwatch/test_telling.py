"""Who is told when a warning rises: people, shifts, quiet hours, channels that fail."""

import asyncio
from datetime import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.people import Contact, Directory, Person
from domain.alarms import Kind
from domain.cases import Level
from domain.roster import Duty, Quiet
from tests.support.builders import ENTERPRISE, PARK
from tests.support.telling import GAS, LEVEL, Room, Table, hour

UTC = ZoneInfo("UTC")


def person(code: str, *channels: str, quiet: tuple[int, int] | None = None, **more) -> Person:
    ways = tuple(Contact(channel, f"{channel}:{code}") for channel in channels or ("mqtt",))
    begin, end = (time.fromisoformat(hour(one)) for one in quiet or (0, 0))
    hours = Quiet(begin, end, UTC) if quiet else None
    return Person(code, code.title(), ways=ways, quiet=hours, **more)


def desk(*people: Person, rows=(), fallback=None, role="OP") -> Directory:
    rosters = (Table(tuple(rows)),) if rows else ()
    names = () if rows else tuple(one.code for one in people)
    node = PARK if role == "PK" else ENTERPRISE
    duty = Duty(role, ("x",), names, rosters, fallback)
    return Directory({}, {one.code: one for one in people}, {(role, node): (duty,)})


def refuses(*who: str):
    return lambda _, notice: "the receiver answered 500" if notice.person in who else "takes"


async def test_the_one_on_duty_is_told_and_his_notice_says_who_he_is():
    zhang = person("zhang", language="en")
    async with Room(desk(zhang, person("li"), rows=[("zhang", -60, 600)])).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    assert room.attempts("OP") == [(0, "zhang", "takes")]
    body = room.line.tried[0][1].body
    assert (body["person"], body["person_name"], body["language"]) == ("zhang", "Zhang", "en")
    assert body["stand_in"] is False


async def test_in_the_overlap_at_hand_over_both_are_told():
    rows = [("zhang", -60, 600), ("li", 0, 1200)]
    async with Room(desk(person("zhang"), person("li"), rows=rows)).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    assert {who for _, who, _ in room.attempts("OP")} == {"zhang", "li"}


async def test_in_a_gap_the_fallback_stands_in_and_is_told_so():
    contacts = desk(person("zhang"), person("li"), rows=[("zhang", 600, 900)], fallback="li")
    async with Room(contacts).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    assert room.attempts("OP") == [(0, "li", "takes")]
    body = room.line.tried[0][1].body
    assert body["stand_in"] is True
    assert str(body["text"]).startswith("值班表无人")


async def test_in_a_gap_without_fallback_the_log_is_told_that_nobody_is_named():
    async with Room(desk(person("zhang"), rows=[("zhang", 600, 900)])).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
    assert room.attempts("OP") == [(0, "OP", "takes")]
    assert {step.unnamed for step in room.watched.steps.values() if step.role == "OP"} == {True}


async def test_after_a_shift_change_the_next_attempt_goes_to_who_is_on_duty_then():
    rows = [("zhang", -60, 100), ("li", 100, 9000)]
    contacts = desk(person("zhang"), person("li"), rows=rows)
    async with Room(contacts, refuses("zhang")).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(400, 5)
    assert room.attempts("OP") == [
        (0, "zhang", "the receiver answered 500"),
        (30, "zhang", "the receiver answered 500"),
        (90, "zhang", "the receiver answered 500"),
        (210, "li", "takes"),
    ]


async def test_who_was_told_already_gets_nothing_again_when_his_colleague_goes_home():
    rows = [("zhang", -60, 100), ("li", -60, 9000)]
    contacts = desk(person("zhang"), person("li"), rows=rows)
    async with Room(contacts, refuses("zhang")).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(400, 5)
    assert [who for _, who, did in room.attempts("OP") if did == "takes"] == ["li"]
    assert len(room.attempts("OP")) == 4


async def test_after_four_attempts_the_next_channel_and_then_all_round_every_120_s():
    contacts = desk(person("zhang", "mqtt", "webhook"))
    async with Room(contacts, lambda *_: "refused").open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(900, 10)
    ours = [(s, n) for s, n, _ in room.rungs("OP")]
    tried = [(round(s), n.channel) for s, n in ours]
    assert tried == [
        *((s, "mqtt") for s in (0, 30, 90, 210)),
        *((s, "webhook") for s in (210, 240, 300, 420)),
        *((540, "mqtt"), (660, "webhook"), (780, "mqtt"), (900, "webhook")),
    ]
    assert len({n.id for _, n in ours}) == 1


@pytest.mark.parametrize("does", ["hangs", "the receiver answered 500", "breaks"])
async def test_a_channel_that_fails_delays_its_own_notices_alone(does):
    zhang, li = person("zhang", "mqtt"), person("li", "webhook", "mqtt")
    contacts = desk(zhang, li)

    def mood(_, notice):
        return does if notice.channel == "webhook" else "takes"

    async with Room(contacts, mood).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(500, 5)
    tried = room.attempts("OP")
    assert (0, "zhang", "takes") in tried
    to_li = [(second, did) for second, who, did in tried if who == "li"]
    late = 30 if does == "hangs" else 0
    assert [second for second, _ in to_li] == [
        *(0, 30 + late, 90 + 2 * late, 210 + 3 * late),
        210 + 4 * late,
    ]
    assert [did for _, did in to_li] == [does] * 4 + ["takes"]


async def test_quiet_hours_hold_a_yellow_back_until_they_end_and_then_it_is_asked_for_again():
    async with Room(desk(person("zhang", quiet=(-3600, 120)), person("li"))).open() as room:
        room.watched.raises(Kind.H, LEVEL, 8.5)
        room.watched.raises(Kind.H, GAS, 25.0)
        await room.wait(60)
        assert room.watched.case.colour.name == "YELLOW"
        assert room.attempts("OP") == [(10, "li", "takes")]
        await room.wait(65)
        assert room.attempts("OP") == [(10, "li", "takes"), (120, "zhang", "takes")]


async def test_what_was_signed_in_quiet_hours_is_not_told_when_they_end():
    async with Room(desk(person("zhang", quiet=(-3600, 120)), person("li"))).open() as room:
        room.watched.raises(Kind.H, LEVEL, 8.5)
        room.watched.raises(Kind.H, GAS, 25.0)
        await room.wait(60)
        room.watched.act("receive", Level.ENTERPRISE)
        await room.wait(120)
    assert room.attempts("OP") == [(10, "li", "takes")]


async def test_a_rise_to_orange_ends_quiet_hours_at_once_and_says_orange():
    async with Room(desk(person("zhang", quiet=(-3600, 7200)))).open() as room:
        room.watched.raises(Kind.H, LEVEL, 8.5)
        room.watched.raises(Kind.H, GAS, 25.0)
        await room.wait(60)
        assert room.attempts("OP") == []
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(3)
    assert [who for _, who, _ in room.attempts("OP")] == ["zhang"]
    assert room.line.tried[-1][1].body["colour"] in ("orange", "red")


async def test_nothing_goes_out_once_a_decision_is_recorded_even_before_it_is_applied():
    async with Room(desk(person("zhang")), refuses("zhang")).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
        room.decided.add(room.watched.case.id)
        await room.wait(27)
        room.watched.act("receive", Level.ENTERPRISE)
        room.decided.clear()
        await room.wait(120)
    assert [second for second, *_ in room.attempts("OP")] == [0]


async def test_a_signature_that_is_applied_while_the_database_is_asked_still_counts():
    async with Room(desk(person("zhang")), refuses("zhang")).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
        room.while_asking = lambda: room.watched.act("receive", Level.ENTERPRISE)
        await room.wait(60)
    assert [second for second, *_ in room.attempts("OP")] == [0]


async def test_a_decision_that_cannot_be_applied_silences_nobody():
    async with Room(desk(person("zhang")), refuses("zhang")).open() as room:
        room.watched.raises(Kind.HH, GAS, 45.0)
        await room.wait(5)
        room.decided.add(room.watched.case.id)
        await room.wait(60)
    assert [second for second, *_ in room.attempts("OP")] == [0, 40]


DOES = ["takes", "refused", "the receiver answered 500", "breaks", "hangs"]
shifts = st.lists(
    st.tuples(st.sampled_from(["zhang", "li"]), st.integers(-60, 400), st.integers(30, 300)).map(
        lambda row: (row[0], row[1], row[1] + row[2])
    ),
    min_size=1,
    max_size=4,
)
moods = st.dictionaries(
    st.tuples(st.sampled_from(["zhang", "li", "chen"]), st.sampled_from(["mqtt", "webhook"])),
    st.lists(st.sampled_from(DOES), min_size=1, max_size=5),
)


nights = given(shifts, moods, st.integers(0, 300), st.booleans())


@settings(max_examples=5)
@nights
@example([("zhang", 1, 31)], {("chen", "mqtt"): ["refused"]}, 26, True)
def test_nobody_is_forgotten_nothing_goes_out_needlessly_and_every_attempt_is_counted(
    rows, faults, signed, fallback
):
    _one_night(rows, faults, signed, fallback)


@pytest.mark.soak
@settings(max_examples=150)
@nights
def test_nobody_is_forgotten_in_many_nights(rows, faults, signed, fallback):
    _one_night(rows, faults, signed, fallback)


def _one_night(rows, faults, signed, fallback) -> None:
    people = [person(code, "mqtt", "webhook") for code in ("zhang", "li", "chen")]
    contacts = desk(*people, rows=rows, fallback="chen" if fallback else None)
    left = {key: list(does) for key, does in faults.items()}

    def mood(_, notice):
        here = left.get((notice.person, notice.channel))
        return here.pop(0) if here else "takes"

    async def night() -> Room:
        async with Room(contacts, mood).open() as room:
            room.watched.raises(Kind.HH, GAS, 45.0)
            await room.wait(signed, 5)
            room.watched.act("receive", Level.ENTERPRISE)
            await room.wait(150, 5)
            return room

    room = asyncio.run(night())
    tried = room.line.tried
    ours = room.rungs("OP")
    assert all(second <= signed for second, *_ in ours)
    for second, notice, _ in ours:
        _on_duty_or_nobody(rows, fallback, second, notice)
    at_once = {notice.person for second, notice, _ in ours if second == 0}
    assert at_once >= {who for who, begin, end in rows if begin <= 0 < end}
    assert ours, "somebody was tried, or the log"
    done = [notice.id for _, notice, does in tried if does == "takes"]
    assert len(done) == len(set(done)), "no notice arrives twice"
    counted = sum(
        sample.value
        for metric in room.metrics.collect()
        for sample in metric.samples
        if sample.name == "hazwatch_notices_total"
        and sample.labels["outcome"] in ("delivered", "failed", "given up")
    )
    hanging = sum(1 for s, _, does in tried if does == "hangs" and s + 30 > room.clock.elapsed())
    assert counted == len(tried) - hanging


def _on_duty_or_nobody(rows, fallback, second, notice) -> None:
    """The reference: who is on duty at the second of the attempt, by every row."""
    here = {who for who, begin, end in rows if begin <= second < end}
    expected = here or ({"chen"} if fallback else set())
    if expected:
        assert notice.person in expected
