"""The kernel of PREDICT: four straight lines through the samples, each with a memory of its own.

A line with the discount theta = exp(-dt / tau) is the alpha-beta filter with a = 1 - theta^2 and
b = (1 - theta)^2 / dt (Brown's double smoothing); for white noise of variance 1, with
d = 1 - theta, its level and slope per sample have the covariance

    [ d (10 - 14 d + 5 d^2),  d^2 (4 - 3 d);  d^2 (4 - 3 d),  2 d^3 ] / (2 - d)^3.

Its window W = 3.46 tau is the length of plain least squares of the same covariance. A line younger
than its window is plain least squares over its age. Where a longer line contradicts the next
shorter one by `restart` standard errors, something has changed: it and all longer ones go on from
the shorter one, as if they were a share of its window old. So a ramp is soon seen by lines that
know nothing else. The shorter one and those below it go on as they were, and until the new ones are
as old as its window it is the base: none above it is believed. A residual is clipped; a second one
in a row that the shortest line would clip on the same side is a jump, after which all lines begin
anew. The longest line that agrees with all shorter ones is the one to believe.
"""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.forecast_model import Bank, ForecastModel
from domain.frame import Ints
from domain.instant import NEVER
from rules.noise import EARLY, Noise, Singles, learn, long_run

Mask = NDArray[np.bool_]
Bytes = NDArray[np.int8]
Kept = tuple[NDArray[np.intp], Mask]
LINES = 4
TAU = 1 / sqrt(12)
"""tau over window: between where 2 d = 4 / n and where d^3 / 4 = 12 / n^3: d = sqrt(12) / n."""
LARGEST = np.float32(1e15)
"""Levels and residuals beyond it are given up: their squares would leave float32."""
_MOST_SEEN = np.uint8(255)
_YOUNGEST = 0.125
"""Age of a new line in usual distances of samples, where its covariance asks for one."""
_SOON = np.float32(16)
_NOISIER = np.float32(4)
"""A jump so many samples after a jump is noise: the variance grows so many times."""


@dataclass(slots=True, eq=False)
class ForecastMemory:
    """One row for each tag, lines from the shortest on; values relative to the anchor.

    level: float32[r, 4], unit; slope: float32[r, 4], unit per second; both at the last sample. age:
    float32, seconds since this movement began. pace: float32, usual seconds between samples. gap:
    float32, seconds from the last usable sample to the last sample. variance, covariance: see
    `rules.noise.Noise`. seen: usable samples up to 255, 0 = none. line: the one to believe. run:
    sign of the shortest line's last residual if it was clipped. clipped: how many in this movement,
    up to 127. base: the longest line that the last restart left as it was, -1 = all are of one age.
    held: samples in a row for raising, or for returning. side: 0, or what the active PREDICT is
    about: 1 up, -1 down, 2 and -2 the end of the range. onset: int64[r, 1].
    """

    level: Singles
    slope: Singles
    age: Singles
    pace: Singles
    gap: Singles
    variance: Singles
    covariance: Singles
    seen: NDArray[np.uint8]
    line: Bytes
    run: Bytes
    clipped: Bytes
    base: Bytes
    held: Bytes
    side: Bytes
    onset: Ints

    @staticmethod
    def fresh(r: int) -> "ForecastMemory":
        """r tags of which nothing is known."""
        lines = (np.zeros((r, LINES), np.float32, "F") for _ in range(2))
        singles = (np.zeros(r, np.float32) for _ in range(5))
        marks = (np.full(r, first, np.int8) for first in (LINES - 1, 0, 0, -1, 0, 0))
        onset = np.full((r, 1), NEVER, np.int64)
        return ForecastMemory(*lines, *singles, np.zeros(r, np.uint8), *marks, onset)  # type: ignore[call-arg, arg-type]

    @property
    def noise(self) -> Noise:
        """The noise, in place."""
        return Noise(self.variance, self.covariance)


class Rule(NamedTuple):
    """Of the rows at work: float32[m], or [1] where all have the same. window: seconds, of the
    longest line. interval: nominal seconds between samples. floor: smallest variance. report:
    variance that reports by exception add."""

    window: Singles
    interval: Singles
    floor: Singles
    report: Singles


class Covariance(NamedTuple):
    """Of level and slope, for noise of variance 1: float32[k, m]; slope per second."""

    level: Singles
    slope: Singles
    both: Singles


