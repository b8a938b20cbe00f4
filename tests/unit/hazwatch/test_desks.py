"""What desks are told beside their alarms, through the whole pump: floods, folds, lost sources."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.annunciation import LOST, may_lie
from alerts.digest import SILENCE_S, Digest
from alerts.layout import compile_layout
from alerts.noise_book import NoiseBook
from alerts.noise_feed import annunciation
from alerts.outgoing import Webhook
from domain.alarm_noise import noise_rules
from domain.alarms import Alarm, Kind, Notice, Priority, State, Transition
from domain.frame import Lane
from domain.plant import Gateway, Node, Registry, TagKind
from hazwatch.told_desks import NOTES_A_LOOK, DeskMemory, ToldDesks
from storage.entry import Entry, Spooled, decode, encode
from tests.support.builders import ENTERPRISE, SOURCE, at, registry, tag
from tests.support.works import Works

UNIT = 20
LEVELS = [tag(n, f"LI{n}", limits={Kind.H: 8.0}, delay_on_s=0.0, delay_off_s=0.0)
          for n in range(1, 15)]  # fmt: skip
GAS = tag(30, "GD1", kind=TagKind.GAS_TOXIC, limits={Kind.H: 8.0, Kind.HH: 50.0})
NEIGHBOUR = [
    Node(40, 1, "enterprise", "E2", "Enterprise 2", enterprise=40),
    Node(41, 40, "source", "S2", "Source 2", enterprise=40),
]
PLANT = registry(*LEVELS, GAS, nodes=NEIGHBOUR)
PEOPLE = Webhook("wecombot://KEY", frozenset(Priority), channel="apprise")


def storm(works: Works, last: int = 12, first: int = 1) -> None:
    """One level after the other passes H, a second apart; the alarm comes a second later."""
    for n in (*range(first, last + 1), last):
        step(works, 1, **{f"LI{k}": 9.0 for k in range(1, n + 1)})


def step(works: Works, seconds: float, **values: float) -> None:
    works.clock.seconds += seconds
    works.sample(**values)
    works.pump.tick()


def close(works: Works, name: str) -> Alarm:
    """It returns, and the desk has acknowledged it."""
    found = of(works, name)
    works.acts("acknowledge", found)
    for _ in range(3):
        step(works, 1, **{name: 1.0})
    assert works.alarms[found.id].state is State.NORM
    return found


def ticks(works: Works, seconds: int) -> None:
    for _ in range(seconds):
        works.clock.seconds += 1
        works.pump.tick()


def quiet(works: Works, seconds: int) -> None:
    """Everything reads on as it is."""
    for _ in range(seconds // 10):
        step(works, 10, **{f"LI{n}": 9.0 for n in range(1, 13)})


def of(works: Works, name: str, kind: Kind = Kind.H) -> Alarm:
    ids = {one.id for one in works.plant.tags.values() if one.name == name}
    [found] = [one for one in works.alarms.values() if one.kind is kind and one.tag in ids]
    return found


def told(works: Works) -> list[Notice]:
    return [notice for notice in works.notices if notice.body["type"] == "alarm"]


def alarm(notice: Notice) -> Any:
    return notice.body["alarm"]


def test_a_flood_begins_folds_by_unit_and_ends_and_each_is_said_once():
    works = Works(PLANT)
    storm(works, 9)
    assert works.floods.get(ENTERPRISE) is None
    storm(works, 12, first=10)
    flood = works.floods[ENTERPRISE]
    head = str(of(works, "LI1").id)
    assert (flood["since"], flood["heard"]) == ("2026-11-21T08:00:12Z", 3)
    [fold] = flood["folds"]
    assert (fold["first"], fold["worst"], fold["count"], fold["name"]) == (head, head, 12, "LI1")
    for name, under in (("LI2", head), ("LI9", head), ("LI12", head)):
        note = works.notes.get(str(of(works, name).id)) or {"under": None}
        assert note["under"] == under
    first = {"under": None, "suppressed": 0, "first_out": True, "uncertain": False, "repeats": 0}
    assert works.notes[head] == first
    assert works.desks[ENTERPRISE].suppressed == 11
    quiet(works, 620)
    assert works.floods[ENTERPRISE] is None
    assert works.notes[str(of(works, "LI12").id)] is None, "it stands by itself again"
    assert works.desks[ENTERPRISE].suppressed == 0
    assert works.said_once("flood began")
    assert works.said_once("flood ended")
    [span] = [one for desk in works.told for one in desk.spans if one.until]
    # three tags were never heard: the fifth-newest alarm is that of 08:00:13
    assert (span.since, span.until, span.heard) == (at(12), at(613), 6)


def test_noise_changes_no_state_no_colour_and_no_count():
    loud, calm = Works(PLANT), Works(PLANT)
    calm.pump._desks.saw = lambda *_: None  # type: ignore[method-assign]
    for works in (loud, calm):
        storm(works)
        works.sample(GD1=60.0)
        quiet(works, 30)
    assert loud.changes == calm.changes
    assert loud.risks == calm.risks
    assert any(loud.notes.values())
    assert not any(calm.notes.values())


@pytest.mark.parametrize("after", [10, 11, 12])
def test_a_worker_that_dies_in_a_flood_goes_on_in_it(after):
    straight, killed = Works(PLANT), Works(PLANT)
    for works in (straight, killed):
        storm(works, after)
        if works is killed:
            works.kill()
        storm(works, 12, first=after + 1)
        quiet(works, 60)
    assert killed.floods[ENTERPRISE] == straight.floods[ENTERPRISE]
    assert {id: note for id, note in killed.notes.items() if note} == {
        id: note for id, note in straight.notes.items() if note
    }
    assert killed.said_once("flood began")


def test_a_flood_that_ended_while_nobody_worked_is_ended_once():
    works = Works(PLANT)
    storm(works)
    began = works.desks[ENTERPRISE].flood
    assert began is not None
    works.snapshot = works.pump.snapshot()[0]
    works.clock.seconds += 3600
    works.start()
    ticks(works, 2)
    assert works.floods[ENTERPRISE] is None
    [span] = [one for desk in works.told for one in desk.spans if one.until]
    assert (span.since, span.until) == (began.since, at(609))
    assert works.said_once("flood began")
    assert works.said_once("flood ended")
    works.kill()
    ticks(works, 2)
    assert works.said_once("flood ended")


def test_what_was_first_out_stays_so_when_it_is_closed_and_the_worker_starts_anew():
    works = Works(PLANT)
    storm(works, 3)
    first = close(works, "LI1")
    works.kill()
    for _ in range(3):
        step(works, 5, LI2=9.0, LI3=9.0)
    assert works.noted[first.id][1].first_out
    assert not any(note.first_out for id, (_, note) in works.noted.items() if id != first.id)


def test_the_head_of_a_fold_that_is_closed_gives_its_place_to_the_next():
    works = Works(PLANT)
    storm(works)
    was = close(works, "LI1")
    head = of(works, "LI2")
    assert works.noted[head.id][1].under is None
    assert {works.noted[of(works, name).id][1].under for name in ("LI3", "LI12")} == {head.id}
    assert works.noted[was.id][1].first_out, "and it stays the first-out"
    assert works.floods[ENTERPRISE]["folds"][0]["first"] == str(head.id)


def test_a_head_that_is_shelved_hides_nothing():
    works = Works(PLANT)
    storm(works)
    head = of(works, "LI1")
    works.acts("shelve", head, until="2026-11-21T08:30:00Z", why="x")
    ticks(works, 2)
    assert works.alarms[head.id].shelved is not None
    open_now = {str(id) for id, one in works.alarms.items() if one.shelved is None}
    assert {note["under"] for note in works.notes.values() if note and note["under"]} <= open_now


def test_gas_in_a_flood_stands_by_itself_and_its_notice_goes_alone():
    works = Works(PLANT, hooks=(PEOPLE,))
    storm(works)
    for _ in range(20):
        step(works, 5, GD1=60.0)
    for kind in (Kind.H, Kind.HH):
        assert (works.notes.get(str(of(works, "GD1", kind).id)) or {"under": None})["under"] is None
    gas = [one for one in told(works) if alarm(one)["class"].startswith("GAS")]
    assert gas
    assert all(one.body["alone"] is True and one.body["cause"] is None for one in gas)
    folded = [one for one in told(works) if one.body["cause"]]
    causes: list[Any] = [one.body["cause"] for one in folded]
    assert {cause["name"] for cause in causes} == {"LI1"}
    assert all(Digest(over=100).fold([one], 0.0) == [] for one in folded), "they wait for a digest"
    assert Digest(over=1).fold(gas, 0.0) == [(one,) for one in gas]


def test_alarm_events_and_notices_carry_the_note_as_it_is_at_that_moment():
    works = Works(PLANT, hooks=(PEOPLE,))
    storm(works)
    said: list[Any] = [event.body for event in works.events if event.type == "alarm"]
    bodies = {body["alarm"]["id"]: body for body in said}
    late, first = of(works, "LI12"), of(works, "LI1")
    assert bodies[str(late.id)]["alarm"]["note"]["under"] == str(first.id)
    assert bodies[str(first.id)]["alarm"]["note"] is None, "then nothing was to be said"


# --- a lost source -------------------------------------------------------------------------------

SLOW = registry(
    *(tag(n, f"TI{n}", interval_s=5.0, max_silence_s=60.0) for n in range(1, 11)),
    tag(11, "LI11", interval_s=5.0, max_silence_s=600.0),
    replace(GAS, interval_s=5.0, max_silence_s=60.0),
)


def lost_source() -> Works:
    """Ten tags fall silent; the eleventh, which reports seldom, did long ago by its own right."""
    works = Works(SLOW, hooks=(PEOPLE,))
    for _ in range(12):
        works.clock.seconds += 5
        works.sample(**{f"TI{n}": 1.0 for n in range(1, 11)}, LI11=1.0, GD1=0.0)
        works.pump.tick()
    for _ in range(14):
        works.clock.seconds += 5
        works.sample(LI11=1.0)
        works.pump.tick()
    ticks(works, 720)
    return works


def test_a_lost_source_is_one_alarm_with_its_silent_tags_under_it():
    works = lost_source()
    [lost] = works.of(Kind.SOURCE_OFFLINE)
    silent = works.of(Kind.OFFLINE)
    assert len(silent) == 11
    assert works.notes[str(lost.id)]["suppressed"] == 10, "the gas detector is never hidden"
    under = {note["under"] for id, note in works.notes.items() if note and id != str(lost.id)}
    assert under - {None} == {str(lost.id)}
    assert str(of(works, "GD1", Kind.OFFLINE).id) not in works.notes
    [parent] = [one for one in told(works) if alarm(one)["kind"] == "SOURCE_OFFLINE"]
    assert alarm(parent)["note"]["suppressed"] == 10


def test_a_book_that_breaks_stops_no_alarm(monkeypatch):
    works = Works(PLANT)
    storm(works, 3)
    monkeypatch.setattr(NoiseBook, "raised", lambda *_, **__: 1 / 0)
    storm(works, 12, first=4)
    monkeypatch.undo()
    ticks(works, 3)
    assert len(works.of(Kind.H)) == 12
    storm(works, 14, first=13)
    assert len(works.of(Kind.H)) == 14


def test_that_a_tag_is_silent_is_told_whoever_is_told_of_its_source():
    works = lost_source()
    silence = [one for one in told(works) if alarm(one)["kind"] == "OFFLINE"]
    assert len(silence) == 11
    assert all(works.pump.warnings.wanted(one) for one in silence)


def test_a_line_that_is_back_brings_no_alarm_out_for_a_moment():
    works = lost_source()
    [lost] = works.of(Kind.SOURCE_OFFLINE)
    for n in range(1, 11):
        works.clock.seconds += 2
        works.sample(**{f"TI{n}": 1.0})
        works.pump.tick()
        open_ones = [one for one in works.of(Kind.OFFLINE) if one.tag != GAS.id]
        assert {works.noted[one.id][1].under for one in open_ones} == {lost.id}


def test_notices_of_silence_wait_for_one_another_and_leave_as_one():
    works = Works(PLANT, hooks=(PEOPLE,))
    for _ in range(12):
        works.clock.seconds += 5
        works.sample(**{f"LI{n}": 1.0 for n in range(1, 15)})
    for second in range(300):
        works.clock.seconds += 1
        if second % 5 == 0:
            works.sample(LI1=1.0)
        works.pump.tick()
    quieted = [one for one in told(works) if alarm(one)["kind"] == "OFFLINE"]
    alone = [one for one in quieted if one.body["alone"]]
    assert [alarm(one)["name"] for one in alone] == ["GD1"]
    quieted = [one for one in quieted if one not in alone]
    assert len(quieted) == 13
    folding = Digest()
    assert folding.fold(alone, 0.0) == [tuple(alone)]
    assert folding.fold(quieted, 0.0) == []
    assert folding.fold([], SILENCE_S - 1) == []
    assert folding.fold([], SILENCE_S) == [tuple(quieted)]
    one = Digest()
    one.fold(quieted[:1], 0.0)
    assert one.fold([], SILENCE_S) == [(quieted[0],)], "a single one comes as itself"


# --- site, clocks, canary, spool -----------------------------------------------------------------


def test_a_site_that_changes_in_a_flood_changes_no_fold():
    works = Works(PLANT)
    storm(works)
    more = tag(15, "LI0", limits={Kind.H: 8.0})
    assert works.pump.swap(replace(PLANT, version=2, tags={15: more, **PLANT.tags}))
    works.plant = works.pump.registry
    storm(works, 13, first=13)
    assert works.notes[str(of(works, "LI13").id)]["under"] == str(of(works, "LI1").id)


def test_with_two_gateways_the_order_is_known_where_each_tag_has_one():
    plant = registry(*LEVELS, gateways=[Gateway(2, ENTERPRISE, "P1", "E1", "G2")])
    works = Works(plant)
    storm(works, 3)
    assert works.notes[str(of(works, "LI1").id)]["uncertain"] is False
    works.seq += 1
    body = {"boot": "b", "seq": works.seq,
            "samples": [{"time": "2026-11-21T00:00:03Z", "values": {"LI4": 1.0}}]}  # fmt: skip
    from ingest.batch import Raw

    for _ in works.pump.take([Raw("hw/v1/P1/E1/G2/data", json.dumps(body).encode())]):
        pass
    assert works.pump._gateway_of(1) == 1
    assert works.pump._gateway_of(4) == 2


def test_an_entry_with_desks_goes_through_the_spool():
    works = Works(PLANT)
    storm(works)
    entry = Entry(7, desks=tuple(works.told))
    again = decode(encode(Spooled(1, entry)))
    assert again.entry == entry
    assert entry.speaks
    assert entry.weight > len(works.told)


def change(n: int, kind: Kind, source: State, target: State, second: float) -> Transition:
    alarm = Alarm(
        UUID(int=n), Lane.LIVE, kind, n % 20000 + 1, SOURCE, ENTERPRISE, Priority.P3, target,
        at(second), at(second), 9.0, 8.0, 9.0,
    )  # fmt: skip
    return Transition(alarm, source, target, "raise", at(second))


def test_ten_thousand_alarms_are_told_in_parts_and_all_of_them():
    plant = registry(*(tag(n + 1, f"T{n}") for n in range(5000)))
    layout, desks = compile_layout(plant), ToldDesks(lambda _: 1)
    storm = [change(n, Kind.H, State.NORM, State.UNACK, n / 500) for n in range(5000)]
    desks.saw(plant, layout, storm)
    told: dict[UUID, Any] = {}
    for second in range(6):
        now, events = desks.news(plant, at(10 + second), float(second))
        notes = [note for desk in now for note in desk.notes]
        assert len(notes) <= NOTES_A_LOOK
        assert all(len(str(event.body)) < 300_000 for event in events)
        told |= dict(notes)
    assert sum(note.under is not None for note in told.values()) == 5000 - 1


# --- properties ----------------------------------------------------------------------------------

KINDS = [
    *(Kind.H, Kind.HH, Kind.LL, Kind.L, Kind.OFFLINE, Kind.SOURCE_OFFLINE, Kind.INGEST_LAG),
    Kind.GATEWAY_OFFLINE,
]
SOURCES = {3: ENTERPRISE, 4: ENTERPRISE, 41: 40}
TAGS = {
    **{n: tag(n, f"A{n}", source=3) for n in range(1, 13)},
    13: tag(13, "GD", kind=TagKind.GAS_TOXIC, source=3),
    14: tag(14, "FD", kind=TagKind.FIRE, source=3),
    **{n: tag(n, f"B{n}", source=4) for n in range(15, 20)},
    **{n: tag(n, f"C{n}", source=41, enterprise=40) for n in range(20, 26)},
}
WIDE: Registry = registry(
    *TAGS.values(),
    nodes=[*NEIGHBOUR, Node(4, ENTERPRISE, "source", "S3", "Source 3", enterprise=ENTERPRISE)],
)
STEP = st.tuples(
    st.integers(0, 60),
    st.sampled_from(KINDS),
    st.integers(1, 25),
    st.sampled_from(Priority),
    st.sampled_from(["raise", "raise", "raise", "return", "close", "shelve"]),
)


def transition(live: dict[tuple[Kind, int], Alarm], step: Any, now: float) -> Transition | None:
    _, kind, number, priority, what = step
    place = TAGS[number]
    tagged = kind not in (Kind.SOURCE_OFFLINE, Kind.INGEST_LAG)
    subject = kind, number if tagged else -place.source
    alarm = live.get(subject)
    if what == "raise" and alarm is None:
        id = UUID(int=int(now) * 10_000 + number * 100 + int(kind))
        alarm = Alarm(
            id, Lane.LIVE, kind, number if tagged else None, place.source, place.enterprise,
            priority, State.UNACK, at(now), at(now), 9.0, 8.0, 9.0,
        )  # fmt: skip
        live[subject] = alarm
        return Transition(alarm, State.NORM, State.UNACK, "raise", at(now))
    if alarm is None:
        return None
    if what == "return" and alarm.state is State.UNACK:
        live[subject] = replace(alarm, state=State.RTNUN)
        return Transition(live[subject], State.UNACK, State.RTNUN, "return", at(now))
    if what == "raise" and alarm.state is State.RTNUN:
        live[subject] = replace(alarm, state=State.UNACK)
        return Transition(live[subject], State.RTNUN, State.UNACK, "raise", at(now))
    if what == "close":
        del live[subject]
        over = replace(alarm, state=State.NORM)
        return Transition(over, alarm.state, State.NORM, "close", at(now))
    if what == "shelve" and alarm.shelved is None:
        from domain.alarms import Flag

        live[subject] = replace(alarm, shelved=Flag(at(now), None, "x", "y"))
        return Transition(live[subject], alarm.state, alarm.state, "shelve", at(now))
    return None


def gateway_of(number: int) -> int:
    """Sources 3 and 41 have one gateway each, source 4 two."""
    return 3 if number >= 20 else 2 if number in (15, 16, 17) else 1


@settings(max_examples=150)
@given(st.lists(STEP, min_size=15, max_size=90), st.integers(0, 90))
def test_every_open_occurrence_stands_by_itself_or_under_one_that_does(steps, killed_at):
    layout = compile_layout(WIDE)
    desks, now = ToldDesks(gateway_of), 0.0
    live: dict[tuple[Kind, int], Alarm] = {}
    changes: list[Transition] = []
    notes: dict[UUID, tuple[int, Any]] = {}
    told_desks: dict[int, Any] = {}
    rules = noise_rules().flood
    for n, step in enumerate(steps):
        now += step[0] / 10
        made = transition(live, step, now)
        if made is not None:
            changes.append(made)
            desks.saw(WIDE, layout, [made])
        news, events = desks.news(WIDE, at(now), float(n))
        for desk in news:
            told_desks[desk.enterprise] = desk
            notes |= {id: (desk.enterprise, note) for id, note in desk.notes}
        if n == killed_at:
            kept = [(id, of, note) for id, (of, note) in notes.items() if note]
            desks = ToldDesks(gateway_of)
            desks.restore(
                WIDE, layout, DeskMemory(changes, kept, list(told_desks.values())), at(now)
            )
            more, events = desks.news(WIDE, at(now), float(n))
            assert [event for event in events if event.type == "system"] == []
            assert not any(desk.notes for desk in more), "nothing is told again"
        open_now = {alarm.id: alarm for alarm in live.values()}
        lying = {id for one in live for id in [live[one].id] if desks._book.note(id).under}
        below = desks._book._dependents.under()
        folded = {id for under in below.values() for id in under}
        assert folded <= lying, "what is folded is known to be so"
        for alarm in live.values():
            under = desks._book.note(alarm.id).under
            if under is None:
                continue
            head = open_now[under]
            heard = annunciation(
                WIDE, layout, Transition(alarm, State.NORM, State.UNACK, "", at(0))
            )
            assert may_lie(heard, rules)
            assert alarm.priority is not Priority.P1
            assert alarm.kind not in (Kind.HH, Kind.LL)
            assert alarm.tag not in (13, 14)
            assert head.enterprise == alarm.enterprise
            assert desks._book.note(under).under is None
            assert head.shelved is None or head.kind in LOST
    for id, alarm in {alarm.id: alarm for alarm in live.values()}.items():
        told_note = notes.get(id, (0, None))[1]
        assert (told_note.body() if told_note else None) == desks.note(alarm)
