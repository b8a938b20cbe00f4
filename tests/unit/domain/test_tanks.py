"""Volume by level: closed forms of textbooks, properties of every shape, and the way back."""

from math import acos, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import tanks
from domain.tanks import Tank

SIZES = st.floats(0.5, 40)
SHARES = st.floats(0, 1)


def shapes() -> st.SearchStrategy[Tank]:
    return st.one_of(
        st.builds(tanks.upright, SIZES, SIZES, st.sampled_from(tanks.BOTTOMS), st.floats(0.1, 3)),
        st.builds(tanks.lying, SIZES, SIZES, st.sampled_from(tanks.HEADS)),
        st.builds(tanks.sphere, SIZES),
        st.builds(tanks.prism, SIZES, SIZES),
        st.lists(st.tuples(st.floats(0.01, 2), st.floats(0.01, 500)), min_size=1, max_size=6).map(
            lambda steps: tanks.strapped([(0.0, 0.0), *np.cumsum(steps, axis=0).tolist()])
        ),
    )


@given(shapes())
def test_an_empty_tank_holds_nothing_and_a_full_one_its_volume(tank: Tank):
    assert tanks.volume(tank, 0.0) == pytest.approx(0, abs=1e-9 * tank.full)
    assert tanks.volume(tank, -1.0) == pytest.approx(0, abs=1e-9 * tank.full)
    for level in (tank.height, tank.height + 1, 1e308, np.inf):
        assert tanks.volume(tank, level) == pytest.approx(tank.full, rel=1e-9)
    assert np.isnan(tanks.volume(tank, np.nan))


@given(shapes())
def test_more_level_is_more_volume(tank: Tank):
    levels = np.linspace(0, tank.height, 999)
    assert (np.diff(tanks.volume(tank, levels)) > 0).all()


@given(shapes(), SHARES)
def test_the_level_of_a_volume_gives_that_volume_back(tank: Tank, share: float):
    found = tanks.volume(tank, tanks.level(tank, share * tank.full))
    assert found == pytest.approx(share * tank.full, rel=1e-6, abs=1e-6 * tank.full)


@given(st.sampled_from(tanks.HEADS), SIZES, SIZES, SHARES)
def test_a_lying_tank_is_the_same_upside_down(heads: str, diameter: float, length: float, x: float):
    tank = tanks.lying(diameter, length, heads)
    below, above = tanks.volume(tank, x * diameter), tanks.volume(tank, (1 - x) * diameter)
    assert below + above == pytest.approx(tank.full, rel=1e-6)


@given(SIZES, SHARES)
def test_a_sphere_follows_the_cap_formula(diameter: float, x: float):
    radius, h = diameter / 2, x * diameter
    cap = pi * h**2 * (3 * radius - h) / 3
    assert tanks.volume(tanks.sphere(diameter), h) == pytest.approx(cap, abs=1e-9 * diameter**3)
    back = tanks.inverse_share_of_sphere(cap / (pi * diameter**3 / 6))
    assert back == pytest.approx(x, abs=1e-6)


@given(SIZES, SIZES, SHARES)
def test_a_lying_cylinder_follows_the_segment_formula(diameter: float, length: float, x: float):
    radius, h = diameter / 2, x * diameter
    segment = radius**2 * acos(max(-1, min(1, (radius - h) / radius)))
    segment -= (radius - h) * sqrt(max(0, 2 * radius * h - h * h))
    found = tanks.volume(tanks.lying(diameter, length), h)
    assert found == pytest.approx(length * segment, abs=1e-9 * length * diameter**2)


@pytest.mark.parametrize(
    ("tank", "level", "expected"),
    [
        # V = π/4 · D² · h: 11.5 m across, 103.87 m² (domain research 7.2 S1)
        (tanks.upright(11.5, 10.7), 1.0, 103.868907),
        (tanks.upright(11.5, 10.7), 10.7, 1111.397306),
        # cone of 1 m under a shell of 10 m across: π/12 · D² · h, full at the shell
        (tanks.upright(10, 8, "cone", 1), 1.0, 26.179939),
        (tanks.upright(10, 8, "cone", 1), 0.5, 26.179939 / 8),
        # half a sphere under the shell: 2/3 · π · R³, and its cap π · h² · (3R - h) / 3
        (tanks.upright(2, 5, "dish", 1), 1.0, 2.094395),
        (tanks.upright(2, 5, "dish", 1), 0.4, pi * 0.16 * 2.6 / 3),
        # half full is half of everything
        (tanks.sphere(9.14), 4.57, pi / 12 * 9.14**3),
        (tanks.lying(2, 6, "hemispherical"), 2.0, 6 * pi + 4 / 3 * pi),
        # two 2:1 ellipsoidal heads hold π/12 · D³
        (tanks.lying(3.2, 11.35, "elliptical"), 3.2, pi / 4 * 3.2**2 * 11.35 + pi / 12 * 3.2**3),
        # a quarter of the diameter: 0.1955 of a lying cylinder (tables of partial volumes)
        (tanks.lying(2, 1), 0.5, 0.195501 * pi),
        # Kloepper heads hold 0.0990 · D³ each (DIN 28011 tables say 0.1 · D³)
        (tanks.lying(1, 1e-9, "torispherical"), 1.0, 2 * 0.098966),
        (tanks.strapped([(0, 5), (1, 20), (3, 100)]), 2.0, 60.0),
        (tanks.strapped([(0, 5), (1, 20), (3, 100)]), -1.0, 5.0),
    ],
)
def test_golden_volumes(tank: Tank, level: float, expected: float):
    assert tanks.volume(tank, level) == pytest.approx(expected, rel=2e-5)


def test_a_dished_head_lies_between_a_flat_and_an_ellipsoidal_one_and_fills_like_its_own_sections():
    tank = tanks.lying(4, 1e-9, "torispherical")
    levels = np.linspace(0, 4, 41)
    # the slow way: slices across the head, each a circle cut by the level
    depth, crown, knuckle = 0.193774225 * 4, 4.0, 0.4
    joint = knuckle * (1 - ((2 - knuckle) / (crown - knuckle)) ** 2) ** 0.5
    x = np.linspace(0, depth, 200_001)
    radius = np.where(
        x < joint,
        2 - knuckle + np.sqrt(np.maximum(knuckle**2 - x**2, 0)),
        np.sqrt(np.maximum(crown**2 - (x - depth + crown) ** 2, 0)),
    )
    for level in levels:
        y = np.clip((level - 2) / np.maximum(radius, 1e-12), -1, 1)
        area = radius**2 * (np.arccos(-y) + y * np.sqrt(1 - y**2))
        slow = 2 * float(((area[1:] + area[:-1]) / 2).sum() * (x[1] - x[0]))
        assert tanks.volume(tank, level) == pytest.approx(slow, abs=2e-4 * tank.full)


@pytest.mark.parametrize(
    "rows", [[(0, 0)], [(0, 0), (0, 1)], [(0, 1), (1, 1)], [(-1, 0), (1, 1)], [(1, 5), (0, 6)]]
)
def test_a_strapping_table_has_to_rise(rows):
    with pytest.raises(ValueError, match="two rows or more"):
        tanks.strapped(rows)
