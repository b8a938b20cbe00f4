"""Warning cases 预警: one per hazard source and time away from blue, and the rungs of their ladder.

A case is not an alarm: one case refers to many occurrences.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID, uuid5

from domain.alarms import NAMESPACE
from domain.elapsed import ClockReading as ClockReading
from domain.elapsed import Timer
from domain.risk import Colour

RUNGS = 200
"""How many rungs of a case are told with it, the newest; an ordinary case has some twenty."""


class Level(IntEnum):
    """Who answers for a warning, from the plant upwards.

    The names are those of node kinds; numbers are stored and never reused. FIRE is the liaison of
    fire and rescue, beside the ladder: its 签收 speaks for nobody else.
    """

    ENTERPRISE = 0
    PARK = 1
    COUNTY = 2
    CITY = 3
    PROVINCE = 4
    FIRE = 5


class CaseState(StrEnum):
    """How far the loop 闭环 has come since the colour last rose.

    OPEN 待签收: nobody has signed. RECEIVED 待处置: signed. HANDLED 待反馈: somebody deals with it.
    FED_BACK 待审核: what was done is reported. REVIEWED 待销警: a second person has approved that.
    SETTLED 待恢复: the loop is complete, the source not yet blue. CLOSED 已销警.
    """

    OPEN = "open"
    RECEIVED = "received"
    HANDLED = "handled"
    FED_BACK = "fed_back"
    REVIEWED = "reviewed"
    SETTLED = "settled"
    CLOSED = "closed"


class ClosingKind(StrEnum):
    """What a case has turned out to be 销警类型 (domain.md 4.8 rule 7).

    REAL 真实处置, FALSE_ALARM 误报, MAINTENANCE 检维修/标定.
    """

    REAL = "real"
    FALSE_ALARM = "false_alarm"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The newest 签收 of one level: by whom, at which colour, as which transition of the case."""

    level: Level
    by: str
    at: datetime
    colour: Colour
    n: int
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a feedback names. type: media type; size: bytes; sha256: in hex."""

    id: UUID
    name: str
    type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody's part in the loop: who, when, as which transition of the case, for which level."""

    by: str
    at: datetime
    n: int
    level: Level
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """处置反馈: what was done, and the evidence of it. colour: the source's then.

    reading: what somebody measured; person: who was on the spot.
    """

    by: str
    at: datetime
    n: int
    level: Level
    colour: Colour
    text: str = ""
    reading: str = ""
    person: str = ""
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """销警: of which kind, and why. second: who else said so, where two persons have to."""

    kind: ClosingKind
    by: str
    at: datetime
    n: int
    level: Level
    reason: str | None = None
    second: str | None = None
    second_at: datetime | None = None


