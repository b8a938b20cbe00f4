"""What rules tell risk that is no alarm: time to a limit, flows that stand."""

from dataclasses import replace

import numpy as np
import pytest

from domain.alarms import Kind
from domain.instant import FAR, SECOND, micros
from domain.plant import TagKind
from domain.quality import Quality
from rules.compiling import compile_plan
from rules.engine import step
from rules.signals import flows_of, signals
from rules.state import RuleState
from tests.support.builders import START, at, frame, registry, tag

LEVEL, FLOW = 1, 2
MINUTE = 60 * SECOND


@pytest.fixture
def plant():
    """(judge, ask) of a plant with a level and a flow tag, a sample of each every 10 s."""
    level = replace(tag(LEVEL, limits={Kind.HH: 9.0}, interval_s=10.0), action_min=5.0)
    flow = tag(FLOW, kind=TagKind.FLOW, unit="m3/h", range=(0.0, 100.0), interval_s=10.0)
    everything = registry(level, flow)
    plan = compile_plan(everything)
    flows, state = flows_of(everything, plan), RuleState.fresh(plan, micros(START))

    def judge(n, height, rate, quality=Quality.GOOD):
        samples = frame((10.0 * n, LEVEL, height), (10.0 * n, FLOW, rate), quality=quality)
        step(plan, state, samples, at(10.0 * n))

    def ask(seconds):
        return signals(plan, flows, state, micros(at(seconds)))

    return judge, ask


def test_a_rising_level_has_a_lower_bound_of_its_time_to_the_limit_and_an_action_time(plant):
    judge, ask = plant
    chance = np.random.default_rng(5)
    for n in range(200):
        judge(n, 4.0 + 0.01 * n + 0.002 * chance.standard_normal(), 50.0)
    told = ask(1990)
    assert told.tags.tolist() == [LEVEL]
    assert told.action.tolist() == [5 * MINUTE]
    assert 40 * MINUTE < told.ahead[0] < 51 * MINUTE
    assert told.ahead[0] == ask(5000).ahead[0], "kept while no good sample comes"


def test_a_level_at_rest_has_no_bound(plant):
    judge, ask = plant
    chance = np.random.default_rng(6)
    for n in range(200):
        judge(n, 4.0 + 0.002 * chance.standard_normal(), 50.0)
    assert ask(1990).ahead.tolist() == [FAR]


@pytest.mark.parametrize(
    ("rate", "quality", "later", "stands"),
    [
        (0.0, Quality.GOOD, 1, True),
        (1.0, Quality.GOOD, 1, True),
        (-0.4, Quality.GOOD, 1, True),
        (1.1, Quality.GOOD, 1, False),
        (0.0, Quality.BAD, 1, False),
        (float("nan"), Quality.GOOD, 1, False),
        (0.0, Quality.GOOD, 61, False),
    ],
    ids=["zero", "cut-off", "below zero", "flows", "bad", "no value", "silent"],
)
def test_only_a_good_and_fresh_sample_says_that_nothing_flows(plant, rate, quality, later, stands):
    judge, ask = plant
    judge(0, 4.0, 0.0)
    judge(1, 4.0, rate, quality)
    assert ask(10 + later).still.tolist() == ([FLOW] if stands else [])


def test_a_flow_that_was_never_heard_counts_as_flowing(plant):
    assert plant[1](1).still.tolist() == []
