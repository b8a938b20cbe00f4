"""Requests for births."""

from domain.instant import FAR, NEVER
from ingest.sparkplug.life import Options, Tally, Waits


class Rebirths:
    """Requests to one node for its births. wanted: one is to be sent; whoever sends it resets it.
    asked_at: when the last was made, microseconds."""

    def __init__(self, options: Options, waits: Waits, tally: Tally) -> None:
        self.wanted = False
        self.asked_at = NEVER
        self._options = options
        self._waits = waits
        self._tally = tally

    def ask(self, at: int) -> None:
        """Ask for births, but not again and again."""
        due = self.asked_at + self._options.debounce
        if at >= due:
            self.asked_at = at
            self._waits.ask = FAR
            self._tally.rebirths += 1
            self.wanted = True
        else:
            self._waits.ask = min(self._waits.ask, due)

    def ask_from(self, at: int) -> None:
        """Ask at `at`, or as soon as one may ask again."""
        self._waits.ask = max(at, self.asked_at + self._options.debounce)
