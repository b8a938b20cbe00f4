"""`Intake`: messages in, batches out. Pure: the time of receiving is handed in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.frame import Flag, Frame, Ints
from domain.instant import SECOND
from domain.plant import Gateway, Registry
from ingest.assembly import RETAINED, Assembly
from ingest.batch import Batch, Raw, Told
from ingest.clocks import GatewayClock
from ingest.conversion import Exchange
from ingest.decode import understood
from ingest.findings import boot_reused, clock_finding, gaps, no_value
from ingest.judged import NOT_OWN_TIME, JudgedTimes
from ingest.judging import Circumstances, judged, remember, runs_back
from ingest.ledger import Known, Ledger
from ingest.message import Message, Unread
from ingest.ordinary import Looked, Reading
from ingest.places import Places
from ingest.placing import Rows, rows_of
from ingest.refusals import border
from ingest.rejection import Rejection
from ingest.sender import Sender
from ingest.sentinels import Watch
from ingest.snapshot import pack, unpack
from ingest.spans import Spans

NOT_HOSTED = Rejection(
    "not_hosted", "Sparkplug B is switched off here (HAZWATCH_SPARKPLUG_HOST_ID is empty)"
)
ENOUGH = 50_000
"""Values after which a batch is closed; the message that reaches it is still inside."""
GAPS_EVERY = 60 * SECOND
"""Too many gaps in the counting of a gateway are complained of no more often than this."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A message that was understood. known: its payload came before; reused: only its seq."""

    raw: Raw
    sender: Sender
    message: Message
    known: bool
    reused: bool


