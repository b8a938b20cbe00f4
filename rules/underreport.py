"""UNDERREPORT 漏报: the centre sees a value beyond its limit, and the plant reported no alarm.

One condition a tag. It is raised where a limit condition of the engine has lasted, the value is
still beyond the limit, the plant sent no alarm of that tag and kind (HH stands for H too, LL for
L), and a gateway that sends the tag is known to send alarms. The onset is that of the limit
condition. It ends with the limit condition, or with a late report.

Nothing of it is in snapshots: what holds after a restart follows from open occurrences and the
stored reports. The cost is that of what is beyond limits, not of the plant.
"""

from collections.abc import Collection, Iterable, Mapping
from math import isnan
from typing import Protocol

from domain.alarms import Edge, Finding, Kind
from domain.edge_alarm import EdgeAlarm, EdgePolicy
from domain.instant import FAR, SECOND, micros
from domain.plant import Tag
from domain.policy import LIMITS
from rules.edge_state import EdgeState, Held, Over, Subject, edge_finding, ended
from rules.thresholds import compare, reregister

KINDS = (Kind.UNDERREPORT, Kind.THRESHOLD_MISMATCH)
"""What `step` and `restore` find."""
RECHECK = SECOND
"""How soon a value that is back for the moment is looked at again."""
_COUNTS = {
    Kind.LL: (Kind.LL,),
    Kind.L: (Kind.L, Kind.LL),
    Kind.H: (Kind.H, Kind.HH),
    Kind.HH: (Kind.HH,),
}
"""Reports that count for a kind."""


class Readings(Protocol):
    """What the worker knows of a tag at this moment."""

    def value(self, tag: int) -> float:
        """The last value that was a number, NaN = none."""

    def speaks(self, tag: int, at: int) -> bool:
        """Whether its last sample is younger than a healthy tag may keep silent."""

    def senders(self, tag: int) -> Collection[int]:
        """The gateways that have sent it."""


def step(
    state: EdgeState,
    tags: Mapping[int, Tag],
    policy: EdgePolicy,
    readings: Readings,
    findings: Iterable[Finding],
    alarms: Iterable[EdgeAlarm],
    at: int,
) -> list[Finding]:
    """What reports, the engine's new findings, and then wall time `at` in microseconds bring about.

    findings: of any kind; those of limits count. Of one tag and kind in the order in which they
    happened.
    """
    told: list[Finding] = []
    for alarm in alarms:
        state.hear(alarm, tags)
        told += compare(state, tags, policy, alarm.tag, alarm.received)
        tag = alarm.tag
        if tag in state.missed and not _unreported(state, policy, tag, alarm.received):
            told.append(ended(Kind.UNDERREPORT, tag, state.missed.pop(tag), alarm.received))
    for finding in findings:
        if finding.kind in LIMITS and finding.tag is not None:
            told += _follow(state, policy, finding, finding.tag, at)
    return told + _due(state, policy, readings, at)


def restore(
    state: EdgeState,
    tags: Mapping[int, Tag],
    policy: EdgePolicy,
    active: Iterable[Held],
    alarms: Iterable[EdgeAlarm],
    at: int,
) -> list[Finding]:
    """Begin from open conditions and the newest stored reports, after a restart; what ended
    meanwhile is told."""
    for alarm in alarms:
        state.hear(alarm, tags)
    for one in active:
        tag, begun = one.tag, (micros(one.onset), micros(one.effective))
        if one.kind in LIMITS and tag in tags:
            counts = begun[0] + policy.over
            due = max(at + policy.grace, counts)
            state.expect((tag, one.kind), Over(begun[0], max(counts, at), one.limit, due))
        elif one.kind is Kind.UNDERREPORT:
            state.missed[tag] = begun
        elif one.kind is Kind.THRESHOLD_MISMATCH:
            state.differing[tag] = begun
    over = [tag for tag in state.missed if not _unreported(state, policy, tag, at)]
    told = [ended(Kind.UNDERREPORT, tag, state.missed.pop(tag), at) for tag in over]
    return told + reregister(state, tags, policy, at)


def _follow(
    state: EdgeState, policy: EdgePolicy, finding: Finding, tag: int, at: int
) -> list[Finding]:
    """A limit condition of the engine begins or ends."""
    subject = tag, finding.kind
    if finding.edge is Edge.RAISED:
        onset, effective = micros(finding.onset), micros(finding.effective)
        wait = max(policy.grace, policy.over - (effective - onset))
        state.expect(subject, Over(onset, effective + wait, finding.limit, at + wait))
        return []
    if finding.edge is Edge.WORSE or state.over.pop(subject, None) is None:
        return []
    if tag not in state.missed or _unreported(state, policy, tag, at):
        return []
    edge = Edge.CLOSED if finding.edge is Edge.CLOSED else Edge.RETURNED
    begun, end = state.missed.pop(tag), micros(finding.effective)
    return [ended(Kind.UNDERREPORT, tag, begun, end, edge, finding.reason)]


def _unreported(state: EdgeState, policy: EdgePolicy, tag: int, at: int) -> bool:
    """Whether the tag is beyond a limit that the plant did not speak of."""
    return any(
        (tag, kind) in state.over and not _reported(state, policy, (tag, kind), at)
        for kind in LIMITS
    )


def _reported(state: EdgeState, policy: EdgePolicy, subject: Subject, at: int) -> bool:
    """Whether the plant spoke of this condition."""
    tag, kind = subject
    since = state.over[subject].onset - policy.before
    words = [state.words[tag, one] for one in _COUNTS[kind] if (tag, one) in state.words]
    standing = at - policy.standing
    return any(
        word.received >= since or (word.active and word.received >= standing) for word in words
    )


def _due(state: EdgeState, policy: EdgePolicy, readings: Readings, at: int) -> list[Finding]:
    if at < state.next:
        return []
    told = []
    for subject in [subject for subject, over in state.over.items() if over.due <= at]:
        told += _judge(state, policy, readings, subject, at)
    state.next = min((over.due for over in state.over.values()), default=FAR)
    return told


def _judge(
    state: EdgeState, policy: EdgePolicy, readings: Readings, subject: Subject, at: int
) -> list[Finding]:
    """What comes of a condition whose report is due; one that must wait is due again later."""
    tag, kind = subject
    over = state.over[subject]
    value = readings.value(tag)
    wait = 0
    if not readings.speaks(tag, at):
        wait = policy.grace
    elif not _beyond(kind, value, over.limit):
        wait = RECHECK
    if wait:
        over.effective += at + wait - over.due
        over.due = at + wait
        return []
    over.due = FAR
    last = max((state.sending.get(one, 0) for one in readings.senders(tag)), default=0)
    expected = last > 0 and last >= at - policy.sends
    if not expected or tag in state.missed or _reported(state, policy, subject, at):
        return []
    state.missed[tag] = over.onset, over.effective
    return [
        edge_finding(
            Edge.RAISED, Kind.UNDERREPORT, tag, over.onset, over.effective, value, over.limit, kind
        )
    ]


def _beyond(kind: Kind, value: float, limit: float) -> bool:
    """Whether the value is at or beyond the limit; no value, or no limit, ends nothing."""
    if isnan(value) or isnan(limit):
        return True
    return value >= limit if kind in (Kind.H, Kind.HH) else value <= limit
