"""`ForecastMemory`: what the forecast keeps of each tag, and how compiled loops see it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import NEVER

Singles = NDArray[np.float32]
Records = NDArray[Any]
"""A structured array; a loop takes a record out of it, which is a view, and passes that on."""
LINES = 4


class Known:
    """A record of a tag, lines from the shortest on; values relative to its anchor.

    level: float32[4], unit; slope: float32[4], unit per second; both at the last sample. age:
    float32, seconds since this movement began. pace: float32, usual seconds between samples. gap:
    float32, seconds from the last usable sample to the last sample. variance, covariance: float32,
    see `rules.noise`. seen: usable samples up to 255, 0 = none. line: the one to believe. run:
    sign of the shortest line's last residual if it was clipped. clipped: how many in this movement,
    up to 127. kept: the longest line that the last restart left as it was, -1 = all are of one age.
    held: samples in a row for raising, or for returning. side: 0, or what the active PREDICT is
    about: 1 up, -1 down, 2 and -2 the end of the range.
    """

    level: Singles
    slope: Singles
    age: float
    pace: float
    gap: float
    variance: float
    covariance: float
    seen: int
    line: int
    run: int
    clipped: int
    kept: int
    held: int
    side: int


_NUMBERS = ("age", "pace", "gap", "variance", "covariance")
_MARKS = ("line", "run", "clipped", "kept", "held", "side")
KNOWN = np.dtype(
    (
        np.record,
        [("level", np.float32, LINES), ("slope", np.float32, LINES)]
        + [(name, np.float32) for name in _NUMBERS]
        + [("seen", np.uint8)]
        + [(name, np.int8) for name in _MARKS],
    )
)


@dataclass(slots=True, eq=False)
class ForecastMemory:
    """One row for each tag. known: records[r], see `Known`. onset: int64[r, 1]."""

    known: Records
    onset: Ints

    @staticmethod
    def fresh(r: int) -> "ForecastMemory":
        """r tags of which nothing is known."""
        known = np.zeros(r, KNOWN)
        known["line"], known["kept"] = LINES - 1, -1
        return ForecastMemory(known, np.full((r, 1), NEVER, np.int64))
