"""What is remembered of the plant's own reports 边缘端报警, and of what they are held against.

Only tags that are beyond a limit, or that the plant spoke of, have an entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import nan

from domain.alarms import Edge, Finding, Kind
from domain.edge_alarm import EdgeAlarm
from domain.instant import FAR, moment
from domain.plant import Tag
from domain.policy import DIGITAL

Subject = tuple[int, Kind]
"""Tag id, and LL, L, H or HH."""
Begun = tuple[int, int]
"""onset and effective of a condition."""


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that is open at a start, as its occurrence has it."""

    kind: Kind
    tag: int
    onset: datetime
    effective: datetime
    limit: float


@dataclass(slots=True)
class Word:
    """The plant's newest report on a tag and kind. limit: its set point, None = never said."""

    received: int
    active: bool
    limit: float | None


@dataclass(slots=True)
class Over:
    """A limit condition of the engine. due: wall time at which the report must be here, FAR = not
    asked for any more; effective: event time of that moment."""

    onset: int
    effective: int
    limit: float
    due: int


@dataclass(slots=True)
class EdgeState:
    """Owned by the caller, changed in place by `rules.underreport` only. Times in microseconds.

    words, over: by tag and kind. sending: when a gateway last sent an alarm. missed, differing: by
    tag, (onset, effective) of the active UNDERREPORT and THRESHOLD_MISMATCH. next: earliest due.
    """

    words: dict[Subject, Word] = field(default_factory=dict)
    over: dict[Subject, Over] = field(default_factory=dict)
    sending: dict[int, int] = field(default_factory=dict)
    missed: dict[int, Begun] = field(default_factory=dict)
    differing: dict[int, Begun] = field(default_factory=dict)
    next: int = FAR

    def hear(self, alarm: EdgeAlarm, tags: Mapping[int, Tag]) -> None:
        """Take in a report. What a fire or an interlock tag reports is its H, whatever it says."""
        kind, tag = alarm.kind, tags.get(alarm.tag)
        if kind is None and tag is not None and tag.kind in DIGITAL:
            kind = Kind.H
        if kind is None or tag is None:
            return
        self.sending[alarm.gateway] = max(self.sending.get(alarm.gateway, 0), alarm.received)
        before = self.words.get((alarm.tag, kind))
        if before is not None and alarm.received < before.received:
            return
        limit = alarm.limit
        if limit is None and before is not None:
            limit = before.limit
        self.words[alarm.tag, kind] = Word(alarm.received, alarm.active, limit)

    def expect(self, subject: Subject, over: Over) -> None:
        """A report of this condition is due."""
        self.over[subject] = over
        self.next = min(self.next, over.due)


def ended(
    kind: Kind, tag: int, begun: Begun, at: int, edge: Edge = Edge.RETURNED, reason: str = ""
) -> Finding:
    """The end of a condition at `at`, but not before it began to count."""
    onset, effective = begun
    return edge_finding(edge, kind, tag, onset, max(at, effective), reason=reason)


def edge_finding(
    edge: Edge,
    kind: Kind,
    tag: int,
    onset: int,
    effective: int,
    value: float = nan,
    limit: float = nan,
    about: Kind | None = None,
    reason: str = "",
) -> Finding:
    """A finding of these kinds; detail `kind`: the number of the limit that it is about."""
    detail = {} if about is None else {"kind": float(about)}
    return Finding(
        edge, kind, tag, None, moment(onset), moment(effective), value, limit, reason, detail
    )
