"""`Intake`: messages in, batches out. Pure: the time of receiving is handed in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.frame import Frame, Ints
from domain.plant import Registry
from ingest.assembly import Assembly
from ingest.batch import Batch, Raw
from ingest.decode import decode
from ingest.findings import boot_reused, clock_finding
from ingest.judged import JudgedTimes
from ingest.judging import Circumstances, Judgement, judged, remember, runs_back
from ingest.ledger import Known, Ledger
from ingest.message import Message, Unread
from ingest.places import Places
from ingest.placing import Rows, rows_of
from ingest.refusals import refusals
from ingest.rejection import Rejection
from ingest.sender import Sender
from ingest.spans import Spans

RETAINED = Rejection(
    "retained", "a retained message is no news; publish data without the retain flag"
)


@dataclass(slots=True)
class _Taking:
    """One call of `take`: the batch being filled and those that are closed."""

    next_stamp: Callable[[], int]
    absent_since: int | None
    open: Assembly
    done: list[Batch] = field(default_factory=list)


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
        self._times = JudgedTimes()
        self._times.reach(max(registry.tags, default=0))
        self.seed_ledger(ledgers)

    def update_registry(self, registry: Registry) -> None:
        """Use a new reading of the registry from the next message on."""
        self._places.update(registry)
        self._spans = Spans(registry)
        self._times.reach(max(registry.tags, default=0))

    def seed_ledger(self, ledgers: Iterable[Known]) -> None:
        """What the database knows of gateways; of one gateway, the newest boot last."""
        for known in ledgers:
            sender = self._places.sender(known.gateway)
            if sender is not None:
                sender.ledgers.merge(known)

    def seed_last_judged(self, tag: NDArray[np.int32], at: Ints, event: Ints | None = None) -> None:
        """When these tags were last evaluated before a restart.

        event: the stored time of the last sample judged; None: the same.
        """
        self._times.seed(tag, at, event)

    def judged_again(self, rows: Frame) -> Frame:
        """Stored rows of one receive stamp, all flags included, as the frame that was judged then.

        For rows after an engine's snapshot, one stamp after the other, when `seed_last_judged`
        was given the snapshot's times. `at` of `rows` is not read.
        """
        return self._times.again(rows)

    def take(
        self,
        messages: Sequence[Raw],
        next_stamp: Callable[[], int],
        absent_since: int | None = None,
    ) -> list[Batch]:
        """The batches that these messages make, in order; none if there are no messages.

        next_stamp gives the receive stamp of a batch, strictly rising. Usually there is one
        batch; a message whose clock ran back begins another, so that stored rows can be judged
        again in the same order. absent_since: when we last stopped listening to the broker, see
        `clocks.judge`.
        """
        if not messages:
            return []
        taking = _Taking(next_stamp, absent_since, Assembly(next_stamp()))
        for raw in messages:
            self._message(raw, taking)
            taking.open.handles.append(raw.handle)
        self._close(taking)
        return taking.done

    def _close(self, taking: _Taking) -> None:
        taking.done.append(taking.open.close(self._times, self._spans))

    def _cut(self, taking: _Taking) -> None:
        self._close(taking)
        taking.open = Assembly(taking.next_stamp())

    def _message(self, raw: Raw, taking: _Taking) -> None:
        place = self._places.find(raw.topic)
        if place.sender is None:
            taking.open.add_stranger(raw, place)
        elif place.channel == "data":
            self._data(raw, place.sender, taking)
        else:
            taking.open.add_report(raw, place.sender.gateway, place.channel)

    def _data(self, raw: Raw, sender: Sender, taking: _Taking) -> None:
        message = decode(raw.payload)
        ledger = sender.ledgers.find(message.boot)
        came = ledger is not None and message.seq is not None and ledger.knows(message.seq)
        reused = came and _is_newer(message, ledger)
        if came and not reused:
            taking.open.add_repeated(sender.gateway.id)
            _step_over(message, ledger, taking.open)
        elif isinstance(message, Unread):
            taking.open.add_unread(raw, sender.gateway, message.rejection)
            _enter(sender, message, 0, taking.open)
        elif raw.retained:
            taking.open.add_unread(raw, sender.gateway, RETAINED)
        else:
            known = message.seq is None and sender.repeats(raw.payload)
            self._samples(_Case(raw, sender, message, known, reused), taking)

    def _samples(self, case: _Case, taking: _Taking) -> None:
        sender, message = case.sender, case.message
        layout = sender.layout(message.names, self._places.tags(sender.gateway.enterprise))
        keep, refused = refusals(message, layout, self._places.unit)
        rows = rows_of(message, layout, keep)
        offset = self._judge(rows, case, taking) if len(rows) else 0
        redelivered = case.known and case.raw.redelivered
        taking.open.add_decoded(
            case.raw, sender.gateway, message, len(rows), refused, redelivered=redelivered
        )
        self.unknown_members += message.unknown
        ledger = _enter(sender, message, offset, taking.open)
        if case.reused and ledger is not None and not ledger.reused:
            ledger.reused = True
            taking.open.clocks.append(boot_reused(sender.gateway, ledger.boot))

    def _judge(self, rows: Rows, case: _Case, taking: _Taking) -> int:
        """Judge, keep and remember the rows of a message; what its times were shifted by."""
        message, sender = case.message, case.sender
        found = self._judged(rows, case, taking)
        if taking.open.has_rows and runs_back(
            found, self._times.event, historical=message.historical
        ):
            self._cut(taking)
            found = self._judged(rows, case, taking)
        batch, verdict = taking.open, found.verdict
        if verdict.finding is not None:
            batch.clocks.append(clock_finding(sender.gateway, verdict.finding, verdict.error))
        if not found.hearing.plain:
            batch.add_late(found.rows, self._times.event)
        remember(found, message, sender, self._times)
        batch.add(found.rows, sender.gateway.id)
        return verdict.offset

    def _judged(self, rows: Rows, case: _Case, taking: _Taking) -> Judgement:
        """The judgement under the stamp of the open batch; changes nothing."""
        now = Circumstances(taking.open.received, taking.absent_since, case.known, case.reused)
        return judged(rows, case.message, case.sender, self._times.event, now)


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
    batch.saw(ledger, message.seq, offset)
    return ledger


def _step_over(message: Message | Unread, ledger: Ledger | None, batch: Assembly) -> None:
    """A repeated message may say that its gateway holds less now."""
    if ledger is not None and message.seq is not None and (message.oldest or 0) > ledger.oldest:
        ledger.add(message.seq, message.oldest, None)
        batch.saw(ledger, message.seq, 0)
