"""What is retained at the broker: the present colour of every source, enterprise and park. Pure.

For sirens and PLCs, which ask for one small body and no history. The colour of an enterprise or a
park is that of its worst source; a park is also red by the domino rule (domain.md 4.7).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from domain.instant import rfc3339
from domain.plant import Node, Registry
from domain.risk import Colour, Part, SourceRisk
from domain.risk_model import AreaModel
from domain.rollup import domino

Place = tuple[str, str | None, str | None]
"""Codes of park, enterprise and source; None, None: the park itself; None: the enterprise."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a place is to say from now on; body None: it is gone, and says nothing more."""

    place: Place
    body: dict[str, object] | None


@dataclass(slots=True)
class _Area:
    """An enterprise or a park. sources: ids, of those that were told."""

    place: Place
    node: int
    is_park: bool
    sources: set[int] = field(default_factory=set)


class PresentColours:
    """What was told of every source, and said of every place."""

    def __init__(self, registry: Registry, model: AreaModel) -> None:
        self._model = model
        self._risks: dict[int, SourceRisk] = {}
        self._said: dict[Place, dict[str, object]] = {}
        self._registry = registry
        self._places: dict[int, Place] = {}
        self._areas: dict[int, _Area] = {}
        self._lay_out()

    def told(self, risks: Iterable[SourceRisk], at: datetime) -> list[Said]:
        """What changes by these; a score alone changes nothing. A source that is not in the site as
        it is known here waits for `use`."""
        known = list(risks)
        self._risks |= {risk.source: risk for risk in known}
        return list(self._of([risk.source for risk in known], at))

    def use(self, registry: Registry, at: datetime) -> list[Said]:
        """The site has changed: places that are gone are said to be."""
        self._registry = registry
        self._lay_out()
        here = {*self._places.values(), *(area.place for area in self._areas.values())}
        gone = [place for place in self._said if place not in here]
        for place in gone:
            del self._said[place]
        self._risks = {id: risk for id, risk in self._risks.items() if id in self._places}
        changed = list(self._of(list(self._risks), at))
        bare = [area.node for area in self._areas.values() if not area.sources]
        return [*(Said(place, None) for place in gone), *changed, *self._of_areas(bare, at)]

    def _of(self, sources: Iterable[int], at: datetime) -> Iterator[Said]:
        touched: dict[int, None] = {}
        for source in sources:
            if source in self._places:
                yield from self._say(self._places[source], source, _own(self._risks[source]), at)
                for area in self._above(source):
                    area.sources.add(source)
                    touched[area.node] = None
        yield from self._of_areas(touched, at)

    def again(self, at: datetime, *, areas_only: bool = False) -> list[Said]:
        """All that was said, once more; of enterprises and parks as of now, as a sign of life."""
        for area in self._areas.values():
            if area.place in self._said:
                self._said[area.place] = self._said[area.place] | {"at": rfc3339(at)}
        return [
            Said(place, body)
            for place, body in self._said.items()
            if place[2] is None or not areas_only
        ]

    def _lay_out(self) -> None:
        self._places, self._areas = {}, {}
        for node in self._registry.nodes.values():
            above = self._codes(node)
            if above is None:
                continue
            park, enterprise = above
            if node.kind == "source":
                self._places[node.id] = (park.code, enterprise.code, node.code)
            else:
                place = (park.code, enterprise.code, None)
                self._areas[enterprise.id] = _Area(place, enterprise.id, is_park=False)
                self._areas[park.id] = _Area((park.code, None, None), park.id, is_park=True)

    def _codes(self, node: Node) -> tuple[Node, Node] | None:
        """Park and enterprise of a source or an enterprise; None of all other nodes."""
        if node.kind not in ("source", "enterprise") or node.enterprise is None:
            return None
        enterprise = self._registry.nodes.get(node.enterprise)
        park = enterprise and self._registry.nodes.get(enterprise.parent or 0)
        return None if park is None or enterprise is None else (park, enterprise)

    def _above(self, source: int) -> Iterator[_Area]:
        found = self._codes(self._registry.nodes[source])
        assert found is not None, "a source that has a place has an enterprise and a park"
        park, enterprise = found
        yield self._areas[enterprise.id]
        yield self._areas[park.id]

    def _of_areas(self, areas: Collection[int], at: datetime) -> Iterator[Said]:
        for id in areas:
            area = self._areas[id]
            if area.sources:
                yield from self._say(area.place, id, self._rolled_up(area), at)
            elif self._said.pop(area.place, None) is not None:
                yield Said(area.place, None)

    def _rolled_up(self, area: _Area) -> dict[str, object]:
        risks = [self._risks[source] for source in area.sources]
        colour = max(risk.colour for risk in risks)
        if area.is_park and self._domino(risks):
            colour = Colour.RED
        counts = dict.fromkeys(("red", "orange", "yellow", "blue"), 0)
        for risk in risks:
            counts[risk.colour.name.lower()] += 1
        unknown = sum(risk.unknown for risk in risks)
        return _body(colour, unknown=unknown > 0) | {"counts": counts | {"unknown": unknown}}

    def _domino(self, risks: list[SourceRisk]) -> bool:
        hot = [risk.source for risk in risks if _alarmed(risk)]
        if len(hot) < 2:
            return False
        nowhere = np.nan, np.nan
        where = [self._registry.nodes[source].position or nowhere for source in hot]
        lon, lat = np.array(where, np.float64).T
        one, all_of_them = np.zeros(len(hot), np.int32), np.ones(len(hot), np.bool_)
        return bool(domino(self._model, one, lon, lat, all_of_them).size)

    def _say(
        self, place: Place, node: int, body: dict[str, object], at: datetime
    ) -> Iterator[Said]:
        before = self._said.get(place)
        if before is None or any(before[name] != said for name, said in body.items()):
            self._said[place] = {"type": "colour", "node": str(node), **body, "at": rfc3339(at)}
            yield Said(place, self._said[place])


def _own(risk: SourceRisk) -> dict[str, object]:
    return _body(risk.colour, unknown=risk.unknown)


def _body(colour: Colour, *, unknown: bool) -> dict[str, object]:
    return {"colour": colour.name.lower(), "level": int(colour), "unknown": unknown}


def _alarmed(risk: SourceRisk) -> bool:
    """Orange or worse from alarms that are not reset."""
    return risk.colour >= Colour.ORANGE and any(one.part is Part.A for one in risk.reasons)
