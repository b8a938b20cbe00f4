"""Voting 表决: M of the N members of a group agree (GB/T 50493-2019 practice; domain.md 5.3).

A member votes from a sample at or beyond the limit that the group votes on, of whatever quality,
until a good one lies within it by more than the member's deadband; one beyond its range votes. A
member leaves while it is not known: its last sample was bad and not beyond, or it has been silent
for longer than it may. With each that leaves one vote less is needed, down to one: 2oo3, 1oo2, 1oo1
(degradation towards sensitivity; hazwatch proposal). VOTE_UNKNOWN holds while all are gone, unless
it is the mode of their units that has switched their limit off.

| in the group                      | VOTE begins | VOTE goes on |
|-----------------------------------|-------------|--------------|
| as many votes as needed, or more  | yes         | yes          |
| fewer, but with those that left while they voted it is enough | no | yes |
| nobody                            | no          | yes          |
| else                              | no          | no           |

Members raise their own alarms whatever happens here. Findings: value is the number of votes, limit
how many were needed; detail: see `_detail`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from domain import policy
from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.groups import MOST_MEMBERS, VotingGroup, vote_priority, voting_groups
from domain.instant import FAR, NEVER, SECOND
from domain.plant import Registry, Tag, TagKind
from rules import joint
from rules.findings import Collector
from rules.joint import Company, Mask, Members
from rules.onoff import Delays, settle
from rules.plan import SIGN, Plan, PlanError
from rules.rows import Layer, Rows, Seen
from rules.samples import Samples

KINDS = (Kind.VOTE, Kind.VOTE_UNKNOWN)
SHOWN = 8
"""Members whose values are told."""


@dataclass(frozen=True, slots=True, eq=False)
class VoteTable:
    """Groups that vote, by rising node id, and their members; see `rows.Table`.

    needed: int64[r], votes of the whole group. able: int64[r], the set of members that have the
    limit. off: bool[r], no member has it in this mode. tag: int32[p]. sign: float64[p], -1 for a
    low limit. edge, back: float64[p], sign times limit, and that less the deadband; NaN where there
    is no such limit. priority: int8[r].
    """

    keys: Ints
    marks: Ints
    members: Members
    needed: Ints
    able: Ints
    off: Mask
    priority: Ints
    tag: Ints
    sign: Floats
    edge: Floats
    back: Floats
    delays: tuple[Delays, Delays]


@dataclass(slots=True, eq=False)
class VoteMemory:
    """See `joint.Memory`. onset, due: int64[r, 2], see `onoff.settle`. votes: the set of members
    that vote or voted when they left; spoken: of those that have been heard. Both int64[r]."""

    onset: Ints
    due: Ints
    votes: Ints
    spoken: Ints
    clock: Ints
    out: Ints
    own: Ints
    until: Ints
    wake: Ints


def compile_votes(registry: Registry, tags: Sequence[Tag]) -> VoteTable:
    """The groups of kind vote; their members as `tags` are now."""
    groups = voting_groups(registry, tags)
    problems = [(what, group.node.id) for group in groups for what in _faults(group)]
    if problems:
        raise PlanError([what for what, _ in problems], [id for _, id in problems])
    slot = {tag.id: slot for slot, tag in enumerate(tags)}
    silence = np.rint(np.array([policy.silence_after(t) for t in tags]) * SECOND).astype(np.int64)
    members = Members.of([[slot[tag.id] for tag in group.members] for group in groups], silence)
    kinds = [group.level for group in groups for _ in group.members]
    own = [tag for group in groups for tag in group.members]
    bounds = [_bounds(tag, kind) for tag, kind in zip(own, kinds, strict=True)]
    sign, edge, back = np.array(bounds, np.float64).reshape(-1, 3).T
    able = np.where(np.isnan(edge), 0, members.bit)
    return VoteTable(
        np.array([group.node.id for group in groups], np.int64),
        np.array([_mark(group) for group in groups], np.int64),
        members,
        np.array([group.needed for group in groups], np.int64),
        np.bitwise_or.reduceat(able, members.first[:-1]) if groups else np.zeros(0, np.int64),
        np.array([group.off for group in groups], np.bool_),
        np.array([int(vote_priority(group)[1]) for group in groups], np.int64),
        np.array([tag.id for tag in own], np.int64),
        sign,
        edge,
        back,
        (_delays(Kind.VOTE, len(groups)), _delays(Kind.VOTE_UNKNOWN, len(groups))),
    )


def _faults(group: VotingGroup) -> list[str]:
    where = f"group {group.node.code!r} (node {group.node.id})"
    faults = [f"{where}: no tag {name!r} in the enterprise" for name in group.absent]
    if not 1 <= group.size <= MOST_MEMBERS:
        faults.append(f"{where}: {group.size} members; allowed: 1 to {MOST_MEMBERS}")
    elif not 1 <= group.needed <= group.size:
        faults.append(f"{where}: {group.needed} votes of {group.size}; allowed: 1 to {group.size}")
    return faults


def _bounds(tag: Tag, kind: Kind | None) -> tuple[float, float, float]:
    """sign, edge, back of a member; the limit may be missing."""
    if kind is None or kind not in tag.limits:
        return 1.0, np.nan, np.nan
    sign = float(SIGN[kind])
    edge = sign * tag.limits[kind]
    return sign, edge, edge - policy.deadband(tag, kind)


def _mark(group: VotingGroup) -> int:
    said = (group.needed, [(tag.id, group.level in tag.limits) for tag in group.members])
    return crc32(repr(said).encode())


def _delays(kind: Kind, n: int) -> Delays:
    row = policy.rule(TagKind.OTHER, kind)
    on, off = (np.full(n, round(s * SECOND), np.int64) for s in (row.on_s, row.off_s))
    return Delays(on, off)


def fresh(table: VoteTable) -> VoteMemory:
    """Groups of which nothing is known."""
    n = len(table.keys)
    never, far = np.full((n, 2), NEVER, np.int64), np.full((n, 2), FAR, np.int64)
    votes, spoken = (np.zeros(n, np.int64) for _ in range(2))
    clock, own, until, wake = (np.full(n, NEVER, np.int64) for _ in range(4))
    out = ~table.able & table.members.all()
    return VoteMemory(never, far, votes, spoken, clock, out, own, until, wake)


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """The kernel of a step; see `joint.Kernel`."""

    table: VoteTable
    memory: VoteMemory
    samples: Samples | None
    found: Collector

    def begin(self, work: Company, i: Rows) -> None:
        pair = work.of_rows(i)[1]
        pair = pair[work.good[pair]]
        row = np.repeat(work.row, np.diff(work.first))[pair]
        able = ~np.isnan(self.table.edge[work.pair[pair]])
        row, pair = row[able], pair[able]
        value = self.table.sign[work.pair[pair]] * work.value[pair]
        votes = value >= self.table.edge[work.pair[pair]]
        np.bitwise_or.at(self.memory.votes, row[votes], work.bit[pair[votes]])
        np.bitwise_or.at(self.memory.spoken, row, work.bit[pair])

    def hear(self, work: Company, i: Rows, q: Rows, s: Rows) -> None:
        assert self.samples is not None
        own, row, bit = work.pair[q], work.row[i], work.bit[q]
        edge, sign = self.table.edge[own], self.table.sign[own]
        beyond = sign * self.samples.starting[s] >= edge
        good = self.samples.good[s] & ~np.isnan(edge)
        back = good & (sign * self.samples.value[s] < self.table.back[own])
        votes = np.where(back, self.memory.votes[row] & ~bit, self.memory.votes[row])
        self.memory.votes[row] = np.where(beyond, votes | bit, votes)
        says = good | beyond
        out = self.memory.out[row]
        self.memory.out[row] = np.where(says, out & ~bit, out | bit)
        self.memory.spoken[row] |= np.where(says, bit, 0)

    def look(self, work: Company, i: Rows, when: Ints) -> None:
        memory, row = self.memory, work.row[i]
        inside = self.table.members.all()[row] & ~memory.out[row]
        count, needed = _needed(self.table, memory, row)
        doubtful = inside & ~memory.spoken[row]
        nobody = inside == 0
        begins = (np.bitwise_count(memory.votes[row] & inside) >= needed) & ~nobody
        holds = nobody | (np.bitwise_count(memory.votes[row] | doubtful) >= needed)
        unknown = nobody & ~self.table.off[row]
        for c, (begin, hold) in enumerate(((begins, holds), (unknown, unknown))):
            delays = Delays(self.table.delays[c].on[row], self.table.delays[c].off[row])
            onset, due = memory.onset[:, c], memory.due[:, c]
            for change in settle(onset, due, row, when, begin, hold, delays):
                told = row[change.place]
                self.found.nodes(
                    change.edge,
                    KINDS[c],
                    self.table.keys[told],
                    change.onset,
                    change.effective,
                    count[change.place] if c == 0 else np.nan,
                    needed[change.place] if c == 0 else np.nan,
                    detail=_detail(self.table, memory, work, i[change.place]),
                )
        memory.own[row] = memory.due[row].min(axis=1)


def _needed(table: VoteTable, memory: VoteMemory, row: Rows) -> tuple[Ints, Ints]:
    """Votes that count in a group now, and how many it needs: int64 each."""
    inside = table.members.all()[row] & ~memory.out[row]
    votes = np.bitwise_count(memory.votes[row] & inside).astype(np.int64)
    lost = np.bitwise_count(memory.out[row]).astype(np.int64)
    return votes, np.maximum(table.needed[row] - lost, 1)


def _detail(table: VoteTable, memory: VoteMemory, work: Company, i: Rows) -> dict[str, Floats]:
    """needed: votes of the whole group; members: N; voting, out: sets of members, bit k is the
    k-th; tag_k, value_k: id and last number of the first members; priority: 1 to 4."""
    row = work.row[i]
    inside = table.members.all()[row] & ~memory.out[row]
    first, size = work.first[i], work.first[i + 1] - work.first[i]
    detail = {
        "needed": table.needed[row].astype(np.float64),
        "members": size.astype(np.float64),
        "voting": (memory.votes[row] & inside).astype(np.float64),
        "out": memory.out[row].astype(np.float64),
        "priority": table.priority[row].astype(np.float64),
    }
    for k in range(min(SHOWN, int(size.max(initial=0)))):
        pair = np.minimum(first + k, len(work.pair) - 1)
        has = k < size
        detail[f"tag_{k}"] = np.where(has, table.tag[work.pair[pair]], np.nan)
        detail[f"value_{k}"] = np.where(has, work.value[pair], np.nan)
    return detail


def judge(
    plan: Plan, table: VoteTable, memory: VoteMemory, samples: Samples, received: int, seen: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in a frame; groups at rest, of which a sample says nothing new, are only kept alive."""
    if not len(table.keys):
        return
    s, pair = table.members.seen_by(samples.slot)
    if not s.size:
        return
    row = table.members.row[pair]
    loud = np.zeros(len(table.keys), np.bool_)
    loud[row[_is_loud(table, memory, samples, s, pair, row)]] = True
    still = ~loud[row]
    np.maximum.at(memory.clock, row[still], np.minimum(samples.at[s[still]], received))
    event = s[~still], pair[~still]
    kernel = _Votes(table, memory, samples, found)
    joint.judge(table.members, memory, kernel, samples, received, seen, event)


def _is_loud(
    table: VoteTable, memory: VoteMemory, samples: Samples, s: Rows, pair: Rows, row: Rows
) -> Mask:
    """Samples that may change anything in their group."""
    at, bit, edge = samples.at[s], table.members.bit[pair], table.edge[pair]
    loud = ~samples.good[s]
    loud |= table.sign[pair] * samples.starting[s] >= edge
    loud |= ((memory.votes[row] | memory.out[row] | ~memory.spoken[row]) & bit) != 0
    loud |= at + table.members.silence[pair] < memory.clock[row]
    loud &= ~np.isnan(edge)
    loud |= at >= memory.until[row]
    loud |= (memory.onset[row] != NEVER).any(axis=1)
    return loud


def pass_time(
    plan: Plan, table: VoteTable, memory: VoteMemory, at: int, seen: Seen, found: Collector
) -> None:
    """Members that fall silent, and off-delays."""
    joint.pass_time(table.members, memory, _Votes(table, memory, None, found), at, seen)


def next_due(table: VoteTable, memory: VoteMemory) -> int:
    """See `rows.Layer`."""
    return joint.next_due(memory)


VOTES = Layer("vote", KINDS, compile_votes, fresh, judge, pass_time, next_due, holds=True)
