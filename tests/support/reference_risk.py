"""The risk of one source, worked out slowly from its alarms: what the arrays must agree with.

Without positions: detectors belong together by their zone alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import exp, inf, isnan, nan

from domain import policy
from domain.alarms import LATCHED, Alarm, Kind, Priority, State
from domain.inputs import Input
from domain.instant import FAR
from domain.plant import Registry, Tag, TagKind
from domain.risk import Colour, Floor
from domain.signals import Signals

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


IDLE = ("empty", "shutdown", "turnaround")


class Slow:
    """One source of a registry with the alarms of all, at `at`, without any memory."""

    def __init__(
        self,
        registry: Registry,
        source: int,
        alarms: Sequence[Alarm],
        at: datetime,
        signals: Signals | None = None,
        inputs: Sequence[Input] = (),
    ) -> None:
        self.signals = signals or Signals.none()
        self.at = at
        self.inputs = [
            one for one in inputs if one.node == source or registry.nodes[source].parent == one.node
        ]
        self.tags = {t.id: t for t in registry.tags.values() if t.source == source}
        self.reactors = {
            n.code
            for n in registry.nodes.values()
            if n.parent == source and n.detail.get("kind") == "reactor"
        }
        grade = registry.nodes[source].detail.get("grade")
        self.source = source
        self.grade = grade if isinstance(grade, int) else 0
        here = [a for a in alarms if a.node == source]
        self.now = at.timestamp()
        health = (Kind.OFFLINE, Kind.SOURCE_OFFLINE)
        self.alarms = [self.priced(a) for a in here if a.kind not in health and not self.quiet(a)]
        self.blind = {
            a.tag: a.effective.timestamp() for a in here if a.kind is Kind.OFFLINE and active(a)
        }
        lost = [a for a in here if a.kind is Kind.SOURCE_OFFLINE and active(a)]
        self.silent = lost[0].onset.timestamp() if lost else inf
        self.lost = lost[0].effective.timestamp() if lost else inf

    def open(self, kind: str) -> list[Input]:
        return [one for one in self.inputs if one.kind == kind and one.holds(self.at)]

    def permits(self, tag: int | None) -> list[Input]:
        return [
            one
            for one in self.inputs
            if one.kind == "permit" and one.tag == tag is not None and one.begin <= self.at
        ]

    def spares(self, one: Input, alarm: Alarm, end: datetime | None) -> bool:
        if alarm.onset <= one.begin:
            return False
        gone = alarm.ended is not None and end is not None and alarm.ended <= end
        return end is None or self.at < end or gone

    def quiet(self, alarm: Alarm) -> bool:
        if any(self.spares(one, alarm, one.end) for one in self.permits(alarm.tag)):
            return True
        trip = alarm.tag is not None and self.of(alarm).kind is TagKind.INTERLOCK
        return trip and self.mode(alarm) in ("shutdown", "turnaround")

    def mode(self, alarm: Alarm) -> str:
        said = sorted((one for one in self.inputs if one.kind == "mode"), key=lambda one: one.begin)
        said = [one for one in said if one.begin <= self.at]
        for k, one in enumerate(said):
            ends = [
                end for end in (one.end, *(later.begin for later in said[k + 1 : k + 2])) if end
            ]
            end = min(ends, default=None)
            if one.begin < alarm.onset and (end is None or alarm.onset < end):
                return str(one.value["mode"]) if self.spares(one, alarm, end) else "run"
        return "run"

    def eased(self, alarm: Alarm) -> bool:
        if alarm.kind not in LIMITS or alarm.tag is None:
            return False
        kind, low = self.of(alarm).kind, alarm.kind in (Kind.LL, Kind.L)
        if kind is TagKind.LEVEL:
            return low and self.mode(alarm) in ("empty", "turnaround")
        still = (kind is TagKind.FLOW and low) or kind in (TagKind.VALVE, TagKind.STATE)
        return still and self.mode(alarm) in IDLE

    def priced(self, alarm: Alarm) -> Alarm:
        if self.eased(alarm) and alarm.priority in (Priority.P1, Priority.P2):
            return replace(alarm, priority=Priority.P3)
        return alarm

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
        left = 0.7 if alarm.state in LATCHED else 0.3
        return SEVERITY[alarm.priority] * factor * age * (1.0 if active(alarm) else left)

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

    def served(self, tag: int) -> bool:
        """Not under an open permit, or lost before it."""
        begins = [one.begin.timestamp() for one in self.permits(tag) if one.holds(self.at)]
        return not begins or min(self.lost, self.blind.get(tag, inf)) <= min(begins)

    def loss(self) -> tuple[float, bool]:
        every = [self.blind.get(id, inf) for id in self.tags]
        dark = min(self.lost, max(every, default=inf))
        whole = dark <= self.now
        seen = min(dark, self.now)
        share = 0.0
        for function in FUNCTIONS:
            tags = [t for t in self.tags.values() if t.kind in function and self.served(t.id)]
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
        gas = [t for t in gas if self.served(t.id)]
        for zone in {t.zone for t in gas}:
            due = max(self.blind.get(t.id, inf) for t in gas if t.zone == zone) + 60
            if due <= seen and max(others, default=-inf) >= due:
                return True
        return False

    def trend(self) -> float:
        points = 0.0
        signals = self.signals
        for tag, ahead, action in zip(signals.tags, signals.ahead, signals.action, strict=True):
            if tag in self.tags and ahead < FAR:
                r = ahead / action
                points = max(points, 15 if r <= 0.5 else 10 if r <= 1 else 6 if r <= 2
                             else 3 if r <= 4 else 0)  # fmt: skip
        rising = any(a.kind is Kind.ROC and active(a) for a in self.alarms)
        return min(15.0, points + 4 * rising)

    def inventory(self) -> float:
        told = dict(zip(self.signals.sources.tolist(), self.signals.fill.tolist(), strict=True))
        u = told.get(self.source, nan)
        over = any(a.kind is Kind.INVENTORY and active(a) for a in self.alarms)
        if u > 1 or (over and (isnan(u) or u > 0.98)):
            return 15.0
        return 0.0 if isnan(u) or u <= 0.85 else 8 * (min(u, 1.0) - 0.85) / 0.15

    def overdue(self, kind: str) -> list[Input]:
        newest: dict[object, Input] = {}
        for one in self.inputs:
            if one.kind == kind and one.until is not None and not gone(one, self.at):
                key = one.node, one.value.get("role")
                if key not in newest or newest[key].until < one.until:  # type: ignore[operator]
                    newest[key] = one
        return [one for one in newest.values() if one.until is not None and one.until <= self.at]

    def management(self) -> float:
        hazards = [one for one in self.inputs if one.kind == "hidden_hazard" and one.until
                   and one.until <= self.at and not gone(one, self.at)]  # fmt: skip
        major = [one for one in hazards if one.value["major"]]
        return min(10.0, 5.0 * bool(self.overdue("commitment"))
                   + min(6, 3 * len(self.overdue("duty")))
                   + min(6, 2 * (len(hazards) - len(major))) + 8 * bool(major))  # fmt: skip

    def score(self) -> float:
        total = (0, 15, 12, 8, 4)[self.grade] + self.alarm_points() + self.loss()[0]
        total += self.trend() + self.inventory() + self.management()
        first = [a for a in self.alarms if a.priority.value == "P1" and a.kind in LIMITS]
        grave = any(
            active(a) and (self.of(a).kind in FACTOR or self.of(a).equipment in self.reactors)
            for a in first
        )
        plain = {a.tag for a in first if self.of(a).kind in FACTOR or self.mode(a) == "run"}
        if total > 74.9 and not grave and len(plain) < 2:
            return 74.9
        return min(100.0, total)

    def floors(self) -> dict[Floor, Colour]:
        held = [a for a in self.alarms if a.tag is not None]
        inner = [
            a for a in held if a.kind in (Kind.HH, Kind.LL) and active(a) and not self.eased(a)
        ]
        gas = [a for a in held if self.of(a).kind in GAS and a.kind in LIMITS]
        fires = {a.tag for a in held if self.kind(a) == "FIRE"}
        high = [a for a in gas if a.kind is Kind.HH]
        silent = self.now - self.silent
        grave = self.grade in (1, 2)
        late = [a for a in inner + [a for a in gas if a.kind is Kind.H and active(a)]
                if self.unanswered(a) > 600]  # fmt: skip
        trips = [a for a in held if self.kind(a) == "SIS_TRIP"]
        critical = any(self.of(a).safety_critical for a in inner)
        long = silent >= 4 * 3600 and grave and not self.open("offline_report")
        over = any(a.kind is Kind.INVENTORY and active(a) for a in self.alarms)
        set_to = [Colour[str(one.value["colour"]).upper()] for one in self.open("colour_set")]
        leak = any(active(a) for a in gas if a.kind in (Kind.H, Kind.HH))
        found = {
            Floor.F1: Colour.RED if self.cloud(gas, fires) else Colour.BLUE,
            Floor.F2: Colour.RED if len(fires) >= 2 else Colour.BLUE,
            Floor.F3: Colour.RED if self.runaway() else Colour.BLUE,
            Floor.F4: Colour.ORANGE if high or trips else Colour.BLUE,
            Floor.F5: (Colour.ORANGE if grave else Colour.YELLOW) if critical else Colour.BLUE,
            Floor.F6: Colour.ORANGE if late else Colour.BLUE,
            Floor.F8: Colour.ORANGE if over else Colour.BLUE,
            Floor.F9: Colour.ORANGE if long else Colour(int(silent >= 1800)),
            Floor.F11: max(set_to, default=Colour.BLUE),
            Floor.F13: Colour.ORANGE if leak and self.open("special_work") else Colour.BLUE,
            Floor.F14: Colour.ORANGE if self.dry() else Colour.BLUE,
            Floor.F15: Colour.ORANGE if self.open("manual") else Colour.BLUE,
            Floor.LOSS: Colour(int(self.loss()[1])),
        }
        asked = max(c for floor, c in found.items() if floor not in (Floor.F9, Floor.LOSS))
        asked = Colour(max(asked, sum(self.score() - self.loss()[0] >= t for t in (30, 55, 75))))
        up = Colour(min(3, max(2, asked + 1)))
        return found | {Floor.F12: up if self.lost_in_incident() else Colour.BLUE}

    def runaway(self) -> bool:
        on = [a for a in self.alarms
              if a.tag and active(a) and self.of(a).equipment in self.reactors]  # fmt: skip
        temperature = TagKind.TEMPERATURE
        hot = {self.of(a).equipment for a in on
               if self.of(a).kind is temperature and a.kind is Kind.HH}  # fmt: skip
        worse = {self.of(a).equipment for a in on
                 if (self.of(a).kind is TagKind.FLOW and a.kind is Kind.LL)
                 or (self.of(a).kind is temperature and a.kind is Kind.ROC)}  # fmt: skip
        return bool(hot & worse)

    def dry(self) -> bool:
        still = set(self.signals.still.tolist())
        dosed = {t.equipment for t in self.tags.values() if t.kind is TagKind.FLOW
                 and Kind.LL not in t.limits and t.id not in still}  # fmt: skip
        for alarm in self.alarms:
            if alarm.tag is None or not active(alarm) or self.eased(alarm):
                continue
            tag = self.of(alarm)
            coolant = tag.kind is TagKind.FLOW and Kind.LL in tag.limits and alarm.kind is Kind.LL
            stirrer = tag.kind is TagKind.STATE and alarm.kind in LIMITS
            if (coolant or stirrer) and tag.equipment in self.reactors & dosed:
                return True
        return False

    def lost_in_incident(self) -> bool:
        """F12. `onset` of a tag's silence is its last good sample."""
        critical = [t.id for t in self.tags.values() if t.safety_critical and self.served(t.id)]
        dark = self.silent if self.lost <= self.now else inf
        gone = [min(self.blind.get(id, inf), dark) + 45 for id in critical]
        gone = [when for when in gone if when <= self.now]
        if not gone or len(gone) < len(critical) / 2:
            return False
        struck = [a.effective.timestamp() for a in self.alarms if a.tag is not None and (
            a.kind in (Kind.HH, Kind.ROC) or (self.of(a).kind is TagKind.FIRE and a.kind in LIMITS)
            or (self.of(a).kind in GAS and a.kind is Kind.H))]  # fmt: skip
        return any(since <= when <= since + 600 for since in struck for when in gone)

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
            if self.falling(one):
                return True
        return False

    def falling(self, one: Alarm) -> bool:
        """Level or pressure fell at about the same time."""
        for two in self.alarms:
            kind = None if two.tag is None else self.of(two).kind
            low = two.kind in (Kind.LL, Kind.L) or (two.kind is Kind.ROC and two.value < 0)
            apart = abs((one.effective - two.effective).total_seconds())
            if kind in (TagKind.LEVEL, TagKind.PRESSURE) and low and active(two) and apart <= 600:
                return True
        return False


def gone(one: Input, at: datetime) -> bool:
    """Whether somebody revoked it."""
    return one.revoked is not None and one.revoked <= at


def active(alarm: Alarm) -> bool:
    """Whether the condition holds."""
    return alarm.state in (State.UNACK, State.ACKED)
