"""PREDICT: the lines and the slow reference agree, and what an operator may expect."""

from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.forecast_model import forecast_model
from domain.frame import Frame
from domain.instant import FAR, SECOND, micros, moment
from domain.plant import Node, Tag, TagKind
from rules import discounts, forecast, foretell, heading, horizon, lines
from rules import noise as noises
from rules.forecast import FORECAST
from rules.forecast_table import table_of
from rules.foretell import pass_samples
from rules.heading import rule_of
from rules.lines import spread
from rules.outlook import ahead, look, outlook, soonest
from tests.support.builders import ENTERPRISE, SOURCE, START, registry, tag
from tests.support.layer_run import LayerRun
from tests.support.reference_warning import SlowLines
from tests.support.uncompiled import uncompiled

ZERO = micros(START)
LOOPS: tuple[Any, ...] = (pass_samples, soonest, look)
INTERVAL = 10.0
HH = 10.0


def level(id: int = 1, **given) -> Tag:
    rest = {k: given.pop(k) for k in ("action_min", "fill_target", "report_deadband", "equipment")
            if k in given}  # fmt: skip
    own = {"limits": {Kind.HH: HH, Kind.LL: -10.0}, "range": (-20.0, 20.0)} | given
    return replace(tag(id, interval_s=INTERVAL, **own), **rest)


class Watch:
    """The layer over one tag, fed with values."""

    def __init__(self, *tags: Tag, nodes: tuple[Node, ...] = ()) -> None:
        self.run = LayerRun(registry(*(tags or (level(),)), nodes=nodes), FORECAST)
        self.now = ZERO

    def feed(self, values, seconds=None, cut: int = 30, quality: int = 192) -> list[Finding]:
        steps = [INTERVAL] * len(values) if seconds is None else seconds
        at = self.now + np.cumsum([round(s * SECOND) for s in steps])
        out: list[Finding] = []
        for n in range(0, len(values), cut):
            when, part = at[n : n + cut], values[n : n + cut]
            stamp = int(when[-1])
            out += self.run.step(
                Frame.of([1] * len(part), when, part, received=stamp, quality=quality)
            )
        self.now = int(at[-1])
        return out

    @property
    def memory(self):
        return self.run.memory

    @property
    def known(self):
        return self.memory.known[0]

    def ahead(self) -> int:
        return int(ahead(self.run.plan, self.run.table, self.memory, self.run.seen, self.now)[0])

    def outlook(self):
        run = self.run
        return outlook(run.plan, run.table, run.memory, run.seen, 0, self.now)


def noise(n: int, seed: int = 1, at: float = 0.0, sigma: float = 0.05) -> np.ndarray:
    drawn: np.ndarray = at + sigma * np.random.default_rng(seed).standard_normal(n)
    return drawn


def ramp(n: int, slope: float, seed: int = 2, at: float = 0.0) -> np.ndarray:
    drawn: np.ndarray = noise(n, seed, at) + slope * np.arange(1, n + 1)
    return drawn


def edges(findings: list[Finding]) -> list[Edge]:
    return [finding.edge for finding in findings]


@given(st.integers(0, 10**6), st.floats(-3, 3), st.booleans())
@settings(max_examples=20)
def test_the_lines_agree_with_the_reference(seed: int, slope: float, odd: bool):
    chance = np.random.default_rng(seed)
    values = 0.05 * chance.standard_normal(300)
    values[150:] += 0.05 * slope * np.arange(150)
    values[chance.random(300) < 0.02] += 0.6
    values = (values - HH).astype(np.float32).astype(float) + HH
    seconds = np.round(chance.uniform(3, 50, 300), 3) if odd else np.full(300, INTERVAL)
    slow = SlowLines(forecast_model(), 12800.0, INTERVAL, (40 * 1e-6) ** 2)
    for n, value in enumerate(values):
        slow.sample(INTERVAL if n == 0 else seconds[n], value - HH)
    assume(slow.margin > 0.003)
    watch = Watch()
    watch.feed(values, seconds, cut=int(chance.integers(1, 60)))
    known = watch.known
    assert known.level == pytest.approx(slow.level, abs=2e-3)
    assert known.slope == pytest.approx(slow.slope, rel=0.01, abs=1e-5)
    assert known.variance == pytest.approx(slow.variance, rel=0.01)
    assert known.age == pytest.approx(slow.age, rel=1e-3, abs=1e-3)
    assert known.covariance == pytest.approx(slow.covariance, rel=0.01, abs=1e-6)
    assert (known.line, known.run, known.kept) == (slow.line, slow.run, slow.base)


