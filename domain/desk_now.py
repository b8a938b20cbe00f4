"""What is said of a desk and of its open alarms, beside them: `DeskNow` and `Note`.

An annotation alone: state, colour, journal and counts are the same without it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.instant import rfc3339


@dataclass(frozen=True, slots=True)
class Note:
    """What stands beside one open occurrence.

    under: shown folded under another one, the cause in a flood or a lost source; suppressed: how
    many OFFLINE lie under it. first_out: first of its group; uncertain: or another one, by another
    clock. repeats: of a spell of chattering, 0 outside one.
    """

    under: UUID | None = None
    suppressed: int = 0
    first_out: bool = False
    uncertain: bool = False
    repeats: int = 0

    def body(self) -> dict[str, object]:
        """As the wire has it."""
        return {
            "under": None if self.under is None else str(self.under),
            "suppressed": self.suppressed,
            "first_out": self.first_out,
            "uncertain": self.uncertain,
            "repeats": self.repeats,
        }


@dataclass(frozen=True, slots=True)
class FoldNow:
    """Alarms of one cause in a flood. first: what the others lie under; worst: the most urgent;
    count: how many sounded, with the first; name: of the first."""

    first: UUID
    worst: UUID
    count: int
    name: str


@dataclass(frozen=True, slots=True)
class FloodNow:
    """A flood that goes on. heard: alarms that sounded in it; folds: of more than one, the largest
    first."""

    since: datetime
    heard: int
    folds: tuple[FoldNow, ...] = ()

    def body(self) -> dict[str, object]:
        """As the wire has it."""
        return {
            "since": rfc3339(self.since),
            "heard": self.heard,
            "folds": [
                {
                    "first": str(fold.first),
                    "worst": str(fold.worst),
                    "count": fold.count,
                    "name": fold.name,
                }
                for fold in self.folds
            ],
        }


@dataclass(frozen=True, slots=True)
class FloodSpan:
    """A flood as the journal of floods has it; until: None while it goes on."""

    since: datetime
    until: datetime | None
    heard: int


@dataclass(frozen=True, slots=True)
class DeskNow:
    """What is told of an enterprise's desk from `at` on.

    suppressed: open occurrences that lie folded or are suppressed by design; chattering: alarms
    that chatter. notes: what changed since the last one, None = nothing is to be said any more.
    spans: floods that began, went on or ended.
    """

    enterprise: int
    at: datetime
    flood: FloodNow | None = None
    suppressed: int = 0
    chattering: int = 0
    notes: tuple[tuple[UUID, Note | None], ...] = ()
    spans: tuple[FloodSpan, ...] = ()
