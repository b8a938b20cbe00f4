"""Which readings lie outside of what their instrument can measure."""

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.plant import Registry
from domain.quality import Quality, is_good

RANGE_MARGIN = 0.02
"""Share of the span by which a value may lie outside of the tag's range and still be good."""


class Spans:
    """By tag id the values beyond which a good reading is out of range; ±inf: there is no range."""

    def __init__(self, registry: Registry) -> None:
        size = max(registry.tags, default=0) + 1
        self.high: Floats = np.full(size, np.inf)
        self.low: Floats = np.full(size, -np.inf)
        for tag in registry.tags.values():
            if tag.range is not None:
                low, high = tag.range
                margin = RANGE_MARGIN * (high - low)
                self.low[tag.id], self.high[tag.id] = low - margin, high + margin

    def judged(
        self, tag: NDArray[np.int32], value: Floats, quality: NDArray[np.int16]
    ) -> NDArray[np.int16]:
        """`quality` [n], with OVER_RANGE or UNDER_RANGE where a good value is out of range."""
        over, under = value > self.high[tag], value < self.low[tag]
        beyond = (over | under) & is_good(quality)
        if not beyond.any():
            return quality
        worse = np.where(over, Quality.OVER_RANGE, Quality.UNDER_RANGE)
        return np.where(beyond, worse, quality).astype(np.int16)