def test_a_ramp_is_foretold_with_rate_time_and_interval():
    watch = Watch()
    assert watch.feed(noise(1500)) == []
    found = watch.feed(ramp(190, 0.05))
    assert edges(found) == [Edge.RAISED]
    told, at = found[0].detail, micros(found[0].effective)
    crossing = ZERO + (1500 + 200) * round(INTERVAL * SECOND)
    assert told["rate"] == pytest.approx(0.3, rel=0.05)
    assert told["earliest"] <= crossing <= told["latest"]
    assert 10 < (crossing - at) / 60e6 < 12.5
    assert told["probability"] > 0.8
    assert found[0].limit == HH
    assert watch.outlook().earliest <= crossing <= watch.outlook().latest
    assert 0 < watch.ahead() < 3 * 60e6


def test_it_returns_when_the_ramp_stops_and_falls_are_foretold_too():
    watch = Watch()
    watch.feed(noise(1500))
    watch.feed(ramp(170, 0.05))
    assert edges(watch.feed(noise(100, 3, 8.5))) == [Edge.RETURNED]
    watch = Watch()
    watch.feed(noise(1500))
    found = watch.feed(ramp(190, -0.05))
    assert (edges(found), found[0].limit) == ([Edge.RAISED], -10.0)


def test_noise_steps_and_outliers_beside_a_limit_foretell_nothing():
    for seed in range(4):
        values = noise(3000, seed, HH - 0.3)
        values[::83] -= 0.6
        assert Watch().feed(values) == []
    watch = Watch()
    watch.feed(noise(1500))
    assert watch.feed(noise(300, 2, 7.0)) == []


def test_a_constant_signal_never_predicts():
    watch = Watch()
    assert watch.feed(np.full(1000, HH - 1e-3)) == []
    assert watch.ahead() == FAR


def test_only_h_and_l_stand_for_the_outer_limits():
    watch = Watch(level(limits={Kind.H: 9.0}))
    watch.feed(noise(1500))
    assert [f.limit for f in watch.feed(ramp(170, 0.05))] == [9.0]


def test_beyond_the_limit_it_is_about_the_end_of_the_range():
    watch = Watch(level(range=(-20.0, 11.0)))
    watch.feed(noise(1500))
    found = watch.feed(ramp(215, 0.05))
    assert [(f.edge, f.limit) for f in found] == [(Edge.RAISED, HH), (Edge.WORSE, 11.0)]


def test_a_fill_target_before_the_limit_says_that_the_filling_stops():
    watch = Watch(level(fill_target=9.0))
    watch.feed(noise(1500))
    assert watch.feed(ramp(175, 0.05)) == []
    assert watch.ahead() == FAR
    assert edges(watch.feed(ramp(20, 0.05, 3, 8.75))) == [Edge.RAISED]


def test_bad_values_freeze_it_and_end_nothing():
    watch = Watch()
    watch.feed(noise(1500))
    watch.feed(ramp(180, 0.05))
    before = watch.ahead()
    width = watch.outlook().latest - watch.outlook().earliest
    assert watch.feed(np.full(60, 0.0), quality=0) == []
    assert watch.ahead() == before
    assert watch.outlook().older == pytest.approx(600)
    watch.feed(ramp(1, 0.0, 4, 9.0 + 61 * 0.05))
    assert watch.outlook().latest - watch.outlook().earliest > width or watch.ahead() == FAR


