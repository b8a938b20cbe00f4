"""Less noise, same truth: floods, chattering, first-out, and what hangs under a lost source."""

from dataclasses import replace
from math import nan
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alerts import chattering, dependents, first_out, flood
from alerts.annunciation import Annunciation, may_fold
from alerts.book import AlarmBook
from alerts.layout import compile_layout
from alerts.noise_book import NoiseBook, Note
from alerts.noise_feed import annunciation, feed
from domain.alarms import Edge, Finding, Flag, Kind, Priority
from domain.plant import Gateway, TagKind
from domain.risk_facts import Family
from tests.support.builders import at, registry, tag
from tests.support.noise import RULES, first, flashes, floods, sounds, spells

TIMES = st.lists(st.integers(0, 4000) | st.integers(0, 20).map(lambda n: 100 * n), max_size=60).map(
    sorted
)


def flooded(*heard, look=()):
    """(begun, ended) of a desk that hears these, and looks at these seconds."""
    state, told = flood.Flood(), []
    steps = sorted([*((one.at, one) for one in heard), *((at(s), None) for s in look)],
                   key=lambda step: step[0])  # fmt: skip
    for now, one in steps:
        if one is None:
            state, ended = flood.looked(state, now, RULES.flood)
            said = flood.Told(ended=ended)
        else:
            state, said = flood.hear(state, one, RULES.flood)
        told.append(said)
    return state, told


# --- floods --------------------------------------------------------------------------------------


def test_a_flood_begins_with_the_tenth_alarm_in_ten_minutes_and_ends_below_five():
    nine = [sounds(60 * n, n) for n in range(9)]
    assert flooded(*nine)[0].since is None
    state, told = flooded(*nine, sounds(599, 9))
    assert (state.since, told[-1].began) == (at(599), at(599))
    # the fifth-newest, of 300 s, leaves the window at 900 s: then four are left
    assert flooded(*nine, sounds(599, 9), look=[899])[0].since == at(599)
    state, told = flooded(*nine, sounds(599, 9), look=[5000])
    assert told[-1].ended == flood.Ended(at(599), at(900), 1, told[-1].ended.folds)
    assert state.since is None


def test_the_tenth_alarm_after_more_than_ten_minutes_is_no_flood():
    assert flooded(*(sounds(67 * n, n) for n in range(10)))[0].since is None


def test_in_a_flood_alarms_of_one_cause_fold_under_their_first():
    cooling = [sounds(10 * n, n, cause=7) for n in range(9)]
    _, told = flooded(*cooling, sounds(100, 9, cause=8), sounds(110, 10, cause=8))
    state, told = flooded(
        *cooling,
        sounds(100, 9, cause=8),
        sounds(110, 10, cause=8),
        sounds(120, 11, cause=7, priority=Priority.P2),
    )
    assert [one.under for one in told[:9]] == [None] * 9, "before the flood everything stands alone"
    assert [one.under for one in told[9:]] == [None, UUID(int=9), UUID(int=0)]
    fold = state.folds[2, 7]
    assert (fold.count, fold.first.occurrence, fold.worst.occurrence) == (
        10, UUID(int=0), UUID(int=11),
    )  # fmt: skip


def test_a_flood_never_folds_what_may_kill_nor_what_belongs_to_another_enterprise():
    storm = [sounds(n, n, cause=7) for n in range(12)]
    loud = [
        sounds(20, 20, cause=7, priority=Priority.P1),
        sounds(21, 21, cause=7, family=Family.TOXIC),
        sounds(22, 22, cause=7, family=Family.COMBUSTIBLE),
        sounds(23, 23, cause=7, family=Family.FIRE),
        sounds(24, 24, cause=7, kind=Kind.HH),
        sounds(25, 25, cause=7, kind=Kind.LL),
        sounds(26, 26, cause=7, enterprise=9),
    ]
    _, told = flooded(*storm, *loud, sounds(30, 30, cause=7))
    assert [one.under for one in told[12:19]] == [None] * 7
    assert told[-1].under == UUID(int=0)


