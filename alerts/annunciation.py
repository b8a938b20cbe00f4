"""`Annunciation`: an alarm that sounded, as the detectors of noise hear it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alarm_noise import FloodRules
from domain.alarms import Kind, Priority
from domain.risk_facts import Family

GATEWAYS = 1 << 40
"""Causes that are gateways: beyond all ids of nodes, which the others are."""
LOST = frozenset({Kind.SOURCE_OFFLINE, Kind.GATEWAY_OFFLINE})
"""Kinds that have others under them, in a flood or not."""
ALONE = LOST | {Kind.INGEST_LAG, Kind.NO_ROOM, Kind.SELF_TEST}
"""What is lost has others under it; what hazwatch says of itself has no cause in the plant."""


@dataclass(frozen=True, slots=True)
class Annunciation:
    """An occurrence became active and unacknowledged, with no flag that mutes it.

    cause: number of its cause group, of its enterprise alone. at: when the desk heard of it.
    onset: by the clock of its sender; order: place within one scan. clock: the gateway whose
    clock that is, None where it is the worker's; of a lost source the one gateway that sends it.
    path: its node and all above it. holds: of a lost source, how many OFFLINE the rules hold back
    while it is lost.
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
    holds: int = 0


def may_lie(heard: Annunciation, rules: FloodRules) -> bool:
    """Whether it may lie under what is lost, in a flood or not: a lost source too, under a lost
    gateway."""
    source = heard.kind is Kind.SOURCE_OFFLINE and heard.priority not in rules.never_priorities
    return source or may_fold(heard, rules)


def may_fold(heard: Annunciation, rules: FloodRules) -> bool:
    """Whether it may be shown under another of its cause: P1, gas, fire, HH and LL never."""
    return (
        heard.family is Family.PROCESS
        and heard.kind not in ALONE
        and heard.priority not in rules.never_priorities
        and heard.kind not in rules.never_kinds
    )
