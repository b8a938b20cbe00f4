"""Occurrences that were found afterwards 事后发现: judged from stored samples, in the replay lane.
Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from alerts import text
from domain import policy
from domain.alarms import Alarm, Edge, Finding, Kind, State, occurrence_id
from domain.frame import Lane
from domain.plant import Registry

JUDGED = frozenset({Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.ROC})
"""What is found afterwards."""


def occurrences(
    registry: Registry, findings: Iterable[Finding], at: datetime, zone: tzinfo = UTC
) -> list[Alarm]:
    """The replay occurrences that these findings of one judgement describe, in order of onset.

    They are closed from the start (nobody has to acknowledge the past); `ended` is None where the
    samples end before the condition does. Only limits and rates are found afterwards: silence is a
    matter of the live lane, and what else the rules advise of the past helps nobody.
    """
    found: list[Alarm] = []
    active: dict[tuple[Kind, int], int] = {}
    for finding in findings:
        if finding.tag is None or finding.kind not in JUDGED:
            continue
        key = (finding.kind, finding.tag)
        if finding.edge is Edge.RAISED:
            active[key] = len(found)
            found.append(_begun(registry, finding, at, zone))
        elif key in active:
            place = active[key]
            found[place] = _changed(found[place], finding)
            if finding.edge is not Edge.WORSE:
                del active[key]
    return sorted(found, key=lambda alarm: (alarm.onset, alarm.id))


def _begun(registry: Registry, finding: Finding, at: datetime, zone: tzinfo) -> Alarm:
    assert finding.tag is not None, "only tags are judged afterwards"
    tag = registry.tags[finding.tag]
    return Alarm(
        occurrence_id(Lane.REPLAY, tag.id, finding.kind, finding.onset),
        Lane.REPLAY,
        finding.kind,
        tag.id,
        tag.source,
        tag.enterprise,
        policy.priority(tag, finding.kind),
        State.NORM,
        finding.onset,
        finding.effective,
        finding.value,
        finding.limit,
        finding.value,
        n=1,
        closed=at,
        text=text.sentence(registry, finding, zone),
    )


def _changed(alarm: Alarm, finding: Finding) -> Alarm:
    if finding.edge is Edge.WORSE:
        return replace(alarm, worst=finding.value)
    return replace(alarm, ended=finding.effective)