@pytest.mark.parametrize("wild", [nan, inf, -inf, 1e308, -1e308, 1e11])
def test_wild_values_do_not_poison_the_lines(wild: float):
    for values in ([wild], [wild] * 4):
        watch = Watch()
        watch.feed(noise(600))
        watch.feed(np.array(values))
        watch.feed(noise(600, 2))
        assert edges(watch.feed(ramp(190, 0.05))) == [Edge.RAISED]


def test_a_year_of_silence_reversed_times_and_tiny_steps_raise_no_exception():
    watch = Watch()
    watch.feed(noise(300))
    watch.feed(noise(10, 2, 5.0), seconds=[31_536_000.0] + [INTERVAL] * 9)
    watch.feed(noise(10, 3), seconds=[-500.0] * 10)
    watch.feed(noise(50, 4, 5.0), seconds=[2000.0] + [1e-6] * 49)
    watch.feed(noise(600, 5, 5.0))
    assert watch.known.level + HH == pytest.approx([5.0] * 4, abs=0.2)


@given(st.integers(0, 1000), st.sampled_from([2.0**-8, 2.0**6]), st.sampled_from([0.0, 32.0]))
@settings(max_examples=8)
def test_units_and_offsets_change_nothing(seed: int, factor: float, offset: float):
    values = np.concatenate([noise(300, seed), ramp(190, 0.05, seed + 1)])
    values = np.round(values * 2**14) / 2**14
    limits = {Kind.HH: HH * factor + offset}
    plain = level(limits={Kind.HH: HH}, range=None)
    other = level(limits=limits, range=None)
    found = Watch(plain).feed(values)
    again = Watch(other).feed(values * factor + offset)
    assert [(f.edge, f.effective) for f in found] == [(f.edge, f.effective) for f in again]


@given(st.integers(0, 1000), st.integers(1, 600))
@settings(max_examples=10)
def test_what_is_known_at_a_time_does_not_depend_on_what_follows(seed: int, cut: int):
    values = np.concatenate([noise(300, seed), ramp(190, 0.05, seed), noise(110, seed, 9.5)])
    whole = Watch().feed(values)
    prefix = Watch().feed(values[:cut], cut=7)
    until = moment(ZERO + cut * round(INTERVAL * SECOND))
    assert prefix == [f for f in whole if f.effective <= until]


def test_action_times_and_windows_follow_the_tag():
    reactor = Node(30, SOURCE, "equipment", "R-1", "R", enterprise=ENTERPRISE,
                   detail={"kind": "reactor"})  # fmt: skip
    tags = (level(1), level(2, equipment="R-1"), level(3, action_min=20.0),
            tag(4, kind=TagKind.VALVE, limits={Kind.H: 1.0}), tag(5))  # fmt: skip
    table = FORECAST.compile(registry(*tags, nodes=(reactor,)), tags)
    assert list(table.keys) == [1, 2, 3]
    assert list(table.sorts["action"][table.sort]) == [600, 300, 1200]
    assert list(table.sorts["window"][table.sort]) == [12800, 7680, 12800]


def test_a_deadband_of_reports_widens_the_interval():
    plain, coarse = (table_of([level(report_deadband=d)], set(), forecast_model()) for d in (0, 3))
    assert (plain.sorts["report"][0], coarse.sorts["report"][0]) == (0, 0.75)


def test_memory_and_table_are_as_small_as_told():
    run = Watch(*(level(n) for n in range(1, 1001))).run
    assert run.bytes_per_row() <= 75


AREA, TANK = 103.9, 10.7
"""m2 and m: the tank of scenario S1, domain.md 7.2."""


