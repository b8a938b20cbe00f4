"""The alarm journal of a period as arrays: packed by the server, read by NumPy.

A million rows as Python objects would take seconds; columns as arrays take a tenth of that. An
occurrence goes by 64 bits of a hash of its id here: that two of ten million fall together has a
chance of one in 400,000, and would merge two alarms of a statistic.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.frame import Ints
from domain.instant import FAR, SECOND, micros
from domain.kpi_journal import Journal, Places, by_group
from storage.reading import Reading
from storage.rows import POSTGRES_EPOCH

LEAD = timedelta(days=1)
"""Read before a period, so that floods and chattering are whole at its beginning."""
TAIL = timedelta(days=1)
"""Read after it, so that acknowledgements count that came later."""
MOST_ROWS = 2_000_000
"""Journal rows that are read at a time, some 200 bytes of memory each; one enterprise may have
more."""
KINDS = tuple(kind.name for kind in Kind)
HEAD = 20
"""Bytes of `array_send` before the first element of an array of one dimension."""
INFINITY = 2**63 - 1
"""`infinity` as the server packs it."""
Spans = tuple[Ints, Ints]
NO_SPANS: Spans = (np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alarm is about: its kind ("?" for one of a later release), tag or node."""

    kind: str
    tag: int | None
    node: int


@dataclass(frozen=True, slots=True, eq=False)
class Subjects:
    """int64[k] each, a row for each subject. kind: place in `KINDS`, from 1 on, 0 for one of a
    later release; tag: -1, where it is the node's own alarm."""

    kind: Ints
    tag: Ints
    node: Ints

    def __getitem__(self, number: int) -> Subject:
        kind, tag = int(self.kind[number]), int(self.tag[number])
        return Subject(
            KINDS[kind - 1] if kind > 0 else "?",
            tag if tag >= 0 else None,
            int(self.node[number]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Journals:
    """The journals of several enterprises, and when their occurrences were in alarm (begin and end,
    int64[k], FAR = still)."""

    journal: Mapping[int, Journal]
    alarmed: Mapping[int, Spans]
    subjects: Subjects

    def of(self, enterprise: int) -> Journal:
        """The rows of one."""
        return self.journal.get(enterprise, Journal.empty())

    def standing(self, enterprise: int, begin: datetime, end: datetime, stale_s: float) -> Spans:
        """What was in alarm for longer than `stale_s`, and still at some time from `begin` to
        `end`."""
        since, until = self.alarmed.get(enterprise, NO_SPANS)
        stale = round(stale_s * SECOND)
        long = (until == FAR) | ((until > micros(begin)) & (until - since > stale))
        chosen = long & (since < micros(end) - stale)
        return since[chosen], until[chosen]


NO_JOURNALS = Journals({}, {}, Subjects(*(np.empty(0, np.int64) for _ in range(3))))


async def read_journals(
    reading: Reading,
    enterprises: Sequence[int],
    begin: datetime,
    end: datetime,
    most: int = MOST_ROWS,
) -> AsyncIterator[tuple[list[int], Journals]]:
    """The transitions from a day before `begin` to a day after `end`, of some enterprises at a time
    that have not more than `most` rows together; off the loop. Each read is a statement of its
    own."""
    span: dict[str, object] = {"from": begin - LEAD, "to": end + TAIL}
    found = await reading.rows("kpi_sizes", **span)
    sizes = {row["enterprise"]: int(row["rows"]) for row in found}
    for part in parts(enterprises, sizes, most):
        rows = sum(sizes.get(who, 0) for who in part)
        if rows == 0:
            yield part, NO_JOURNALS
            continue
        # where others' rows are few, to leave them out costs more than to read them
        every = sum(sizes.values())
        whole = rows == every or (2 * rows >= every and every <= most)
        asked = {"enterprises": part, "kinds": list(KINDS), **span}
        alarms = await reading.packed("kpi_alarms", **asked)
        events = await reading.packed("kpi_events", only=None if whole else part, **span)
        yield part, await asyncio.to_thread(unpacked, alarms, events)


def parts(enterprises: Iterable[int], sizes: Mapping[int, int], most: int) -> list[list[int]]:
    """The enterprises in turn, not more than `most` rows together unless one alone has more."""
    found: list[list[int]] = []
    rows = 0
    for who in enterprises:
        rows += sizes.get(who, 0)
        if not found or rows > most:
            found.append([])
            rows = sizes.get(who, 0)
        found[-1].append(who)
    return found


def unpacked(alarms: Mapping[str, bytes], events: Mapping[str, bytes]) -> Journals:
    """Columns of `kpi_alarms` and `kpi_events`, joined, by enterprise and in time order; events of
    other alarms are left out."""
    keys = column(alarms["key"])
    if not len(keys):
        return NO_JOURNALS
    whose, owned = np.unique(column(alarms["enterprise"]), return_inverse=True)
    owner = owned.astype(np.int32)
    sort = column(alarms["sort"])
    subject, subjects = _subjects(column(alarms["tag"]), column(alarms["node"]), sort >> 3)
    priority = (sort & 7).astype(np.int8)
    at, number = column(events["at"]), column(events["what"])
    by_key = np.argsort(keys)
    place, known = _places(keys[by_key], column(events["key"]))
    rows = np.flatnonzero(known)
    alarm = by_key[place[rows]].astype(np.int32)
    began, ended = column(alarms["onset"]) + POSTGRES_EPOCH, column(alarms["ended"])
    ended = np.where(ended == INFINITY, FAR, ended + POSTGRES_EPOCH)
    journals: dict[int, Journal] = {}
    alarmed: dict[int, Spans] = {}
    of_alarms, of_rows = _groups(owner, len(whose)), _groups(owner[alarm], len(whose))
    within = np.empty(len(keys), np.int32)
    for who, mine, chosen in zip(whose.tolist(), of_alarms, of_rows, strict=True):
        within[mine] = np.arange(len(mine))
        when = at[rows[chosen]]
        chosen = chosen[np.argsort(when * 64 + (number[rows[chosen]] >> 7) % 64, kind="stable")]
        whole, one = rows[chosen], alarm[chosen]
        journals[who] = Journal(
            at[whole] + POSTGRES_EPOCH,
            within[one],
            subject[one],
            priority[one],
            (number[whole] & 127).astype(np.int16),
        )
        alarmed[who] = began[mine], ended[mine]
    return Journals(journals, alarmed, subjects)


def _groups(group: NDArray[np.int32], number: int) -> list[Places]:
    """The places of each of so many groups, in the order they have."""
    order = by_group(group)
    edges = np.searchsorted(group[order], np.arange(1, number))
    return np.split(order, edges)


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


def _subjects(tag: Ints, node: Ints, kind: Ints) -> tuple[NDArray[np.int32], Subjects]:
    """int32[m]: which subject each alarm has; and the subjects. tag -1: the node's own."""
    who = np.where(tag >= 0, tag, -1 - node)
    _, first, number = np.unique(who * 256 + kind, return_index=True, return_inverse=True)
    return number.astype(np.int32), Subjects(kind[first], tag[first], node[first])
