"""FROZEN, NOISE, CLIPPED, DRIFT, DETECTOR_FAULT agree with plain Python, however they are cut."""

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from math import inf, isfinite, nan
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import health
from domain.alarms import Finding, Kind
from domain.frame import Frame
from domain.health import HealthModel
from domain.instant import SECOND, micros, moment
from domain.plant import Registry, Tag, TagKind
from domain.redundancy import redundancy_groups
from rules import detectors, drift, rows
from rules import health as kernels
from rules.detectors import DETECTORS
from rules.drift import DRIFT
from rules.health import HEALTH
from rules.rows import Layer
from tests.support import reference_health as reference
from tests.support.builders import ENTERPRISE, START, registry, tag
from tests.support.layer_run import LayerRun
from tests.support.reference_health import Told, by_subject, told

ZERO = micros(START)
Sample = tuple[int, int, float, int]
"""Tag, event time in microseconds, value, quality; it arrives at its event time."""


def small() -> HealthModel:
    """Windows of 4 samples, a day of 24 s: what takes days comes in seconds."""
    model = health.health_model()
    return replace(
        model,
        habit=replace(model.habit, samples=4, learn=24.0, memory=120.0),
        frozen=replace(model.frozen, seconds=10.0, longest=20.0),
        clipped=replace(model.clipped, touches=3, seconds=6.0, window=30.0, forget=60.0),
        drift=replace(model.drift, smooth=4.0, learn=15.0, memory=60.0),
    )


@pytest.fixture(autouse=True, scope="module")
def small_numbers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        model = small()
        for module in (kernels, detectors, drift):
            patch.setattr(module, "health_model", lambda: model)
        patch.setattr(reference, "MODEL", model)
        yield


def analog() -> Registry:
    """Tags of every sort that FROZEN, NOISE and CLIPPED treat differently; a valve has no row."""
    limits = {Kind.L: 20.0, Kind.H: 80.0, Kind.HH: 90.0}
    one: dict[str, Any] = {"range": (0.0, 100.0), "interval_s": 1.0}
    return registry(
        tag(2, **one, limits=limits),
        tag(4, kind=TagKind.VALVE, unit=""),
        tag(5, **(one | {"range": (-100.0, 100.0)}), limits={Kind.HH: 80.0}, max_silence_s=60.0),
        tag(6, **(one | {"range": (-100.0, 100.0)}), limits=limits),
        replace(tag(7, **one, limits=limits), resolution=1.0),
        replace(tag(9, **one), frozen_check=False),
        tag(11, kind=TagKind.OTHER, range=None, limits=limits, interval_s=2.0),
    )


def gases() -> Registry:
    toxic: dict[str, Any] = {"kind": TagKind.GAS_TOXIC, "unit": "ppm", "range": (0.0, 100.0)}
    oxygen: dict[str, Any] = {"kind": TagKind.OXYGEN, "unit": "%VOL", "range": (0.0, 25.0)}
    return registry(
        tag(1, **toxic, limits={Kind.H: 20.0, Kind.HH: 40.0}, interval_s=5.0),
        tag(2, **oxygen, limits={Kind.L: 19.5, Kind.H: 23.5}, interval_s=5.0),
        tag(3, kind=TagKind.LEVEL, limits={Kind.H: 5.0}),
        tag(4, **toxic, limits={Kind.HH: 40.0}, max_silence_s=200.0, interval_s=5.0),
        tag(5, kind=TagKind.FIRE, unit="", range=None, limits={Kind.H: 1.0}, interval_s=30.0),
    )


def grouped() -> Registry:
    """A group of three in two units, a pair, and a group of two vessels, which is none."""
    level: dict[str, Any] = {"range": (0.0, 100.0), "unit": "%", "interval_s": 1.0}
    press: dict[str, Any] = {"kind": TagKind.PRESSURE, "interval_s": 1.0}
    tags = (
        tag(1, "PT-1", **press, unit="MPa", range=(0.0, 1.0)),
        tag(2, "LT-1", **level),
        tag(3, "PT-2", **press, unit="kPa", range=(0.0, 1000.0)),
        tag(4, "PT-3", **press, unit="kPa", range=(0.0, 2000.0)),
        tag(6, "LT-2", **level),
        tag(7, "LT-8", **level, equipment="V-1"),
        tag(8, "LT-9", **level, equipment="V-2"),
    )
    plant = registry(*tags)
    groups = [
        {"code": "P", "vote": "2oo3", "members": ["PT-1", "PT-2", "PT-3"]},
        {"code": "L", "vote": "1oo2", "members": ["LT-1", "LT-2", "gone"]},
        {"code": "V", "vote": "1oo2", "members": ["LT-8", "LT-9"]},
        {"code": "Q", "kind": "pca", "members": ["LT-8", "LT-9", "LT-1"]},
    ]
    (source,) = (node for node in plant.nodes.values() if node.kind == "source")
    detailed = replace(source, enterprise=ENTERPRISE, detail={"groups": groups})
    return replace(plant, nodes={**plant.nodes, source.id: detailed})


