"""Readings by alias that wait for a birth."""

from dataclasses import dataclass

from ingest.sparkplug.births import Born
from ingest.sparkplug.item import Item
from ingest.sparkplug.life import Life, Options, Phase, Waits
from ingest.sparkplug.wire import Metric

MAX_PENDING = 10_000
"""Readings by alias that wait for a birth."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reading by alias that waits for a birth to say what `born` says."""

    item: Item
    metric: Metric
    born: Born


class Pending:
    """What waits of one node, in the order in which it came."""

    def __init__(self, life: Life, waits: Waits, options: Options) -> None:
        self._life = life
        self._waits = waits
        self._options = options
        self._waiting: list[Waiting] = []

    def keep(self, item: Item, metric: Metric, born: Born | None) -> bool:
        """Let a reading wait for a birth; False: none can explain it, or too many wait."""
        unsure = self._life.phase is Phase.UNSURE
        if born is None or not unsure or len(self._waiting) >= MAX_PENDING:
            return False
        self._waiting.append(Waiting(item, metric, born))
        self._waits.answer = min(self._waits.answer, item.at + self._options.patience)
        return True

    def take(self, device: str | None) -> list[Waiting]:
        """What waits for a birth of this device, and waits no longer."""
        mine = [one for one in self._waiting if one.born.device == device]
        self._waiting = [one for one in self._waiting if one.born.device != device]
        return mine

    def take_all(self) -> list[Waiting]:
        """All that waits, and waits no longer."""
        waiting, self._waiting = self._waiting, []
        return waiting
