"""What can happen to an occurrence of an alarm. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.alarms import Flag, Priority
from domain.elapsed import ClockReading, Timer


class Verb(StrEnum):
    """What can happen to an occurrence."""

    RAISE = "raise"
    RETURN = "return"
    WORSEN = "worsen"
    UPGRADE = "upgrade"
    ACKNOWLEDGE = "acknowledge"
    SEE = "see"
    RE_ALARM = "re_alarm"
    RESET = "reset"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    HAND_OVER = "hand_over"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    REMOVE = "remove_from_service"
    PUT_BACK = "return_to_service"
    LOSE = "lose"
    FIND = "find"
    HOLD = "hold"
    JUDGE = "judge"
    CLOSE = "close"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. onset, effective, value: of the finding behind it; by, comment: of
    the person. flag: what a flag says that is set; with a raise `suppressed`, `out_of_service`:
    what it begins under. timer: until it alarms again, of an acknowledgement. auto_ack: the policy
    keeps it for the journal alone. now: of the clock on which timers go on. level: of the desk
    that has seen it, as `domain.alarms.Seen` has it. priority, latching: what it is outside the
    mode that has ended."""

    verb: Verb
    onset: datetime | None = None
    effective: datetime | None = None
    value: float | None = None
    by: str | None = None
    comment: str | None = None
    reason: str = ""
    flag: Flag | None = None
    timer: Timer | None = None
    auto_ack: bool = False
    suppressed: Flag | None = None
    out_of_service: Flag | None = None
    now: ClockReading | None = None
    level: str | None = None
    priority: Priority | None = None
    latching: bool = False
