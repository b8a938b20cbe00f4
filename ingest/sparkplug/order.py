"""Messages in the order of their sequence numbers."""

from domain.instant import FAR, NEVER, SECOND
from ingest.sparkplug.contents import Contents
from ingest.sparkplug.item import Item
from ingest.sparkplug.life import HOLD, Life, Options, Phase, Tally, Waits
from ingest.sparkplug.rebirths import Rebirths
from ingest.sparkplug.reports import Reports, gap

HELD_BYTES = 4 * 2**20
"""Bytes of messages that wait for those before them."""


class Order:
    """Takes the messages of one node in order; those out of order wait.

    expected: the sequence number that comes next. held_bytes: of the messages that wait.
    """

    def __init__(
        self,
        life: Life,
        waits: Waits,
        contents: Contents,
        rebirths: Rebirths,
        reports: Reports,
        options: Options,
        tally: Tally,
    ) -> None:
        self.expected = 0
        self.held_bytes = 0
        self._held: dict[int, Item] = {}
        self._waiting_since = NEVER
        self._life = life
        self._waits = waits
        self._contents = contents
        self._rebirths = rebirths
        self._reports = reports
        self._options = options
        self._tally = tally

    def take(self, item: Item) -> None:
        """DBIRTH, DDEATH, NDATA or DDATA."""
        seq = item.payload.seq
        if seq is None:
            self._loose(item)
        elif self._is_next(item):
            self._advance(item)
            self.go_on()
        elif self._life.phase is not Phase.ALIVE and not self._may_wait(item):
            self._loose(item)
        else:
            self._hold(item, seq)

    def begin(self, birth: Item) -> None:
        """Count from a birth."""
        self.expected = ((birth.payload.seq or 0) + 1) % 256
        self.break_off()

    def break_off(self) -> None:
        """Nothing waits for a birth any more."""
        self._waiting_since = NEVER

    def go_on(self) -> None:
        """Take what waited for the message that has come."""
        while (item := self._held.get(self.expected)) is not None and self._is_next(item):
            self._unhold(self.expected)
            self._tally.late += 1
            self._advance(item)
        self._waits.gap = min(
            (one.at + self._options.reorder for one in self._held.values()), default=FAR
        )

    def gap(self, at: int) -> None:
        """What is missing has not come: aliases hold no longer."""
        if self._life.phase is Phase.ALIVE:
            self._tally.gaps += 1
            self._reports.find(at, gap(self.expected))
            self._life.phase = Phase.UNSURE
            self._waits.answer = at + self._options.patience
            self._rebirths.ask(at)
        self.release()

    def release(self, before: int | None = None) -> None:
        """Let go of what waits, in its order; before: only what was published before that."""
        order = sorted(self._held, key=lambda seq: (seq - self.expected) % 256)
        for seq in order:
            sent = self._held[seq].sent
            if before is None or sent is None or sent < before:
                self._loose(self._unhold(seq), ask=before is None)
        if not self._held:
            self._waits.gap = FAR

    def _is_next(self, item: Item) -> bool:
        """Whether it is the next one after a birth. A late one of the session that has just died
        is, too."""
        life = self._life
        late = life.phase is Phase.DEAD and item.at - life.death_at <= HOLD
        if life.phase is not Phase.ALIVE and not late:
            return False
        return item.payload.seq == self.expected and not life.precedes(item)

    def _advance(self, item: Item) -> None:
        """Take the next message of the session."""
        life = self._life
        self.expected = (self.expected + 1) % 256
        if item.at - life.probed_at > SECOND:
            self._waits.probe = FAR
        if life.phase is Phase.ALIVE and self._reports.is_old(item.at):
            self._reports.say(True, life.bdseq, item.at, item.sent)
        self._contents.take(item, historical=life.phase is Phase.DEAD)

    def _may_wait(self, item: Item) -> bool:
        """Whether a birth that was overtaken may still come; after that nothing is held up."""
        if self._waiting_since == NEVER:
            self._waiting_since = item.at
        self._rebirths.ask(item.at)
        return item.at - self._waiting_since < self._options.reorder

    def _hold(self, item: Item, seq: int) -> None:
        if seq in self._held or self.held_bytes + item.size > HELD_BYTES:
            self.gap(item.at)
            self._loose(item)
            return
        self._held[seq] = item
        self.held_bytes += item.size
        self._waits.gap = min(self._waits.gap, item.at + self._options.reorder)

    def _unhold(self, seq: int) -> Item:
        item = self._held.pop(seq)
        self.held_bytes -= item.size
        return item

    def _loose(self, item: Item, *, ask: bool = True) -> None:
        """Take a message of which nobody knows where it belongs."""
        self._contents.take(item, historical=self._life.phase is Phase.DEAD, loose=True)
        if ask:
            self._rebirths.ask(item.at)
