"""The worst child decides; counts and unknown stand beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.risk import Colour
from domain.risk_model import risk_model
from domain.rollup import NONE, area_index, domino, enterprise_index, roll_up

AREA = risk_model().area


def rolled(parents, colours, unknown=()):
    blind = np.isin(np.arange(len(parents)), list(unknown))
    return roll_up(np.array(parents, np.int32), np.array(colours, np.int8), blind)


def test_node_has_the_colour_of_its_worst_source_and_counts_beside_it():
    found = rolled(
        [NONE, 0, 1, 1, 1, 0], [NONE, NONE, Colour.BLUE, Colour.RED, Colour.BLUE, NONE], [2]
    )
    assert found.worst.tolist() == [Colour.RED, Colour.RED, 0, Colour.RED, 0, NONE]
    assert found.counts[0].tolist() == [2, 0, 0, 1]
    assert found.unknown.tolist() == [1, 1, 1, 0, 0, 0]


def test_no_number_of_yellow_sources_makes_an_orange_park():
    found = rolled([NONE, *[0] * 500], [NONE, *[Colour.YELLOW] * 500])
    assert found.worst[0] == Colour.YELLOW


def test_no_nodes_are_no_trouble():
    assert len(rolled([], []).worst) == 0


def test_circle_is_refused():
    with pytest.raises(ValueError, match="circle"):
        rolled([1, 2, 0], [NONE] * 3)


@st.composite
def forests(draw):
    n = draw(st.integers(1, 30))
    order = draw(st.permutations(range(n)))
    parents = [NONE] * n
    for k in range(1, n):
        parents[order[k]] = draw(st.sampled_from([NONE, *order[:k]]))
    colours = draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))
    return parents, colours, draw(st.sets(st.integers(0, n - 1)))


@given(forests())
def test_every_node_is_what_the_sources_below_it_are(forest):
    parents, colours, unknown = forest
    found = rolled(*forest)
    below: list[list[int]] = [[] for _ in parents]
    for node, colour in enumerate(colours):
        above = node if colour != NONE else NONE
        while above != NONE:
            below[above].append(node)
            above = parents[above]
    for node, sources in enumerate(below):
        here = [colours[source] for source in sources]
        assert found.worst[node] == max(here, default=NONE)
        assert found.counts[node].tolist() == [here.count(colour) for colour in Colour]
        assert found.unknown[node] == len(unknown & set(sources))


@pytest.mark.parametrize(
    ("scores", "index"),
    [
        ([], 0),
        ([40.0], 40),
        ([20.0, 60.0], 60),
        ([40.0, 60.0, 35.0], 60 + 1 + 0.5),
        ([60.0] + [90.0] * 30, 100),
        ([70.0, 60.0, 60.0, 60.0, 60.0], 80),
        ([95.0, 90.0, 90.0], 100),
    ],
)
def test_index_of_an_enterprise(scores, index):
    assert enterprise_index(AREA, np.array(scores)) == pytest.approx(index)


@pytest.mark.parametrize(
    ("counts", "index"),
    [([0, 0, 0, 0], 0), ([9, 0, 0, 0], 0), ([0, 0, 0, 2], 100), ([6, 2, 1, 1], 19)],
)
def test_index_of_an_area(counts, index):
    assert area_index(AREA, np.array(counts)) == pytest.approx(index)


@pytest.mark.parametrize(
    ("metres", "parks", "alarmed", "red"),
    [
        (499, (7, 7), (True, True), [7]),
        (501, (7, 7), (True, True), []),
        (499, (7, 8), (True, True), []),
        (499, (7, 7), (True, False), []),
        (float("nan"), (7, 7), (True, True), []),
        (0, (NONE, NONE), (True, True), []),
    ],
)
def test_two_orange_sources_within_the_domino_distance_make_a_park_red(metres, parks, alarmed, red):
    lat = np.array([38.93, 38.93 + metres / 111_195.0])
    lon = np.array([100.45, 100.45])
    found = domino(AREA, np.array(parks), lon, lat, np.array(alarmed))
    assert found.tolist() == red
