"""What an operand of a rule is: a number with its unit, a state, or a condition."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from domain.alarms import Kind
from domain.plant import Tag
from domain.units import TEMPERATURE, Dimensions, Unit, unit


class Scale(Enum):
    """How a temperature counts: as a point of its scale, as a difference, or as either (K)."""

    NONE = ""
    POINT = "a temperature"
    DIFFERENCE = "a difference of temperatures"
    EITHER = "kelvins"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number v that is factor * v + offset in the base unit. name: of the unit, for people."""

    name: str
    dimensions: Dimensions
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    scale: Scale = Scale.NONE

    def same_unit(self, other: "Quantity") -> bool:
        """Whether values of both can be compared as they are."""
        return (self.factor, self.offset) == (other.factor, other.offset)

    def __str__(self) -> str:
        if self.scale is Scale.DIFFERENCE:
            return f"{self.scale.value} in {self.name}"
        return f"in {self.name}" if self.name else "without unit"


@dataclass(frozen=True, slots=True)
class State:
    """A reading that is a state, by words."""

    words: Mapping[str, float]

    def __str__(self) -> str:
        return "a state: " + ", ".join(self.words)


class Condition:
    """True, false or unknown."""

    def __str__(self) -> str:
        return "a condition"


CONDITION = Condition()
Type = Quantity | State | Condition
NUMBER = Quantity("", ())


@dataclass(frozen=True, slots=True)
class Value:
    """A checked operand. step: number of the instruction that yields it, -1 for a literal.

    literal: of numbers that stand in the rule. tag: where it is the plain reading of one.
    limit: a limit by name, which becomes a number only beside a tag. mode: of a unit. own: of
    literals that are limits, a number for each: so that limits stay apart where they happen to be
    alike. words: as it is written.
    """

    type: Type
    step: int
    words: str
    literal: Fraction | None = None
    tag: Tag | None = None
    limit: Kind | None = None
    mode: str | None = None
    own: int = 0

    def __str__(self) -> str:
        return f"{self.words} is {self.type}"


def quantity_of(name: str, literal: bool) -> Quantity:
    """The quantity that a unit measures; one that nobody knows is a quantity of its own."""
    known = unit(name) or Unit(name, ((f"unit {name}", 1),))
    scale = Scale.NONE
    if known.dimensions == TEMPERATURE:
        scale = Scale.EITHER if literal and known.offset == 0 else Scale.POINT
    return Quantity(name, known.dimensions, known.factor, known.offset, scale)


def fit(left: Quantity, right: Quantity) -> bool:
    """Whether two numbers can be compared."""
    pair = {left.scale, right.scale}
    mixed = {Scale.POINT, Scale.DIFFERENCE} <= pair
    return left.dimensions == right.dimensions and not mixed
