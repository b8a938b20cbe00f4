"""Geometries of RFC 7946: WGS-84, longitude before latitude (CAP is lat,lon), no `crs` member.

Positions are kept as WGS-84 (CGCS2000 lies within a metre of it). GCJ-02 of map vendors is shifted
by 100 to 700 m and has to be converted before it gets into a site file.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from domain.cap_area import Position, closed_ring

Box = tuple[float, float, float, float]
"""West, south, east, north [°]; west lies east of `east` where the box crosses the antimeridian."""
NOTHING = 1e-9
"""Square degrees, some 10 m²: less is rounding, its sign says nothing."""


def point(position: Position) -> dict[str, Any]:
    """A Point."""
    return {"type": "Point", "coordinates": list(position)}


def polygon(corners: Sequence[Position]) -> dict[str, Any] | None:
    """A Polygon with one ring, counter-clockwise (right-hand rule); None where the corners bound no
    area."""
    ring = closed_ring(corners)
    twice = twice_area(ring)
    if abs(twice) < NOTHING:
        return None
    if twice < 0:
        ring = ring[::-1]
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in ring]]}


def twice_area(ring: Sequence[Position]) -> float:
    """Twice the signed area of a closed ring in square degrees, above 0 where it runs
    counter-clockwise; 0 without corners.

    Corners count from the first one: far from the origin digits would be lost.
    """
    if not ring:
        return 0.0
    x0, y0 = ring[0]
    moved = [(x - x0, y - y0) for x, y in ring]
    return sum((a[0] * b[1] - b[0] * a[1] for a, b in pairwise(moved)), start=0.0)


def box_of(geometry: dict[str, Any] | None) -> Box | None:
    """The box around a Point or a Polygon; None where there is no geometry."""
    if geometry is None:
        return None
    at = geometry["coordinates"]
    corners = [at] if geometry["type"] == "Point" else at[0]
    lon, lat = [one[0] for one in corners], [one[1] for one in corners]
    return min(lon), min(lat), max(lon), max(lat)


def overlap(box: Box, other: Box) -> bool:
    """Whether a box has a place in common with another that does not cross the antimeridian."""
    west, south, east, north = box
    if other[1] > north or other[3] < south:
        return False
    if west <= east:
        return other[0] <= east and other[2] >= west
    return other[2] >= west or other[0] <= east
