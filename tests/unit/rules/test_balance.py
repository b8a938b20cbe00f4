"""Flow balance: layer and slow reference agree; each contradiction is told as what it is."""

from itertools import pairwise
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding
from domain.frame import Frame
from domain.instant import SECOND
from domain.inventory import Cause
from domain.plant import TagKind
from rules.balance import BALANCE
from rules.layers import LAYERS
from tests.support.builders import START
from tests.support.reference_balance import Meter, SlowBalance
from tests.support.vessels import FIRST_VESSEL, ZERO, Farm, Vessel, Watch, flow_tags

FLOWS = {"in": ["FI-0"], "out": ["FO-0"]}
TANK = {"volume_m3": 1000, "density_t_m3": 0.8, "flows": FLOWS}
M3 = ({"unit": "m3", "range": (0.0, 1000.0)},)


def tank(interval_s: float = 5.0, **more) -> Farm:
    return Farm([Vessel(TANK | more, M3, flow_tags(), interval_s)])


def hours(n: float, step_s: float = 5.0) -> np.ndarray:
    return np.arange(0.0, n * 3600, step_s)


def run(t: np.ndarray, level, inflow, outflow, farm: Farm | None = None) -> list[Finding]:
    watch = Watch((farm or tank()).registry, BALANCE)
    values = np.column_stack([np.broadcast_to(x, t.shape) for x in (level, inflow, outflow)])
    return watch.series([1, 2, 3], t, values)


def causes(findings: list[Finding]) -> list[Cause]:
    return [Cause(int(f.detail["cause"])) for f in findings if f.edge is Edge.RAISED]


def test_it_is_one_of_the_layers():
    assert BALANCE in LAYERS


def test_a_level_that_follows_its_flows_is_no_finding():
    t = hours(12)
    inflow = np.where(t % 7200 < 3600, 150.0, 0.0)
    level = 200 + np.cumsum(np.append(0, (inflow[1:] + inflow[:-1]) / 2 * 5 / 3600)) - 40 * t / 3600
    assert run(t, level, inflow, 40.0) == []


@pytest.mark.parametrize(
    ("level_rate", "inflow", "outflow", "cause"),
    [
        (0, 180, 0, Cause.STILL),
        (0, 0, 120, Cause.STILL),
        (-100, 100, 0, Cause.MIRROR),
        (60, 0, 60, Cause.MIRROR),
        (-40, 0, 0, Cause.LOST),
        (-40, 50, 50, Cause.LOST),
        (30, 0, 0, Cause.GAINED),
        (50, 100, 0, Cause.LESS),
        (100, 60, 0, Cause.MORE),
    ],
)
def test_each_contradiction_is_told_as_what_it_is(level_rate, inflow, outflow, cause):
    t = hours(1.5)
    found = run(t, 500 + level_rate * t / 3600, float(inflow), float(outflow))
    assert causes(found) == [cause]
    first, detail = found[0], found[0].detail
    assert first.node == FIRST_VESSEL
    assert first.value == pytest.approx(level_rate - (inflow - outflow), rel=0.05)
    assert detail["inflow"] == pytest.approx(inflow, abs=1)
    assert detail["outflow"] == pytest.approx(outflow, abs=1)
    assert detail["level_rate"] == pytest.approx(level_rate, abs=1)
    assert abs(first.limit) < abs(first.value)
    assert first.onset <= first.effective


def test_meters_wrong_within_what_is_declared_are_no_finding_however_long():
    t = hours(240, 30)
    inflow, outflow = np.full(t.shape, 100.0), np.full(t.shape, 100.0)
    farm = tank(30.0)
    assert run(t, 500.0, inflow * 1.01, outflow * 0.99, farm) == []
    assert run(t, 500.0, inflow * 1.01 + 1.5, outflow * 0.99 - 1.5, farm) == []
    assert run(t, 500.0, inflow * 1.03 + 1.5, outflow * 0.97 - 1.5, farm) != []