@given(TIMES, TIMES)
def test_floods_are_those_of_the_slow_reference_however_often_one_looks(seconds, looks):
    heard = [sounds(second, n) for n, second in enumerate(seconds)]
    _, told = flooded(*heard, look=[*looks, 10_000])
    begun = [one.began for one in told if one.began]
    ended = [(one.ended.since, one.ended.until) for one in told if one.ended]
    expected = floods([one.at for one in heard], at(10_000))
    assert begun == [since for since, _ in expected]
    assert ended == expected


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 3), st.sampled_from(Priority),
                          st.sampled_from(Family)), max_size=50))  # fmt: skip
def test_everything_that_folds_is_counted_once_and_nothing_urgent_folds(alarms):
    heard = [
        sounds(s, n, cause=cause, priority=priority, family=family)
        for n, (s, cause, priority, family) in enumerate(sorted(alarms))
    ]
    state, told = flooded(*heard)
    for one, said in zip(heard, told, strict=True):
        if said.under is not None:
            leader = heard[said.under.int]
            assert leader.cause == one.cause
            assert leader.at <= one.at
            assert one.priority is not Priority.P1
            assert one.family is Family.PROCESS
    for (_, cause), fold in state.folds.items():
        folded = [one for one, said in zip(heard, told, strict=True)
                  if said.under == fold.first.occurrence and one.at >= state.since]  # fmt: skip
        alike = [one for one in heard if one.cause == cause]
        assert len(folded) < fold.count <= len(alike)
        assert fold.worst.priority <= min(one.priority for one in [fold.first, *folded])


# --- chattering ----------------------------------------------------------------------------------


def chattered(*spans):
    """One alarm that was on in these spans of seconds."""
    state, said = chattering.Chatter(), []
    for begin, end in spans:
        state, one = chattering.activated(state, at(begin), RULES)
        said.append(one)
        state = chattering.returned(state, at(end))
    return state, said


def test_the_third_activation_in_a_minute_is_chattering_and_the_counter_goes_on():
    state, said = chattered((0, 5), (20, 25), (59, 61))
    assert (state.since, state.repeats, said[-1].began) == (at(59), 3, at(59))
    state, _ = chattered((0, 5), (20, 25), (59, 61), (300, 301))
    assert state.repeats == 4
    assert chattered((0, 5), (20, 25), (60, 61))[0].since is None


def test_a_spell_is_over_after_ten_quiet_minutes():
    state, _ = chattered((0, 5), (20, 25), (40, 45))
    state, said = chattering.looked(state, at(640), RULES)
    assert said.ended == chattering.Spell(at(40), at(640), 3)
    assert (state.since, state.repeats) == (None, 0)


def test_a_short_alarm_that_stays_alone_is_fleeting():
    state, _ = chattered((0, 59))
    assert chattering.looked(state, at(599), RULES)[1].fleeting is None
    assert chattering.looked(state, at(600), RULES)[1].fleeting == at(0)
    longer, _ = chattered((0, 60))
    assert chattering.looked(longer, at(600), RULES)[1].fleeting is None


@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 120)), max_size=30))
def test_spells_and_flashes_are_those_of_the_slow_reference(steps):
    spans, now = [], 0
    for pause, lasts in steps:
        spans.append((now + pause, now + pause + lasts))
        now += pause + lasts
    state, said = chattered(*spans)
    state, last = chattering.looked(state, at(now + 5000), RULES)
    said = [*said, last]
    times = [at(begin) for begin, _ in spans]
    assert [one.began for one in said if one.began] == [since for since, _ in spells(times)]
    assert [one.ended.repeats for one in said if one.ended] == [n for _, n in spells(times)]
    expected = flashes([(at(begin), at(end)) for begin, end in spans])
    assert [one.fleeting for one in said if one.fleeting] == expected


# --- first-out -----------------------------------------------------------------------------------


