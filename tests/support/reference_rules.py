"""The rules once more: one tag after the other, one sample after the other, in plain Python.

Slow and obvious on purpose, and written without a look at the kernels; what both agree on is
believed. Times are integer microseconds. A finding is a tuple (edge, kind, tag, node, onset,
effective, value, limit) of names, numbers and None for "none".
"""

from dataclasses import dataclass, field
from math import inf, isfinite, isnan, nan

from domain import policy
from domain.alarms import Finding, Kind
from domain.frame import Flag, Frame
from domain.instant import micros
from domain.plant import Registry, Tag
from domain.policy import LIMITS

Told = tuple[str, str, int | None, int | None, int, int, float | None, float | None]
OVER, UNDER, GOOD = 86, 85, 192


def told(finding: Finding) -> Told:
    """A finding of the engine in the words of the reference."""
    return (
        finding.edge.name,
        finding.kind.name,
        finding.tag,
        finding.node,
        micros(finding.onset),
        micros(finding.effective),
        None if isnan(finding.value) else finding.value,
        None if isnan(finding.limit) else finding.limit,
    )


def us(seconds: float) -> int:
    return round(seconds * 1_000_000)


@dataclass
class LimitWatch:
    """One limit of one tag."""

    tag: Tag
    kind: Kind
    state: str = "normal"
    onset: int = 0
    beyond: int = 0
    last_beyond: float = 0.0
    worst: float = 0.0
    due: int | None = None
    clear_value: float = 0.0

    @property
    def limit(self) -> float:
        return self.tag.limits[self.kind]

    @property
    def high(self) -> bool:
        return self.kind in (Kind.H, Kind.HH)

    def is_beyond(self, value: float, quality: int) -> bool:
        if quality in (OVER, UNDER):
            value = inf if quality == OVER else -inf
        return value >= self.limit if self.high else value <= self.limit

    def has_returned(self, value: float) -> bool:
        band = policy.deadband(self.tag, self.kind)
        return value < self.limit - band if self.high else value > self.limit + band

    def is_worse(self, value: float) -> bool:
        span = self.tag.range[1] - self.tag.range[0] if self.tag.range else abs(self.limit)
        step = 0.01 * span
        return value > self.worst + step if self.high else -value > -self.worst + step

    def expire(self, until: int) -> list[Told]:
        if self.due is None or self.due > until:
            return []
        due, self.due = self.due, None
        if self.state == "pending":
            self.state, self.worst = "active", self.last_beyond
            return [self.tell("RAISED", due, self.last_beyond)]
        self.state = "normal"
        return [self.tell("RETURNED", due, self.clear_value)]

    def tell(self, edge: str, effective: int, value: float) -> Told:
        return (
            edge, self.kind.name, self.tag.id, None, self.onset, effective, value, self.limit,
        )  # fmt: skip

    def sample(self, at: int, value: float, quality: int) -> list[Told]:
        if self.due is not None and self.due < at:
            self.due = at
        good = quality >= GOOD and not isnan(value)
        out = []
        if self.state in ("active", "clearing"):
            if good and self.has_returned(value):
                if self.state == "active":
                    self.state = "clearing"
                    self.due = at + us(policy.delay_off(self.tag, self.kind))
                self.clear_value = value
            elif self.state == "clearing":
                self.state, self.due = "active", None
            if not isnan(value) and self.is_worse(value):
                self.worst = value
                out.append(self.tell("WORSE", at, value))
        elif not isnan(value) and self.is_beyond(value, quality):
            self.start_or_count(at, value)
        elif good:
            self.state, self.due = "normal", None
        return out + self.expire(at)

    def start_or_count(self, at: int, value: float) -> None:
        on = us(policy.delay_on(self.tag, self.kind))
        needed = policy.rule(self.tag.kind, self.kind).samples
        if self.state == "normal":
            self.state, self.onset, self.beyond = "pending", at, 0
            hold = us(policy.number("hold", "intervals") * self.tag.interval_s)
            self.due = at + max(on, hold)
        self.beyond += 1
        self.last_beyond = value
        if self.beyond == needed:
            self.due = max(self.onset + on, at)


