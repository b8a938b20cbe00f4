"""Intermittent gas once more, slowly and plainly: one detector, one sample after the other."""

from math import erf, exp, inf, isnan, pi, sqrt

import numpy as np

from domain.gas_background import floor, gas_model
from domain.plant import Tag
from domain.quality import Quality

f32 = np.float32


class SlowGas:
    """One detector. `sample` tells the edge that a sample brings: (edge, onset, at) or None."""

    def __init__(self, tag: Tag) -> None:
        self.tag, self.m, self.floor = tag, gas_model(), floor(tag)
        self.b, self.s, self.level, self.known = 0.0, f32(0), f32(0), f32(0)
        self.last: int | None = None
        self.since: int | None = None
        self.onset: int | None = None

    def sample(self, at: int, value: float, quality: int) -> tuple[str, int, int] | None:
        if self.last is not None and at <= self.last:
            return None
        passed = self.tag.interval_s if self.last is None else (at - self.last) / 1e6
        self.last = at
        number = not isnan(value)
        good = quality >= 192 and number
        over = number and (quality == Quality.OVER_RANGE or (good and value >= 1e30))
        over |= value == inf and quality != Quality.UNDER_RANGE
        sound = good and not over and value > -1e30
        dt = min(passed, self.m.longest_gap)
        known = max(float(self.known) - (passed - (dt if sound else 0.0)), 0.0)
        early = known < self.m.start_up
        unit = max(float(self.s), self.floor * (self.m.start_up_floors if early else 1.0))
        if over or sound:
            z = self.m.z_clip if over else self.z(value, unit, known)
            rise = min(
                (1 - (1 - self.m.minute) ** (dt / 60)) * (z - float(self.level)), self.m.lift
            )
            self.level = f32(float(self.level) + float(rise))
        if sound:
            self.learn(value, dt, known, unit, early)
        else:
            self.known = f32(known)
        return self.edge(at)

    def z(self, value: float, unit: float, known: float) -> float:
        away = value - self.b
        if known == 0 or away <= 0 or (known < self.m.start_up and self.floor == 0):
            return 0.0
        return min(away / unit, self.m.z_clip) if unit > 0 else self.m.z_clip

    def learn(self, value: float, dt: float, known: float, unit: float, early: bool) -> None:
        r = value - self.b
        k = self.m.fall if early else self.m.clip
        clip = k * unit if unit > 0 else inf
        if known == 0 or (early and r < -clip):
            self.b, self.s, self.known = value, f32(0), f32(dt)
            return
        mean = sqrt(2 / pi)
        if not early and unit > 0:
            mean = mean * (1 - exp(-k * k / 2)) + k * (1 - erf(k / sqrt(2)))
        size, r = min(abs(r), clip), max(min(r, clip), -clip)
        w = dt / (min(known, self.m.memory) + dt)
        self.b += w * r
        self.s = f32(float(self.s) * (1 - w) + w * size / mean)
        self.known = f32(min(known + dt, self.m.memory))

    def edge(self, at: int) -> tuple[str, int, int] | None:
        if self.level < self.m.returned:
            onset, self.onset, self.since = self.onset, None, None
            return None if onset is None else ("RETURNED", onset, at)
        if self.since is None:
            self.since = min(max(at // 1_000_000, 1) * 1_000_000, at)
        if self.onset is None and self.level >= self.m.raised:
            self.onset = self.since
            return "RAISED", self.since, at
        return None
