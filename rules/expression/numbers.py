"""Numbers with units: arithmetic and comparisons, checked and brought to one unit.

Literals are converted exactly and once, into the unit of the tag that they stand beside; so a limit
that a tag reaches is reached, whatever unit it is written in.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial, reduce
from math import isfinite

from domain import policy
from domain.alarms import Kind
from domain.plant import Tag
from domain.units import TEMPERATURE, times
from rules.expression.steps import Op, Steps
from rules.expression.types import CONDITION, Quantity, Scale, Value, fit

Kernel = Callable[..., Value]
_LARGEST = Fraction(10) ** 300
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARE = {"<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE, "==": Op.EQ, "!=": Op.NE}


class Misfit(ValueError):
    """These numbers do not go together; says why."""


def type_of(value: Value) -> Quantity:
    """The quantity of a number."""
    assert isinstance(value.type, Quantity)
    return value.type


def _fraction(value: Fraction) -> float:
    if abs(value) > _LARGEST:
        raise Misfit("a number beyond 1e300; allowed: a smaller one")
    return float(value)


def as_step(steps: Steps, value: Value, target: Quantity) -> int:
    """The instruction that yields a number in another unit of its dimensions."""
    own = type_of(value)
    ratio = own.factor / target.factor
    shift = Fraction(0)
    if own.scale is not Scale.DIFFERENCE and target.scale is not Scale.DIFFERENCE:
        shift = (own.offset - target.offset) / target.factor
    if value.literal is not None:
        return steps.add(Op.CONST, a=_fraction(value.literal * ratio + shift), b=value.own)
    if ratio == 1 and shift == 0:
        return value.step
    return steps.add(Op.SCALE, value.step, a=_fraction(ratio), b=_fraction(shift))


def together(values: tuple[Value, ...]) -> tuple[tuple[Value, ...], Quantity]:
    """The values, zeros without unit given that of the others, and the unit to work in: that of the
    first that is no literal."""
    lead = next((v for v in values if v.literal is None), values[0])
    unit = type_of(lead)
    points = any(type_of(v).scale is Scale.POINT for v in values)
    fitted = tuple(
        replace(v, type=unit) if v.literal == 0 and not type_of(v).dimensions and not points else v
        for v in values
    )
    for value in fitted:
        if not fit(unit, type_of(value)):
            raise Misfit(_apart(lead, value))
    if unit.scale is Scale.EITHER:
        unit = next((type_of(v) for v in fitted if type_of(v).scale is not Scale.EITHER), unit)
    return fitted, unit


def _apart(left: Value, right: Value) -> str:
    what = f"{left}, {right}: they cannot be compared or added"
    scales = {type_of(left).scale, type_of(right).scale}
    if scales == {Scale.POINT, Scale.DIFFERENCE}:
        return what + "; write a difference in K"
    if not type_of(right).dimensions and right.literal is not None and type_of(left).name:
        return f"{right.words} has no unit; did you mean {right.words} {type_of(left).name}?"
    return what


def negate(steps: Steps, value: Value) -> Value:
    """-x. Of a temperature only as a literal: -5 °C is a place on its scale."""
    words = f"-{value.words}"
    if value.literal is not None:
        return replace(value, literal=-value.literal, words=words)
    _no_point(value)
    return Value(type_of(value), steps.add(Op.NEG, value.step), words)


def _no_point(value: Value) -> None:
    if type_of(value).scale is Scale.POINT:
        raise Misfit(f"{value}, a temperature: allowed: < > + - min max avg")


def add(steps: Steps, left: Value, right: Value) -> Value:
    """x + y."""
    if type_of(left).scale is type_of(right).scale is Scale.POINT:
        raise Misfit(f"{left}, {right}: two temperatures have no sum; take avg, or write K")
    return _sum(steps, Op.ADD, left, right, 1)


def subtract(steps: Steps, left: Value, right: Value) -> Value:
    """x - y; of two temperatures a difference."""
    return _sum(steps, Op.SUB, left, right, -1)


def _sum(steps: Steps, op: Op, left: Value, right: Value, sign: int) -> Value:
    words = f"{left.words} {'+' if sign > 0 else '-'} {right.words}"
    scales = type_of(left).scale, type_of(right).scale
    if Scale.POINT in scales:
        return _moved(steps, op, left, right, words)
    (left, right), unit = together((left, right))
    if left.literal is not None and right.literal is not None:
        own, other = type_of(left), type_of(right)
        value = left.literal + sign * right.literal * other.factor / own.factor
        return Value(own, -1, words, value)
    first, second = as_step(steps, left, unit), as_step(steps, right, unit)
    return Value(unit, steps.add(op, first, second), words)


def _moved(steps: Steps, op: Op, left: Value, right: Value, words: str) -> Value:
    """A temperature and a difference, or the difference of two temperatures."""
    own, other = type_of(left), type_of(right)
    if own.dimensions != other.dimensions:
        raise Misfit(_apart(left, right))
    if own.scale is other.scale:
        unit = own if left.literal is None else other
        pair = as_step(steps, left, unit), as_step(steps, right, unit)
        span = replace(unit, offset=Fraction(0), scale=Scale.DIFFERENCE)
        return Value(span, steps.add(op, *pair), words)
    if op is Op.SUB and other.scale is Scale.POINT:
        raise Misfit(f"{left}, {right}: a temperature cannot be taken from a difference")
    unit = own if own.scale is Scale.POINT else other
    span = replace(unit, offset=Fraction(0), scale=Scale.DIFFERENCE)
    steps_of = [
        as_step(steps, v, unit if type_of(v).scale is Scale.POINT else span) for v in (left, right)
    ]
    return Value(unit, steps.add(op, *steps_of), words)


def multiply(steps: Steps, left: Value, right: Value) -> Value:
    """x * y."""
    return _product(steps, Op.MUL, left, right, 1)


def divide(steps: Steps, left: Value, right: Value) -> Value:
    """x / y; unknown where y is 0."""
    if right.literal == 0:
        raise Misfit("division by 0")
    return _product(steps, Op.DIV, left, right, -1)


def _product(steps: Steps, op: Op, left: Value, right: Value, power: int) -> Value:
    for value in (left, right):
        _no_point(value)
    own, other = type_of(left), type_of(right)
    sign = "*" if power > 0 else "/"
    unit = Quantity(
        " ".join(name for name in (own.name, sign if other.name else "", other.name) if name),
        times(own.dimensions, other.dimensions, power),
        own.factor * other.factor**power,
    )
    literals = left.literal is not None and right.literal is not None
    if unit.dimensions == TEMPERATURE:
        unit = replace(unit, scale=Scale.EITHER if literals else Scale.DIFFERENCE)
    words = f"{left.words} {sign} {right.words}"
    if left.literal is not None and right.literal is not None:
        return Value(unit, -1, words, left.literal * right.literal**power)
    return Value(
        unit, steps.add(op, as_step(steps, left, own), as_step(steps, right, other)), words
    )


def absolute(steps: Steps, value: Value) -> Value:
    """|x|."""
    _no_point(value)
    words = f"abs({value.words})"
    if value.literal is not None:
        return replace(value, literal=abs(value.literal), words=words)
    return Value(type_of(value), steps.add(Op.ABS, value.step), words)


def _chain(op: Op, name: str, average: bool = False) -> Kernel:
    def run(steps: Steps, *values: Value) -> Value:
        fitted, unit = together(values)
        each = [as_step(steps, value, unit) for value in fitted]
        step = reduce(partial(steps.add, op), each)
        if average:  # rounded, it may lie beyond all of them by a hair
            low, high = (reduce(partial(steps.add, bound), each) for bound in (Op.MIN, Op.MAX))
            step = steps.add(Op.DIV, step, steps.add(Op.CONST, a=len(values)))
            step = steps.add(Op.MAX, steps.add(Op.MIN, step, high), low)
        return Value(unit, step, f"{name}({', '.join(value.words for value in values)})")

    return run


def comparison(sign: str, deadband: Value | None, own: float | None) -> Kernel:
    """x sign y. deadband: as written; own: that of the limit, in the unit of its tag, None where
    the comparison has none."""

    def run(steps: Steps, left: Value, right: Value) -> Value:
        (first, second), unit = together((left, right))
        band = own
        if deadband is not None:
            span = type_of(deadband)
            if span.dimensions != unit.dimensions and not (deadband.literal == 0):
                raise Misfit(f"{deadband}, {left}: the deadband must be of the same sort")
            band = _fraction((deadband.literal or Fraction(0)) * span.factor / unit.factor)
        pair = as_step(steps, first, unit), as_step(steps, second, unit)
        return Value(CONDITION, steps.compare(_COMPARE[sign], *pair, band), "this")

    return run


def limit_of(
    tag: Tag, kind: Kind, sign: str, tag_is_left: bool
) -> tuple[Fraction | None, float | None]:
    """A limit of a tag, and its deadband, None unless the comparison looks beyond it; (None, None)
    where the tag never has it. One that its unit's mode switches off cannot be reached."""
    way = sign if tag_is_left else _MIRROR.get(sign, sign)
    outward = way in ((">", ">=") if kind in (Kind.H, Kind.HH) else ("<", "<="))
    if kind not in tag.limits:
        off = any(kind in own for own in tag.limits_by_mode.values())
        beyond = _LARGEST if kind in (Kind.H, Kind.HH) else -_LARGEST
        return (beyond, 0.0 if outward else None) if off else (None, None)
    limit = tag.limits[kind]
    if not isfinite(limit):
        return None, None
    return Fraction(limit), policy.deadband(tag, kind) if outward else None


ARITHMETIC: dict[str, Kernel] = {"+": add, "-": subtract, "*": multiply, "/": divide}
FUNCTIONS: dict[str, Kernel] = {
    "abs": absolute,
    "min": _chain(Op.MIN, "min"),
    "max": _chain(Op.MAX, "max"),
    "avg": _chain(Op.ADD, "avg", average=True),
}
