"""What a sender sent, told from what is stored of it."""

from fractions import Fraction

import numpy as np

from domain.frame import CODE_SHIFT, Flag
from domain.plant import TagKind
from domain.sentinels import sentinel_of_code
from domain.wire_units import conversion, unit_of_code, wire_unit

Raw = tuple[float, str | None]
"""The number that came, and the unit that was named with it; None: not known, as it meant no
value."""


def raw_value(
    flags: int, value: float | None, unit: str, kind: TagKind, grams: Fraction | None
) -> Raw | None:
    """What came, where it was another number than is stored; None: the same, or no longer known.

    flags, value: of the sample, None = no value. unit, kind: of its tag. grams: as in
    `domain.wire_units.conversion`. The number is the shortest that is stored as `value`.
    """
    code = flags >> CODE_SHIFT
    if flags & Flag.SENTINEL:
        number = sentinel_of_code(code)
        return None if number is None else (number, None)
    came, registered = unit_of_code(code), wire_unit(unit, kind)
    if value is None or came is None or registered is None:
        return None
    way = conversion(came, registered, grams)
    return None if way is None else (float(way.came(np.array([value]))[0]), came.name)


def asks_for_gas(flags: int, unit: str, kind: TagKind) -> bool:
    """Whether `raw_value` needs `grams`."""
    came, registered = unit_of_code(flags >> CODE_SHIFT), wire_unit(unit, kind)
    coded = not flags & Flag.SENTINEL and came is not None and registered is not None
    return bool(coded and came and registered and came.of != registered.of)
