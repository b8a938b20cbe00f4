"""GeoJSON (RFC 7946) of the present state."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.auth import Guard
from api.conditional import conditional
from api.geojson import Feature, features
from api.problems import FieldError, Problem
from api.schemas import among
from domain.geojson import Box, box_of, overlap
from domain.risk import Colour
from storage.map_reading import map_nodes, map_tags
from storage.plant_reading import tree_nodes
from storage.reading import Reading
from storage.sessions import Scope

MEDIA_TYPE = "application/geo+json"
COLOURS = tuple(colour.name.lower() for colour in Colour)
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a FeatureCollection",
        "content": {MEDIA_TYPE: {"schema": {"type": "object"}}},
    },
    304: {"description": "If-None-Match names what is there"},
}


def geojson_routes(reading: Reading, guard: Guard) -> APIRouter:
    """GET /geojson."""
    router = APIRouter(tags=["plant"])

    @router.get(
        "/geojson", operation_id="getGeoJson", response_class=Response, responses=_RESPONSES
    )
    async def geojson(
        request: Request,
        scope: Annotated[Scope, Depends(guard.reader)],
        bbox: Annotated[
            str | None,
            Query(
                description="west,south,east,north in degrees: only what lies there",
                examples=["100.4,38.9,100.5,39.0"],
            ),
        ] = None,
        colour: Annotated[
            str | None, Query(description="of now, by commas", examples=["red,orange"])
        ] = None,
        kind: Annotated[
            str | None, Query(description="kinds of features, by commas", examples=["source,tag"])
        ] = None,
    ) -> Response:
        """Areas, enterprises, sources; equipment and tags that have a position. lon,lat, WGS-84."""
        box, colours = _box(bbox), among("colour", colour, COLOURS)
        kinds = None if kind is None else frozenset(kind.split(","))
        rows, more = await tree_nodes(reading, scope), await map_nodes(reading, scope)
        tags = await map_tags(reading, scope) if kinds is None or "tag" in kinds else []
        found = [
            one
            for one in features(rows, more, tags)
            if (kinds is None or one["properties"]["kind"] in kinds)
            and (colours is None or one["properties"]["colour"] in colours)
            and _lies(one, box)
        ]
        body = {"type": "FeatureCollection", "features": found}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return conditional(request, text.encode(), MEDIA_TYPE)

    return router


def _lies(feature: Feature, box: Box | None) -> bool:
    if box is None:
        return True
    around = box_of(feature["geometry"])
    return around is not None and overlap(box, around)


def _box(said: str | None) -> Box | None:
    if said is None:
        return None
    try:
        west, south, east, north = (float(part) for part in said.split(","))
    except ValueError:
        raise _wrong("four numbers: west,south,east,north") from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise _wrong("west and east are -180 to 180, south and north -90 to 90 and rising")
    return west, south, east, north


def _wrong(detail: str) -> Problem:
    return Problem(422, f"bbox: {detail}", errors=[FieldError(parameter="bbox", detail=detail)])
