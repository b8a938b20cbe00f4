"""CAS registry numbers and their check digit."""

import re

PATTERN = r"^[0-9]{2,7}-[0-9]{2}-[0-9]$"


def check_digit(cas: str) -> int:
    """The check digit that the other digits of a number of `PATTERN` ask for."""
    digits = cas.replace("-", "")[:-1]
    return sum(n * int(digit) for n, digit in enumerate(reversed(digits), 1)) % 10


def cas_checked(cas: str) -> str:
    """The number itself; raises `ValueError` where it is none or a digit is wrong.

    Necessary, not sufficient: some wrong numbers have a good check digit too.
    """
    if not re.fullmatch(PATTERN, cas):
        raise ValueError("is no CAS number; allowed: digits such as 7664-41-7")
    if int(cas[-1]) != check_digit(cas):
        raise ValueError(f"the check digit must be {check_digit(cas)}; one of the digits is wrong")
    return cas
