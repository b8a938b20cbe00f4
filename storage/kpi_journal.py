"""The alarm journal of a period as arrays: packed by the server, read by NumPy.

A million rows as Python objects would take seconds; columns as arrays take a tenth of that. An
occurrence goes by 64 bits of a hash of its id here: that two of ten million fall together has a
chance of one in 400,000, and would merge two alarms of a statistic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Ints
from domain.instant import FAR, micros
from domain.kpi_journal import Journal
from storage.reading import Reading
from storage.rows import POSTGRES_EPOCH

LEAD = timedelta(days=1)
"""Read before a period, so that floods and chattering are whole at its beginning."""
TAIL = timedelta(days=1)
"""Read after it, so that acknowledgements count that came later."""
KINDS = tuple(kind.name for kind in Kind)
HEAD = 20
"""Bytes of `array_send` before the first element of an array of one dimension."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alarm is about: its kind ("?" for one of a later release), tag or node."""

    kind: str
    tag: int | None
    node: int


@dataclass(frozen=True, slots=True, eq=False)
class Journals:
    """The journal of several enterprises. enterprise: int32[n], of each row; subjects: by
    number."""

    journal: Journal
    enterprise: NDArray[np.int32]
    subjects: tuple[Subject, ...]

    def of(self, enterprises: tuple[int, ...]) -> Journal:
        """The rows of these enterprises."""
        return self.journal.of(np.isin(self.enterprise, enterprises))


async def read_journals(
    reading: Reading, enterprises: list[int], begin: datetime, end: datetime
) -> Journals:
    """The transitions from a day before `begin` to a day after `end`."""
    span: dict[str, object] = {"from": begin - LEAD, "to": end + TAIL}
    alarms = await reading.packed("kpi_alarms", enterprises=enterprises, kinds=list(KINDS), **span)
    if not alarms["key"]:
        return Journals(Journal.empty(), np.empty(0, np.int32), ())
    events = await reading.packed("kpi_events", **span)
    return unpacked(alarms, events)


async def read_standing(
    reading: Reading, enterprises: list[int], begin: datetime, end: datetime, stale_s: float
) -> dict[int, tuple[Ints, Ints]]:
    """By enterprise begin and end (FAR = still) of what was in alarm for longer than `stale_s`."""
    span: dict[str, object] = {"from": begin, "to": end}
    rows = await reading.rows("kpi_standing", enterprises=enterprises, stale_s=stale_s, **span)
    found: dict[int, list[tuple[int, int]]] = {}
    for row in rows:
        ended = FAR if row["ended"] is None else micros(row["ended"])
        found.setdefault(row["enterprise"], []).append((micros(row["onset"]), ended))
    return {
        who: (np.array([b for b, _ in spans], np.int64), np.array([e for _, e in spans], np.int64))
        for who, spans in found.items()
    }


def unpacked(alarms: Mapping[str, bytes], events: Mapping[str, bytes]) -> Journals:
    """Columns of `kpi_alarms` and `kpi_events`, joined, in time order; events of other alarms are
    left out."""
    keys, at = column(alarms["key"]), column(events["at"])
    by_key = np.argsort(keys)
    place, known = _places(keys[by_key], column(events["key"]))
    number = column(events["what"])
    order = np.argsort(at * 64 + (number >> 7) % 64, kind="stable")
    order = order[known[order]]
    alarm = by_key[place[order]].astype(np.int32)
    sort = column(alarms["sort"])
    subject, subjects = _subjects(column(alarms["tag"]), column(alarms["node"]), sort >> 3)
    journal = Journal(
        at[order] + POSTGRES_EPOCH,
        alarm,
        subject[alarm],
        (sort & 7).astype(np.int8)[alarm],
        (number[order] & 127).astype(np.int16),
    )
    return Journals(journal, column(alarms["enterprise"]).astype(np.int32)[alarm], subjects)


def column(sent: bytes) -> Ints:
    """int64[n]: an array of numbers or instants as `array_send` packs it; empty for b""."""
    if not sent:
        return np.empty(0, np.int64)
    size = int.from_bytes(sent[HEAD : HEAD + 4], "big")
    element = np.dtype([("length", ">i4"), ("value", f">i{size}")])
    return np.frombuffer(sent, element, offset=HEAD)["value"].astype(np.int64)


def _places(keys: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """(place of each wanted number among rising keys, whether it is there). A table by the upper
    bits first: a search through the whole for each would be slow."""
    bits = max(1, len(keys).bit_length())
    shift = 64 - bits
    slot = ((wanted >> shift) + (1 << (bits - 1))).astype(np.intp)
    edges = (np.arange(1 << bits, dtype=np.int64) - (1 << (bits - 1))) << shift
    place = np.searchsorted(keys, edges)[slot]
    last = len(keys) - 1
    while (behind := np.flatnonzero(keys[np.minimum(place, last)] < wanted)).size:
        ahead = behind[place[behind] < last]
        if not ahead.size:
            break
        place[ahead] += 1
    place = np.minimum(place, last)
    return place, keys[place] == wanted


def _subjects(tag: Ints, node: Ints, kind: Ints) -> tuple[NDArray[np.int32], tuple[Subject, ...]]:
    """int32[m]: which subject each alarm has; and the subjects. tag -1: the node's own."""
    who = np.where(tag >= 0, tag, -1 - node)
    _, first, number = np.unique(who * 256 + kind, return_index=True, return_inverse=True)
    subjects = tuple(
        Subject(
            KINDS[kind[row] - 1] if kind[row] > 0 else "?",
            int(tag[row]) if tag[row] >= 0 else None,
            int(node[row]),
        )
        for row in first.tolist()
    )
    return number.astype(np.int32), subjects
