"""Intermittent gas: the kernel and the slow reference agree, and what an operator may expect."""

from dataclasses import replace
from itertools import pairwise
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.plant import Registry, Tag, TagKind
from rules import intermittent, loops, rows
from rules.compiling import compile_plan
from rules.engine import step
from rules.intermittent import INTERMITTENT, compile_gas, fresh
from rules.layers import LAYERS
from rules.state import RuleState, carry
from tests.support.builders import START, at, registry, tag
from tests.support.reference_gas import SlowGas
from tests.support.uncompiled import uncompiled

ZERO = micros(START)
MINUTE = 60.0


def gas(
    id: int = 1,
    *,
    limits: dict[Kind, float] | None = None,
    resolution: float | None = None,
    interval_s: float = 60.0,
) -> Tag:
    limits = {Kind.H: 5.0, Kind.HH: 25.0} if limits is None else limits
    span = (0.0, 1000.0)
    one = tag(id, kind=TagKind.GAS_COMBUSTIBLE, range=span, limits=limits, interval_s=interval_s)
    return replace(one, unit="ppm", resolution=resolution)


def only_gas(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.kind is Kind.INTERMITTENT]


def noise(n: int, seed: int = 7, level: float = 2.0, spread: float = 0.05) -> np.ndarray:
    return level + spread * np.random.default_rng(seed).standard_normal(n)


class Watch:
    """A plant of gas detectors, fed in minutes."""

    def __init__(self, *tags: Tag) -> None:
        self.registry: Registry = registry(*tags)
        self.plan = compile_plan(self.registry)
        self.state = RuleState.fresh(self.plan, ZERO)

    def feed(self, values, *, begin: float = 0.0, every: float = MINUTE, quality: int = 192, id=1):
        """Values at equal times, in frames of 60; what was found of intermittent gas."""
        out: list[Finding] = []
        times = [micros(at(begin + n * every)) for n in range(len(values))]
        for n in range(0, len(values), 60):
            part, when = values[n : n + 60], times[n : n + 60]
            frame = Frame.of([id] * len(part), when, part, received=when[-1], quality=quality)
            out += only_gas(step(self.plan, self.state, frame, moment(when[-1])))
        return out


@pytest.fixture
def calm() -> Watch:
    """Six hours of clean air."""
    watch = Watch(gas())
    assert watch.feed(noise(360)) == []
    return watch


AFTER = 360 * MINUTE


def test_it_is_one_of_the_layers():
    assert INTERMITTENT in LAYERS


def test_a_detector_costs_32_bytes():
    table = compile_gas(registry(gas()), [gas()])
    memory = fresh(table)
    assert sum(getattr(memory, name)[:1].nbytes for name in rows._names(memory)) == 32


def test_pulses_below_the_first_set_point_add_up(calm):
    """Three minutes at 4 ppm and two of clean air, again and again: an on-delay sees nothing."""
    found = calm.feed([4.0, 4.0, 4.0, 2.0, 2.0] * 6, begin=AFTER)
    assert [finding.edge for finding in found] == [Edge.RAISED]
    assert found[0].effective <= at(AFTER + 10 * MINUTE)
    assert found[0].detail["background"] == pytest.approx(2.0, abs=0.02)
    assert found[0].detail["spread"] == pytest.approx(0.05, rel=0.15)
    assert found[0].detail["known_s"] == pytest.approx(360 * 60, rel=0.01)
    assert found[0].onset <= found[0].effective


def test_one_reading_alone_never_raises(calm):
    assert calm.feed([900.0, *noise(60, 3)], begin=AFTER) == []


def test_it_returns_when_the_air_is_clean_and_says_which_occurrence_ended(calm):
    found = calm.feed([*[6.0] * 5, *noise(90, 3)], begin=AFTER)
    assert [finding.edge for finding in found] == [Edge.RAISED, Edge.RETURNED]
    assert found[0].onset == found[1].onset


@pytest.mark.parametrize(("value", "quality"), [(nan, 192), (2.0, 64), (2.0, 0), (2.0, 85)])
def test_what_is_not_good_never_ends_it(calm, value, quality):
    assert calm.feed([6.0] * 5, begin=AFTER)
    assert calm.feed([value] * 300, begin=AFTER + 300, quality=quality) == []


def test_silence_never_ends_it(calm):
    assert calm.feed([6.0] * 5, begin=AFTER)
    assert only_gas(step(calm.plan, calm.state, None, at(AFTER + 7 * 86_400))) == []


@pytest.mark.parametrize(("value", "quality"), [(1200.0, 86), (inf, 192), (1e308, 192)])
def test_above_the_range_is_gas(calm, value, quality):
    found = calm.feed([value] * 3, begin=AFTER, quality=quality)
    assert [finding.edge for finding in found] == [Edge.RAISED]


def test_a_plume_does_not_become_the_background(calm):
    calm.feed([40.0] * 240, begin=AFTER)
    assert calm.state.layers[LAYERS.index(INTERMITTENT)].gas[0].background < 2.1


def test_a_start_within_a_plume_finds_the_clean_air_and_then_the_next_plume():
    watch = Watch(gas())
    watch.feed([*noise(20, 5, 40.0, 3.0), *noise(60, 6)])
    found = watch.feed([6.0] * 10, begin=80 * MINUTE)
    assert [finding.edge for finding in found] == [Edge.RAISED]
    assert found[0].detail["known_s"] < 70 * 60


def test_before_the_background_is_known_only_plenty_raises():
    assert Watch(gas()).feed([2.0, 2.1, 1.9, 2.1, 2.2, 2.3, 2.2, 2.1]) == []
    assert Watch(gas()).feed([2.0, 2.1, 1.9, *[9.0] * 10])


