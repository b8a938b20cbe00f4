"""Rules over several tags: what happens to them, and in which order.

A row watches some tags, its members. Things happen to it one after the other: samples of members as
they arrive, and before each of them, in event time, whatever has run out by then: a member that has
been silent for longer than it may, or something of the row's own. The clock of a row is the newest
event time among its members' samples, never ahead of their receipt; a sample that is older than
that by more than its tag's silence says nothing any more. So the same is found however the stream
is cut into frames, and, as long as the samples of each tag reach us equally late, whatever ticks
come in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.rows import Rows, Seen
from rules.samples import Samples, by_rank, ranks

Mask = NDArray[np.bool_]

MOST_MEMBERS = 62
"""Members of a row: a set of them is the bits of one int64."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Which tags r rows watch: p pairs of row and tag, by row.

    first: intp[r + 1], the pairs of a row are first[row] to first[row + 1]. row, slot: intp[p].
    bit: int64[p], of the member in sets of its row. silence: int64[p], microseconds. head:
    int32[n + 1] and order: intp[p], the pairs of a slot are order[head[slot] : head[slot + 1]].
    """

    first: Rows
    row: Rows
    slot: Rows
    bit: Ints
    silence: Ints
    head: NDArray[np.int32]
    order: Rows

    @staticmethod
    def of(slots: Sequence[Sequence[int]], silence: Ints) -> "Members":
        """slots: of the members of each row. silence: int64[n], by slot."""
        count = np.array([len(own) for own in slots], np.intp)
        slot = np.array([slot for own in slots for slot in own], np.intp)
        number = np.array([k for own in slots for k in range(len(own))], np.int64)
        head = np.zeros(len(silence) + 1, np.int32)
        np.cumsum(np.bincount(slot, minlength=len(silence)), out=head[1:])
        return Members(
            np.append(0, np.cumsum(count)).astype(np.intp),
            np.repeat(np.arange(len(slots), dtype=np.intp), count),
            slot,
            np.int64(1) << number,
            silence[slot],
            head,
            np.argsort(slot, kind="stable"),
        )

    def all(self) -> Ints:
        """The set of all members by row: int64[r]."""
        every: Ints = (np.int64(1) << np.diff(self.first).astype(np.int64)) - 1
        return every

    def seen_by(self, slot: Rows) -> tuple[Rows, Rows]:
        """(positions in `slot`, pairs): every pair of these tags."""
        count = self.head[slot + 1] - self.head[slot]
        position = np.repeat(np.arange(len(slot)), count)
        return position, self.order[_runs(self.head[slot], count)]


def _runs(start: NDArray[np.integer], count: NDArray[np.integer]) -> Rows:
    """start[0], start[0] + 1, … count[0] of them, then those of start[1], and so on."""
    total = np.cumsum(count)
    length = int(total[-1]) if len(total) else 0
    places: Rows = np.arange(length) + np.repeat(start - (total - count), count)
    return places


class Memory(Protocol):
    """What the memory of such a layer has, int64[r] each; times are event times unless said.

    clock: see the module. out: set of members of which nothing is known now: the last sample was
    bad, or they are silent. own: when something of the row's own runs out, FAR = nothing, NEVER =
    the row has not begun. until: nothing happens to the row by itself before. wake: nor before this
    wall time.
    """

    clock: Ints
    out: Ints
    own: Ints
    until: Ints
    wake: Ints


@dataclass(slots=True, eq=False)
class Company:
    """Some rows at work: row: intp[k], by rising number, with all their members, q pairs.

    first: intp[k + 1]. pair, slot: intp[q]; bit, silence: int64[q]. heard: int64[q], event time of
    the member's last sample, never ahead of its receipt, NEVER = none. value: float64[q], its last
    number. good: bool[q], whether its last sample was good; of members in the frame, False. grace:
    as in `Seen`.
    """

    row: Rows
    first: Rows
    pair: Rows
    slot: Rows
    bit: Ints
    silence: Ints
    heard: Ints
    value: Floats
    good: Mask
    grace: int

    @staticmethod
    def of(members: Members, row: Rows, seen: Seen) -> "Company":
        """These rows as the engine knows their members."""
        count = members.first[row + 1] - members.first[row]
        pair = _runs(members.first[row], count)
        slot = members.slot[pair]
        at = seen.at[slot]
        good = (at != NEVER) & (seen.good[slot] == at)
        return Company(
            row,
            np.append(0, np.cumsum(count)).astype(np.intp),
            pair,
            slot,
            members.bit[pair],
            members.silence[pair],
            np.minimum(at, seen.received[slot]),
            seen.held[slot],
            good,
            seen.grace,
        )

    def of_rows(self, i: Rows) -> tuple[Rows, Rows]:
        """(positions in `i`, pairs) of some of the rows; every row has members."""
        count = self.first[i + 1] - self.first[i]
        return np.repeat(np.arange(len(i)), count), _runs(self.first[i], count)

    def leaving(self) -> Ints:
        """Until when each member counts as heard: int64[q]."""
        return np.maximum(self.heard, self.grace) + self.silence

    def newest(self, i: Rows) -> Ints:
        """Event time of the newest sample of rows: int64, the grace where there is none."""
        _, pair = self.of_rows(i)
        starts = np.cumsum(self.first[i + 1] - self.first[i]) - (self.first[i + 1] - self.first[i])
        return np.maximum(np.maximum.reduceat(self.heard[pair], starts), self.grace)

    def lag(self, seen: Seen) -> Ints:
        """By how much the clock of each row lags behind the wall clock: that of the tag which
        reaches us latest. One that comes so late that it says nothing does not count."""
        heard = self.heard != NEVER
        late = np.maximum(seen.received[self.slot] - seen.at[self.slot], 0)
        late = np.where(heard, late, FAR)
        starts, count = self.first[:-1], np.diff(self.first)
        least = np.repeat(np.minimum.reduceat(late, starts), count)
        counts = heard & (late - least <= self.silence)
        return np.where(
            least[starts] == FAR, 0, np.maximum.reduceat(np.where(counts, late, 0), starts)
        )


class Kernel(Protocol):
    """What a layer does with what happens. i: intp[j], different rows of the company, by place."""

    def begin(self, work: Company, i: Rows) -> None:
        """Rows that know nothing yet: take what their members said last."""

    def hear(self, work: Company, i: Rows, q: Rows, s: Rows) -> None:
        """Samples s came from members q; `work` has heard them."""

    def look(self, work: Company, i: Rows, when: Ints) -> None:
        """Judge the rows as they are at event times `when`, and set `own` anew."""


def judge(
    members: Members,
    memory: Memory,
    kernel: Kernel,
    samples: Samples,
    received: int,
    seen: Seen,
    event: tuple[Rows, Rows],
) -> None:
    """Let everything happen that these samples bring about. event: positions of samples and pairs,
    all of those rows that have any."""
    s, pair = event
    row, which = np.unique(members.row[pair], return_inverse=True)
    if not row.size:
        return
    work = Company.of(members, row, seen)
    q = work.first[which] + pair - members.first[members.row[pair]]
    _step_back(work, q, samples, s, received)
    order = np.lexsort((_arrival(samples)[s], which))
    s, i, q = s[order], which[order], q[order]
    for part in by_rank(ranks(np.append(True, i[1:] != i[:-1]))):
        _hear(memory, kernel, work, samples, received, i[part], q[part], s[part])
    lag = received - memory.clock[row]
    memory.wake[row] = np.where(memory.until[row] == FAR, FAR, memory.until[row] + lag)


def pass_time(members: Members, memory: Memory, kernel: Kernel, at: int, seen: Seen) -> None:
    """Let everything happen that needs no sample, up to wall time `at`."""
    row = np.flatnonzero(memory.wake <= at)
    if not row.size:
        return
    work = Company.of(members, row, seen)
    lag = work.lag(seen)
    _run_out(memory, kernel, work, np.arange(len(row)), at - lag)
    until = memory.until[row]
    memory.wake[row] = np.where(until == FAR, FAR, np.maximum(until + lag, at + 1))


def _arrival(samples: Samples) -> Rows:
    """The order in which samples count: as they came, those of one tag by time."""
    if samples.rank is None:
        return samples.arrival
    tag = np.cumsum(samples.rank == 0)
    span = int(samples.arrival.max()) + 1
    order: Rows = np.maximum.accumulate(tag * span + samples.arrival) - tag * span
    return order


def _step_back(work: Company, q: Rows, samples: Samples, s: Rows, received: int) -> None:
    """Members that are in the frame, as they were before it."""
    first = s if samples.rank is None else s[samples.rank[s] == 0]
    pair = q if samples.rank is None else q[samples.rank[s] == 0]
    work.heard[pair] = np.minimum(samples.before[first], received)
    work.value[pair] = samples.previous[first]
    work.good[pair] = False


def _hear(
    memory: Memory, kernel: Kernel, work: Company, samples: Samples, received: int, i: Rows,
    q: Rows, s: Rows,
) -> None:  # fmt: skip
    """One sample for each of several rows."""
    row, at, value = work.row[i], np.minimum(samples.at[s], received), samples.value[s]
    clock = np.maximum(memory.clock[row], at)
    due = memory.until[row] <= clock
    if due.any():
        _run_out(memory, kernel, work, i[due], clock[due])
        clock = np.maximum(memory.clock[row], at)
    memory.clock[row] = clock
    work.heard[q] = at
    np.copyto(value, work.value[q], where=np.isnan(value))
    work.value[q] = value
    until = np.maximum(at, work.grace) + work.silence[q]
    current = until >= clock
    if not current.all():
        i, q, s = i[current], q[current], s[current]
        row, clock, until = row[current], clock[current], until[current]
    if not i.size:
        return
    kernel.hear(work, i, q, s)
    kernel.look(work, i, clock)
    memory.until[row] = np.minimum(np.minimum(memory.until[row], until), memory.own[row])


def _run_out(memory: Memory, kernel: Kernel, work: Company, i: Rows, until: Ints) -> None:
    """What happens to rows by itself up to event times `until`, in order."""
    fresh = memory.own[work.row[i]] == NEVER
    if fresh.any():
        begins = i[fresh]
        kernel.begin(work, begins)
        memory.clock[work.row[begins]] = work.newest(begins)
        kernel.look(work, begins, memory.clock[work.row[begins]])
    while i.size:
        row = work.row[i]
        place, pair = work.of_rows(i)
        inside = (memory.out[row][place] & work.bit[pair]) == 0
        leaving = np.where(inside, work.leaving()[pair], FAR)
        first = np.minimum.reduceat(leaving, np.flatnonzero(np.diff(place, prepend=-1)))
        own = memory.own[row]
        memory.until[row] = np.minimum(first, own)
        leaves = (first < own) & (first < until)
        happens = leaves | ((own <= first) & (own <= until))
        if not happens.any():
            return
        gone = leaves[place] & (leaving == first[place])
        np.bitwise_or.at(memory.out, row[place[gone]], work.bit[pair[gone]])
        when = np.where(leaves, first, own)[happens]
        i, until = i[happens], until[happens]
        memory.clock[work.row[i]] = np.maximum(memory.clock[work.row[i]], when)
        kernel.look(work, i, when)


def next_due(memory: Memory) -> int:
    """The earliest wall time at which something can run out, microseconds, FAR = never."""
    return int(memory.wake.min(initial=FAR))
