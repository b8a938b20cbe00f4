"""`OwnAlarms`: what is wrong with hazwatch itself, as findings like any others.

A stage tells what it sees by `Pump.condition`; delays are those of the alarm policy. What is told
is looked at with every tick, so telling is cheap, and may happen as often as one likes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan, nan

from domain.alarms import Edge, Finding, Kind
from domain.plant import Registry, TagKind
from domain.policy import rule

KINDS = frozenset({Kind.INGEST_LAG, Kind.NO_ROOM, Kind.SELF_TEST})
"""Kinds that are about hazwatch."""
REMOVED = "节点已移除 no longer in the site"
UNTOLD = timedelta(seconds=60)
"""A condition of an earlier run of which nobody has said anything for so long is over."""
WORSE = 2.0
"""By how much a value must have grown to be told again."""

Subject = tuple[Kind, int]
"""Kind and node id."""


@dataclass(slots=True)
class _Held:
    """A condition. since: its onset. over: when it was said to be over. raised: whether the delay
    has run out. untold: since when it is known from an earlier run alone."""

    since: datetime
    value: float
    limit: float
    over: datetime | None = None
    raised: bool = False
    worst: float = nan
    untold: datetime | None = None


class OwnAlarms:
    """Conditions by kind and node, from when they are told until they have returned."""

    def __init__(self) -> None:
        self._held: dict[Subject, _Held] = {}

    def restore(self, active: Iterable[tuple[Kind, int, datetime]], at: datetime) -> None:
        """Begin with what the alarm book has as active; of other kinds nothing is taken."""
        for kind, node, onset in active:
            if kind in KINDS:
                self._held[kind, node] = _Held(onset, nan, nan, raised=True, untold=at)

    def tell(
        self,
        kind: Kind,
        node: int,
        since: datetime | None,
        value: float = nan,
        limit: float = nan,
        *,
        at: datetime,
    ) -> None:
        """See `Pump.condition`."""
        held = self._held.get((kind, node))
        if held is not None:
            held.untold = None
        if since is None:
            if held is not None and held.over is None:
                held.over = at
        elif held is None:
            self._held[kind, node] = _Held(min(since, at), value, limit)
        else:
            held.value, held.limit, held.over = value, limit, None

    def step(self, registry: Registry, at: datetime) -> list[Finding]:
        """What has become known by `at`: raises, returns, worse values, and the end of conditions
        of nodes that are gone."""
        found = []
        for subject, held in list(self._held.items()):
            finding = self._one(subject, held, registry, at)
            if finding is not None:
                found.append(finding)
        return found

    def _one(
        self, subject: Subject, held: _Held, registry: Registry, at: datetime
    ) -> Finding | None:
        if held.untold is not None and at - held.untold >= UNTOLD:
            held.over, held.untold = held.untold, None
        row = rule(TagKind.OTHER, subject[0])
        if subject[1] not in registry.nodes:
            del self._held[subject]
            return _finding(Edge.CLOSED, subject, held, at, REMOVED) if held.raised else None
        if not held.raised:
            return self._rising(subject, held, timedelta(seconds=row.on_s), at)
        if held.over is not None:
            if at - held.over < timedelta(seconds=row.off_s):
                return None
            del self._held[subject]
            return _finding(Edge.RETURNED, subject, held, held.over)
        if not isnan(held.value) and (isnan(held.worst) or held.value >= WORSE * held.worst):
            held.worst = held.value
            return _finding(Edge.WORSE, subject, held, at)
        return None

    def _rising(
        self, subject: Subject, held: _Held, delay: timedelta, at: datetime
    ) -> Finding | None:
        lasted = (held.over or at) - held.since
        if lasted >= delay:
            held.raised, held.worst = True, held.value
            return _finding(Edge.RAISED, subject, held, held.since + delay)
        if held.over is not None:
            del self._held[subject]
        return None


def _finding(
    edge: Edge, subject: Subject, held: _Held, effective: datetime, reason: str = ""
) -> Finding:
    return Finding(
        edge, subject[0], None, subject[1], held.since, effective, held.value, held.limit, reason
    )
