"""`Signals`: what rules tell risk that is no alarm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """Forecast and inventory of this moment. Arrays are never written to after construction.

    tags: int32[n], rising ids. ahead: int64[n], lower 95 % bound of the time to HH or LL in
    microseconds; FAR = no bound, unbounded, or a declared fill target lies before the limit; once
    HH is crossed, the time to overflow or to the end of the range. Without a good sample it keeps
    its last value. action: int64[n], operator action time in microseconds.

    sources: int64[m], rising node ids. fill: float64[m], u of part V: the largest of each tank over
    its own design, each substance, and all pooled; NaN = unknown.

    still: int32[s], rising ids of flow tags whose last good sample shows that nothing flows; a flow
    that is not among them counts as flowing.
    """

    tags: NDArray[np.int32]
    ahead: Ints
    action: Ints
    sources: Ints
    fill: Floats
    still: NDArray[np.int32]

    @staticmethod
    def none() -> "Signals":
        """Nothing is known."""
        empty = np.zeros(0, np.int64)
        ids = np.zeros(0, np.int32)
        return Signals(ids, empty, empty, empty, np.zeros(0), ids)
