"""`Session`: one edge node, followed through births, sequence numbers, silence and death.

Pure: every time is handed in. Rules of Sparkplug B 3.0 for a host; what the specification leaves to
us is said here.

| phase | since | data by name | data by alias |
|---|---|---|---|
| NEW | we hear this node | live | not taken |
| ALIVE | its NBIRTH | live | live |
| UNSURE | a gap that stayed, or the broker was gone | live | waits for a birth that says the same |
| DEAD | its NDEATH | history | not taken |

A message that is out of order waits for those before it, for `reorder` at most; then all that waits
is taken as in the table, and the node is asked for its births. An alias is never guessed: it holds
within one session (`bdSeq`) from a birth to a gap, and through a gap only if the birth after it
declares it as the one before did.

What a birth says stands at the moment of the birth, however long ago it was measured. What died is
STALE from the host's own time on. No live reading is stored at or before the last STALE: where the
node's clock is behind ours, its readings follow that by a microsecond each.
"""

from collections.abc import Iterable

from domain.instant import FAR, SECOND
from domain.plant import Gateway
from ingest.batch import Raw, Told
from ingest.rejection import Rejection
from ingest.sparkplug import reports
from ingest.sparkplug.contents import Contents
from ingest.sparkplug.item import Item
from ingest.sparkplug.life import Life, Options, Phase, Tally, Waits
from ingest.sparkplug.names import TagOf
from ingest.sparkplug.node_clock import NodeClock
from ingest.sparkplug.order import Order
from ingest.sparkplug.overtaken import Overtaken
from ingest.sparkplug.pending import Pending
from ingest.sparkplug.reader import Reader
from ingest.sparkplug.rebirths import Rebirths
from ingest.sparkplug.repeats import Repeats
from ingest.sparkplug.reports import Finding, Reports
from ingest.sparkplug.stale import StaleMarks

RETAINED = Rejection("retained", "a retained message is no news; births are not retained")


