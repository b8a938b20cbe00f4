"""The typed tree with what is open below each node."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.auth import Guard
from api.paging import Cursor, Page, by_id, page
from api.schemas import Id
from storage.plant_reading import tree_nodes
from storage.reading import Reading, Row
from storage.sessions import Scope


class Counts(BaseModel):
    """Sources below a node by risk colour; null while risk is not evaluated. unknown: no data."""

    red: int | None = None
    orange: int | None = None
    yellow: int | None = None
    blue: int | None = None
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
    colour: str | None = Field(default=None, description="null while risk is not evaluated")
    unknown: bool = Field(description="some source below has no data")
    score: float | None = Field(
        default=None, description="of a source; null while risk is not evaluated"
    )
    counts: Counts
    alarms: OpenAlarms
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
        nodes = rolled_up(await tree_nodes(reading, scope))
        after = by_id(cursor)
        rest = [node for node in nodes if int(node.id) > after]
        return page(rest, limit, lambda node: node, lambda node: (node.id,))

    return router


def rolled_up(rows: Sequence[Row]) -> list[TreeNode]:
    """Nodes by id, each with its own open alarms and unknown sources and those of all below it."""
    parents: dict[int, int | None] = {row["id"]: row["parent"] for row in rows}
    sums = {row["id"]: [0, 0, 0] for row in rows}
    for row in rows:
        own = (row["active"], row["unacknowledged"], int(row["unknown"]))
        place: int | None = row["id"]
        while place is not None and place in sums and any(own):
            sums[place] = [total + n for total, n in zip(sums[place], own, strict=True)]
            place = parents[place]
    return [_node(row, sums[row["id"]]) for row in rows]


def _node(row: Row, sums: Sequence[int]) -> TreeNode:
    active, unacknowledged, unknown = sums
    return TreeNode(
        id=str(row["id"]),
        parent=None if row["parent"] is None else str(row["parent"]),
        kind=row["kind"],
        name=row["name"],
        code=row["code"],
        enterprise=None if row["enterprise"] is None else str(row["enterprise"]),
        unknown=unknown > 0,
        counts=Counts(unknown=unknown),
        alarms=OpenAlarms(active=active, unacknowledged=unacknowledged),
        position=None if row["lon"] is None else (row["lon"], row["lat"]),
    )
