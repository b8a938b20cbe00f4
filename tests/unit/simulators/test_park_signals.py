"""The uneventful park: sound physics, the same for the same seed, and never beyond a limit."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarms import Kind
from domain.plant import Tag
from rules.compiling import SHORTEST_WINDOW_S
from simulators.park import ADDRESSES
from simulators.park_enterprises import CHLORINE, FERTILISER, METHANOL, PANELS
from simulators.park_readings import readings, values
from simulators.park_story import LINE_BACK_S, PERIOD_S
from simulators.signals import LOUDEST
from tests.support.park import SITE, registry_of

REGISTRY = registry_of(SITE)
OWNER = {node.id: node.code for node in REGISTRY.nodes.values()}
TAGS = {(OWNER[tag.enterprise], tag.name): tag for tag in REGISTRY.tags.values()}
STARTS, SEEDS = st.integers(0, 10_000_000), st.integers(0, 2**40)
TOLD = {"LT-101", "GD-211", "GD-212"}
"""The tags that the story takes beyond their limits."""


def worst(panel) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest that instruments can ever show while nothing is told."""
    off = panel.amplitude + LOUDEST * panel.sigma + panel.step / 2
    return np.maximum(panel.middle - off, panel.lowest), panel.middle + off


def inside(tag: Tag, low: float, high: float) -> bool:
    """Whether all of low … high lies within the limits, the normal band and the range."""
    bands = [tag.range or (-np.inf, np.inf), tag.normal or (-np.inf, np.inf)]
    limits = tag.limits
    return (
        all(low >= a and high <= b for a, b in bands)
        and all(low > limits[kind] for kind in (Kind.L, Kind.LL) if kind in limits)
        and all(high < limits[kind] for kind in (Kind.H, Kind.HH) if kind in limits)
    )


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_while_nothing_is_told_no_tag_can_ever_leave_its_normal_band(address):
    panel = PANELS[address]
    low, high = worst(panel)
    tags = [TAGS[address.enterprise, name] for name in panel.names]
    quiet = [inside(*one) for one in zip(tags, low, high, strict=True)]
    beyond = [
        name
        for name, is_quiet, state in zip(panel.names, quiet, panel.state, strict=True)
        if not is_quiet and not state
    ]
    assert beyond == []


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_no_noise_can_ever_reach_a_limit_on_a_rate(address):
    panel = PANELS[address]
    steepest = panel.amplitude * 2 * np.pi / panel.period_s * 60
    # the means of two windows, each off by as much as all its samples can be
    jump = 2 * (LOUDEST * panel.sigma + panel.step / 2) / (SHORTEST_WINDOW_S / 60)
    for name, rate in zip(panel.names, steepest + jump, strict=True):
        limit = TAGS[address.enterprise, name].rate_per_min
        assert limit is None or rate < limit, name


@settings(max_examples=5)
@given(STARTS, SEEDS)
def test_in_hours_of_play_only_the_tags_of_the_story_leave_their_limits(start, seed):
    t = np.arange(start, start + 2 * PERIOD_S)
    for address in ADDRESSES:
        for name, shown in readings(address, t, seed).items():
            tag = TAGS[address.enterprise, name]
            if name not in TOLD:
                assert inside(tag, shown.min(), shown.max()), name
            elif tag.range is not None:
                assert tag.range[0] <= shown.min() <= shown.max() <= tag.range[1]


@settings(max_examples=20)
@given(STARTS, SEEDS)
def test_a_reading_depends_on_time_and_seed_alone(elapsed, seed):
    for address in ADDRESSES:
        alone = readings(address, np.array([float(elapsed)]), seed)
        among = readings(address, np.array([3.0, elapsed, 7.0]), seed)
        assert all(alone[name][0] == among[name][1] for name in alone)
        assert values(address, float(elapsed), seed) == {n: x[0] for n, x in alone.items()}


def test_another_seed_is_another_noise_and_no_two_instruments_share_one():
    t = np.arange(100.0)
    one, other = (readings(METHANOL, t, seed)["LT-111"] for seed in (1, 2))
    assert not np.array_equal(one, other)
    alike = ((METHANOL, "GD-11"), (METHANOL, "GD-12"), (FERTILISER, "GD-234"), (CHLORINE, "GD-415"))
    for some, more in combinations([readings(address, t, 1)[name] for address, name in alike], 2):
        assert not np.array_equal(some, more)


def test_the_level_of_a_tank_follows_from_its_flows():
    panel = PANELS[METHANOL]
    hours = np.arange(0.0, 8 * 3600.0)
    shown = readings(METHANOL, hours, 1)
    for number, safe_m3 in ((111, 1800), (131, 450)):
        net = shown[f"FT-{number}A"] - shown[f"FT-{number}B"]
        level = shown[f"LT-{number}"][0] + np.cumsum(net) / 3600 / safe_m3 * 100
        assert np.abs(level - shown[f"LT-{number}"]).max() < 0.3
    assert panel.amplitude[panel.names.index("LT-111")] > 10, "so that there is something to follow"


def test_of_two_pumps_one_runs():
    shown = readings(METHANOL, np.arange(1.0, 12 * 3600.0, 61.0), 1)
    assert np.all(shown["P-121A.RUN"] + shown["P-121B.RUN"] == 1)
    assert 0 < shown["P-121A.RUN"].mean() < 1


def test_the_story_is_over_long_before_the_next_one_begins():
    rest = np.arange(LINE_BACK_S + 200, PERIOD_S)
    for address in ADDRESSES:
        for name, shown in readings(address, rest, 1).items():
            tag = TAGS[address.enterprise, name]
            assert inside(tag, shown.min(), shown.max()), name
