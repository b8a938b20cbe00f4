"""Units: which a tag of a kind may carry, and what they measure, read from the versioned data file.

Sizes come from the library pint, as exact fractions.
"""

import re
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from domain.plant import TagKind

Dimensions = tuple[tuple[str, int], ...]
"""Powers of what is measured, by name; () is a bare number."""
TEMPERATURE: Dimensions = (("[temperature]", 1),)


@dataclass(frozen=True, slots=True)
class Unit:
    """A value v is factor * v + offset in the base unit of its dimensions."""

    name: str
    dimensions: Dimensions
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)


@cache
def allowed_units(kind: TagKind) -> tuple[str, ...] | None:
    """The units of a kind; "" stands for none. `None`: any unit will do."""
    entry = _data()["kinds"][kind]
    return None if entry.get("any") else tuple(entry["units"])


@cache
def states(kind: TagKind) -> dict[str, float]:
    """Words for the readings of tags of a kind that are states; none for quantities."""
    return {word: float(value) for word, value in _data()["states"].get(kind, {}).items()}


@cache
def unit(name: str) -> Unit | None:
    """What a unit measures; None where nobody knows: then it is a quantity of its own."""
    entry = _data()["measures"].get(name)
    if entry is None:
        return _of_parts(name)
    found = _of_pint(name, entry["pint"]) if "pint" in entry else Unit(name, ())
    if found is None:
        return None
    also = ((entry["as"], 1),) if "as" in entry else ()
    factor = found.factor * Fraction(entry.get("factor", "1"))
    return Unit(name, (*found.dimensions, *also), factor, found.offset)


def _of_parts(name: str) -> Unit | None:
    """A unit such as mm/min; parts are plain words, so that no other text ever reaches pint."""
    first, *below = name.split("/")
    if not below:
        return _of_pint(name, name) if re.fullmatch(r"[A-Za-zµ]{1,24}", name) else None
    found = unit(first)
    for part in below:
        other = unit(part)
        if found is None or other is None or not part or found.offset or other.offset:
            return None
        dimensions = times(found.dimensions, other.dimensions, -1)
        found = Unit(name, dimensions, found.factor / other.factor)
    return found


def times(left: Dimensions, right: Dimensions, power: int = 1) -> Dimensions:
    """The dimensions of left * right ** power."""
    powers = dict(left)
    for what, n in right:
        powers[what] = powers.get(what, 0) + n * power
    return tuple(sorted((what, n) for what, n in powers.items() if n))


@cache
def known_units() -> tuple[str, ...]:
    """Units that people may write, for suggestions."""
    named = [unit for entry in _data()["kinds"].values() for unit in entry.get("units", ())]
    return tuple(dict.fromkeys(name for name in [*named, "s", "min", "h"] if name))


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("domain").joinpath("data/units.toml").read_text("utf-8"))


def _of_pint(name: str, words: str) -> Unit | None:
    pint, registry = _pint()
    try:
        zero, one = (registry.Quantity(Fraction(n), words).to_base_units() for n in (0, 1))
    except (pint.PintError, ArithmeticError, AttributeError, TypeError, ValueError):
        return None  # the last three: words that mean something to it, but are no unit with a size
    powers = {str(what): Fraction(n) for what, n in one.dimensionality.items()}
    low, high = Fraction(zero.magnitude), Fraction(one.magnitude)
    if low == high or any(n.denominator != 1 for n in powers.values()):
        return None
    dimensions = tuple(sorted((what, int(n)) for what, n in powers.items()))
    if not dimensions and not (low == 0 and high == 1):
        return None  # degrees of an angle: 90 of them are not 90, as a bare number would be
    return Unit(name, dimensions, high - low, low)


@cache
def _pint() -> tuple[Any, Any]:
    """The library and its registry; loading takes most of a second, so it waits until needed."""
    import pint

    return pint, pint.UnitRegistry(non_int_type=Fraction)
