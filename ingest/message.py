"""`Message`: one body of samples, understood; `Unread`: one that was not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from ingest.rejection import Rejection

MAX_BOOT = 64
"""Characters of a boot's name."""
MAX_VALUES = 100_000
"""Values of a message; and samples, should they be empty."""
MAX_BRACKETS = 3 * MAX_VALUES + 2
"""Opening brackets of a body that is worth reading: a value has at most one, its sample two."""
MAX_SEQ = 2**62
"""The highest seq that the ledger can keep."""


@dataclass(frozen=True, slots=True)
class RejectedValue:
    """One value that was not taken. tag None: a whole sample. payload: the value as JSON, cut."""

    tag: str | None
    time: str | None
    reason: str
    detail: str
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Unread:
    """A body that could not be read as samples. boot, seq: where its first members told them.

    size: as in `Message`.
    """

    rejection: Rejection
    boot: str | None = None
    seq: int | None = None
    oldest: None = None
    newest: None = None
    size: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """What a body said. One row per value, in order of time; times in microseconds since 1970 UTC.

    names: tag names [n]. time: int64[n]. value: float64[n], NaN = no value. quality: int16[n].
    units: row -> unit, where one was given. steady: no time comes in two samples of the message.
    rejected: values not taken, the first `MAX_REJECTED` of them; more_rejected: how many came
    beyond. odd: members of the head that were ignored because of what they held. unknown: members
    that the profile does not have. size: bytes of the body, unpacked.
    """

    boot: str | None
    seq: int | None
    oldest: int | None
    sent: int | None
    historical: bool
    names: tuple[str, ...]
    time: Ints
    value: Floats
    quality: NDArray[np.int16]
    units: Mapping[int, str] = field(default_factory=dict)
    steady: bool = True
    rejected: tuple[RejectedValue, ...] = ()
    more_rejected: int = 0
    odd: tuple[Rejection, ...] = ()
    unknown: int = 0
    size: int = 0

    @property
    def width(self) -> int:
        """How many values it has."""
        return len(self.names)

    @property
    def newest(self) -> int | None:
        """The newest time of a value taken, None where there is none."""
        return int(self.time[-1]) if len(self.time) else None
