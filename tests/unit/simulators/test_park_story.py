"""What the rules make of the demonstration's first ten minutes: exactly the story, and no more."""

from datetime import datetime

import numpy as np
import pytest

from domain.alarms import Edge, Kind
from simulators.park import STORY
from simulators.park_enterprises import CHLORINE, METHANOL
from simulators.park_readings import readings
from simulators.park_story import (
    DRAIN_OPENS_S,
    GAS_ESCAPES_S,
    LINE_BACK_S,
    LINE_CUT_S,
    PERIOD_S,
    PUMP_STICKS_S,
    cut,
)
from tests.support.builders import START
from tests.support.park import WatchedPark

TEN_MINUTES = 600
CHLORINE_PROCESS = (
    "WT-401A", "WT-401B", "PT-401", "TT-401", "TT-402", "PT-402", "LT-403", "P-403A.RUN",
    "P-403B.RUN", "ESD-401",
)  # fmt: skip
GAS_AND_LEVEL = [
    ("LT-101", "H", "RAISED"),
    ("GD-211", "H", "RAISED"),
    ("LT-101", "HH", "RAISED"),
    ("GD-211", "HH", "RAISED"),
    ("GD-212", "H", "RAISED"),
    ("LT-101", "HH", "RETURNED"),
    ("LT-101", "H", "RETURNED"),
    ("GD-211", "HH", "RETURNED"),
    ("GD-212", "H", "RETURNED"),
    ("GD-211", "H", "RETURNED"),
]
ADVICE = (Kind.PREDICT, Kind.CHANGE)
MOVING = {"LT-101", "GD-211", "GD-212", "GD-213"}
"""What the story moves; its day passes in minutes, so a forecast may well think twice."""
Log = dict[tuple[str, str, str], datetime]


@pytest.fixture(scope="module", params=[1, 20261121, 987_654_321])
def log(request) -> Log:
    """(subject, kind, edge) → when it took effect; WORSE and advice are left out."""
    park = WatchedPark(request.param)
    told = [one for one in park.watch(TEN_MINUTES) if one.edge is not Edge.WORSE]
    advised = {park.subject(one) for one in told if one.kind in ADVICE}
    assert "LT-101" in advised
    assert advised <= MOVING, "nobody is advised of what stands still"
    found = [one for one in told if one.kind not in ADVICE]
    keys = [(park.subject(one), one.kind.name, one.edge.name) for one in found]
    assert len(set(keys)) == len(keys), "nothing comes twice"
    return {key: one.effective for key, one in zip(keys, found, strict=True)}


def seconds(log: Log, subject: str, kind: str, edge: str = "RAISED") -> float:
    return (log[subject, kind, edge] - START).total_seconds()


def test_these_alarms_come_and_go_and_none_else(log):
    lost = [(name, "OFFLINE") for name in CHLORINE_PROCESS]
    lost += [(source, "SOURCE_OFFLINE") for source in ("vcm", "holder", "pvc")]
    missing = {(*one, edge) for one in lost for edge in ("RAISED", "RETURNED")}
    assert set(log) == {*GAS_AND_LEVEL, *missing}


def test_level_and_gas_come_in_the_order_of_the_story(log):
    about = [key for key in log if key in GAS_AND_LEVEL]
    raised, returned = GAS_AND_LEVEL[:5], GAS_AND_LEVEL[5:]
    assert [key for key in sorted(about, key=lambda key: log[key]) if key in raised] == raised
    assert {key for key in about if key in returned} == set(returned)


def test_the_day_tank_passes_h_within_10_s_and_hh_within_25_and_each_waits_5(log):
    assert PUMP_STICKS_S == 20
    assert seconds(log, "LT-101", "H") <= PUMP_STICKS_S + 10 + 5
    assert seconds(log, "LT-101", "HH") <= PUMP_STICKS_S + 25 + 5
    assert DRAIN_OPENS_S < seconds(log, "LT-101", "HH", "RETURNED") < DRAIN_OPENS_S + 60


def test_two_detectors_of_one_zone_confirm_the_leak_and_it_ends(log):
    assert GAS_ESCAPES_S == 28
    assert seconds(log, "GD-211", "H") == pytest.approx(GAS_ESCAPES_S + 13, abs=2)
    assert seconds(log, "GD-211", "HH") == pytest.approx(GAS_ESCAPES_S + 26, abs=2)
    assert seconds(log, "GD-212", "H") == pytest.approx(GAS_ESCAPES_S + 43, abs=3)
    assert seconds(log, "GD-211", "H", "RETURNED") < 400


def test_the_lost_gateway_is_noticed_within_15_s_and_whole_sources_a_minute_later(log):
    assert LINE_CUT_S == 40
    for name in CHLORINE_PROCESS:
        assert LINE_CUT_S < seconds(log, name, "OFFLINE") <= LINE_CUT_S + 15
    for source in ("vcm", "holder", "pvc"):
        assert seconds(log, source, "SOURCE_OFFLINE") <= LINE_CUT_S + 75


def test_the_line_is_cut_once_an_hour_for_minutes_and_only_that_of_one_gateway():
    hour = np.arange(0.0, 2 * PERIOD_S)
    lost = [second for second in hour if cut(CHLORINE, second)]
    assert lost[0] == LINE_CUT_S
    assert len(lost) == 2 * (LINE_BACK_S - LINE_CUT_S)
    assert not any(cut(METHANOL, second) for second in hour)


def test_the_day_tank_overflows_at_its_brim_and_not_above():
    level = readings(METHANOL, np.arange(PERIOD_S), 1)["LT-101"]
    assert level.max() < 100
    assert level[-1] == pytest.approx(level[0], abs=0.5)


def test_the_story_repeats_every_hour():
    t = np.arange(TEN_MINUTES, dtype=np.float64)
    first, second = (readings(METHANOL, t + shift, 1)["LT-101"] for shift in (0, PERIOD_S))
    assert np.abs(first - second).max() < 1


def test_the_story_is_told_in_order_in_both_languages():
    times = [moment.at_s for moment in STORY]
    assert times == sorted(times)
    assert times[:3] == [20, 28, 40]
    for moment in STORY:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in moment.text)
        assert moment.text.rstrip(".").split("。")[-1].isascii()
