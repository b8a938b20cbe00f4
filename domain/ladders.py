"""Ladders of several jurisdictions 管辖: which one a source has. Pure.

A ladder is put in force for a node of the tree; the nearest one at or above a source is the
source's, one ladder is the default of the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.escalation import Ladder, Role
from domain.plant import Registry

Path = tuple[str, ...]
"""Codes of nodes, from the upper to the lower."""


class BySource(Protocol):
    """The ladder of each source (node id)."""

    def of(self, source: int) -> Ladder:
        """Never none: where nothing is known of a source, that of the rest."""
        ...


@dataclass(frozen=True, slots=True)
class Ladders:
    """Those of an installation. by_node: by codes of a node from some ancestor down, as contact
    files name nodes; where two nodes end alike, it is that of both."""

    default: Ladder
    by_node: Mapping[Path, Ladder] = field(default_factory=dict)

    @property
    def roles(self) -> dict[str, Role]:
        """Of all of them, by code; where two ladders call one differently, as the default does."""
        found: dict[str, Role] = dict(self.default.roles)
        for ladder in self.by_node.values():
            found = {**ladder.roles, **found}
        return found

    def nearest(self, path: Sequence[str]) -> tuple[Path | None, Ladder]:
        """The ladder of a source, and the node that it is named for (None: the default). path: from
        the root down to the source."""
        for end in range(len(path), 0, -1):
            upper = tuple(path[:end])
            here = [node for node in self.by_node if upper[-len(node) :] == node]
            if here:
                node = max(here, key=len)
                return node, self.by_node[node]
        return None, self.default

    def lost(self, paths: Iterable[Path]) -> list[Path]:
        """Nodes that have a ladder and are not at the end of any of these paths."""
        left = set(self.by_node)
        for path in paths:
            left -= {node for node in left if path[-len(node) :] == node}
        return sorted(left)


class PlacedLadders:
    """`Ladders` in a tree. path_of: codes from the root down to a source, None = not in the tree;
    before: asked for a source that has left it, so that its case ends as it began."""

    def __init__(
        self,
        ladders: Ladders,
        path_of: Callable[[int], Path | None],
        before: BySource | None = None,
    ) -> None:
        self._ladders = ladders
        self._path_of = path_of
        self._known = dict(before.known) if isinstance(before, PlacedLadders) else {}
        self._looked: set[int] = set()

    @property
    def known(self) -> Mapping[int, Ladder]:
        """Of the sources asked for so far."""
        return self._known

    def of(self, source: int) -> Ladder:
        """See `BySource`."""
        if source not in self._looked:
            self._looked.add(source)
            path = self._path_of(source)
            if path is not None:
                self._known[source] = self._ladders.nearest(path)[1]
        return self._known.get(source, self._ladders.default)


def placed(
    ladder: Ladder | Ladders, registry: Registry, before: BySource | None = None
) -> BySource:
    """By source of a registry; see `PlacedLadders`. One ladder is that of all."""
    if isinstance(ladder, Ladder):
        return ladder
    if not ladder.by_node:
        return ladder.default
    return PlacedLadders(
        ladder, lambda source: path(registry, source) if source in registry.nodes else None, before
    )


def shown(ladder: Ladder) -> dict[str, object]:
    """A ladder as people and programs read it; times in seconds."""
    left = ladder.unacknowledged
    beside = left and {
        "priorities": sorted(left.priorities),
        "roles": [role.code for role in left.roles],
    }
    return {
        "version": ladder.version,
        "unacknowledged": beside,
        "roles": [
            {"code": role.code, "name": role.name, "level": role.level.name.lower()}
            for role in ladder.roles.values()
        ],
        "colours": [
            {
                "colour": colour.name.lower(),
                "at_once": [role.code for role in rungs.at_once],
                "later": [
                    {"after_s": rung.after_s, "roles": [role.code for role in rung.roles]}
                    for rung in rungs.later
                ],
                "sign_within_s": rungs.receive_within_s,
                "feedback_within_s": rungs.feedback and rungs.feedback.within_s,
                "close_within_s": rungs.close and rungs.close.within_s,
                "verify_within_s": rungs.verify and rungs.verify.within_s,
            }
            for colour, rungs in ladder.colours.items()
        ],
    }


def path(registry: Registry, node: int) -> Path:
    """Codes from the root of the tree down to a node; () where there is no such node."""
    codes: list[str] = []
    place = registry.nodes.get(node)
    while place is not None:
        codes.append(place.code)
        place = registry.nodes.get(place.parent) if place.parent is not None else None
    return tuple(reversed(codes))