def grouped(*heard):
    state = first_out.FirstOut()
    for one in heard:
        state = first_out.hear(state, one, RULES.first_out_s)
    return state


def test_the_pump_trips_first_though_the_temperature_was_heard_first():
    state = grouped(sounds(2.0, 1, onset=1.5), sounds(2.4, 2, onset=0.8), sounds(9, 3, onset=8))
    assert state.first == UUID(int=2)
    assert not state.uncertain


def test_within_one_scan_the_order_of_the_scan_decides():
    state = grouped(sounds(1, 1, onset=1, order=5), sounds(1, 2, onset=1, order=2))
    assert state.first == UUID(int=2)


def test_two_gateways_within_ten_seconds_leave_the_order_uncertain():
    assert grouped(sounds(1, 1, clock=1), sounds(5, 2, clock=2)).uncertain
    assert not grouped(sounds(1, 1, clock=1), sounds(12, 2, clock=2)).uncertain


def test_a_clock_that_is_half_a_minute_slow_orders_nothing_either():
    assert grouped(sounds(1, 1, onset=1, clock=1), sounds(5, 2, onset=-24, clock=2)).uncertain


def test_what_is_first_stays_first_until_the_group_is_reset():
    state = grouped(sounds(1, 1), sounds(30, 2, onset=0))
    assert (state.first, state.later) == (UUID(int=1), 1)
    assert grouped(sounds(40, 3)).first == UUID(int=3)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 2),
                          st.integers(1, 3)), min_size=1, max_size=20))  # fmt: skip
def test_first_out_is_that_of_the_slow_reference(alarms):
    heard = [
        sounds(s, n, onset=onset, order=order, clock=clock)
        for n, (s, onset, order, clock) in enumerate(sorted(alarms))
    ]
    state = grouped(*heard)
    assert (state.first, state.uncertain) == first(heard)


# --- dependents ----------------------------------------------------------------------------------


def test_a_lost_gateway_is_one_alarm_with_41_suppressed_under_it():
    book = NoiseBook(RULES)
    for n in range(41):
        book.raised(sounds(n / 10, n, kind=Kind.OFFLINE, cause=n))
    assert all(note.under is None for note in book.notes().values())
    book.raised(sounds(60, 100, kind=Kind.SOURCE_OFFLINE))
    notes = book.notes()
    assert notes[UUID(int=100)].suppressed == 41
    assert {notes[UUID(int=n)].under for n in range(41)} == {UUID(int=100)}


def test_a_held_process_alarm_never_hangs_under_a_lost_source():
    book = NoiseBook(RULES)
    book.raised(sounds(0, 1, kind=Kind.HH, priority=Priority.P2))
    book.raised(sounds(60, 2, kind=Kind.SOURCE_OFFLINE))
    assert book.notes([UUID(int=1)]).get(UUID(int=1), Note()).under is None
    assert book.notes().get(UUID(int=2), Note()).suppressed == 0


def test_what_is_still_silent_when_its_source_is_back_comes_out_again():
    book = NoiseBook(RULES)
    book.raised(sounds(0, 1, kind=Kind.OFFLINE))
    book.raised(sounds(60, 2, kind=Kind.SOURCE_OFFLINE))
    assert book.notes()[UUID(int=1)].under == UUID(int=2)
    book.returned(UUID(int=2), at(120))
    book.look(at(179))
    assert book.notes()[UUID(int=1)].under == UUID(int=2), "its tags are heard one after the other"
    book.look(at(180))
    assert book.notes().get(UUID(int=1), Note()).under is None


GATEWAY = 99


def unders(book: NoiseBook, *numbers: int) -> list[int | None]:
    """Under which number each of these lies."""
    found = [book.note(UUID(int=number)).under for number in numbers]
    return [None if under is None else under.int for under in found]


def lost_gateway(seconds=60, number=GATEWAY, **more):
    return sounds(seconds, number, kind=Kind.GATEWAY_OFFLINE, **more)


