"""Sources, tags, open alarms, signals and inputs for tests of the risk model; times in seconds
after `START`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from alerts.facts import compile_layout, gather
from domain import policy
from domain.alarms import OF_NODES, Alarm, Kind, Priority, State, occurrence_id
from domain.circumstances import Places
from domain.frame import Lane
from domain.inputs import Input, InputKind
from domain.instant import FAR, SECOND, micros
from domain.plant import Node, Registry, Tag, TagKind
from domain.risk import RiskFacts, RiskMemory, RiskResult, risk_model
from domain.signals import Signals
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
    """A detector of toxic gas, 0 to 100."""
    return tag(id, TagKind.GAS_TOXIC, zone=zone, **({"range": (0.0, 100.0)} | members))


def site(
    *tags: Tag,
    grades: Mapping[int, int | None] | None = None,
    groups: Sequence[object] = (),
    nodes: Iterable[Node] = (),
    substances: Sequence[Mapping[str, object]] = (),
) -> Registry:
    """One enterprise whose sources have these grades (`SOURCE` of 一级 by default).

    Each source has a reactor with code R-1 and a tank V-1, whose node ids are 1000 and 2000 more
    than its own. nodes come on top.
    """
    there = {
        PARK: Node(PARK, None, "park", "p1", "Park"),
        ENTERPRISE: Node(ENTERPRISE, PARK, "enterprise", "e1", "Plant", ENTERPRISE),
    }
    for id, grade in ({SOURCE: 1} if grades is None else grades).items():
        detail: dict[str, object] = {"groups": list(groups), "substances": list(substances)}
        if grade is not None:
            detail["grade"] = grade
        there[id] = Node(id, ENTERPRISE, "source", f"s{id}", "Source", ENTERPRISE, detail=detail)
        for more, code, kind in ((1000, "R-1", "reactor"), (2000, "V-1", "atmospheric_tank")):
            vessel = {"kind": kind}
            there[more + id] = Node(
                more + id, id, "equipment", code, code, ENTERPRISE, None, vessel
            )
    there |= {node.id: node for node in nodes}
    places = Places(there)
    placed = [replace(one, circumstances=places.of(one.source, one.equipment)) for one in tags]
    return Registry(1, there, (), {one.id: one for one in placed})


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
    """An occurrence raised at `since`, of tag `who`, or of node `who` for kinds of nodes.

    acknowledged, ended: when. One that is both is NORM.
    """
    found = None if kind in OF_NODES else registry.tags.get(who)
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


def signals(
    ahead: Mapping[int, float] | None = None,
    fill: Mapping[int, float] | None = None,
    still: Iterable[int] = (),
    action: float = 600.0,
) -> Signals:
    """ahead: seconds to the limit by tag; fill: u by source; action: seconds, of all tags."""
    ahead, fill = ahead or {}, fill or {}
    times = [ahead[id] for id in sorted(ahead)]
    return Signals(
        np.array(sorted(ahead), np.int32),
        np.array([FAR if t == float("inf") else round(t * SECOND) for t in times], np.int64),
        np.full(len(ahead), round(action * SECOND)),
        np.array(sorted(fill), np.int64),
        np.array([fill[id] for id in sorted(fill)], np.float64),
        np.array(sorted(still), np.int32),
    )


def said(
    kind: InputKind | str,
    node: int = SOURCE,
    since: float = 0.0,
    until: float | None = None,
    *,
    tag: int | None = None,
    recorded: float | None = None,
    revoked: float | None = None,
    second: str | None = "wang",
    **value: object,
) -> Input:
    """An input of two persons that was recorded when it began, unless the test says otherwise."""
    name = f"{kind}/{node}/{tag}/{since}/{until}/{sorted(value.items())}"
    return Input(
        uuid5(NAMESPACE_OID, name),
        InputKind(kind),
        ENTERPRISE,
        node,
        tag,
        at(since),
        None if until is None else at(until),
        value,
        "li",
        at(since if recorded is None else recorded),
        second,
        revoked=None if revoked is None else at(revoked),
    )


def judged(
    registry: Registry,
    alarms: Iterable[Alarm],
    when: float = 0.0,
    recent: Iterable[Alarm] = (),
    signals: Signals | None = None,
    inputs: Sequence[Input] = (),
    before: RiskMemory | None = None,
) -> tuple[RiskFacts, RiskResult]:
    """The facts, and the assessment of `when`. before: memory of the assessment before."""
    layout = compile_layout(registry)
    facts = gather(layout, alarms, recent, signals, inputs, micros(at(when)))
    return facts, assess(MODEL, facts, at(when), before)


def assessed(
    registry: Registry,
    alarms: Iterable[Alarm],
    when: float = 0.0,
    recent: Iterable[Alarm] = (),
    signals: Signals | None = None,
    inputs: Sequence[Input] = (),
    before: RiskMemory | None = None,
) -> RiskResult:
    """The assessment of `when`."""
    return judged(registry, alarms, when, recent, signals, inputs, before)[1]
