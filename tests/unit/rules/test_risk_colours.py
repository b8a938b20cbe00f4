"""The colour that is shown: confirmation upward, hysteresis downward, release of red, sight."""

from copy import deepcopy
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.risk import Colour, Floor
from rules.risk import ColourChange, ColourState, Refusal, release, settle
from tests.support.builders import at
from tests.support.risk import MODEL, SOURCE, assessed, site, tag

BLUE, YELLOW, ORANGE, RED = Colour
EMPTY = assessed(site(tag(1)), [])


def wants(score=0.0, floor=BLUE, unknown=False):
    """An assessment of one source with this score, F4 at `floor`, and whether it is unknown."""
    floors = EMPTY.floors.copy()
    floors[0, Floor.F4] = floor
    return replace(
        EMPTY,
        score=np.array([score]),
        floors=floors,
        by_floor=np.array([floor], np.int8),
        unknown=np.array([unknown]),
    )


def run(*steps, state=None):
    """Settle (seconds, result) one after another: the state and all changes."""
    state = state or ColourState.fresh()
    told = []
    for seconds, result in steps:
        state, changes = settle(MODEL, state, result, at(seconds))
        told += changes
    return state, told


def every(first, last, result, step=30):
    """The same assessment again and again, as the worker makes it."""
    return [(s, result) for s in np.arange(first, last + step / 2, step)]


def story(changes):
    return [(change.after.name, change.cause, (change.at - at(0)).total_seconds())
            for change in changes]  # fmt: skip


@pytest.mark.parametrize(
    ("score", "colour"),
    [(29.9, BLUE), (30, YELLOW), (54.9, YELLOW), (55, ORANGE), (74.9, ORANGE), (75, RED)],
)
def test_score_is_confirmed_for_ten_seconds(score, colour):
    before, _ = run((0, wants(score)), (9.999, wants(score)))
    after, _ = run((0, wants(score)), (10, wants(score)))
    assert (before.of(SOURCE), after.of(SOURCE)) == (BLUE, colour)


def test_score_that_does_not_last_changes_nothing():
    _, told = run((0, wants(80)), (9, wants(0)), (12, wants(80)), (21, wants(0)))
    assert told == []


def test_each_threshold_is_confirmed_by_itself():
    _, told = run((0, wants(30)), (4, wants(80)), (14, wants(80)))
    assert story(told) == [("YELLOW", "score", 10), ("RED", "score", 14)]


def test_a_floor_holds_at_once():
    _, told = run((0, wants(floor=ORANGE)))
    assert story(told) == [("ORANGE", "floor", 0)]
    assert (told[0].floors, told[0].version) == ((Floor.F4,), MODEL.version)


@pytest.mark.parametrize(("score", "falls"), [(51.999, True), (52, False)])
def test_colour_falls_three_points_under_its_threshold_only(score, falls):
    steps = [(0, wants(floor=ORANGE)), *every(1, 901, wants(score))]
    assert run(*steps)[0].of(SOURCE) == (YELLOW if falls else ORANGE)


def test_colour_falls_one_step_every_ten_minutes():
    _, told = run((0, wants(floor=ORANGE)), *every(1, 1801, wants()))
    assert story(told)[1:] == [("YELLOW", "calm", 601), ("BLUE", "calm", 1201)]


def test_colour_does_not_fall_under_a_floor():
    steps = [(0, wants(floor=ORANGE)), *every(1, 4001, wants(floor=YELLOW))]
    assert story(run(*steps)[1])[1:] == [("YELLOW", "calm", 601)]


def test_interruption_begins_the_ten_minutes_anew():
    steps = [(0, wants(floor=ORANGE)), *every(0, 570, wants()), (571, wants(53))]
    assert story(run(*steps, *every(572, 1172, wants()))[1])[1:] == [("YELLOW", "calm", 1172)]


def test_unknown_source_keeps_its_colour_and_falls_ten_minutes_after_it_is_seen_again():
    steps = [(0, wants(floor=ORANGE)), *every(0, 300, wants()), *every(301, 3901, wants(unknown=1))]
    state, told = run(*steps)
    assert (state.of(SOURCE), bool(state.unknown[0])) == (ORANGE, True)
    assert story(told)[1:] == [("ORANGE", "sight", 301)]
    _, told = run(*every(4000, 4600, wants()), state=state)
    assert story(told) == [("ORANGE", "sight", 4000), ("YELLOW", "calm", 4600)]


def test_colour_of_an_unknown_source_may_rise():
    assert run((0, wants(unknown=True)), (1, wants(floor=RED, unknown=True)))[0].of(SOURCE) == RED


