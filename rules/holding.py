"""`Floors`: which floors hold at which colour, and what holds them."""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.risk import Colour, Floor, RiskFacts
from domain.risk_facts import AlarmClass, Bytes, Mask

T = TypeVar("T", bound=np.generic)


class Floors(NamedTuple):
    """Filled in place while floors are judged.

    colours: int8[m, 14] by `Floor`, that of LOSS left BLUE. maybe_test: bool[m]. holds: int32[k],
    bit f = the alarm holds floor f. input_holds: int32[q], the same of inputs.
    """

    colours: Bytes
    maybe_test: Mask
    holds: NDArray[np.int32]
    input_holds: NDArray[np.int32]

    @staticmethod
    def none(facts: RiskFacts) -> "Floors":
        """No floor holds."""
        m = len(facts.sources.ids)
        return Floors(
            np.zeros((m, len(Floor)), np.int8),
            np.zeros(m, np.bool_),
            np.zeros(len(facts.alarms), np.int32),
            np.zeros(len(facts.inputs.ids), np.int32),
        )


def is_class(facts: RiskFacts, *classes: AlarmClass) -> Mask:
    """bool[k]: alarms of these classes."""
    wanted = np.zeros(len(AlarmClass), np.bool_)
    wanted[list(classes)] = True
    found: Mask = wanted[facts.alarms.alarm_class]
    return found


def of_tag(facts: RiskFacts, values: NDArray[T], absent: T | int | bool) -> NDArray[T]:
    """[k]: by alarm, what `values` (by row of tags) says of its tag; absent: where it has none."""
    tag = facts.alarms.tag
    if not len(values):
        return np.full(len(tag), absent, values.dtype)
    return np.where(tag >= 0, values[tag], np.asarray(absent, values.dtype))


def hold(
    facts: RiskFacts, found: Floors, floor: Floor, which: Mask, colour: Colour = Colour.ORANGE
) -> None:
    """These alarms (bool[k]) hold a floor at a colour."""
    row = np.flatnonzero(which)
    source = facts.alarms.source[row]
    found.colours[source, floor] = np.maximum(found.colours[source, floor], colour)
    found.holds[row] |= 1 << floor


def hold_by_input(
    facts: RiskFacts, found: Floors, floor: Floor, which: Mask, colour: Bytes
) -> None:
    """These inputs (bool[q]) hold a floor at their colours, int8[q]."""
    inputs = facts.inputs
    np.maximum.at(found.colours[:, floor], inputs.source[which], colour[which])
    found.input_holds[which] |= 1 << floor
