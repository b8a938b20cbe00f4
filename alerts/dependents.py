"""What is only a consequence of a lost source or gateway: OFFLINE under SOURCE_OFFLINE. Pure.

A lost gateway is one alarm with "41 suppressed under it" 其下抑制 41 条. Only the OFFLINE of tags
folds under it, never a process alarm that is held because its tag is silent. What is folded stays
open, counted and listed, and comes out again when the parent is over before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from alerts.annunciation import Annunciation
from domain.alarms import Kind


@dataclass(frozen=True, slots=True)
class Dependents:
    """parents: active SOURCE_OFFLINE by node. lost: active OFFLINE, with their nodes upwards."""

    parents: Mapping[int, UUID] = field(default_factory=dict)
    lost: Mapping[UUID, tuple[int, ...]] = field(default_factory=dict)

    def parent(self, occurrence: UUID) -> UUID | None:
        """What an OFFLINE folds under: the highest lost node; None: it stands by itself."""
        path = self.lost.get(occurrence, ())
        return next((self.parents[node] for node in reversed(path) if node in self.parents), None)

    def under(self) -> dict[UUID, tuple[UUID, ...]]:
        """By parent what is suppressed under it, in the order in which it came; never empty."""
        folded: dict[UUID, list[UUID]] = {}
        for occurrence in self.lost:
            parent = self.parent(occurrence)
            if parent is not None:
                folded.setdefault(parent, []).append(occurrence)
        return {parent: tuple(children) for parent, children in folded.items()}


def raised(state: Dependents, heard: Annunciation) -> Dependents:
    """After an activation, muted or not; of other kinds nothing is remembered."""
    if heard.kind is Kind.SOURCE_OFFLINE:
        return replace(state, parents={**state.parents, heard.node: heard.occurrence})
    if heard.kind is Kind.OFFLINE:
        return replace(state, lost={**state.lost, heard.occurrence: heard.path})
    return state


def over(state: Dependents, occurrence: UUID) -> Dependents:
    """After an occurrence is no longer active."""
    if occurrence in state.lost:
        rest = {id: path for id, path in state.lost.items() if id != occurrence}
        return replace(state, lost=rest)
    if occurrence in state.parents.values():
        left = {node: id for node, id in state.parents.items() if id != occurrence}
        return replace(state, parents=left)
    return state