def tank(interval_s: float = 5.0) -> Tag:
    limits = {Kind.H: 0.85 * TANK, Kind.HH: 0.92 * TANK}
    return tag(1, interval_s=interval_s, range=(0.0, TANK), limits=limits)


@pytest.mark.parametrize("flow", [50, 100, 200])
@pytest.mark.parametrize("interval_s", [5.0, 60.0])
def test_an_overfill_is_told_the_action_time_ahead(flow: int, interval_s: float):
    minutes, rate = np.arange(0, 50, interval_s / 60), flow / 60 / AREA
    still, rising = np.zeros(int(3600 / interval_s)), rate * minutes
    true = 0.92 * TANK - rate * minutes[-1] + np.concatenate([still, rising])
    for sigma in (0.002, 0.005):
        watch = Watch(tank(interval_s))
        values = np.round(true + noise(len(true), flow, sigma=sigma), 3)
        found = watch.feed(values, [interval_s] * len(true))
        assert edges(found) == [Edge.RAISED]
        assert watch.now - micros(found[0].effective) >= 600 * SECOND


def test_fillings_that_stop_below_h_foretell_nothing():
    filling = np.arange(0.3, 0.84, 0.003)
    true = TANK * np.tile(np.concatenate([filling, np.full(60, 0.84), filling[::-1]]), 3)
    for sigma in (0.002, 0.005):
        values = true + noise(len(true), sigma=sigma)
        assert Watch(tank(60.0)).feed(values, [60.0] * len(true)) == []


def test_curvature_does_not_pass_for_noise():
    watch = Watch(level(limits={Kind.HH: 100.0}, range=(-200.0, 200.0)))
    swing = 40 * np.sin(2 * np.pi * np.arange(4320) / 360)
    watch.feed(swing + noise(4320, sigma=1.0))
    assert 0.8 < np.sqrt(watch.known.variance) < 2


def test_a_pause_before_the_limit_does_not_end_it():
    watch = Watch()
    watch.feed(noise(1500))
    way = np.concatenate([np.linspace(0, 8.8, 176), np.full(6, 8.8), np.linspace(8.8, 10, 24)])
    assert edges(watch.feed(way + noise(len(way), 5))) == [Edge.RAISED]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_the_long_run_variance_is_that_of_correlated_noise(phi: float):
    count, chance = 40, np.random.default_rng(7)
    tags = [level(n, limits={Kind.HH: 90.0}, range=(-100.0, 100.0)) for n in range(1, count + 1)]
    run = LayerRun(registry(*tags), FORECAST)
    value = chance.standard_normal(count)
    for n in range(1, 1500):
        value = phi * value + (1 - phi**2) ** 0.5 * chance.standard_normal(count)
        at = np.full(count, ZERO + n * round(INTERVAL * SECOND))
        run.step(Frame.of(range(1, count + 1), at, value, received=int(at[0])))
    rule = rule_of(run.table.sorts[0])
    got = [spread(run.table.law, rule, tag) for tag in run.memory.known]
    assert np.median(got) == pytest.approx((1 + phi) / (1 - phi), rel=0.2)


def test_samples_centuries_apart_divide_by_nothing():
    watch = Watch()
    watch.feed([0.0, 0.0, 1.0, 0.5, 0.5], seconds=[10.0, 11.2e9, 9e9, 1.0, 1.0], cut=1)
    assert np.isfinite(watch.known.level).all()
    assert np.isfinite(watch.known.variance)


def plants() -> list[Tag]:
    """Tags with and without a forecast, of three sorts."""
    bare = tag(4, interval_s=INTERVAL, limits={}, range=(-20.0, 20.0))
    return [level(1), level(2, limits={Kind.H: 8.0}), bare, replace(level(3), id=5), level(6)]


