"""Clock times of a zone as instants, with the hours that came twice or never."""

from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import SECOND, moment
from storage.days import DAY

Twice = Literal["refuse", "first", "second"]


def instants(
    local: Ints, zone: ZoneInfo, twice: Twice
) -> tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]]:
    """(instants, ambiguous, missing) of clock times, all [n], microseconds since 1970 on the clock.

    ambiguous: the time came twice (clocks were put back) and `twice` is "refuse". missing: it never
    came (clocks were put forward). The instants of both are of no meaning.
    """
    day, place = np.unique(local // DAY, return_inverse=True)
    offsets = np.array([_offset_of_day(int(one), zone) for one in day], np.float64)
    shift = offsets[place]
    ambiguous = np.zeros(len(local), np.bool_)
    missing = np.zeros(len(local), np.bool_)
    out = local - np.nan_to_num(shift).astype(np.int64)
    for n in np.flatnonzero(np.isnan(shift)).tolist():
        first, second = (_offset(int(local[n]), zone, fold) for fold in (0, 1))
        out[n] = local[n] - (second if twice == "second" else first)
        ambiguous[n] = first > second and twice == "refuse"
        missing[n] = first < second
    return out, ambiguous, missing


def _offset_of_day(day: int, zone: ZoneInfo) -> float:
    """Microseconds that clocks of the zone are ahead of UTC on a day; NaN where it changes."""
    ends = day * DAY, (day + 1) * DAY - SECOND
    found = {_offset(end, zone, fold) for end in ends for fold in (0, 1)}
    return float(found.pop()) if len(found) == 1 else np.nan


def _offset(local: int, zone: ZoneInfo, fold: int) -> int:
    clock = moment(local).replace(tzinfo=zone, fold=fold)
    offset = clock.utcoffset()
    assert offset is not None  # a ZoneInfo always knows
    return round(offset.total_seconds() * SECOND)
