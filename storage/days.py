"""Days of samples: each lies in a table of its own, and a transaction can't lock thousands of them.

PostgreSQL's table of locks has room for about `max_locks_per_transaction` x `max_connections`; a
day takes about ten of them when it is made. Who needs more gets 53200, out of shared memory.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import SECOND

DAY = 86_400 * SECOND
"""Microseconds in a day."""
DAYS_AT_ONCE = 150
"""Days that a transaction may touch."""


def days(time: Ints) -> Ints:
    """int64[d]: the different UTC days of instants in microseconds, rising, as days since 1970."""
    if len(time) == 0 or time.min() // DAY == time.max() // DAY:
        return time[:1] // DAY
    return np.unique(time // DAY)


def day_groups(time: Ints, most: int = DAYS_AT_ONCE) -> list[NDArray[np.intp]]:
    """Positions of instants in groups of at most `most` days, the oldest first; no day is split."""
    day = days(time)
    group = np.searchsorted(day, time // DAY) // most
    return [np.flatnonzero(group == place) for place in range(-(-len(day) // most))]


def runs(time: Ints) -> Iterator[tuple[int, int]]:
    """First and last of the instants in each run of adjacent days, in order."""
    if len(time) == 0:
        return
    ordered = np.sort(time)
    cuts = np.flatnonzero(np.diff(ordered // DAY) > 1) + 1
    for run in np.split(ordered, cuts):
        yield int(run[0]), int(run[-1])
