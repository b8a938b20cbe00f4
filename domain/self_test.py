"""The self-test 自检: the place of its canary in the registry, and when it counts as failed.

The canary stands outside the tree of people: a root of its own, of a kind that nobody's site file,
role or list has. So it has no place in a scope, in a sum of a park or in a risk, and its topics
begin with a park that no site file may name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.alarms import Alarm, Kind, Priority
from domain.plant import Node, Registry, TagKind
from domain.site import Limits, Priorities, TagEntry

NODE_KIND = "self_test"
"""Kind of the two nodes that the canary has."""
PARK, ENTERPRISE, GATEWAY, TAG = "hazwatch-self-test", "canary", "canary", "SELF-TEST"
NAME = "自检 hazwatch self-test"
BY = "hazwatch self-test 自检"
"""Who acknowledges the canary's alarms."""
EVENTS = "self-test"
"""Last level of the topic on which the canary's events go out; that of others is `alarm`."""
CHANNEL, RECIPIENT = "self-test", "canary"
"""By which the canary's own notice goes, through the sender of all notices; nobody is there."""
CALM, BREACH = 0.0, 1.0
"""What the canary says; the second is its limit H."""


HOUR_S = 3600.0
CLEAN = 10
"""So many in a row that come through end a failure of too many missed in an hour (mark P)."""
MISSED_PERCENT, LATE_IN_A_ROW = 20.0, 10
"""More missed within an hour, or so many stored late in a row, is a failure, too (mark P)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """every_s: from one breach to the next. within_s: later than that it counts as missed, and what
    is stored later as late. missed_percent: of those of an hour; late: in a row."""

    every_s: float
    within_s: float
    missed_percent: float = MISSED_PERCENT
    late: int = LATE_IN_A_ROW

    @property
    def absent_after_s(self) -> float:
        """Seconds since a breach that came through, after which two in a row have not."""
        return 2 * self.every_s + self.within_s

    @property
    def missed_most(self) -> float:
        """So many may be missed within an hour; one may at any pace."""
        return max(1.0, HOUR_S / self.every_s * self.missed_percent / 100)


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands. Numbers are monotonic seconds, instants are for people.

    began: when testing began. passed: when the breach was sent that came through last; None: none
    has yet. missed: how many since then did not, the first of them sent at `first`. since: when the
    first of those was sent for which it counts as failed; None: it does not. why: of the last one
    that was missed. lost: those that were missed within an hour; clean: how many in a row came
    through; often: too many of an hour were lost, until `CLEAN` in a row come through. late: how
    many in a row were stored late, the first of them sent at `late_first`.

    | it fails                                     | until                                         |
    |----------------------------------------------|-----------------------------------------------|
    | two in a row missed                          | one comes through                             |
    | more than `Pace.missed_most` within an hour  | `CLEAN` in a row come through, or an hour has |
    |                                              | passed without one missed                     |
    | `Pace.late` in a row stored late             | one is stored in time                         |
    """

    began: float
    passed: float | None = None
    passed_at: datetime | None = None
    missed: int = 0
    first: datetime | None = None
    since: datetime | None = None
    why: str = ""
    lost: tuple[tuple[float, datetime], ...] = ()
    clean: int = 0
    often: bool = False
    late: int = 0
    late_first: datetime | None = None

    def passing(self, pace: Pace, sent: float, sent_at: datetime) -> "Standing":
        """A breach that was sent then came through."""
        clean = self.clean + 1
        lost = () if clean >= CLEAN else self._of_the_hour(sent)
        new = replace(self, passed=sent, passed_at=sent_at, missed=0, first=None)
        return replace(new, clean=clean, lost=lost)._judged(pace)

    def missing(self, pace: Pace, sent: float, sent_at: datetime, why: str) -> "Standing":
        """A breach that was sent then did not."""
        lost = (*self._of_the_hour(sent), (sent, sent_at))
        new = replace(self, missed=self.missed + 1, first=self.first or sent_at, why=why)
        return replace(new, clean=0, lost=lost)._judged(pace)

    def stored(self, pace: Pace, sent_at: datetime, *, in_time: bool) -> "Standing":
        """A breach that was sent then, and came through, was stored in time or was not."""
        if in_time:
            return replace(self, late=0, late_first=None)._judged(pace)
        new = replace(self, late=self.late + 1, late_first=self.late_first or sent_at)
        return new._judged(pace)

    @property
    def reason(self) -> str:
        """Why it counts as failed, for people; empty where only silence says so."""
        if self.missed >= 2:
            return self.why
        if self.often:
            found = f"{len(self.lost)} within an hour have not come through"
            return f"{found}, the last one: {self.why}"
        if self.since is not None:
            found = f"stored late {self.late} times in a row"
            return f"{found}: the database is away or too slow, and nobody can acknowledge"
        return self.why if self.missed else ""

    def absent(self, pace: Pace, elapsed: float) -> bool:
        """Whether none has come through for so long that two must have been missed, whoever should
        have noticed that."""
        last = self.began if self.passed is None else self.passed
        return elapsed - last > pace.absent_after_s

    def _of_the_hour(self, sent: float) -> tuple[tuple[float, datetime], ...]:
        return tuple(one for one in self.lost if sent - one[0] < HOUR_S)

    def _judged(self, pace: Pace) -> "Standing":
        often = len(self.lost) > pace.missed_most or (self.often and bool(self.lost))
        onset = None
        if self.missed >= 2:
            onset = self.first
        elif often:
            onset = self.lost[0][1]
        elif self.late >= pace.late:
            onset = self.late_first
        return replace(self, often=often, since=onset and (self.since or onset))


