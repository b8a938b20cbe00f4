"""Where a warning holds, as CAP has it: WGS-84, lat,lon (GeoJSON is lon,lat)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

Position = tuple[float, float]
"""Longitude, latitude [°], as everywhere in hazwatch."""
GB_T_2260 = re.compile(r"[0-9]{6}")
GEOCODE = "GB/T 2260"


@dataclass(frozen=True, slots=True)
class Place:
    """A hazard source and what lies above it. areas: (code, name) from the top of the tree to the
    park. grade: registered, 1 to 4. boundary: of the enterprise, a ring, open or closed."""

    source_code: str
    source: str
    enterprise: str
    areas: tuple[tuple[str, str], ...] = ()
    grade: int | None = None
    position: Position | None = None
    boundary: tuple[Position, ...] = ()

    @property
    def path(self) -> str:
        """All names from the top of the tree to the source."""
        return " ".join([*(name for _, name in self.areas), self.enterprise, self.source])


@dataclass(frozen=True, slots=True)
class Area:
    """An `area`: polygon "lat,lon lat,lon …", closed; circle "lat,lon radius_km"; "" = none.
    geocodes: administrative codes, the lowest area's first."""

    description: str
    polygon: str = ""
    circle: str = ""
    geocodes: tuple[str, ...] = ()


def area(place: Place, radius_m: float) -> Area:
    """The enterprise's boundary, or else a circle around the source, or else its name alone."""
    codes = tuple(code for code, _ in reversed(place.areas) if GB_T_2260.fullmatch(code))
    ring = closed_ring(place.boundary)
    circle = ""
    if not ring and place.position is not None:
        circle = f"{_pair(place.position)} {_decimal(radius_m / 1000)}"
    return Area(place.path, " ".join(map(_pair, ring)), circle, codes)


def closed_ring(corners: Sequence[Position]) -> tuple[Position, ...]:
    """A boundary with its first corner again at the end; () where it has no three corners."""
    ring = [corner for k, corner in enumerate(corners) if k == 0 or corner != corners[k - 1]]
    while len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    return (*ring, ring[0]) if len(set(ring)) >= 3 else ()


def _pair(position: Position) -> str:
    lon, lat = position
    return f"{_decimal(lat)},{_decimal(lon)}"


def _decimal(number: float) -> str:
    """Without exponent, seven decimals at most (1 cm), no -0."""
    text = f"{number:.7f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
