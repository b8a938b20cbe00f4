"""Snapshots of intake's memory: by tag what was judged, by gateway what is known of its clock."""

from collections.abc import Callable, Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.instant import NEVER
from ingest.clocks import GatewayClock
from ingest.judged import JudgedTimes
from ingest.sender import Sender

FORMAT = 1
JUDGED = np.dtype([("tag", "<i4"), ("at", "<i8"), ("event", "<i8")])
"""Of one tag, as `JudgedTimes` has it."""
SENT = np.dtype([("tag", "<i4"), ("raw", "<i8"), ("value", "<f8"), ("behind", "<i8")])
"""Of one tag of a gateway, as `Sender` has it."""


class SnapshotError(ValueError):
    """These bytes are no snapshot of intake, or one of another format."""


class _Sender(msgspec.Struct, array_like=True):
    gateway: int
    clock: GatewayClock
    sent: bytes
    payloads: list[bytes]
    edge_node: bool = False


class _Memory(msgspec.Struct, array_like=True):
    format: int
    judged: bytes
    senders: list[_Sender]


_DECODER = msgspec.msgpack.Decoder(_Memory)


def pack(times: JudgedTimes, senders: Iterable[Sender]) -> bytes:
    """All that can't be learnt again from stored samples and ledgers."""
    tag = np.flatnonzero((times.at != NEVER) | (times.event != NEVER))
    judged = _table(JUDGED, tag, times.at[tag], times.event[tag])
    return msgspec.msgpack.encode(_Memory(FORMAT, judged, [_packed(one) for one in senders]))


def unpack(saved: bytes, times: JudgedTimes, sender_of: Callable[[int], Sender | None]) -> None:
    """Write a snapshot into a fresh memory; `SnapshotError` for other bytes, before any change."""
    memory = _memory(saved)
    judged = np.frombuffer(memory.judged, JUDGED)
    times.seed(judged["tag"], judged["at"], judged["event"])
    for one in memory.senders:
        sender = sender_of(one.gateway)
        if sender is not None:
            sent = np.frombuffer(one.sent, SENT)
            sender.clock = one.clock
            sender.recall(sent["tag"], sent["raw"], sent["value"], sent["behind"])
            sender.payloads = dict.fromkeys(one.payloads)
            sender.is_edge_node = one.edge_node


def _packed(sender: Sender) -> _Sender:
    sent = _table(SENT, sender.ids, sender.last_raw, sender.last_value, sender.behind)
    payloads = list(sender.payloads)
    return _Sender(sender.gateway.id, sender.clock, sent, payloads, sender.is_edge_node)


def _memory(saved: bytes) -> _Memory:
    try:
        memory = _DECODER.decode(saved)
    except msgspec.MsgspecError as error:
        raise SnapshotError(SnapshotError.__doc__) from error
    whole = len(memory.judged) % JUDGED.itemsize == 0
    if memory.format != FORMAT or not whole:
        raise SnapshotError(f"snapshot of format {memory.format}; readable: {FORMAT}")
    if any(len(one.sent) % SENT.itemsize for one in memory.senders):
        raise SnapshotError(SnapshotError.__doc__)
    return memory


def _table(layout: np.dtype[np.void], *columns: NDArray[np.generic]) -> bytes:
    table = np.empty(len(columns[0]), layout)
    for name, column in zip(layout.names or (), columns, strict=True):
        table[name] = column
    return table.tobytes()
