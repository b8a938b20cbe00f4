"""CHANGE and the lines of PREDICT once more: one tag, one sample after the other, in plain Python.

Slow and obvious on purpose. Both take (seconds since the sample before, value); only good samples.
"""

from dataclasses import dataclass, field
from math import erf, exp, inf, log1p, pi, sqrt

from domain.change_model import ChangeModel
from domain.forecast_model import ForecastModel


@dataclass
class SlowChange:
    """One tag. held: nominal samples that a report stands, 0 = not by exception. found: (edge,
    number of the sample). margin: how near a decision was to the other one."""

    model: ChangeModel
    interval: float
    floor: float
    held: float = 0.0
    base: float = 0.0
    noise: float = 0.0
    tail: float = 1.0
    count: int = 0
    run: int = 0
    active: bool = False
    previous: float | None = None
    margin: float = inf
    found: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.white = [sqrt(w / (2 - w)) for w in self.model.bank.weights]
        self.shift = [0.0] * 5
        self.spread = self.white[1:]
        habit = self.model.habit
        self.memory = min(max(habit.memory / self.interval, habit.samples), habit.most)
        self.samples = 0

    def threshold(self) -> float:
        young = 1 + (self.model.warn.young - 1) * max(1 - self.count / self.memory, 0)
        return self.model.threshold(86400 / self.interval) * max(self.tail, 1) * young

    def sample(self, seconds: float | None, value: float | None) -> None:
        """value: None = not good."""
        self.samples += 1
        previous, self.previous = self.previous, value
        if value is None:
            self.run = 0
            return
        elapsed = 1.0 if seconds is None else seconds / self.interval
        if abs(elapsed - 1) < 0.1:
            elapsed = 1.0
        back, reached = self.threshold() * self.model.warn.back, 0.0
        scores = [0.0]
        if self.held:
            stood, elapsed = min(elapsed, self.held) - 1, 1.0
            if stood > 0.1 and previous is not None and self.count > 0:
                threshold = self.threshold()
                scores.append(self.learn(stood, previous, threshold, held=True))
                reached = scores[-1] / threshold
        self.begin(value, previous)
        threshold = self.threshold()
        scores.append(self.learn(min(elapsed, self.model.bank.gap), value, threshold))
        reached = max(reached, scores[-1] / threshold)
        self.decide(max(scores), back, reached)

    def decide(self, score: float, back: float, reached: float) -> None:
        if not self.active and self.count > self.model.warn.samples:
            self.margin = min(self.margin, abs(reached - 1))
            if reached >= 1:
                self.active = True
                self.found.append(("RAISED", self.samples - 1))
        elif self.active:
            self.margin = min(self.margin, abs(score / back - 1))
            if score <= back:
                self.active = False
                self.found.append(("RETURNED", self.samples - 1))

    def begin(self, value: float, previous: float | None) -> None:
        if self.count == 0:
            self.base = value
        elif previous is not None and self.floor == 0 and self.count < self.model.warn.samples:
            step = abs(value - previous)
            if step > 0 and (self.noise == 0 or (self.count < 8 and step < self.noise)):
                self.noise = step

    def learn(self, elapsed: float, value: float, threshold: float, held: bool = False) -> float:
        model, habit = self.model, self.model.habit
        noise = max(self.noise, self.floor, 1e-30)
        clipped = self.clip((value - self.base) / noise, value, held)
        for k, weight in enumerate(model.bank.weights):
            share = 1 - exp(log1p(-weight) * elapsed)
            self.shift[k] += share * (clipped - self.shift[k])
        sizes = [abs(shift) for shift in self.shift]
        believed = [self.white[0]]
        for k in range(1, 5):
            law = self.white[k] / self.white[k - 1]
            believed.append(max(self.spread[k - 1], believed[-1] * law))
        score = max(size / b for size, b in zip(sizes, believed, strict=True))
        if score > model.bank.windup * threshold:
            for k in range(1, 5):
                far = min(believed[k] * model.bank.windup * threshold, 32767 / 4096)
                self.shift[k] = max(min(self.shift[k], far), -far)
        speed = elapsed * (habit.active if self.active else 1)
        share = min(speed / min(self.memory, self.count + model.warn.samples), 1)
        for k in range(1, 5):
            target = min(sizes[k], habit.winsor * self.spread[k - 1]) * sqrt(pi / 2)
            spread = self.spread[k - 1] + share * (target - self.spread[k - 1])
            self.spread[k - 1] = max(spread, self.white[k] / 2)
        if noise > 1e-30 or self.count >= model.warn.samples:
            growth = min(sizes[0], habit.winsor * self.white[0]) * sqrt(pi / 2) / self.white[0] - 1
            self.noise = noise * (1 + min(speed / min(self.memory, self.count + 20), 1) * growth)
        if self.count >= model.warn.samples:
            beyond = 1.0 if score > self.tail * habit.tail_normal else 0.0
            self.tail += speed * habit.tail_gain * (beyond - habit.tail_share)
            self.tail = min(max(self.tail, 1 / habit.tail_most), habit.tail_most)
        if not self.active:
            self.base += min(elapsed / min(self.memory, self.count + 1), 1) * clipped * noise
        self.count = min(self.count + 1, int(habit.most))
        self.shift = [round(shift * 4096) / 4096 for shift in self.shift]
        return score

    def clip(self, deviation: float, value: float, held: bool) -> float:
        clips = self.model.bank.clips
        if held:
            return max(min(deviation, clips[-1]), -clips[-1])
        if abs(deviation) <= clips[0]:
            self.run = 0
            return deviation
        side = 1 if deviation > 0 else -1
        self.run = self.run + side if self.run * side > 0 else side
        if abs(self.run) >= 5 and self.count < self.model.warn.samples:
            self.base, self.run = value, 0
            return 0.0
        most = clips[min(abs(self.run), len(clips)) - 1]
        return max(min(deviation, most), -most)


