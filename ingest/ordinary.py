"""Messages that are as they should be, judged by the hundred.

Nearly every message is live, counts on from the one before, comes from a clock that is right, is
newer than all that its tags had, and says nothing but readings of registered tags in their units.
All such messages of a sender in one reading of the broker are judged together: the same rows,
times, ledger and counts come out as if `Intake` had judged one after the other. Where one of them
turns out to be different after all, nothing has changed, and they go one by one. So do those of
gateways that send tags which others send too: what is late among them, their order says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from domain.frame import Flag, Floats, Ints
from ingest.assembly import Assembly, weight
from ingest.batch import Raw
from ingest.clocks import WRONG_AFTER, What
from ingest.decode import Body, Given, Sound, look, numbers
from ingest.judged import JudgedTimes
from ingest.ledger import Ledger
from ingest.message import Message, Unread
from ingest.places import Place, Places
from ingest.placing import Rows
from ingest.rejection import Rejection
from ingest.sender import Layout, Sender
from ingest.wiretime import instant

Slots = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Looked:
    """A message that was looked at, and what `look` saw where it is one of samples."""

    number: int
    raw: Raw
    place: Place
    found: Sound | Message | Unread | None = None


@dataclass(slots=True)
class Line:
    """Messages of one sender and boot, one after the other, that look ordinary.

    oldest, newest, sent: the highest, the newest and the last that they say. first_sent: when the
    first was sent, as far as is known. given: their values;
    times: one for each of `widths` values.
    """

    sender: Sender
    ledger: Ledger
    first_seq: int
    next_seq: int
    oldest: int = 0
    newest: int = 0
    sent: int | None = None
    first_sent: int = 0
    messages: list[Looked] = field(default_factory=list)
    layouts: list[Layout] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)

    def add(self, looked: Looked, body: Body, arrived: int, tags: Mapping[str, int]) -> bool:
        """Take in the next message; False: it is not ordinary, and nothing has changed."""
        if body.historical or body.seq != self.next_seq or body.boot != self.ledger.boot:
            return False
        times, newest, oldest = [], 0, body.oldest or 0
        for sample in body.samples:
            time = instant(sample.time)
            if isinstance(time, Rejection) or time <= newest:
                return False
            times.append(time)
            newest = time
        sent = newest if body.sent is None else instant(body.sent)
        if isinstance(sent, Rejection) or oldest > body.seq:
            return False
        if abs(sent - arrived) > WRONG_AFTER or abs(newest - arrived) > WRONG_AFTER:
            return False
        values = [sample.values for sample in body.samples]
        layout = self.sender.layout(tuple(chain.from_iterable(values)), tags)
        if layout.unknown or not len(layout.ids):
            return False
        self.first_sent = self.first_sent or sent
        self.messages.append(looked)
        self.layouts.append(layout)
        self.times += times
        for one in values:
            self.widths.append(len(one))
            self.given += one.values()
        self.next_seq += 1
        self.oldest = max(self.oldest, oldest)
        self.newest = max(self.newest, newest)
        self.sent = self.sent if body.sent is None else sent
        return True


class Reading:
    """Messages of one reading of the broker, a batch full of them. weight: of all, in values."""

    def __init__(self, batch: Assembly) -> None:
        self.batch = batch
        self.weight = 0
        self._lines: dict[int, Line] = {}
        self._closed: set[int] = set()
        self._others: list[Looked] = []
        self._number = 0

    def look(self, raw: Raw, places: Places) -> None:
        """Look at the next message; nothing is remembered of it yet."""
        self._number += 1
        self.batch.came(raw.arrived)
        place = places.find(raw.topic)
        sender = place.sender
        if sender is None or place.channel != "data":
            self._others.append(Looked(self._number, raw, place))
            self.weight += weight(1, len(raw.payload))
            return
        found = look(raw.payload)
        looked = Looked(self._number, raw, place, found)
        self.weight += weight(found.width, found.size)
        if sender.gateway.id in self._closed or not self._goes_on(looked, sender, places):
            _meet(found, sender, places)
            self._closed.add(sender.gateway.id)
            self._others.append(looked)

    def judge(self, times: JudgedTimes) -> list[Looked]:
        """Judge the ordinary messages into the batch; the others, in the order in which they
        came."""
        for line in self._lines.values():
            if line.messages and (line.sender.shares or not _judged(line, self.batch, times)):
                self._others.extend(line.messages)
        self._others.sort(key=attrgetter("number"))
        return self._others

    def _goes_on(self, looked: Looked, sender: Sender, places: Places) -> bool:
        """Whether the message is an ordinary one after those of its sender; it is in their line
        then."""
        found, arrived = looked.found, looked.raw.arrived
        if not isinstance(found, Sound) or looked.raw.retained:
            return False
        if looked.raw.absent_since not in (None, sender.clock.absence):
            return False
        line = self._lines.get(sender.gateway.id) or _begun(sender, found.body)
        if line is None:
            return False
        self._lines[sender.gateway.id] = line
        tags = places.tags(sender.gateway.enterprise)
        return line.add(
            looked, found.body, self.batch.received if arrived is None else arrived, tags
        )


def _meet(found: Sound | Message | Unread, sender: Sender, places: Places) -> None:
    """Let the sender know the tags of a message that is judged later: others may send them too."""
    if isinstance(found, Message):
        names = found.names
    elif isinstance(found, Sound):
        names = tuple(chain.from_iterable(one.values for one in found.body.samples))
    else:
        return
    sender.layout(names, places.tags(sender.gateway.enterprise))


def _begun(sender: Sender, body: Body) -> Line | None:
    """A line without messages; None where no message of the sender is ordinary now."""
    clock = sender.clock
    if (
        clock.held is not What.RIGHT
        or clock.what is not What.RIGHT
        or clock.excused_from is not None
        or sender.some_behind
        or sender.shares
    ):
        return None
    ledger = sender.ledgers.find(body.boot)
    last = None if ledger is None else ledger.seen.last
    return None if ledger is None or last is None else Line(sender, ledger, last + 1, last + 1)


def _judged(line: Line, batch: Assembly, times: JudgedTimes) -> bool:
    """Put all of a line into the batch and remember it; False: one of it is not ordinary after all,
    and nothing has changed."""
    columns = numbers(line.given)
    if columns is None or columns[2]:
        return False
    value, quality, _ = columns
    sender, gateway = line.sender, line.sender.gateway.id
    ids = np.concatenate([layout.ids for layout in line.layouts])
    slots = np.concatenate([layout.slots for layout in line.layouts])
    time: Ints = np.array(line.times, np.int64).repeat(line.widths)
    newer = (time > sender.last_raw[slots]) & (time > times.event[ids])
    if not newer.all() or not _apart(slots, time):
        return False
    _remember(line, slots, time, value)
    times.event[ids] = time
    flags = np.full(len(ids), Flag.NONE, np.int16)
    batch.add(Rows(ids, slots, time, time, value, quality, flags, steady=True), gateway)
    batch.add_ordinary(gateway, len(line.messages), len(ids))
    batch.was_sent(line.first_sent)
    batch.saw(line.ledger, line.first_seq, 0, line.next_seq - 1)
    batch.handles.extend(looked.raw.handle for looked in line.messages)
    return True


def _remember(line: Line, slots: Slots, time: Ints, value: Floats) -> None:
    sender, ledger = line.sender, line.ledger
    sent = sender.clock.sent if line.sent is None else line.sent
    sender.clock = replace(sender.clock, sent=sent, offset=0)
    sender.remember(slots, time, value, None)
    sender.ledgers.open(ledger.gateway, ledger.boot, line.first_seq)
    ledger.go_on(line.first_seq, line.next_seq - 1, line.oldest, line.newest)


def _apart(slots: Slots, time: Ints) -> bool:
    """Whether the times of each slot rise, in the order of the rows."""
    order = np.argsort(slots, kind="stable")
    slots, time = slots[order], time[order]
    return bool(((slots[1:] != slots[:-1]) | (time[1:] > time[:-1])).all())