def test_a_lost_gateway_has_its_part_of_a_source_under_it():
    book = NoiseBook(RULES)
    for n in range(8):
        book.raised(sounds(n / 10, n, kind=Kind.OFFLINE))
    book.raised(sounds(1, 20, kind=Kind.OFFLINE, clock=2))
    book.raised(sounds(1, 21, kind=Kind.OFFLINE, enterprise=4))
    book.raised(sounds(1, 22, kind=Kind.OFFLINE, family=Family.TOXIC))
    book.raised(sounds(1, 23, kind=Kind.H, cause=7))
    book.raised(lost_gateway())
    assert unders(book, *range(8)) == [GATEWAY] * 8
    assert unders(book, 20, 21, 22, 23) == [None] * 4
    assert book.note(UUID(int=GATEWAY)).suppressed == 8


def test_a_lost_gateway_has_its_sources_under_it_and_counts_what_they_hold_back():
    book = NoiseBook(RULES)
    book.raised(lost_gateway())
    for n, node in enumerate((3, 4, 5), 1):
        one = sounds(60, n, kind=Kind.SOURCE_OFFLINE, node=node, clock=None if node == 5 else 1)
        book.raised(replace(one, holds=5))
    assert unders(book, 1, 2, 3) == [GATEWAY, GATEWAY, None], "another sends the third one too"
    assert book.note(UUID(int=GATEWAY)).suppressed == 12
    assert book.note(UUID(int=1)).suppressed == 5
    book.raised(sounds(61, 4, kind=Kind.OFFLINE, node=3, path=(3, 2, 1), clock=-5))
    assert unders(book, 4) == [GATEWAY], "nothing lies under what lies under another"


def test_what_is_still_silent_when_its_gateway_is_back_comes_out_under_its_source():
    book = NoiseBook(RULES)
    book.raised(lost_gateway())
    book.raised(sounds(60, 1, kind=Kind.SOURCE_OFFLINE))
    book.raised(sounds(60, 2, kind=Kind.OFFLINE))
    book.raised(sounds(60, 3, kind=Kind.OFFLINE, node=4, path=(4, 2, 1)))
    book.returned(UUID(int=GATEWAY), at(120))
    book.look(at(179))
    assert unders(book, 1, 2, 3) == [GATEWAY] * 3
    book.look(at(180))
    assert unders(book, 1, 2, 3) == [None, 1, None]


def test_nothing_lies_under_a_lost_gateway_that_is_closed():
    book = NoiseBook(RULES)
    book.raised(lost_gateway())
    book.raised(sounds(60, 1, kind=Kind.SOURCE_OFFLINE))
    book.raised(sounds(60, 2, kind=Kind.OFFLINE))
    book.closed(UUID(int=1), at(70))
    assert unders(book, 2) == [GATEWAY]
    book.closed(UUID(int=GATEWAY), at(80))
    assert unders(book, 2) == [None]


KINDS = st.sampled_from([Kind.OFFLINE, Kind.SOURCE_OFFLINE, Kind.GATEWAY_OFFLINE, Kind.H])
MAKES = st.sampled_from(["raise", "raise", "close", "mute", "unmute"])


STEPS = st.tuples(st.integers(0, 2), KINDS, st.integers(4, 5), MAKES)


