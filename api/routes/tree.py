"""The typed tree: below each node the worst colour, counts of sources, and what is open."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Query
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Page, by_id, page
from api.schemas import ColourWord, Id, colour_word
from domain.frame import Ints
from domain.risk import Colour, risk_model
from domain.rollup import NONE, area_index, domino, enterprise_index, roll_up
from storage.plant_reading import tree_nodes
from storage.reading import Reading, Row
from storage.sessions import Scope

SOURCE = "source"
"""The kind of nodes that have a risk of their own."""
ENTERPRISE, PARK = "enterprise", "park"


class Counts(BaseModel):
    """Sources at or below a node, by colour. unknown: how many of all these are not seen."""

    red: int
    orange: int
    yellow: int
    blue: int
    unknown: int


class OpenAlarms(BaseModel):
    """Occurrences below a node. active: all but NORM; unacknowledged: those among them."""

    active: int
    unacknowledged: int


class TreeNode(BaseModel):
    """A node of the tree, with everything below it counted in."""

    id: Id
    parent: Id | None
    kind: str = Field(examples=["park"])
    name: str = Field(examples=["临港化工园"])
    code: str = Field(examples=["p1"])
    enterprise: Id | None = Field(description="the enterprise it lies under, or is")
    colour: ColourWord | None = Field(
        description="of the worst source at or below it, blue while its risk was never told; "
        "null: there is no source"
    )
    unknown: bool = Field(description="some source at or below it has no data")
    score: float | None = Field(description="of a source; null while its risk was never told")
    counts: Counts
    alarms: OpenAlarms
    index: float | None = Field(
        description="0 to 100, for ranking only: E of an enterprise, weighted share of an area"
    )
    domino: bool = Field(
        description="a park is red because two of its sources within the domino distance are orange"
    )
    position: tuple[float, float] | None = Field(default=None, description="longitude, latitude")


def tree_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /tree."""
    router = APIRouter(tags=["plant"])

    @router.get("/tree", operation_id="listTree")
    async def tree(
        scope: Annotated[Scope, Depends(guard.reader)],
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=20_000, description="items per page")] = 5_000,
    ) -> Page[TreeNode]:
        """Every node that this person may see, by id."""
        rows, after = await tree_nodes(reading, scope), by_id(cursor)
        nodes = RolledUp(rows)
        rest = [place for place, row in enumerate(rows) if row["id"] > after]
        return page(rest, limit, nodes.node, lambda place: (rows[place]["id"],))

    return router


class RolledUp:
    """The rows of `tree_nodes`, each with its own alarms and risk and those of all below it.

    A node whose parent is not among the rows is a root of its own.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        places = {row["id"]: place for place, row in enumerate(rows)}
        parents = np.array([places.get(row["parent"], NONE) for row in rows], np.int32)
        colours = np.array([_own_colour(row) for row in rows], np.int8)
        unknown = np.array([row["unknown"] for row in rows], np.bool_)
        open_alarms = [(row["active"], row["unacknowledged"]) for row in rows]
        risk = roll_up(parents, colours, unknown)
        self._domino = _dominoes(rows, parents)
        for park in self._domino:
            while park != NONE:
                risk.worst[park] = Colour.RED
                park = int(parents[park])
        self._worst, self._unknown = risk.worst.tolist(), risk.unknown.tolist()
        self._counts = risk.counts.tolist()
        self._index = _indices(rows, parents, risk.counts)
        self._alarms = _summed(parents, np.array(open_alarms, np.int64).reshape(-1, 2)).tolist()

    def node(self, place: int) -> TreeNode:
        """The node of the row at that place."""
        row, worst, unknown = self._rows[place], self._worst[place], self._unknown[place]
        blue, yellow, orange, red = self._counts[place]
        active, unacknowledged = self._alarms[place]
        return TreeNode(
            id=str(row["id"]),
            parent=None if row["parent"] is None else str(row["parent"]),
            kind=row["kind"],
            name=row["name"],
            code=row["code"],
            enterprise=None if row["enterprise"] is None else str(row["enterprise"]),
            colour=None if worst == NONE else colour_word(worst),
            unknown=unknown > 0,
            score=None if row["score"] is None else round(row["score"], 1),
            counts=Counts(red=red, orange=orange, yellow=yellow, blue=blue, unknown=unknown),
            alarms=OpenAlarms(active=active, unacknowledged=unacknowledged),
            index=self._index[place],
            domino=place in self._domino,
            position=None if row["lon"] is None else (row["lon"], row["lat"]),
        )


def _dominoes(rows: Sequence[Row], parents: NDArray[np.int32]) -> set[int]:
    """Places of the parks that are red by the domino rule."""
    sources = [place for place, row in enumerate(rows) if row["kind"] == SOURCE]
    where = [(rows[place]["lon"], rows[place]["lat"]) for place in sources]
    lon, lat = np.array(where, np.float64).reshape(-1, 2).T
    alarmed = np.array([bool(rows[place].get("alarmed")) for place in sources], np.bool_)
    parks = np.array([_above(rows, parents, place, PARK) for place in sources], np.int32)
    return set(domino(risk_model().area, parks, lon, lat, alarmed).tolist())


def _above(rows: Sequence[Row], parents: NDArray[np.int32], place: int, kind: str) -> int:
    """The place of the nearest node of a kind at or above a place, -1 = none."""
    while place != NONE and rows[place]["kind"] != kind:
        place = int(parents[place])
    return place


def _indices(
    rows: Sequence[Row], parents: NDArray[np.int32], counts: NDArray[np.int32]
) -> list[float | None]:
    """By place: E of enterprises, the index of areas; None of what lies within an enterprise."""
    scores: dict[int, list[float]] = {}
    for place, row in enumerate(rows):
        if row["kind"] == SOURCE and row["score"] is not None:
            scores.setdefault(_above(rows, parents, place, ENTERPRISE), []).append(row["score"])
    area, index = risk_model().area, list[float | None]()
    for place, row in enumerate(rows):
        if row["kind"] == ENTERPRISE:
            index.append(round(enterprise_index(area, np.array(scores.get(place, []))), 1))
        else:
            index.append(None if row["enterprise"] else round(area_index(area, counts[place]), 1))
    return index


def _own_colour(row: Row) -> int:
    """What `roll_up` takes: blue also for a source whose risk was never told."""
    if row["kind"] != SOURCE:
        return NONE
    return int(Colour.BLUE) if row["colour"] is None else int(row["colour"])


def _summed(parents: NDArray[np.integer], own: Ints) -> Ints:
    """own: int64[n, k] by node; the same with everything below each node added to it.

    All that is not zero climbs at once, a step each turn. parents: as for `roll_up`, no circles.
    """
    total = np.zeros_like(own)
    climbers = places = np.flatnonzero(own.any(axis=1))
    while places.size:
        np.add.at(total, places, own[climbers])
        above = parents[places]
        climbers, places = climbers[above != NONE], above[above != NONE]
    return total
