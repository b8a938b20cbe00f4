"""Data health once more: one tag after the other, one sample after the other, in plain Python.

Slow and obvious on purpose. float32 stands where the kernels keep single precision. A finding is
(edge, kind, tag, onset, effective), times in microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, exp, inf, isfinite, isnan, nan, pi, sqrt
from statistics import median
from typing import Any

import numpy as np

from domain import policy
from domain.alarms import Finding
from domain.health import health_model, unit_scale
from domain.instant import SECOND, micros
from domain.plant import Tag
from domain.redundancy import Redundancy

Told = tuple[str, str, int, int, int]
f: Any = np.float32
MODEL = health_model()
WHITE = sqrt(6) * sqrt(2 / pi)


def told(finding: Finding) -> Told:
    """A finding of the engine in the words of the reference."""
    assert finding.tag is not None
    onset, effective = micros(finding.onset), micros(finding.effective)
    return finding.edge.name, finding.kind.name, finding.tag, onset, effective


def by_subject(findings: Iterable[Told]) -> dict[tuple[str, int], list[Told]]:
    """The findings of each tag and kind, in the order in which they came."""
    out: dict[tuple[str, int], list[Told]] = {}
    for one in findings:
        out.setdefault((one[1], one[2]), []).append(one)
    return out


def kept(value: float) -> float:
    """As single precision keeps it."""
    return float(np.float32(value))


@dataclass
class Habit:
    """FROZEN and NOISE of one tag."""

    tag: Tag
    before: float = nan
    step: float = nan
    away: float = 0.0
    turns: list[float] = field(default_factory=list)
    ended: int = 0
    windows: int = 0
    least: float | None = None
    most: float | None = None
    still: int = 0
    longest: float = 0.0
    run: int = 0
    frozen: int | None = None
    noisy: int | None = None

    def sample(self, at: int, value: float, good: bool) -> list[Told]:
        before, last = self.before, self.step
        self.before = value
        if not good or isnan(last):
            self.step = inf if good else nan
            return []
        self.step = kept(value - before)
        if not abs(self.away) > self.reach():
            self.away = kept(self.away + self.step)
        turn = kept(abs(self.step - last))
        if isfinite(turn):
            self.turns.append(
                turn if self.most is None else min(turn, MODEL.habit.clip * self.most)
            )
        if len(self.turns) < MODEL.habit.samples:
            return []
        total = 0.0
        for turn in self.turns:
            total = kept(total + turn)
        scale = total / MODEL.habit.samples
        stands = abs(self.away) <= self.reach()
        self.turns, self.away = [], 0.0
        return self.window(at, value, scale, stands)

    def reach(self) -> float:
        return 0.0 if self.least is None else MODEL.frozen.reach * self.least / WHITE

    def window(self, at: int, value: float, scale: float, stands: bool) -> list[Told]:
        second = ceil(at / SECOND)
        usual = MODEL.habit.samples * self.tag.interval_s
        lasted = min(second - self.ended, ceil(MODEL.habit.gap * usual)) if self.ended else 0
        self.ended = second
        knows = self.windows >= ceil(MODEL.habit.learn / usual)
        low = self.tag.range[0] if self.tag.range else 0.0
        rests = min(abs(value), abs(value - low)) <= self.reach()
        out = self.stand(at, second, stands and not rests, lasted, knows)
        return out + self.shake(at, second, scale, lasted, knows, stands)

    def stand(self, at: int, second: int, still: bool, lasted: int, knows: bool) -> list[Told]:
        by_exception = self.tag.max_silence_s is not None or self.tag.report_deadband is not None
        never = by_exception or self.tag.frozen_check is False
        if still:
            self.still += lasted
            floor = MODEL.frozen.resolution * (self.tag.resolution or 0)
            enough = max(MODEL.frozen.seconds, MODEL.frozen.habit * self.longest)
            sure = self.least is not None and self.least / WHITE >= floor
            if self.frozen is None and knows and sure and not never and self.still >= enough:
                self.frozen = (second - self.still) * SECOND
                return [("RAISED", "FROZEN", self.tag.id, self.frozen, at)]
            return []
        faded = self.longest * (1 - lasted / MODEL.habit.memory)
        self.longest = kept(max(min(self.still, MODEL.frozen.longest), faded))
        self.still = 0
        if self.frozen is None:
            return []
        onset, self.frozen = self.frozen, None
        return [("RETURNED", "FROZEN", self.tag.id, onset, at)]

    def shake(
        self, at: int, second: int, scale: float, lasted: int, knows: bool, stands: bool
    ) -> list[Told]:
        rule, watched = MODEL.noise, self.tag.noise_check is not False
        over = watched and knows and self.most is not None and scale > rule.raise_ * self.most
        calm = self.most is not None and scale <= rule.back * self.most
        self.run = max(self.run, 0) + 1 if over else min(self.run, 0) - 1 if calm else 0
        out: list[Told] = []
        if self.noisy is None and self.run >= rule.windows:
            self.noisy = (second - rule.windows * max(lasted, 1)) * SECOND
            out = [("RAISED", "NOISE", self.tag.id, self.noisy, at)]
        elif self.noisy is not None and self.run <= -rule.windows:
            out = [("RETURNED", "NOISE", self.tag.id, self.noisy, at)]
            self.noisy = None
        fade = lasted / MODEL.habit.memory
        if self.noisy is not None:
            assert self.most is not None
            self.most = kept(self.most * (1 + fade))
        elif not over and not stands and 0 < scale < inf:
            self.learn(scale, fade)
        return out

    def learn(self, scale: float, fade: float) -> None:
        self.windows += 1
        if self.least is None or self.most is None:
            self.least = self.most = kept(scale)
            return
        least, most = self.least * (1 + fade), self.most * (1 - fade)
        self.least = kept((least + scale) / 2 if scale < least else least)
        self.most = kept((most + scale) / 2 if scale > most else most)


@dataclass
class Cap:
    """CLIPPED of one tag."""

    tag: Tag
    cap: float | None = None
    high: bool = True
    nearest: float = inf
    touches: int = 0
    dipped: bool = False
    touched: int = 0
    onset: int | None = None

    def sample(self, at: int, value: float, good: bool) -> list[Told]:
        limits = self.tag.limits
        if not good or self.tag.range is None or not limits:
            return []
        rule = MODEL.clipped
        margin = f(rule.margin * (self.tag.range[1] - self.tag.range[0]))
        high = min((v for k, v in limits.items() if k >= 2), default=inf)
        low = max((v for k, v in limits.items() if k < 2), default=-inf)
        if self.cap is None:
            if min(high - value, value - low) > margin:
                return []
            self.high = high - value <= value - low
        gap = f(high - value) if self.high else f(value - low)
        out: list[Told] = []
        second = at // SECOND
        higher = self.cap is not None and gap < self.cap
        old = second - self.touched > (rule.window if self.onset is None else rule.forget)
        if self.cap is None or higher or old:
            if self.onset is not None and self.cap is not None:
                out = [("RETURNED", "CLIPPED", self.tag.id, self.onset, at)]
                self.onset = None
            fits = 0 < gap <= margin
            self.nearest = self.cap - gap if higher and fits and self.cap is not None else inf
            self.cap = gap if fits else None
            self.touches, self.dipped, self.touched = 0, True, second
        if self.cap is None:
            return out
        below = f(gap - self.cap)
        if below > 0:
            self.nearest = min(self.nearest, below)
        if below >= f(rule.dip) * margin:
            self.dipped = True
        if below == 0 and self.dipped:
            out += self.touch(at, second, margin)
        return out

    def touch(self, at: int, second: int, margin: float) -> list[Told]:
        rule = MODEL.clipped
        self.dipped = False
        self.touches += 1
        if self.onset is not None:
            self.touched = second
            return []
        long_enough = second - self.touched >= rule.seconds
        if self.touches >= rule.touches and long_enough and self.nearest <= f(rule.near) * margin:
            self.onset, self.touched = self.touched * SECOND, second
            return [("RAISED", "CLIPPED", self.tag.id, self.onset, at)]
        return []


@dataclass
class Detector:
    """DETECTOR_FAULT of one detector."""

    tag: Tag
    last: int | None = None
    alarmed: int | None = None
    lowest: tuple[int, float] | None = None
    good_since: int | None = None
    onset: int | None = None

    def sample(self, at: int, value: float, quality: int) -> list[Told]:
        rule = MODEL.detector
        out = self.silent(at)
        low, high = self.tag.range or (-inf, inf)
        signal = self.tag.range is not None and value < low - rule.signal * (high - low)
        good = quality >= 192 and not isnan(value) and not signal
        counts = value
        if quality in (85, 86) and not isnan(value):
            counts = inf if quality == 86 else -inf
        highs = [v for k, v in self.tag.limits.items() if k >= 2]
        lows = [v for k, v in self.tag.limits.items() if k < 2]
        beyond = any(counts >= v for v in highs) or any(counts <= v for v in lows)
        steep = good and self.is_steep(at, value, min(highs, default=nan))
        if beyond or steep:
            self.alarmed = at
        recent = self.alarmed is not None and at - self.alarmed <= rule.within
        if signal or (not good and not beyond):
            self.good_since = None
            if (recent or signal) and self.onset is None:
                self.onset = at
                out.append(("RAISED", "DETECTOR_FAULT", self.tag.id, at, at))
        elif good and self.onset is not None:
            gap = self.last is not None and at - self.last > self.silence()
            if self.good_since is None or gap:
                self.good_since = at
            if at - self.good_since >= rule.back:
                out.append(("RETURNED", "DETECTOR_FAULT", self.tag.id, self.onset, at))
                self.onset = self.good_since = None
        self.last = at
        return out

    def is_steep(self, at: int, value: float, limit: float) -> bool:
        rule = MODEL.detector
        if self.lowest is None or at - self.lowest[0] > rule.within or value <= self.lowest[1]:
            self.lowest = at, value
            return False
        return value - self.lowest[1] >= rule.rise * limit

    def silence(self) -> int:
        return round(policy.silence_after(self.tag) * SECOND)

    def silent(self, now: int) -> list[Told]:
        """What is known at event time `now`, before any sample of that time."""
        if self.last is None or self.alarmed is None or self.onset is not None:
            return []
        until = self.last + self.silence()
        if now <= until or self.last - self.alarmed > MODEL.detector.within:
            return []
        self.onset, self.good_since = until, None
        return [("RAISED", "DETECTOR_FAULT", self.tag.id, until, until)]


@dataclass
class Gauge:
    """One member of a group, in the unit of the group."""

    tag: Tag
    value: float = nan
    at: int | None = None
    compared: int | None = None
    mean: float = nan
    habit: float = nan
    usual: float = 0.0
    learnt: float = 0.0
    onset: int | None = None

    def stands(self, now: int) -> bool:
        age = round(policy.silence_after(self.tag) * SECOND)
        return self.at is not None and abs(now - self.at) <= age


class Group:
    """DRIFT of one group."""

    def __init__(self, group: Redundancy) -> None:
        self.span = group.span
        self.gauges = {tag.id: Gauge(tag) for tag in group.members}

    def sample(self, tag: int, at: int, value: float) -> list[Told]:
        one = self.gauges[tag]
        scale = unit_scale(one.tag.unit)
        one.value, one.at = value * scale.factor + scale.offset, at
        standing = [gauge for gauge in self.gauges.values() if gauge.stands(at)]
        if len(standing) < min(len(self.gauges), 3):
            return []
        others = [gauge for gauge in standing if gauge is not one]
        pair = len(self.gauges) == 2
        usual = [g.value - (0 if isnan(g.habit) else g.habit) for g in standing]
        away = one.value - (others[0].value if pair else median(usual))
        if not isfinite(away):
            return []
        self.follow(one, at, away)
        return self.decide(one, at, speaks=not pair or tag == min(self.gauges))

    def follow(self, one: Gauge, at: int, away: float) -> None:
        rule = MODEL.drift
        age = policy.silence_after(one.tag)
        if one.compared is None:
            one.mean = one.habit = away
            lasted = 0.0
        else:
            lasted = min(max(at - one.compared, 0) / SECOND, age)
        one.compared = at
        most = rule.clip * self.span
        bounded = min(max(away, one.habit - most), one.habit + most)
        one.mean += (1 - exp(-lasted / rule.smooth)) * (bounded - one.mean)
        one.learnt += lasted
        if one.onset is None:
            share = min(lasted / min(max(one.learnt, 1), rule.memory), 1)
            one.usual += share * (1.2533 * abs(one.mean - one.habit) - one.usual)
            one.habit += share * (one.mean - one.habit)

    def decide(self, one: Gauge, at: int, *, speaks: bool) -> list[Told]:
        rule = MODEL.drift
        away, limit = abs(one.mean - one.habit), max(rule.span * self.span, rule.habit * one.usual)
        if one.learnt < rule.learn:
            return []
        if one.onset is None and speaks and away > limit:
            one.onset = at
            return [("RAISED", "DRIFT", one.tag.id, at, at)]
        if one.onset is not None and away < rule.back * limit:
            onset, one.onset = one.onset, None
            return [("RETURNED", "DRIFT", one.tag.id, onset, at)]
        return []
