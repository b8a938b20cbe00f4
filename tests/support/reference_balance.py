"""The flow balance of one vessel, slowly: one sample after the other, in plain Python."""

from dataclasses import dataclass, field
from statistics import median

from domain.instant import SECOND

WINDOW = 300 * SECOND
RING = 7


@dataclass
class Meter:
    """sign: +1 in, -1 out. gap, ramp: microseconds. flow: m³/s, None = never read."""

    sign: int
    gap: int
    ramp: int
    flow: float | None = None
    at: int = 0


@dataclass
class SlowBalance:
    """meters: by tag; the level is tag 1 in m³. reading: share; idle: m³/s; threshold: m³. found:
    (edge, onset, effective)."""

    meters: dict[int, Meter]
    reading: float
    idle: float
    threshold: float
    at: int | None = None
    total: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    breaks: int = 0
    ring: list[tuple[float, list[float], int, int]] = field(default_factory=list)
    anchor: tuple[float, list[float], int, int] | None = None
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0])
    since: list[int] = field(default_factory=lambda: [0, 0])
    accounts: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0], [0.0, 0.0]])
    onset: int | None = None
    side: int = 0
    still: bool = False
    found: list[tuple[str, int, int]] = field(default_factory=list)

    def sample(self, tag: int, at: int, value: float, good: bool) -> None:
        if not good or value != value:
            return
        passed = 0.0 if self.at is None else (at - self.at) / SECOND
        for meter in self.meters.values():
            if meter.flow is not None:
                self.total[0 if meter.sign > 0 else 1] += meter.flow * passed
                self.total[2] += self.reading * abs(meter.flow) * passed
        self.total[2] += self.idle * passed
        self.at = at
        if tag in self.meters:
            self.flow(self.meters[tag], at, value / 3600)
        else:
            self.level(at, value)

    def flow(self, meter: Meter, at: int, flow: float) -> None:
        if meter.flow is None or at - meter.at > meter.gap:
            self.breaks += 1
        else:
            ramp = (flow - meter.flow) * min(at - meter.at, meter.ramp) / SECOND / 2
            self.total[0 if meter.sign > 0 else 1] += ramp
            self.total[2] += abs(ramp)
        meter.flow, meter.at = flow, at

    def level(self, at: int, volume: float) -> None:
        turned = bool(self.ring) and self.ring[-1][3] // WINDOW != at // WINDOW
        self.ring = [*self.ring, (volume, list(self.total), self.breaks, at)][-RING:]
        if turned and len(self.ring) == RING:
            self.close(at)

    def close(self, at: int) -> None:
        _, total, breaks, when = self.ring[RING // 2]
        state = median(one[0] for one in self.ring), total, breaks, when
        heard = all(m.flow is not None and at - m.at <= m.gap for m in self.meters.values())
        before, self.anchor = self.anchor, state if heard else None
        if not heard or before is None or before[2] != breaks:
            return
        change = state[0] - before[0]
        grown = [now - then for now, then in zip(total, before[1], strict=True)]
        expected, allowed = grown[0] - grown[1], grown[2] + 0.005 * abs(change)
        if not (self.onset is not None and self.still and abs(expected) <= allowed):
            for side, sign in enumerate((1, -1)):
                was = self.sums[side]
                now = max(0.0, was + sign * (change - expected) - allowed)
                if was == 0:
                    self.since[side], self.accounts[side] = before[3], [0.0, 0.0]
                self.accounts[side][0] += change
                self.accounts[side][1] += expected
                self.sums[side] = min(now, self.threshold) if self.onset is not None else now
        self.tell(at)

    def tell(self, at: int) -> None:
        if self.onset is not None:
            if self.sums[self.side] <= 0:
                self.found.append(("RETURNED", self.onset, at))
                self.onset = None
        elif max(self.sums) > self.threshold:
            self.side = self.sums.index(max(self.sums))
            self.onset = self.since[self.side]
            change, expected = self.accounts[self.side]
            self.still = abs(change) <= 0.2 * abs(expected)
            self.sums[self.side] = self.threshold
            self.found.append(("RAISED", self.onset, at))
