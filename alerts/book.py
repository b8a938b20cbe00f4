"""`AlarmBook`: the single writer's memory of every open occurrence. Pure: findings and actions in,
transitions out."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from math import isnan
from uuid import UUID

from alerts import text
from alerts.lifecycle import Event, Verb, step
from domain import policy
from domain.alarms import (
    ActionDone,
    Alarm,
    Edge,
    Finding,
    Kind,
    OperatorAction,
    Priority,
    State,
    Transition,
    occurrence_id,
)
from domain.frame import Lane
from domain.instant import rfc3339
from domain.plant import Registry

Subject = tuple[Kind, int]
"""Kind and tag id; kind and node id for kinds that belong to nodes."""

CLOSED_KEPT = 20_000
"""How many closed occurrences are remembered, so that a redelivered sample does not open them
again."""
NOT_JUDGED = "未判定，保持 not judged, so it stays: "
"""How the reason of an occurrence begins that is open because nobody can say whether it is over."""


def subject(kind: Kind, tag: int | None, node: int | None) -> Subject:
    """The key under which at most one occurrence can be active."""
    return kind, tag if tag is not None else -1 if node is None else node


class AlarmBook:
    """Open occurrences of one shard: at most one active per subject, any number returned but
    unacknowledged.

    `apply` is idempotent for findings that were applied before (after a crash, samples are judged
    again): a raise is recognised by its onset, everything else by there being nothing to change.
    """

    def __init__(self, registry: Registry, known: Iterable[Alarm] = (), zone: tzinfo = UTC) -> None:
        self._registry = registry
        self._zone = zone
        self._open: dict[UUID, Alarm] = {}
        self._active: dict[Subject, UUID] = {}
        self._returned: dict[Subject, UUID] = {}
        self._closed: OrderedDict[UUID, Alarm] = OrderedDict()
        for alarm in sorted(known, key=lambda alarm: (alarm.effective, alarm.n)):
            self._keep(alarm)

    def __len__(self) -> int:
        return len(self._open)

    def update_registry(self, registry: Registry) -> None:
        """Use another reading of the registry; occurrences of removed tags stay until
        acknowledged."""
        self._registry = registry

    def open(self) -> list[Alarm]:
        """Every occurrence that is not NORM."""
        return list(self._open.values())

    def active(self) -> list[tuple[Kind, int, datetime]]:
        """(kind, tag or node id, onset of the newest activation) of every active condition."""
        held = ((kind, who, self._open[id]) for (kind, who), id in self._active.items())
        return [(kind, who, alarm.onset_last or alarm.onset) for kind, who, alarm in held]

    def ended(self) -> list[tuple[Kind, int, datetime]]:
        """(kind, tag or node id, time) when what is not active ended last, as far as is known."""
        last: dict[Subject, datetime] = {}
        for alarm in (*self._open.values(), *self._closed.values()):
            key = subject(alarm.kind, alarm.tag, alarm.node)
            if alarm.ended is not None and key not in self._active:
                last[key] = max(last.get(key, alarm.ended), alarm.ended)
        return [(kind, who, when) for (kind, who), when in last.items()]

    def apply(
        self, findings: Iterable[Finding], at: datetime, *, again: bool = False
    ) -> list[Transition]:
        """The transitions that these findings make, in order.

        again: stored samples are being judged again after a crash; a finding that is not newer than
        what the book already knows of its subject changes nothing.
        """
        newest = self._newest() if again else {}
        done: list[Transition] = []
        for finding in findings:
            key = subject(finding.kind, finding.tag, finding.node)
            if key in newest and finding.effective <= newest[key]:
                continue
            transition = self._one(key, finding, at)
            if transition is not None:
                self._keep(transition.alarm)
                done.append(transition)
        return done

    def hold(self, unjudged: Mapping[Subject, str], at: datetime) -> list[Transition]:
        """Mark exactly these active conditions as not judged, each with its reason."""
        done: list[Transition] = []
        for key, id in list(self._active.items()):
            alarm, why = self._open[id], unjudged.get(key)
            reason = "" if why is None else NOT_JUDGED + why
            if reason == alarm.reason or (not reason and not alarm.reason.startswith(NOT_JUDGED)):
                continue
            verb = Verb.HOLD if reason else Verb.JUDGE
            _, transition = step(alarm, Event(verb, reason=reason), at)
            assert transition is not None, "what is active can be held"
            self._keep(transition.alarm)
            done.append(transition)
        return done

    def acknowledge(
        self, action: OperatorAction, at: datetime
    ) -> tuple[ActionDone, Transition | None]:
        """Apply an acknowledgement; a second one is told who was first, and refused only if there
        is no such alarm."""
        alarm = self._open.get(action.target) or self._closed.get(action.target)
        if alarm is None:
            detail = f"no open alarm {action.target} here; it may have been closed long ago"
            return ActionDone(action.id, at, {"refused": {"status": 404, "detail": detail}}), None
        event = Event(Verb.ACKNOWLEDGE, by=action.by, comment=action.comment)
        after, transition = step(alarm, event, at)
        if transition is None:
            first = alarm.acknowledged_at
            already = {"by": alarm.acknowledged_by, "at": rfc3339(first) if first else None}
            return ActionDone(action.id, at, {"already": already}), None
        self._keep(after)
        told = {
            "from": transition.source.value,
            "to": transition.target.value,
            "at": rfc3339(at),
            "by": action.by,
        }
        return ActionDone(action.id, at, {"transition": told}), transition

    def _one(self, key: Subject, finding: Finding, at: datetime) -> Transition | None:
        active = self._active.get(key)
        if finding.edge is Edge.RAISED:
            return None if active is not None else self._raise(key, finding, at)
        if active is None or _outdated(self._open[active], finding):
            return None
        event = Event(
            _VERBS[finding.edge],
            effective=finding.effective,
            value=finding.value,
            reason=finding.reason,
        )
        return step(self._open[active], event, at)[1]

    def _raise(self, key: Subject, finding: Finding, at: datetime) -> Transition | None:
        event = Event(Verb.RAISE, onset=finding.onset, effective=finding.effective)
        id = occurrence_id(Lane.LIVE, key[1], finding.kind, finding.onset)
        before = self._returned.get(key)
        if id in self._closed:
            return None
        if before is not None:
            alarm = self._open[before]
            if finding.onset in (alarm.onset, alarm.onset_last):
                return None
            if alarm.ended is not None and _soon(alarm.ended, finding.effective):
                return step(alarm, event, at)[1]
        return step(self._begin(id, finding), event, at)[1]

    def _begin(self, id: UUID, finding: Finding) -> Alarm:
        registry = self._registry
        if finding.tag is not None:
            tag = registry.tags[finding.tag]
            node, enterprise = tag.source, tag.enterprise
            priority = policy.priority(tag, finding.kind)
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
            text=text.sentence(registry, finding, self._zone),
        )

    def _newest(self) -> dict[Subject, datetime]:
        newest: dict[Subject, datetime] = {}
        for alarm in (*self._open.values(), *self._closed.values()):
            key = subject(alarm.kind, alarm.tag, alarm.node)
            last = max(alarm.effective, alarm.ended or alarm.effective)
            newest[key] = max(newest.get(key, last), last)
        return newest

    def _keep(self, alarm: Alarm) -> None:
        key = subject(alarm.kind, alarm.tag, alarm.node)
        for index in (self._active, self._returned):
            if index.get(key) == alarm.id:
                del index[key]
        if alarm.state is State.NORM:
            self._open.pop(alarm.id, None)
            self._closed[alarm.id] = alarm
            if len(self._closed) > CLOSED_KEPT:
                self._closed.popitem(last=False)
            return
        self._open[alarm.id] = alarm
        index = self._returned if alarm.state is State.RTNUN else self._active
        index[key] = alarm.id


_VERBS = {Edge.RETURNED: Verb.RETURN, Edge.WORSE: Verb.WORSEN, Edge.CLOSED: Verb.CLOSE}


def _outdated(alarm: Alarm, finding: Finding) -> bool:
    """Whether a finding about an active occurrence says nothing new of it.

    After a crash samples may be judged again that were judged before it, and a return may turn up
    that is older than the raise that followed it. (Silence counts in received time, so there the
    event time of a return proves nothing.)
    """
    if finding.edge is Edge.WORSE:
        return not _worse(alarm, finding.value)
    timed = finding.kind not in (Kind.OFFLINE, Kind.SOURCE_OFFLINE)
    return finding.edge is Edge.RETURNED and timed and finding.effective < alarm.effective


def _worse(alarm: Alarm, value: float) -> bool:
    """Whether `value` lies further beyond the limit than the worst so far."""
    if isnan(alarm.worst):
        return True
    if alarm.kind is Kind.ROC:
        return abs(value) > abs(alarm.worst)
    return value < alarm.worst if alarm.kind in (Kind.LL, Kind.L) else value > alarm.worst


def _soon(ended: datetime, again: datetime) -> bool:
    return (again - ended).total_seconds() < policy.number("rejoin", "seconds")
