"""Alarms: what the rules find, what an occurrence is, how it changes (ISA-18.2, OPC UA Part 9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID, uuid5

from domain.elapsed import Timer
from domain.frame import Lane
from domain.instant import micros

NAMESPACE = UUID("6f1d6c1e-6a2b-5f0e-9a57-5b1f4e0c9d11")
"""Root of every deterministic id of hazwatch."""


class Kind(IntEnum):
    """Which rule speaks.

    The name is what the wire and the tables carry; numbers are stored and never reused.
    """

    LL = 0
    L = 1
    H = 2
    HH = 3
    ROC = 4
    OFFLINE = 5
    SOURCE_OFFLINE = 6
    PREDICT = 7
    """HH or LL will be reached within the operator's action time."""
    CHANGE = 8
    """The value left its own habit."""
    FROZEN = 9
    NOISE = 10
    DRIFT = 11
    """It went away from the other gauges of its redundancy group."""
    CLIPPED = 12
    """It stays just below H, as if cut off there."""
    COPIED = 13
    """It repeats what it said a day before."""
    INTERMITTENT = 14
    """Gas that comes and goes above its background."""
    PCA = 15
    """A group of tags moves as it never did."""
    VOTE = 16
    """M of the N members of a group agree."""
    VOTE_UNKNOWN = 17
    """No member of a voting group is good."""
    COMPOSITE = 18
    """A written rule over several tags holds."""
    COMPOSITE_UNKNOWN = 19
    """A written rule can't be decided."""
    INVENTORY = 20
    """More than the designed amount 超设计量储存."""
    BALANCE = 21
    """Level and flows of a vessel contradict each other."""
    UNDERREPORT = 22
    """The plant sent no alarm for what is over its limit 漏报."""
    THRESHOLD_MISMATCH = 23
    """The plant's set point is not the registered one."""
    DETECTOR_FAULT = 24
    """A gas or fire detector sends its fault signal, or fell silent in or just after an alarm."""
    INGEST_LAG = 25
    """What an enterprise sends is judged later than it should be 接入滞后."""
    NO_ROOM = 26
    """Nothing more can be made durable: neither the database nor the local disk takes it."""
    SELF_TEST = 27
    """A breach that hazwatch makes itself did not come through, twice in a row 自检失败."""
    GATEWAY_OFFLINE = 28
    """Nothing is heard of all tags of a gateway 网关失联, and no SOURCE_OFFLINE says as much. Its
    subject is the first of these tags, by id."""


OF_NODES = frozenset(
    {
        Kind.SOURCE_OFFLINE,
        Kind.PCA,
        Kind.VOTE,
        Kind.VOTE_UNKNOWN,
        Kind.COMPOSITE,
        Kind.COMPOSITE_UNKNOWN,
        Kind.INVENTORY,
        Kind.BALANCE,
        Kind.INGEST_LAG,
        Kind.NO_ROOM,
        Kind.SELF_TEST,
    }
)
"""Kinds whose subject is a node of the tree; that of all others is a tag."""


class Edge(IntEnum):
    """What happened to a condition."""

    RETURNED = 0
    RAISED = 1
    WORSE = 2
    """Still active, the worst value so far rose (fell, for low limits)."""
    CLOSED = 3
    """The tag left the plan; `reason` says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One edge of one condition of one tag, or of one node of the tree.

    onset: event time at which the condition began (for OFFLINE the last good sample). For RETURNED
    it names the occurrence that ends, so it is the onset of the raise. effective: event time at
    which the delay ran out, or the value came back. value: the reading that decided, NaN = none.
    limit: the limit crossed, NaN = none. detail: further numbers by name, in the tag's unit, in
    seconds, or as instants in microseconds since 1970 UTC; the module of the kind says which.
    """

    edge: Edge
    kind: Kind
    tag: int | None
    node: int | None
    onset: datetime
    effective: datetime
    value: float
    limit: float
    reason: str = ""
    detail: Mapping[str, float] = field(default_factory=dict)


class Priority(StrEnum):
    """P1 urgent 紧急, P2 high 高, P3 medium 中, P4 low 低.

    Colours belong to sources and cases, never to alarms.
    """

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class State(StrEnum):
    """Process state of an occurrence (domain.md 5.1: A to F)."""

    NORM = "NORM"
    UNACK = "UNACK"
    ACKED = "ACKED"
    RTNUN = "RTNUN"
    LATUN = "LATUN"
    """The condition is gone, the alarm is kept until it is acknowledged and reset."""
    LATAC = "LATAC"
    """Acknowledged, and kept until it is reset."""


