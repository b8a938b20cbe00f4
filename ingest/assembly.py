"""`Assembly`: a batch as it grows, message by message, until it is closed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.frame import Frame, Ints
from domain.plant import Gateway
from ingest.batch import (
    Batch,
    ClockFinding,
    Count,
    GatewaySays,
    LedgerDelta,
    PlantAlarm,
    Quarantined,
    Raw,
)
from ingest.judged import JudgedTimes
from ingest.ledger import Ledger, Ranges, Run
from ingest.message import Message, RejectedValue, Unread
from ingest.places import Place
from ingest.placing import Rows
from ingest.quarantine import Records
from ingest.rejection import Rejection
from ingest.reports import alarm, state
from ingest.spans import Spans
from ingest.tolerant import MAX_REJECTED
from ingest.topics import Channel

RETAINED = Rejection(
    "retained", "a retained message is no news; publish data and alarms without the retain flag"
)
BYTES_OF_VALUE = 64
"""Bytes of a body that take as long to read as a value, whatever they hold."""
NOBODY = 0
"""The gateway under which messages of none of ours are counted."""


@dataclass(slots=True)
class _Seen:
    """What a batch adds to one ledger."""

    ledger: Ledger
    seen: Ranges = field(default_factory=Ranges)
    runs: list[Run] = field(default_factory=list)


class Assembly:
    """One batch under construction, under one receive stamp (microseconds)."""

    def __init__(self, received: int) -> None:
        self.received = received
        self.arrived = received
        self.sent = 0
        self.handles: list[object] = []
        self.quarantined: list[Quarantined] = []
        self.states: list[GatewaySays] = []
        self.plant_alarms: list[PlantAlarm] = []
        self.clocks: list[ClockFinding] = []
        self._counts: dict[int, Count] = {}
        self._rows: list[Rows] = []
        self._senders: list[int] = []
        self._values = 0
        self._late: list[tuple[NDArray[np.int32], Ints]] = []
        self._seen: dict[tuple[int, str], _Seen] = {}

    @property
    def size(self) -> int:
        """How much is in it, in values; other records count as one."""
        reports = len(self.states) + len(self.plant_alarms)
        return self._values + len(self.quarantined) + reports

    def came(self, arrived: int | None) -> None:
        """When one of its messages came in."""
        self.arrived = min(self.arrived, self.received if arrived is None else arrived)

    def was_sent(self, sent: int) -> None:
        """When a message of a sound clock was sent."""
        self.sent = min(self.sent or sent, sent)

    def weigh(self, message: Message | Unread) -> None:
        """Count what it took to read a message, whatever comes of it."""
        self._values += weight(message.width, message.size)

    @property
    def has_rows(self) -> bool:
        """Whether there are samples in it."""
        return bool(self._rows)

    def add_stranger(self, raw: Raw, place: Place) -> None:
        """A message of none of ours."""
        if place.channel in ("data", "sparkplug", None):
            self._received(NOBODY).messages_quarantined += 1
        records = Records(raw, None, place.enterprise, self.received)
        self.quarantined.append(records.whole(place.why))

    def add_report(self, raw: Raw, gateway: Gateway, channel: Channel | None) -> None:
        """A message of a gateway that has no samples."""
        said: GatewaySays | PlantAlarm | Rejection
        if channel == "state":
            said = state(raw.payload, gateway.id, self.received, raw.retained)
        else:
            said = RETAINED if raw.retained else alarm(raw.payload, gateway.id, self.received)
        if isinstance(said, GatewaySays):
            self.states.append(said)
        elif isinstance(said, PlantAlarm):
            self.plant_alarms.append(said)
        else:
            self.quarantined.append(self._records(raw, gateway).whole(said))

    def add_repeated(self, gateway: int) -> None:
        """A message that is in its ledger."""
        count = self._received(gateway)
        count.messages_repeated += 1
        count.messages_redelivered += 1

    def add_unread(self, raw: Raw, gateway: Gateway, why: Rejection) -> None:
        """A message that is quarantined whole."""
        self._received(gateway.id).messages_quarantined += 1
        self.quarantined.append(self._records(raw, gateway).whole(why))

    def add_decoded(
        self,
        raw: Raw,
        gateway: Gateway,
        message: Message,
        rows: int,
        refused: Sequence[RejectedValue],
        *,
        redelivered: bool,
    ) -> None:
        """A message that was understood, with what was refused of it; its rows come by `add`."""
        quarantined = len(message.rejected) + message.more_rejected + len(refused)
        if quarantined or message.odd:
            records = self._records(raw, gateway)
            rejected = (*message.rejected, *refused)[:MAX_REJECTED]
            self.quarantined.extend(records.values(rejected))
            self.quarantined.extend(records.whole(odd) for odd in message.odd)
        count = self._received(gateway.id)
        count.messages_decoded += 1
        count.messages_redelivered += redelivered
        count.values_decoded += rows + quarantined
        count.values_quarantined += quarantined

    def add_ordinary(self, gateway: int, messages: int, rows: int) -> None:
        """Messages that were understood, and of which all values are rows."""
        count = self._counts.setdefault(gateway, Count())
        count.messages_received += messages
        count.messages_decoded += messages
        count.values_decoded += rows
        self._values += rows

    def uncount(self, gateway: int) -> None:
        """The message that was added last is a part of another, or ours."""
        count = self._counts[gateway]
        count.messages_received -= 1
        count.messages_decoded -= 1

    def saw(self, ledger: Ledger, seq: int, offset: int, last: int | None = None) -> None:
        """A message entered a ledger, or all from seq to last; offset: what its times were shifted
        by."""
        mine = self._seen.setdefault((ledger.gateway, ledger.boot), _Seen(ledger))
        mine.seen.add(seq, seq if last is None else last)
        if offset:
            mine.runs.append((seq, seq, offset))

    def add(self, rows: Rows, gateway: int) -> None:
        """Samples of a message."""
        self._rows.append(rows)
        self._senders.append(gateway)

    def add_late(self, rows: Rows, event: Ints) -> None:
        """Note which of the rows change history: not judged, and not at the very time judged last.

        event: int64 by tag id, the newest time judged. The ranges of such rows have to be judged
        again.
        """
        if rows.history is not None:
            late = rows.history & (rows.time != event[rows.ids])
            if late.any():
                self._late.append((rows.ids[late], rows.time[late]))

    def close(self, judged: JudgedTimes, spans: Spans) -> Batch:
        """The batch, its frame sorted by tag; the judged samples of a tag rise in time."""
        frame, gateway_of = self._frame(judged, spans)
        return Batch(
            frame,
            gateway_of,
            tuple(self.quarantined),
            tuple(_delta(seen) for seen in self._seen.values()),
            self._counts,
            _ranges(self._late),
            tuple(self.states),
            tuple(self.plant_alarms),
            tuple(self.clocks),
            tuple(self.handles),
            self.arrived,
            self.sent,
        )

    def _received(self, gateway: int) -> Count:
        """The counts of a gateway in this batch, with one more message received."""
        count = self._counts.setdefault(gateway, Count())
        count.messages_received += 1
        return count

    def _records(self, raw: Raw, gateway: Gateway) -> Records:
        return Records(raw, gateway, gateway.enterprise, self.received)

    def _frame(self, judged: JudgedTimes, spans: Spans) -> tuple[Frame, NDArray[np.int32]]:
        if not self._rows:
            return Frame.of((), (), (), received=self.received), np.empty(0, np.int32)
        tag = np.concatenate([rows.ids for rows in self._rows])
        order = np.argsort(tag, kind="stable")
        tag = tag[order]
        time = np.concatenate([rows.time for rows in self._rows])[order]
        value = np.concatenate([rows.value for rows in self._rows])[order]
        quality = np.concatenate([rows.quality for rows in self._rows])[order]
        flags = np.concatenate([rows.flags for rows in self._rows])[order]
        at = judged.evaluate(tag, time, flags, self.received)
        value, quality, flags = spans.settled(tag, value, quality, flags)
        frame = Frame(tag, at, time, value, quality, flags, self.received)
        senders = np.array(self._senders, np.int32)
        return frame, senders.repeat([len(rows) for rows in self._rows])[order]


def weight(values: int, size: int) -> int:
    """What it takes to read a body of so many values and bytes, in values."""
    return max(values, size // BYTES_OF_VALUE)


def _delta(seen: _Seen) -> LedgerDelta:
    ledger = seen.ledger
    return LedgerDelta(
        ledger.gateway,
        ledger.boot,
        seen.seen.pairs(),
        ledger.first_seq,
        ledger.oldest,
        ledger.newest_time,
        tuple(_joined(seen.runs)),
    )


def _joined(runs: Iterable[Run]) -> list[Run]:
    joined: list[Run] = []
    for first, last, offset in runs:
        if joined and joined[-1][1] + 1 == first and joined[-1][2] == offset:
            joined[-1] = (joined[-1][0], last, offset)
        else:
            joined.append((first, last, offset))
    return joined


def _ranges(late: list[tuple[NDArray[np.int32], Ints]]) -> tuple[tuple[int, int, int], ...]:
    """(tag, from, to) of each tag that has late samples."""
    if not late:
        return ()
    tag = np.concatenate([tags for tags, _ in late])
    time = np.concatenate([times for _, times in late])
    order = np.lexsort((time, tag))
    tag, time = tag[order], time[order]
    first = np.flatnonzero(np.append(True, tag[1:] != tag[:-1]))
    last = np.append(first[1:], len(tag)) - 1
    spans = zip(tag[first].tolist(), time[first].tolist(), time[last].tolist(), strict=True)
    return tuple(spans)
