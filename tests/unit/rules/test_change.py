"""CHANGE: the kernel and the slow reference agree, and what an operator may expect."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.change_model import change_model
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.plant import Tag, TagKind
from rules.change import CHANGE, NEW_NORMAL, ChangeTable, table_of
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


class Watch:
    """An engine with some tags, fed with values at equal or given times."""

    def __init__(self, *tags: Tag) -> None:
        self.registry = registry(*(tags or (quantity(),)))
        self.plan = compile_plan(self.registry)
        self.state = RuleState.fresh(self.plan, ZERO)
        self.now = ZERO

    def feed(self, values, seconds=None, cut: int = 60, quality: int = 192) -> list[Finding]:
        steps = [INTERVAL] * len(values) if seconds is None else seconds
        at = self.now + np.cumsum([round(s * SECOND) for s in steps])
        out: list[Finding] = []
        for n in range(0, len(values), cut):
            when, part = at[n : n + cut], values[n : n + cut]
            frame = Frame.of([1] * len(part), when, part, received=int(when[-1]), quality=quality)
            out += step(self.plan, self.state, frame, moment(int(when[-1])))
        self.now = int(at[-1])
        return [finding for finding in out if finding.kind is Kind.CHANGE]

    @property
    def memory(self):
        return self.state.layers[WHERE]


def noise(n: int, seed: int = 1, level: float = 0.0, sigma: float = 1.0) -> np.ndarray:
    return level + sigma * np.random.default_rng(seed).standard_normal(n)


def edges(findings: list[Finding]) -> list[Edge]:
    return [finding.edge for finding in findings]


@given(st.integers(0, 10**6), st.floats(-8, 8), st.floats(0.01, 1000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_kernel_agrees_with_the_reference(seed: int, height: float, sigma: float, odd: bool):
    chance = np.random.default_rng(seed)
    values = sigma * chance.standard_normal(900)
    values[500:] += height * sigma
    values[chance.random(900) < 0.01] += 10 * sigma
    seconds = np.round(chance.uniform(2, 60, 900), 3) if odd else np.full(900, INTERVAL)
    slow = SlowChange(change_model(), INTERVAL, change_model().habit.floor_span * 200)
    for n, value in enumerate(values):
        slow.sample(None if n == 0 else seconds[n], value)
    assume(slow.margin > 0.003)
    watch = Watch()
    found = watch.feed(values, seconds, cut=int(chance.integers(1, 100)))
    at = ZERO + np.cumsum(np.rint(seconds * SECOND).astype(int))
    assert [(f.edge.name, micros(f.effective)) for f in found] == [
        (edge, int(at[n])) for edge, n in slow.found
    ]
    assert watch.memory.base[0] == pytest.approx(slow.base, abs=0.02 * sigma)
    assert watch.memory.noise[0] == pytest.approx(slow.noise, rel=0.01)
    assert watch.memory.spread[0] / 4096 == pytest.approx(slow.spread, rel=0.01)
    assert watch.memory.shift[0] / 4096 == pytest.approx(slow.shift, abs=0.02)


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
    assert abs(watch.memory.base[0]) < 0.2
    assert watch.memory.noise[0] == pytest.approx(1, rel=0.2)
    assert edges(watch.feed(noise(300, 3, 4.0)))[-1:] == [Edge.RAISED]


@pytest.mark.parametrize("wild", [nan, inf, 1e308, 1e6])
def test_a_wild_first_value_is_forgotten(wild: float):
    watch = Watch()
    watch.feed(np.full(1, wild))
    watch.feed(noise(2000, 5, 20.0))
    assert watch.memory.base[0] == pytest.approx(20, abs=1)
    assert watch.memory.noise[0] == pytest.approx(1, rel=0.5)


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
@settings(max_examples=10, deadline=None)
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
@settings(max_examples=10, deadline=None)
def test_what_is_known_at_a_time_does_not_depend_on_what_follows(seed: int, cut: int):
    values = noise(1500, seed)
    values[1000:] += 5
    whole = Watch().feed(values)
    prefix = Watch().feed(values[:cut], cut=7)
    until = moment(ZERO + cut * round(INTERVAL * SECOND))
    assert prefix == [f for f in whole if f.effective <= until]


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@settings(max_examples=10, deadline=None)
def test_who_else_is_in_the_frame_changes_no_bit(seed: int, jitter: bool, exception: bool):
    """Blocks whose rows are alike take short cuts: equal to the bit with blocks of one row."""
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
    for name in whole.memory.__dataclass_fields__:
        mine = np.concatenate([getattr(one.memory, name) for one in alone])
        assert np.array_equal(getattr(whole.memory, name), mine), name


def test_states_have_no_row_and_a_report_by_exception_stands_between_reports():
    tags = [quantity(1), tag(2, kind=TagKind.VALVE), quantity(3, max_silence_s=600.0)]
    table = table_of(tags, change_model())
    assert list(table.keys) == [1, 3]
    assert list(table.held[table.sort]) == [0.0, 60.0]
    watch = Watch(quantity(max_silence_s=600.0))
    watch.feed(noise(2000))
    assert edges(watch.feed([3.0, 3.1], seconds=[INTERVAL, 590.0])) == [Edge.RAISED]


def test_memory_and_table_fit_their_budget():
    watch = Watch(*(quantity(n) for n in range(1, 1001)))
    arrays = [getattr(watch.memory, name) for name in watch.memory.__dataclass_fields__]
    table = watch.plan.layers[WHERE]
    assert isinstance(table, ChangeTable)
    total = sum(a.nbytes for a in arrays) + table.keys.nbytes + table.sort.nbytes
    assert total / 1000 <= 64