@dataclass
class RateWatch:
    """The rate of change of one tag."""

    tag: Tag
    length: int
    open: int | None = None
    samples: list[tuple[int, float]] = field(default_factory=list)
    judged: int | None = None
    level: float | None = None
    centre: float = 0.0
    verdicts: list[str] = field(default_factory=list)
    onset: int | None = None
    limit: float = 0.0

    @property
    def rate(self) -> float:
        assert self.tag.rate_per_min is not None
        return self.tag.rate_per_min

    def sample(self, at: int, value: float, quality: int) -> list[Told]:
        if quality < GOOD or not isfinite(value):
            return []
        window = at // self.length
        out = self.close() if self.open is not None and window > self.open else []
        if self.open is None and self.judged != window - 1:
            self.level = None
        self.open = window
        self.samples.append((at, value))
        return out

    def expire(self, now: int) -> list[Told]:
        if self.open is not None and (self.open + 1) * self.length <= now:
            return self.close()
        return []

    def close(self) -> list[Told]:
        assert self.open is not None
        window, n = self.open, len(self.samples)
        votes, clipped, plain = 0, 0.0, 0.0
        for at, value in self.samples:
            counted = value
            if self.level is not None:
                reach = 2.0 * self.length - self.centre - ((window + 1) * self.length - at)
                near = self.rate * reach / 60e6
                if value - self.level >= 0.9 * near:
                    votes += 1
                elif self.level - value >= 0.9 * near:
                    votes -= 1
                counted = min(max(value, self.level - 2 * near), self.level + 2 * near)
            clipped += counted
            plain += value
        level, plain = clipped / n, plain / n
        end = (window + 1) * self.length
        centre = (n * self.length - sum(end - at for at, _ in self.samples)) / n
        verdict, slope = "none", nan
        if self.level is not None:
            up, down = votes > n / 2, -votes > n / 2
            if (up and plain > self.level) or (down and plain < self.level):
                level = plain
            distance = self.length + centre - self.centre
            slope = (level - self.level) / distance * 60e6
            if (up and slope >= self.rate) or (down and slope <= -self.rate):
                verdict = "up" if up else "down"
            elif abs(slope) < 0.9 * self.rate:
                verdict = "calm"
        self.judged, self.open, self.samples = window, None, []
        self.level, self.centre = level if isfinite(level) else None, centre
        self.verdicts.append(verdict)
        return self.decide((window + 1) * self.length, slope)

    def decide(self, end: int, slope: float) -> list[Told]:
        last = self.verdicts[-2:]
        if self.onset is None:
            if last in (["up", "up"], ["down", "down"]):
                self.onset = end - 2 * self.length
                self.limit = self.rate if slope > 0 else -self.rate
                return [self.tell("RAISED", end, slope)]
        elif last == ["calm", "calm"]:
            out = [self.tell("RETURNED", end, slope)]
            self.onset = None
            return out
        return []

    def tell(self, edge: str, effective: int, slope: float) -> Told:
        assert self.onset is not None
        return (edge, "ROC", self.tag.id, None, self.onset, effective, slope, self.limit)


class TagWatch:
    """One tag with its limits, its rate, and what was heard of it."""

    def __init__(self, tag: Tag, at: int) -> None:
        self.tag = tag
        self.silence = us(policy.silence_after(tag))
        self.limits = [LimitWatch(tag, kind) for kind in LIMITS if kind in tag.limits]
        self.rates = []
        if tag.rate_per_min is not None:
            window = tag.rate_window_s or max(15.0, 3 * tag.interval_s)
            self.rates = [RateWatch(tag, us(window))]
        self.last: tuple[int, int] | None = None
        self.good_at = micros(tag.since)
        self.heard = at
        self.offline: int | None = None

    def sample(self, at: int, value: float, quality: int, received: int) -> list[Told]:
        out: list[Told] = []
        for limit in self.limits:
            if self.last is not None:
                out += limit.expire(min(at, self.last[0] + self.silence))
        for limit in self.limits:
            out += limit.sample(at, value, quality)
        for rate in self.rates:
            out += rate.sample(at, value, quality)
        self.last = at, received
        return out

    def tick(self, at: int) -> list[Told]:
        if self.last is None:
            return []
        now = self.last[0] + at - self.last[1]
        out: list[Told] = []
        for limit in self.limits:
            out += limit.expire(min(now, self.last[0] + self.silence))
        for rate in self.rates:
            out += rate.expire(now)
        return out

    def silent_from(self) -> int:
        return self.heard + self.silence + 1

    def sign_of_life(self, at: int, value: float, received: int) -> list[Told]:
        out: list[Told] = []
        if self.offline is not None:
            back = max(at, self.offline + self.silence)
            out = [("RETURNED", "OFFLINE", self.tag.id, None, self.offline, back, value, None)]
        self.offline, self.good_at, self.heard = None, at, received
        return out