def test_nothing_falls_for_time_in_which_nobody_watched():
    state, _ = run((0, wants(floor=ORANGE)), (1, wants()))
    state, told = run((4000, wants()), state=state)
    assert (state.of(SOURCE), told) == (ORANGE, [])
    _, told = run(*every(4030, 4600, wants()), state=state)
    assert story(told) == [("YELLOW", "calm", 4600)]


# Red


def red(*then):
    return run((0, wants(floor=RED)), *then)[0]


def test_red_never_falls_by_itself():
    assert red(*every(0, 90_000, wants(), step=60)).of(SOURCE) == RED


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (wants(floor=RED), "floor"),
        (wants(72), "score"),
        (wants(0, unknown=True), "unknown"),
    ],
)
def test_release_is_refused_while_red_is_still_meant(result, reason):
    state = red((10, result))
    after, answer = release(MODEL, state, result, SOURCE, at(10))
    assert isinstance(answer, Refusal)
    assert (answer.reason, after) == (reason, state)


def test_release_makes_red_orange_which_then_falls_in_steps():
    state = red(*every(1, 901, wants(71.9)))
    state, answer = release(MODEL, state, wants(71.9), SOURCE, at(910))
    assert isinstance(answer, ColourChange)
    assert story([answer]) == [("ORANGE", "release", 910)]
    _, told = run(*every(911, 1511, wants(0), step=25), state=state)
    assert story(told) == [("YELLOW", "calm", 1511)]


def test_only_red_can_be_released():
    state, _ = run((0, wants(floor=ORANGE)))
    refusal = release(MODEL, state, wants(), SOURCE, at(1))[1]
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not red"
    with pytest.raises(KeyError, match="77"):
        release(MODEL, state, wants(), 77, at(1))


def test_released_source_turns_red_again():
    state, _ = release(MODEL, red((1, wants())), wants(), SOURCE, at(2))
    _, told = run((3, wants(floor=RED)), state=state)
    assert story(told) == [("RED", "floor", 3)]


# Time, memory


def test_a_late_tick_tells_what_happened_when():
    _, told = run((0, wants(60)), (40, wants(0)))
    assert story(told) == [("ORANGE", "score", 10)]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 1500),
            st.sampled_from([0, 27, 29, 30, 51, 54, 55, 73, 76]),
            st.sampled_from([BLUE, BLUE, BLUE, YELLOW, ORANGE]),
            st.booleans(),
        ),
        max_size=6,
    ),
    st.integers(7, 60),
    st.integers(7, 60),
)
def test_changes_are_the_same_whatever_the_ticks(events, one_step, other_step):
    def told(step):
        now, state, changes, result = 0, ColourState.fresh(), [], wants()
        for lasts, score, floor, unknown in [*events, (1, 0, BLUE, False)]:
            result = wants(score, floor, unknown and score < 30)
            for tick in (*range(now, now + lasts, step),):
                state, new = settle(MODEL, state, result, at(tick))
                changes += new
            now += lasts
        return story(changes)

    assert told(one_step) == told(other_step)


@pytest.mark.parametrize("dead_s", [1, 45, 3600])
def test_after_a_restart_the_colour_that_was_told_stands_and_falls_no_sooner(dead_s):
    state, _ = run((0, wants(floor=ORANGE)), (10, wants()), (590, wants()))
    state = ColourState.told({SOURCE: (state.of(SOURCE), False)}, at(590 + dead_s))
    state, told = run((590 + dead_s, wants()), state=state)
    assert (state.of(SOURCE), told) == (ORANGE, [])
    for second in range(30, 600, 30):
        state, told = run((590 + dead_s + second, wants()), state=state)
        assert told == []
    _, told = run((590 + dead_s + 601, wants()), state=state)
    assert [change.after for change in told] == [YELLOW]


def test_after_a_restart_a_score_has_to_be_seen_again_before_it_raises():
    state, _ = run((0, wants(80)))
    state = ColourState.told({}, at(9))
    state, told = run((9, wants(80)), (18, wants(80)), state=state)
    assert told == []
    _, told = run((19.001, wants(80)), state=state)
    assert [change.after for change in told] == [RED]


def test_settling_leaves_the_state_before_as_it_was():
    before, _ = run((0, wants(floor=ORANGE)))
    frozen = deepcopy(before)
    run((1, wants(floor=RED)), state=before)
    for field in fields(before):
        assert np.array_equal(getattr(before, field.name), getattr(frozen, field.name))


def test_sources_come_and_go():
    both = assessed(site(tag(1), tag(2, source=5), grades={SOURCE: 1, 5: 1}), [])
    state, _ = run((0, wants(floor=ORANGE)))
    state, told = run((1, both), state=state)
    assert (state.of(SOURCE), state.of(5), told) == (ORANGE, BLUE, [])
    state, _ = run((2, wants()), state=state)
    assert state.sources.tolist() == [SOURCE]
