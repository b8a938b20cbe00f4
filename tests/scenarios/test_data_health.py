"""Three days of a plant: healthy gauges raise next to nothing, each fault is found, and in time."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from domain.alarms import Edge, Finding, Kind
from domain.instant import SECOND, micros
from domain.plant import Registry
from rules.detectors import DETECTORS
from rules.drift import DRIFT
from rules.health import HEALTH
from rules.rows import Layer
from simulators import sensor_faults as faults
from tests.support.builders import START
from tests.support.clean_plant import DAY, INTERVAL_S, CleanPlant, Floats
from tests.support.layer_run import LayerRun, frames

LAYERS: tuple[Layer, ...] = (HEALTH, DETECTORS, DRIFT)
COPIES, DAYS = 10, 3
BUDGET = 0.01
"""Findings a healthy tag may raise in a day."""
BEGIN = 2 * DAY
"""The sample with which a fault begins; a day before is learnt, one is watched."""
HOUR = 3600.0


def raised(
    registry: Registry, values: Floats, quality: np.ndarray | None = None, begin: int = 0
) -> list[Finding]:
    """What readings [k, tags] raise from sample `begin` on."""
    times = micros(START) + np.arange(len(values)) * int(INTERVAL_S * SECOND)
    out: list[Finding] = []
    for layer in LAYERS:
        run = LayerRun(registry, layer)
        for frame in frames(sorted(registry.tags), times, values, quality):
            out += [one for one in run.step(frame) if one.edge is Edge.RAISED]
    return [one for one in out if micros(one.effective) >= times[begin]]


@pytest.fixture(scope="module")
def healthy() -> CleanPlant:
    return CleanPlant(COPIES, DAYS, seed=5)


def test_a_healthy_plant_raises_next_to_nothing(healthy: CleanPlant):
    found = raised(healthy.registry, healthy.values)
    tags = healthy.registry.tags
    told = Counter((tags[one.tag or 0].name.split("-")[1], one.kind.name) for one in found)
    rate = len(found) / len(tags) / (DAYS - 1)
    assert rate <= BUDGET, told


SPIKED = ("PT-steady", "TT-three0")


@dataclass(frozen=True)
class Case:
    """A fault done to a tag whose name begins so, and by when it is found."""

    tag: str
    kind: Kind
    fault: Callable[[Floats, np.random.Generator], Floats]
    within_s: float


CASES = {
    "stuck pressure": Case(
        "PT-steady", Kind.FROZEN, lambda v, _: faults.stuck_at(v, BEGIN), 0.4 * HOUR
    ),
    "stuck temperature": Case(
        "TT-cycle", Kind.FROZEN, lambda v, _: faults.stuck_at(v, BEGIN), 0.4 * HOUR
    ),
    "noise × 5": Case(
        "PT-steady", Kind.NOISE, lambda v, rng: faults.noisier(v, BEGIN, 2.5, rng), 0.6 * HOUR
    ),
    "noise × 20": Case(
        "AT-spiky", Kind.NOISE, lambda v, rng: faults.noisier(v, BEGIN, 10.0, rng), 0.6 * HOUR
    ),
    "drift of 5 % of span a day": Case(
        "TT-three0", Kind.DRIFT, lambda v, _: faults.drifting(v, BEGIN, 5.0 / DAY), 10 * HOUR
    ),
    "another unit": Case(
        "TT-three1", Kind.DRIFT, lambda v, _: faults.in_other_unit(v, BEGIN, 1000.0), 0.5 * HOUR
    ),
    "clamped below H": Case(
        "LT-parked", Kind.CLIPPED, lambda v, _: faults.clamped(v + 0.35, BEGIN, 79.85), 8 * HOUR
    ),
    "clamped so far that it stands still": Case(
        "LT-parked", Kind.FROZEN, lambda v, _: faults.clamped(v + 1.0, BEGIN, 79.7), 0.4 * HOUR
    ),
    "stuck, but its last digit flickers": Case(
        "PT-steady",
        Kind.FROZEN,
        lambda v, rng: faults.stuck_at(v, BEGIN) + np.where(rng.random(len(v)) < 0.5, 0.004, 0.0),
        0.4 * HOUR,
    ),
}


@pytest.fixture(scope="module")
def faulty(healthy: CleanPlant) -> dict[int, list[Finding]]:
    """What each tag raises once the n-th copy of all sorts has the n-th fault."""
    values, rng = healthy.values.copy(), np.random.default_rng(3)
    for copy, case in enumerate(CASES.values()):
        column = healthy.column(case.tag, copy)
        values[:, column] = case.fault(values[:, column], rng)
    for name in SPIKED:
        column = healthy.column(name, len(CASES))
        values[BEGIN:, column] = faults.spiked(values[BEGIN:, column], 0.01, 30.0, rng)
    found = raised(healthy.registry, values, begin=BEGIN)
    return {id: [one for one in found if one.tag == id] for id in healthy.registry.tags}


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_found_in_time_and_named(
    name: str, healthy: CleanPlant, faulty: dict[int, list[Finding]]
):
    case, copy = CASES[name], list(CASES).index(name)
    tag = healthy.column(case.tag, copy) + 1
    named = [one for one in faulty[tag] if one.kind is case.kind]
    assert named, faulty[tag]
    after = (micros(named[0].effective) - micros(START)) / SECOND - BEGIN * INTERVAL_S
    assert after <= case.within_s
    if case.kind is Kind.DRIFT:
        assert not [one for near in (1, 2) for one in faulty[_sibling(tag, healthy, copy, near)]]


def _sibling(tag: int, plant: CleanPlant, copy: int, near: int) -> int:
    """Another member of the group of three."""
    first = plant.column("TT-three0", copy) + 1
    return first + (tag - first + near) % 3


def test_spikes_alone_are_no_noise_and_no_drift(
    healthy: CleanPlant, faulty: dict[int, list[Finding]]
):
    for name in SPIKED:
        found = faulty[healthy.column(name, len(CASES)) + 1]
        assert not [one for one in found if one.kind in (Kind.NOISE, Kind.DRIFT)]


def test_a_detector_that_fails_while_it_alarms_is_told_at_once():
    plant = CleanPlant(1, 1)
    column = plant.column("GD-clean")
    values, quality = plant.values[:400].copy(), np.full((400, plant.values.shape[1]), 192)
    values[100:110, column], values[110:, column], quality[110:, column] = 60.0, np.nan, 0
    found = raised(plant.registry, values, quality)
    (fault,) = (one for one in found if one.kind is Kind.DETECTOR_FAULT)
    assert micros(fault.effective) == micros(START) + 110 * int(INTERVAL_S * SECOND)
