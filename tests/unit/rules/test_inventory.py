"""Inventory: the layer and the slow reference agree; what is over the design amount is found."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Edge, Finding, Kind
from domain.frame import Frame
from domain.instant import SECOND
from domain.inventory import Sight
from domain.plant import TagKind
from rules.inventory import INVENTORY
from rules.inventory_rows import fill, inventory, sights
from rules.layers import LAYERS
from rules.plan import PlanError
from tests.support.builders import SOURCE, START, at
from tests.support.reference_inventory import SlowInventory, Tank
from tests.support.vessels import FIRST_VESSEL, ZERO, Farm, Vessel, Watch

AMMONIA = {"name": "ammonia", "cas": "7664-41-7", "design_t": 414.8}
SPHERE = {"volume_m3": 400, "fill_limit": 0.85, "density_t_m3": 0.61}
"""Of domain research 1.7, E1: two of them hold 414.8 t at their safe fill."""
V0, V1 = FIRST_VESSEL, FIRST_VESSEL + 1


def spheres(**more) -> Farm:
    return Farm([Vessel(SPHERE | more), Vessel(SPHERE | more)], [AMMONIA])


def minutes(watch: Watch, levels: Sequence[Sequence[float]], begin: float = 0.0) -> list[Finding]:
    """One row of levels each minute."""
    t = 60 * (begin + np.arange(len(levels)))
    return watch.series(range(1, len(levels[0]) + 1), t, np.array(levels, float), block=7)


def edges(findings: list[Finding]) -> list[tuple[str, int | None]]:
    return [(finding.edge.name, finding.node) for finding in findings]


def loads_of(watch: Watch) -> dict[int, float]:
    found = fill(watch.plan, watch.table, watch.memory)
    return dict(zip(found.sources.tolist(), found.u.tolist(), strict=True))


def test_it_is_one_of_the_layers():
    assert INVENTORY in LAYERS


def test_the_ammonia_spheres_of_the_worked_example_hold_what_it_says():
    watch = Watch(spheres().registry, INVENTORY)
    minutes(watch, [[100, 100]])
    (told,) = inventory(watch.plan, watch.table, watch.memory, watch.registry, at(1))
    assert [tank.tonnes for tank in told.tanks] == pytest.approx([207.4, 207.4])
    assert told.substances[0].tonnes == pytest.approx(414.8)
    assert told.substances[0].critical_t == 10
    assert told.s_now == told.s_design == pytest.approx(41.48)
    assert told.load == told.pooled == pytest.approx(1)
    assert told.complete
    assert told.held == 0


def test_a_full_tank_is_not_hidden_among_empty_ones():
    watch = Watch(spheres().registry, INVENTORY)
    found = minutes(watch, [[103, 5]] * 12)
    assert edges(found) == [("RAISED", V0)]
    assert found[0].onset == START
    assert found[0].effective == at(600)
    assert found[0].value == pytest.approx(103)
    assert found[0].detail["tonnes"] == pytest.approx(1.03 * 207.4)
    assert loads_of(watch) == {SOURCE: pytest.approx(1.03)}


def test_a_substance_may_be_too_much_though_no_tank_is():
    farm = Farm([Vessel(SPHERE), Vessel(SPHERE)], [AMMONIA | {"design_t": 300.0}])
    found = minutes(Watch(farm.registry, INVENTORY), [[80, 80]] * 12)
    assert edges(found) == [("RAISED", SOURCE)]
    assert found[0].detail == pytest.approx({"tonnes": 331.84, "design_t": 300, "substance": 0})


def test_the_only_tank_of_a_substance_speaks_for_it():
    farm = Farm([Vessel(SPHERE)], [AMMONIA | {"design_t": 207.4}])
    watch = Watch(farm.registry, INVENTORY)
    assert edges(minutes(watch, [[105]] * 12)) == [("RAISED", V0)]
    assert loads_of(watch) == {SOURCE: pytest.approx(1.05)}


def test_ten_minutes_up_and_ten_minutes_two_percent_lower():
    watch = Watch(spheres().registry, INVENTORY)
    assert minutes(watch, [[103, 0]] * 9 + [[99, 0]] + [[103, 0]] * 9) == []
    assert edges(minutes(watch, [[103, 0]] * 2, 19)) == [("RAISED", V0)]
    assert minutes(watch, [[98.5, 0]] * 30, 21) == []
    assert minutes(watch, [[98, 0]] * 10, 51) == []
    (back,) = minutes(watch, [[98, 0]], 61)
    assert (back.edge, back.effective) == (Edge.RETURNED, at(61 * 60))


def test_a_full_tank_exactly_at_its_design_is_not_over_it():
    watch = Watch(spheres().registry, INVENTORY)
    assert minutes(watch, [[100, 100]] * 30) == []


def test_worse_is_told_by_steps_of_one_percent():
    watch = Watch(spheres().registry, INVENTORY)
    found = minutes(watch, [[102, 0]] * 11 + [[102.5, 0], [103.5, 0], [103.6, 0], [105, 0]])
    assert [finding.edge.name for finding in found] == ["RAISED", "WORSE", "WORSE"]
    assert [round(finding.value, 1) for finding in found] == [102, 103.5, 105]


@pytest.mark.parametrize("loss", ["silent", "bad", "null"])
def test_loss_of_data_never_lowers_a_load_nor_ends_anything(loss: str):
    watch = Watch(spheres().registry, INVENTORY)
    minutes(watch, [[103, 50]] * 12)
    before = loads_of(watch)[SOURCE]
    for n in range(12, 60):
        value = nan if loss == "null" else 5.0
        tags = [2] if loss == "silent" else [1, 2]
        frame = Frame.of(
            tags, [ZERO + 60 * n * SECOND] * len(tags), [value, 50.0][-len(tags) :],
            received=ZERO + 60 * n * SECOND, quality=[0, 192][-len(tags) :],
        )  # fmt: skip
        assert watch.step(frame, frame.received) == []
    assert loads_of(watch)[SOURCE] == before
    seen = sights(watch.table, watch.memory, ZERO + 3600 * SECOND)
    expected = Sight.STALE if loss == "silent" else Sight.BAD
    assert seen[watch.table.keys == V0] == expected
    (told,) = inventory(watch.plan, watch.table, watch.memory, watch.registry, at(3600))
    assert told.tanks[0].sight is expected
    assert told.tanks[0].tonnes == pytest.approx(1.03 * 207.4)
    assert told.held == 1


def test_a_return_waits_for_a_gauge_that_is_silent():
    watch = Watch(spheres().registry, INVENTORY)
    minutes(watch, [[103, 50]] * 12)
    assert watch.series([1], np.array([720.0]), np.array([[50.0]])) == []
    assert watch.step(None, ZERO + 7200 * SECOND) == []
    (back,) = watch.series([1], np.array([7200.0]), np.array([[50.0]]))
    assert (back.edge, back.effective) == (Edge.RETURNED, at(7200))


def test_a_flagged_value_may_raise_a_mass_never_lower_it():
    watch = Watch(spheres().registry, INVENTORY)
    for n, (value, quality) in enumerate([(90, 192), (20, 64), (104, 64), (10, 0)]):
        when = ZERO + n * SECOND
        watch.step(Frame.of([1], [when], [value], received=when, quality=quality), when)
    assert loads_of(watch)[SOURCE] == pytest.approx(1.04)


def test_a_reading_over_the_range_is_a_full_vessel():
    watch = Watch(spheres().registry, INVENTORY)
    watch.step(Frame.of([1], [ZERO], [101.0], received=ZERO, quality=86), ZERO)
    assert loads_of(watch)[SOURCE] == pytest.approx(1 / 0.85)


@pytest.mark.parametrize("value", [inf, -inf, 1e308, -1e308])
def test_absurd_readings_are_an_empty_or_a_full_vessel(value: float):
    watch = Watch(spheres().registry, INVENTORY)
    watch.step(Frame.of([1], [ZERO], [value], received=ZERO), ZERO)
    u = loads_of(watch)[SOURCE]
    assert u == pytest.approx(1 / 0.85 if value > 0 else 0)
    inventory(watch.plan, watch.table, watch.memory, watch.registry, START)


def test_of_redundant_gauges_the_higher_counts_unless_others_are_chosen():
    gauges = ({"unit": "%", "range": (0.0, 100.0)},) * 2
    both = Watch(Farm([Vessel(SPHERE, gauges)], [AMMONIA]).registry, INVENTORY)
    minutes(both, [[60, 70]])
    chosen = Vessel(SPHERE | {"level_tags": ["LT-0A"]}, gauges)
    one = Watch(Farm([chosen], [AMMONIA]).registry, INVENTORY)
    minutes(one, [[60, 70]])
    assert both.memory.tonnes[-1] == pytest.approx(0.7 * 207.4)
    assert one.memory.tonnes[-1] == pytest.approx(0.6 * 207.4)


@pytest.mark.parametrize(
    ("unit", "detail", "reading", "m3"),
    [
        ("m", {"shape": "sphere", "diameter_m": 9.14}, 4.57, 199.897),
        ("cm", {"shape": "sphere", "diameter_m": 9.14}, 457, 199.897),
        ("mm", {"shape": "vertical_cylinder", "diameter_m": 11.5, "height_m": 10.7}, 2000, 207.738),
        ("m", {"volume_m3": 1000, "height_m": 10}, 4.2, 420),
        ("%", {"volume_m3": 1000, "fill_limit": 0.9}, 50, 450),
        ("%", {"volume_m3": 1000, "fill_limit": 0.9, "percent_of": "volume"}, 50, 500),
        ("%", {"shape": "sphere", "diameter_m": 9.14, "percent_of": "height"}, 50, 199.897),
        ("%", {"shape": "sphere", "diameter_m": 9.14, "fill_limit": 0.85}, 100, 339.826),
        ("m3", {"volume_m3": 1000}, 420, 420),
        ("kL", {"volume_m3": 1000}, 420, 420),
        ("L", {"volume_m3": 1000}, 420_000, 420),
        ("t", {"volume_m3": 1000}, 336, 420),
        ("kg", {"volume_m3": 1000}, 336_000, 420),
        ("m", {"volume_m3": 1000, "height_m": 10, "gauge_zero_m": 0.5}, 4.2, 470),
        ("m", {"volume_m3": 1000, "height_m": 10, "displaced_m3": 20}, 4.2, 400),
        ("m", {"shape": "table", "table": [[0, 0], [1, 20], [3, 100]]}, 2, 60),
    ],
)  # fmt: skip
def test_every_unit_of_a_level_becomes_volume(unit, detail, reading, m3):
    farm = Farm([Vessel({"density_t_m3": 0.8} | detail, ({"unit": unit, "range": None},))])
    watch = Watch(farm.registry, INVENTORY)
    minutes(watch, [[reading]])
    assert watch.memory.volume[-1, 0] == pytest.approx(m3, rel=1e-5)
    assert watch.memory.tonnes[-1] == pytest.approx(0.8 * m3, rel=1e-5)


def test_density_follows_the_temperature():
    detail = SPHERE | {"density_per_k": -0.0014, "temperature_tag": "TT-0", "density_at_c": 20.0}
    vessel = Vessel(detail, others=[("TT-{n}", TagKind.TEMPERATURE, {"unit": "°C"})])
    watch = Watch(Farm([vessel], [AMMONIA]).registry, INVENTORY)
    minutes(watch, [[50, nan]])
    assert watch.memory.tonnes[-1] == pytest.approx(170 * 0.61)
    minutes(watch, [[50, 30]], 1)
    assert watch.memory.tonnes[-1] == pytest.approx(170 * (0.61 - 0.014))
    minutes(watch, [[50, nan]], 2)
    assert watch.memory.tonnes[-1] == pytest.approx(170 * (0.61 - 0.014))


def test_a_gas_holder_weighs_its_gas_by_pressure_and_temperature():
    detail = {
        "volume_m3": 20_000, "molar_mass": 62.5, "pressure_tag": "PT-0", "temperature_tag": "TT-0",
    }  # fmt: skip
    others = [
        ("PT-{n}", TagKind.PRESSURE, {"unit": "kPa"}),
        ("TT-{n}", TagKind.TEMPERATURE, {"unit": "°C"}),
    ]
    watch = Watch(Farm([Vessel(detail, others=others)]).registry, INVENTORY)
    minutes(watch, [[60, 4.5, 20]])
    # pV = nRT: 12 000 m³ · 105.825 kPa · 62.5 g/mol / (8.314462618 J/mol K · 293.15 K) = 32.563 t
    assert watch.memory.tonnes[-1] == pytest.approx(32.563, rel=1e-4)


def test_a_tank_without_density_is_listed_and_says_why():
    farm = Farm([Vessel({"volume_m3": 70})], [AMMONIA])
    watch = Watch(farm.registry, INVENTORY)
    assert minutes(watch, [[90]] * 20) == []
    (told,) = inventory(watch.plan, watch.table, watch.memory, watch.registry, at(1))
    assert told.tanks[0].tonnes is None
    assert told.tanks[0].volume_m3 == pytest.approx(63)
    assert "density_t_m3" in told.tanks[0].notes[0]
    assert not told.complete
    assert np.isnan(loads_of(watch)[SOURCE])


def test_substances_pool_by_their_critical_quantities_and_unmeasured_ones_are_named():
    # benzene Q 50, toluene Q 500 (GB 18218 table 1); chlorine Q 5 stands in no tank
    substances = [
        {"name": "benzene", "cas": "71-43-2", "design_t": 100.0},
        {"name": "toluene", "cas": "108-88-3", "design_t": 1000.0},
        {"name": "chlorine", "cas": "7782-50-5", "design_t": 20.0},
    ]
    kind = {"volume_m3": 100, "density_t_m3": 1.0}
    farm = Farm(
        [Vessel(kind | {"substance": "71-43-2"}), Vessel(kind | {"substance": "toluene"})],
        substances,
    )
    watch = Watch(farm.registry, INVENTORY)
    minutes(watch, [[50, 100]])
    (told,) = inventory(watch.plan, watch.table, watch.memory, watch.registry, at(1))
    assert told.s_now == pytest.approx(50 / 50 + 100 / 500)
    assert told.s_design == pytest.approx(100 / 50 + 1000 / 500 + 20 / 5)
    assert told.pooled == pytest.approx(1.2 / 4)
    assert told.load == pytest.approx(1.0)
    assert not told.complete
    assert [one.tonnes for one in told.substances] == [pytest.approx(50), pytest.approx(100), None]


def test_a_contradiction_is_refused_with_what_is_allowed():
    farm = Farm([Vessel({"shape": "sphere", "diameter_m": 9.14, "volume_m3": 500})])
    with pytest.raises(PlanError, match=r"V-0.*volume_m3: 500 contradicts the sphere.*allowed"):
        Watch(farm.registry, INVENTORY)


def test_it_survives_a_snapshot_to_the_bit():
    watch, other = (Watch(spheres().registry, INVENTORY) for _ in range(2))
    for one in (watch, other):
        minutes(one, [[103, 50]] * 8)
    other.restart()
    assert minutes(watch, [[103, 50]] * 8, 8) == minutes(other, [[103, 50]] * 8, 8) != []


TAGS = {1: "a", 2: "a", 3: "b"}
LEVELS = [0.0, 50.0, 97.9, 98.0, 98.1, 99.9, 100.0, 100.1, 101.0, 102.7, 110.0, 130.0, nan]


def tall() -> Farm:
    """Two tanks, the first with two gauges; one substance whose design is less than both hold."""
    gauges = ({"unit": "%", "range": (0.0, 100.0)},) * 2
    detail = {"volume_m3": 100, "fill_limit": 0.8, "density_t_m3": 1.0}
    return Farm([Vessel(detail, gauges), Vessel(detail)], [AMMONIA | {"design_t": 120.0}])


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[int, int, float, bool]]:
    """(tag, time, value, good) by rising time; one tag a time, so that ties have an order."""
    now, out = ZERO, []
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([1, 5, 30, 59, 60, 61, 300, 600])) * SECOND
        out.append(
            (
                draw(st.sampled_from([1, 2, 3])),
                now,
                draw(st.sampled_from(LEVELS)),
                draw(st.sampled_from([True, True, True, True, False])),
            )
        )
    return out


def slow() -> SlowInventory:
    return SlowInventory({"a": Tank(80.0, 125.0), "b": Tank(80.0, 125.0)}, TAGS, 120.0)


def told(findings: list[Finding]) -> list[tuple[str, str, int, int]]:
    names = {V0: "a", V1: "b", SOURCE: "source"}
    return [
        (
            finding.edge.name,
            names[finding.node or 0],
            round((finding.onset - START).total_seconds() * 1e6) + ZERO,
            round((finding.effective - START).total_seconds() * 1e6) + ZERO,
        )
        for finding in findings
    ]


def by_subject(found) -> dict[str, list[tuple[str, int, int]]]:
    out = defaultdict(list)
    for edge, subject, onset, effective in found:
        out[subject].append((edge, onset, effective))
    return dict(out)


def run(stream, cuts, ticks=()) -> dict[str, list[tuple[str, int, int]]]:
    watch, out = Watch(tall().registry, INVENTORY), []
    whole = sorted({0, len(stream), *(n for n in cuts if 0 < n < len(stream))})
    steps = [(stream[end - 1][1], stream[begin:end]) for begin, end in pairwise(whole)]
    spans = [(part[0][1], part[-1][1]) for _, part in steps]
    steps += [(tick, []) for tick in ticks if not any(a <= tick <= b for a, b in spans)]
    for wall, part in sorted(steps, key=lambda step: step[0]):
        frame = None
        if part:
            tags, times, values, good = zip(*part, strict=True)
            quality = [192 if one else 64 for one in good]
            frame = Frame.of(tags, times, values, received=wall, quality=quality)
        out += watch.step(frame, wall)
    out += watch.step(None, stream[-1][1] + 4000 * SECOND)
    return by_subject(told(out))


@given(streams(), st.data())
@settings(max_examples=60)
def test_it_agrees_with_the_slow_reference_however_the_stream_is_cut_and_ticked(stream, data):
    reference = slow()
    for tag, when, value, good in stream:
        reference.sample(tag, when, when, value, good)
    reference.tick(stream[-1][1] + 4000 * SECOND)
    expected = by_subject(reference.found)
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    ticks = data.draw(st.lists(st.integers(ZERO, stream[-1][1]), max_size=20))
    assert run(stream, cuts) == expected
    assert run(stream, range(len(stream))) == expected
    assert run(stream, range(len(stream)), ticks) == expected


def test_a_gauge_that_speaks_for_the_first_time_does_not_hide_what_came_before():
    stream = [
        (2, ZERO + 2 * SECOND, 100.1, True),
        (2, ZERO + 3 * SECOND, 0.0, True),
        (1, ZERO + 5 * SECOND, 100.1, True),
    ]
    assert run(stream, {1}) == run(stream, range(len(stream))) != {}


@given(streams(), st.sets(st.integers(0, 40)))
@settings(max_examples=60)
def test_no_loss_of_data_lowers_a_load_at_that_instant(stream, lost):
    """Each sample that is lost leaves the load where it was."""
    watch = Watch(tall().registry, INVENTORY)
    for n, (tag, when, value, good) in enumerate(stream):
        before = loads_of(watch)[SOURCE]
        gone = n in lost
        sent = nan if gone else value
        quality = 192 if good and not gone else 0
        watch.step(Frame.of([tag], [when], [sent], received=when, quality=quality), when)
        after = loads_of(watch)[SOURCE]
        if gone or not good:
            assert np.isnan(before) or after >= before


@given(streams())
@settings(max_examples=40)
def test_nothing_happens_before_next_due(stream):
    watch = Watch(tall().registry, INVENTORY)
    for tag, when, value, good in stream:
        quality = 192 if good else 64
        watch.step(Frame.of([tag], [when], [value], received=when, quality=quality), when)
        due = INVENTORY.next_due(watch.table, watch.memory)
        if due < 2**62 and due > when + 1:
            assert watch.step(None, due - 1) == []
            assert watch.step(None, due) != []
            return


def test_kinds_are_of_nodes():
    assert INVENTORY.of_nodes
    assert INVENTORY.kinds == (Kind.INVENTORY,)
