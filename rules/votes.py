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

from dataclasses import dataclass

import numpy as np

from domain import policy
from domain.alarms import Kind
from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules import joint
from rules.compiled import compiled
from rules.findings import Collector
from rules.joint import Company, Record, Records
from rules.onoff import NOTHING, SHOWN, TOLD, settle, tell
from rules.plan import Plan
from rules.rows import Layer, Seen
from rules.samples import Samples
from rules.vote_table import KINDS, VoteTable, compile_votes

UNKNOWN = int(policy.node_priority(Kind.VOTE_UNKNOWN)[1])
"""Priority of a group of which no member is good, whatever its vote would be (domain.md 5.3)."""
NOW = np.dtype([*joint.NOW, ("due", np.int64, (2,)), ("votes", np.int64), ("spoken", np.int64)])
"""See `joint.NOW`. due: when running delays run out, FAR = none. votes: the set of members that
vote or voted when they left; spoken: of those that have been heard."""


@dataclass(slots=True, eq=False)
class VoteMemory:
    """onset: int64[r, 2], see `rows.Memory`. now: `NOW` [r]."""

    onset: Ints
    now: Records


def fresh(table: VoteTable) -> VoteMemory:
    """Groups of which nothing is known."""
    now = np.zeros(len(table.keys), NOW)
    for name in ("clock", "own", "until", "wake"):
        now[name] = NEVER
    now["due"] = FAR
    now["out"] = table.groups["all"] & ~table.groups["able"]
    return VoteMemory(np.full((len(now), 2), NEVER, np.int64), now)


@compiled
def follow(groups: Records, limits: Records, onset: Ints, now: Records, work: Company) -> Records:
    """Let everything happen to some groups, one thing after the other."""
    told, n = np.empty(16, TOLD), 0
    for i in range(len(work.row)):
        row = work.row[i]
        group, mine, members = (
            groups[row],
            now[row],
            work.members[work.first[i] : work.first[i + 1]],
        )
        for e in range(work.begin[i], work.begin[i + 1]):
            event = work.events[e]
            clock, member = max(mine["clock"], event["at"]), work.members[event["member"]]
            if mine["until"] <= clock:
                told, n = _run_out(group, limits, onset, mine, members, work, row, clock, told, n)
            if joint.hear(mine, member, event, work.grace):
                _take(limits[member["pair"]], mine, member["bit"], event)
                told, n = _look(group, onset, mine, members, row, mine["clock"], told, n)
                until = min(mine["until"], joint.leaving(member, work.grace))
                mine["until"] = min(until, mine["own"])
        told, n = _run_out(group, limits, onset, mine, members, work, row, work.until[i], told, n)
    return told[:n]


@compiled
def _run_out(
    group: Record, limits: Records, onset: Ints, mine: Record, members: Records, work: Company,
    row: int, until: int, told: Records, n: int,
) -> tuple[Records, int]:  # fmt: skip
    """What happens to a group by itself up to event time `until`."""
    if mine["own"] == NEVER:
        _begin(limits, mine, members)
        when = joint.begin(mine, members, work.grace)
        told, n = _look(group, onset, mine, members, row, when, told, n)
    when = joint.run_out(mine, members, work.grace, until)
    while when != FAR:
        told, n = _look(group, onset, mine, members, row, when, told, n)
        when = joint.run_out(mine, members, work.grace, until)
    return told, n


@compiled
def _begin(limits: Records, mine: Record, members: Records) -> None:
    """What the members of a group that begins said last."""
    for q in range(len(members)):
        member = members[q]
        limit = limits[member["pair"]]
        if member["good"] and not np.isnan(limit["edge"]):
            mine["spoken"] |= member["bit"]
            if limit["sign"] * member["value"] >= limit["edge"]:
                mine["votes"] |= member["bit"]


@compiled
def _take(limit: Record, mine: Record, bit: int, event: Record) -> None:
    """What a sample says."""
    beyond = limit["sign"] * event["starting"] >= limit["edge"]
    good = event["good"] and not np.isnan(limit["edge"])
    if beyond:
        mine["votes"] |= bit
    elif good and limit["sign"] * event["value"] < limit["back"]:
        mine["votes"] &= ~bit
    if good or beyond:
        mine["spoken"] |= bit
        mine["out"] &= ~bit
    else:
        mine["out"] |= bit