def take(
    model: ForecastModel,
    some: ForecastMemory,
    rule: Rule,
    value: Singles,
    previous: Singles,
    seconds: Singles,
) -> Singles:
    """Take in one value of each row; the long-run variance of its noise after it: float32[m].

    value: float32[m], relative to the anchor. previous: the value before, NaN = none that counts.
    seconds: float32[m] since the usable sample before; any positive number for the first.
    """
    bank = model.bank
    begin(some, value, _long(bank, rule, seconds), rule)
    some.age += seconds
    ahead = some.slope * seconds
    ahead += some.level
    residual = value - ahead
    if not (residual.max() < LARGEST and residual.min() > -LARGEST):
        lost: Mask = np.logical_not((np.abs(residual) < LARGEST).all(axis=0))
        begin(some, value, lost, rule)
        ahead[:, lost] = value[lost]
        residual[:, lost] = 0
    own, before = residual[0].copy(), previous - some.level[0]
    limit, jumped = _clip(bank, some, own, seconds)
    np.minimum(residual, limit, out=residual)
    np.maximum(residual, -limit, out=residual)
    if jumped.size:
        again = jumped[some.age[jumped] < _SOON * some.pace[jumped]]
        some.variance[again] = np.minimum(some.variance[again] * _NOISIER, LARGEST)
        _lay(some, jumped, value)
        ahead[:, jumped] = value[jumped]
        residual[:, jumped] = own[jumped] = 0
    level, slope = _gains(bank, some, rule, seconds)
    level *= residual
    np.add(ahead, level, out=some.level)
    slope *= residual
    some.slope += slope
    learn(some.noise, own, before, some.seen, model.noise.memory, model.noise.winsor)
    pace = seconds - some.pace
    pace *= np.float32(1 / bank.pace)
    some.pace += pace
    np.add(some.seen, some.seen < _MOST_SEEN, out=some.seen, casting="unsafe")
    variance = spread(model, some, rule)
    _choose(bank, some, rule, variance)
    return variance


def spread(model: ForecastModel, some: ForecastMemory, rule: Rule) -> Singles:
    """Long-run variance of the noise: float32[m]."""
    discount = some.pace / (rule.window * np.float32(TAU * model.bank.ratio ** (1 - LINES)))
    discount /= 1 + discount
    variance = long_run(some.noise, model.noise.correlation, rule.floor, discount)
    variance += rule.report
    return variance


def covariance(bank: Bank, some: ForecastMemory, rule: Rule, lines: slice) -> Covariance:
    """Of these lines at the usual distance of samples."""
    pace = np.maximum(np.minimum(some.pace, some.age), some.pace * np.float32(_YOUNGEST))
    d = 1 - np.exp(pace / rule.window * _rates(bank.ratio)[lines])
    n = np.maximum(some.age / pace + 1, 2)
    share = 1 / (2 - d)
    share *= share * share
    square = d * d
    least = 2 / (n * (n + 1))
    young = (2 * n - 1) * least, 6 * least / (n - 1), 3 * least
    kept = _kept(some, lines)
    level = _or_young(d * (10 - 14 * d + 5 * square) * share, young[0], kept)
    slope = _or_young(2 * d * square * share, young[1], kept)
    both = _or_young(square * (4 - 3 * d) * share, young[2], kept)
    return Covariance(level, slope / (pace * pace), both / pace)


def _or_young(steady: Singles, young: Singles, kept: Kept) -> Singles:
    """The larger one for lines that are as old as `age`, `steady` for the others; it is changed."""
    rows, old = kept
    whole = steady[:, rows]
    np.maximum(steady, young, out=steady)
    if rows.size:
        steady[:, rows] = np.where(old, whole, steady[:, rows])
    return steady


def _kept(some: ForecastMemory, lines: slice) -> Kept:
    """Rows that have a base, and which of these lines are no longer than it: bool[k, rows]."""
    rows = np.flatnonzero(some.base >= 0)
    return rows, np.arange(LINES)[lines, None] <= some.base[rows]


def _long(bank: Bank, rule: Rule, seconds: Singles) -> Mask:
    """Gaps after which the lines begin anew."""
    longest: Mask = seconds > rule.window * np.float32(bank.forget / bank.ratio)
    return longest


def begin(some: ForecastMemory, value: Singles, anew: Mask, rule: Rule) -> None:
    """Lay level lines through the first value, and where lines begin `anew`."""
    first = np.flatnonzero((some.seen == 0) | anew)
    if not first.size:
        return
    _lay(some, first, value)
    new = first[some.seen[first] == 0]
    some.pace[new] = np.broadcast_to(rule.interval, value.shape)[new]


def _lay(some: ForecastMemory, rows: NDArray[np.intp], value: Singles) -> None:
    some.level[:, rows] = value[rows]
    some.slope[:, rows] = 0
    some.age[rows] = some.clipped[rows] = some.run[rows] = 0
    some.line[rows] = LINES - 1
    some.base[rows] = -1


