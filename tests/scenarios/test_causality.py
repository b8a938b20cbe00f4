"""Nothing that is said about a moment depends on what came after it.

A day of a small plant with everything that the rules watch goes through the engine as
`hazwatch evaluate` does it, whole and cut off at some moments: up to there, every finding must be
the same in everything it tells, and told at the same time. So no filter is centred, nothing is
normalised over the whole series, and no gap is filled from behind (shared/early-warning.md,
"Honest evaluation", 2).
"""

from dataclasses import replace

import numpy as np
import pytest

from domain.instant import SECOND, micros
from domain.replay_map import Training, read_map
from hazwatch.evaluate.drive import Told
from hazwatch.evaluate.feed import Feed
from hazwatch.evaluate.own import judged
from hazwatch.evaluate.report import Report
from hazwatch.evaluate.score import Event
from tests.support.builders import START

ZERO = micros(START)
ROWS = 900
LEARNT = 250
PLAN = read_map(
    """
time: {column: time, format: iso}
park: p1
enterprise: e
gateway: g1
tags:
  a: {name: LT-1, kind: level, unit: m, range: [0, 10], limits: {LL: 0.5, L: 1, H: 8, HH: 9},
      interval_s: 60, action_min: 10, rate_per_min: 0.02}
  b: {name: GD-1, kind: gas_toxic, unit: ppm, range: [0, 100], limits: {H: 20, HH: 40},
      interval_s: 60}
  c: {name: TI-1, kind: temperature, unit: °C, range: [0, 200], limits: {H: 150},
      interval_s: 60}
  d: {name: TI-2, kind: temperature, unit: °C, range: [0, 200], interval_s: 60}
  e: {name: PI-1, kind: pressure, unit: MPa, range: [0, 4], limits: {H: 3}, interval_s: 60}
  f: {name: FI-1, kind: flow, unit: m3/h, range: [0, 60], interval_s: 60, max_silence_s: 900}
groups:
  unit: {members: [TI-1, TI-2, PI-1, FI-1], kind: pca}
"""
)


def plant(seed: int) -> Feed:
    """Level ramps over its limits, plumes, a gauge that drifts off, jumps, gaps, a stuck value."""
    rng = np.random.default_rng(seed)
    cause = np.zeros(ROWS)
    for n in range(1, ROWS):
        cause[n] = 0.9 * cause[n - 1] + rng.standard_normal()
    noise = rng.standard_normal((ROWS, 6))
    minute = np.arange(ROWS)
    value = np.column_stack(
        [
            4 + 0.01 * noise[:, 0] + np.clip((minute - 600) * 0.04, 0, 5.5),
            1 + 0.2 * noise[:, 1] + 12 * ((minute > 400) & (minute < 460) & (minute % 4 < 2)),
            100 + 2 * cause + noise[:, 2],
            90 - 1.5 * cause + noise[:, 3] + 0.2 * np.clip(minute - 500, 0, 200),
            2 + 0.05 * cause + 0.02 * noise[:, 4] + 0.8 * (minute > 760),
            30 + cause + 0.5 * noise[:, 5],
        ]
    )
    value[300:330, 2] = value[300, 2]
    value[rng.random(value.shape) < 0.02] = np.nan
    value[550:570] = np.nan
    at = ZERO + (minute * 60 + rng.integers(0, 5, ROWS)) * SECOND
    names = tuple(tag.name for tag in PLAN.tags.values())
    until = START.fromtimestamp(int(at[LEARNT]) / 1e6, START.tzinfo)
    plan = PLAN.model_copy(update={"train": Training(until=until)})
    there = ~np.isnan(value).all(axis=1)
    return Feed(plan, at[there], value[there], names, ())


def told(feed: Feed) -> list[Told]:
    event = Event("x", int(feed.at[LEARNT]) + SECOND, int(feed.at[-1]), "*", "fault")
    return judged(feed, [event], Report("causality"), lambda share: None)[1]


def words(found: list[Told], until: int) -> list[str]:
    return [f"{one.at} {one.finding!r}" for one in found if one.at <= until]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_said_until_a_moment_is_the_same_without_what_came_after(seed):
    feed = plant(seed)
    whole = told(feed)
    kinds = {one.finding.kind.name for one in whole}
    assert {
        "H",
        "HH",
        "ROC",
        "INTERMITTENT",
        "PCA",
        "PREDICT",
        "CHANGE",
        "OFFLINE",
    } - kinds == set()
    for cut in np.random.default_rng(seed).integers(LEARNT + 20, len(feed.at), 2).tolist():
        prefix = replace(feed, at=feed.at[:cut], values=feed.values[:cut])
        until = int(feed.at[cut - 1])
        assert words(told(prefix), until) == words(whole, until)
