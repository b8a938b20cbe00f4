"""Which readings lie outside of what their instrument can measure, and which are none."""

import numpy as np
from numpy.typing import NDArray

from domain.frame import CODE_SHIFT, Floats
from domain.plant import Registry
from domain.quality import Quality, is_good
from ingest.sentinels import NONE, Sentinels, flagged

RANGE_MARGIN = 0.02
"""Share of the span by which a value may lie outside of the tag's range and still be good."""

Int16s = NDArray[np.int16]
Samples = tuple[Floats, Int16s, Int16s]
"""value, quality and flags of samples, of one length."""


class Spans:
    """By tag id the values beyond which a good reading is out of range; ±inf: there is no range."""

    def __init__(self, registry: Registry) -> None:
        size = max(registry.tags, default=0) + 1
        self.high: Floats = np.full(size, np.inf)
        self.low: Floats = np.full(size, -np.inf)
        self._sentinels = Sentinels(registry)
        for tag in registry.tags.values():
            if tag.range is not None:
                low, high = tag.range
                margin = RANGE_MARGIN * (high - low)
                self.low[tag.id], self.high[tag.id] = low - margin, high + margin

    def settled(
        self, tag: NDArray[np.int32], value: Floats, quality: Int16s, flags: Int16s
    ) -> Samples:
        """value, quality and flags of a frame with what lies beyond its range marked as such.

        A sentinel becomes NaN and bad, with `SENTINEL` and its code. All [n]; what is given is not
        written to.
        """
        beyond = (value > self._sentinels.top[tag]) | (value < self._sentinels.bottom[tag])
        if not beyond.any():
            return value, quality, flags
        # what has a code was held against the sentinels as it came
        open_ = np.flatnonzero(beyond & (flags >> CODE_SHIFT == 0))
        value, quality, flags = self._apart(tag, value[open_], open_, value, quality, flags)
        return value, self.judged(tag, value, quality), flags

    def came(
        self, tag: NDArray[np.int32], came: Floats, value: Floats, quality: Int16s, flags: Int16s
    ) -> Samples:
        """value, quality and flags [n] of samples that came as other numbers, in other units."""
        beyond = (value > self._sentinels.top[tag]) | (value < self._sentinels.bottom[tag])
        # a range is one of registered units; without it the bounds are numbers as they come
        at = np.flatnonzero(beyond | ~self._sentinels.ranged[tag])
        return self._apart(tag, came[at], at, value, quality, flags)

    def judged(self, tag: NDArray[np.int32], value: Floats, quality: Int16s) -> Int16s:
        """`quality` [n], with OVER_RANGE or UNDER_RANGE where a good value is out of range."""
        over, under = value > self.high[tag], value < self.low[tag]
        beyond = (over | under) & is_good(quality)
        if not beyond.any():
            return quality
        worse = np.where(over, Quality.OVER_RANGE, Quality.UNDER_RANGE)
        return np.where(beyond, worse, quality).astype(np.int16)

    def _apart(
        self,
        tag: NDArray[np.int32],
        came: Floats,
        at: NDArray[np.intp],
        value: Floats,
        quality: Int16s,
        flags: Int16s,
    ) -> Samples:
        """The samples with the sentinels among `came` (those at these positions) made no value."""
        codes = self._sentinels.codes(tag[at], came)
        found = codes != NONE
        if not found.any():
            return value, quality, flags
        at, codes = at[found], codes[found]
        value, quality, flags = value.copy(), quality.copy(), flags.copy()
        value[at] = np.nan
        quality[at] = np.where(quality[at] >= Quality.UNCERTAIN, Quality.BAD, quality[at])
        flags[at] = (flags[at] & ((1 << CODE_SHIFT) - 1)) | flagged(codes)
        return value, quality, flags
