"""Voting groups as arrays; see `rules.votes`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from domain import policy
from domain.alarms import Kind
from domain.frame import Ints
from domain.groups import MOST_MEMBERS, VotingGroup, vote_priority, voting_groups
from domain.instant import SECOND
from domain.plant import Node, Registry, Tag, TagKind
from rules.joint import Members, Records
from rules.plan import SIGN, PlanError

KINDS = (Kind.VOTE, Kind.VOTE_UNKNOWN)


GROUP = np.dtype(
    [
        *((name, np.int64) for name in ("all", "able", "needed", "level", "priority")),
        ("off", np.bool_),
        ("delay_on", np.int64, (2,)),
        ("delay_off", np.int64, (2,)),
    ]
)
"""all, able: the sets of members, and of those that have the limit. needed: votes of the whole
group. level: the limit, -1 for none. off: no member has it in this mode. delays: by kind, us."""
LIMIT = np.dtype([(name, np.float64) for name in ("sign", "edge", "back")])
"""Of a member. sign: -1 for a low limit. edge, back: sign times limit, and that less the deadband;
NaN where there is no such limit."""


@dataclass(frozen=True, slots=True, eq=False)
class VoteTable:
    """Groups that vote, by rising node id, and their members; see `rows.Table`.

    groups: `GROUP` [r]. limits: `LIMIT` [p]. tag: int64[p].
    """

    keys: Ints
    marks: Ints
    members: Members
    groups: Records
    limits: Records
    tag: Ints


def faults(registry: Registry, tags: Sequence[Tag]) -> Iterator[tuple[Node, str]]:
    """Groups that can never vote."""
    for group in voting_groups(registry, tags):
        if group.level is None:
            yield (
                group.node,
                "no member has a limit, so the group can never vote; give its members the limit to "
                "vote on, such as limits: {H: 25, HH: 50}, or leave the group out",
            )


def compile_votes(registry: Registry, tags: Sequence[Tag]) -> VoteTable:
    """The groups of kind vote; their members as `tags` are now."""
    groups = voting_groups(registry, tags)
    problems = [(what, group.node.id) for group in groups for what in _faults(group)]
    if problems:
        raise PlanError([what for what, _ in problems], [id for _, id in problems])
    slot = {tag.id: slot for slot, tag in enumerate(tags)}
    silence = np.rint(np.array([policy.silence_after(t) for t in tags]) * SECOND).astype(np.int64)
    members = Members.of([[slot[tag.id] for tag in group.members] for group in groups], silence)
    pairs = [(tag, group.level) for group in groups for tag in group.members]
    limits = np.array([_bounds(tag, kind) for tag, kind in pairs], LIMIT)
    return VoteTable(
        np.array([group.node.id for group in groups], np.int64),
        np.array([_mark(group) for group in groups], np.int64),
        members,
        _groups(groups, members, limits),
        limits,
        np.array([tag.id for tag, _ in pairs], np.int64),
    )


def _groups(groups: Sequence[VotingGroup], members: Members, limits: Records) -> Records:
    """`GROUP` of each."""
    rows = np.empty(len(groups), GROUP)
    if not groups:
        return rows
    able = np.where(np.isnan(limits["edge"]), 0, members.bit)
    rows["all"], rows["able"] = members.all(), np.bitwise_or.reduceat(able, members.first[:-1])
    rows["needed"] = [group.needed for group in groups]
    rows["level"] = [-1 if group.level is None else group.level for group in groups]
    rows["priority"] = [int(vote_priority(group)[1]) for group in groups]
    rows["off"] = [group.off for group in groups]
    for c, kind in enumerate(KINDS):
        delays = policy.rule(TagKind.OTHER, kind)
        rows["delay_on"][:, c] = round(delays.on_s * SECOND)
        rows["delay_off"][:, c] = round(delays.off_s * SECOND)
    return rows


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
