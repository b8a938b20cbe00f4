"""The tree of a rule as it is written; `at` is the position of what it is about."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, exactly as written; unit: "" for none."""

    value: Fraction
    unit: str
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name: of a tag, a limit or a state."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """name(arguments), arguments other than names."""

    name: str
    arguments: "tuple[Tree, ...]"
    at: int


@dataclass(frozen=True, slots=True)
class Named:
    """tag, valve, state, rule or mode of a name in quotes."""

    how: str
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Unary:
    """sign: - or not."""

    sign: str
    operand: "Tree"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """sign: + - * / and or; at: of the sign."""

    sign: str
    left: "Tree"
    right: "Tree"
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    """sign: < <= > >= == !=; deadband: how far a number must come back."""

    sign: str
    left: "Tree"
    right: "Tree"
    deadband: Number | None
    at: int


@dataclass(frozen=True, slots=True)
class Of:
    """At least `needed` of several conditions."""

    needed: int
    items: "tuple[Tree, ...]"
    at: int


@dataclass(frozen=True, slots=True)
class For:
    """A condition that must have held for a time, microseconds."""

    condition: "Tree"
    lasting: int
    at: int


Tree = Number | Name | Call | Named | Unary | Binary | Compare | Of | For
