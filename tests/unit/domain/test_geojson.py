"""Geometries of RFC 7946."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.geojson import box_of, overlap, point, polygon, twice_area

LON, LAT = 100.25, 38.5
SQUARE = ((100.0, 38.0), (101.0, 38.0), (101.0, 39.0), (100.0, 39.0))
DEGREES = st.tuples(st.integers(-1800, 1800), st.integers(-900, 900)).map(
    lambda one: (one[0] / 10, one[1] / 10)
)


def test_longitude_comes_before_latitude():
    assert point((LON, LAT))["coordinates"] == [LON, LAT]


@pytest.mark.parametrize("corners", [SQUARE, SQUARE[::-1], (*SQUARE, SQUARE[0])])
def test_a_ring_is_closed_and_runs_counter_clockwise_however_it_was_written(corners):
    made = polygon(corners)
    assert made is not None
    [ring] = made["coordinates"]
    assert ring[0] == ring[-1]
    assert len(ring) == 5
    assert twice_area(ring) == 2.0
    assert box_of(made) == (100.0, 38.0, 101.0, 39.0)


@given(st.lists(DEGREES, max_size=8))
@example([(0.0, 0.0), (0.1, 0.1), (-0.6, 0.1), (0.0, 0.1), (0.1, 0.0)])
def test_every_polygon_has_its_inside_on_the_left(corners):
    made = polygon(corners)
    if made is None:
        return
    [ring] = made["coordinates"]
    assert len(ring) >= 4
    assert ring[0] == ring[-1]
    assert {tuple(corner) for corner in ring} == set(corners)
    whole = [(round(10 * lon), round(10 * lat)) for lon, lat in ring]
    assert sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(whole)) > 0


@pytest.mark.parametrize("corners", [(), SQUARE[:2], ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0))])
def test_corners_that_bound_nothing_are_no_polygon(corners):
    assert polygon(corners) is None


@pytest.mark.parametrize(
    ("box", "there"),
    [
        ((100.0, 38.0, 101.0, 39.0), True),
        ((100.25, 38.5, 100.25, 38.5), True),
        ((38.0, 80.0, 39.0, 90.0), False),
        ((170.0, 38.0, -170.0, 39.0), False),
        ((99.0, 38.0, -170.0, 39.0), True),
        ((170.0, 38.0, 101.0, 39.0), True),
        ((100.0, 39.0, 101.0, 40.0), False),
    ],
)
def test_a_box_may_cross_the_antimeridian(box, there):
    around = box_of(point((LON, LAT)))
    assert around is not None
    assert overlap(box, around) is there
