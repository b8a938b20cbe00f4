"""`RateState`: what the rate of change remembers of each tag; the rules are in `rules.rate`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.loops import Records, form
from rules.plan import Plan

Rows = NDArray[np.intp]

BLOCK = 1024
"""Rows that share one `wake`."""
WINDOWS = form(
    ("end", np.int64),
    ("early", np.int64),
    ("onset", np.int64),
    ("clipped", np.float64),
    ("plain", np.float64),
    ("level", np.float64),
    ("centre", np.float64),
    ("count", np.int32),
    ("votes", np.int32),
    ("over", np.int8),
    ("calm", np.int8),
    ("sign", np.int8),
)
"""What is remembered of a tag.

end: event time at which the newest window ends, NEVER = none yet. count: good samples in it so far,
0 = it has been judged. early: the sum of what they are before its end, microseconds. clipped,
plain: sums of their values, as they count and as they are. votes: up less down. level: of the
window judged last if the newest follows it, else NaN; centre: microseconds of its mean sample time
since its start. over: windows in a row over the limit, with the sign of the slope. calm: windows in
a row below CALM * limit; both stop at 2. sign: of the slope that raised the active condition, 0 =
not active, and its onset, NEVER = none.
"""
FRESH = {"end": NEVER, "onset": NEVER, "level": np.nan, "centre": np.nan}
"""What is not 0 of a tag of which nothing is known."""
KEPT = WINDOWS.names or ()
CHAIN = [name for name in KEPT if name not in ("sign", "onset")]


@dataclass(slots=True, eq=False)
class RateState:
    """One row for each tag of the plan's `RateTable`; changed in place by this module only.

    of: WINDOWS[r]. wake: int64, for each `BLOCK` of rows a wall time in microseconds before which
    no open window ends, FAR = none is open.
    """

    of: Records
    wake: Ints

    @staticmethod
    def fresh(r: int) -> "RateState":
        """r tags of which nothing is known."""
        of = np.zeros(r, WINDOWS)
        for name, value in FRESH.items():
            of[name] = value
        return RateState(of, np.full(-(-r // BLOCK), FAR, np.int64))

    def limit(self, plan: Plan, row: Rows) -> Floats:
        """The limit with the sign of the slope that raised, NaN = not active: float64[m]."""
        sign = self.of["sign"][row]
        return np.where(sign == 0, np.nan, sign * plan.rates.limit[row])

    def forget_windows(self, row: Rows) -> None:
        """Break the chain of these rows; what is active stays active."""
        blank = RateState.fresh(len(row)).of
        for name in CHAIN:
            self.of[name][row] = blank[name]


def carry(old_plan: Plan, old_state: RateState, new_plan: Plan, state: RateState) -> None:
    """Take over the rows of tags that have a rate in both plans; where window or limit differs,
    the chain begins anew."""
    old, new = old_plan.rates, new_plan.rates
    old_slot = old_plan.slots_of(new_plan.tags[new.slot])
    row = np.flatnonzero(np.where(old_slot >= 0, old.row[old_slot], -1) >= 0)
    old_row = old.row[old_slot[row]]
    state.of[row] = old_state.of[old_row]
    changed = (old.window(old_row) != new.window(row)) | (old.limit[old_row] != new.limit[row])
    state.forget_windows(row[changed])