VALUES = [0.0, 20.1, 50.0, 50.0, 50.5, 51.0, 52.0, 70.0, 79.2, 79.4, 79.5, 79.51, 79.5, 80.0, 20.2]
WILD = [nan, inf, -inf, 1e308, -1e308, -9999.0]
GASES = [0.0, 3.0, 12.0, 19.0, 20.0, 20.9, 23.5, 41.0, 1.0, 19.4, nan, inf, 1e308]
QUALITIES = [192] * 8 + [216, 64, 0, 85, 86]


@st.composite
def walks(draw: st.DrawFn, plant: Registry, values: list[float]) -> list[Sample]:
    """Legs in which tags rest, flicker between some values, or take any; gaps of all lengths."""
    chance = Random(draw(st.integers(0, 2**32)))
    now, out = ZERO, []
    for _ in range(draw(st.integers(1, 14))):
        some = chance.sample(values, chance.randint(1, 4))
        gap = chance.choice([1, 1, 1, 2, 3])
        wild = draw(st.integers(0, 9)) == 0
        for _ in range(draw(st.integers(1, 30))):
            now += gap * SECOND
            for one in plant.tags:
                value = chance.choice(some + (WILD if wild else []))
                out.append((one, now, value, chance.choice(QUALITIES) if wild else 192))
        now += draw(st.sampled_from([0, 0, 0, 5, 70, 100, 10**4, 4 * 10**7])) * SECOND
    return out


def frame_of(part: list[Sample]) -> Frame:
    tags, times, values, quality = zip(*part, strict=True)
    return Frame.of(tags, times, values, received=times[-1], quality=quality)


def run(
    plant: Registry,
    layer: Layer,
    stream: list[Sample],
    cuts: Iterable[int],
    ticks: Iterable[int] = (),
) -> list[Told]:
    """Judge the stream cut after these positions (samples of one instant stay together), with ticks
    at these seconds, then long after the end."""
    one = LayerRun(plant, layer)
    whole = [n for n in cuts if 0 < n < len(stream) and stream[n - 1][1] < stream[n][1]]
    edges = [0, *sorted(set(whole)), len(stream)]
    parts = [stream[a:b] for a, b in pairwise(edges)]
    walls: list[tuple[int, list[Sample]]] = [(part[-1][1], part) for part in parts]
    for second in ticks:
        at = ZERO + second * SECOND
        if not any(part[0][1] <= at <= part[-1][1] for part in parts):
            walls.append((at, []))
    walls.append((stream[-1][1] + 10**5 * SECOND, []))
    out: list[Finding] = []
    for wall, part in sorted(walls, key=lambda wall: wall[0]):
        out += one.step(frame_of(part) if part else None, moment(wall))
    return [told(finding) for finding in out]


def slow_analog(plant: Registry, stream: list[Sample]) -> list[Told]:
    watched = {id: one for id, one in plant.tags.items() if one.kind is not TagKind.VALVE}
    habits = {id: reference.Habit(one) for id, one in watched.items()}
    caps = {id: reference.Cap(one) for id, one in watched.items()}
    out: list[Told] = []
    for id, at, value, quality in stream:
        if id in watched:
            good = quality >= 192 and value == value
            with np.errstate(over="ignore", invalid="ignore"):
                out += habits[id].sample(at, value, good) + caps[id].sample(at, value, good)
    return out


def slow_detectors(plant: Registry, stream: list[Sample]) -> list[Told]:
    kinds = (TagKind.GAS_TOXIC, TagKind.OXYGEN, TagKind.FIRE)
    watched = {id: reference.Detector(t) for id, t in plant.tags.items() if t.kind in kinds}
    out: list[Told] = []
    for id, at, value, quality in stream:
        if id in watched:
            out += watched[id].sample(at, value, quality)
    end = stream[-1][1] + 10**5 * SECOND
    return out + [one for watch in watched.values() for one in watch.silent(end)]


def slow_drift(plant: Registry, stream: list[Sample]) -> list[Told]:
    groups = [reference.Group(group) for group in redundancy_groups(plant)]
    out: list[Told] = []
    for id, at, value, quality in stream:
        for group in groups:
            if id in group.gauges and quality >= 192 and isfinite(value):
                out += group.sample(id, at, value)
    return out


Slow = Callable[[Registry, list[Sample]], list[Told]]
LEVELS = [50.0, 50.2, 50.1, 49.8, 55.0, 60.0, 500.0]
CASES = [
    pytest.param(HEALTH, analog, slow_analog, VALUES, id="health"),
    pytest.param(DETECTORS, gases, slow_detectors, GASES, id="detectors"),
    pytest.param(DRIFT, grouped, slow_drift, LEVELS, id="drift"),
]
Plant = Callable[[], Registry]