class Intake:
    """Turns messages of the broker into batches, and remembers per gateway and tag what that takes.

    It owns the ledgers as they will be once its batches are durable. Per gateway and call:

    - messages: received = decoded + repeated + quarantined whole, on the topic `data`;
    - redelivered = repeated, and those without a seq that the broker marks as sent again and that
      came before in this process; so published = received - redelivered;
    - values: decoded, which includes quarantined, = rows of the frame + quarantined.
    """

    def __init__(self, registry: Registry, ledgers: Iterable[Known] = ()) -> None:
        self.unknown_members = 0
        """Members of messages so far that the wire profile does not have."""
        self._places = Places(registry)
        self._spans = Spans(registry)
        self._exchange = Exchange(registry)
        self._registry = registry
        self._no_value = Watch()
        self._times = JudgedTimes()
        self._times.reach(max(registry.tags, default=0))
        self.seed_ledger(ledgers)

    def update_registry(self, registry: Registry) -> None:
        """Use a new reading of the registry from the next message on."""
        self._places.update(registry)
        self._spans = Spans(registry)
        self._exchange = Exchange(registry)
        self._registry = registry
        self._times.reach(max(registry.tags, default=0))

    def tag(self, gateway: int, name: str) -> int | None:
        """The tag that this gateway means by a name; None: no such tag, or no such gateway."""
        sender = self._places.sender(gateway)
        return None if sender is None else self._places.tags(sender.gateway.enterprise).get(name)

    def senders_of(self, tag: int) -> list[int]:
        """The gateways that have sent this tag, as far as is remembered."""
        known = self._registry.tags.get(tag)
        near = self._places.senders() if known is None else self._places.of(known.enterprise)
        return [one.gateway.id for one in near if one.sends(tag)]

    def alone(self, enterprise: int) -> dict[int, NDArray[np.int32]]:
        """By gateway of an enterprise the ids of tags that it has sent and no other of them."""
        near = self._places.of(enterprise)
        ids = np.concatenate([np.empty(0, np.int32), *(one.ids for one in near)])
        tags, senders = np.unique(ids, return_counts=True)
        shared = tags[senders > 1]
        return {one.gateway.id: one.ids[~np.isin(one.ids, shared)] for one in near}

    def edge_nodes(self) -> list[tuple[Gateway, list[str]]]:
        """Gateways that speak Sparkplug B, and the tags that came from each."""
        tags = self._registry.tags
        return [
            (one.gateway, [tags[id].name for id in one.ids.tolist() if id in tags])
            for one in self._places.senders()
            if one.is_edge_node
        ]

    def clock_of(self, gateway: int) -> GatewayClock | None:
        """What is known of a gateway's clock; None: no such gateway."""
        sender = self._places.sender(gateway)
        return None if sender is None else sender.clock

    def seed_ledger(self, ledgers: Iterable[Known]) -> None:
        """What the database knows of gateways; of one gateway, the newest boot last."""
        for known in ledgers:
            sender = self._places.sender(known.gateway)
            if sender is not None:
                sender.ledgers.merge(known)

    def seed_last_judged(self, tag: NDArray[np.int32], at: Ints, event: Ints | None = None) -> None:
        """When these tags were last evaluated before a restart.

        event: the stored time of the last sample judged; None: it is not known, and then nothing
        of these tags counts as late.
        """
        self._times.seed(tag, at, event)

    def judged_again(self, rows: Frame) -> Frame:
        """Stored rows of one receive stamp, all flags included, as the frame that was judged then.

        For rows after a snapshot, one stamp after the other, when `restore` or `seed_last_judged`
        was given the snapshot's times. `at` of `rows` is not read.
        """
        again = self._times.again(rows)
        untimely = (again.flags & (NOT_OWN_TIME | Flag.AT_RECEIVED)) == Flag.AT_RECEIVED
        if untimely.any():
            self._untimely_again(again.take(untimely))
        return again

    def snapshot(self) -> bytes:
        """What it remembers of tags and of gateways' clocks, for `restore`; not the ledgers.

        To be kept beside the engine's memory of the same moment.
        """
        return pack(self._times, self._places.senders())

    def restore(self, saved: bytes) -> None:
        """Remember what `snapshot` gave; gateways that are no longer registered are passed over.

        Raises `ingest.snapshot.SnapshotError` for other bytes, and has changed nothing then.
        """
        unpack(saved, self._times, self._places.sender)

    def take(
        self,
        messages: Sequence[Raw],
        next_stamp: Callable[[], int],
    ) -> Iterator[Batch]:
        """The batches that these messages make, in order; none if there are no messages.

        Each batch is made when it is asked for, and between two of them the memory of this object
        holds just what is in the first: so a caller may wait there, and take a snapshot. Messages
        that are not reached are not known of. A batch ends with about `ENOUGH` values, before and
        after a message that is to be `alone`, and before one whose clock ran back, so that stored
        rows can be judged again in the same order.

        next_stamp gives the receive stamp of a batch, strictly rising.
        """
        reading: Reading | None = None
        for raw in messages:
            if raw.alone and reading is not None:
                yield from self._read(reading, next_stamp)
                reading = None
            reading = reading or Reading(Assembly(next_stamp()))
            reading.look(raw, self._places)
            if raw.alone or reading.weight >= ENOUGH:
                yield from self._read(reading, next_stamp)
                reading = None
        if reading is not None:
            yield from self._read(reading, next_stamp)

    def _read(self, reading: Reading, next_stamp: Callable[[], int]) -> Iterator[Batch]:
        """The batches of a reading, of which the first has all ordinary messages."""
        batch = reading.batch
        for looked in reading.judge(self._times):
            if not self._message(looked, batch):
                yield self._closed(batch)
                batch = Assembly(next_stamp())
                self._message(looked, batch)
            batch.handles.append(looked.raw.handle)
        yield self._closed(batch)

    def _closed(self, batch: Assembly) -> Batch:
        """The batch, with what is to be said of tags that send no values."""
        made = batch.close(self._times, self._spans)
        told = no_value(made, self._no_value, self._registry)
        return replace(made, clocks=(*made.clocks, *told)) if told else made

    def _untimely_again(self, rows: Frame) -> None:
        """Give stored rows of sound clocks with old times to the memory of who alone sends them."""
        senders = self._places.senders()
        tags, holders = np.unique(np.concatenate([one.ids for one in senders]), return_counts=True)
        rows = rows.take(np.isin(rows.tag, tags[holders == 1]))
        for sender in senders:
            sender.sent_again(rows.tag, rows.time, rows.value)

    def _message(self, looked: Looked, batch: Assembly) -> bool:
        """Put a message into the batch; False: it needs one of its own, and nothing has changed."""
        raw, place = looked.raw, looked.place
        if place.sender is None:
            batch.add_stranger(raw, place)
        elif looked.found is not None:
            message = understood(looked.found)
            return self._data(raw, message, place.sender, batch)
        elif place.channel == "sparkplug":
            return self._told(raw, place.sender, batch)
        else:
            batch.add_report(raw, place.sender.gateway, place.channel)
        return True

    def _data(self, raw: Raw, message: Message | Unread, sender: Sender, batch: Assembly) -> bool:
        batch.weigh(message)
        ledger = sender.ledgers.find(message.boot)
        came = ledger is not None and message.seq is not None and ledger.knows(message.seq)
        reused = came and _is_newer(message, ledger)
        if came and not reused:
            batch.add_repeated(sender.gateway.id)
            _step_over(message, ledger, batch)
        elif isinstance(message, Unread):
            batch.add_unread(raw, sender.gateway, message.rejection)
            if not raw.alone:  # else its sender is told that nothing was taken, and may mend it
                _enter(sender, message, 0, batch)
        elif raw.retained:
            batch.add_unread(raw, sender.gateway, RETAINED)
        else:
            known = message.seq is None and sender.repeats(raw.payload)
            case = _Case(raw, sender, message, known, reused)
            return self._samples(case, batch)
        return True

    def _told(self, raw: Raw, sender: Sender, batch: Assembly) -> bool:
        """What the session of an edge node made of a message; nothing, where there is no host."""
        told = raw.told or Told(Unread(NOT_HOSTED, size=len(raw.payload)))
        if told.message is not None:
            batch.weigh(told.message)
        if told.repeated:
            batch.add_repeated(sender.gateway.id)
        elif isinstance(told.message, Unread):
            batch.add_unread(raw, sender.gateway, told.message.rejection)
        elif told.message is not None:
            case = _Case(raw, sender, told.message, False, False)
            if not self._samples(case, batch):
                return False
            sender.is_edge_node = True
            if not told.counted:
                batch.uncount(sender.gateway.id)
        batch.states.extend(told.says)
        batch.clocks.extend(told.findings)
        return True

    def _samples(self, case: _Case, batch: Assembly) -> bool:
        sender, message = case.sender, case.message
        layout = sender.layout(message.names, self._places.tags(sender.gateway.enterprise))
        taken = border(message, layout, self._exchange.way, self._spans)
        rows, refused = taken.passed(rows_of(message, layout, taken.keep)), taken.refused
        offset = self._judge(rows, case, batch) if len(rows) else 0
        if offset is None:
            return False
        redelivered = case.known and case.raw.redelivered
        batch.add_decoded(
            case.raw, sender.gateway, message, len(rows), refused, redelivered=redelivered
        )
        self.unknown_members += message.unknown
        if message.seq is None:
            sender.remember_payload(case.raw.payload)
        ledger = _enter(sender, message, offset, batch)
        if case.reused and ledger is not None and not ledger.reused:
            ledger.reused = True
            batch.clocks.append(boot_reused(sender.gateway, ledger.boot))
        return True

    def _judge(self, rows: Rows, case: _Case, batch: Assembly) -> int | None:
        """Judge, keep and remember the rows of a message; what its times were shifted by.

        None: they can't be judged in this batch, which has later rows of the same tags.
        """
        message, sender = case.message, case.sender
        arrived = batch.received if case.raw.arrived is None else case.raw.arrived
        absent, held_back = case.raw.absent_since, case.raw.held_back_since
        now = Circumstances(arrived, absent, case.known, case.reused, held_back)
        event = self._times.event
        found = judged(rows, message, sender, event, now)
        if batch.has_rows and runs_back(found, event, historical=message.historical):
            return None
        verdict = found.verdict
        if verdict.finding is not None:
            batch.clocks.append(clock_finding(sender.gateway, verdict.finding, verdict.error))
        if not found.hearing.plain:
            batch.add_late(found.rows, event)
        remember(found, message, sender, self._times)
        batch.add(found.rows, sender.gateway.id)
        return verdict.offset


