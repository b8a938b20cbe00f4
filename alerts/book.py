"""`AlarmBook`: the single writer's memory of every open occurrence. Pure: findings and actions in,
transitions out. What people decide, and what timers end, is `alerts.handling`."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from uuid import UUID

from alerts.by_design import LOUD, Silence
from alerts.changes import AUTOMATIC
from alerts.lifecycle import SHELVES_KEPT, Event, Verb, step
from alerts.occurrences import eased, finding_is_newer, fresh, ordinary, outdated, rejoins
from domain import policy
from domain.alarms import (
    ACTIVE,
    Alarm,
    Edge,
    Finding,
    Kind,
    Priority,
    State,
    Transition,
    occurrence_id,
)
from domain.frame import Lane
from domain.plant import Registry, Tag

Subject = tuple[Kind, int]
"""Kind and tag id; kind and node id for kinds that belong to nodes."""

CLOSED_KEPT = 20_000
"""How many closed occurrences are remembered, so that a redelivered sample does not open them
again."""
DOUBTED = timedelta(seconds=2)
"""So long a raise after a restart that is no newer than what the run before knew waits for its
return."""
NOT_JUDGED = "未判定，保持 not judged, so it stays: "
"""How the reason of an occurrence begins that is open because nobody can say whether it is over."""
HEALTH = (Kind.OFFLINE, Kind.SOURCE_OFFLINE, Kind.GATEWAY_OFFLINE)
"""Kinds that say that nothing is heard; by the first two, what is open of their tag or source is
stale."""


def subject(kind: Kind, tag: int | None, node: int | None) -> Subject:
    """The key under which at most one occurrence can be active."""
    return kind, tag if tag is not None else -1 if node is None else node


class AlarmBook:
    """Open occurrences of one shard: at most one active per subject, any number returned but
    unacknowledged.

    `apply` is idempotent for findings that were applied before (after a crash, samples are judged
    again): a raise is recognised by its onset, everything else by there being nothing to change.
    silence: the flags with which an occurrence begins, or begins again.
    """

    def __init__(
        self,
        registry: Registry,
        known: Iterable[Alarm] = (),
        zone: tzinfo = UTC,
        silence: Callable[[Alarm], Silence] = lambda _: LOUD,
    ) -> None:
        self._registry = registry
        self._zone = zone
        self._silence = silence
        self._open: dict[UUID, Alarm] = {}
        self._active: dict[Subject, UUID] = {}
        self._returned: dict[Subject, UUID] = {}
        self._closed: OrderedDict[UUID, Alarm] = OrderedDict()
        self._closed_last: dict[Subject, Alarm] = {}
        self._shelved: dict[Subject, Alarm] = {}
        self._timed: dict[UUID, Alarm] = {}
        for alarm in sorted(known, key=lambda alarm: (alarm.effective, alarm.n)):
            self._keep(alarm)
        self._before = self._newest()
        self._doubted: dict[Subject, tuple[Finding, datetime]] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def registry(self) -> Registry:
        """The reading of the registry in use."""
        return self._registry

    def use_silence(self, silence: Callable[[Alarm], Silence]) -> None:
        """Ask `silence` from now on."""
        self._silence = silence

    def update_registry(self, registry: Registry) -> None:
        """Use another reading of the registry; occurrences of removed tags stay until
        acknowledged."""
        self._registry = registry

    def open(self) -> list[Alarm]:
        """Every occurrence that is not NORM."""
        return list(self._open.values())

    def find(self, id: UUID) -> Alarm | None:
        """An occurrence that is open, shelved, or was closed not long ago."""
        found = self._open.get(id) or self._closed.get(id)
        return found or next((one for one in self._shelved.values() if one.id == id), None)

    def timed(self) -> list[Alarm]:
        """What has a flag, or a timer that runs."""
        return list(self._timed.values())

    def open_of(self, kind: Kind, who: int) -> list[Alarm]:
        """What is open of a kind and a tag, or a node for kinds that belong to nodes: the active
        one, and the newest that has returned."""
        key = kind, who
        ids = (index.get(key) for index in (self._active, self._returned))
        return [self._open[id] for id in ids if id is not None]

    def closed_last(self, kind: Kind, who: int) -> Alarm | None:
        """What was closed last of a kind and a tag, or a node for kinds that belong to nodes."""
        return self._closed_last.get((kind, who))

    def of_subject(self, alarm: Alarm) -> list[Alarm]:
        """It, and what else is open or shelved of the same alarm."""
        key = _key(alarm)
        same = [self._shelved.get(key), self._open.get(self._active.get(key, alarm.id))]
        same += [self._open.get(self._returned.get(key, alarm.id)), alarm]
        return list({one.id: one for one in same if one is not None}.values())

    def change(self, alarm: Alarm, event: Event, at: datetime) -> Transition | None:
        """Apply one event to an occurrence of this book; None where the table has no row."""
        after, transition = step(alarm, event, at)
        if transition is not None:
            self._keep(after)
        return transition

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
        done: list[Transition] = list(self._settled(at))
        for finding in findings:
            key = subject(finding.kind, finding.tag, finding.node)
            if key in newest and finding.effective <= newest[key]:
                continue
            done += self._one(key, finding, at)
        return done + self._held(done, at) if done else done

    def hold(self, unjudged: Mapping[Subject, str], at: datetime) -> list[Transition]:
        """Mark exactly these active conditions as not judged, each with its reason."""
        done: list[Transition] = []
        for key, id in list(self._active.items()):
            alarm, why = self._open[id], unjudged.get(key)
            reason = "" if why is None else NOT_JUDGED + why
            if reason == alarm.reason or (not reason and not alarm.reason.startswith(NOT_JUDGED)):
                continue
            verb = Verb.HOLD if reason else Verb.JUDGE
            transition = self.change(alarm, Event(verb, reason=reason), at)
            assert transition is not None, "what is active can be held"
            done.append(transition)
        return done

    def _one(self, key: Subject, finding: Finding, at: datetime) -> Iterator[Transition]:
        if finding.edge is Edge.RAISED:
            if key not in self._active and not self._doubts(key, finding, at):
                yield from self._raise(key, finding, at)
            return
        if key in self._doubted:
            yield from self._proved(key, finding, at)
        active = self._active.get(key)
        if active is None or outdated(self._open[active], finding):
            return
        event = Event(
            _VERBS[finding.edge],
            effective=finding.effective,
            value=finding.value,
            reason=finding.reason,
        )
        transition = self.change(self._open[active], event, at)
        if transition is not None:
            yield transition

    def _doubts(self, key: Subject, raised: Finding, at: datetime) -> bool:
        """Whether a raise may be one of several that an earlier run made known, and whose samples
        come again because it was killed before they were stored.

        Then its return, which was known, too, follows at once. If none does, it is raised after
        `DOUBTED`: a wall clock set back between two runs must silence nothing.
        """
        if key not in self._before or finding_is_newer(raised, self._before[key]):
            self._before.pop(key, None)
            return False
        self._doubted[key] = raised, at
        return True

    def _proved(self, key: Subject, finding: Finding, at: datetime) -> Iterator[Transition]:
        """What becomes of a doubted raise with the next finding of its subject."""
        raised, _ = self._doubted[key]
        if finding_is_newer(finding, self._before[key]):
            del self._doubted[key], self._before[key]
            yield from self._raise(key, raised, at)
        elif finding.edge is not Edge.WORSE:
            del self._doubted[key]

    def _settled(self, at: datetime) -> Iterator[Transition]:
        for key, (raised, since) in list(self._doubted.items()):
            if at - since >= DOUBTED:
                del self._doubted[key], self._before[key]
                yield from self._raise(key, raised, at)

    def _raise(self, key: Subject, finding: Finding, at: datetime) -> Iterator[Transition]:
        id = occurrence_id(Lane.LIVE, key[1], finding.kind, finding.onset)
        before = self._returned.get(key)
        if id in self._closed:
            return
        alarm = None if before is None else self._open[before]
        if alarm is not None and finding.onset in (alarm.onset, alarm.onset_last):
            return
        shelf = self._shelved.get(key)
        if alarm is None or not rejoins(alarm, finding.effective):
            alarm, handed = self._begin(id, finding, alarm, at)
            yield from handed
        transition = self.change(*self._raising(alarm, finding), at)
        if transition is not None:
            yield transition
            yield from self._back(transition.alarm, shelf, at)

    def _raising(self, alarm: Alarm, finding: Finding) -> tuple[Alarm, Event]:
        """The occurrence with the priority that it has in this mode, and how it begins."""
        tag, begins = self._tag(alarm), alarm.n == 0
        plain = ordinary(alarm, tag)
        begun = replace(plain, onset_last=finding.onset, effective=finding.effective, ended=None)
        silence, own = self._silence(begun), policy.of(tag, finding.kind)
        if begins or alarm.eased is not None:
            alarm = eased(plain, tag, silence.eased)
        return alarm, Event(
            Verb.RAISE,
            onset=finding.onset,
            effective=finding.effective,
            auto_ack=own.auto_ack and plain.priority is not Priority.P1,
            suppressed=silence.suppressed,
            out_of_service=silence.out_of_service,
        )

    def _begin(
        self, id: UUID, finding: Finding, before: Alarm | None, at: datetime
    ) -> tuple[Alarm, list[Transition]]:
        """A new occurrence; a shelf goes over to it, from a closed one as a transition of that."""
        alarm = fresh(self._registry, self._zone, id, finding)
        if before is not None and before.state is State.RTNUN:
            alarm = replace(alarm, chatter=before.chatter + 1)
        last = self._shelved.get(_key(alarm))
        if last is None:
            return alarm, []
        recent = tuple(when for when in last.shelves if at - when < SHELVES_KEPT)
        alarm = replace(alarm, shelved=last.shelved, shelves=recent)
        handed = None
        if last.state is State.NORM:
            handed = self.change(last, Event(Verb.HAND_OVER, reason=str(id)), at)
        return alarm, [] if handed is None else [handed]

    def _back(self, alarm: Alarm, shelf: Alarm | None, at: datetime) -> Iterator[Transition]:
        """No shelf of what was less urgent, `shelf`, silences it."""
        if shelf is not None and alarm.shelved is not None and alarm.priority < shelf.priority:
            back = self.change(alarm, Event(Verb.UNSHELVE, by=AUTOMATIC), at)
            assert back is not None, "what is shelved can come back"
            yield back

    def _tag(self, alarm: Alarm) -> Tag | None:
        return None if alarm.tag is None else self._registry.tags.get(alarm.tag)

    def _held(self, done: Iterable[Transition], at: datetime) -> list[Transition]:
        """Mark as stale what is open of tags and sources of which nothing is heard (#22), and mark
        it no more where something is. Looks at what `done` may have changed."""
        touched = [change.alarm.id for change in done]
        if any(change.alarm.kind in HEALTH for change in done):
            touched = list(self._open)
        found = []
        for id in dict.fromkeys(touched):
            alarm = self._open.get(id)
            if alarm is None or alarm.kind in HEALTH:
                continue
            silent = (Kind.OFFLINE, alarm.tag) in self._active
            silent |= (Kind.SOURCE_OFFLINE, alarm.node) in self._active
            if silent != alarm.stale:
                found.append(self.change(alarm, Event(Verb.LOSE if silent else Verb.FIND), at))
        return [transition for transition in found if transition is not None]

    def _newest(self) -> dict[Subject, datetime]:
        newest: dict[Subject, datetime] = {}
        for alarm in (*self._open.values(), *self._closed.values()):
            key = subject(alarm.kind, alarm.tag, alarm.node)
            last = max(alarm.effective, alarm.ended or alarm.effective)
            newest[key] = max(newest.get(key, last), last)
        return newest

    def _keep(self, alarm: Alarm) -> None:
        key = _key(alarm)
        for index in (self._active, self._returned):
            if index.get(key) == alarm.id:
                del index[key]
        self._keep_flags(key, alarm)
        if alarm.state is State.NORM:
            self._open.pop(alarm.id, None)
            self._closed[alarm.id] = self._closed_last[key] = alarm
            if len(self._closed) > CLOSED_KEPT:
                self._closed.popitem(last=False)
            return
        self._open[alarm.id] = alarm
        index = self._active if alarm.state in ACTIVE else self._returned
        index[key] = alarm.id

    def _keep_flags(self, key: Subject, alarm: Alarm) -> None:
        if alarm.is_silent or alarm.re_alarm is not None or alarm.eased is not None:
            self._timed[alarm.id] = alarm
        else:
            self._timed.pop(alarm.id, None)
        last = self._shelved.get(key)
        if alarm.shelves and (last is None or last.effective <= alarm.effective):
            self._shelved[key] = alarm
        elif last is not None and last.id == alarm.id:
            del self._shelved[key]


_VERBS = {Edge.RETURNED: Verb.RETURN, Edge.WORSE: Verb.WORSEN, Edge.CLOSED: Verb.CLOSE}


def _key(alarm: Alarm) -> Subject:
    return subject(alarm.kind, alarm.tag, alarm.node)