@pytest.mark.parametrize(("layer", "plant", "slow", "values"), CASES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_it_agrees_with_the_reference(
    layer: Layer, plant: Plant, slow: Slow, values: list[float], data: st.DataObject
):
    stream = data.draw(walks(plant(), values))
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    assert by_subject(run(plant(), layer, stream, cuts)) == by_subject(slow(plant(), stream))


@pytest.mark.parametrize(("layer", "plant", "slow", "values"), CASES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_cuts_and_ticks_change_nothing(
    layer: Layer, plant: Plant, slow: Slow, values: list[float], data: st.DataObject
):
    stream = data.draw(walks(plant(), values))
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    ticks = data.draw(st.lists(st.integers(0, 600), max_size=20))
    one_by_one = by_subject(run(plant(), layer, stream, range(len(stream))))
    assert by_subject(run(plant(), layer, stream, cuts, ticks)) == one_by_one
    assert by_subject(run(plant(), layer, stream, [])) == one_by_one


@pytest.mark.parametrize(("layer", "plant", "slow", "values"), CASES)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_snapshot_in_the_middle_changes_nothing(
    layer: Layer, plant: Plant, slow: Slow, values: list[float], data: st.DataObject
):
    stream = data.draw(walks(plant(), values))
    half = data.draw(st.integers(1, len(stream)))
    first, second = LayerRun(plant(), layer), LayerRun(plant(), layer)
    before = [sample for sample in stream if sample[1] <= stream[half - 1][1]]
    after = stream[len(before) :]
    first.step(frame_of(before))
    rows.fill(layer, second.table, second.memory, rows.pack(layer, first.table, first.memory))
    second.seen = copy.deepcopy(first.seen)
    for name in second.memory.__dataclass_fields__:
        ours, theirs = getattr(second.memory, name), getattr(first.memory, name)
        assert ours.tobytes() == theirs.tobytes(), name
    if after:
        again = [told(finding) for finding in second.step(frame_of(after))]
        assert again == [told(finding) for finding in first.step(frame_of(after))]


@pytest.mark.parametrize(("layer", "plant", "slow", "values"), CASES)
def test_the_streams_do_find_something(layer: Layer, plant: Plant, slow: Slow, values: list[float]):
    """Else agreement would mean little; every kind is raised and returned within some examples."""
    edges: set[tuple[str, str]] = set()

    @given(stream=walks(plant(), values))
    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    def collect(stream: list[Sample]) -> None:
        edges.update((edge, kind) for edge, kind, *_ in run(plant(), layer, stream, []))

    collect()
    wanted = {(edge, kind.name) for kind in layer.kinds for edge in ("RAISED", "RETURNED")}
    assert edges == wanted


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_detector_is_silent_at_next_due_and_not_before(data: st.DataObject):
    one = LayerRun(gases(), DETECTORS)
    stream = data.draw(walks(gases(), GASES))
    one.step(frame_of(stream))
    due = one.due()
    if due is None:
        return
    assert one.step(None, moment(due - 1)) == []
    assert one.due() == due
    assert one.step(None, moment(due))
    assert (one.due() or due + 1) > due


def test_groups_are_those_that_gauge_one_quantity():
    found = [[one.name for one in group.members] for group in redundancy_groups(grouped())]
    assert found == [["PT-1", "PT-2", "PT-3"], ["LT-1", "LT-2"]]


def test_what_a_row_costs():
    many = registry(*(tag(n + 1, limits={Kind.H: 9.0}) for n in range(200)))
    assert LayerRun(many, HEALTH).bytes_per_row() <= 81
    limits = {Kind.H: 9.0}
    gas = registry(*(tag(n + 1, kind=TagKind.GAS_TOXIC, limits=limits) for n in range(200)))
    assert LayerRun(gas, DETECTORS).bytes_per_row() <= 90


@pytest.mark.parametrize(("gap_us", "faults"), [(60 * SECOND, 0), (60 * SECOND + 1, 1)])
def test_a_detector_may_be_silent_for_exactly_as_long_as_a_healthy_one(gap_us: int, faults: int):
    alarm = (1, ZERO, 30.0, 192)
    heard, ticked = LayerRun(gases(), DETECTORS), LayerRun(gases(), DETECTORS)
    heard.step(frame_of([alarm]))
    ticked.step(frame_of([alarm]))
    by_sample = heard.step(frame_of([(1, ZERO + gap_us, 30.0, 192)]))
    by_tick = ticked.step(None, moment(ZERO + gap_us))
    assert [told(one) for one in by_sample] == [told(one) for one in by_tick]
    assert len(by_tick) == faults


def watched(layer: Layer, plant: Registry) -> list[Tag]:
    return [plant.tags[int(id)] for id in LayerRun(plant, layer).table.keys]


def test_only_tags_that_need_it_have_a_row():
    assert [one.id for one in watched(HEALTH, analog())] == [2, 5, 6, 7, 9, 11]
    assert [one.id for one in watched(DETECTORS, gases())] == [1, 2, 4, 5]
    assert [one.id for one in watched(DRIFT, grouped())] == [1, 2, 3, 4, 6]


def test_a_plant_without_tags():
    for layer in (HEALTH, DETECTORS, DRIFT):
        one = LayerRun(registry(), layer)
        assert one.step(None, START) == []
        assert one.due() is None
