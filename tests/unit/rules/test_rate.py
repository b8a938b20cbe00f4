"""Rate of change, told as entries of an operator's log."""

from math import inf, nan

import numpy as np
import pytest

from domain.alarms import Edge, Kind
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.plant import Registry, Tag
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from tests.support.builders import START, registry, tag
from tests.support.rule_log import CORE, RuleLog, tidy


def reactor(**other: object) -> Tag:
    """A temperature that may change by 2 K/min, seen in windows of 30 s."""
    given = {"name": "TI", "unit": "°C", "rate_per_min": 2.0, "rate_window_s": 30.0}
    return tag(1, **given | {"interval_s": 15.0, "max_silence_s": 900.0} | other)  # type: ignore[arg-type]


STORIES: dict[str, tuple[Registry, str]] = {
    "a steady rise is raised by its second window, since the start of the first": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 62
        08:01:05  TI 64
        08:01:29.9  tick
        08:01:30  tick
                  => TI ROC RAISED onset 08:00:30 effective 08:01:30 value 4 limit 2
        """,
    ),
    "a reading of the next window makes it known, not later": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 61
        08:01:05  TI 62
        08:01:40  TI 63
                  => TI ROC RAISED onset 08:00:30 effective 08:01:30 value 2 limit 2
        """,
    ),
    "a fall has a negative value and limit": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 57
        08:01:05  TI 54
        08:01:30  tick
                  => TI ROC RAISED onset 08:00:30 effective 08:01:30 value -6 limit -2
        """,
    ),
    "one outlier pushes up and then down, and is none": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 90
        08:01:05  TI 60
        08:01:35  TI 60
        08:05:00  tick
        """,
    ),
    "it returns after two calm windows in a row, below 90 % of the limit": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 62
        08:01:05  TI 64
        08:01:35  TI 66
                  => TI ROC RAISED onset 08:00:30 effective 08:01:30 value 4 limit 2
        08:02:05  TI 66.5
        08:02:35  TI 67.45
        08:03:05  TI 68
        08:03:35  TI 68
        08:04:00  tick
                  => TI ROC RETURNED onset 08:00:30 effective 08:04:00 value 0 limit 2
        """,
    ),
    "an empty window breaks the chain": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 62
        08:01:35  TI 66
        08:02:05  TI 68
        08:02:30  tick
        08:03:05  TI 72
        08:03:35  TI 74
        08:04:05  TI 76
        08:04:30  tick
                  => TI ROC RAISED onset 08:03:30 effective 08:04:30 value 4 limit 2
        """,
    ),
    "silence does not return it": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 62
        08:01:05  TI 64
        08:01:30  tick
                  => TI ROC RAISED onset 08:00:30 effective 08:01:30 value 4 limit 2
        08:10:00  tick
        """,
    ),
    "windows are weighed by the mean time of their readings": (
        registry(reactor()),
        """
        08:00:00  TI 60
        08:00:30  TI 61.5
        08:00:59  TI 61.5
        08:01:29  TI 62.98
        08:01:30  tick
        """,
    ),
    "flagged readings do not count": (
        registry(reactor()),
        """
        08:00:05  TI 60
        08:00:35  TI 62 uncertain
        08:00:40  TI 60
        08:01:05  TI 64 uncertain
        08:01:10  TI 60
        08:01:30  tick
        """,
    ),
    "without a window of its own, a tag is seen in windows of three intervals": (
        registry(reactor(rate_window_s=None, interval_s=10.0)),
        """
        08:00:05  TI 60
        08:00:35  TI 62
        08:01:05  TI 64
        08:01:30  tick
                  => TI ROC RAISED onset 08:00:30 effective 08:01:30 value 4 limit 2
        """,
    ),
}


@pytest.mark.parametrize(("plant", "log"), STORIES.values(), ids=STORIES)
def test_rate_story(plant: Registry, log: str):
    assert RuleLog(plant, CORE).replay(log) == tidy(log)


def test_a_ramp_under_noise_is_found_and_the_noise_alone_is_not():
    plan = compile_plan(registry(reactor(interval_s=1.0), reactor_two()))
    state = RuleState.fresh(plan, micros(START))
    noise = np.random.default_rng(7).normal(0, 0.3, (2, 3600))
    found = []
    for second in range(3600):
        now = micros(START) + second * SECOND
        ramp = max(0.0, (second - 1200) / 60 * 3) if second < 1500 else 15.0
        values = [60 + ramp + noise[0, second], 60 + noise[1, second]]
        found += step(plan, state, Frame.of([1, 2], [now] * 2, values, received=now), moment(now))
    found = [f for f in found if f.kind is Kind.ROC]
    found = [finding for finding in found if finding.kind is Kind.ROC]
    assert [(f.edge, f.kind, f.tag) for f in found] == [
        (Edge.RAISED, Kind.ROC, 1),
        (Edge.RETURNED, Kind.ROC, 1),
    ]
    assert [(f.effective - START).total_seconds() for f in found] == [1290, 1590]


def reactor_two() -> Tag:
    return tag(2, name="TI2", rate_per_min=2.0, rate_window_s=30.0, interval_s=1.0)


@pytest.mark.parametrize("wild", [1e308, -1e308, inf, -inf, nan])
def test_wild_numbers_do_not_break_the_rate(wild: float):
    plan = compile_plan(registry(reactor(limits={Kind.HH: 90.0})))
    state = RuleState.fresh(plan, micros(START))
    for second in range(0, 240, 5):
        now = micros(START) + second * SECOND
        value = wild if second % 20 < 15 else -wild
        step(plan, state, Frame.of([1], [now], [value], received=now), moment(now))
    state.to_bytes(plan)
