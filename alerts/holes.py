"""Holes 空缺: roles of the ladder that nobody is named for, source by source. Pure.

Only places are looked at: whether somebody is on duty at an hour is asked of the rosters
(`domain.roster.gaps`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alerts.contacts import Entry
from alerts.people import Directory
from domain.escalation import Ladder
from domain.ladders import BySource, path
from domain.plant import Registry
from domain.roster import Duty

NAMED = 3
"""Sources that are named with a hole."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A role that nobody holds for these sources (node ids), though their ladder tells it. at_once:
    with the first notices of some colour, not only after silence."""

    role: str
    sources: tuple[int, ...]
    at_once: bool


def holes(ladders: BySource, registry: Registry, directory: Directory) -> list[Hole]:
    """Every hole, those told at once first, each in the order of its ladder."""
    here: dict[int, set[str]] = {}
    for role, node in (*directory.contacts, *directory.duties):
        here.setdefault(node, set()).add(role)
    held: dict[int, frozenset[str]] = {}
    found: dict[tuple[bool, str], list[int]] = {}
    for source in registry.nodes.values():
        if source.kind != "source":
            continue
        named = _held(source.id, registry, here, held)
        ladder = ladders.of(source.id)
        at_once = first_told(ladder)
        for role in ladder.roles:
            if role not in named:
                found.setdefault((role in at_once, role), []).append(source.id)
    made = (Hole(role, tuple(sources), now) for (now, role), sources in found.items())
    return sorted(made, key=lambda hole: not hole.at_once)


def first_told(ladder: Ladder) -> frozenset[str]:
    """Codes of the roles that some colour tells at once."""
    return frozenset(role.code for rungs in ladder.colours.values() for role in rungs.at_once)


def sentences(found: Iterable[Hole], registry: Registry) -> Iterator[str]:
    """What people read of each hole."""
    sources = sum(node.kind == "source" for node in registry.nodes.values())
    for hole in found:
        named = ", ".join("/".join(path(registry, one)) for one in hole.sources[:NAMED])
        more = ", …" if len(hole.sources) > NAMED else ""
        when = "told at once 立即通知" if hole.at_once else "told later"
        yield (
            f"{hole.role} ({when}) has nobody for {len(hole.sources)} of {sources} sources: "
            f"{named}{more}"
        )


def strays(lost: Iterable[Entry | Duty]) -> Iterator[str]:
    """What people read of entries that `alerts.contacts.place` could not place."""
    for entry in lost:
        what = "contact" if isinstance(entry, Entry) else "duty"
        yield f"{what} {entry.role}: the site has no node {'/'.join(entry.node)!r}, or several"


def _held(
    node: int,
    registry: Registry,
    here: dict[int, set[str]],
    known: dict[int, frozenset[str]],
) -> frozenset[str]:
    """The roles that somebody is named for at a node or above it."""
    if node not in known:
        place = registry.nodes.get(node)
        above = None if place is None else place.parent
        over = frozenset[str]() if above is None else _held(above, registry, here, known)
        known[node] = over | here.get(node, set())
    return known[node]
