"""What is in the messages of an edge node: births, deaths and data of the node and its devices."""

from ingest.rejection import Rejection
from ingest.sparkplug.births import MAX_DEVICES, MAX_METRICS
from ingest.sparkplug.item import Item
from ingest.sparkplug.life import Waits
from ingest.sparkplug.pending import Pending
from ingest.sparkplug.reader import NO_BIRTH, Reader, rejected
from ingest.sparkplug.rebirths import Rebirths
from ingest.sparkplug.reports import Reports
from ingest.sparkplug.stale import StaleMarks
from ingest.sparkplug.told import Readings


class Contents:
    """Takes messages whose place is known, and tells what was read of them."""

    def __init__(
        self,
        reader: Reader,
        pending: Pending,
        marks: StaleMarks,
        reports: Reports,
        rebirths: Rebirths,
        waits: Waits,
    ) -> None:
        self._reader = reader
        self._pending = pending
        self._marks = marks
        self._reports = reports
        self._rebirths = rebirths
        self._waits = waits

    def take(self, item: Item, *, historical: bool, loose: bool = False) -> None:
        """DBIRTH, DDEATH, NDATA or DDATA. loose: nobody knows where it belongs."""
        device, births = item.device, self._reader.births
        if item.type == "DBIRTH" and not loose and not historical:
            if not births.declare(device, item.payload.metrics):
                most = f"at most {MAX_DEVICES} devices, and {MAX_METRICS} metrics with theirs"
                why = Rejection("too_many_devices", f"a node has {most}")
                self._reports.tell_unread(item, why)
                return
            self._device_birth(item)
        elif item.type == "DDEATH":
            self._reports.tell_nothing(item)
            self._device_death(item)
        else:
            dead = device is not None and births.devices.get(device) is False
            self._read(item, historical=historical or dead, loose=loose)
            if dead:
                self._rebirths.ask(item.at)

    def take_history(self, item: Item) -> None:
        """An NBIRTH that begins nothing."""
        self._read(item, historical=True)

    def declare(self, birth: Item, goes_on: bool) -> None:
        """Take over what an NBIRTH declares; goes_on: it is of the session that we know."""
        self._reader.begin()
        self._reader.births.declare(None, birth.payload.metrics)
        if goes_on:
            self._settle(None)
        else:
            self.drop_pending()

    def node_birth(self, item: Item, at: int) -> None:
        """The readings of an NBIRTH that was declared; what it does not name is STALE."""
        before = self._marks.of(None)
        self._read(item)
        self._mark_unnamed(before, None, at)

    def drop_pending(self) -> None:
        """No birth explains what waits for one."""
        for one in self._pending.take_all():
            none = [rejected(one.item, one.metric, None, NO_BIRTH)]
            self._reports.tell_read(one.item, Readings(rejected=none), f"/{one.metric.alias}")

    def _device_birth(self, item: Item) -> None:
        device = item.device
        self._waits.devices.pop(device or "", None)
        self._reader.release(device)
        before = self._marks.of(device)
        self._settle(device)
        self._read(item)
        self._mark_unnamed(before, device, item.at)

    def _device_death(self, item: Item) -> None:
        device = item.device or ""
        self._waits.devices.pop(device, None)
        self._reader.births.end(device)
        self._marks.mark(self._marks.of(device), item.at, item.sent)

    def _mark_unnamed(self, before: list[str], device: str | None, at: int) -> None:
        named = self._reader.named(device)
        self._marks.mark([tag for tag in before if tag not in named], at)

    def _read(self, item: Item, *, historical: bool = False, loose: bool = False) -> None:
        found = self._reader.read(item, historical=historical, loose=loose)
        self._reports.tell_read(item, found)

    def _settle(self, device: str | None) -> None:
        """A birth has come: readings that waited for it are what they were, or are not taken."""
        for one in self._pending.take(device):
            found = Readings()
            if self._reader.births.find(device, one.metric) == one.born:
                self._reader.reading(found, one.item, one.metric, one.born)
            else:
                found.rejected.append(rejected(one.item, one.metric, None, NO_BIRTH))
            self._reports.tell_read(one.item, found, f"/{one.metric.alias}")