def _is_newer(message: Message | Unread, ledger: Ledger | None) -> bool:
    """Whether a message whose seq is known is newer than all of its boot: then it is another."""
    newest, before = message.newest, None if ledger is None else ledger.newest_time
    return newest is not None and (before is None or newest > before)


def _enter(
    sender: Sender, message: Message | Unread, offset: int, batch: Assembly
) -> Ledger | None:
    """Put a message into its ledger, if it says which."""
    if message.boot is None or message.seq is None:
        return None
    ledger = sender.ledgers.open(sender.gateway.id, message.boot, message.seq)
    ledger.add(message.seq, message.oldest, message.newest)
    if offset:
        ledger.shift(message.seq, message.seq, offset)
    if ledger.crowded and batch.received - sender.gaps_said_at >= GAPS_EVERY:
        sender.gaps_said_at = batch.received
        batch.clocks.append(gaps(sender.gateway, ledger))
    batch.saw(ledger, message.seq, offset)
    return ledger


def _step_over(message: Message | Unread, ledger: Ledger | None, batch: Assembly) -> None:
    """A repeated message may say that its gateway holds less now."""
    if ledger is not None and message.seq is not None and (message.oldest or 0) > ledger.oldest:
        ledger.add(message.seq, message.oldest, None)
        batch.saw(ledger, message.seq, 0)
