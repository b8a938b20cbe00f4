"""Volume of liquid in a tank by its level: exact geometry, vectorised, and the way back.

Heights are metres above the lowest inner point, volumes m³. A level below the bottom is an empty
tank, one above the top a full one. Shares of a whole are by x = level / inner height, 0 to 1:

    upright cylinder, gas holder   x
    lying cylinder                 (acos(1 - 2x) - (1 - 2x) · 2 √(x - x²)) / π
    sphere, hemispherical and
    ellipsoidal heads of a lying
    cylinder                       x² (3 - 2x)
    dished heads of the same       by integration over the head, once for all diameters

(elementary geometry; an ellipsoid is a sphere stretched along the vessel, so its share is the
same). Everything else is a strapping table 罐容表, interpolated linearly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import asin, cos, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.frame import Floats
from domain.inventory_model import number

HEADS = ("flat", "hemispherical", "elliptical", "torispherical")
BOTTOMS = ("flat", "cone", "dish")
KNOTS = 1025
"""Levels at which what has no closed form is worked out; between them it is interpolated."""
_HALVINGS = 60
_NODES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Tank:
    """A shape. volume = straight · x + lying · share_of_cylinder(x) + round · share_of_sphere(x)
    + dished · share_of_dish(x), x = level / height; or by `knots`, (levels, volumes) float64[k]
    each, rising. height: m, full: m³."""

    height: float
    full: float
    straight: float = 0.0
    lying: float = 0.0
    round: float = 0.0
    dished: float = 0.0
    knots: tuple[Floats, Floats] | None = None


def volume(tank: Tank, level: ArrayLike) -> Floats:
    """m³ of liquid at these levels [m]: float64, shape as given; NaN stays NaN."""
    if tank.knots is not None:
        h = np.asarray(level, np.float64)
        return np.where(np.isnan(h), np.nan, np.interp(h, *tank.knots))
    x = np.clip(np.asarray(level, np.float64), 0.0, tank.height) / tank.height
    return shares(x, tank.straight, tank.lying, tank.round, tank.dished)


def level(tank: Tank, content: ArrayLike) -> Floats:
    """The level [m] at which there are so many m³: the inverse of `volume`, by halving."""
    wanted = np.asarray(content, np.float64)
    low, high = np.zeros(wanted.shape), np.full(wanted.shape, tank.height)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        less = volume(tank, middle) < wanted
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return np.where(np.isnan(wanted), np.nan, (low + high) / 2)


def shares(
    x: Floats, straight: ArrayLike, lying: ArrayLike, round: ArrayLike, dished: ArrayLike
) -> Floats:
    """What parts of these whole volumes [m³] lie below the share x of the height, 0 to 1."""
    total: Floats = np.asarray(straight) * x
    for whole, share in (
        (np.asarray(lying), share_of_cylinder),
        (np.asarray(round), share_of_sphere),
        (np.asarray(dished), share_of_dish),
    ):
        if whole.any():
            total = total + whole * share(x)
    return total


def share_of_cylinder(x: Floats) -> Floats:
    """Of a lying cylinder, by level over diameter x, 0 to 1."""
    c = 1 - 2 * x
    filled: Floats = (np.arccos(c) - 2 * c * np.sqrt(np.maximum(x - x * x, 0))) / pi
    return filled


def share_of_sphere(x: Floats) -> Floats:
    """Of a sphere or an upright or lying ellipsoid, by level over height x, 0 to 1."""
    return x * x * (3 - 2 * x)


def share_of_dish(x: Floats) -> Floats:
    """Of the dished head of a lying cylinder, by level over diameter x, 0 to 1."""
    levels, _, filled = _dish()
    return np.interp(x, levels, filled)


def inverse_share_of_sphere(share: ArrayLike) -> Floats:
    """Level over diameter at which a sphere is filled to this share, 0 to 1."""
    filled = np.clip(np.asarray(share, np.float64), 0.0, 1.0)
    x: Floats = 0.5 - np.sin(np.arcsin(1 - 2 * filled) / 3)
    return x


def upright(diameter: float, height: float, bottom: str = "flat", depth: float = 0.0) -> Tank:
    """An upright cylinder 立式圆柱罐 with a shell of `height`; its bottom of `BOTTOMS` reaches
    `depth` below the shell, and the level counts from its lowest point. Liquid under the roof is
    not counted."""
    area = pi / 4 * diameter**2
    shell = area * height
    if bottom == "flat" or depth <= 0:
        return Tank(height, shell, straight=shell)
    under = area * depth * (1 / 3 if bottom == "cone" else 2 / 3)
    x = np.linspace(0.0, 1.0, KNOTS)
    below = under * (x**3 if bottom == "cone" else (3 * x**2 - x**3) / 2)
    levels = np.append(x * depth, depth + height)
    return Tank(depth + height, under + shell, knots=(levels, np.append(below, under + shell)))


def lying(diameter: float, length: float, heads: str = "flat") -> Tank:
    """A lying cylinder 卧式圆柱罐 of `length` between the tangent lines, with two heads of
    `HEADS`."""
    shell = pi / 4 * diameter**2 * length
    sphere = pi / 6 * diameter**3
    rounded = {"hemispherical": 1.0, "elliptical": 2 * number("tank", "ellipse")}
    both = rounded.get(heads, 0.0) * sphere
    dished = 2 * _dish()[1] * diameter**3 if heads == "torispherical" else 0.0
    return Tank(diameter, shell + both + dished, lying=shell, round=both, dished=dished)


def sphere(diameter: float) -> Tank:
    """A sphere 球罐."""
    full = pi / 6 * diameter**3
    return Tank(diameter, full, round=full)


def prism(height: float, full: float) -> Tank:
    """A tank, or a gas holder 气柜, of the same cross-section at every height."""
    return Tank(height, full, straight=full)


def strapped(table: Sequence[tuple[float, float]]) -> Tank:
    """A tank by its strapping table 罐容表: (level, m³), both rising; below the first row it holds
    what that says, above the last one it is full. Raises `ValueError` for fewer than two rows, or
    rows that do not rise."""
    levels, volumes = (np.array(column, np.float64) for column in zip(*table, strict=True))
    rises = (np.diff(levels) > 0).all() and (np.diff(volumes) > 0).all()
    if len(levels) < 2 or not rises or levels[0] < 0 or volumes[0] < 0:
        raise ValueError("a strapping table has two rows or more; level and volume rise from row "
                         "to row, from 0 or above")  # fmt: skip
    return Tank(float(levels[-1]), float(volumes[-1]), knots=(levels, volumes))


@cache
def _dish() -> tuple[Floats, float, Floats]:
    """A dished head 碟形封头 of diameter 1: (levels, m³ of one head, shares filled)."""
    axis, radius = _profile()
    levels = np.linspace(0.0, 1.0, KNOTS)
    y = levels[:, None] - 0.5
    inside = np.clip(y / radius, -1.0, 1.0)
    segment = radius**2 * (np.arccos(-inside) + inside * np.sqrt(1 - inside**2))
    filled = ((segment[:, 1:] + segment[:, :-1]) * (np.diff(axis) / 2)).sum(axis=1)
    return levels, float(filled[-1]), filled / filled[-1]


def _profile() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance from the tangent line and radius there, along a dished head of diameter 1."""
    crown, knuckle = number("tank", "crown"), number("tank", "knuckle")
    tilt = asin((0.5 - knuckle) / (crown - knuckle))
    depth = crown - sqrt((crown - knuckle) ** 2 - (0.5 - knuckle) ** 2)
    joint = knuckle * cos(tilt)
    turn = np.linspace(0.0, pi / 2 - tilt, _NODES)
    bend = knuckle * np.sin(turn), 0.5 - knuckle + knuckle * np.cos(turn)
    # towards the tip the radius falls steeply: equal steps of angle, not of length
    angle = np.linspace(0.0, asin(min(1.0, _radius(joint, crown, depth) / crown)), _NODES)[::-1]
    cap = depth - crown + crown * np.cos(angle), crown * np.sin(angle)
    radius = np.maximum(np.append(bend[1], cap[1][1:]), 1e-12)
    return np.append(bend[0], cap[0][1:]), radius


def _radius(x: float, crown: float, depth: float) -> float:
    return sqrt(crown**2 - (x - depth + crown) ** 2)