@given(st.lists(STEPS, min_size=15, max_size=60))
def test_everything_folded_is_counted_under_exactly_one_lost_node_above_it(steps):
    """Tags with an even number, and sources but 5, come by gateway 1; the others by gateway 2."""
    active: dict[UUID, Annunciation] = {}
    muted: set[UUID] = set()
    state = dependents.Dependents()
    for number, kind, node, makes in steps:
        clock = (None if node == 5 else 1) if kind is Kind.SOURCE_OFFLINE else 1 + number % 2
        one = sounds(
            0, 1000 * kind + 10 * node + number, kind=kind, node=node, path=(node, 2, 1),
            clock=clock,
        )  # fmt: skip
        id, others = one.occurrence, [other for other in active.values() if other.kind is kind]
        if makes == "raise" and id not in active:
            if kind is Kind.SOURCE_OFFLINE and node in {other.node for other in others}:
                continue
            if kind is Kind.GATEWAY_OFFLINE and clock in {other.clock for other in others}:
                continue
            active[id] = one
            state.raised(one)
        elif makes == "close":
            active.pop(id, None)
            muted.discard(id)
            state.closed(id, at(0))
        elif id in active and kind in (Kind.SOURCE_OFFLINE, Kind.GATEWAY_OFFLINE):
            (muted.add if makes == "mute" else muted.discard)(id)
            state.mute(id, muted=makes == "mute")
    heard = {id: one for id, one in active.items() if id not in muted}
    gateways = {one.clock: id for id, one in heard.items() if one.kind is Kind.GATEWAY_OFFLINE}
    sources = {one.node: id for id, one in heard.items() if one.kind is Kind.SOURCE_OFFLINE}
    expected: dict[UUID, set[UUID]] = {}
    for id, one in active.items():
        if one.kind not in (Kind.OFFLINE, Kind.SOURCE_OFFLINE):
            continue
        parent = gateways.get(one.clock)
        if parent is None and one.kind is Kind.OFFLINE and one.node in sources:
            source = sources[one.node]
            parent = gateways.get(active[source].clock, source)
        if parent is not None:
            expected.setdefault(parent, set()).add(id)
    assert {parent: set(under) for parent, under in state.under().items()} == expected


# --- the night of a cooling loss -----------------------------------------------------------------


def test_a_night_in_the_control_room_when_the_cooling_water_goes():
    book = NoiseBook(RULES)
    # 03:12:00 the pump trips; temperatures follow within seconds, by the same gateway
    book.raised(sounds(0.4, 1, cause=7, priority=Priority.P2, kind=Kind.L))
    for n in range(2, 12):
        book.raised(sounds(n, n, cause=7))
    assert book.notes()[UUID(int=1)].first_out
    assert book.flood(2).since == at(10)
    assert book.notes()[UUID(int=11)].under == UUID(int=1), "consequences lie under the pump"
    # 03:13 ammonia at the condenser: that is never hidden
    book.raised(sounds(60, 50, cause=7, kind=Kind.H, priority=Priority.P2, family=Family.TOXIC))
    assert book.notes().get(UUID(int=50), Note()).under is None
    # 03:30 it is quiet: the flood is over, and everything still open stands by itself again
    (over,) = book.look(at(1000))
    assert over[0] == 2
    assert all(note.under is None for note in book.notes().values())
    # one after the other is closed; with the last one the first-out is forgotten
    for n in (*range(2, 12), 50):
        book.closed(UUID(int=n), at(2000 + n))
    assert book.notes()[UUID(int=1)].first_out
    book.closed(UUID(int=1), at(3000))
    book.raised(sounds(4000, 60, cause=7))
    book.raised(sounds(4001, 61, cause=7))
    assert book.notes()[UUID(int=60)].first_out


def test_a_muted_alarm_makes_no_flood_but_its_chattering_is_still_seen():
    book = NoiseBook(RULES)
    for n in range(20):
        book.raised(sounds(n, 100, tag=5), muted=True)
        book.returned(UUID(int=100), at(n + 0.5))
    assert book.flood(2).since is None
    assert book.notes()[UUID(int=100)].repeats == 20


# --- from the alarm book -------------------------------------------------------------------------


def test_the_book_of_alarms_feeds_the_notes_as_it_goes():
    plant = registry(tag(1, limits={Kind.H: 8.0}), tag(2, kind=TagKind.GAS_TOXIC))
    alarms, layout, notes = AlarmBook(plant), compile_layout(plant), NoiseBook(RULES)

    def tell(edge: Edge, number: int, seconds: float):
        found = Finding(edge, Kind.H, number, None, at(seconds), at(seconds), 9.0, 8.0)
        (change,) = alarms.apply([found], at(seconds))
        feed(notes, plant, layout, [change])
        return change

    for n in range(3):
        level = tell(Edge.RAISED, 1, 10.0 * n)
        tell(Edge.RETURNED, 1, 10.0 * n + 4)
    assert notes.notes()[level.alarm.id].repeats == 3
    gas = tell(Edge.RAISED, 2, 100)
    heard = annunciation(plant, layout, gas)
    assert (heard.family, heard.path, heard.clock) == (Family.TOXIC, (3, 2, 1), 1)
    assert not may_fold(heard, RULES.flood)


