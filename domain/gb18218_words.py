"""Exact numbers as people read them."""

from decimal import Context, Decimal
from fractions import Fraction

_ROUNDED = Context(prec=6)
"""For showing a number that has no end."""


def exact(value: float | int) -> Fraction:
    """The decimal number that was written: 414.8 is 4148/10, whatever binary makes of it.

    Holds for up to 15 significant digits, which is what a float keeps.
    """
    return Fraction(repr(value))


def ends(value: Fraction) -> bool:
    """Whether the number has finitely many decimals."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def number(value: Fraction) -> str:
    """All decimals where they end, such as `124.44`; else the fraction, `10/3 ≈ 3.33333`."""
    if not ends(value):
        return f"{value} ≈ {_ROUNDED.divide(Decimal(value.numerator), Decimal(value.denominator))}"
    scaled, decimals = value, 0
    while scaled.denominator != 1:
        scaled, decimals = scaled * 10, decimals + 1
    digits = str(abs(scaled.numerator)).rjust(decimals + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)
