"""What the journal makes durable as one, and how the spool writes it down."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

import msgspec
import numpy as np

from domain.alarms import ActionDone, Notice, OutboxEvent, Transition
from ingest.batch import Batch


@dataclass(frozen=True, slots=True)
class Entry:
    """What one step of the worker has to make durable. number: rising within one run of a worker.

    transitions, events, notices and actions (the alarm parts) are committed no later than the
    batch.
    """

    number: int
    transitions: tuple[Transition, ...] = ()
    events: tuple[OutboxEvent, ...] = ()
    notices: tuple[Notice, ...] = ()
    actions: tuple[ActionDone, ...] = ()
    batch: Batch | None = None

    @property
    def speaks(self) -> bool:
        """Whether it has alarm parts."""
        return bool(self.transitions or self.events or self.notices or self.actions)

    @property
    def weight(self) -> int:
        """Its share of a bounded queue: its samples and alarm parts, and one for itself."""
        samples = len(self.batch.frame) if self.batch is not None else 0
        parts = self.transitions, self.events, self.notices, self.actions
        return 1 + samples + sum(map(len, parts))


@dataclass(frozen=True, slots=True)
class Spooled:
    """An entry with the epoch of the worker that numbered it."""

    epoch: int
    entry: Entry


def encode(spooled: Spooled) -> bytes:
    """As MessagePack; what only the broker's client understands (`handles`) is left out."""
    entry = spooled.entry
    if entry.batch is not None and entry.batch.handles:
        entry = replace(entry, batch=replace(entry.batch, handles=()))
        spooled = replace(spooled, entry=entry)
    return _ENCODER.encode(spooled)


def decode(record: bytes) -> Spooled:
    """What `encode` wrote; members that a later release added take their defaults."""
    return _DECODER.decode(record)


def in_groups(entries: Iterable[Entry], samples: int) -> Iterator[list[Entry]]:
    """The entries in order, in groups that end once they hold `samples` samples."""
    group: list[Entry] = []
    held = 0
    for entry in entries:
        group.append(entry)
        held += entry.weight
        if held >= samples:
            yield group
            group, held = [], 0
    if group:
        yield group


def _array_out(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return array.dtype.str, np.ascontiguousarray(array).tobytes()
    raise NotImplementedError(f"a {type(array).__name__} does not belong in an entry")


def _array_in(kind: Any, said: Any) -> Any:
    if kind is object:
        return said
    dtype, content = said
    expected = get_args(get_args(kind)[1])[0]
    return np.frombuffer(content, np.dtype(dtype)).astype(expected, copy=False)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_array_out)
_DECODER = msgspec.msgpack.Decoder(Spooled, dec_hook=_array_in)
