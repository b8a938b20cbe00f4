"""Sparkplug B by hand: payloads byte by byte, and an edge node's line into `Desk` and `Intake`."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from domain.instant import SECOND
from domain.plant import Gateway
from ingest.batch import Batch, Raw
from ingest.intake import Intake
from ingest.sparkplug.desk import Desk, Sign, sign
from ingest.sparkplug.life import Options, Phase
from ingest.sparkplug.session import Session
from tests.support.builders import ENTERPRISE, registry, tag
from tests.support.gateway_line import us

GROUP = "P1:E1"
NODE = ("P1", "E1", "G1")
INT32, UINT32, INT64, FLOAT, DOUBLE, BOOLEAN, STRING = 3, 7, 4, 9, 10, 11, 12
TAGS = tuple(
    tag(id, name, unit="m", range=(-1000.0, 1000.0), max_silence_s=86_400.0)
    for id, name in enumerate(["A", "B", "C", "TF/A", "D"], start=1)
)


def varint(number: int) -> bytes:
    """Base 128, low groups first."""
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def whole(number: int, value: int) -> bytes:
    """A field of type 0."""
    return varint(number << 3) + varint(value)


def text(number: int, value: bytes | str) -> bytes:
    """A field of type 2: text, bytes, or a message."""
    body = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(body)) + body


def single(number: int, value: float) -> bytes:
    """A float of 32 bits."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def double(number: int, value: float) -> bytes:
    """A float of 64 bits."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def quality(code: int, key: str = "Quality") -> bytes:
    """Field 9, a property set with a quality."""
    return text(9, text(1, key) + text(2, whole(1, INT32) + whole(3, code)))


def unit(name: str) -> bytes:
    """Field 9 with the unit that Ignition gives."""
    return text(9, text(1, "engUnit") + text(2, whole(1, STRING) + text(8, name)))


def metric(
    name: str | bytes | None = None,
    value: bytes = b"",
    *,
    alias: int | None = None,
    time: float | None = None,
    datatype: int | None = DOUBLE,
    more: bytes = b"",
) -> bytes:
    """A metric; value: its field; time: seconds after `START`."""
    body = b"" if name is None else text(1, name)
    body += b"" if alias is None else whole(2, alias)
    body += b"" if time is None else whole(3, us(time) // 1000)
    body += b"" if datatype is None else whole(4, datatype)
    return body + more + value


def reading(name: str | None, value: float, **more) -> bytes:
    """A metric with a double."""
    return metric(name, double(13, value), **more)


def bdseq(number: int) -> bytes:
    """The metric that births and deaths of a node have."""
    return metric("bdSeq", whole(11, number), datatype=INT64)


def payload(*metrics: bytes, seq: int | None = None, time: float | None = None) -> bytes:
    """A payload; time: seconds after `START`."""
    body = b"" if time is None else whole(1, us(time) // 1000)
    body += b"".join(text(2, one) for one in metrics)
    return body + (b"" if seq is None else whole(3, seq))


@dataclass
class Node:
    """A desk with an intake behind it, and what an edge node says to them. Times in seconds after
    `START`; what is published at `at` comes `delay` later by our clock."""

    desk: Desk = field(default_factory=lambda: Desk(plant(), Options()))
    intake: Intake = field(default_factory=lambda: Intake(plant()))
    batches: list[Batch] = field(default_factory=list)
    raws: list[Raw] = field(default_factory=list)
    code: str = "G1"
    ahead: float = 0.0
    _stamp: int = 0

    def say(
        self, kind: str, at: float, *metrics: bytes, device: str | None = None, **more
    ) -> list[Raw]:
        """Publish; `seq` as handed in, `sent` instead of `at` plus `ahead`; the raws it makes."""
        retained, came = more.pop("retained", False), more.pop("came", at)
        more.setdefault("time", at + self.ahead)
        place = f"{kind}/{self.code}" + (f"/{device}" if device else "")
        raw = Raw(f"spBv1.0/{GROUP}/{place}", payload(*metrics, **more), arrived=us(came))
        return self.take(Raw(raw.topic, raw.payload, retained=retained, arrived=raw.arrived))

    def birth(self, at: float, *metrics: bytes, b: int = 0, **more) -> list[Raw]:
        """An NBIRTH."""
        return self.say("NBIRTH", at, bdseq(b), *metrics, **{"seq": 0} | more)

    def death(self, at: float, b: int | None = 0, **more) -> list[Raw]:
        """An NDEATH, without time and seq."""
        made = () if b is None else (bdseq(b),)
        return self.say("NDEATH", at, *made, **{"time": None} | more)

    def data(self, at: float, *metrics: bytes, seq: int | None, **more) -> list[Raw]:
        """An NDATA, or a DDATA with `device`."""
        return self.say("DDATA" if "device" in more else "NDATA", at, *metrics, seq=seq, **more)

    def time(self, at: float) -> list[Raw]:
        """Let time pass."""
        return self.take(sign(NODE, Sign.TIME, us(at)))

    def lost(self, at: float) -> list[Raw]:
        """The broker is gone."""
        return self.take(sign(NODE, Sign.LOST, us(at)))

    def up(self, at: float) -> list[Raw]:
        """The broker is there."""
        return self.take(sign(NODE, Sign.UP, us(at)))

    def take(self, *raws: Raw) -> list[Raw]:
        """Hand over messages as the inbox does."""
        made = list(self.desk.read(raws))
        self.raws += made
        self._stamp = max(self._stamp, us(0), *(raw.arrived or 0 for raw in raws))
        self.batches += self.intake.take(made, self._next_stamp)
        return made

    @property
    def session(self) -> Session:
        """The node's."""
        return self.desk._sessions[NODE[:2]][self.code]

    @property
    def phase(self) -> Phase:
        """Its phase."""
        return self.session.phase

    def asked(self) -> int:
        """Requests for births since this was called last."""
        return len(self.desk.commands())

    def rows(self) -> list[tuple[str, float, float | None, int]]:
        """(tag, seconds, value or None, quality) of every sample, in the order of receiving."""
        return [row for batch in self.batches for row in _rows(batch)]

    def live(self, name: str) -> list[float | None]:
        """Values of a tag that were judged live and are good or null, in order."""
        ids = {one.name: one.id for one in TAGS}
        found = []
        for batch in self.batches:
            frame = batch.frame.judged()
            order = np.argsort(frame.at, kind="stable")
            for n in order[frame.tag[order] == ids[name]]:
                value = float(frame.value[n])
                found.append(None if np.isnan(value) else value)
        return found

    def said(self) -> list[bool | None]:
        """What the gateway was said to be."""
        return [said.online for batch in self.batches for said in batch.states]

    def findings(self) -> list[str]:
        """What was found of it."""
        return [one.what for batch in self.batches for one in batch.clocks]

    def refused(self) -> list[tuple[str, str | None]]:
        """(reason, tag) of what is in quarantine."""
        return [(one.reason, one.tag) for batch in self.batches for one in batch.quarantined]

    def count(self, name: str) -> int:
        """The sum of a count."""
        counts = [count for batch in self.batches for count in batch.counts.values()]
        return sum(getattr(count, name) for count in counts)

    def _next_stamp(self) -> int:
        self._stamp += 1
        return self._stamp


def plant():
    """Gateways G1 and G2 of one enterprise, tags A to D and TF/A."""
    return registry(*TAGS, gateways=[Gateway(2, ENTERPRISE, "P1", "E1", "G2")])


def _rows(batch: Batch) -> Iterable[tuple[str, float, float | None, int]]:
    names: Mapping[int, str] = {one.id: one.name for one in TAGS}
    frame = batch.frame
    for n in range(len(frame)):
        value = float(frame.value[n])
        seconds = (int(frame.time[n]) - us(0)) / SECOND
        known = None if np.isnan(value) else value
        yield names[int(frame.tag[n])], seconds, known, int(frame.quality[n])
