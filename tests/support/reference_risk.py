"""The risk of one source, worked out slowly from its alarms: what the arrays must agree with.

Without positions: detectors belong together by their zone alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import exp, inf

from domain import policy
from domain.alarms import Alarm, Kind, State
from domain.plant import Registry, Tag, TagKind
from domain.risk import Colour, Floor

SEVERITY = {"P1": 40.0, "P2": 20.0, "P3": 6.0, "P4": 0.0}
FACTOR = {TagKind.GAS_TOXIC: 1.5, TagKind.FIRE: 1.5, TagKind.GAS_COMBUSTIBLE: 1.3,
          TagKind.OXYGEN: 1.3}  # fmt: skip
FUNCTIONS = [
    {TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE, TagKind.OXYGEN},
    {TagKind.LEVEL},
    {TagKind.PRESSURE},
    {TagKind.TEMPERATURE},
    {TagKind.INTERLOCK},
]
GAS = (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE)
LIMITS = (Kind.LL, Kind.L, Kind.H, Kind.HH)


class Slow:
    """One source of a registry with the alarms of all, at `now` (seconds since 1970)."""

    def __init__(
        self, registry: Registry, source: int, alarms: Sequence[Alarm], now: float
    ) -> None:
        self.tags = {t.id: t for t in registry.tags.values() if t.source == source}
        grade = registry.nodes[source].detail.get("grade")
        self.grade = grade if isinstance(grade, int) else 0
        here = [a for a in alarms if a.node == source]
        self.now = now
        self.alarms = [a for a in here if a.kind not in (Kind.OFFLINE, Kind.SOURCE_OFFLINE)]
        self.blind = {
            a.tag: a.effective.timestamp() for a in here if a.kind is Kind.OFFLINE and active(a)
        }
        lost = [a for a in here if a.kind is Kind.SOURCE_OFFLINE and active(a)]
        self.silent = lost[0].onset.timestamp() if lost else inf
        self.lost = lost[0].effective.timestamp() if lost else inf

    def of(self, alarm: Alarm) -> Tag:
        return self.tags[alarm.tag or 0]

    def unanswered(self, alarm: Alarm) -> float:
        until = alarm.acknowledged_at.timestamp() if alarm.acknowledged_at else inf
        return min(self.now, until) - alarm.effective.timestamp()

    def weight(self, alarm: Alarm) -> float:
        kind = self.of(alarm).kind
        factor = FACTOR.get(kind, 1.0)
        aging = 900 if kind in FACTOR else 3600
        age = 1 + min(1.0, max(0.0, self.unanswered(alarm)) / aging)
        if alarm.priority.value not in ("P1", "P2"):
            age = 1.0
        return SEVERITY[alarm.priority] * factor * age * (1.0 if active(alarm) else 0.3)

    def alarm_points(self) -> float:
        worst: dict[int, tuple[float, str]] = {}
        for alarm in self.alarms:
            if alarm.kind in LIMITS:
                found = (self.weight(alarm), alarm.priority.value)
                old = worst.get(alarm.tag or 0)
                if old is None or (found[0], -int(found[1][1])) > (old[0], -int(old[1][1])):
                    worst[alarm.tag or 0] = found
        sums: dict[str, float] = defaultdict(float)
        for weight, priority in worst.values():
            sums[priority] += weight
        total = sums["P1"] + min(60, sums["P2"]) + min(10, sums["P3"])
        return 70 * (1 - exp(-total / 45))

    def loss(self) -> tuple[float, bool]:
        every = [self.blind.get(id, inf) for id in self.tags]
        dark = min(self.lost, max(every, default=inf))
        whole = dark <= self.now
        seen = min(dark, self.now)
        share = 0.0
        for function in FUNCTIONS:
            tags = [t for t in self.tags.values() if t.kind in function]
            weigh = {t.id: 2 if t.safety_critical else 1 for t in tags}
            gone = [
                weigh[t.id]
                for t in tags
                if (self.blind.get(t.id, inf) < dark if whole else t.id in self.blind)
            ]
            share = max(share, sum(gone) / sum(weigh.values()) if tags else 0.0)
        zone = self.zone_lost(seen)
        points = 15.0 if zone else 15 * share
        return (max(points, 14.9) if whole else points), zone

    def zone_lost(self, seen: float) -> bool:
        gas = [t for t in self.tags.values() if t.kind in FUNCTIONS[0]]
        others = [self.blind.get(t.id, inf) for t in self.tags.values() if t not in gas]
        for zone in {t.zone for t in gas}:
            due = max(self.blind.get(t.id, inf) for t in gas if t.zone == zone) + 60
            if due <= seen and max(others, default=-inf) >= due:
                return True
        return False

    def score(self) -> float:
        total = (0, 15, 12, 8, 4)[self.grade] + self.alarm_points() + self.loss()[0]
        first = [a for a in self.alarms if a.priority.value == "P1" and a.kind in LIMITS]
        grave = any(active(a) and self.of(a).kind in FACTOR for a in first)
        if total > 74.9 and not grave and len({a.tag for a in first}) < 2:
            return 74.9
        return min(100.0, total)

    def floors(self) -> dict[Floor, Colour]:
        inner = [a for a in self.alarms if a.kind in (Kind.HH, Kind.LL) and active(a)]
        gas = [a for a in self.alarms if self.of(a).kind in GAS and a.kind in LIMITS]
        fires = {a.tag for a in self.alarms if self.kind(a) == "FIRE"}
        high = [a for a in gas if a.kind is Kind.HH]
        silent = self.now - self.silent
        grave = self.grade in (1, 2)
        late = [a for a in inner + [a for a in gas if a.kind is Kind.H and active(a)]
                if self.unanswered(a) > 600]  # fmt: skip
        trips = [a for a in self.alarms if self.kind(a) == "SIS_TRIP"]
        critical = any(self.of(a).safety_critical for a in inner)
        long = silent >= 4 * 3600 and grave
        return {
            Floor.F1: Colour.RED if self.cloud(gas, fires) else Colour.BLUE,
            Floor.F2: Colour.RED if len(fires) >= 2 else Colour.BLUE,
            Floor.F3: Colour.BLUE,
            Floor.F4: Colour.ORANGE if high or trips else Colour.BLUE,
            Floor.F5: (Colour.ORANGE if grave else Colour.YELLOW) if critical else Colour.BLUE,
            Floor.F6: Colour.ORANGE if late else Colour.BLUE,
            Floor.F9: Colour.ORANGE if long else Colour(int(silent >= 1800)),
            Floor.LOSS: Colour(int(self.loss()[1])),
        }

    def kind(self, alarm: Alarm) -> str:
        return policy.rule(self.of(alarm).kind, alarm.kind).alarm_class

    def cloud(self, gas: Sequence[Alarm], fires: set[int | None]) -> bool:
        """F1 for alarms that have not returned."""
        gas = [a for a in gas if active(a)]
        for one in (a for a in gas if a.kind is Kind.HH):
            lost = self.blind.get(one.tag or 0, inf) <= self.now or self.lost <= self.now
            if lost or fires or self.unanswered(one) > 300:
                return True
            for two in gas:
                near = self.of(one).zone == self.of(two).zone
                same = self.of(one).kind is self.of(two).kind
                start = max(one.effective, two.effective).timestamp()
                long = two.kind is Kind.HH or self.now - start >= 5
                if one.tag != two.tag and near and same and long:
                    return True
        return False


def active(alarm: Alarm) -> bool:
    """Whether the condition holds."""
    return alarm.state in (State.UNACK, State.ACKED)
