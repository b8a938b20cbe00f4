"""CHANGE: the kernel and the slow reference agree, and what an operator may expect."""

from dataclasses import replace
from itertools import pairwise
from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.change_model import change_model
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.plant import Tag, TagKind
from rules import averages, change, change_learning
from rules.change import CHANGE, NEW_NORMAL, ChangeTable, table_of
from rules.change_memory import ChangeMemory
from rules.compiling import compile_plan
from rules.engine import step
from rules.layers import LAYERS
from rules.state import RuleState
from tests.support.builders import START, registry, tag
from tests.support.reference_warning import SlowChange

ZERO = micros(START)
WHERE = LAYERS.index(CHANGE)
INTERVAL = 10.0


def quantity(id: int = 1, **given) -> Tag:
    return tag(id, interval_s=INTERVAL, range=(-100.0, 100.0), **given)


def valve(id: int) -> Tag:
    return tag(id, kind=TagKind.VALVE)


class Watch:
    """An engine with some tags, fed with values at equal or given times."""

    def __init__(self, *tags: Tag) -> None:
        self.registry = registry(*(tags or (quantity(),)))
        self.plan = compile_plan(self.registry)
        self.state = RuleState.fresh(self.plan, ZERO)
        self.now = ZERO

    def feed(self, values, seconds=None, cut: int = 60, quality=192) -> list[Finding]:
        steps = [INTERVAL] * len(values) if seconds is None else seconds
        marks = np.broadcast_to(quality, len(values))
        at = self.now + np.cumsum([round(s * SECOND) for s in steps])
        out: list[Finding] = []
        for n in range(0, len(values), cut):
            when, part = at[n : n + cut], values[n : n + cut]
            mark, end = marks[n : n + cut], int(when[-1])
            frame = Frame.of([1] * len(part), when, part, received=end, quality=mark)
            out += step(self.plan, self.state, frame, moment(int(when[-1])))
        self.now = int(at[-1])
        return [finding for finding in out if finding.kind is Kind.CHANGE]

    @property
    def memory(self):
        return self.state.layers[WHERE]

    @property
    def habit(self):
        return self.memory.habit[0]


def noise(n: int, seed: int = 1, level: float = 0.0, sigma: float = 1.0) -> np.ndarray:
    return level + sigma * np.random.default_rng(seed).standard_normal(n)


def edges(findings: list[Finding]) -> list[Edge]:
    return [finding.edge for finding in findings]


@given(
    st.integers(0, 10**6), st.floats(-8, 8), st.floats(0.01, 1000),
    st.booleans(), st.booleans(), st.booleans(), st.sampled_from([0.0, 0.02]),
)  # fmt: skip
@settings(max_examples=40)
def test_the_kernel_agrees_with_the_reference(
    seed: int, height: float, sigma: float, odd: bool, exception: bool, ranged: bool, bad: float
):
    chance = np.random.default_rng(seed)
    values = sigma * chance.standard_normal(900)
    values[500:] += height * sigma
    values[chance.random(900) < 0.01] += 10 * sigma
    good = chance.random(900) >= bad
    seconds = np.round(chance.uniform(2, 60, 900), 3) if odd else np.full(900, INTERVAL)
    floor = change_model().habit.floor_span * 200 * ranged
    slow = SlowChange(change_model(), INTERVAL, floor, 60.0 * exception)
    for n, value in enumerate(values):
        slow.sample(None if n == 0 else seconds[n], value if good[n] else None)
    assume(slow.margin > 0.003)
    one = quantity(max_silence_s=600.0) if exception else quantity()
    watch = Watch(one if ranged else replace(one, range=None))
    cut = int(chance.integers(1, 100))
    found = watch.feed(values, seconds, cut=cut, quality=np.where(good, 192, 0))
    at = ZERO + np.cumsum(np.rint(seconds * SECOND).astype(int))
    assert [(f.edge.name, micros(f.effective)) for f in found] == [
        (edge, int(at[n])) for edge, n in slow.found
    ]
    habit = watch.habit
    assert habit.usual == pytest.approx(slow.base, abs=0.02 * sigma)
    assert habit.noise == pytest.approx(slow.noise, rel=0.01)
    assert habit.spread / 4096 == pytest.approx(slow.spread, rel=0.01)
    assert habit.shift / 4096 == pytest.approx(slow.shift, abs=0.02)


