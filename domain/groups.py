"""Groups and written rules of a source: what their nodes of the registered tree say."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain import policy
from domain.alarms import Kind, Priority
from domain.plant import Node, Registry, Tag

MOST_MEMBERS = 50
"""Of one voting group; a set of them is told as one number, which a float64 holds exactly."""
_VOTING = (Kind.HH, Kind.H, Kind.LL, Kind.L)
_BEFORE = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class VotingGroup:
    """M of N members must agree. level: the limit that they vote on, None: no member has any."""

    node: Node
    needed: int
    members: tuple[Tag, ...]
    absent: tuple[str, ...]
    """Names of members that are not registered."""
    level: Kind | None

    @property
    def off(self) -> bool:
        """Whether its limit is switched off in the present mode, for all members."""
        elsewhere = [own for tag in self.members for own in tag.limits_by_mode.values()]
        return not any(self.level in tag.limits for tag in self.members) and any(
            self.level in own for own in elsewhere
        )

    @property
    def size(self) -> int:
        """N."""
        return len(self.members) + len(self.absent)


def names_of(
    registry: Registry, tags: Iterable[Tag] | None = None
) -> Mapping[tuple[int, str], Tag]:
    """Tags by enterprise and name."""
    tags = registry.tags.values() if tags is None else tags
    return {(tag.enterprise, tag.name): tag for tag in tags}


def nodes_of_kind(registry: Registry, kind: str) -> list[Node]:
    """By rising id."""
    found = [node for node in registry.nodes.values() if node.kind == kind]
    return sorted(found, key=lambda node: node.id)


def voting_groups(registry: Registry, tags: Iterable[Tag] | None = None) -> list[VotingGroup]:
    """The groups that vote, by rising node id. tags: those of the registry, or as they are now."""
    nodes = [n for n in nodes_of_kind(registry, "group") if n.detail.get("kind", "vote") == "vote"]
    if not nodes:
        return []
    named = names_of(registry, tags)
    return [voting_group(node, named) for node in nodes]


def voting_group(node: Node, named: Mapping[tuple[int, str], Tag]) -> VotingGroup:
    """What the node of a voting group says. named: tags by enterprise and name."""
    names = _texts(node, "members")
    members = [named.get((node.enterprise or 0, name)) for name in names]
    present = tuple(tag for tag in members if tag is not None)
    absent = tuple(name for name, tag in zip(names, members, strict=True) if tag is None)
    vote = re.fullmatch(r"([1-9]\d*)oo[1-9]\d*", str(node.detail.get("vote")))
    level = node.detail.get("level")
    return VotingGroup(
        node,
        int(vote[1]) if vote else 1,
        present,
        absent,
        voting_level(
            [_in_any_mode(tag) for tag in present],
            None if level is None else str(level),
        ),
    )


def _in_any_mode(tag: Tag) -> Mapping[Kind, float]:
    """All its limits: so a group votes on the same one in every mode."""
    own = {kind: value for of in tag.limits_by_mode.values() for kind, value in of.items()}
    return {**own, **tag.limits}


def voting_level(limits: Iterable[Mapping[Kind, float]], said: str | None) -> Kind | None:
    """The limit that members vote on: the one that the group names, else that which most have, HH
    before H before LL before L (GB/T 50493-2019 acts on the second level; the rest: hazwatch
    proposal)."""
    if said is not None:
        return Kind[said]
    count = Counter(kind for own in limits for kind in own if kind in _VOTING)
    return max(_VOTING, key=lambda kind: count[kind]) if count else None


def vote_priority(group: VotingGroup) -> Priority:
    """The priority of a vote: that of its highest member's own alarm at that level."""
    able = [tag for tag in group.members if group.level in tag.limits]
    own = [policy.priority(tag, group.level) for tag in able if group.level is not None]
    return min(own, key=lambda one: _BEFORE[one]) if own else policy.node_priority(Kind.VOTE)


def _texts(node: Node, member: str) -> list[str]:
    said = node.detail.get(member, ())
    return [str(text) for text in said] if isinstance(said, list | tuple) else []
