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
from rules import clipped, detectors, drift, habit, intermittent, loops, rows
from rules import health as kernels
from rules.detectors import DETECTORS
from rules.drift import DRIFT
from rules.health import HEALTH
from rules.intermittent import INTERMITTENT
from rules.loops import room
from rules.rows import Layer
from tests.support import reference_health as reference
from tests.support.builders import ENTERPRISE, START, registry, tag
from tests.support.layer_run import LayerRun
from tests.support.reference_health import Told, by_subject, told
from tests.support.uncompiled import uncompiled

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
        replace(tag(10, **one), noise_check=False),
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
        tag(6, **toxic, interval_s=5.0),
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


VALUES = [
    0.0,
    0.01,
    20.1,
    50.0,
    50.0,
    50.01,
    50.5,
    51.0,
    52.0,
    70.0,
    79.2,
    79.4,
    79.5,
    79.51,
    79.5,
    80.0,
    20.2,
]
WILD = [nan, inf, -inf, 1e308, -1e308, -9999.0]
GASES = [0.0, 3.0, 12.0, 19.0, 20.0, 20.9, 23.5, 41.0, 1.0, 19.4, -0.7, -2.4, -2.6, nan, inf, 1e308]
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
@settings(max_examples=60)
def test_it_agrees_with_the_reference(
    layer: Layer, plant: Plant, slow: Slow, values: list[float], data: st.DataObject
):
    stream = data.draw(walks(plant(), values))
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    assert by_subject(run(plant(), layer, stream, cuts)) == by_subject(slow(plant(), stream))


@pytest.mark.parametrize(("layer", "plant", "slow", "values"), CASES)
@given(data=st.data())
@settings(max_examples=40)
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
@settings(max_examples=25)
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
    @settings(max_examples=150, database=None, derandomize=True)
    def collect(stream: list[Sample]) -> None:
        edges.update((edge, kind) for edge, kind, *_ in run(plant(), layer, stream, []))

    collect()
    wanted = {(edge, kind.name) for kind in layer.kinds for edge in ("RAISED", "RETURNED")}
    assert edges == wanted


@given(data=st.data())
@settings(max_examples=40)
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


LOOPS: tuple[Any, ...] = (kernels.watch, detectors.watch, detectors.lose, intermittent.watch)


def test_each_loop_is_compiled_once():
    """For plants in which every tag has a row, some have, of one tag, and other kinds of frames."""
    for plant in (analog(), gases(), registry(tag(1, limits={Kind.H: 9.0})), mixed()):
        for layer in (HEALTH, DETECTORS, INTERMITTENT):
            stream = [(id, ZERO + n * SECOND, 50.0, 192) for n in range(3) for id in plant.tags]
            one = LayerRun(plant, layer)
            for part in (stream[: len(plant.tags)], stream[len(plant.tags) :]):
                frame = frame_of(part)
                for array in (frame.tag, frame.at, frame.value):
                    array.setflags(write=False)
                one.step(frame)
            one.step(None, moment(ZERO + 10**5 * SECOND))
    assert [len(loop.signatures) for loop in LOOPS] == [1] * len(LOOPS)


def mixed() -> Registry:
    return registry(*analog().tags.values(), *(t for t in gases().tags.values() if t.id in (1, 3)))


@pytest.mark.parametrize(("layer", "plant", "slow", "values"), CASES[:2])
@given(data=st.data())
@settings(max_examples=20)
def test_uncompiled_loops_stay_within_their_arrays_and_agree(
    layer: Layer, plant: Plant, slow: Slow, values: list[float], data: st.DataObject
):
    """Also where there is room for the edges of one sample only, which are told in turns then."""
    stream = data.draw(walks(plant(), values))
    with uncompiled(kernels, habit, clipped, detectors, loops) as patch, np.errstate(all="ignore"):
        patch.setattr(kernels, "room", lambda: room(kernels.EACH))
        patch.setattr(loops, "room", lambda size=detectors.EACH: room(size))
        found = run(plant(), layer, stream, data.draw(st.sets(st.integers(0, len(stream)))))
    assert by_subject(found) == by_subject(slow(plant(), stream))


@pytest.mark.parametrize(
    ("value", "quality", "faults"),
    [(-2.4, 192, 0), (-2.5, 192, 0), (-2.6, 192, 1), (-25.0, 85, 1), (-25.0, 0, 1), (nan, 0, 0),
     (-2.1, 85, 0), (150.0, 86, 0)],
)  # fmt: skip
def test_a_fault_signal_raises_by_itself(value: float, quality: int, faults: int):
    """Below 3.6 mA; outside of an alarm silence, bad readings and gas are no fault."""
    one = LayerRun(gases(), DETECTORS)
    assert one.step(frame_of([(1, ZERO, 3.0, 192)])) == []
    found = one.step(frame_of([(1, ZERO + 5 * SECOND, value, quality)]))
    assert len(found) == faults
    if found:
        assert found[0].value == value
        assert found[0].detail == {"signal": value}
        calm = [(1, ZERO + n * SECOND, 3.0, 192) for n in range(10, 46, 5)]
        assert [told(one)[0] for one in one.step(frame_of(calm))] == ["RETURNED"]


def growing(**said: Any) -> list[str]:
    """What noise that is twenty times greater after two minutes raises of such a tag."""
    one = LayerRun(registry(replace(tag(1, interval_s=1.0), **said)), HEALTH)
    chance = Random(1)
    values = [50 + chance.gauss(0, 0.01 if n < 120 else 0.2) for n in range(160)]
    stream = [(1, ZERO + n * SECOND, value, 192) for n, value in enumerate(values)]
    return [told(finding)[1] for finding in one.step(frame_of(stream))]


def test_noise_can_be_switched_off_for_one_tag():
    assert growing() == ["NOISE"]
    assert growing(noise_check=False) == []


def test_groups_are_those_that_gauge_one_quantity():
    found = [[one.name for one in group.members] for group in redundancy_groups(grouped())]
    assert found == [["PT-1", "PT-2", "PT-3"], ["LT-1", "LT-2"]]


def test_what_a_row_costs():
    many = registry(*(tag(n + 1, limits={Kind.H: 9.0}) for n in range(200)))
    assert LayerRun(many, HEALTH).bytes_per_row() <= 76
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
    assert [one.id for one in watched(HEALTH, analog())] == [2, 5, 6, 7, 9, 10, 11]
    assert [one.id for one in watched(DETECTORS, gases())] == [1, 2, 4, 5, 6]
    assert [one.id for one in watched(DRIFT, grouped())] == [1, 2, 3, 4, 6]


def test_a_plant_without_tags():
    for layer in (HEALTH, DETECTORS, DRIFT):
        one = LayerRun(registry(), layer)
        assert one.step(None, START) == []
        assert one.due() is None