def _rates(ratio: float) -> Singles:
    """-1 / tau by line, for a longest window of 1: float32[4, 1]."""
    windows = ratio ** -np.arange(LINES - 1, -1, -1.0)
    rates: Singles = (-1 / (TAU * windows))[:, None].astype(np.float32)
    return rates


def _clip(
    bank: Bank, some: ForecastMemory, own: Singles, seconds: Singles
) -> tuple[Singles, NDArray[np.intp]]:
    """How far a residual counts, float32[m]; and rows that jumped, where a second residual in a row
    on one side would be clipped. `own`: those of the shortest line, they stay as they are.

    The first samples count in full, and so does one after a gap.
    """
    limit = np.sqrt(some.variance)
    limit *= np.float32(bank.clip)
    unbound = seconds > some.pace * np.float32(bank.gap)
    unbound |= some.seen < EARLY
    odd = np.flatnonzero((np.abs(own) > limit) | (some.run != 0) | unbound)
    if not odd.size:
        return limit, odd
    beyond = np.abs(own[odd]) > limit[odd]
    side = np.sign(own[odd]).astype(np.int8) * beyond
    free = unbound[odd]
    jumped = (side != 0) & (some.run[odd] == side) & ~free
    some.clipped[odd] += beyond & ~free & (some.clipped[odd] < 127)
    some.run[odd] = np.where(free, 0, side)
    limit[odd[free]] = LARGEST
    return limit, odd[jumped]


def _gains(
    bank: Bank, some: ForecastMemory, rule: Rule, seconds: Singles
) -> tuple[Singles, Singles]:
    """Of level and slope (per second) on this residual: float32[4, m] each."""
    d = 1 - np.exp(seconds / rule.window * _rates(bank.ratio))
    n = some.age / seconds
    n += 1
    least: Singles = np.divide(2, n * (n + 1), dtype=np.float32)
    level = 2 - d
    level *= d
    kept = _kept(some, slice(0, LINES))
    np.minimum(_or_young(level, (2 * n - 1) * least, kept), 1, out=level)
    slope = np.multiply(d, d, out=d)
    least *= 3
    least[some.age == seconds] = 1
    _or_young(slope, least * (some.age > 0), kept)
    slope /= seconds
    return level, slope


def _choose(bank: Bank, some: ForecastMemory, rule: Rule, variance: Singles) -> None:
    """Which line to believe; lines that are contradicted go on from the shorter one."""
    of = covariance(bank, some, rule, slice(0, LINES - 1))
    level = np.diff(some.level, axis=0)
    level *= level
    level /= of.level
    slope = np.diff(some.slope, axis=0)
    slope *= slope
    slope /= of.slope
    odds = np.maximum(level, slope, out=level)
    odds /= variance
    agrees = odds <= bank.agree**2
    contradicted = odds > bank.restart**2
    if contradicted.any():
        row = np.flatnonzero(contradicted.any(axis=0) & (some.seen >= EARLY))
        agrees[:, row] |= _restart(bank, some, rule, contradicted[:, row], row)
    chain = agrees[0].view(np.int8).copy()
    line = chain.copy()
    for longer in agrees[1:]:
        chain *= longer
        line += chain
    some.line[...] = line
    _keep_base(bank, some, rule)


def _keep_base(bank: Bank, some: ForecastMemory, rule: Rule) -> None:
    """Believe no line above the base, until the new ones are as old as its window."""
    kept = np.flatnonzero(some.base >= 0)
    if not kept.size:
        return
    base = some.base[kept]
    window = np.broadcast_to(rule.window, some.age.shape)[kept]
    window = window * np.float32(bank.ratio) ** (base - np.float32(LINES - 1))
    young = some.age[kept] < window
    some.line[kept] = np.where(young, np.minimum(some.line[kept], base), some.line[kept])
    some.base[kept[~young]] = -1


def _restart(
    bank: Bank, some: ForecastMemory, rule: Rule, contradicted: Mask, row: NDArray[np.intp]
) -> Mask:
    """Restart lines of these rows; which then agree with the shorter one: bool[3, k]."""
    first = np.argmax(contradicted, axis=0)
    agrees: Mask = np.arange(LINES - 1)[:, None] >= first
    for k in range(LINES - 1):
        which = row[first == k]
        some.level[k + 1 :, which] = some.level[k, which]
        some.slope[k + 1 :, which] = some.slope[k, which]
        window = np.broadcast_to(rule.window, some.age.shape)[which]
        age = window * np.float32(bank.restart_share * bank.ratio ** (k + 1 - LINES))
        some.age[which] = np.minimum(some.age[which], age)
        some.clipped[which] = 0
        some.base[which] = k
    return agrees
