"""`Frame`: a columnar batch of samples, the noun that crosses every border of the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Lane(IntEnum):
    """Where an occurrence was found: as it happened, or later from stored samples (事后发现)."""

    LIVE = 0
    REPLAY = 1


class Flag(IntFlag):
    """What ingest found out about one sample; stored beside it."""

    NONE = 0
    HISTORY = 1
    """For history only, never judged live: late, or `historical` and older than 10 min."""
    HISTORICAL = 2
    """The sender marked the message as backfill."""
    AT_RECEIVED = 4
    """Judged at received time, because its own time could not be trusted."""
    SHIFTED = 8
    """Stored under a corrected time."""
    STUCK = 16
    """Stored under the received time, because its clock stood still."""
    SENTINEL = 32
    """What came is a number that means "no value" 无效值; the code says which."""


CODE_SHIFT = 8
"""The code of a sample stands in bits 8 to 14 of its flags, 0 to 127: with `SENTINEL` which one of
`domain.sentinels` came (0: one of the tag's own), else the unit of `domain.wire_units` in which the
value came (0: the registered one)."""

CODED = 0x7F << CODE_SHIFT | Flag.SENTINEL
"""The bits of the code, and what it is a code of."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Samples that arrived together.

    Arrays have one length n and are never written to after construction.

    tag: int32[n], the registry's ids. at: int64[n], the time each sample is *judged* at, in
    microseconds. time: int64[n], the time it is *stored* under. value: float64[n], NaN = no value.
    quality: int16[n], see `domain.quality`. flags: int16[n], see `Flag`
    and `CODE_SHIFT`. received: one stamp in microseconds, strictly rising from frame to frame of a
    shard.
    """

    tag: NDArray[np.int32]
    at: Ints
    time: Ints
    value: Floats
    quality: NDArray[np.int16]
    flags: NDArray[np.int16]
    received: int

    def __len__(self) -> int:
        return len(self.tag)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Frame":
        """The samples chosen by a mask or by positions, under the same stamp."""
        return Frame(
            self.tag[which],
            self.at[which],
            self.time[which],
            self.value[which],
            self.quality[which],
            self.flags[which],
            self.received,
        )

    def judged(self) -> "Frame":
        """The samples that the live rules may see."""
        history = (self.flags & Flag.HISTORY) != 0
        return self.take(~history) if history.any() else self

    @staticmethod
    def of(
        tag: Sequence[int] | NDArray[np.int32],
        at: Sequence[int] | Ints,
        value: Sequence[float] | Floats,
        *,
        received: int,
        time: Sequence[int] | Ints | None = None,
        quality: Sequence[int] | NDArray[np.int16] | int = 192,
        flags: Sequence[int] | NDArray[np.int16] | int = 0,
    ) -> "Frame":
        """A frame from anything array-like; `time` defaults to `at`, scalars are spread."""
        n = len(tag)
        at_us = np.asarray(at, np.int64)
        return Frame(
            np.asarray(tag, np.int32),
            at_us,
            at_us if time is None else np.asarray(time, np.int64),
            np.asarray(value, np.float64),
            np.broadcast_to(np.asarray(quality, np.int16), n),
            np.broadcast_to(np.asarray(flags, np.int16), n),
            received,
        )