class SourceWatch:
    """All tags of one hazard source."""

    def __init__(self, node: int, tags: list[TagWatch]) -> None:
        self.node = node
        self.tags = tags
        self.alive: int | None = None
        self.lost: tuple[int, int] | None = None
        self.delay = us(policy.number("offline", "source_delay"))

    def tick(self, at: int) -> list[Told]:
        out: list[Told] = []
        all_silent_from = max(watch.silent_from() for watch in self.tags)
        for watch in self.tags:
            if watch.offline is None and self.may_raise(watch, at, all_silent_from):
                watch.offline = onset = watch.good_at
                out.append(
                    (
                        "RAISED",
                        "OFFLINE",
                        watch.tag.id,
                        None,
                        onset,
                        onset + watch.silence,
                        None,
                        None,
                    )
                )
        if self.lost is None and at >= all_silent_from + self.delay:
            onset = max(watch.good_at for watch in self.tags)
            effective = max(watch.good_at + watch.silence for watch in self.tags) + self.delay
            self.lost = onset, effective
            out.append(("RAISED", "SOURCE_OFFLINE", None, self.node, onset, effective, None, None))
        return out

    def may_raise(self, watch: TagWatch, at: int, all_silent_from: int) -> bool:
        silent_from = watch.silent_from()
        if at < silent_from:
            return False
        spoke = self.alive is not None and self.alive >= silent_from - watch.silence // 2
        if spoke and all_silent_from > silent_from:
            return True
        waited = silent_from + self.delay
        return at >= waited and all_silent_from > waited

    def sign_of_life(self, first_at: int, received: int) -> list[Told]:
        self.alive = received
        if self.lost is None:
            return []
        (onset, effective), self.lost = self.lost, None
        for watch in self.tags:
            if watch.offline is None:
                watch.heard = max(watch.heard, received)
        back = max(first_at, effective)
        return [("RETURNED", "SOURCE_OFFLINE", None, self.node, onset, back, None, None)]


class Reference:
    """The whole plant. `step` has the contract of `rules.engine.step`, but for the order."""

    def __init__(self, registry: Registry, at: int) -> None:
        self.tags = {id: TagWatch(tag, at) for id, tag in registry.tags.items()}
        nodes = sorted({tag.source for tag in registry.tags.values()})
        self.sources = [
            SourceWatch(node, [w for w in self.tags.values() if w.tag.source == node])
            for node in nodes
        ]

    def step(self, frame: Frame | None, at: int) -> list[Told]:
        out: list[Told] = []
        if frame is not None and len(frame):
            out += [told for source in self.sources for told in source.tick(frame.received)]
            out += self.judge(frame)
        for watch in self.tags.values():
            out += watch.tick(at)
        return out + [told for source in self.sources for told in source.tick(at)]

    def judge(self, frame: Frame) -> list[Told]:
        out: list[Told] = []
        lives: dict[int, list[int]] = {}
        rows = zip(frame.tag, frame.at, frame.value, frame.quality, frame.flags, strict=True)
        for tag, at, value, quality, flags in sorted(
            ((int(t), int(a), float(v), int(q), int(f)) for t, a, v, q, f in rows),
            key=lambda row: row[1],
        ):
            watch = self.tags.get(tag)
            if watch is None or (watch.last is not None and at <= watch.last[0]):
                continue
            out += watch.sample(at, value, quality, frame.received)
            if quality >= GOOD and not isnan(value) and not flags & Flag.HISTORICAL:
                out += watch.sign_of_life(at, value, frame.received)
                lives.setdefault(watch.tag.source, []).append(at)
        for source in self.sources:
            if source.node in lives:
                out += source.sign_of_life(min(lives[source.node]), frame.received)
        return out