@compiled
def _look(
    group: Record, onset: Ints, mine: Record, members: Records, row: int, when: int, told: Records,
    n: int,
) -> tuple[Records, int]:  # fmt: skip
    """Judge a group as it is at event time `when`."""
    inside = group["all"] & ~mine["out"]
    needed = max(group["needed"] - _count(mine["out"]), 1)
    nobody, doubtful = inside == 0, inside & ~mine["spoken"]
    begins = not nobody and _count(mine["votes"] & inside) >= needed
    holds = nobody or _count(mine["votes"] | doubtful) >= needed
    unknown = nobody and not group["off"]
    for c in range(2):
        begin, hold = (begins, holds) if c == 0 else (unknown, unknown)
        on, off = group["delay_on"][c], group["delay_off"][c]
        stand = settle(onset[row, c], mine["due"][c], when, begin, hold, on, off, FAR)
        onset[row, c], mine["due"][c] = stand.since, stand.due
        if stand.edge != NOTHING:
            voting = mine["votes"] & inside
            told, n = tell(told, n, stand, c, row, voting, mine["out"], members), n + 1
    mine["own"] = min(mine["due"][0], mine["due"][1])
    return told, n


@compiled
def _count(members: int) -> int:
    """How many there are in a set."""
    count = 0
    while members:
        members &= members - 1
        count += 1
    return count


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """The kernel of a step; see `joint.Kernel`."""

    table: VoteTable
    memory: VoteMemory
    found: Collector

    def __call__(self, work: Company) -> None:
        table, memory = self.table, self.memory
        told = follow(table.groups, table.limits, memory.onset, memory.now, work)
        if not len(told):
            return
        row, voted = told["row"], told["column"] == 0
        lost = np.bitwise_count(told["out"]).astype(np.int64)
        self.found.nodes(
            told["edge"],
            np.array(KINDS, np.intp)[told["column"]],
            table.keys[row],
            told["onset"],
            told["effective"],
            np.where(voted, np.bitwise_count(told["those"]), np.nan),
            np.where(voted, np.maximum(table.groups["needed"][row] - lost, 1), np.nan),
            detail=_detail(table, told),
        )


def _detail(table: VoteTable, told: Records) -> dict[str, Floats]:
    """needed: votes of the whole group; members: N; voting, out: sets of members, bit k is the
    k-th; level: the limit that they vote on, as a `Kind`; tag_k, value_k, limit_k: id, last number
    and limit of the first members; priority: 1 to 4."""
    row = told["row"]
    first, size = table.members.first[row], np.diff(table.members.first)[row]
    group = table.groups[row]
    detail = {
        "needed": group["needed"].astype(np.float64),
        "members": size.astype(np.float64),
        "voting": told["those"].astype(np.float64),
        "out": told["out"].astype(np.float64),
        "level": np.where(group["level"] < 0, np.nan, group["level"]),
        "priority": np.where(told["column"] == 0, group["priority"], UNKNOWN).astype(np.float64),
    }
    for k in range(min(SHOWN, int(size.max()))):
        pair = np.minimum(first + k, len(table.tag) - 1)
        limit = table.limits[pair]
        detail[f"tag_{k}"] = np.where(k < size, table.tag[pair], np.nan)
        detail[f"value_{k}"] = told["value"][:, k]
        detail[f"limit_{k}"] = np.where(k < size, limit["sign"] * limit["edge"], np.nan)
    return detail


def judge(
    plan: Plan, table: VoteTable, memory: VoteMemory, samples: Samples, received: int, seen: Seen,
    found: Collector,
) -> None:  # fmt: skip
    """Take in a frame."""
    if len(table.keys):
        joint.judge(table.members, memory, _Votes(table, memory, found), samples, received, seen)


def pass_time(
    plan: Plan, table: VoteTable, memory: VoteMemory, at: int, seen: Seen, found: Collector
) -> None:
    """Members that fall silent, and off-delays."""
    joint.pass_time(table.members, memory, _Votes(table, memory, found), at, seen)


def next_due(table: VoteTable, memory: VoteMemory) -> int:
    """See `rows.Layer`."""
    return joint.next_due(memory)


VOTES = Layer("vote", KINDS, compile_votes, fresh, judge, pass_time, next_due, holds=True)
