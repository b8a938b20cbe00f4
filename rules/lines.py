"""The kernel of PREDICT: four straight lines through the samples, each with a memory of its own.

Their gains and errors: see `rules.discounts`. A line younger than its window is plain least squares
over its age. Where a longer line contradicts the next
shorter one by `restart` standard errors, something has changed: it and all longer ones go on from
the shorter one, as if they were a share of its window old. So a ramp is soon seen by lines that
know nothing else. The shorter one and those below it go on as they were, and until the new ones are
as old as its window none above it is believed. A residual is clipped; a second one
in a row that the shortest line would clip on the same side is a jump, after which all lines begin
anew. The longest line that agrees with all shorter ones is the one to believe.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from domain.forecast_model import Bank, ForecastModel, Spread, Warn
from rules.compiled import part
from rules.discounts import TAU, Discounts, of_pace, of_step, young_covariance, young_gains
from rules.forecast_memory import LINES, Known
from rules.noise import EARLY, learn, long_run, lost, within

LARGEST = 1e15
"""Levels and residuals beyond it are given up: their squares would leave float32."""
_MOST_SEEN = 255
_MOST_CLIPPED = 127
_YOUNGEST = 0.125
"""Age of a new line in usual distances of samples, where its covariance asks for one."""
_SOON = 16
_NOISIER = 4
"""A jump so many samples after a jump is noise: the variance grows so many times."""


class Law(NamedTuple):
    """The numbers of a `ForecastModel` that loops need. ratio: of neighbouring windows. tau: of the
    shortest line, over the window of the longest. whole: 1 / `noise.lost` of its winsor."""

    bank: Bank
    noise: Spread
    warn: Warn
    z: float
    ratio: int
    tau: float
    whole: float

    @staticmethod
    def of(model: ForecastModel) -> "Law":
        """That of a model; raises `ValueError` where a ratio is no whole number."""
        ratio = int(model.bank.ratio)
        if ratio != model.bank.ratio:
            raise ValueError(f"the ratio of windows is {model.bank.ratio}, no whole number")
        tau, whole = TAU / ratio ** (LINES - 1), 1 / lost(model.noise.winsor)
        return Law(model.bank, model.noise, model.warn, model.z, ratio, tau, whole)


class Rule(NamedTuple):
    """Of one tag. window: seconds, of the longest line. interval: nominal seconds between samples.
    floor: smallest variance. report: variance that reports by exception add."""

    window: float
    interval: float
    floor: float
    report: float


@part
def take(
    law: Law, rule: Rule, of: Discounts, tag: Known, value: float, previous: float,
    seconds: float,
) -> None:  # fmt: skip
    """Take in one value.

    value: relative to the anchor, as a float32 can hold it. previous: the value before, NaN = none
    that counts. seconds: since the usable sample before; any positive number for the first.
    """
    bank = law.bank
    if tag.seen == 0:
        tag.pace = rule.interval
        lay(tag, value)
    elif seconds * bank.ratio > rule.window * bank.forget:
        lay(tag, value)
    tag.age += seconds
    if not foreseeable(tag, value, seconds):
        lay(tag, value)
    own = value - tag.level[0] - tag.slope[0] * seconds
    before = previous - tag.level[0]
    limit = _clip(bank, tag, own, seconds)
    if limit < 0:
        _jump(tag, value)
        own = 0.0
    else:
        _follow(law.ratio, rule, of, tag, value, seconds, limit)
    learn(tag, own, before, law.noise.memory, law.noise.winsor, law.whole)
    pace = np.float64(tag.pace)
    tag.pace = pace + (seconds - pace) * (1 / bank.pace)
    if tag.seen < _MOST_SEEN:
        tag.seen += 1
    _choose(law, rule, of, tag)


@part
def spread(law: Law, rule: Rule, tag: Known) -> float:
    """Long-run variance of the noise."""
    pace = np.float64(tag.pace)
    discount = pace / (pace + rule.window * law.tau)
    variance, covariance = np.float64(tag.variance), np.float64(tag.covariance)
    inflated = long_run(variance, covariance, law.noise.correlation, discount)
    return max(inflated, rule.floor) + rule.report


@part
def usual(tag: Known) -> float:
    """Seconds between the samples of the lines; less for lines that are younger than that."""
    age, pace = np.float64(tag.age), np.float64(tag.pace)
    return max(min(pace, age), pace * _YOUNGEST)


@part
def lay(tag: Known, value: float) -> None:
    """Level lines through a value, that know nothing else."""
    for k in range(LINES):
        tag.level[k], tag.slope[k] = value, 0
    tag.age, tag.clipped, tag.run = 0, 0, 0
    tag.line, tag.kept = LINES - 1, -1


@part
def foreseeable(tag: Known, value: float, seconds: float) -> bool:
    """Whether all residuals are numbers to reckon with."""
    for k in range(LINES):
        residual = value - tag.level[k] - tag.slope[k] * seconds
        if not abs(residual) < LARGEST:
            return False
    return True


@part
def _clip(bank: Bank, tag: Known, own: float, seconds: float) -> float:
    """How far a residual counts; -1 for a jump, where a second one in a row on one side would be
    clipped. own: that of the shortest line.

    The first samples count in full, and so does one after a gap.
    """
    if tag.seen < EARLY or seconds > tag.pace * bank.gap:
        tag.run = 0
        return LARGEST
    limit = bank.clip * sqrt(tag.variance)
    side = 0
    if abs(own) > limit:
        side = 1 if own > 0 else -1
        if tag.run == side:
            return -1.0
        if tag.clipped < _MOST_CLIPPED:
            tag.clipped += 1
    tag.run = side
    return limit


@part
def _jump(tag: Known, value: float) -> None:
    """The lines begin anew; where they have just done so, it is noise."""
    if tag.age < _SOON * tag.pace:
        tag.variance = min(tag.variance * _NOISIER, LARGEST)
    lay(tag, value)


@part
def _follow(
    ratio: int, rule: Rule, of: Discounts, tag: Known, value: float, seconds: float, limit: float
) -> None:
    """Move the lines by their residuals, clipped at the limit."""
    of_step(of, ratio, seconds, rule.window)
    level_gain, slope_gain = young_gains(tag.age * of.per_step + 1)
    for k in range(LINES):
        level, slope = of.level[k], of.slope[k]
        if k > tag.kept:
            level, slope = max(level, level_gain), max(slope, slope_gain)
        ahead = tag.level[k] + tag.slope[k] * seconds
        residual = within(value - ahead, limit)
        tag.level[k] = ahead + level * residual
        tag.slope[k] += np.float32(slope * residual * of.per_step)


@part
def _choose(law: Law, rule: Rule, of: Discounts, tag: Known) -> None:
    """Which line to believe; lines that are contradicted go on from the shorter one."""
    bank, pace, variance = law.bank, usual(tag), spread(law, rule, tag)
    agree, restart = bank.agree**2 * variance, bank.restart**2 * variance
    of_pace(of, law.ratio, pace, rule.window)
    young_level, young_slope, _ = young_covariance(max(tag.age * of.per_pace + 1, 2.0))
    line = broken = LINES - 1
    for k in range(LINES - 2, -1, -1):
        level, slope = of.level_variance[k], of.slope_variance[k]
        if k > tag.kept:
            level, slope = max(level, young_level), max(slope, young_slope)
        apart = np.float64(tag.level[k + 1]) - tag.level[k]
        lean = (np.float64(tag.slope[k + 1]) - tag.slope[k]) * pace
        odds, one = max(apart * apart * slope, lean * lean * level), level * slope
        if odds > agree * one:
            line = k
        if odds > restart * one:
            broken = k
    if broken < LINES - 1 and tag.seen >= EARLY:
        _restart(bank, rule, tag, broken)
        line = line if line < broken else LINES - 1
    kept = tag.kept
    if kept >= 0:
        if tag.age < rule.window * bank.ratio ** (kept + 1 - LINES):
            line = min(line, kept)
        else:
            tag.kept = -1
    tag.line = line


@part
def _restart(bank: Bank, rule: Rule, tag: Known, last: int) -> None:
    """The lines above this one go on from it."""
    for k in range(last + 1, LINES):
        tag.level[k], tag.slope[k] = tag.level[last], tag.slope[last]
    age = rule.window * bank.restart_share * bank.ratio ** (last + 1 - LINES)
    tag.age = min(tag.age, age)
    tag.clipped, tag.kept = 0, last
