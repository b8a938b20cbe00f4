"""What must fit together in the groups of a source: (where, clause)."""

import difflib
from collections.abc import Iterator, Mapping
from math import isnan
from typing import TYPE_CHECKING

from domain.alarms import Kind
from domain.explain import shown
from domain.groups import MOST_MEMBERS
from domain.problem import Loc

if TYPE_CHECKING:
    from domain.site import Group, Source, TagEntry

Problems = Iterator[tuple[Loc, str]]


def group_problems(
    source: "Source", at: Loc, tags: "Mapping[str, TagEntry]", absent: frozenset[str]
) -> Problems:
    """Everything in the groups of a source that does not fit together. tags: of the enterprise."""
    for i, group in enumerate(source.groups):
        here: Loc = (*at, "groups", i)
        if group.kind == "vote":
            yield from _vote_problems(group, here, tags, absent)
        elif group.level is not None:
            yield (*here, "level"), f"a group of kind {group.kind} has none; allowed: kind vote"
        yield from _member_problems(group, here, tags, absent)


def _vote_problems(
    group: "Group", here: Loc, tags: "Mapping[str, TagEntry]", absent: frozenset[str]
) -> Problems:
    m, n = group.votes
    size = len(group.members)
    if group.vote is None:
        yield (*here, "vote"), f"is missing; allowed: 1oo{size} to {size}oo{size}"
    elif not 1 <= m <= n or n != size:
        yield (
            (*here, "vote"),
            f"{shown(group.vote)} with {size} members; allowed: MooN with N = {size} and M from 1 "
            "to N",
        )
    if size > MOST_MEMBERS:
        yield (*here, "members"), f"are {size}; allowed: up to {MOST_MEMBERS}"
    limits = {kind for name in group.members if name in tags for kind in _limits(tags[name])}
    if group.level and Kind[group.level] not in limits:
        has = ", ".join(kind.name for kind in sorted(limits, reverse=True)) or "none has any limit"
        yield (*here, "level"), f"no member has {group.level}; allowed: {has}"


def _limits(tag: "TagEntry") -> Iterator[Kind]:
    """Those that a tag has in any mode."""
    yield from tag.limits.by_kind()
    for own in tag.limits_by_mode.values():
        yield from (kind for kind, limit in own.by_kind().items() if not isnan(limit))


def _member_problems(
    group: "Group", here: Loc, tags: "Mapping[str, TagEntry]", absent: frozenset[str]
) -> Problems:
    seen: set[str] = set()
    for k, name in enumerate(group.members):
        if name in seen:
            yield (
                (*here, "members", k),
                f"{shown(name)} is used before, in the group; allowed: once",
            )
        elif name not in tags and name not in absent:
            close = difflib.get_close_matches(name, tags, n=1)
            hint = f"; did you mean {shown(close[0])}?" if close else ""
            yield (*here, "members", k), f"no tag {shown(name)} in the enterprise{hint}"
        seen.add(name)
