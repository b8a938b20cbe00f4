"""Rounding of arrays to decimals, so that the nearest float64 to the decimal comes out."""

import numpy as np

from domain.frame import Floats

_EXACT = 22
"""10 ** n is a float64 without error up to this n, so that one division is all that rounds."""


def to_places(value: Floats, largest: Floats, digits: int) -> Floats:
    """`value` to the place of the last of `digits` digits of `largest`; all are float64[n].

    What is 0, NaN, infinite or above 1e22 times a number of so many digits stays as it is.
    """
    rounded = np.array(value, np.float64, ndmin=1)
    sound = np.isfinite(rounded) & np.isfinite(largest) & (largest > 0)
    largest = np.broadcast_to(largest, rounded.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.where(sound, digits - 1 - np.floor(np.log10(largest)), 0.0)
    near = sound & (np.abs(places) <= _EXACT)
    up, down = near & (places >= 0), near & (places < 0)
    scale = 10.0 ** np.abs(np.where(near, places, 0.0))
    rounded[up] = np.rint(rounded[up] * scale[up]) / scale[up]
    rounded[down] = np.rint(rounded[down] / scale[down]) * scale[down]
    for far in np.flatnonzero(sound & (places > _EXACT)):
        rounded[far] = round(float(rounded[far]), int(places[far]))
    return rounded


def to_significant(value: Floats, digits: int) -> Floats:
    """`value` to so many significant digits; float64[n]."""
    return to_places(value, np.abs(value), digits)