def places(nodes: Mapping[int, Node]) -> frozenset[int]:
    """The ids of the canary's nodes."""
    return frozenset(id for id, node in nodes.items() if node.kind == NODE_KIND)


def is_canarys(registry: Registry, alarm: Alarm) -> bool:
    """Whether an occurrence is the canary's: no person is told of it, and no count has it."""
    node = registry.nodes.get(alarm.node)
    return node is not None and node.kind == NODE_KIND


def told_elsewhere(registry: Registry, alarm: Alarm) -> bool:
    """Whether no person and no webhook is told by the way that all notices go: the canary's alarms
    are for nobody, and that the self-test has failed is said by the second path."""
    return alarm.kind is Kind.SELF_TEST or is_canarys(registry, alarm)


def roots(registry: Registry) -> list[int]:
    """The roots of the tree of people, lowest id first."""
    return sorted(
        id for id, node in registry.nodes.items() if node.parent is None and node.kind != NODE_KIND
    )


def canary(registry: Registry) -> int | None:
    """The id of the canary's tag; None: it is not registered."""
    ours = places(registry.nodes)
    return next((id for id, tag in registry.tags.items() if tag.source in ours), None)


def without(registry: Registry) -> Registry:
    """The registry as people know it."""
    ours = places(registry.nodes)
    return replace(
        registry,
        nodes={id: node for id, node in registry.nodes.items() if id not in ours},
        gateways=tuple(one for one in registry.gateways if one.enterprise not in ours),
        tags={id: tag for id, tag in registry.tags.items() if tag.source not in ours},
    )


def entry() -> TagEntry:
    """The canary: a state whose 1 raises an alarm of the lowest priority at once, and whose 0 ends
    it. It is silent between two breaches, and that is no fault of it."""
    return TagEntry(
        name=TAG,
        kind=TagKind.STATE,
        range=(0.0, 1.0),
        limits=Limits(H=BREACH),
        delay_on_s=0.0,
        delay_off_s=0.0,
        interval_s=600.0,
        max_silence_s=86_400.0,
        priorities=Priorities(H=Priority.P4),
    )