@dataclass
class SlowLines:
    """The four lines of one tag."""

    model: ForecastModel
    window: float
    pace: float
    floor: float
    level: list[float] = field(default_factory=lambda: [0.0] * 4)
    slope: list[float] = field(default_factory=lambda: [0.0] * 4)
    age: float = 0.0
    variance: float = 0.0
    covariance: float = 0.0
    seen: int = 0
    line: int = 3
    run: int = 0
    base: int = -1
    previous: float | None = None
    margin: float = inf

    def sample(self, seconds: float, value: float) -> None:
        bank = self.model.bank
        if self.seen == 0 or seconds > bank.forget * self.window / bank.ratio:
            self.lay(value)
        self.age += seconds
        ahead = [self.level[k] + self.slope[k] * seconds for k in range(4)]
        own = value - ahead[0]
        before = None if self.previous is None else self.previous - self.level[0]
        limit = bank.clip * sqrt(self.variance)
        free = self.seen < 8 or seconds > bank.gap * self.pace
        side = 0 if abs(own) <= limit else 1 if own > 0 else -1
        self.near(abs(own), limit)
        jumped = side != 0 and self.run == side and not free
        self.run = 0 if free else side
        if jumped:
            if self.age < 16 * self.pace:
                self.variance *= 4
            self.lay(value)
            ahead, own = list(self.level), 0.0
        n = self.age / seconds + 1
        for k in range(4):
            d = 1 - exp(-seconds / self.tau(k))
            residual = value - ahead[k]
            if not free:
                residual = max(min(residual, limit), -limit)
            level = min(max(d * (2 - d), 2 * (2 * n - 1) / (n * (n + 1))), 1)
            young = 0.0 if self.age == 0 else 1.0 if self.age == seconds else 6 / (n * (n + 1))
            if k <= self.base:
                level, young = d * (2 - d), 0.0
            self.level[k] = ahead[k] + level * residual
            self.slope[k] += max(d * d, young) / seconds * residual
        self.learn(own, before)
        self.pace += (seconds - self.pace) / bank.pace
        self.seen = min(self.seen + 1, 255)
        self.previous = value
        self.choose()

    def tau(self, k: int) -> float:
        return self.window * self.model.bank.ratio ** (k - 3) / sqrt(12)

    def near(self, one: float, other: float) -> None:
        if other > 0 and self.seen >= 8:
            self.margin = min(self.margin, abs(one / other - 1))

    def lay(self, value: float) -> None:
        self.level, self.slope = [value] * 4, [0.0] * 4
        self.age, self.run, self.line, self.base = 0.0, 0, 3, -1

    def learn(self, own: float, before: float | None) -> None:
        share = max(1 / self.model.noise.memory, 1 / (self.seen + 5))
        c = self.model.noise.winsor
        inside = erf(c / sqrt(2))
        whole = 1 / (inside - 2 * c * exp(-c * c / 2) / sqrt(2 * pi) + c * c * (1 - inside))
        limit = c * sqrt(self.variance)
        if self.seen >= 8:
            own = max(min(own, limit), -limit)
        if before is not None:
            before = max(min(before, limit), -limit)
            self.covariance += share * (whole * own * before - self.covariance)
        if self.seen < 8:
            if own and (self.variance == 0 or own * own < self.variance):
                self.variance = own * own
        else:
            self.variance += share * (whole * own * own - self.variance)

    def long_run(self) -> float:
        u = self.pace / self.tau(0)
        d = u / (1 + u)
        r = self.covariance / self.variance / (1 - d) ** 2
        phi = max((r + 0.74 * d) / (1 - 0.86 * d), 0)
        phi = min(phi, 1 - d / 2, self.model.noise.correlation)
        odds = phi / (1 - phi)
        return max(self.variance * (1 + phi) / (1 - phi) * (1 + d * (odds - 1)), self.floor)

    def choose(self) -> None:
        bank, noise = self.model.bank, self.long_run() if self.variance else self.floor
        pace = max(min(self.pace, self.age), self.pace / 8)
        n = max(self.age / pace + 1, 2)
        odds = []
        for k in range(3):
            d = 1 - exp(-pace / self.tau(k))
            level = d * (10 - 14 * d + 5 * d * d) / (2 - d) ** 3
            slope = 2 * d**3 / (2 - d) ** 3
            if k > self.base:
                level = max(level, 2 * (2 * n - 1) / (n * (n + 1)))
                slope = max(slope, 12 / (n * (n * n - 1)))
            slope /= pace**2
            apart = (self.level[k + 1] - self.level[k]) ** 2 / level
            odds.append(max(apart, (self.slope[k + 1] - self.slope[k]) ** 2 / slope) / noise)
        agrees = [odd <= bank.agree**2 for odd in odds]
        for odd in odds:
            self.near(odd, bank.agree**2)
            self.near(odd, bank.restart**2)
        first = next((k for k in range(3) if odds[k] > bank.restart**2), None)
        if first is not None and self.seen >= 8:
            for k in range(first + 1, 4):
                self.level[k], self.slope[k] = self.level[first], self.slope[first]
                agrees[k - 1] = True
            window = self.window * bank.ratio ** (first - 3)
            self.age, self.base = min(self.age, bank.restart_share * window), first
        self.line = next((k for k in range(3) if not agrees[k]), 3)
        if self.base >= 0 and self.age < self.window * bank.ratio ** (self.base - 3):
            self.line = min(self.line, self.base)
        else:
            self.base = -1