def test_a_declared_accuracy_counts_instead_of_the_default():
    t = hours(24, 30)
    loose = tank(30.0, flows=FLOWS | {"reading_pct": 5.0})
    assert run(t, 500.0, 105.0, 95.0, tank(30.0)) != []
    assert run(t, 500.0, 105.0, 95.0, loose) == []


def test_up_to_three_wild_level_samples_change_nothing():
    t = hours(6)
    level = np.full(t.shape, 500.0)
    for begin in range(100, len(t) - 3, 173):
        level[begin : begin + 3] = 900.0
    assert run(t, level, 0.0, 0.0) == []


def test_a_window_with_a_gap_in_a_flow_says_nothing():
    t = hours(3)
    inflow = np.where((t > 3600) & (t < 7200), nan, 100.0)
    moved = np.clip(t, 0, 3600) + np.clip(t - 7200, 0, None)
    assert run(t, 300 + moved * 100 / 3600, inflow, 0.0) == []


def test_a_meter_that_was_never_read_says_nothing():
    t = hours(3)
    assert run(t, 500.0, 100.0, np.full(t.shape, nan)) == []


def test_a_stuck_gauge_returns_only_when_it_moves_again():
    t = hours(14)
    phase = np.searchsorted([3600, 6 * 3600], t, side="right")
    inflow = np.choose(phase, [100.0, 0.0, 50.0])
    level = np.choose(phase, [0 * t, 0 * t, (t - 6 * 3600) / 3600 * 50]) + 400
    found = run(t, level, inflow, 0.0)
    assert [finding.edge for finding in found] == [Edge.RAISED, Edge.RETURNED]
    moves_from = 6 * 3600
    assert (found[1].effective - START).total_seconds() > moves_from + 600


def test_a_leak_that_stops_returns():
    t = hours(14)
    level = 800 - 40 * np.minimum(t, 3600) / 3600
    found = run(t, level, 0.0, 0.0)
    assert [finding.edge for finding in found] == [Edge.RAISED, Edge.RETURNED]


def test_mass_flows_and_other_units_are_converted():
    t = hours(2)
    farm = Farm([Vessel(TANK, M3, flow_tags(300.0, "kg/min"))])
    # 1000 kg/min at 0.8 t/m³ are 75 m³/h
    assert run(t, 300 + 75 * t / 3600, 1000.0, 0.0, farm) == []
    (found,) = run(t, 300 + 0 * t, 1000.0, 0.0, farm)
    assert found.detail["inflow"] == pytest.approx(75, rel=1e-3)


@pytest.mark.parametrize("value", [1e308, -1e308, np.inf, -np.inf, nan])
def test_absurd_readings_raise_no_exception(value: float):
    t = hours(1)
    level = np.full(t.shape, 500.0)
    level[400:] = value
    run(t, level, 10.0, 10.0)
    run(t, 500.0, np.where(t > 1800, value, 10.0), 10.0)


def test_samples_a_year_apart_and_times_that_fall_raise_no_exception():
    watch = Watch(tank().registry, BALANCE)
    year = 366 * 86_400
    for seconds in (0.0, 5.0, year, year - 100.0, 2.0 * year):
        when = ZERO + round(seconds * SECOND)
        frame = Frame.of([1, 2, 3], [when] * 3, [500.0, 100.0, 0.0], received=when)
        watch.step(frame, when)


def test_it_survives_a_snapshot_to_the_bit():
    farm = tank()
    whole, again = Watch(farm.registry, BALANCE), Watch(farm.registry, BALANCE)
    t = hours(0.5)
    values = np.column_stack((500 + 0 * t, 30 + 0 * t, 0 * t))
    expected = whole.series([1, 2, 3], t, values)
    half = len(t) // 3
    again.series([1, 2, 3], t[:half], values[:half])
    again.restart()
    assert again.series([1, 2, 3], t[half:], values[half:]) == expected != []