def upheaval(chance: np.random.Generator, count: int, long: int) -> tuple[np.ndarray, ...]:
    """tag, at, value and quality of a frame of many tags, some of which change."""
    at = ZERO + SECOND * np.arange(1, long + 1)[:, None] * np.ones((1, count), int) * 10
    value = chance.standard_normal((long, count))
    value[long // 2 :, ::3] += chance.uniform(-8, 8)
    value[chance.random(value.shape) < 0.01] = chance.choice([inf, nan, 1e308, -1e308])
    late = chance.integers(0, 3 * SECOND, at.shape)
    quality = np.where(chance.random(at.shape) < 0.02, 0, 192)
    tags = np.broadcast_to(np.arange(1, count + 1), at.shape)
    return tags.ravel(), (at + late).ravel(), value.ravel(), quality.ravel()


def upheaved(cuts: list[int], seed: int = 5) -> tuple[list[Finding], ChangeMemory]:
    chance = np.random.default_rng(seed)
    tags = [quantity(n) for n in range(1, 7)] + [quantity(7, max_silence_s=600.0), valve(8)]
    watch = Watch(*tags, replace(quantity(9), range=None))
    columns, out = upheaval(chance, 9, 700), []
    for begin, end in pairwise(sorted({0, *cuts, len(columns[0])})):
        tag_, at, value, quality = (column[begin:end] for column in columns)
        last = int(columns[1][:end].max())
        frame = Frame.of(tag_, at, value, received=last, quality=quality)
        out += step(watch.plan, watch.state, frame, moment(last))
    return [finding for finding in out if finding.kind is Kind.CHANGE], watch.memory


@given(st.lists(st.integers(1, 6299), max_size=30))
@settings(max_examples=10)
def test_frames_however_cut_give_the_same_to_the_bit(cuts: list[int]):
    whole, memory = upheaved([])
    parts, other = upheaved(cuts)
    assert sorted(whole, key=repr) == sorted(parts, key=repr)
    assert memory.habit.tobytes() == other.habit.tobytes()
    assert np.array_equal(memory.onset, other.onset)


def test_the_loop_uncompiled_keeps_within_its_arrays_and_says_the_same(monkeypatch):
    compiled, memory = upheaved([])
    for module in (averages, change_learning, change):
        for name, what in vars(module).copy().items():
            if hasattr(what, "py_func"):
                monkeypatch.setattr(module, name, what.py_func)
    assert not hasattr(vars(change)["listen"], "py_func")
    plain, other = upheaved([])
    assert len(plain) > 3
    assert [(f.tag, f.edge, f.effective) for f in plain] == [
        (f.tag, f.edge, f.effective) for f in compiled
    ]
    assert plain[0].detail == pytest.approx(compiled[0].detail, rel=1e-3)
    assert other.habit["usual"] == pytest.approx(memory.habit["usual"], rel=1e-6)


def test_the_loop_is_compiled_for_one_combination_of_types():
    some = [quantity(1), valve(2), quantity(3, max_silence_s=600.0)]
    every = [replace(quantity(n), range=(-float(n), 100.0)) for n in range(1, 400)]
    for tags in (some, every, [quantity(1)], [quantity(1), quantity(2)]):
        watch = Watch(*tags)
        values, ids = np.arange(float(len(tags))), np.array([tag.id for tag in tags], np.int32)
        values.flags.writeable = False
        at = np.full(len(tags), ZERO + 1)
        frame = Frame.of(ids, at, values, received=ZERO + 1)
        step(watch.plan, watch.state, frame, moment(ZERO + 1))
        watch.feed(noise(20))
    loop: Any = averages.listen
    assert len(loop.signatures) == 1


def test_more_edges_than_there_is_room_for_are_all_told(monkeypatch):
    expected, memory = upheaved([])
    monkeypatch.setattr(change, "ROOM", 2)
    found, other = upheaved([])
    assert len(found) > 4
    assert found == expected
    assert memory.habit.tobytes() == other.habit.tobytes()


def test_a_tag_of_which_nothing_is_told_learns_its_noise_from_its_steps():
    for sigma in (1e-6, 1.0, 1e6):
        watch = Watch(replace(quantity(), range=None))
        assert watch.feed(noise(2000, sigma=sigma)) == []
        assert watch.habit.noise == pytest.approx(sigma, rel=0.2)
        assert edges(watch.feed(noise(100, 2, 4 * sigma, sigma))) == [Edge.RAISED]


def test_a_value_that_was_not_good_does_not_stand_until_the_next_report():
    for quality, expected in ((192, [Edge.RAISED]), (0, [])):
        watch = Watch(quantity(max_silence_s=600.0))
        watch.feed(noise(2000))
        watch.feed([3.0], quality=quality)
        assert edges(watch.feed([0.1], seconds=[590.0])) == expected


def test_days_without_movement_are_not_all_that_is_known():
    watch = Watch()
    watch.feed(noise(9000))
    watch.feed(np.full(60_000, watch.habit.usual), cut=60_000)
    assert watch.habit.spread[-1] / 4096 == pytest.approx(0.5 * sqrt(0.005 / 1.995), rel=1e-6)


def test_noise_alone_raises_nothing_and_a_step_is_told_until_it_is_undone():
    watch = Watch()
    assert watch.feed(noise(3000)) == []
    up = watch.feed(noise(200, 2, 3.0))
    assert edges(up) == [Edge.RAISED]
    assert up[0].detail["usual"] == pytest.approx(0, abs=0.2)
    assert up[0].detail["shift"] > 0.3
    assert edges(watch.feed(noise(600, 3))) == [Edge.RETURNED]


def test_a_step_is_not_absorbed_in_silence_but_becomes_the_new_normal_after_a_day():
    watch = Watch()
    watch.feed(noise(9000))
    found = watch.feed(noise(8600, 2, 4.0))
    assert edges(found) == [Edge.RAISED]
    found = watch.feed(noise(100, 3, 4.0))
    assert [(f.edge, f.reason) for f in found] == [(Edge.RETURNED, NEW_NORMAL)]
    assert watch.feed(noise(2000, 4, 4.0)) == []


def test_outliers_raise_nothing():
    values = noise(9000)
    values[::97] += 50
    assert Watch().feed(values) == []


def test_a_constant_signal_raises_nothing():
    assert Watch().feed(np.full(3000, 42.0)) == []


@pytest.mark.parametrize("wild", [nan, inf, -inf, 1e308, -1e308])
def test_wild_values_do_not_poison_the_habit(wild: float):
    watch = Watch()
    watch.feed(noise(2000))
    watch.feed(np.full(3, wild))
    watch.feed(noise(2000, 2))
    assert abs(watch.habit.usual) < 0.2
    assert watch.habit.noise == pytest.approx(1, rel=0.2)
    assert edges(watch.feed(noise(300, 3, 4.0)))[-1:] == [Edge.RAISED]


@pytest.mark.parametrize("wild", [nan, inf, 1e308, 1e6])
def test_a_wild_first_value_is_forgotten(wild: float):
    watch = Watch()
    watch.feed(np.full(1, wild))
    watch.feed(noise(2000, 5, 20.0))
    assert watch.habit.usual == pytest.approx(20, abs=1)
    assert watch.habit.noise == pytest.approx(1, rel=0.5)


def test_bad_values_teach_and_end_nothing():
    watch = Watch()
    watch.feed(noise(2000))
    assert edges(watch.feed(noise(100, 2, 5.0))) == [Edge.RAISED]
    assert watch.feed(noise(1000, 3), quality=0) == []


def test_a_year_of_silence_and_reversed_times_raise_no_exception():
    watch = Watch()
    watch.feed(noise(1000))
    watch.feed(noise(10, 2), seconds=[31_536_000.0] + [INTERVAL] * 9)
    watch.feed(noise(10, 3), seconds=[-500.0] * 10)
    assert watch.feed(noise(1000, 4)) == []


@given(st.integers(0, 1000), st.sampled_from([2.0**-10, 2.0**7]), st.sampled_from([0.0, 64.0]))
@settings(max_examples=10)
def test_units_and_offsets_change_nothing(seed: int, factor: float, offset: float):
    values = noise(1200, seed)
    values[800:] += 4
    values = np.round(values * 4096) / 4096
    plain = replace(quantity(), range=None)
    one, other = Watch(plain), Watch(plain)
    found = one.feed(values)
    again = other.feed(values * factor + offset)
    assert [(f.edge, f.effective) for f in found] == [(f.edge, f.effective) for f in again]


@given(st.integers(0, 1000), st.integers(1, 1500))
@settings(max_examples=10)
def test_what_is_known_at_a_time_does_not_depend_on_what_follows(seed: int, cut: int):
    values = noise(1500, seed)
    values[1000:] += 5
    whole = Watch().feed(values)
    prefix = Watch().feed(values[:cut], cut=7)
    until = moment(ZERO + cut * round(INTERVAL * SECOND))
    assert prefix == [f for f in whole if f.effective <= until]


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@settings(max_examples=10)
def test_who_else_is_in_the_frame_changes_no_bit(seed: int, jitter: bool, exception: bool):
    chance = np.random.default_rng(seed)
    tags = [quantity(n) for n in range(1, 7)]
    if exception:
        tags[2:] = [quantity(3, max_silence_s=600.0), *(tag(n, interval_s=5.0) for n in (4, 5, 6))]
    steps = INTERVAL + (0.5 * chance.standard_normal(400) if jitter else np.zeros(400))
    values = chance.standard_normal((400, 6)) + 6 * (np.arange(400) > 320)[:, None]
    heard = chance.random((400, 6)) > 0.1 * chance.random(6) * (np.arange(400) > 30)[:, None]
    at = ZERO + np.cumsum(np.rint(steps * SECOND)).astype(np.int64)
    whole, alone = Watch(*tags), [Watch(one) for one in tags]
    for now, row, here in zip(at, values, heard, strict=True):
        ids = (np.flatnonzero(here) + 1).astype(np.int32)
        frame = Frame.of(ids, np.full(len(ids), now), row[here], received=int(now))
        step(whole.plan, whole.state, frame, moment(int(now)))
        for n in np.flatnonzero(here).tolist():
            frame = Frame.of([n + 1], [now], row[n : n + 1], received=int(now))
            step(alone[n].plan, alone[n].state, frame, moment(int(now)))
    for n, one in enumerate(alone):
        assert whole.memory.habit[n].tobytes() == one.habit.tobytes()
        assert whole.memory.onset[n] == one.memory.onset[0]


def test_states_have_no_row_and_a_report_by_exception_stands_between_reports():
    tags = [quantity(1), valve(2), quantity(3, max_silence_s=600.0)]
    table = table_of(tags, change_model())
    assert list(table.keys) == [1, 3]
    assert list(table.sorts["held"][table.sort]) == [0.0, 60.0]
    watch = Watch(quantity(max_silence_s=600.0))
    watch.feed(noise(2000))
    assert edges(watch.feed([3.0, 3.1], seconds=[INTERVAL, 590.0])) == [Edge.RAISED]


def test_memory_and_table_fit_their_budget():
    watch = Watch(*(quantity(n) for n in range(1, 1001)))
    table = watch.plan.layers[WHERE]
    assert isinstance(table, ChangeTable)
    kept = (watch.memory.habit, watch.memory.onset, table.keys, table.sort)
    assert sum(array.nbytes for array in kept) / 1000 <= 64
