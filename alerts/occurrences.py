"""What a finding means for an occurrence: a fresh one, one that goes on, or nothing new. Pure."""

from dataclasses import replace
from datetime import datetime, tzinfo
from math import inf, isnan
from uuid import UUID

from alerts import text
from domain import easing, policy
from domain.alarms import LATCHED, Alarm, Edge, Finding, Flag, Kind, Priority, State
from domain.frame import Lane
from domain.instant import SECOND, micros
from domain.plant import Registry, Tag


def fresh(registry: Registry, zone: tzinfo, id: UUID, finding: Finding) -> Alarm:
    """An occurrence that has not begun (NORM), with the policy of its tag or node."""
    tag = None
    if finding.tag is not None:
        tag = registry.tags[finding.tag]
        node, enterprise = tag.source, tag.enterprise
        priority = policy.priority(tag, finding.kind, _left_s(finding))
    else:
        assert finding.node is not None, "a finding belongs to a tag or to a node"
        node = finding.node
        enterprise = registry.nodes[node].enterprise or node
        own = finding.detail.get("priority")
        priority = policy.node_priority(finding.kind) if own is None else Priority(f"P{own:g}")
    return Alarm(
        id,
        Lane.LIVE,
        finding.kind,
        finding.tag,
        node,
        enterprise,
        priority,
        State.NORM,
        finding.onset,
        finding.effective,
        finding.value,
        finding.limit,
        finding.value,
        text=text.sentence(registry, finding, zone),
        latching=policy.of(tag, finding.kind).latch,
    )


def eased(alarm: Alarm, tag: Tag | None, by: Flag | None) -> Alarm:
    """An occurrence of ordinary priority that begins, or begins again, in a mode that expects it;
    by: None = in none."""
    if by is None or tag is None:
        return alarm
    latching = alarm.latching and easing.latches(tag, alarm.kind)
    priority = max(alarm.priority, easing.highest())
    return replace(alarm, priority=priority, latching=latching, eased=by)


def ordinary(alarm: Alarm, tag: Tag | None) -> Alarm:
    """What an occurrence is outside the mode that eased it. tag: None = it has left the site."""
    if alarm.eased is None or tag is None:
        return replace(alarm, eased=None)
    priority = min(alarm.priority, policy.priority(tag, alarm.kind))
    latching = alarm.latching or policy.of(tag, alarm.kind).latch
    return replace(alarm, priority=priority, latching=latching, eased=None)


def _left_s(finding: Finding) -> float:
    """Seconds from a forecast to what it foresees, infinite where nobody can say."""
    eta = finding.detail.get("eta", inf)
    return (eta - micros(finding.effective)) / SECOND


SILENCES = (Kind.OFFLINE, Kind.SOURCE_OFFLINE)
"""Kinds that count in received time."""


def outdated(alarm: Alarm, finding: Finding) -> bool:
    """Whether a finding about an active occurrence says nothing new of it.

    After a crash samples may be judged again that were judged before it, and a return may turn up
    that is older than the raise that followed it. (Silence counts in received time, so there the
    event time of a return proves nothing.)
    """
    if finding.edge is Edge.WORSE:
        return not _worse(alarm, finding.value)
    timed = finding.kind not in SILENCES
    return finding.edge is Edge.RETURNED and timed and finding.effective < alarm.effective


def finding_is_newer(finding: Finding, known: datetime) -> bool:
    """Whether a finding is newer than `known`, an instant up to which its subject is known; that of
    a silence always is."""
    return finding.kind in SILENCES or finding.effective > known


def rejoins(alarm: Alarm, again: datetime) -> bool:
    """Whether a condition that is back at `again` goes on as the same one (#11, #13, #16)."""
    if alarm.state in LATCHED:
        return True
    soon = policy.number("rejoin", "seconds")
    return alarm.ended is not None and (again - alarm.ended).total_seconds() < soon


def _worse(alarm: Alarm, value: float) -> bool:
    """Whether `value` lies further beyond the limit than the worst so far."""
    if isnan(alarm.worst):
        return True
    if alarm.kind is Kind.ROC:
        return abs(value) > abs(alarm.worst)
    return value < alarm.worst if alarm.kind in (Kind.LL, Kind.L) else value > alarm.worst
