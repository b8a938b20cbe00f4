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
CALM, BREACH = 0.0, 1.0
"""What the canary says; the second is its limit H."""


@dataclass(frozen=True, slots=True)
class Pace:
    """every_s: from one breach to the next. within_s: later than that it counts as missed."""

    every_s: float
    within_s: float

    @property
    def absent_after_s(self) -> float:
        """Seconds since a breach that came through, after which two in a row have not."""
        return 2 * self.every_s + self.within_s


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands. Numbers are monotonic seconds, instants are for people.

    began: when testing began. passed: when the breach was sent that came through last; None: none
    has yet. missed: how many since then did not. since: when the first of those was sent, while it
    counts as failed; None: it does not. why: of the last one that was missed.
    """

    began: float
    passed: float | None = None
    passed_at: datetime | None = None
    missed: int = 0
    first: datetime | None = None
    since: datetime | None = None
    why: str = ""

    def passing(self, sent: float, sent_at: datetime) -> "Standing":
        """A breach that was sent then came through."""
        return Standing(self.began, sent, sent_at)

    def missing(self, sent_at: datetime, why: str) -> "Standing":
        """A breach that was sent then did not; the second in a row is a failure."""
        first = self.first or sent_at
        missed = self.missed + 1
        since = self.since or (first if missed >= 2 else None)
        return replace(self, missed=missed, first=first, since=since, why=why)

    def absent(self, pace: Pace, elapsed: float) -> bool:
        """Whether none has come through for so long that two must have been missed, whoever should
        have noticed that."""
        last = self.began if self.passed is None else self.passed
        return elapsed - last > pace.absent_after_s


def places(nodes: Mapping[int, Node]) -> frozenset[int]:
    """The ids of the canary's nodes."""
    return frozenset(id for id, node in nodes.items() if node.kind == NODE_KIND)


def is_canarys(registry: Registry, alarm: Alarm) -> bool:
    """Whether an occurrence is the canary's: nobody is told of it, and no count has it."""
    node = registry.nodes.get(alarm.node)
    return node is not None and node.kind == NODE_KIND


def told_elsewhere(registry: Registry, alarm: Alarm) -> bool:
    """Whether no notice goes out by the way that all others go: the canary's alarms are for nobody,
    and that the self-test has failed is said by the second path."""
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