def storm(seed: int, tags: list[Tag], frames: int = 30) -> list[Frame]:
    """Walks with ramps, jumps, outliers, gaps, bad qualities and values that are none; frames with
    up to 40 samples of a tag."""
    chance = np.random.default_rng(seed)
    samples = []
    for one in tags:
        at = ZERO + np.cumsum(chance.uniform(1, 20, 400) * SECOND).astype(np.int64)
        at[chance.integers(300) :] += int(chance.choice([0, 500, 40_000])) * SECOND
        slope = np.repeat(chance.choice([0, 0.05, -0.05, 0.3], 8), 50)
        value = np.clip(np.cumsum(slope), -11, 11) + 0.05 * chance.standard_normal(400)
        value += 4 * (chance.random(400) < 0.01)
        value[chance.random(400) < 0.02] = chance.choice([nan, inf, 1e308])
        quality = np.where(chance.random(400) < 0.02, 0, 192)
        samples += list(zip(at, [one.id] * 400, value, quality, strict=True))
    samples.sort(key=lambda sample: sample[0])
    cuts = np.sort(chance.integers(0, len(samples), frames - 1)).tolist()
    parts = [samples[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    return [
        Frame.of(ids, at, value, received=int(max(at)), quality=quality)
        for at, ids, value, quality in (zip(*part, strict=True) for part in parts if part)
    ]


def judged(tags: list[Tag], frames: list[Frame]) -> tuple[LayerRun, list[Finding]]:
    run = LayerRun(registry(*tags), FORECAST)
    return run, [finding for frame in frames for finding in run.step(frame)]


def by_tag(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.tag, finding.effective))


@given(st.integers(0, 10**6))
@settings(max_examples=15)
def test_frames_with_many_samples_of_a_tag_say_what_single_samples_say(seed: int):
    tags = plants()
    tall = storm(seed, tags)
    single = [
        Frame.of(f.tag[n : n + 1], f.at[n : n + 1], f.value[n : n + 1],
                 received=int(f.at[n]), quality=f.quality[n : n + 1])
        for f in tall for n in np.argsort(f.at, kind="stable")
    ]  # fmt: skip
    (one, found), (other, again) = judged(tags, tall), judged(tags, single)
    assert by_tag(found) == by_tag(again)
    assert one.memory.known.tobytes() == other.memory.known.tobytes()


def test_the_loop_goes_on_where_it_has_no_more_room_for_edges(monkeypatch):
    tags = plants()
    frames = storm(3, tags, frames=1)
    _, found = judged(tags, frames)
    assert len(found) > 3
    monkeypatch.setattr("rules.forecast.MOST", 1)
    assert judged(tags, frames)[1] == found


@pytest.mark.parametrize("seed", [1, 2])
def test_uncompiled_loops_stay_within_their_arrays_and_agree(seed: int):
    tags = plants()
    frames = storm(seed, tags)
    run, found = judged(tags, frames)
    with (
        uncompiled(forecast, foretell, heading, horizon, lines, noises, discounts),
        np.errstate(all="ignore"),
    ):
        plain, again = judged(tags, frames)
    assert [(f.tag, f.edge, f.effective) for f in by_tag(found)] == [
        (f.tag, f.edge, f.effective) for f in by_tag(again)
    ]
    assert run.memory.known["level"] == pytest.approx(plain.memory.known["level"], abs=1e-3)


def test_each_loop_is_compiled_once():
    """For plants in which every tag has a row, some have, of one sort and of many."""
    for tags in (plants(), [level(1)], [level(n, limits={Kind.H: 5.0 + n}) for n in range(1, 9)]):
        frames = storm(1, tags)
        for frame in frames:
            for array in (frame.tag, frame.at, frame.value):
                array.setflags(write=False)
        run, _ = judged(tags, frames)
        ahead(run.plan, run.table, run.memory, run.seen, ZERO)
        outlook(run.plan, run.table, run.memory, run.seen, 0, ZERO)
    assert [len(loop.signatures) for loop in LOOPS] == [1] * len(LOOPS)
