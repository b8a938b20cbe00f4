"""OPC-style quality bytes, 质量码.

Two major bits (bad 0, uncertain 64, good 192), sub-status, two limit bits.

Only a *good* sample is a sign of health. Everything else may start an alarm and never ends one.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Quality(IntEnum):
    """The values that hazwatch itself assigns; any other OPC byte 0-255 is kept as it came."""

    BAD = 0
    STALE = 20
    """OPC "bad, last known value": the connection through which it came is gone 数据陈旧."""
    MAINTENANCE = 28
    """OPC "bad, out of service": the sender says that somebody works on it."""
    UNCERTAIN = 64
    CALIBRATION = 80
    """OPC "uncertain, sensor calibration"."""
    UNDER_RANGE = 85
    """OPC "uncertain, engineering units exceeded", low limited."""
    OVER_RANGE = 86
    """OPC "uncertain, engineering units exceeded", high limited."""
    SIMULATED = 96
    """Not in OPC DA: the sender says that the value is made up."""
    GOOD = 192


WORDS: dict[str, Quality] = {
    "good": Quality.GOOD,
    "uncertain": Quality.UNCERTAIN,
    "bad": Quality.BAD,
    "stale": Quality.STALE,
    "calibration": Quality.CALIBRATION,
    "maintenance": Quality.MAINTENANCE,
    "simulated": Quality.SIMULATED,
}
"""How the wire writes them."""


def is_good(quality: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which of these bytes have both major bits set. Shape as given."""
    return quality >= Quality.GOOD


def word(quality: int) -> str:
    """The plain word for a byte, for people and for the API."""
    for name, known in WORDS.items():
        if quality == known:
            return name
    if quality in (Quality.UNDER_RANGE, Quality.OVER_RANGE):
        return "over_range" if quality == Quality.OVER_RANGE else "under_range"
    return (
        "good"
        if quality >= Quality.GOOD
        else "uncertain"
        if quality >= Quality.UNCERTAIN
        else "bad"
    )
