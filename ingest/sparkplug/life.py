"""What is known of the session that an edge node is in, and what time will bring to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from domain.instant import FAR, NEVER, SECOND
from ingest.sparkplug.item import Item

HOLD = SECOND // 4
"""An NBIRTH so soon after the NDEATH of its own session may have been overtaken by it."""


class Phase(StrEnum):
    """See `ingest.sparkplug.session`."""

    NEW = "new"
    ALIVE = "alive"
    UNSURE = "unsure"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Options:
    """Microseconds. reorder: how long a message may wait for those before it. debounce: between
    requests for births. patience: how long an answer may take."""

    reorder: int = 3 * SECOND
    debounce: int = 10 * SECOND
    patience: int = 10 * SECOND


@dataclass(slots=True)
class Tally:
    """Counted over all sessions of a desk."""

    rebirths: int = 0
    gaps: int = 0
    late: int = 0
    deaths: int = 0


@dataclass(slots=True)
class Waits:
    """What time will bring; microseconds, `FAR` = nothing. Changed in place.

    gap: messages out of order are let go of. birth: a held birth is looked at. answer: births that
    were asked for are given up; probe: those asked for after an NDEATH of another session. ask:
    births are asked for. devices: a device that has not been born again is STALE.
    """

    gap: int = FAR
    birth: int = FAR
    answer: int = FAR
    probe: int = FAR
    ask: int = FAR
    devices: dict[str, int] = field(default_factory=dict)

    def first(self) -> int:
        """The earliest."""
        waiting = min(self.devices.values(), default=FAR)
        return min(self.gap, self.birth, self.answer, self.probe, self.ask, waiting)

    def clear(self) -> None:
        """Nothing is waited for any more."""
        self.gap = self.birth = self.answer = self.probe = self.ask = FAR
        self.devices = {}

    def pop_devices(self, at: int) -> Iterator[str]:
        """Devices that are due at `at`, one by one."""
        for device in [one for one, due in self.devices.items() if due <= at]:
            del self.devices[device]
            yield device


@dataclass(slots=True)
class Life:
    """Where a node stands. Changed in place. Times are when something came, microseconds.

    bdseq: number of its session, None = not known. birth_sent: when its birth was published by its
    own clock, None = not known. probed_at: the last NDEATH that was of another session.
    """

    phase: Phase = Phase.NEW
    bdseq: int | None = None
    birth_sent: int | None = None
    birth_at: int = NEVER
    death_at: int = NEVER
    probed_at: int = NEVER

    def begin(self, birth: Item, at: int) -> None:
        """A birth begins a session, or a part of one."""
        self.phase, self.bdseq = Phase.ALIVE, birth.bdseq
        self.birth_sent, self.birth_at = birth.sent, at

    def end(self, at: int) -> None:
        """The session is dead."""
        self.phase, self.death_at = Phase.DEAD, at

    def precedes(self, item: Item) -> bool:
        """Whether a message was published before the birth that counts."""
        sent, born = item.sent, self.birth_sent
        return sent is not None and born is not None and sent < born
