"""`RateState`: what the rate of change remembers of each tag; the rules are in `rules.rate`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.plan import Plan

Rows = NDArray[np.intp]

BLOCK = 1024
"""Rows that share one `wake`."""
KEPT = (
    "end", "count", "early", "clipped", "plain", "votes", "level", "centre", "over", "calm", "sign",
    "onset",
)  # fmt: skip
"""What is told of a row when it moves into another state; `wake` follows from it."""
CHAIN = tuple(name for name in KEPT if name not in ("sign", "onset"))


@dataclass(slots=True, eq=False)
class RateState:
    """One row for each tag of the plan's `RateTable`; changed in place by this module only.

    end: int64[r], event time at which the newest window ends, NEVER = none yet. count: int32[r]
    good samples in it so far, 0 = it has been judged. early: int64[r], the sum of what they are
    before its end, microseconds. clipped, plain: float64[r], sums of their values, as they count
    and as they are. votes: int32[r], up less down. level: float64[r], of the window judged last if
    the newest follows it, else NaN; centre: float64[r], microseconds of its mean sample time since
    its start. over: int8[r], windows in a row over the limit, with the sign of the slope. calm:
    int8[r], windows in a row below CALM * limit; both stop at 2. sign: int8[r], of the slope that
    raised the active condition, 0 = not active, and its onset: int64[r], NEVER = none. wake: int64,
    for each `BLOCK` of rows a wall time in microseconds before which no open window ends, FAR =
    none is open.
    """

    end: Ints
    count: NDArray[np.int32]
    early: Ints
    clipped: Floats
    plain: Floats
    votes: NDArray[np.int32]
    level: Floats
    centre: Floats
    over: NDArray[np.int8]
    calm: NDArray[np.int8]
    sign: NDArray[np.int8]
    onset: Ints
    wake: Ints

    @staticmethod
    def fresh(r: int) -> "RateState":
        """r tags of which nothing is known."""
        return RateState(
            np.full(r, NEVER, np.int64),
            np.zeros(r, np.int32),
            np.zeros(r, np.int64),
            np.zeros(r),
            np.zeros(r),
            np.zeros(r, np.int32),
            np.full(r, np.nan),
            np.full(r, np.nan),
            np.zeros(r, np.int8),
            np.zeros(r, np.int8),
            np.zeros(r, np.int8),
            np.full(r, NEVER, np.int64),
            np.full(-(-r // BLOCK), FAR, np.int64),
        )

    def limit(self, plan: Plan, row: Rows) -> Floats:
        """The limit with the sign of the slope that raised, NaN = not active: float64[m]."""
        sign = self.sign[row]
        return np.where(sign == 0, np.nan, sign * plan.rates.limit[row])

    def forget_windows(self, row: Rows) -> None:
        """Break the chain of these rows; what is active stays active."""
        blank = RateState.fresh(len(row))
        for name in CHAIN:
            getattr(self, name)[row] = getattr(blank, name)


def carry(old_plan: Plan, old_state: RateState, new_plan: Plan, state: RateState) -> None:
    """Take over the rows of tags that have a rate in both plans; where window or limit differs,
    the chain begins anew."""
    old, new = old_plan.rates, new_plan.rates
    old_slot = old_plan.slots_of(new_plan.tags[new.slot])
    row = np.flatnonzero(np.where(old_slot >= 0, old.row[old_slot], -1) >= 0)
    old_row = old.row[old_slot[row]]
    for name in KEPT:
        getattr(state, name)[row] = getattr(old_state, name)[old_row]
    changed = (old.window(old_row) != new.window(row)) | (old.limit[old_row] != new.limit[row])
    state.forget_windows(row[changed])
