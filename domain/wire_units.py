"""Units that a value may come in, how they are spelt, and exact ways from one into another.

A number that was converted keeps a code beside it (`domain.frame.coded`), by which what came can
be told again. All sizes come from the versioned data file, as exact fractions.
"""

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import lcm
from typing import Any

import numpy as np

from domain.frame import Floats
from domain.plant import TagKind
from domain.rounding import to_places, to_significant

PER_VOLUME = "length^-3 mass"
SHARE_OF_VOLUME = "share of volume"
DIGITS = 15
"""A converted number is kept to so many digits of its largest term: beyond lies what binary
fractions add of themselves, and the same pressure in kPa and in MPa is to be one number."""


@dataclass(frozen=True, slots=True)
class WireUnit:
    """A value v is v * size + offset in the base unit of what it is `of`. code: 1 to 127, for ever.

    kinds: for tags of these kinds the word means another unit, by its name.
    """

    code: int
    name: str
    of: str
    size: Fraction
    offset: Fraction = Fraction(0)
    kinds: Mapping[TagKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversion:
    """stored = (came * up + add) / down, to `DIGITS` digits. code: of the unit that it came in.

    All three are whole numbers, so that a pressure of 1234 kPa is 1.234 MPa to the last bit.
    """

    code: int
    up: float
    add: float
    down: float

    def stored(self, came: Floats) -> Floats:
        """float64[n] in the registered unit; NaN stays, infinite where no float64 is so large."""
        return converted(came, np.float64(self.up), np.float64(self.add), np.float64(self.down))

    def came(self, stored: Floats) -> Floats:
        """What came, float64[n]: of all decimals that are stored as this the shortest; infinite
        where no float64 is so large."""
        with np.errstate(over="ignore"):
            found = np.array((stored * self.down - self.add) / self.up, np.float64, ndmin=1)
        found[stored == self.stored(np.zeros(1))] = 0.0
        open_ = np.isfinite(found) & (found != 0)
        for digits in range(1, 18):
            if not open_.any():
                break
            places = np.flatnonzero(open_)
            short = to_significant(found[places], digits)
            hit = self.stored(short) == stored[places]
            found[places[hit]], open_[places[hit]] = short[hit], False
        return found


def converted(came: Floats, up: Any, add: Any, down: Any) -> Floats:
    """`Conversion.stored`, of one conversion or of one for each value (float64[n])."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = came * up
        plain = (scaled + add) / down
        largest = np.maximum(np.maximum(np.abs(scaled), np.abs(add)) / np.abs(down), np.abs(plain))
    return to_places(plain, largest, DIGITS)


def wire_unit(word: str, kind: TagKind = TagKind.OTHER) -> WireUnit | None:
    """The unit that a word means for tags of a kind; None where nobody knows it."""
    found = _spellings().get(plain_word(word))
    name = None if found is None else found.kinds.get(kind)
    return found if name is None else _spellings()[name]


def unit_of_code(code: int) -> WireUnit | None:
    """The unit with this code; None: there is none yet."""
    return _by_code().get(code)


def plain_word(word: str) -> str:
    """The word without blanks, signs of one character written out: ℃ is °C, m³ is m3."""
    return "".join(unicodedata.normalize("NFKC", word).split()).replace("μ", "µ")


def conversion(
    came: WireUnit, registered: WireUnit, grams: Fraction | None = None
) -> Conversion | None:
    """The way from one unit into another; None where they measure different things.

    grams: of one litre of the gas that is measured (molar mass over molar volume), by which mass
    per volume and share of volume are one thing; None: not known.
    """
    factor = came.size / registered.size
    offset = (came.offset - registered.offset) / registered.size
    if came.of != registered.of:
        if grams is None or {came.of, registered.of} != {PER_VOLUME, SHARE_OF_VOLUME}:
            return None
        # one volume of gas in one volume of air: grams per litre are kg per m3
        factor = factor / grams if came.of == PER_VOLUME else factor * grams
    down = lcm(factor.denominator, offset.denominator)
    return Conversion(came.code, float(factor * down), float(offset * down), float(down))


@cache
def names_of(of: str) -> tuple[str, ...]:
    """Units that measure the same, by name, for suggestions."""
    return tuple(unit.name for unit in _by_code().values() if unit.of == of)


@cache
def _entries() -> list[dict[str, Any]]:
    text = files("domain").joinpath("data/wire_units.toml").read_text("utf-8")
    return list(tomllib.loads(text)["unit"])


@cache
def _by_code() -> dict[int, WireUnit]:
    found: dict[int, WireUnit] = {}
    for entry in _entries():
        unit = WireUnit(
            entry["code"],
            entry["name"],
            entry["of"],
            Fraction(entry["size"]),
            Fraction(entry.get("offset", "0")),
            {TagKind(kind): name for kind, name in entry.get("as", {}).items()},
        )
        if unit.code in found or not 0 < unit.code < 128:
            raise ValueError(f"{unit.name}: code {unit.code} is taken, or not 1 to 127")
        found[unit.code] = unit
    return found


@cache
def _spellings() -> dict[str, WireUnit]:
    found: dict[str, WireUnit] = {}
    for entry in _entries():
        for word in (entry["name"], *entry.get("also", ())):
            if found.setdefault(plain_word(word), _by_code()[entry["code"]]).code != entry["code"]:
                raise ValueError(f"{word!r} is two units")
    return found
