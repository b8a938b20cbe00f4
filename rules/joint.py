"""Rules over several tags: what happens to them, and in which order.

A row watches some tags, its members. Things happen to it one after the other: samples of members as
they arrive, those of one frame in event time, and before each of them whatever has run out by then:
a member that has been silent for longer than it may, or something of the row's own. The clock of a
row is the newest event time among its members' samples, never ahead of their receipt; a sample that
is older than that by more than its tag's silence says nothing any more. So the same is found
however a stream that arrives in event time is cut into frames, and, as long as the samples of each
tag reach us equally late, whatever ticks come in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import FAR, NEVER
from rules.compiled import compiled
from rules.entries import Entries, runs
from rules.rows import Rows, Seen
from rules.samples import Samples

Mask = NDArray[np.bool_]
Records = NDArray[Any]

MOST_MEMBERS = 62
"""Members of a row: a set of them is the bits of one int64."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Which tags r rows watch: p pairs of row and tag, by row.

    first: intp[r + 1], the pairs of a row are first[row] to first[row + 1]. row, slot: intp[p].
    bit: int64[p], of the member in sets of its row. silence: int64[p], microseconds. order:
    intp[p], the pairs by rising slot, entries: which of these are a slot's.
    """

    first: Rows
    row: Rows
    slot: Rows
    bit: Ints
    silence: Ints
    entries: Entries
    order: Rows

    @staticmethod
    def of(slots: Sequence[Sequence[int]], silence: Ints) -> "Members":
        """slots: of the members of each row. silence: int64[n], by slot."""
        count = np.array([len(own) for own in slots], np.intp)
        slot = np.array([slot for own in slots for slot in own], np.intp)
        number = np.array([k for own in slots for k in range(len(own))], np.int64)
        order = np.argsort(slot, kind="stable")
        return Members(
            np.append(0, np.cumsum(count)).astype(np.intp),
            np.repeat(np.arange(len(slots), dtype=np.intp), count),
            slot,
            np.int64(1) << number,
            silence[slot],
            Entries.of(slot[order], len(silence)),
            order,
        )

    def all(self) -> Ints:
        """The set of all members by row: int64[r]."""
        every: Ints = (np.int64(1) << np.diff(self.first).astype(np.int64)) - 1
        return every

    def seen_by(self, slot: Rows) -> tuple[Rows, Rows]:
        """(positions in `slot`, pairs): every pair of these tags."""
        position, entry = self.entries.among(slot)
        return position, self.order[entry]


NOW = [(name, np.int64) for name in ("clock", "out", "own", "until", "wake")]
"""What the memory of such a layer has of each row; times are event times unless said.

