"""Births that were overtaken by the death of their own session."""

from domain.instant import FAR, NEVER
from ingest.sparkplug.item import Item
from ingest.sparkplug.life import HOLD, Waits
from ingest.sparkplug.node_clock import NodeClock
from ingest.sparkplug.rebirths import Rebirths


class Overtaken:
    """The birth that is held until its session shows that it lives, and the last NDEATH.

    birth None: none is held.
    """

    def __init__(self, clock: NodeClock, rebirths: Rebirths, waits: Waits) -> None:
        self.birth: Item | None = None
        self._buried: int | None = None
        self._buried_at = NEVER
        self._clock = clock
        self._rebirths = rebirths
        self._waits = waits

    def bury(self, death: Item) -> None:
        """An NDEATH has come."""
        self._buried, self._buried_at = death.bdseq, death.at

    def may_be(self, birth: Item) -> bool:
        """Whether an NBIRTH may be of the session that is dead: it comes right behind the NDEATH,
        or was published before it. Once the node was asked, what comes is the answer."""
        if self._buried is None or birth.bdseq != self._buried:
            return False
        older = birth.sent is not None and birth.sent - self._clock.skew < self._buried_at
        asked = self._rebirths.asked_at >= self._buried_at
        return birth.at - self._buried_at < HOLD or (older and not asked)

    def hold(self, birth: Item) -> None:
        """Look at it again after `HOLD`."""
        self.birth, self._waits.birth = birth, birth.at + HOLD

    def let_go(self) -> Item | None:
        """The birth that was held, None = none."""
        birth, self.birth = self.birth, None
        self._waits.birth = FAR
        return birth

    def lives(self, item: Item) -> bool:
        """Whether a message follows the birth that is held, and can't have been overtaken as that
        was. One that names metrics by alias alone shows nothing: it may be of a next session, whose
        birth was lost, and mean others."""
        birth = self.birth
        return (
            birth is not None
            and all(metric.name for metric in item.payload.metrics)
            and item.at - birth.at >= HOLD
            and item.payload.seq == ((birth.payload.seq or 0) + 1) % 256
            and item.sent is not None
            and birth.sent is not None
            and item.sent >= birth.sent
        )
