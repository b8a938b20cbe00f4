"""Warning cases 预警: one per hazard source and time away from blue, and the rungs of their ladder.

A case is not an alarm: one case refers to many occurrences.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID, uuid5

from domain.alarms import NAMESPACE
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
    """How far the loop has come. OPEN: nobody has signed (签收) since the colour last rose."""

    OPEN = "open"
    RECEIVED = "received"
    CLOSED = "closed"


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
class Sight:
    """What the risk model says of a source: its colour, whether it is unknown (an axis of its own).

    alarms: the occurrences behind the colour. effective: the instant that was judged.
    """

    source: int
    enterprise: int
    colour: Colour
    effective: datetime
    unknown: bool = False
    alarms: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """The `number`-th case of a source, n counts its transitions.

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


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a worker's clock said.

    elapsed: monotonic seconds, comparable between readings of the same `boot` only (the machine's
    boot id, so that a restarted process goes on reckoning on the same line).
    """

    at: datetime
    elapsed: float
    boot: str


class Outcome(StrEnum):
    """What became of a rung.

    TOLD: its role was notified. RECEIVED: a 签收 came first. SUPERSEDED: a rise told the role
    sooner. WITHDRAWN: the source was back at blue.
    """

    WAITING = "waiting"
    TOLD = "told"
    RECEIVED = "received"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One rung of one case's ladder: a role that is to be told, and when.

    no: counts the rungs of the case; n: the transition (a rise) that set it up. after_s: seconds
    without 签收, 0 = at once. due: wall time, for people. The timer itself is `left_s` seconds
    still to go at `mark`. done: when it came to its outcome; by: whose 签收 stopped it. Once told:
    clock, since: the level whose silence it stands for and the transition from which that silence
    counts; unnamed: the role had no address.
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


def case_id(source: int, number: int) -> UUID:
    """The id of the `number`-th case of a source, on the wire and in the tables."""
    return uuid5(NAMESPACE, f"case/{source}/{number}")
