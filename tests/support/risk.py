"""Sources, tags and open alarms for tests of the risk model; times in seconds after `START`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any

from alerts.facts import compile_layout, gather
from domain import policy
from domain.alarms import Alarm, Kind, Priority, State, occurrence_id
from domain.frame import Lane
from domain.plant import Node, Registry, Tag, TagKind
from domain.risk import RiskFacts, RiskResult, risk_model
from rules.risk import assess
from tests.support import builders
from tests.support.builders import at

PARK, ENTERPRISE, SOURCE = 1, 2, 3
MODEL = risk_model()
MINUTE = 60.0


def tag(id: int, kind: TagKind = TagKind.LEVEL, source: int = SOURCE, **members: Any) -> Tag:
    """A tag of `SOURCE` with the policy's own delays and the members that the test says."""
    plain = builders.tag(id, kind=kind, source=source, delay_on_s=None, delay_off_s=None)
    return replace(plain, **members)


def gas(id: int, zone: str | None = "A", **members: Any) -> Tag:
    """A detector of toxic gas."""
    return tag(id, TagKind.GAS_TOXIC, zone=zone, **members)


def site(
    *tags: Tag, grades: Mapping[int, int | None] | None = None, groups: Sequence[object] = ()
) -> Registry:
    """One enterprise whose sources have these grades (`SOURCE` of 一级 by default).

    Each source has a reactor with code R-1.
    """
    nodes = {
        PARK: Node(PARK, None, "park", "p1", "Park"),
        ENTERPRISE: Node(ENTERPRISE, PARK, "enterprise", "e1", "Plant", ENTERPRISE),
    }
    for id, grade in ({SOURCE: 1} if grades is None else grades).items():
        detail: dict[str, object] = {"groups": list(groups)}
        if grade is not None:
            detail["grade"] = grade
        nodes[id] = Node(id, ENTERPRISE, "source", f"s{id}", "Source", ENTERPRISE, detail=detail)
        vessel = {"kind": "reactor"}
        reactor = Node(1000 + id, id, "equipment", "R-1", "Reactor", ENTERPRISE, detail=vessel)
        nodes[reactor.id] = reactor
    return Registry(1, nodes, (), {tag.id: tag for tag in tags})


def alarm(
    registry: Registry,
    who: int,
    kind: Kind = Kind.HH,
    since: float = 0.0,
    *,
    acknowledged: float | None = None,
    ended: float | None = None,
    priority: Priority | None = None,
) -> Alarm:
    """An occurrence raised at `since`, of tag `who`, or of node `who` for SOURCE_OFFLINE.

    acknowledged, ended: when. One that is both is NORM.
    """
    found = None if kind is Kind.SOURCE_OFFLINE else registry.tags.get(who)
    node = found.source if found else who
    if priority is None:
        priority = policy.priority(found, kind) if found else policy.node_priority(kind)
    return Alarm(
        occurrence_id(Lane.LIVE, who, kind, at(since)),
        Lane.LIVE,
        kind,
        found.id if found else None,
        node,
        ENTERPRISE,
        priority,
        _state(acknowledged, ended),
        at(since),
        at(since),
        nan,
        nan,
        nan,
        ended=None if ended is None else at(ended),
        acknowledged_at=None if acknowledged is None else at(acknowledged),
        onset_last=at(since),
    )


def _state(acknowledged: float | None, ended: float | None) -> State:
    if ended is None:
        return State.UNACK if acknowledged is None else State.ACKED
    return State.RTNUN if acknowledged is None else State.NORM


def judged(
    registry: Registry, alarms: Iterable[Alarm], when: float = 0.0, recent: Iterable[Alarm] = ()
) -> tuple[RiskFacts, RiskResult]:
    """The facts, and the assessment of `when`."""
    facts = gather(compile_layout(registry), alarms, recent)
    return facts, assess(MODEL, facts, at(when))


def assessed(
    registry: Registry, alarms: Iterable[Alarm], when: float = 0.0, recent: Iterable[Alarm] = ()
) -> RiskResult:
    """The assessment of `when`."""
    return judged(registry, alarms, when, recent)[1]
