"""What the journal makes durable as one, and how the spool writes it down."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args

import msgspec
import numpy as np

from domain.alarms import ActionDone, Notice, OutboxEvent, Transition
from domain.cases import CaseTransition, EscalationStep
from domain.desk_now import DeskNow
from domain.inventory import SourceInventory
from domain.pca_record import PcaNow
from domain.risk import SourceRisk
from ingest.batch import Batch
from storage.days import DAYS_AT_ONCE, days
from storage.encoding import cleaned


@dataclass(frozen=True, slots=True)
class Entry:
    """What one step of the worker has to make durable. number: rising within one run of a worker.

    All but the batch (the alarm parts) are committed no later than the batch. steps: rungs that
    changed. risks, inventories, groups, desks: what is told of them from now on.
    """

    number: int
    transitions: tuple[Transition, ...] = ()
    events: tuple[OutboxEvent, ...] = ()
    notices: tuple[Notice, ...] = ()
    actions: tuple[ActionDone, ...] = ()
    batch: Batch | None = None
    cases: tuple[CaseTransition, ...] = ()
    steps: tuple[EscalationStep, ...] = ()
    risks: tuple[SourceRisk, ...] = ()
    inventories: tuple[SourceInventory, ...] = ()
    groups: tuple[PcaNow, ...] = ()
    desks: tuple[DeskNow, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether it has alarm parts."""
        return any(self._alarm_parts)

    @property
    def weight(self) -> int:
        """Its share of a bounded queue: its samples and alarm parts, and one for itself."""
        samples = len(self.batch.frame) if self.batch is not None else 0
        notes = sum(len(one.notes) for one in self.desks)
        return 1 + samples + notes + sum(map(len, self._alarm_parts))

    @property
    def _alarm_parts(self) -> tuple[Sized, ...]:
        return (
            self.transitions,
            self.events,
            self.notices,
            self.actions,
            self.cases,
            self.steps,
            self.risks,
            self.inventories,
            self.groups,
            self.desks,
        )

    @property
    def days(self) -> set[int]:
        """The UTC days of its samples, since 1970."""
        return set() if self.batch is None else set(days(self.batch.frame.time).tolist())


@dataclass(frozen=True, slots=True)
class Spooled:
    """An entry with the epoch of the worker that numbered it."""

    epoch: int
    entry: Entry


def set_apart(spooled: Spooled) -> Spooled:
    """The entry under an epoch of its own, below 0: the mark of the old one may have passed it."""
    digest = hashlib.blake2b(encode(spooled), digest_size=7).digest()
    return replace(spooled, epoch=-1 - int.from_bytes(digest))


def encode(spooled: Spooled) -> bytes:
    """As MessagePack; what only the broker's client understands (`handles`) is left out.

    Text and numbers that MessagePack has no place for are replaced as on the way to the database.
    """
    entry = spooled.entry
    if entry.batch is not None and entry.batch.handles:
        entry = replace(entry, batch=replace(entry.batch, handles=()))
        spooled = replace(spooled, entry=entry)
    try:
        return _ENCODER.encode(spooled)
    except (UnicodeEncodeError, OverflowError):
        plain = msgspec.to_builtins(spooled, builtin_types=_PLAIN, enc_hook=_array_out)
        return _ENCODER.encode(cleaned(plain, packed=True))


def decode(record: bytes) -> Spooled:
    """What `encode` wrote; members that a later release added take their defaults."""
    return _DECODER.decode(record)


def in_groups(entries: Iterable[Entry], samples: int) -> Iterator[list[Entry]]:
    """The entries in order, in groups that end once they hold `samples` samples.

    A group has samples of at most `DAYS_AT_ONCE` days, or is one entry that has more by itself.
    """
    group: list[Entry] = []
    held = 0
    touched: set[int] = set()
    for entry in entries:
        more = entry.days
        if group and (held >= samples or len(touched | more) > DAYS_AT_ONCE):
            yield group
            group, held, touched = [], 0, set()
        group.append(entry)
        held += entry.weight
        touched |= more
    if group:
        yield group


def is_wide(group: Sequence[Entry]) -> bool:
    """Whether one of `in_groups` is an entry with too many days for one transaction."""
    return len(group) == 1 and len(group[0].days) > DAYS_AT_ONCE


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


_PLAIN = (bytes, datetime)
_ENCODER = msgspec.msgpack.Encoder(enc_hook=_array_out)
_DECODER = msgspec.msgpack.Decoder(Spooled, dec_hook=_array_in)