def test_what_was_learnt_is_forgotten_in_silence(calm):
    """The detector came back after two days, recalibrated."""
    assert calm.feed(noise(120, 9, level=3.0), begin=AFTER + 48 * 3600) == []


@pytest.mark.parametrize("every", [10.0, 60.0, 300.0])
def test_memory_is_time_whatever_the_sampling(every):
    watch = Watch(gas(interval_s=every))
    n = int(4 * 3600 / every)
    assert watch.feed(noise(n), every=every) == []
    found = watch.feed(noise(int(3600 / every), 8, level=2.6), begin=n * every, every=every)
    minutes = (found[0].effective - at(n * every)).total_seconds() / 60
    assert 3 <= minutes <= 10 + every / 60


def test_zero_is_a_reading_and_a_quiet_detector_does_not_cry_at_its_resolution():
    watch = Watch(gas(limits={}, resolution=0.1))
    flicker = np.where(np.random.default_rng(1).random(600) < 0.1, 0.1, 0.0)
    assert watch.feed(flicker) == []
    assert watch.feed([1.0] * 10, begin=600 * MINUTE)


@given(st.integers(-20, 20), st.integers(0, 2**32))
@settings(max_examples=6)
def test_units_do_not_matter(power, seed):
    rng = np.random.default_rng(seed)
    values = np.abs(2 + 0.05 * rng.standard_normal(300) + 3 * (rng.random(300) < 0.3))
    scale = 2.0**power

    def found(scale: float) -> list[tuple]:
        one = gas(limits={Kind.H: 5.0 * scale})
        watch = Watch(replace(one, range=(0.0, 1000.0 * scale)))
        return [(f.edge, f.onset, f.effective) for f in watch.feed(values * scale)]

    assert found(scale) == found(1.0)


VALUES = [0.0, 0.1, 2.0, 2.0, 2.05, 2.1, 1.95, 3.0, 6.0, 40.0, -5.0, 1e308, -1e308, inf, -inf, nan]
GAPS = [1, 10, 60, 60, 60, 61, 300, 900, 7200, 100_000, 40_000_000]


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[int, int, float, int]]:
    """(tag, event time, value, quality) of three detectors; times of one rise, mostly."""
    now, out = 0, []
    for _ in range(draw(st.integers(1, 80))):
        now += draw(st.sampled_from(GAPS)) * SECOND
        out.append(
            (
                draw(st.sampled_from([1, 2, 3])),
                ZERO + now - draw(st.sampled_from([0, 0, 0, 120])) * SECOND,
                draw(st.sampled_from(VALUES)),
                draw(st.sampled_from([192, 192, 192, 192, 64, 0, 85, 86])),
            )
        )
    return out


def three() -> list[Tag]:
    return [
        gas(1),
        replace(gas(2, limits={}), range=None),
        gas(3, limits={Kind.H: 40.0}, resolution=0.5, interval_s=10.0),
    ]


@given(streams(), st.sets(st.integers(0, 80)))
@settings(max_examples=80)
def test_kernel_and_reference_agree_however_the_stream_is_cut(stream, cuts):
    plan = compile_plan(registry(*three()))
    state = RuleState.fresh(plan, ZERO)
    slow = {tag.id: SlowGas(tag) for tag in three()}
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for begin, end in pairwise(edges):
        part = stream[begin:end]
        stamp = max(when for _, when, _, _ in part)
        frame = Frame.of(
            [t for t, _, _, _ in part],
            [when for _, when, _, _ in part],
            [value for _, _, value, _ in part],
            received=stamp,
            quality=[quality for _, _, _, quality in part],
        )
        found = [
            (f.tag, f.edge.name, micros(f.onset), micros(f.effective))
            for f in only_gas(step(plan, state, frame, moment(stamp)))
        ]
        expected = []
        for id, when, value, quality in sorted(part, key=lambda sample: sample[:2]):
            edge = slow[id].sample(when, value, quality)
            if edge is not None:
                expected.append((id, *edge))
        assert sorted(found, key=lambda f: (f[0], f[3])) == expected
        memory: Any = state.layers[LAYERS.index(INTERMITTENT)]
        for n, one in enumerate(slow.values()):
            assert memory.gas[n].level == pytest.approx(one.level, rel=1e-5, abs=1e-5)
            assert memory.gas[n].known == pytest.approx(one.known, rel=1e-5)


def test_uncompiled_it_finds_the_same(calm):
    values = [*[900.0] * 2, *noise(55, 3), *[6.0] * 5, inf, nan, *noise(90, 3), *[4.0, 2.0] * 20]
    other = Watch(gas())
    other.feed(noise(360))
    with uncompiled(intermittent, loops) as patch, np.errstate(all="ignore"):
        patch.setattr(intermittent, "room", lambda: loops.room(1))
        found = other.feed(values, begin=AFTER)
    assert [edge_of(f) for f in found] == [edge_of(f) for f in calm.feed(values, begin=AFTER)]
    assert len(found) >= 2


def edge_of(finding: Finding) -> tuple:
    return finding.edge, finding.onset, finding.effective


def test_it_survives_a_snapshot_and_a_new_plan(calm):
    assert calm.feed([6.0] * 5, begin=AFTER)
    copy = RuleState.from_bytes(calm.plan, calm.state.to_bytes(calm.plan))
    moved, _ = carry(calm.plan, copy, compile_plan(registry(gas(), gas(2))), at(AFTER + 300))
    n = LAYERS.index(INTERMITTENT)
    for name in rows._names(moved.layers[n]):
        assert getattr(moved.layers[n], name)[0] == getattr(calm.state.layers[n], name)[0]