ACTIVE = frozenset({State.UNACK, State.ACKED})
"""The condition holds."""
LATCHED = frozenset({State.LATUN, State.LATAC})
"""The condition is gone, nobody has reset it."""
WAITING = frozenset({State.UNACK, State.RTNUN, State.LATUN})
"""Somebody has to acknowledge it."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Why an alarm is silent: shelved, suppressed by design, or out of service.

    since, until: wall time, for people; `timer` is what counts, None = until somebody or its rule
    ends it. by: the person, or the issuer of the permit or mode; second: the second person. rule:
    what it rests on, such as `permit:` or `mode:` with the id of the input; "" = a person's word.
    """

    since: datetime
    until: datetime | None
    by: str
    why: str
    second: str | None = None
    rule: str = ""
    timer: Timer | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """已阅: a desk above the enterprise has looked at an occurrence. level: the name of its
    `domain.cases.Level` in small letters."""

    level: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """One occurrence 一次报警: one activation of one condition, from onset to close.

    n counts its transitions. onset and effective are event times; acknowledged_at and closed are
    the worker's. worst: the worst value while active. onset_last: onset of the newest activation,
    where the condition came back soon enough to rejoin this occurrence. latching: it is kept after
    its condition has gone until somebody resets it, as the policy said when it began. stale: its
    source is silent or bad, so the condition is held.

    shelved, suppressed, out_of_service: the flags; they gate annunciation, never state. shelves:
    when it was shelved within the last day. eased: the mode by which it began less urgent than it
    is outside; it silences nothing. re_alarms: how often the timer `re_alarm` brought it back
    unacknowledged. chatter: how often the condition came back before anybody acknowledged.
    answered_s: seconds for which it was acknowledged before it had to be again. seen: the newest
    已阅 of each level above the enterprise.
    """

    id: UUID
    lane: Lane
    kind: Kind
    tag: int | None
    node: int
    enterprise: int
    priority: Priority
    state: State
    onset: datetime
    effective: datetime
    value: float
    limit: float
    worst: float
    n: int = 0
    ended: datetime | None = None
    closed: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    comment: str | None = None
    reason: str = ""
    text: str = ""
    onset_last: datetime | None = None
    latching: bool = False
    stale: bool = False
    shelved: Flag | None = None
    suppressed: Flag | None = None
    out_of_service: Flag | None = None
    shelves: tuple[datetime, ...] = ()
    re_alarm: Timer | None = None
    re_alarms: int = 0
    chatter: int = 0
    answered_s: float = 0.0
    seen: tuple[Seen, ...] = ()
    eased: Flag | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that are set, as on the wire."""
        said = {name: getattr(self, name) for name in (*SILENCING, "stale")}
        return tuple(name for name, value in said.items() if value)

    @property
    def is_silent(self) -> bool:
        """Whether a flag keeps it from being annunciated."""
        return any(getattr(self, name) is not None for name in SILENCING)


SILENCING = ("shelved", "suppressed", "out_of_service")
"""The flags that gate annunciation."""


@dataclass(frozen=True, slots=True)
class Transition:
    """An occurrence changed.

    `alarm` is what it is now; (alarm.id, alarm.n) identifies the change.
    """

    alarm: Alarm
    source: State
    target: State
    event: str
    at: datetime
    by: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """What a person decided: the api records it, the worker that owns the enterprise applies it.

    verb: acknowledge, see, shelve, unshelve, reset, remove_from_service or return_to_service (of an
    occurrence), receive or release (of a warning case). level: the `domain.cases.Level` that the
    person speaks for, of see and of a warning case. detail: what else the verb needs, by name; of
    shelve `until` (RFC 3339) and `second`, of remove_from_service `permit` and `second`.
    """

    id: UUID
    verb: str
    target: UUID
    by: str
    comment: str | None
    at: datetime
    level: int | None = None
    detail: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that has to reach somebody: at least once, recognisable by its id.

    occurrence: of an alarm, or the id of a warning case; then `step` is the rung of its ladder.
    person: code of whom it is for; ways: all (channel, recipient) by which he can be reached, in
    the order in which they are tried; empty: the one way of channel and recipient.
    """

    id: UUID
    occurrence: UUID
    channel: str
    recipient: str
    body: dict[str, object]
    created: datetime
    step: int | None = None
    person: str | None = None
    ways: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event of the live stream; the store gives it its place in the sequence.

    type: alarm, warning, risk or system. `body` is the JSON that the wire carries (`data:` of the
    stream).
    """

    id: UUID
    type: str
    at: datetime
    enterprise: int | None
    node: int | None
    tag: int | None
    body: dict[str, object]


@dataclass(frozen=True, slots=True)
class ActionDone:
    """What became of an operator's action.

    `result`: {"transition": …}, {"already": …} or {"refused": …}.
    """

    id: UUID
    at: datetime
    result: dict[str, object]


def occurrence_id(lane: Lane, subject: int, kind: Kind, onset: datetime) -> UUID:
    """The id of an occurrence: the same for the same condition, however often it is found.

    `subject` is a tag id, or a node id for kinds that belong to nodes.
    """
    return uuid5(NAMESPACE, f"occurrence/{lane.value}/{subject}/{kind.name}/{micros(onset)}")


def event_id(occurrence: UUID, n: int) -> UUID:
    """The id of the event that the n-th transition of an occurrence puts on the wire."""
    return uuid5(NAMESPACE, f"event/{occurrence}/{n}")


def notice_id(occurrence: UUID, n: int, step: str, recipient: str, channel: str) -> UUID:
    """The id of a notice, so that a repeat is known as one."""
    return uuid5(NAMESPACE, f"notice/{occurrence}/{n}/{step}/{recipient}/{channel}")