def test_what_was_raised_before_a_restart_without_memory_is_not_ended_by_it():
    watch = Watch(tank().registry, BALANCE)
    watch.memory.onset[0, 0] = ZERO - SECOND
    t = hours(0.5)
    assert watch.series([1, 2, 3], t, np.column_stack((500 + 0 * t, 0 * t, 0 * t))) == []


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[int, int, float, bool]]:
    """(tag, time, value, good): the level each 20 s, flows between; any level, any flow, gaps."""
    out: list[tuple[int, int, float, bool]] = []
    now = ZERO
    for _ in range(draw(st.integers(1, 6))):
        inflow = draw(st.sampled_from([0.0, 37.3, 150.1, 290.7]))
        outflow = draw(st.sampled_from([0.0, 11.9, 150.3]))
        slope = draw(st.sampled_from([0.0, 0.31, -0.29, 0.7, (inflow - outflow) / 180]))
        lost = draw(st.sampled_from([0, 0, 0, 2, 3]))
        level = draw(st.sampled_from([300.3, 500.7, 700.9]))
        goes_on = draw(st.booleans())
        if out and goes_on:
            level = next(value for tag, _, value, _ in reversed(out) if tag == 1)
        for k in range(draw(st.integers(10, 60))):
            now += 20 * SECOND
            wild = draw(st.sampled_from([0.0] * 30 + [250.0]))
            good = draw(st.integers(0, 9)) > 0
            out.append((1, now, level + slope * k + wild, good))
            for tag, flow in ((2, inflow), (3, outflow)):
                if lost != tag:
                    out.append((tag, now + tag * SECOND, flow, True))
    return out


def slow() -> SlowBalance:
    meters = {2: Meter(1, 60 * SECOND, 30 * SECOND), 3: Meter(-1, 60 * SECOND, 30 * SECOND)}
    idle = (0.005 * 600 + 0.0002 * 1000) / 3600
    return SlowBalance(meters, 0.01, idle, 5.0 + 300 * 20 / 3600)


@given(streams(), st.data())
@settings(max_examples=25)
def test_it_agrees_with_the_slow_reference_however_the_stream_is_cut(stream, data):
    reference = slow()
    for tag, when, value, good in stream:
        reference.sample(tag, when, value, good)
    for cuts in (data.draw(st.sets(st.integers(0, len(stream)))), set(), set(range(len(stream)))):
        watch, out = Watch(tank(20.0).registry, BALANCE), []
        whole = sorted({0, len(stream), *cuts})
        for begin, end in pairwise(whole):
            tags, times, values, good = zip(*stream[begin:end], strict=True)
            quality = [192 if one else 64 for one in good]
            frame = Frame.of(tags, times, values, received=times[-1], quality=quality)
            out += watch.step(frame, times[-1])
        found = [
            (
                finding.edge.name,
                *(
                    ZERO + round((when - START).total_seconds() * 1e6)
                    for when in (finding.onset, finding.effective)
                ),
            )
            for finding in out
        ]
        assert found == reference.found


def test_a_plant_without_flows_has_no_rows():
    farm = Farm([Vessel({"volume_m3": 10})])
    watch = Watch(farm.registry, BALANCE)
    assert len(watch.table) == 0
    watch.series([1], hours(0.1), hours(0.1)[:, None])


def test_a_flow_meter_may_serve_two_vessels():
    flows: dict[str, list[str]] = {"in": [], "out": []}
    shared = [
        Vessel(TANK | {"flows": flows | {"out": ["FX-0"]}}, M3, [("FX-{n}", TagKind.FLOW,
               {"unit": "m3/h", "range": (0.0, 300.0)})]),
        Vessel(TANK | {"flows": flows | {"in": ["FX-0"]}}, M3),
    ]  # fmt: skip
    watch = Watch(Farm(shared).registry, BALANCE)
    t = hours(2)
    given = np.column_stack((500 - 50 * t / 3600, 50 + 0 * t, 100 + 0 * t))
    found = watch.series([1, 2, 3], t, given)
    assert [(f.node, Cause(int(f.detail["cause"]))) for f in found] == [
        (FIRST_VESSEL + 1, Cause.STILL)
    ]