def test_with_several_gateways_no_clock_is_known_to_be_the_same():
    plant = registry(tag(1), tag(2), gateways=[Gateway(2, 2, "P1", "E1", "G2")])
    alarms, layout = AlarmBook(plant), compile_layout(plant)
    found = [Finding(Edge.RAISED, Kind.H, n, None, at(0), at(0), 9.0, 8.0) for n in (1, 2)]
    one, two = (annunciation(plant, layout, change) for change in alarms.apply(found, at(0)))
    assert one.clock != two.clock


def test_an_alarm_whose_tag_comes_to_another_cause_stays_where_it_was_and_breaks_nothing():
    book = NoiseBook(RULES)
    for n in range(12):
        book.raised(sounds(n, n, cause=1))
    for n in range(12, 15):
        book.raised(sounds(n, n, cause=2))
    book.sounded(sounds(20, 0, cause=2))
    book.sounded(sounds(21, 3, cause=2))
    book.closed(UUID(int=0), at(30))
    heads = [note.under for note in book.notes().values() if note.under is not None]
    assert heads
    assert all(book.find(head) is not None for head in heads)
    assert book.look(at(5000))
    assert {note.under for note in book.notes().values()} == {None}


def test_nothing_lies_under_a_lost_source_that_is_shelved():
    alarms, lost = AlarmBook(registry(tag(1))), UUID(int=100)
    found = Finding(Edge.RAISED, Kind.SOURCE_OFFLINE, None, 3, at(0), at(0), nan, nan)
    [change] = alarms.apply([found], at(0))
    open_one = replace(change.alarm, id=lost)
    shelved = replace(open_one, shelved=Flag(at(60), at(3600), "li.na", "x"))
    book = NoiseBook(RULES)
    book.raised(sounds(1, 1, kind=Kind.OFFLINE))
    book.raised(sounds(60, 100, kind=Kind.SOURCE_OFFLINE))
    assert book.note(UUID(int=1)).under == lost
    book.flagged(shelved)
    book.raised(sounds(70, 2, kind=Kind.OFFLINE))
    assert {book.note(UUID(int=n)).under for n in (1, 2)} == {None}
    book.flagged(open_one)
    assert {book.note(UUID(int=n)).under for n in (1, 2)} == {lost}


def test_what_lies_under_a_lost_source_and_sounds_again_is_no_head_of_others():
    book = NoiseBook(RULES)
    for n in range(10):
        book.raised(sounds(n, n, kind=Kind.OFFLINE, cause=7, path=(4, 2, 1)))
    book.raised(sounds(20, 51, kind=Kind.OFFLINE, cause=7))
    book.raised(sounds(30, 50, kind=Kind.SOURCE_OFFLINE))
    for n in range(10):
        book.closed(UUID(int=n), at(40))
    book.sounded(sounds(50, 51, kind=Kind.OFFLINE, cause=7))
    book.raised(sounds(60, 53, kind=Kind.OFFLINE, cause=7, path=(4, 2, 1)))
    assert book.note(UUID(int=51)).under == UUID(int=50)
    assert book.note(UUID(int=53)).under is None


def test_a_clock_that_is_set_back_begins_no_flood():
    state = flood.Flood()
    for n in range(9):
        state, told = flood.hear(state, sounds(400 * n, n, cause=n), RULES.flood)
    state, told = flood.hear(state, sounds(10, 9, cause=9), RULES.flood)
    assert told.began is None