clock: see the module. out: set of members of which nothing is known now: the last sample was bad,
or they are silent. own: when something of the row's own runs out, FAR = nothing, NEVER = the row
has not begun. until: nothing happens to the row by itself before. wake: nor before this wall time.
"""
MEMBER = np.dtype(
    [
        ("pair", np.int64),
        ("bit", np.int64),
        ("silence", np.int64),
        ("heard", np.int64),
        ("value", np.float64),
        ("good", np.bool_),
    ]
)
"""A member at work: bit: the set of it alone. heard: event time of its last sample, never ahead of
its receipt, NEVER = none. value: its last number. good: whether its last sample was good, False if
it is in the frame."""
EVENT = np.dtype(
    [
        ("member", np.int64),
        ("at", np.int64),
        ("value", np.float64),
        ("starting", np.float64),
        ("good", np.bool_),
    ]
)
"""A sample of a member, by its place in the company; at: never ahead of receipt."""
Record = Any
"""One element of an array of records."""


class Memory(Protocol):
    """now: `NOW` and what else the layer has, records [r]."""

    now: Records


class Company(NamedTuple):
    """Some rows at work, with all their members, and what befalls them.

    row: intp[k], by rising number. members: `MEMBER` [q], those of the i-th row are first[i] to
    first[i + 1]; events: `EVENT` [e], begin[i] to begin[i + 1], as they arrive. until: int64[k],
    event time up to which things run out at the end. grace: as in `Seen`.
    """

    row: Rows
    first: Rows
    members: Records
    begin: Rows
    events: Records
    until: Ints
    grace: int


Kernel = Callable[[Company], None]
"""What a layer does with what happens to its rows."""


def judge(
    members: Members, memory: Memory, kernel: Kernel, samples: Samples, received: int, seen: Seen
) -> None:
    """Let everything happen that these samples bring about."""
    s, pair = members.seen_by(samples.slot)
    if not s.size:
        return
    order = np.lexsort((samples.arrival[s], samples.at[s], members.row[pair]))
    s, pair = s[order], pair[order]
    begin = np.flatnonzero(np.diff(members.row[pair], prepend=-1))
    row = members.row[pair[begin]]
    begin = np.append(begin, len(pair))
    first, own, _ = _at_work(members, row, seen)
    events = np.empty(len(s), EVENT)
    events["member"] = pair - np.repeat(members.first[row] - first[:-1], np.diff(begin))
    events["at"] = np.minimum(samples.at[s], received)
    for name in ("value", "starting", "good"):
        events[name] = getattr(samples, name)[s]
    _step_back(own, events["member"], samples, s, received)
    never = np.full(len(row), NEVER, np.int64)
    kernel(Company(row, first, own, begin, events, never, seen.grace))
    until = memory.now["until"][row]
    memory.now["wake"][row] = np.where(
        until == FAR, FAR, until + (received - memory.now["clock"][row])
    )


def pass_time(members: Members, memory: Memory, kernel: Kernel, at: int, seen: Seen) -> None:
    """Let everything happen that needs no sample, up to wall time `at`."""
    row = np.flatnonzero(memory.now["wake"] <= at)
    if not row.size:
        return
    first, own, slot = _at_work(members, row, seen)
    behind = _lag(first, own, slot, seen)
    none, begin = np.empty(0, EVENT), np.zeros(len(row) + 1, np.intp)
    kernel(Company(row, first, own, begin, none, at - behind, seen.grace))
    until = memory.now["until"][row]
    memory.now["wake"][row] = np.where(until == FAR, FAR, np.maximum(until + behind, at + 1))


def lag(members: Members, row: Rows, seen: Seen) -> Ints:
    """By how much the clock of each row lags behind the wall clock: that of the tag which reaches
    us latest. One that comes so late that it says nothing does not count."""
    return _lag(*_at_work(members, row, seen), seen)


def _lag(first: Rows, own: Records, slot: Rows, seen: Seen) -> Ints:
    heard = own["heard"] != NEVER
    late = np.maximum(seen.received[slot] - seen.at[slot], 0)
    late = np.where(heard, late, FAR)
    least = np.repeat(np.minimum.reduceat(late, first[:-1]), np.diff(first))
    counts = heard & (late - least <= own["silence"])
    latest = np.maximum.reduceat(np.where(counts, late, 0), first[:-1])
    return np.where(least[first[:-1]] == FAR, 0, latest)


def _at_work(members: Members, row: Rows, seen: Seen) -> tuple[Rows, Records, Rows]:
    """(first, members, slots of these) of some rows, see `Company`, as the engine knows them."""
    count = members.first[row + 1] - members.first[row]
    pair = runs(members.first[row], count)
    slot = members.slot[pair]
    at = seen.at[slot]
    own = np.empty(len(pair), MEMBER)
    own["pair"], own["bit"], own["silence"] = pair, members.bit[pair], members.silence[pair]
    own["heard"], own["value"] = np.minimum(at, seen.received[slot]), seen.held[slot]
    own["good"] = (at != NEVER) & (seen.good[slot] == at)
    return np.append(0, np.cumsum(count)).astype(np.intp), own, slot


def _step_back(own: Records, member: Ints, samples: Samples, s: Rows, received: int) -> None:
    """Members that are in the frame, as they were before it."""
    first = s if samples.rank is None else s[samples.rank[s] == 0]
    which = member if samples.rank is None else member[samples.rank[s] == 0]
    own["heard"][which] = np.minimum(samples.before[first], received)
    own["value"][which] = samples.previous[first]
    own["good"][which] = False


def next_due(memory: Memory) -> int:
    """The earliest wall time at which something can run out, microseconds, FAR = never."""
    return int(memory.now["wake"].min(initial=FAR))


@compiled
def leaving(member: Record, grace: int) -> int:
    """Until when a member counts as heard."""
    until: int = max(member["heard"], grace) + member["silence"]
    return until


@compiled
def begin(now: Record, members: Records, grace: int) -> int:
    """The clock of a row that begins: its newest sample, the grace where there is none."""
    newest = grace
    for q in range(len(members)):
        newest = max(newest, members[q]["heard"])
    now["clock"] = newest
    return newest


@compiled
def hear(now: Record, member: Record, event: Record, grace: int) -> bool:
    """Take in a sample of a member; whether it still says anything."""
    now["clock"] = max(now["clock"], event["at"])
    member["heard"] = event["at"]
    if not np.isnan(event["value"]):
        member["value"] = event["value"]
    says: bool = leaving(member, grace) >= now["clock"]
    return says


@compiled
def run_out(now: Record, members: Records, grace: int, until: int) -> int:
    """The next thing that happens to a row by itself up to event time `until`, members that fall
    silent or something of its own: when, FAR = nothing."""
    first, own = FAR, now["own"]
    for q in range(len(members)):
        if not now["out"] & members[q]["bit"]:
            first = min(first, leaving(members[q], grace))
    now["until"] = min(first, own)
    if own <= first:
        if own > until:
            return FAR
    elif first >= until:
        return FAR
    else:
        for q in range(len(members)):
            if leaving(members[q], grace) == first:
                now["out"] |= members[q]["bit"]
    when: int = min(first, own)
    now["clock"] = max(now["clock"], when)
    return when
