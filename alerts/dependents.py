"""What is only a consequence of a lost source or gateway. Pure.

A lost source is one alarm with "41 suppressed under it" 其下抑制 41 条. Only the OFFLINE of tags
folds under it, never a process alarm that is held because its tag is silent, nor what may never
fold (`may_lie`). What is folded stays open, counted and listed. A lost gateway (GATEWAY_OFFLINE)
has OFFLINE of the tags that it alone sends under it, and SOURCE_OFFLINE of sources that nobody
else sends; what lay under such a source lies under the gateway then.

| the parent          | a child that is silent still      | a child that has returned |
|---------------------|-----------------------------------|---------------------------|
| is active           | lies under it                     | lies under it             |
| returned            | comes out after `BACK_S`          | lies under it             |
| is closed, silenced | comes out                         | comes out                 |

When a line is back its tags are heard one after the other: without `BACK_S` each of them would
come out for a moment first (hazwatch proposal: two intervals of 30 s).
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from alerts.annunciation import GATEWAYS, Annunciation
from domain.alarms import Kind

BACK_S = 60.0
Place = tuple[int, int]
"""Enterprise and node, or `GATEWAYS` + gateway: what is another enterprise's never folds."""


class Dependents:
    """Each step costs what it changes. `touched` collects occurrences whose place, or whose
    children, may have changed; whoever reads it empties it."""

    def __init__(self) -> None:
        self.touched: set[UUID] = set()
        self._parents: dict[Place, UUID] = {}
        self._places: dict[UUID, Place] = {}
        self._back: dict[UUID, datetime] = {}
        self._silent: dict[UUID, tuple[Place, ...]] = {}
        self._below: dict[Place, dict[UUID, None]] = {}
        self._under: dict[UUID, UUID] = {}
        self._children: dict[UUID, dict[UUID, None]] = {}
        self._muted: set[UUID] = set()

    def parent(self, occurrence: UUID) -> UUID | None:
        """What an OFFLINE or a lost source lies under: the lost gateway, else the highest lost
        node; None: it stands by itself."""
        return self._under.get(occurrence)

    def children(self, occurrence: UUID) -> Collection[UUID]:
        """What lies under a lost source or gateway, in the order in which it came to lie there."""
        return self._children.get(occurrence, {}).keys()

    def under(self) -> dict[UUID, tuple[UUID, ...]]:
        """By parent what is suppressed under it; never empty."""
        return {parent: tuple(children) for parent, children in self._children.items()}

    def raised(self, heard: Annunciation, *, folds: bool = True) -> None:
        """After an activation, muted or not; of other kinds nothing is remembered."""
        gateway: tuple[Place, ...] = ()
        if heard.clock is not None:
            gateway = ((heard.enterprise, GATEWAYS + heard.clock),)
        if heard.kind is Kind.OFFLINE and folds:
            nodes = ((heard.enterprise, node) for node in heard.path)
            self._lie(heard.occurrence, (*nodes, *gateway))
        elif heard.kind is Kind.SOURCE_OFFLINE:
            self._lie(heard.occurrence, gateway if folds else ())
            self._lose(heard.occurrence, (heard.enterprise, heard.node))
        elif heard.kind is Kind.GATEWAY_OFFLINE and gateway:
            self._lose(heard.occurrence, gateway[0])

    def mute(self, parent: UUID, *, muted: bool) -> None:
        """A flag silences a lost source or gateway, or does so no more: nothing lies under what
        nobody is shown."""
        if muted == (parent in self._muted):
            return
        self._muted ^= {parent}
        self._attach_all(parent)

    def returned(self, occurrence: UUID, at: datetime) -> None:
        """After an occurrence is no longer active."""
        self._speaks(occurrence)
        place = self._places.get(occurrence)
        if place is not None and self._parents.get(place) == occurrence:
            del self._parents[place]
            if occurrence in self._children:
                self._back[occurrence] = at

    def closed(self, occurrence: UUID, at: datetime) -> None:
        """After an occurrence is over."""
        self.returned(occurrence, at)
        self._detach(occurrence)
        self._back.pop(occurrence, None)
        self._muted.discard(occurrence)
        self._attach_all(occurrence)
        self._places.pop(occurrence, None)

    def look(self, at: datetime) -> None:
        """What is silent though its source has been back for a while comes out."""
        for parent, since in list(self._back.items()):
            if (at - since).total_seconds() >= BACK_S:
                del self._back[parent]
                for child in [one for one in self._children.get(parent, ()) if one in self._silent]:
                    self._attach(child)

    def due(self) -> datetime | None:
        """When the next `look` may change something; None: never by itself."""
        return min(self._back.values()) + timedelta(seconds=BACK_S) if self._back else None

    def _lie(self, occurrence: UUID, places: tuple[Place, ...]) -> None:
        """It is silent, and lies under what is lost at any of these places, the last one first."""
        self._silent[occurrence] = places
        for place in places:
            self._below.setdefault(place, {})[occurrence] = None
        self._attach(occurrence)

    def _lose(self, occurrence: UUID, place: Place) -> None:
        """It says that a place is lost."""
        self._parents[place], self._places[occurrence] = occurrence, place
        self._back.pop(occurrence, None)
        self._attach_all(occurrence)

    def _lost(self, occurrence: UUID) -> Iterator[UUID]:
        for place in reversed(self._silent.get(occurrence, ())):
            parent = self._parents.get(place)
            if parent is not None and parent not in self._muted:
                yield self._under.get(parent, parent)

    def _attach_all(self, parent: UUID) -> None:
        """Whatever lies under it, or may."""
        place = self._places.get(parent)
        below = self._below.get(place, {}) if place is not None else {}
        for child in [*self._children.get(parent, ()), *below]:
            self._attach(child)

    def _attach(self, child: UUID) -> None:
        parent = next(self._lost(child), None)
        if parent == self._under.get(child):
            return
        self._detach(child)
        if parent is not None:
            self._under[child] = parent
            self._children.setdefault(parent, {})[child] = None
            self.touched |= {child, parent}
        self._attach_all(child)

    def _detach(self, child: UUID) -> None:
        parent = self._under.pop(child, None)
        if parent is None:
            return
        self.touched |= {child, parent}
        children = self._children[parent]
        del children[child]
        if not children:
            del self._children[parent]

    def _speaks(self, occurrence: UUID) -> None:
        for place in self._silent.pop(occurrence, ()):
            below = self._below[place]
            del below[occurrence]
            if not below:
                del self._below[place]
