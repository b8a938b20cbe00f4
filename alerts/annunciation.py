"""`Annunciation`: an alarm that sounded, as the detectors of noise hear it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alarm_noise import FloodRules
from domain.alarms import Kind, Priority
from domain.risk_facts import Family


@dataclass(frozen=True, slots=True)
class Annunciation:
    """An occurrence became active and unacknowledged, with no flag that mutes it.

    cause: number of its cause group, of its enterprise alone. at: when the desk heard of it.
    onset: by the clock of its sender; order: place within one scan. clock: the gateway whose
    clock that is, None where it is the worker's. path: its node and all above it.
    """

    occurrence: UUID
    kind: Kind
    tag: int | None
    node: int
    enterprise: int
    cause: int
    priority: Priority
    family: Family
    at: datetime
    onset: datetime
    order: int = 0
    clock: int | None = None
    path: tuple[int, ...] = ()


def may_fold(heard: Annunciation, rules: FloodRules) -> bool:
    """Whether a flood may show it under another alarm: P1, gas, fire, HH and LL never."""
    return (
        heard.family is Family.PROCESS
        and heard.priority not in rules.never_priorities
        and heard.kind not in rules.never_kinds
    )
