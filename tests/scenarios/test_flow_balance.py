"""The stuck gauge that no limit sees (domain research 7.2 S1, Buncefield), and quiet months.

The plant: 1 000 m³-class tanks D = 11.5 m, H = 10.7 m, radar of 1 mm with noise of 4 mm, pumps that
start and stop, meters that are wrong within what is declared.
"""

import numpy as np
import pytest

from domain.alarms import Finding
from domain.inventory import Cause
from rules.balance import BALANCE
from rules.inventory import INVENTORY
from tests.support.builders import START
from tests.support.vessels import FIRST_VESSEL, Farm, Vessel, Watch, flow_tags

D, H = 11.5, 10.7
AREA = np.pi / 4 * D**2
FULL = AREA * H
SPAN = 300.0
STUCK = 0.84


def farm(n: int, interval_s: float) -> Farm:
    detail = {
        "shape": "vertical_cylinder", "diameter_m": D, "height_m": H, "fill_limit": 0.9,
        "density_t_m3": 0.791,
    }  # fmt: skip
    level = ({"unit": "m", "range": (0.0, H)},)
    return Farm(
        [
            Vessel(
                detail | {"flows": {"in": [f"FI-{i}"], "out": [f"FO-{i}"]}},
                level,
                flow_tags(SPAN),
                interval_s,
            )
            for i in range(n)
        ]
    )


def watch(n: int, t: np.ndarray, level, inflow, outflow, interval_s: float) -> list[Finding]:
    """level, inflow, outflow: float64[k, n]."""
    values = np.stack((level, inflow, outflow), axis=2).reshape(len(t), -1)
    one = Watch(farm(n, interval_s).registry, BALANCE)
    return one.series(range(1, 3 * n + 1), t, values, block=2880)


def minutes(finding: Finding) -> float:
    return (finding.effective - START).total_seconds() / 60


@pytest.mark.parametrize("rate", [50.0, 100.0, 200.0])
@pytest.mark.parametrize("error", [-0.01, 0.0, 0.01])
@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_a_gauge_stuck_at_84_percent_is_found_long_before_the_tank_overflows(rate, error, noise):
    rng = np.random.default_rng(7)
    t = np.arange(0, 4 * 3600, 5.0)
    starts_s = 1800.0
    inflow = np.where(t >= starts_s, rate * (1 + error), 0.0) + rng.normal(0, 0.3, len(t))
    level = np.round(STUCK * H + rng.normal(0, noise, len(t)), 3)
    found = watch(1, t, level[:, None], inflow[:, None], np.zeros((len(t), 1)), 5.0)
    overflow = starts_s / 60 + (1 - STUCK) * FULL / rate * 60
    assert [Cause(int(finding.detail["cause"])) for finding in found] == [Cause.STILL]
    assert minutes(found[0]) - starts_s / 60 <= 15
    assert minutes(found[0]) < overflow - 30
    assert found[0].detail["inflow"] == pytest.approx(rate, rel=0.08)


def test_the_limits_of_that_tank_and_its_inventory_saw_nothing():
    t = np.arange(0, 4 * 3600, 5.0)
    values = np.column_stack((np.full(len(t), STUCK * H), np.full(len(t), 200.0), 0 * t))
    one = Watch(farm(1, 5.0).registry, INVENTORY)
    assert one.series([1, 2, 3], t, values) == []


@pytest.mark.parametrize("what", ["in and out", "levels of two tanks"])
def test_swapped_tags_are_found(what):
    t = np.arange(0, 3 * 3600, 5.0)
    inflow = np.column_stack((np.full(len(t), 90.0), np.zeros(len(t))))
    outflow = np.column_stack((np.full(len(t), 10.0), np.zeros(len(t))))
    level = (300 + (inflow - outflow) * t[:, None] / 3600) / AREA
    if what == "in and out":
        found = watch(2, t, level, outflow, inflow, 5.0)
        expected = {FIRST_VESSEL: Cause.MIRROR}
    else:
        found = watch(2, t, level[:, ::-1], inflow, outflow, 5.0)
        expected = {FIRST_VESSEL: Cause.STILL, FIRST_VESSEL + 1: Cause.GAINED}
    assert {f.node: Cause(int(f.detail["cause"])) for f in found} == expected


def pumps(rng: np.random.Generator, steps: int, n: int, step_s: float) -> np.ndarray:
    """m³/h of pumps that start and stop, float64[steps, n]: off 4 h, on 10 min to 3 h."""
    out = np.zeros((steps, n))
    for i in range(n):
        k = 0
        while k < steps:
            off = int(rng.exponential(4 * 3600) / step_s) + 1
            on = int(rng.uniform(600, 3 * 3600) / step_s) + 1
            out[k + off : k + off + on, i] = rng.uniform(0.2, 0.9) * SPAN
            k += off + on
    return out


def operation(rng: np.random.Generator, days: float, n: int, step_s: float):
    """Normal operation: what the plant does and what its instruments show (t, level, in, out)."""
    steps = int(days * 86_400 / step_s)
    inflow, outflow = pumps(rng, steps, n, step_s), pumps(rng, steps, n, step_s)
    content, volume = np.full(n, 0.5 * FULL), np.empty((steps, n))
    for k in range(steps):
        inflow[k] *= content < 0.85 * FULL
        outflow[k] *= content > 0.1 * FULL
        content = content + (inflow[k] - outflow[k]) * step_s / 3600
        volume[k] = content
    shown = []
    for flow in (inflow, outflow):
        gain, zero = rng.uniform(0.99, 1.01, n), rng.uniform(-0.004, 0.004, n) * SPAN
        noise = rng.normal(0, 0.5, flow.shape)
        shown.append(np.where(flow > 0, np.maximum(flow * gain + zero + noise, 0), 0.0))
    level = np.round(volume / AREA + rng.normal(0, 0.004, volume.shape), 3)
    for i in range(n):
        for column in (level, *shown):
            for begin in rng.integers(0, steps - 200, 5):
                column[begin : begin + rng.integers(1, 200), i] = np.nan
        for begin in rng.integers(0, steps - 3, 10):
            level[begin : begin + rng.integers(1, 4), i] *= rng.uniform(1.2, 2)
    return np.arange(steps) * step_s, level, *shown


def test_thirty_days_of_normal_operation_raise_nothing():
    """12 vessels for 30 days, about one vessel-year; gaps up to 100 min, spikes of 1 to 3
    samples."""
    rng = np.random.default_rng(2026)
    t, level, inflow, outflow = operation(rng, 30, 12, 30.0)
    assert watch(12, t, level, inflow, outflow, 30.0) == []


def test_in_the_middle_of_that_operation_a_stuck_gauge_and_a_leak_are_found():
    rng = np.random.default_rng(11)
    t, level, inflow, outflow = operation(rng, 4, 2, 30.0)
    from_s = 2 * 86_400
    since = t >= from_s
    level[since, 0] = level[np.flatnonzero(since)[0], 0]
    level[:, 1] -= np.where(since, (t - from_s) / 3600 * 8 / AREA, 0)
    found = watch(2, t, level, inflow, outflow, 30.0)
    raised = {f.node: f for f in reversed(found) if f.edge.name == "RAISED"}
    assert set(raised) == {FIRST_VESSEL, FIRST_VESSEL + 1}
    assert all(minutes(f) > from_s / 60 for f in found)
    assert minutes(raised[FIRST_VESSEL + 1]) < from_s / 60 + 180