class DrillEnd(StrEnum):
    """How a drill 演练 came to its end.

    DONE: its loop was complete. PERSON: somebody ended it. TIME: its time was over. REAL 真实险情:
    it was broken off, for the source left blue in earnest.
    """

    DONE = "done"
    PERSON = "person"
    TIME = "time"
    REAL = "real"


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill 演练 supposes, and who ordered it, for which level.

    until: its end by the wall clock, for people; `timer` decides. end: None while it goes on.
    """

    colour: Colour
    by: str
    level: Level
    until: datetime
    timer: Timer
    comment: str | None = None
    end: DrillEnd | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """How far people have come since the last rise; a rise begins it anew.

    rose, rose_to: when the colour last rose, and to which: the deadlines count from there. feeders:
    who fed back since. said: digests of all evidence of the case, so that a repeat is known.
    review: the approval. closing: decided, or proposed by the first of two persons. verified: 核实,
    who has found that the present red is so. gas_l2: a GAS_L2 was among its alarms. drill: what it
    supposes, None: the case is real; no rise ends it.
    """

    rose: datetime | None = None
    rose_to: Colour = Colour.BLUE
    handled: Deed | None = None
    feedback: Feedback | None = None
    feeders: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    review: Deed | None = None
    closing: Closing | None = None
    gas_l2: bool = False
    drill: Drill | None = None
    verified: Deed | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What the risk model says of a source: its colour, whether it is unknown (an axis of its own).

    alarms: the occurrences behind the colour; gas_l2: one of them is a GAS_L2; p1: those of P1,
    asked for where people have answered already. effective: the instant that was judged.
    """

    source: int
    enterprise: int
    colour: Colour
    effective: datetime
    unknown: bool = False
    alarms: tuple[UUID, ...] = ()
    gas_l2: bool = False
    p1: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """The `number`-th case of a source, n counts its transitions. Drills 演练 count from -1
    downwards, so that they take no number from a real case.

    colour: the source's now; worst: since the case was opened. left_blue, risen: numbers of the
    transitions with which the source last left blue, and last rose. receipts: at most one for each
    level, the newest. seen: effective time of the newest sight inside. released: when a person gave
    the present red free.
    """

    id: UUID
    source: int
    number: int
    enterprise: int
    state: CaseState
    colour: Colour
    worst: Colour
    opened: datetime
    seen: datetime
    unknown: bool = False
    n: int = 0
    left_blue: int = 0
    risen: int = 0
    receipts: tuple[Receipt, ...] = ()
    alarms: tuple[UUID, ...] = ()
    released: datetime | None = None
    released_by: str | None = None
    closed: datetime | None = None
    loop: Loop = Loop()
    score: float | None = None
    """D when this transition was made; its journal keeps it, the row of the case does not."""
    model: str = ""
    """Version of the risk model that said so."""

    @property
    def drill(self) -> Drill | None:
        """What it supposes where it is a drill 演练, None: it is real."""
        return self.loop.drill


@dataclass(frozen=True, slots=True)
class CaseTransition:
    """A case changed. `case` is what it is now; (case.id, case.n) identifies the change.

    colour: the source's before it.
    """

    case: Case
    source: CaseState
    target: CaseState
    event: str
    colour: Colour
    at: datetime
    by: str | None = None
    comment: str | None = None


class Duty(StrEnum):
    """What a rung waits for.

    RECEIVE: a 签收. FEEDBACK: the first 处置反馈. CLOSE: the whole loop. EXPLAIN: another feedback,
    again and again while red lasts longer than it should. VERIFY: the 核实 of a red.
    """

    RECEIVE = "receive"
    FEEDBACK = "feedback"
    CLOSE = "close"
    EXPLAIN = "explain"
    VERIFY = "verify"


class Outcome(StrEnum):
    """What became of a rung.

    TOLD: its role was notified. RECEIVED: a 签收 came first. ANSWERED: the feedback, the closing or
    the 核实 that it waits for came first. SUPERSEDED: a rise told the role sooner. WITHDRAWN: the
    source was back at blue, or red is over.
    """

    WAITING = "waiting"
    TOLD = "told"
    RECEIVED = "received"
    ANSWERED = "answered"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One rung of one case's ladder: a role that is to be told, and when.

    no: counts the rungs of the case; n: the transition that set it up. after_s: seconds without
    what `duty` asks for, 0 = at once. due: wall time, for people. The timer itself is `left_s`
    seconds still to go at `mark`. done: when it came to its outcome; by: who stopped it. Once told:
    clock, since: the level whose silence it stands for and the transition from which that silence
    counts (of other duties than 签收: None, and the transition after which it was told); unnamed:
    the role had no address.
    """

    case: UUID
    no: int
    n: int
    colour: Colour
    role: str
    level: Level
    after_s: float
    due: datetime
    left_s: float
    mark: ClockReading
    outcome: Outcome = Outcome.WAITING
    done: datetime | None = None
    by: str | None = None
    clock: Level | None = None
    since: int | None = None
    unnamed: bool = False
    duty: Duty = Duty.RECEIVE


def case_id(source: int, number: int) -> UUID:
    """The id of the `number`-th case of a source, on the wire and in the tables."""
    return uuid5(NAMESPACE, f"case/{source}/{number}")