class Session:
    """Memory of one edge node. Changed in place by `take`, `pass_time`, `lost`, `up`, `seed` and
    `follow` only; `said` and `asks` give what came of it, once."""

    def __init__(
        self, gateway: Gateway, tag_of: TagOf, options: Options, tally: Tally, topic: str
    ) -> None:
        self._options, self._tally = options, tally
        self._life, self._waits = Life(), Waits()
        clock = NodeClock()
        self._reports = Reports(gateway, topic, clock)
        self._marks = StaleMarks(clock, self._reports)
        self._rebirths = Rebirths(options, self._waits, tally)
        pending = Pending(self._life, self._waits, options)
        self._reader = Reader(tag_of, clock, self._marks, self._rebirths, pending)
        self._contents = Contents(
            self._reader, pending, self._marks, self._reports, self._rebirths, self._waits
        )
        self._order = Order(
            self._life,
            self._waits,
            self._contents,
            self._rebirths,
            self._reports,
            options,
            tally,
        )
        self._overtaken = Overtaken(clock, self._rebirths, self._waits)
        self._repeats = Repeats()
        self._given_up = False

    @property
    def gateway(self) -> Gateway:
        """The node in the registry."""
        return self._reports.gateway

    @property
    def phase(self) -> Phase:
        """See the module."""
        return self._life.phase

    @property
    def stale(self) -> set[str]:
        """Tags that are STALE."""
        return self._marks.stale

    @property
    def next_due(self) -> int:
        """When `pass_time` matters next, microseconds; FAR = never."""
        return self._waits.first()

    def said(self) -> list[Raw]:
        """What came of it since this was asked last, for intake, in order."""
        found, self._reports.out = self._reports.out, []
        return found

    def asks(self) -> bool:
        """Whether a request for births is to be sent that was not since this was asked last."""
        wanted, self._rebirths.wanted = self._rebirths.wanted, False
        return wanted

    def follow(self, gateway: Gateway, tag_of: TagOf) -> None:
        """The registry has changed."""
        self._reports.gateway = gateway
        self._reader.follow(tag_of)

    def seed(self, tags: Iterable[str]) -> None:
        """What came from this node before a restart of ours."""
        self._marks.seed(tags)

    def take(self, item: Item) -> None:
        """A message has come."""
        if item.raw.retained:
            self._reports.tell_unread(item, RETAINED)
            self._rebirths.ask(item.at)
        elif self._repeats.came_before(item) and not self._is_asked_for(item):
            self._reports.tell(item.raw, Told(repeated=True))
        elif item.type == "NDEATH":
            self._node_death(item)
        elif item.type == "NBIRTH":
            self._node_birth(item)
        else:
            self._sequenced(item)

    def lost(self, at: int) -> None:
        """The broker is gone: nothing that came through it is known any more."""
        life = self._life
        self._order.release()
        self._give_up_birth()
        self._marks.mark_all(at)
        life.phase = Phase.NEW if life.bdseq is None else Phase.UNSURE
        self._waits.clear()
        self._order.break_off()
        self._reports.say(None, life.bdseq, at)

    def up(self, at: int) -> None:
        """The broker is there again: ask, unless the node comes by itself, as it does if it follows
        our STATE."""
        self._rebirths.ask_from(at + 2 * SECOND)

    def pass_time(self, at: int) -> None:
        """What is due at `at`."""
        waits = self._waits
        if waits.gap <= at:
            self._order.gap(at)
        if waits.birth <= at:
            self._hold_ends(at)
        for device in waits.pop_devices(at):
            self._marks.mark(self._marks.of(device), at)
        if waits.probe <= at:
            self._no_answer(at, reports.LOST_AFTER_DEATH)
        if waits.answer <= at:
            self._no_answer(at, reports.UNANSWERED)
        if waits.ask <= at:
            waits.ask = FAR
            self._rebirths.ask(at)

    def _is_asked_for(self, item: Item) -> bool:
        """Whether it is an NBIRTH that nothing but a clock that stands still makes like another."""
        return item.type == "NBIRTH" and self.phase in (Phase.NEW, Phase.UNSURE)

    def _sequenced(self, item: Item) -> None:
        """DBIRTH, DDEATH, NDATA or DDATA."""
        if self._overtaken.lives(item) and (birth := self._overtaken.let_go()) is not None:
            self._be_born(birth, item.at)
        self._order.take(item)

    def _node_birth(self, item: Item) -> None:
        overtaken = self._overtaken.may_be(item)
        self._give_up_birth()
        if overtaken:
            self._overtaken.hold(item)
            return
        soon = item.at - self._life.birth_at <= self._options.reorder
        if self._life.precedes(item) and soon and self.phase is Phase.ALIVE:
            self._contents.take_history(item)
            self._rebirths.ask(item.at)
            return
        self._be_born(item, item.at)

    def _be_born(self, birth: Item, at: int) -> None:
        """Begin anew by this birth."""
        known = self.phase in (Phase.ALIVE, Phase.UNSURE) and birth.bdseq == self._life.bdseq
        self._order.release(before=birth.sent)
        devices = self._marks.devices()
        self._contents.declare(birth, goes_on=known)
        self._life.begin(birth, at)
        self._order.begin(birth)
        self._waits.clear()
        self._waits.devices = dict.fromkeys(devices, at + self._options.patience)
        self._given_up = False
        self._repeats.begin(birth)
        self._contents.node_birth(birth, at)
        self._reports.say(True, self._life.bdseq, at, birth.sent)
        self._order.go_on()

    def _give_up_birth(self) -> None:
        """A birth that was held is history: nothing showed that its session lives."""
        birth = self._overtaken.let_go()
        if birth is not None:
            self._contents.take_history(birth)

    def _hold_ends(self, at: int) -> None:
        """A birth was held: now the node has to show that it lives."""
        birth, patience = self._overtaken.birth, self._options.patience
        if birth is None or at - birth.at >= patience:
            self._give_up_birth()
            return
        self._waits.birth = birth.at + patience
        self._rebirths.ask(at)

    def _node_death(self, item: Item) -> None:
        self._reports.tell_nothing(item)
        self._overtaken.bury(item)
        if self.phase is Phase.ALIVE and item.bdseq == self._life.bdseq is not None:
            self._order.release()
            self._die(item.at)
        elif self.phase in (Phase.ALIVE, Phase.UNSURE):
            self._reports.find(item.at, reports.DEATH_IGNORED)
            self._life.probed_at = item.at
            self._waits.probe = item.at + self._options.patience
            self._rebirths.ask(item.at)

    def _die(self, at: int) -> None:
        self._tally.deaths += 1
        self._contents.drop_pending()
        self._marks.mark_all(at)
        self._life.end(at)
        self._waits.clear()
        self._reports.say(False, self._life.bdseq, at)

    def _no_answer(self, at: int, finding: Finding) -> None:
        """The node was asked, and has not answered: what it said last is not known to hold."""
        self._waits.answer = self._waits.probe = FAR
        self._reports.find(at, finding)
        self._contents.drop_pending()
        if not self._given_up:
            self._life.phase, self._given_up = Phase.UNSURE, True
            self._marks.mark_all(at)
            self._reports.say(None, self._life.bdseq, at)
